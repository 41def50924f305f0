//! The namespaces that envelopes and faults are made of.

use crate::xml::Namespaces;

/// SOAP 1.2.
pub const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// SOAP 1.1, which is refused.
pub const SOAP_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// WS-Addressing 2004/08.
pub const WSA: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// WS-Transfer 2004/09.
pub const WXF: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
/// WS-Enumeration 2004/09.
pub const WSEN: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
/// WS-Eventing 2004/08.
pub const WSE: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// WS-Management (DSP0226).
pub const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
/// The CIM binding of WS-Management (DSP0227).
pub const WSMB: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd";
/// The element with which Windows gives its own code of an error.
pub const WSMAN_FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";

/// The address that means "back on this connection".
pub const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
/// The Action of faults that WS-Addressing and SOAP define.
pub const WSA_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault";
/// The Action of faults that WS-Transfer defines.
pub const WXF_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/fault";
/// The Action of faults that WS-Enumeration defines.
pub const WSEN_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault";
/// The Action of faults that WS-Eventing defines.
pub const WSE_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing/fault";
/// The Action of faults that DSP0226 defines.
pub const WSMAN_FAULT_ACTION: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
/// The Action of faults that DSP0227 defines.
pub const WSMB_FAULT: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/fault";

/// What a detail of DSP0226 begins with; its name follows.
pub const FAULT_DETAIL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/";

/// What a fault's envelope declares.
pub const FAULT_PREFIXES: Namespaces = &[
    ("s", SOAP),
    ("wsa", WSA),
    ("wxf", WXF),
    ("wsen", WSEN),
    ("wse", WSE),
    ("wsman", WSMAN),
    ("wsmb", WSMB),
    ("f", WSMAN_FAULT),
];
