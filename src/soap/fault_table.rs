//! All faults of DSP0226 14.6, of DSP0227 and of SOAP that this program sends or receives, as one table.

use super::names::{
    SOAP, WSA, WSA_FAULT, WSE, WSE_FAULT, WSEN, WSEN_FAULT, WSMAN, WSMAN_FAULT_ACTION, WSMB, WSMB_FAULT, WXF, WXF_FAULT,
};

/// What kind of fault a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// `wsman:AccessDenied`
    AccessDenied,
    /// `wsa:ActionNotSupported`
    ActionNotSupported,
    /// `wsman:AlreadyExists`
    AlreadyExists,
    /// `wsen:CannotProcessFilter`
    EnumerationCannotProcessFilter,
    /// `wsman:CannotProcessFilter`
    CannotProcessFilter,
    /// `wsman:Concurrency`
    Concurrency,
    /// `wse:DeliveryModeRequestedUnavailable`
    DeliveryModeRequestedUnavailable,
    /// `wsman:DeliveryRefused`
    DeliveryRefused,
    /// `wsa:DestinationUnreachable`
    DestinationUnreachable,
    /// `wsman:EncodingLimit`
    EncodingLimit,
    /// `wsa:EndpointUnavailable`
    EndpointUnavailable,
    /// `wsman:EventDeliverToUnusable`
    EventDeliverToUnusable,
    /// `wse:EventSourceUnableToProcess`
    EventSourceUnableToProcess,
    /// `wsen:FilterDialectRequestedUnavailable`
    FilterDialectRequestedUnavailable,
    /// `wse:FilteringNotSupported`
    EventingFilteringNotSupported,
    /// `wsen:FilteringNotSupported`
    EnumerationFilteringNotSupported,
    /// `wse:FilteringRequestedUnavailable`
    FilteringRequestedUnavailable,
    /// `wsman:FragmentDialectNotSupported`
    FragmentDialectNotSupported,
    /// `wsman:InternalError`
    InternalError,
    /// `wsman:InvalidBookmark`
    InvalidBookmark,
    /// `wsen:InvalidEnumerationContext`
    InvalidEnumerationContext,
    /// `wse:InvalidExpirationTime`
    EventingInvalidExpirationTime,
    /// `wsen:InvalidExpirationTime`
    EnumerationInvalidExpirationTime,
    /// `wse:InvalidMessage`
    InvalidMessage,
    /// `wsa:InvalidMessageInformationHeader`
    InvalidMessageInformationHeader,
    /// `wsman:InvalidOptions`
    InvalidOptions,
    /// `wsman:InvalidParameter`
    InvalidParameter,
    /// `wxf:InvalidRepresentation`
    InvalidRepresentation,
    /// `wsman:InvalidSelectors`
    InvalidSelectors,
    /// `wsa:MessageInformationHeaderRequired`
    MessageInformationHeaderRequired,
    /// `wsman:NoAck`
    NoAck,
    /// `wsman:QuotaLimit`
    QuotaLimit,
    /// `wsman:SchemaValidationError`
    SchemaValidationError,
    /// `wsen:TimedOut`
    EnumerationTimedOut,
    /// `wsman:TimedOut`
    TimedOut,
    /// `wse:UnableToRenew`
    UnableToRenew,
    /// `wse:UnsupportedExpirationType`
    EventingUnsupportedExpirationType,
    /// `wsen:UnsupportedExpirationType`
    EnumerationUnsupportedExpirationType,
    /// `wsman:UnsupportedFeature`
    UnsupportedFeature,
    /// `wsmb:PolymorphismModeNotSupported`
    PolymorphismModeNotSupported,
    /// `s:MustUnderstand`: a header that must be understood is not.
    MustUnderstand,
    /// `s:VersionMismatch`: not SOAP 1.2.
    VersionMismatch,
}

