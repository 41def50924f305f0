//! Namespaces, Action URIs and other URIs of WS-Management.

use crate::xml::Namespaces;

pub use crate::soap::names::{ANONYMOUS, SOAP, WSA, WSE, WSEN, WSMAN, WSMB, WXF};

/// Identify.
pub const WSMID: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
/// The types of DSP0230.
pub const CIM: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";
/// XML Schema.
pub const XS: &str = "http://www.w3.org/2001/XMLSchema";
/// `xsi:nil` and `xsi:type`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// WS-Trust, for the credentials of event sinks.
pub const WST: &str = "http://schemas.xmlsoap.org/ws/2005/02/trust";
/// WS-Security, for user names and passwords.
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// WS-Policy, for what credentials apply to.
pub const WSP: &str = "http://schemas.xmlsoap.org/ws/2004/09/policy";
/// WS-Policy as Windows' event collector has it.
pub const WSP_2002: &str = "http://schemas.xmlsoap.org/ws/2002/12/policy";
/// How Windows' event collector wants sources to authenticate.
pub const MS_AUTHENTICATION: &str = "http://schemas.microsoft.com/wbem/wsman/1/authentication";
/// Windows' own headers.
pub const MS_WSMAN: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
/// Headers of Windows' remote shell, which omicli sends too.
pub const MS_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";

/// Prefixes of replies to transfer requests and method calls.
pub const TRANSFER_PREFIXES: Namespaces =
    &[("s", SOAP), ("wsa", WSA), ("wxf", WXF), ("wsman", WSMAN), ("xsi", XSI), ("cim", CIM)];
/// Prefixes of replies to enumeration requests.
pub const ENUMERATION_PREFIXES: Namespaces =
    &[("s", SOAP), ("wsa", WSA), ("wsen", WSEN), ("wsman", WSMAN), ("xsi", XSI), ("cim", CIM)];
/// Prefixes of replies to eventing requests, and of events.
pub const EVENTING_PREFIXES: Namespaces =
    &[("s", SOAP), ("wsa", WSA), ("wse", WSE), ("wsen", WSEN), ("wsman", WSMAN), ("xsi", XSI), ("cim", CIM)];
/// Prefixes of every request a client of ours sends.
pub const REQUEST_PREFIXES: Namespaces = &[
    ("s", SOAP),
    ("wsa", WSA),
    ("wxf", WXF),
    ("wsen", WSEN),
    ("wse", WSE),
    ("wsman", WSMAN),
    ("wsmb", WSMB),
    ("wsmid", WSMID),
    ("xsi", XSI),
    ("cim", CIM),
];

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $uri:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $uri;)*
    };
}

/// Action URIs (DSP0226 R5.4.5-3).
pub mod action {
    actions! {
        /// Read an instance.
        GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
        /// Reply to Get.
        GET_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse";
        /// Change an instance.
        PUT = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put";
        /// Reply to Put.
        PUT_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/PutResponse";
        /// Make an instance.
        CREATE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
        /// Reply to Create.
        CREATE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse";
        /// Remove an instance.
        DELETE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
        /// Reply to Delete.
        DELETE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/DeleteResponse";
        /// Begin an enumeration.
        ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate";
        /// Reply to Enumerate.
        ENUMERATE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/EnumerateResponse";
        /// The next page of an enumeration, or the next events of a subscription.
        PULL = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
        /// Reply to Pull.
        PULL_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/PullResponse";
        /// End an enumeration early.
        RELEASE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release";
        /// Reply to Release.
        RELEASE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/ReleaseResponse";
        /// Prolong an enumeration; not recommended by DSP0226.
        ENUMERATION_RENEW = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Renew";
        /// Ask how long an enumeration lives; not recommended by DSP0226.
        ENUMERATION_GET_STATUS = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/GetStatus";
        /// Begin a subscription.
        SUBSCRIBE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
        /// Reply to Subscribe.
        SUBSCRIBE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/SubscribeResponse";
        /// Prolong a subscription.
        RENEW = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Renew";
        /// Reply to Renew.
        RENEW_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/RenewResponse";
        /// Ask how long a subscription lives.
        GET_STATUS = "http://schemas.xmlsoap.org/ws/2004/08/eventing/GetStatus";
        /// Reply to GetStatus.
        GET_STATUS_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/GetStatusResponse";
        /// End a subscription.
        UNSUBSCRIBE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Unsubscribe";
        /// Reply to Unsubscribe.
        UNSUBSCRIBE_RESPONSE = "http://schemas.xmlsoap.org/ws/2004/08/eventing/UnsubscribeResponse";
        /// The service ends a subscription.
        SUBSCRIPTION_END = "http://schemas.xmlsoap.org/ws/2004/08/eventing/SubscriptionEnd";
        /// One event.
        EVENT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event";
        /// A batch of events.
        EVENTS = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events";
        /// A sign of life.
        HEARTBEAT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Heartbeat";
        /// Events were left out.
        DROPPED_EVENTS = "http://schemas.dmtf.org/wbem/wsman/1/wsman/DroppedEvents";
        /// A sink has taken a delivery.
        ACK = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack";
    }

