//! Indications, and filters for them.

use crate::table::{Entry, Row, fixed, none, not_supported, served};

const WALK: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host";
const SCHEMA: &str = "tests/end_to_end/schema.rs::every_reply_and_every_event_is_valid_by_the_exported_schemas";

const STATIC_FILTERS: &str = "src/providers/static_filters.rs::they_have_openlmis_names_and_queries_that_compile";

const PROFILE: &str =
    "src/providers/tests/subscriptions.rs::the_indications_profile_leads_to_the_service_and_what_it_has";
const SEEN: &str =
    "src/providers/tests/subscriptions.rs::a_subscription_is_seen_as_filter_destination_and_link_until_it_ends";
const SHOWN: &str =
    "src/providers/tests/subscriptions.rs::subscriptions_are_shown_to_their_owners_and_to_administrators";
const BY_HAND: &str = "src/providers/tests/subscriptions.rs::\
                       who_links_a_filter_with_a_destination_subscribes_and_who_deletes_the_link_unsubscribes";
const IN_USE: &str = "src/providers/tests/subscriptions.rs::what_a_subscription_was_made_of_stays_as_long_as_it";
const REFUSED: &str = "src/providers/tests/subscriptions.rs::\
                       what_can_be_neither_destination_nor_subscription_is_refused_with_what_to_change";
const PULLED: &str = "src/providers/tests/subscriptions.rs::events_that_are_pulled_go_the_way_of_the_request";

pub(crate) const IDENTIFIER: Row =
    served("IndicationIdentifier", "`Quartermaster:` and the number of the change, the same however often it is sent");