/// What exactly is wrong, as DSP0226 tells by a URI in `wsman:FaultDetail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "DSP0226 14.6 says under each fault what its details mean")]
pub enum FaultDetail {
    Ack,
    ActionMismatch,
    AddressingMode,
    AsynchronousRequest,
    Bookmarks,
    CharacterSet,
    DeliveryRetries,
    DuplicateSelectors,
    EncodingType,
    EnumerationMode,
    ExpirationTime,
    Expired,
    FilteringRequired,
    FormatMismatch,
    FragmentLevelAccess,
    Heartbeats,
    InsecureAddress,
    InsufficientSelectors,
    InvalidFormat,
    InvalidFragment,
    InvalidName,
    InvalidNamespace,
    InvalidResourceURI,
    InvalidValue,
    InvalidValues,
    Locale,
    MaxElements,
    MaxEnvelopePolicy,
    MaxEnvelopeSize,
    MaxTime,
    MinimumEnvelopeLimit,
    MissingValues,
    NotSupported,
    OperationTimeout,
    OptionLimit,
    ResourceOffline,
    SelectorLimit,
    ServiceEnvelopeLimit,
    TypeMismatch,
    UriLimitExceeded,
    UnexpectedSelectors,
    UnreportableSuccess,
    UnsupportedCharacter,
    Whitespace,
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Sender,
    Receiver,
    MustUnderstand,
    VersionMismatch,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: FaultKind,
    pub(super) prefix: &'static str,
    pub(super) namespace: &'static str,
    pub(super) local: &'static str,
    pub(super) action: &'static str,
    pub(super) code: Code,
    pub(super) reason: &'static str,
    pub(super) details: &'static [FaultDetail],
}

