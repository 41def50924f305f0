//! Indications, and filters for them.

use crate::table::{Entry, Row, fixed, none, served};

const WALK: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host";
const SCHEMA: &str = "tests/end_to_end/schema.rs::every_reply_and_every_event_is_valid_by_the_exported_schemas";

const STATIC_FILTERS: &str = "src/providers/static_filters.rs::they_have_openlmis_names_and_queries_that_compile";

const IDENTIFIER: Row =
    served("IndicationIdentifier", "`Quartermaster:` and the number of the change, the same however often it is sent");
const TIME: Row = served("IndicationTime", "when it happened");
const SEVERITY: Row = fixed("PerceivedSeverity", "2", "Information");
const SOURCE: Row = served("SourceInstance SourceInstanceModelPath", "the instance and its path");
const HOST: Row = served("SourceInstanceHost", "the system's name");
const REST: Row = none(
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
        says: "A query with a name, in root/interop, that subscriptions refer to. OpenLMI's static ones are always there, with its names and queries: `LMI:<job class>:` and Created, PercentUpdated, Changed, Succeeded, Failed or Deleted. Clients create and delete others, and subscribe with any query; OpenLMI takes none but those of its own filters.",
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
];