    /// How openwsman and Pegasus misspell the beginning of DSP0226's own Actions.
    const MISSPELT: &str = "http://schemas.xmlsoap.org/wbmem/wsman/1/wsman/";
    const SPELT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/";

    /// Whether an Action that came in is that one, in the spelling of DSP0226 or of other implementations.
    pub fn is(found: &str, expected: &str) -> bool {
        found == expected
            || matches!((found.strip_prefix(MISSPELT), expected.strip_prefix(SPELT)), (Some(f), Some(e)) if f == e)
    }

    /// The resource and the method that a custom Action names: what stands before and behind its last slash.
    pub fn method(action: &str) -> Option<(&str, &str)> {
        action.rsplit_once('/').filter(|(resource, method)| resource.contains("://") && !method.is_empty())
    }
}

/// Filter dialects.
pub mod dialect {
    /// XPath 1.0, the default.
    pub const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    /// Selectors compared with properties.
    pub const SELECTOR: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
    /// Associated instances, or the associations themselves.
    pub const ASSOCIATION: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";
    /// The CIM query language (DSP0202).
    pub const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
    /// Windows' query language.
    pub const WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";
    /// The same under the name that Pegasus' clients use.
    pub const WQL_DMTF: &str = "http://schemas.dmtf.org/wbem/wsman/1/WQL";
}

/// Options, by their names without prefix.
pub mod option {
    /// NULL properties are left out of instances.
    pub const EXCLUDE_NIL: &str = "ExcludeNilProperties";
    /// Elements of instances tell what are keys and of which version their class is (DSP0227 13.1, DSP0230 runtime
    /// attributes).
    pub const SHOW_EXTENSIONS: &str = "ShowExtensions";
    /// Windows' clients tell an array that is NULL from one that holds a NULL.
    pub const PRECISE_ARRAYS: &str = "UsePreciseArrays";
    /// Windows' clients name each property that a Put is to change, in an option of its own.
    pub const MODIFIED: &str = "__MIInstanceModifiedPropertiesList";
    /// Classes are shown with their qualifiers (DSP0227 15.8, as the options below).
    pub const INCLUDE_QUALIFIERS: &str = "IncludeQualifiers";
    /// The features of classes tell which class introduced them.
    pub const INCLUDE_CLASS_ORIGIN: &str = "IncludeClassOrigin";
    /// Classes are shown with what they inherit unchanged.
    pub const INCLUDE_INHERITED_ELEMENTS: &str = "IncludeInheritedElements";
    /// Classes tell all their superclasses.
    pub const INCLUDE_INHERITANCE_HIERARCHY: &str = "IncludeInheritanceHierarchy";
    /// An enumeration of subclasses goes on with theirs.
    pub const INCLUDE_SUBCLASSES: &str = "IncludeSubClasses";
    /// Classes are enumerated with references to them.
    pub const INCLUDE_PATH: &str = "IncludePath";
    /// References to classes are enumerated in place of the classes.
    pub const EXCLUDE_CLASS_SPECIFICATION: &str = "ExcludeClassSpecification";
}

/// How the name of the CIM namespace is given among selectors.
pub const CIM_NAMESPACE_SELECTOR: &str = "__cimnamespace";
/// How a class is given among selectors, where classes themselves are asked for.
pub const CLASS_NAME_SELECTOR: &str = "ClassName";