const fn row(
    kind: FaultKind,
    (prefix, namespace, action): (&'static str, &'static str, &'static str),
    local: &'static str,
    code: Code,
    reason: &'static str,
    details: &'static [FaultDetail],
) -> Row {
    Row { kind, prefix, namespace, local, action, code, reason, details }
}

type Family = (&'static str, &'static str, &'static str);
const S: Family = ("s", SOAP, WSA_FAULT);
const A: Family = ("wsa", WSA, WSA_FAULT);
const X: Family = ("wxf", WXF, WXF_FAULT);
const N: Family = ("wsen", WSEN, WSEN_FAULT);
const E: Family = ("wse", WSE, WSE_FAULT);
const M: Family = ("wsman", WSMAN, WSMAN_FAULT_ACTION);
const B: Family = ("wsmb", WSMB, WSMB_FAULT);

/// In the order of [`FaultKind`].
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = {
    use Code::{Receiver, Sender};
    use FaultDetail as D;
    use FaultKind as K;
    &[
        row(K::AccessDenied, M, "AccessDenied", Sender,
            "The sender was not authorized to access the resource.", &[]),
        row(K::ActionNotSupported, A, "ActionNotSupported", Sender,
            "The action is not supported by the service.", &[D::ActionMismatch]),
        row(K::AlreadyExists, M, "AlreadyExists", Sender,
            "The sender attempted to create a resource that already exists.", &[]),
        row(K::EnumerationCannotProcessFilter, N, "CannotProcessFilter", Sender,
            "The requested filter could not be processed.", &[]),
        row(K::CannotProcessFilter, M, "CannotProcessFilter", Sender,
            "The requested filter could not be processed.", &[]),
        row(K::Concurrency, M, "Concurrency", Sender,
            "The action could not be completed due to concurrency or locking problems.", &[]),
        row(K::DeliveryModeRequestedUnavailable, E, "DeliveryModeRequestedUnavailable", Sender,
            "The requested delivery mode is not supported.", &[]),
        row(K::DeliveryRefused, M, "DeliveryRefused", Receiver,
            "The receiver refuses to accept delivery of events and requests that the subscription be canceled.", &[]),
        row(K::DestinationUnreachable, A, "DestinationUnreachable", Sender,
            "No route can be determined to reach the destination role defined by the WS-Addressing To header.", &[D::InvalidResourceURI]),
        row(K::EncodingLimit, M, "EncodingLimit", Sender,
            "An internal encoding limit was exceeded in a request or would be violated if the message was processed.", &[
            D::CharacterSet,
            D::EncodingType,
            D::MaxEnvelopeSize,
            D::MinimumEnvelopeLimit,
            D::OptionLimit,
            D::SelectorLimit,
            D::ServiceEnvelopeLimit,
            D::UnreportableSuccess,
            D::UnsupportedCharacter,
            D::UriLimitExceeded,
            D::Whitespace,
        ]),
        row(K::EndpointUnavailable, A, "EndpointUnavailable", Receiver,
            "The specified endpoint is currently unavailable.", &[D::ResourceOffline]),
        row(K::EventDeliverToUnusable, M, "EventDeliverToUnusable", Sender,
            "The event source cannot process the subscription because it cannot connect to the event delivery endpoint as requested in the wse:Delivery element.", &[]),
        row(K::EventSourceUnableToProcess, E, "EventSourceUnableToProcess", Receiver,
            "The event source cannot process the subscription.", &[]),
        row(K::FilterDialectRequestedUnavailable, N, "FilterDialectRequestedUnavailable", Sender,
            "The requested filtering dialect is not supported.", &[]),
        row(K::EventingFilteringNotSupported, E, "FilteringNotSupported", Sender,
            "Filtering over the event source is not supported.", &[]),
        row(K::EnumerationFilteringNotSupported, N, "FilteringNotSupported", Sender,
            "Filtered enumeration is not supported.", &[]),
        row(K::FilteringRequestedUnavailable, E, "FilteringRequestedUnavailable", Sender,
            "The requested filter dialect is not supported.", &[D::FilteringRequired]),
        row(K::FragmentDialectNotSupported, M, "FragmentDialectNotSupported", Sender,
            "The requested fragment filtering dialect or language is not supported.", &[]),
        row(K::InternalError, M, "InternalError", Receiver,
            "The service cannot comply with the request due to internal processing errors.", &[]),
        row(K::InvalidBookmark, M, "InvalidBookmark", Sender,
            "The bookmark supplied with the subscription is not valid.", &[D::Expired, D::InvalidFormat]),
        row(K::InvalidEnumerationContext, N, "InvalidEnumerationContext", Receiver,
            "The supplied enumeration context is invalid.", &[]),
        row(K::EventingInvalidExpirationTime, E, "InvalidExpirationTime", Sender,
            "The expiration time is not valid.", &[]),
        row(K::EnumerationInvalidExpirationTime, N, "InvalidExpirationTime", Sender,
            "The expiration time is not valid.", &[]),
        row(K::InvalidMessage, E, "InvalidMessage", Sender,
            "The request message has unknown or invalid content and cannot be processed.", &[]),
        row(K::InvalidMessageInformationHeader, A, "InvalidMessageInformationHeader", Sender,
            "A message information header is not valid and the message cannot be processed.", &[]),
        row(K::InvalidOptions, M, "InvalidOptions", Sender,
            "One or more options are not valid.", &[D::NotSupported, D::InvalidName, D::InvalidValue]),
        row(K::InvalidParameter, M, "InvalidParameter", Sender,
            "An operation parameter is not valid.", &[D::TypeMismatch, D::InvalidName]),
        row(K::InvalidRepresentation, X, "InvalidRepresentation", Sender,
            "The XML content is not valid.", &[
            D::InvalidValues,
            D::MissingValues,
            D::InvalidNamespace,
            D::InvalidFragment,
        ]),
        row(K::InvalidSelectors, M, "InvalidSelectors", Sender,
            "The selectors for the resource are not valid.", &[
            D::InsufficientSelectors,
            D::UnexpectedSelectors,
            D::TypeMismatch,
            D::InvalidValue,
            D::DuplicateSelectors,
        ]),
        row(K::MessageInformationHeaderRequired, A, "MessageInformationHeaderRequired", Sender,
            "A required header is missing.", &[]),
        row(K::NoAck, M, "NoAck", Sender,
            "The receiver did not acknowledge the event delivery.", &[]),
        row(K::QuotaLimit, M, "QuotaLimit", Sender,
            "The service is busy servicing other requests.", &[]),
        row(K::SchemaValidationError, M, "SchemaValidationError", Sender,
            "The supplied SOAP violates the corresponding XML schema definition.", &[]),
        row(K::EnumerationTimedOut, N, "TimedOut", Receiver,
            "The enumerator has timed out and is no longer valid.", &[]),
        row(K::TimedOut, M, "TimedOut", Receiver,
            "The operation has timed out.", &[]),
        row(K::UnableToRenew, E, "UnableToRenew", Sender,
            "The subscription could not be renewed.", &[]),
        row(K::EventingUnsupportedExpirationType, E, "UnsupportedExpirationType", Sender,
            "The specified expiration type is not supported.", &[]),
        row(K::EnumerationUnsupportedExpirationType, N, "UnsupportedExpirationType", Sender,
            "The specified expiration type is not supported.", &[]),
        row(K::UnsupportedFeature, M, "UnsupportedFeature", Sender,
            "The specified feature is not supported.", &[
            D::Ack,
            D::AddressingMode,
            D::AsynchronousRequest,
            D::Bookmarks,
            D::DeliveryRetries,
            D::EnumerationMode,
            D::ExpirationTime,
            D::FilteringRequired,
            D::FormatMismatch,
            D::FragmentLevelAccess,
            D::Heartbeats,
            D::InsecureAddress,
            D::Locale,
            D::MaxElements,
            D::MaxEnvelopePolicy,
            D::MaxEnvelopeSize,
            D::MaxTime,
            D::OperationTimeout,
        ]),
        row(K::PolymorphismModeNotSupported, B, "PolymorphismModeNotSupported", Sender,
            "The specified polymorphism mode is not supported.", &[]),
        row(K::MustUnderstand, S, "MustUnderstand", Code::MustUnderstand,
            "A header that must be understood was not understood.", &[]),
        row(K::VersionMismatch, S, "VersionMismatch", Code::VersionMismatch,
            "The message is not a SOAP 1.2 message.", &[]),
    ]
};

impl FaultKind {
    pub(super) fn row(self) -> &'static Row {
        // The table is in the order of the enum (a test holds it to that), so this is a look-up and never fails.
        TABLE.get(self as usize).unwrap_or(&INTERNAL)
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    /// The kind that the Action of a fault's message and the local name of its subcode mean.
    pub fn find(action: &str, local: &str) -> Option<Self> {
        let mut named = TABLE.iter().filter(|row| row.local == local);
        let first = named.next()?;
        Some(std::iter::once(first).chain(named).find(|row| row.action == action).unwrap_or(first).kind)
    }

    /// The Action of the fault's message.
    pub fn action(self) -> &'static str {
        self.row().action
    }

    /// The namespace of its subcode (of its code, for SOAP's own faults).
    pub fn namespace(self) -> &'static str {
        self.row().namespace
    }

    /// Its name with the prefix that DSP0226 uses, for people.
    pub fn name(self) -> String {
        let row = self.row();
        [row.prefix, ":", row.local].concat()
    }

    /// The HTTP status that DSP0226 RC.2-9 wants: 400 if the sender is at fault, else 500.
    pub fn http_status(self) -> u16 {
        if self.row().code == Code::Sender { 400 } else { 500 }
    }

    /// The details that DSP0226 lists for it.
    pub fn details(self) -> &'static [FaultDetail] {
        self.row().details
    }

    /// What DSP0226 says of it.
    pub fn default_reason(self) -> &'static str {
        self.row().reason
    }
}

