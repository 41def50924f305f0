//! One request under way: its headers typed, its caller known, and the room its reply may take.

use std::sync::Arc;

use crate::access::Caller;
use crate::broker::{Broker, IMPLEMENTATION_NAMESPACE};
use crate::cim::{Class, ObjectPath};
use crate::soap::{Envelope, Fault, FaultDetail, FaultKind, Message, Outgoing};
use crate::wire::{ControlHeaders, Mapping, ResourceUri, Style, UriForm, cim_fault};
use crate::xml::Namespaces;

/// A request under way.
pub(super) struct Exchange<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) control: ControlHeaders,
    pub(super) caller: &'a Caller,
    /// The service's address as the client sees it.
    pub(super) address: &'a str,
    /// Octets of UTF-8 that the reply may have.
    pub(super) budget: usize,
}

/// The class a request is about, in its namespace, and how the client writes URIs.
pub(super) struct Target<'b> {
    pub(super) namespace: Arc<str>,
    pub(super) class: &'b Arc<Class>,
    pub(super) form: UriForm,
}

impl Exchange<'_> {
    /// The CIM namespace the request is about.
    pub(super) fn namespace(&self, broker: &Broker, resource: &ResourceUri) -> Result<Arc<str>, Fault> {
        let named = self.control.namespace(resource)?;
        broker.namespace(named.as_deref().unwrap_or(IMPLEMENTATION_NAMESPACE)).map_err(cim_fault)
    }

    /// The class the request is about; a request about all classes or about schemas is refused.
    pub(super) fn target<'b>(&self, broker: &'b Broker) -> Result<Target<'b>, Fault> {
        let resource = self.control.resource()?;
        let namespace = self.namespace(broker, &resource)?;
        match resource {
            ResourceUri::Class { class, form } => {
                let class = broker.class(&namespace, &class).map_err(cim_fault)?;
                Ok(Target { namespace, class, form })
            }
            _ => Err(Fault::detailed(
                FaultKind::ActionNotSupported,
                FaultDetail::ActionMismatch,
                "the resource URI must name one class for this operation",
            )),
        }
    }

    /// The instance the request is about.
    pub(super) fn path(&self, broker: &Broker, target: &Target<'_>) -> Result<ObjectPath, Fault> {
        mapping(broker, &target.namespace).selected(target.class, &self.control.selectors)
    }

    /// How things are written to this client.
    pub(super) fn style<'f>(&self, form: &'f UriForm) -> Style<'f> {
        Style { form, exclude_nil: self.excludes_nil(), ..Style::default() }
    }

    /// Whether the client wants NULL properties left out.
    pub(super) fn excludes_nil(&self) -> bool {
        self.control.options.is_set("ExcludeNilProperties")
    }

    /// Begins the reply.
    pub(super) fn reply(&self, action: &str, prefixes: Namespaces) -> Message {
        Message::new(prefixes, &Outgoing::reply(action, &self.envelope.addressing), self.budget)
    }
}

/// Reads values, paths and instances of a namespace.
pub(super) fn mapping<'m>(broker: &'m Broker, namespace: &'m Arc<str>) -> Mapping<'m> {
    Mapping { schema: broker.schema(), namespace, precise_arrays: false }
}

/// The finished reply, or the fault for one that is larger than the client takes. `detail` is MaxEnvelopeSize, or
/// UnreportableSuccess where something was changed (DSP0226 R6.2-3, R6.2-4).
pub(super) fn finish(mut message: Message, detail: FaultDetail) -> Result<Vec<u8>, Fault> {
    if message.body().is_over() {
        return Err(Fault::detailed(
            FaultKind::EncodingLimit,
            detail,
            "the reply is larger than wsman:MaxEnvelopeSize allows; ask for more",
        ));
    }
    Ok(message.finish())
}
