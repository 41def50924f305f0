//! The URIs of the messages.

pub(crate) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(crate) const WSA: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
pub(crate) const WXF: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
pub(crate) const WSEN: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
pub(crate) const WSE: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
pub(crate) const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
pub(crate) const WSMB: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd";
pub(crate) const MS_WSMAN: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
pub(crate) const MS_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
pub(crate) const CIM_COMMON: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";

/// What the URIs of OpenLMI's classes begin with.
pub(crate) const LMI: &str = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2";
/// What Windows' own URIs of classes begin with; the namespace and the class follow.
pub(crate) const WMI: &str = "http://schemas.microsoft.com/wbem/wsman/1/wmi";
/// Classes themselves, as CIM-XML.
pub(crate) const CLASSES: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";

pub(crate) const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
pub(crate) const WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";
pub(crate) const ASSOCIATION_FILTER: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";
pub(crate) const SELECTOR_FILTER: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";

pub(crate) const PUSH: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push";
pub(crate) const PUSH_WITH_ACK: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck";
pub(crate) const EVENTS: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events";
pub(crate) const PULL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull";

/// An action of WS-Transfer.
pub(crate) fn transfer(operation: &str) -> String {
    format!("{WXF}/{operation}")
}

/// An action of WS-Enumeration.
pub(crate) fn enumeration(operation: &str) -> String {
    format!("{WSEN}/{operation}")
}

/// An action of WS-Eventing.
pub(crate) fn eventing(operation: &str) -> String {
    format!("{WSE}/{operation}")
}

/// A MessageID as Windows' clients make them.
pub(crate) fn upper_id() -> String {
    format!("uuid:{:X}", uuid::Uuid::new_v4().hyphenated())
}

/// A MessageID as most others make them.
pub(crate) fn lower_id() -> String {
    format!("uuid:{}", uuid::Uuid::new_v4())
}