const INTERNAL: Row = row(FaultKind::InternalError, M, "InternalError", Code::Receiver, "Internal error.", &[]);

impl FaultDetail {
    /// Its name: the last part of its URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ack => "Ack",
            Self::ActionMismatch => "ActionMismatch",
            Self::AddressingMode => "AddressingMode",
            Self::AsynchronousRequest => "AsynchronousRequest",
            Self::Bookmarks => "Bookmarks",
            Self::CharacterSet => "CharacterSet",
            Self::DeliveryRetries => "DeliveryRetries",
            Self::DuplicateSelectors => "DuplicateSelectors",
            Self::EncodingType => "EncodingType",
            Self::EnumerationMode => "EnumerationMode",
            Self::ExpirationTime => "ExpirationTime",
            Self::Expired => "Expired",
            Self::FilteringRequired => "FilteringRequired",
            Self::FormatMismatch => "FormatMismatch",
            Self::FragmentLevelAccess => "FragmentLevelAccess",
            Self::Heartbeats => "Heartbeats",
            Self::InsecureAddress => "InsecureAddress",
            Self::InsufficientSelectors => "InsufficientSelectors",
            Self::InvalidFormat => "InvalidFormat",
            Self::InvalidFragment => "InvalidFragment",
            Self::InvalidName => "InvalidName",
            Self::InvalidNamespace => "InvalidNamespace",
            Self::InvalidResourceURI => "InvalidResourceURI",
            Self::InvalidValue => "InvalidValue",
            Self::InvalidValues => "InvalidValues",
            Self::Locale => "Locale",
            Self::MaxElements => "MaxElements",
            Self::MaxEnvelopePolicy => "MaxEnvelopePolicy",
            Self::MaxEnvelopeSize => "MaxEnvelopeSize",
            Self::MaxTime => "MaxTime",
            Self::MinimumEnvelopeLimit => "MinimumEnvelopeLimit",
            Self::MissingValues => "MissingValues",
            Self::NotSupported => "NotSupported",
            Self::OperationTimeout => "OperationTimeout",
            Self::OptionLimit => "OptionLimit",
            Self::ResourceOffline => "ResourceOffline",
            Self::SelectorLimit => "SelectorLimit",
            Self::ServiceEnvelopeLimit => "ServiceEnvelopeLimit",
            Self::TypeMismatch => "TypeMismatch",
            Self::UriLimitExceeded => "URILimitExceeded",
            Self::UnexpectedSelectors => "UnexpectedSelectors",
            Self::UnreportableSuccess => "UnreportableSuccess",
            Self::UnsupportedCharacter => "UnsupportedCharacter",
            Self::Whitespace => "Whitespace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DSP0226 1.0.0 clause 14.6, tables 2 to 40: subcode, code (S or R), details.
    const FACTS: &str = "\
        wsman:AccessDenied S
        wsa:ActionNotSupported S ActionMismatch
        wsman:AlreadyExists S
        wsen:CannotProcessFilter S
        wsman:CannotProcessFilter S
        wsman:Concurrency S
        wse:DeliveryModeRequestedUnavailable S
        wsman:DeliveryRefused R
        wsa:DestinationUnreachable S InvalidResourceURI
        wsman:EncodingLimit S CharacterSet,EncodingType,MaxEnvelopeSize,MinimumEnvelopeLimit,OptionLimit,SelectorLimit,ServiceEnvelopeLimit,UnreportableSuccess,UnsupportedCharacter,URILimitExceeded,Whitespace
        wsa:EndpointUnavailable R ResourceOffline
        wsman:EventDeliverToUnusable S
        wse:EventSourceUnableToProcess R
        wsen:FilterDialectRequestedUnavailable S
        wse:FilteringNotSupported S
        wsen:FilteringNotSupported S
        wse:FilteringRequestedUnavailable S FilteringRequired
        wsman:FragmentDialectNotSupported S
        wsman:InternalError R
        wsman:InvalidBookmark S Expired,InvalidFormat
        wsen:InvalidEnumerationContext R
        wse:InvalidExpirationTime S
        wsen:InvalidExpirationTime S
        wse:InvalidMessage S
        wsa:InvalidMessageInformationHeader S
        wsman:InvalidOptions S NotSupported,InvalidName,InvalidValue
        wsman:InvalidParameter S TypeMismatch,InvalidName
        wxf:InvalidRepresentation S InvalidValues,MissingValues,InvalidNamespace,InvalidFragment
        wsman:InvalidSelectors S InsufficientSelectors,UnexpectedSelectors,TypeMismatch,InvalidValue,DuplicateSelectors
        wsa:MessageInformationHeaderRequired S
        wsman:NoAck S
        wsman:QuotaLimit S
        wsman:SchemaValidationError S
        wsen:TimedOut R
        wsman:TimedOut R
        wse:UnableToRenew S
        wse:UnsupportedExpirationType S
        wsen:UnsupportedExpirationType S
        wsman:UnsupportedFeature S Ack,AddressingMode,AsynchronousRequest,Bookmarks,DeliveryRetries,EnumerationMode,ExpirationTime,FilteringRequired,FormatMismatch,FragmentLevelAccess,Heartbeats,InsecureAddress,Locale,MaxElements,MaxEnvelopePolicy,MaxEnvelopeSize,MaxTime,OperationTimeout
        wsmb:PolymorphismModeNotSupported S";

    #[test]
    fn the_table_says_what_the_standard_says() {
        let lines: Vec<String> = TABLE
            .iter()
            .filter(|row| row.prefix != "s")
            .map(|row| {
                let code = if row.code == Code::Sender { "S" } else { "R" };
                let details: Vec<_> = row.details.iter().map(|d| d.name()).collect();
                format!("{}:{} {code} {}", row.prefix, row.local, details.join(",")).trim_end().to_owned()
            })
            .collect();
        let facts: Vec<_> = FACTS.lines().map(str::trim).collect();
        assert_eq!(lines, facts);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, i, "{:?}", row.kind);
            assert_eq!(FaultKind::find(row.action, row.local), Some(row.kind));
        }
        assert_eq!(TABLE.len(), FaultKind::VersionMismatch as usize + 1);
    }

    #[test]
    fn actions_follow_the_namespace_of_the_subcode() {
        for row in TABLE.iter().filter(|row| row.prefix != "s") {
            let base = row.namespace.strip_suffix(".xsd").unwrap_or(row.namespace);
            assert_eq!(row.action, format!("{base}/fault"));
        }
        assert_eq!(FaultKind::AccessDenied.http_status(), 400);
        assert_eq!(FaultKind::TimedOut.http_status(), 500);
    }
}
