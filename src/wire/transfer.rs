//! The bodies of WS-Transfer (DSP0226 clause 7).

use super::mapping::{Style, write_path};
use super::names::{WSMAN, WXF};
use super::resource::shown;
use crate::cim::ObjectPath;
use crate::soap::{EndpointReference, Envelope, Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer};

/// What Put and Create bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation<'e> {
    /// The element of an instance.
    Whole(&'e Element),
    /// `wsman:XmlFragment`: a part of one.
    Fragment(&'e Element),
}

impl<'e> Representation<'e> {
    /// Reads the body of Put or Create. With the header `wsman:FragmentTransfer` it must be wrapped in
    /// `wsman:XmlFragment`, without it must not (DSP0226 R7.7-5).
    pub fn read(message: &'e Envelope, is_fragment: bool) -> Result<Self, Fault> {
        let refuse =
            |detail, reason: &'static str| Err(Fault::detailed(FaultKind::InvalidRepresentation, detail, reason));
        let Some(body) = &message.body else {
            return refuse(FaultDetail::MissingValues, "the body is empty; it must hold the representation");
        };
        match (body.is(WSMAN, "XmlFragment"), is_fragment) {
            (true, true) => Ok(Self::Fragment(body)),
            (false, false) => Ok(Self::Whole(body)),
            (true, false) => refuse(
                FaultDetail::InvalidFragment,
                "wsman:XmlFragment needs the header wsman:FragmentTransfer, which says which part it is",
            ),
            (false, true) => {
                refuse(FaultDetail::InvalidFragment, "a part of a representation is wrapped in wsman:XmlFragment")
            }
        }
    }
}

/// Writes `wxf:ResourceCreated`, the body of CreateResponse. The prefixes of
/// [`super::names::TRANSFER_PREFIXES`] must be declared.
pub fn write_created(w: &mut Writer, path: &ObjectPath, style: &Style<'_>) {
    w.start("wxf:ResourceCreated");
    write_path(w, path, style);
    w.end("wxf:ResourceCreated");
}

/// Reads `wxf:ResourceCreated`.
pub fn read_created(message: &Envelope) -> Result<EndpointReference, Fault> {
    let body = message.body("wxf:ResourceCreated")?;
    if body.is(WXF, "ResourceCreated") {
        return EndpointReference::read(body);
    }
    Err(Fault::schema(format!("the body must hold wxf:ResourceCreated, not {}", shown(&body.name))))
}
