//! Every fault that there is, and the request that leads to it, or why none does.

mod enumerations;
mod instances;
mod messages;
mod subscriptions;

use quartermaster::soap::{FaultDetail, FaultKind};

use self::enumerations::*;
use self::instances::*;
use self::messages::*;
use self::subscriptions::*;

use crate::answer::{Answer, text};

/// One kind of fault, with one of its details or with none.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: FaultKind,
    pub(crate) detail: Option<FaultDetail>,
    pub(crate) how: How,
}

/// What leads to a fault.
#[derive(Debug)]
pub(crate) enum How {
    /// The name of the case.
    By(&'static str),
    /// Nothing, and why.
    Never(&'static str),
}

/// What a fault must look like.
#[derive(Debug)]
struct Expected {
    kind: FaultKind,
    detail: Option<FaultDetail>,
    /// What the reason must say.
    word: &'static str,
    /// The CIM status in the detail.
    cim: Option<u32>,
}

/// The entries with their tests: `kind [/ detail]: by(case, word of the reason [, CIM status])` or `never(why)`.
macro_rules! faults {
    (@how by($case:ident, $word:literal $(, $cim:literal)?)) => { How::By(stringify!($case)) };
    (@how never($why:literal)) => { How::Never($why) };
    (@detail) => { None };
    (@detail $detail:ident) => { Some(FaultDetail::$detail) };
    (@cim) => { None };
    (@cim $cim:literal) => { Some($cim) };
    (@test $name:ident $kind:ident ($($detail:ident)?) by($case:ident, $word:literal $(, $cim:literal)?)) => {
        #[test]
        fn $name() {
            crate::service::here(|peer, own| {
                let expected = Expected {
                    kind: FaultKind::$kind,
                    detail: faults!(@detail $($detail)?),
                    word: $word,
                    cim: faults!(@cim $($cim)?),
                };
                expected.check(&$case(peer, own));
            });
        }
    };
    (@test $name:ident $kind:ident ($($detail:ident)?) never($why:literal)) => {};
    ($($name:ident $kind:ident $(/ $detail:ident)?: $how:ident($($of:tt)*);)*) => {
        pub(crate) const ENTRIES: &[Entry] = &[$(Entry {
            kind: FaultKind::$kind,
            detail: faults!(@detail $($detail)?),
            how: faults!(@how $how($($of)*)),
        }),*];
        $(faults!(@test $name $kind ($($detail)?) $how($($of)*));)*
    };
}

faults! {
    access_denied AccessDenied: by(a_viewer_installs, "onlooker", 2);
    action_not_supported ActionNotSupported: by(an_unknown_action, "dance");
    action_mismatch ActionNotSupported / ActionMismatch: by(delete_of_a_package, "LMI_SoftwareIdentity", 7);
    already_exists AlreadyExists: by(create_of_what_is_there, "already", 11);
    enumeration_filter EnumerationCannotProcessFilter: by(a_query_for_an_unknown_class, "CIM_Unicorn", 15);
    event_filter CannotProcessFilter: by(events_of_an_unknown_class, "CIM_Unicorn", 15);
    concurrency Concurrency: by(delete_of_a_running_job, "not ended", 1);
    delivery_mode DeliveryModeRequestedUnavailable: by(an_unknown_delivery_mode, "pigeon");
    delivery_refused DeliveryRefused: never("a sink sends it, the service takes it (R10.8-1)");
    destination DestinationUnreachable: by(get_of_an_unknown_instance, "ghost", 6);
    invalid_resource DestinationUnreachable / InvalidResourceURI: by(get_of_an_unknown_class, "CIM_Unicorn", 5);
    encoding_limit EncodingLimit: never("it always has a detail");
    character_set EncodingLimit / CharacterSet: by(an_unknown_charset, "klingon");
    encoding_type EncodingLimit / EncodingType: by(a_media_type_that_is_no_soap, "application/soap+xml");
    max_envelope_size EncodingLimit / MaxEnvelopeSize: by(a_tight_envelope, "MaxEnvelopeSize");
    minimum_envelope EncodingLimit / MinimumEnvelopeLimit: by(a_tiny_envelope, "8191");
    option_limit EncodingLimit / OptionLimit: by(a_long_option, "4096");
    selector_limit EncodingLimit / SelectorLimit: by(a_long_selector, "4096");
    service_envelope EncodingLimit / ServiceEnvelopeLimit: by(many_reference_parameters, "512");
    unreportable EncodingLimit / UnreportableSuccess: by(a_method_whose_reply_does_not_fit, "MaxEnvelopeSize");
    unsupported_character EncodingLimit / UnsupportedCharacter: never("every character that XML has is taken");
    uri_limit EncodingLimit / UriLimitExceeded: by(a_long_uri, "2048");
    whitespace EncodingLimit / Whitespace: never("white space around values is passed over (R13.1-10)");
    endpoint EndpointUnavailable: never("what is served is there as long as the service is");
    offline EndpointUnavailable / ResourceOffline: never("what is served is there as long as the service is");
    sink EventDeliverToUnusable: by(a_sink_that_is_a_file, "NotifyTo");
    event_source EventSourceUnableToProcess: by(events_of_a_class_that_is_no_indication, "CIM_ComputerSystem");
    enumeration_dialect FilterDialectRequestedUnavailable: by(an_unknown_dialect, "poetry");
    event_filtering EventingFilteringNotSupported: never("events can be filtered");
    enumeration_filtering EnumerationFilteringNotSupported: never("enumerations can be filtered");
    event_dialect FilteringRequestedUnavailable: by(an_unknown_dialect_for_events, "poetry");
    event_filter_required FilteringRequestedUnavailable / FilteringRequired:
        never("a subscription to all classes without a filter is wse:InvalidMessage, as DSP0227 has it");
    fragment_dialect FragmentDialectNotSupported: by(an_unknown_fragment_dialect, "poetry");
    internal_error InternalError: never("nothing that a client sends leads to a failure inside");
    bookmark InvalidBookmark: never("it always has a detail");
    bookmark_expired InvalidBookmark / Expired:
        never("the log keeps more than this suite tells; `src/events/bookmark.rs` has the test");
    bookmark_format InvalidBookmark / InvalidFormat: by(a_bookmark_of_another_service, "bookmark/earliest");
    context InvalidEnumerationContext: by(a_pull_of_nothing, "begin the enumeration again");
    subscription_time EventingInvalidExpirationTime: by(a_subscription_that_has_ended, "later");
    enumeration_time EnumerationInvalidExpirationTime: by(an_enumeration_that_has_ended, "later");
    message InvalidMessage: by(a_subscription_without_delivery, "wse:Delivery");
    header InvalidMessageInformationHeader: by(a_time_limit_that_is_none, "OperationTimeout");
    options InvalidOptions: never("it always has a detail");
    options_not_supported InvalidOptions / NotSupported: by(an_unknown_option, "unicorn");
    options_name InvalidOptions / InvalidName: by(an_option_without_name, "Name");
    options_value InvalidOptions / InvalidValue: by(a_switch_that_says_neither, "pink");
    parameter InvalidParameter: by(get_of_what_two_packages_could_be, "twin", 4);
    parameter_type InvalidParameter / TypeMismatch: by(a_parameter_of_the_wrong_type, "RequestedState");
    parameter_name InvalidParameter / InvalidName: by(an_unknown_parameter, "Colour");
    representation InvalidRepresentation: never("it always has a detail");
    representation_values InvalidRepresentation / InvalidValues: by(put_of_a_wrong_value, "Priority", 13);
    representation_missing InvalidRepresentation / MissingValues: by(put_of_nothing, "body");
    representation_namespace InvalidRepresentation / InvalidNamespace: by(put_of_another_class, "CIM_Unicorn", 5);
    representation_fragment InvalidRepresentation / InvalidFragment: by(put_of_a_fragment_without_header, "XmlFragment");
    selectors InvalidSelectors: never("it always has a detail");
    selectors_missing InvalidSelectors / InsufficientSelectors: by(get_without_selectors, "InstanceID");
    selectors_unknown InvalidSelectors / UnexpectedSelectors: by(get_with_an_unknown_selector, "Colour");
    selectors_type InvalidSelectors / TypeMismatch: by(a_selector_of_the_wrong_type, "System");
    selectors_value InvalidSelectors / InvalidValue: by(an_element_in_a_selector, "Colour");
    selectors_twice InvalidSelectors / DuplicateSelectors: by(a_selector_twice, "InstanceID");
    header_required MessageInformationHeaderRequired: by(no_reply_to, "ReplyTo");
    no_ack NoAck: never("a sink that does not acknowledge is asked again, and its end is told by SubscriptionEnd (R10.7-3)");
    quota QuotaLimit: by(too_many_enumerations, "too many enumerations");
    schema SchemaValidationError: by(a_body_that_is_no_pull, "wsen:Pull");
    enumeration_timed_out EnumerationTimedOut: never("DSP0226 has wsman:TimedOut in its place");
    timed_out TimedOut: by(an_installation_without_time, "OperationTimeout");
    unable_to_renew UnableToRenew: by(renew_of_no_subscription, "no such subscription");
    event_expiration EventingUnsupportedExpirationType: never("durations and times are both taken");
    enumeration_expiration EnumerationUnsupportedExpirationType: never("durations and times are both taken");
    feature UnsupportedFeature: never("it always has a detail");
    feature_ack UnsupportedFeature / Ack:
        never("a sink sends it, the service takes it as a failure (R10.7-3)");
    feature_addressing UnsupportedFeature / AddressingMode: by(a_reply_to_elsewhere, "ReplyTo");
    feature_asynchronous UnsupportedFeature / AsynchronousRequest: never("a Release during a Pull is taken (R8.5-4)");
    feature_bookmarks UnsupportedFeature / Bookmarks: never("bookmarks are served (R10.2.6-1)");
    feature_retries UnsupportedFeature / DeliveryRetries: by(retries_without_a_number, "ConnectionRetry");
    feature_mode UnsupportedFeature / EnumerationMode: by(an_unknown_enumeration_mode, "EnumerateDreams");
    feature_expiration UnsupportedFeature / ExpirationTime: never("Expires is taken (R8.2.1-2)");
    feature_filter UnsupportedFeature / FilteringRequired: by(all_instances_of_all_classes, "filter");
    feature_format UnsupportedFeature / FormatMismatch: by(a_pull_subscription_with_limits, "MaxEnvelopeSize");
    feature_fragments UnsupportedFeature / FragmentLevelAccess: never("fragments are served (R7.7-1)");
    feature_heartbeats UnsupportedFeature / Heartbeats: by(heartbeats_too_often, "Heartbeats");
    feature_insecure UnsupportedFeature / InsecureAddress: never("sinks without TLS are taken (R10.2.1-3)");
    feature_locale UnsupportedFeature / Locale: by(a_mandatory_language, "de");
    feature_elements UnsupportedFeature / MaxElements: by(a_subscription_with_max_elements, "MaxElements");
    feature_policy UnsupportedFeature / MaxEnvelopePolicy: by(an_unknown_policy, "Shrink");
    feature_envelope UnsupportedFeature / MaxEnvelopeSize: never("sizes of messages to sinks are served (R10.2.9.2-2)");
    feature_time UnsupportedFeature / MaxTime: by(a_subscription_with_max_time, "MaxTime");
    feature_timeout UnsupportedFeature / OperationTimeout: never("OperationTimeout is observed (R6.1-2)");
    polymorphism PolymorphismModeNotSupported: by(all_classes_as_one, "PolymorphismMode");
    must_understand MustUnderstand: by(an_unknown_mandatory_header, "Unicorn");
    version VersionMismatch: by(soap_1_1, "http://www.w3.org/2003/05/soap-envelope");
}

impl Expected {
    fn check(&self, answer: &Answer) {
        let fault = answer.refuses(&self.kind.name(), self.detail.map_or("", FaultDetail::name));
        assert_eq!(fault.details.len(), self.detail.iter().count(), "{fault:?}");
        let code = match self.kind {
            FaultKind::MustUnderstand | FaultKind::VersionMismatch => &self.kind.name(),
            kind if kind.http_status() == 400 => "s:Sender",
            _ => "s:Receiver",
        };
        assert_eq!(fault.code, code);
        fault.names(self.word);
        let error = fault.elements.iter().find(|element| element.name == "CIM_Error");
        assert_eq!(error.map(status), self.cim, "{fault:?}");
    }
}

/// The CIM status in a `CIM_Error`, which is marked as one and says the same as the fault.
fn status(error: &xmltree::Element) -> u32 {
    assert_eq!(error.attributes["IsCIM_Error"], "true");
    let property = |name: &str| text(error.get_child(name).unwrap_or_else(|| panic!("no {name}: {error:?}")));
    assert!(!property("Message").is_empty() && property("CIMStatusCodeDescription").starts_with("CIM_ERR_"));
    property("CIMStatusCode").parse().unwrap()
}

#[test]
fn every_fault_is_here_once() {
    let mut here: Vec<_> = ENTRIES.iter().map(|entry| (entry.kind, entry.detail)).collect();
    let of_kind = |kind: FaultKind| {
        std::iter::once((kind, None)).chain(kind.details().iter().map(move |detail| (kind, Some(*detail))))
    };
    for expected in FaultKind::all().flat_map(of_kind) {
        let before = here.len();
        here.retain(|found| *found != expected);
        assert_eq!(before - here.len(), 1, "{expected:?} must be here once");
    }
    assert!(here.is_empty(), "{here:?}");
}
