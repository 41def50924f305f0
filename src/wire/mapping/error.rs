//! CIM errors in faults (DSP0227 clause 12).

use crate::cim::{CimError, CimStatus, Circumstance};
use crate::soap::{Fault, FaultDetail, FaultKind, sent};
use crate::wire::UriForm;
use crate::wire::names::WSMB;
use crate::xml::{Element, ElementExt, element};

/// The class of the instance in a fault's detail.
const CLASS: &str = "CIM_Error";
/// PerceivedSeverity "Major": the operation failed.
const SEVERITY: &str = "5";
/// ProbableCause "Unknown": the message says it better.
const CAUSE: &str = "0";

/// The `CIM_Error` instance for a fault's detail, marked with `wsmb:IsCIM_Error`.
pub fn cim_error(status: CimStatus, message: &str) -> Element {
    let namespace = UriForm::Vendor.class_uri(CLASS);
    let code = (status as u32).to_string();
    let properties = [
        ("CIMStatusCode", code.as_str()),
        ("CIMStatusCodeDescription", description(status)),
        ("Message", sent(message)),
        ("MessageID", description(status)),
        ("OwningEntity", "Quartermaster"),
        ("PerceivedSeverity", SEVERITY),
        ("ProbableCause", CAUSE),
    ];
    let error = element(&namespace, CLASS).with_attribute(WSMB, "IsCIM_Error", "true");
    properties
        .into_iter()
        .fold(error, |error, (name, text)| error.with_child(element(&namespace, name).with_text(text)))
}

/// The fault for a CIM operation that failed: the one that other implementations answer with too, with the CIM error
/// in its detail. Where an operation has a better fault of its own, its caller gives that.
pub fn cim_fault(error: CimError) -> Fault {
    use FaultKind as K;
    let (kind, detail) = match error.status {
        CimStatus::Failed => match error.circumstance {
            Circumstance::Over => (K::InternalError, None),
            Circumstance::InUse => (K::Concurrency, None),
            Circumstance::GoesOn => (K::TimedOut, None),
        },
        CimStatus::AccessDenied => (K::AccessDenied, None),
        CimStatus::InvalidNamespace | CimStatus::NotFound => (K::DestinationUnreachable, None),
        CimStatus::InvalidClass => (K::DestinationUnreachable, Some(FaultDetail::InvalidResourceURI)),
        CimStatus::InvalidParameter => (K::InvalidParameter, None),
        CimStatus::NotSupported => (K::ActionNotSupported, Some(FaultDetail::ActionMismatch)),
        CimStatus::MethodNotFound | CimStatus::MethodNotAvailable => (K::ActionNotSupported, None),
        CimStatus::AlreadyExists => (K::AlreadyExists, None),
        CimStatus::NoSuchProperty | CimStatus::TypeMismatch => {
            (K::InvalidRepresentation, Some(FaultDetail::InvalidValues))
        }
        CimStatus::QueryLanguageNotSupported => (K::FilterDialectRequestedUnavailable, None),
        CimStatus::InvalidQuery => (K::EnumerationCannotProcessFilter, None),
        CimStatus::ServerLimitsExceeded => (K::QuotaLimit, None),
    };
    let message = error.message.clone();
    let shown = cim_error(error.status, &message);
    let fault = match detail {
        Some(detail) => Fault::detailed(kind, detail, message),
        None => Fault::new(kind, message),
    };
    fault.with_element(shown).with_source(error)
}

fn description(status: CimStatus) -> &'static str {
    match status {
        CimStatus::Failed => "CIM_ERR_FAILED",
        CimStatus::AccessDenied => "CIM_ERR_ACCESS_DENIED",
        CimStatus::InvalidNamespace => "CIM_ERR_INVALID_NAMESPACE",
        CimStatus::InvalidParameter => "CIM_ERR_INVALID_PARAMETER",
        CimStatus::InvalidClass => "CIM_ERR_INVALID_CLASS",
        CimStatus::NotFound => "CIM_ERR_NOT_FOUND",
        CimStatus::NotSupported => "CIM_ERR_NOT_SUPPORTED",
        CimStatus::AlreadyExists => "CIM_ERR_ALREADY_EXISTS",
        CimStatus::NoSuchProperty => "CIM_ERR_NO_SUCH_PROPERTY",
        CimStatus::TypeMismatch => "CIM_ERR_TYPE_MISMATCH",
        CimStatus::QueryLanguageNotSupported => "CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED",
        CimStatus::InvalidQuery => "CIM_ERR_INVALID_QUERY",
        CimStatus::MethodNotAvailable => "CIM_ERR_METHOD_NOT_AVAILABLE",
        CimStatus::MethodNotFound => "CIM_ERR_METHOD_NOT_FOUND",
        CimStatus::ServerLimitsExceeded => "CIM_ERR_SERVER_LIMITS_EXCEEDED",
    }
}