pub(crate) const TIME: Row = served("IndicationTime", "when it happened");
pub(crate) const SEVERITY: Row = fixed("PerceivedSeverity", "2", "Information");
pub(crate) const SOURCE: Row = served("SourceInstance SourceInstanceModelPath", "the instance and its path");
pub(crate) const HOST: Row = served("SourceInstanceHost", "the system's name");
pub(crate) const REST: Row = none(
    "IndicationFilterName CorrelatedIndications OtherSeverity SequenceContext SequenceNumber",
    "a subscription gets its events in order and knows its own filter",
);

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "LMI_SoftwareInstCreation",
        says: "A job was made, or a package was installed, by whatever tool (then the source is its \
               LMI_InstalledSoftwareIdentity). OpenLMI tells of jobs alone.",
        by: &[WALK, SCHEMA],
        rows: &[IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, REST],
        methods: &[],
    },
    Entry {
        class: "LMI_SoftwareInstModification",
        says: "A job changed.",
        by: &[WALK, SCHEMA],
        rows: &[IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, served("PreviousInstance", "the job as it was before"), REST],
        methods: &[],
    },
    Entry {
        class: "LMI_SoftwareInstDeletion",
        says: "A job was removed, or a package was, by whatever tool.",
        by: &[WALK, "tests/jobs_worker.rs::a_finished_job_is_removed_by_itself"],
        rows: &[IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, REST],
        methods: &[],
    },
    Entry {
        class: "CIM_IndicationFilter",
        says: "A query with a name, in root/interop, that subscriptions refer to. OpenLMI's static ones are always there, with its names and queries: `LMI:<job class>:` and Created, PercentUpdated, Changed, Succeeded, Failed or Deleted. A host with an image has the same for VMware_ConcreteJob, `VMware:VMware_ConcreteJob:Created` and so on. Clients create and delete others, and subscribe with any query; OpenLMI takes none but those of its own filters. A subscription that brought its own filter is shown with it, to its owner and to administrators.",
        by: &[
            "src/providers/tests.rs::a_filter_is_known_by_its_name",
            "src/providers/tests.rs::static_filters_are_there_and_stay",
            STATIC_FILTERS,
        ],
        rows: &[
            fixed("SystemCreationClassName", "PG_ComputerSystem", "the system's class (setting)")
                .unlike("`CIM_ComputerSystem`, its superclass, by which static filters are found too"),
            served("SystemName", "the system's name"),
            fixed("CreationClassName", "CIM_IndicationFilter", "its class"),
            served(
                "Name",
                "OpenLMI's name of a static one; what its maker called it, else `Quartermaster:` and a UUID",
            ),
            served("ElementName Query QueryLanguage", "OpenLMI's, or as its maker gave them"),
            served("Description", "of a static one, what it lets through"),
            served(
                "SourceNamespace SourceNamespaces",
                "root/cimv2, where all indications come from, and what its maker named beside",
            )
            .by("src/providers/tests.rs::a_filter_that_nothing_could_pass_is_refused"),
            fixed("IndividualSubscriptionSupported", "true", "each can be subscribed to"),
            none("TemplateVariable", "queries are no templates"),
            none("InstanceID Caption", "Name and ElementName tell what its maker wanted to"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_IndicationService",
        says: "The service that delivers indications (DSP1054), in root/interop.",
        by: &[PROFILE],
        rows: &[
            fixed("CreationClassName", "CIM_IndicationService", "its class"),
            fixed("Name", "Quartermaster:IndicationService", "there is one"),
            fixed("SystemCreationClassName", "PG_ComputerSystem", "the system's class (setting)"),
            served("SystemName", "the system's name"),
            served("ElementName Caption Description", "what it is"),
            fixed("EnabledState", "2", "Enabled"),
            fixed("EnabledDefault", "2", "Enabled"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("HealthState", "5", "OK"),
            fixed("OperationalStatus", "2", "OK: it answers"),
            fixed("Started", "true", "it answers"),
            fixed("FilterCreationEnabled", "true", "clients make filters"),
            served(
                "DeliveryRetryAttempts",
                "how many attempts there are before a subscription ends; 65535 if more (setting). One that asks for \
                 wsman:ConnectionRetry has its own number",
            ),
            served(
                "DeliveryRetryInterval",
                "the longest wait between two attempts; the first ones are shorter (setting)",
            ),
            fixed("SubscriptionRemovalAction", "2", "Remove: a subscription that cannot be delivered to ends"),
            served("SubscriptionRemovalTimeInterval", "how long its sink may fail (setting)"),
            none("InstanceID", "Name and the system's keys name it"),
            none("StartMode", "CIM deprecates it, and the service is started with the server"),
        ],
        methods: &[
            not_supported("RequestStateChange", "the service is there as long as the server runs"),
            not_supported("StartService", "CIM deprecates it; the service is there as long as the server runs"),
            not_supported("StopService", "CIM deprecates it; the operator stops the server"),
        ],
    },
    Entry {
        class: "CIM_IndicationServiceCapabilities",
        says: "What the indication service can do, in root/interop.",
        by: &[PROFILE],
        rows: &[
            fixed("InstanceID", "Quartermaster:IndicationServiceCapabilities", "there is one"),
            fixed("ElementName", "Indication Service Capabilities", "CIM_Capabilities requires a name"),
            fixed(
                "FilterCreationEnabledIsSettable DeliveryRetryAttemptsIsSettable DeliveryRetryIntervalIsSettable \
                 SubscriptionRemovalActionIsSettable SubscriptionRemovalTimeIntervalIsSettable",
                "false",
                "the operator's settings say it",
            ),
            served(
                "MaxActiveSubscriptions MaxListenerDestinations",
                "how many subscriptions there may be (setting); each may bring its destination, and clients make 1000 beside",
            ),
            fixed("SubscriptionsPersisted", "true", "subscriptions outlive the server"),
            none("Caption Description", "ElementName tells what it is"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_ElementCapabilities",
        says: "The indication service has its capabilities. The installation service's are joined by a subclass.",
        by: &[PROFILE],
        rows: &[
            served("ManagedElement", "the indication service"),
            served("Capabilities", "its capabilities"),
            fixed("Characteristics", "2, 3", "Default, Current"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_HostedService",
        says: "The system has the indication service. It joins root/interop with root/cimv2; the installation service is joined \
               by a subclass.",
        by: &[PROFILE],
        rows: &[served("Antecedent", "the system"), served("Dependent", "the indication service")],
        methods: &[],
    },
    Entry {
        class: "CIM_ServiceAffectsElement",
        says: "The indication service works on the collection of filters, the filters and the destinations, as far as the caller \
               may see them.",
        by: &[SHOWN],
        rows: &[
            served("AffectingElement", "the indication service"),
            served("AffectedElement", "a filter, a destination or the collection"),
            fixed("ElementEffects", "5", "Manages"),
            none("OtherElementEffectsDescriptions", "there is no 1 (Other)"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_FilterCollection",
        says: "The filters that are always there, in root/interop.",
        by: &[PROFILE],
        rows: &[
            fixed("InstanceID CollectionName", "Quartermaster:JobFilters", "OpenLMI's filters tell of jobs"),
            fixed("ElementName", "Filters for jobs", "its name for a person"),
            served("Description", "what is in it"),
            none("Caption", "ElementName tells what it is"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_MemberOfCollection",
        says: "A static filter is in the collection.",
        by: &[PROFILE],
        rows: &[served("Collection", "the collection"), served("Member", "the filter")],
        methods: &[],
    },
    Entry {
        class: "CIM_OwningCollectionElement",
        says: "The indication service has the collection.",
        by: &[PROFILE],
        rows: &[served("OwningElement", "the indication service"), served("OwnedElement", "the collection")],
        methods: &[],
    },
    Entry {
        class: "CIM_ListenerDestinationWSManagement",
        says: "Where the events of a subscription go, in root/interop, as it asked for them. Clients make others, up to 250 each, for \
               subscriptions that they make by hand. Shown to its owner and to administrators; the first kind goes with its \
               subscription, the other cannot be deleted before its subscriptions have ended.",
        by: &[SEEN, SHOWN, BY_HAND, IN_USE, REFUSED],
        rows: &[
            fixed("SystemCreationClassName", "PG_ComputerSystem", "the system's class (setting)"),
            served("SystemName", "the system's name"),
            fixed("CreationClassName", "CIM_ListenerDestinationWSManagement", "its class"),
            served(
                "Name",
                "`Quartermaster:Subscription:` and the subscription's id; what its maker called it, else `Quartermaster:` and a \
                 UUID",
            ),
            served("ElementName", "whose it is, or as its maker gave it"),
            served(
                "Destination",
                "the address of `wse:NotifyTo`, without its reference parameters, or as its maker gave it; the anonymous one for Pull",
            )
            .by(PULLED),
            served("DestinationEndTo", "the address of `wse:EndTo`, without its reference parameters"),
            served("Locale", "`wsman:Locale`"),
            served("ContentEncoding", "UTF-8 or UTF-16"),
            served("DeliveryMode", "2 Push, 3 PushWithAck, 4 Events, 5 Pull"),
            served("Heartbeat MaxTime", "`wsman:Heartbeats` and `wsman:MaxTime` in seconds"),
            served("SendBookmark", "whether `wsman:SendBookmarks` was there"),
            served("PersistenceType", "3 (Transient) if it goes with its subscription, 2 (Permanent) if a client made it"),
            fixed("PolyMorphismMode", "2", "IncludeSubclassProperties: events are delivered whole"),
            fixed("Protocol", "4", "WS-Management"),
            served(
                "DeliveryAuth",
                "the profile of `wsman:Auth` by which the service authenticates at the sink; the credentials are never told",
            ),
            none("OtherPersistenceType OtherProtocol", "there is no 1 (Other)"),
            none("InstanceID Caption Description", "Name and ElementName tell whose it is"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_IndicationSubscription",
        says: "A subscription: the link between its filter and its destination, in root/interop. To create one is to subscribe with \
               a filter and a destination that are there, to delete one is to unsubscribe; viewers may. Shown to its owner and to \
               administrators, until it ends.",
        by: &[SEEN, SHOWN, BY_HAND, REFUSED],
        rows: &[
            served("Filter", "the filter"),
            served("Handler", "the destination"),
            fixed("OnFatalErrorPolicy", "4", "Remove"),
            served(
                "FailureTriggerTimeInterval",
                "how long its sink may fail (setting), or the product of its wsman:ConnectionRetry; none for Pull",
            ),
            fixed("SubscriptionState", "2", "Enabled"),
            served("TimeOfLastStateChange SubscriptionStartTime", "when it was made"),
            served(
                "SubscriptionDuration SubscriptionTimeRemaining",
                "up to its end, if it has one; renewals change it",
            ),
            fixed("RepeatNotificationPolicy", "2", "None: each event is delivered"),
            served("SubscriptionInfo", "its id, the `wse:Identifier` of its manager"),
            none(
                "OtherOnFatalErrorPolicy OtherSubscriptionState OtherRepeatNotificationPolicy",
                "there is no 1 (Other)",
            ),
            none("RepeatNotificationInterval RepeatNotificationGap RepeatNotificationCount", "each event is delivered"),
        ],
        methods: &[],
    },
];
