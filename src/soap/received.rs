//! Faults that others send us.

use super::names::{FAULT_DETAIL, SOAP, WSMAN};
use super::{Envelope, FaultKind};
use crate::xml::{Element, ElementExt};

/// A fault that a peer answered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer answered {subcode}: {reason}")]
pub struct ReceivedFault {
    /// Which of the known faults it is; peers spell Actions and prefixes in their own ways, so the name decides.
    pub kind: Option<FaultKind>,
    /// Its subcode as it was written, or its code if there was none.
    pub subcode: String,
    /// The peer's sentence.
    pub reason: String,
    /// The names of the DSP0226 details.
    pub details: Vec<String>,
    /// Everything in `s:Detail`.
    pub elements: Vec<Element>,
}

impl ReceivedFault {
    /// The fault in a message; `None` if it holds none.
    pub fn read(message: &Envelope) -> Option<Self> {
        let fault = message.body.as_ref().filter(|body| body.is(SOAP, "Fault"))?;
        let code = fault.child(SOAP, "Code");
        let value = |e: &Element| e.child(SOAP, "Value").map(|v| v.text().to_owned());
        let subcode = code
            .and_then(|c| c.child(SOAP, "Subcode"))
            .and_then(value)
            .or_else(|| code.and_then(value))
            .unwrap_or_default();
        let local = subcode.rsplit_once(':').map_or(subcode.as_str(), |(_, local)| local);
        let kind = FaultKind::find(message.addressing.action.as_deref().unwrap_or_default(), local);
        let text = fault.child(SOAP, "Reason").and_then(|r| r.child(SOAP, "Text"));
        let reason = text.map(|t| t.text().to_owned()).unwrap_or_default();
        let elements: Vec<Element> =
            fault.child(SOAP, "Detail").into_iter().flat_map(ElementExt::elements).cloned().collect();
        let details = elements
            .iter()
            .filter(|e| e.is(WSMAN, "FaultDetail"))
            .map(|e| e.text().strip_prefix(FAULT_DETAIL).unwrap_or(e.text()).to_owned())
            .collect();
        Some(Self { kind, subcode, reason, details, elements })
    }
}
