//! Job Control (DSP1103): jobs, their results, and what they were called with.

use crate::table::{Entry, Family, Method, Row, fault, fixed, none, served, works};

const WALK: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host";
const LIFE: &str = "src/jobs/tests/queue.rs::a_job_goes_from_queued_to_completed_with_a_record_for_every_change";
const FAILURE: &str = "src/jobs/tests/queue.rs::a_failure_says_why_and_the_next_job_runs";
const REMOVAL: &str = "src/jobs/tests/ends.rs::a_job_is_removed_when_its_time_has_come";
const CANCELLED: &str = "src/jobs/tests/queue.rs::a_queued_job_is_cancelled_at_once_and_its_file_given_up";
const SCHEMA: &str = "tests/end_to_end/schema.rs::every_reply_and_every_event_is_valid_by_the_exported_schemas";

/// What is said of both kinds of jobs.
pub(crate) const SHARED: &[Row] = &[
    served("Name ElementName", "`InstallPackage-1` and the like, as OpenLMI's jobs are named"),
    served("MethodName", "the method that was called; CreateInstance or DeleteInstance of a link"),
    served("JobInParameters", "what it was called with, as an instance of its `__MethodParameters_…` class"),
    served("JobOutParameters", "the same with the job and the value it would have returned, once it has ended")
        .unlike("only of jobs that completed"),
    served("Owner", "the user who called the method, not where from"),
    served(
        "JobState OperationalStatus",
        "2 and `15` while it waits, 4 and `2` while it runs, 7 and `17, 2` when it completed, 10 and `17, 6` when it failed, 8 and `10` when it was cancelled",
    )
    .unlike("`2, 17` when it completed and `6` when it failed; the pairs here are those that its documentation has")
    .by(LIFE),
    served(
        "JobStatus",
        "OpenLMI's words at the start and at the end, the phase in between; VMware's words if a reboot is needed",
    )
    .unlike("`Running` and `Failed` alone, without the phase and the cause"),
    served("PercentComplete", "how much is done; 100 in every final state, which VMware's clients wait for")
        .unlike("50 while it runs, 0 when it failed or was cancelled")
        .by(LIFE),
    served("TimeSubmitted StartTime TimeOfLastStateChange", "when it was asked for, began and changed").by(LIFE),
    served("ElapsedTime", "an interval, from its begin to its end or till now"),
    served("TimeBeforeRemoval DeleteOnCompletion", "when it is removed after its end; a client may change it")
        .by(REMOVAL),
    served("Priority", "lower runs first; a client may change it")
        .by("src/jobs/tests/queue.rs::jobs_run_one_at_a_time_by_priority_and_number"),
    served(
        "ErrorCode",
        "the value that a method of DSP1025 returns for the same cause; no value unless the job failed",
    )
    .unlike("0 and 1, which say nothing")
    .by(FAILURE),
    served("ErrorDescription", "what went wrong and what to do about it; no value unless the job failed")
        .unlike("no value ever; GetError has it")
        .by(FAILURE),
    fixed("LocalOrUtcTime", "2", "UTC Time"),
    fixed("CommunicationStatus", "2", "Communication OK, as OpenLMI's PackageKit provider has it")
        .unlike("1 with yum; the job is known whatever the tool does"),
    fixed("RecoveryAction", "2", "Do Not Continue: nothing is done behind a failed job")
        .unlike("no value, though its MOF says that there is one"),
    none("OtherRecoveryAction", "RecoveryAction is not 1 (Other)"),
    fixed("JobRunTimes", "1", "a job runs once"),
    none(
        "ScheduledStartTime RunMonth RunDay RunDayOfWeek RunStartInterval UntilTime Notify",
        "jobs are not scheduled: each runs as soon as those before it have ended",
    ),
];

/// The methods of both kinds of jobs.
pub(crate) const METHODS: &[Method] = &[
    works(
        "RequestStateChange",
        "4097",
        "4 (Terminate) cancels: 0 while it waits, 4096 while it runs, 4097 when it has ended; other states return 1, a \
         TimeoutPeriod 4098",
        CANCELLED,
    )
    .unlike("faults where a value is returned here"),
    works("GetErrors", "0", "the error of a failed job as CIM_Error", SCHEMA),
    works("GetError", "0", "the same, for older clients", SCHEMA),
    fault("KillJob", "ActionNotSupported", "CIM deprecates it; RequestStateChange cancels"),
];

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "LMI_SoftwareInstallationJob",
        says: "A job that changes software or refreshes repositories. Put changes what is said to be changeable, Delete removes a \
               job that has ended.",
        by: &[WALK, LIFE, FAILURE],
        rows: &[
            served("InstanceID", "`LMI:LMI_SoftwareInstallationJob:` and a number that no other job has or had"),
            served("Caption Description", "OpenLMI's words"),
            served("StatusDescriptions", "what the operator should read, such as which configuration file was kept")
                .by("tests/engine_deb/install_file.rs::a_changed_configuration_file_is_kept_and_noted"),
        ],
        methods: METHODS,
    },
    Entry {
        class: "LMI_SoftwareVerificationJob",
        says: "A job that verifies a package.",
        by: &["tests/engine_verify.rs::rpm_and_this_engine_find_the_same"],
        rows: &[
            served("InstanceID", "`LMI:LMI_SoftwareVerificationJob:` and a number that no other job has or had"),
            served("Caption Description", "OpenLMI's words"),
            served(
                "StatusDescriptions",
                "what could not be judged, such as what dpkg does not know of a package's files",
            )
            .only(Family::Deb, "rpm knows all of them; a file that cannot be read is told of there, too")
            .by("tests/engine_verify.rs::without_the_package_file_what_dpkg_knows_is_judged"),
        ],
        methods: METHODS,
    },
    Entry {
        class: "LMI_OwningSoftwareJobElement",
        says: "The service owns the job.",
        by: &[],
        rows: &[served("OwningElement", "the service"), served("OwnedElement", "the job")],
        methods: &[],
    },
    Entry {
        class: "LMI_AffectedSoftwareJobElement",
        says: "What a job works on and what it changed, also packages that it brought along: for InstallFromURI this is how a \
               client learns what was installed. The last package is the newest.",
        by: &[SCHEMA],
        rows: &[
            served("AffectingElement", "the job"),
            served(
                "AffectedElement",
                "the system and the collection; a package; a file that did not pass a verification",
            ),
            served("ElementEffects", "2 (Exclusive Use) of the collection, else 1 (Other), as in OpenLMI"),
            served("OtherElementEffectsDescriptions", "OpenLMI's words, such as `Installing`"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_SoftwareMethodResult",
        says: "The call that made a job, as long as there is the job.",
        by: &[],
        rows: &[
            served("InstanceID", "`LMI:LMI_SoftwareMethodResult:` and the job's number"),
            served("ElementName", "`MethodResult-` and the number"),
            served("Caption Description", "which method, and who called it"),
            served("PreCallIndication", "the call as it was made"),
            served("PostCallIndication", "what came of it, once the job has ended"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_AssociatedSoftwareJobMethodResult",
        says: "The job has the result.",
        by: &[],
        rows: &[served("Job", "the job"), served("JobParameters", "its result")],
        methods: &[],
    },
    Entry {
        class: "CIM_InstMethodCall",
        says: "A call, inside of a result.",
        by: &[],
        rows: &[
            served("SourceInstance SourceInstanceModelPath", "the job and its path"),
            served("SourceInstanceHost", "the system's name"),
            served("MethodName MethodParameters", "the same as in the job"),
            fixed("ReturnValueType", "9", "uint32"),
            served("ReturnValue", "0 Completed, 2 cancelled, 4 failed, 5 no such package; after the call")
                .unlike("only of jobs that completed"),
            served("PreCall", "whether it is the call before it was made"),
            served("Error", "the error of a job that failed; after the call"),
            none(
                "IndicationIdentifier IndicationTime IndicationFilterName CorrelatedIndications PerceivedSeverity OtherSeverity \
                 SequenceContext SequenceNumber",
                "it is not sent as an event but held by a result",
            ),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_Error",
        says: "Why a job failed, inside of GetErrors' answer and of a result.",
        by: &[FAILURE, SCHEMA],
        rows: &[
            served("CIMStatusCode", "6 not found, 11 already exists, else 1 failed, as in OpenLMI"),
            fixed("ErrorType", "4", "Software Error"),
            served("ErrorSource", "the job's path"),
            fixed("ErrorSourceFormat", "2", "CIMObjectPath"),
            served("Message", "the job's ErrorDescription"),
            served("MessageID", "`Quartermaster:` and the cause").unlike("no value, against CIM"),
            fixed("OwningEntity", "Quartermaster", "whose MessageIDs they are").unlike("no value"),
            fixed("PerceivedSeverity", "5", "Major"),
            served("ProbableCause", "the cause in CIM's numbers").unlike("0 (Unknown)"),
            served("RecommendedActions", "what a person can do about it"),
            none("OtherErrorType OtherErrorSourceFormat", "there is no 1 (Other)"),
            none("CIMStatusCodeDescription ProbableCauseDescription MessageArguments", "Message has it all"),
        ],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromURI",
        says: "What InstallFromURI was called with.",
        by: &[],
        rows: &[URI, INSTALL_OPTIONS, NO_VALUES, TARGET],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromURI_Result",
        says: "The same after the job's end.",
        by: &[],
        rows: &[URI, INSTALL_OPTIONS, NO_VALUES, TARGET, JOB, RETURN_VALUE],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromByteStream",
        says: "What InstallFromByteStream was called with. The octets are not kept.",
        by: &[],
        rows: &[INSTALL_OPTIONS, NO_VALUES, TARGET],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromByteStream_Result",
        says: "The same after the job's end.",
        by: &[],
        rows: &[INSTALL_OPTIONS, NO_VALUES, TARGET, JOB, RETURN_VALUE],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromSoftwareIdentity",
        says: "What InstallFromSoftwareIdentity was called with.",
        by: &[],
        rows: &[SOURCE, INSTALL_OPTIONS, NO_VALUES, TARGET, COLLECTION],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_InstallFromSoftwareIdentity_Result",
        says: "The same after the job's end.",
        by: &[],
        rows: &[SOURCE, INSTALL_OPTIONS, NO_VALUES, TARGET, COLLECTION, JOB, RETURN_VALUE],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_VerifyInstalledIdentity",
        says: "What VerifyInstalledIdentity was called with.",
        by: &[],
        rows: &[SOURCE, TARGET],
        methods: &[],
    },
    Entry {
        class: "__MethodParameters_VerifyInstalledIdentity_Result",
        says: "The same after the job's end.",
        by: &[],
        rows: &[SOURCE, TARGET, JOB, RETURN_VALUE],
        methods: &[],
    },
];

const URI: Row = served("URI", "as it was given");
const SOURCE: Row = served("Source", "the package");
const TARGET: Row = served("Target", "the system");
const COLLECTION: Row = served("Collection", "the collection, where it was given in place of Target");
const INSTALL_OPTIONS: Row = served("InstallOptions", "the options that have an effect");
const NO_VALUES: Row = none("InstallOptionsValues", "no option takes a value");
const JOB: Row = served("Job", "the job");
const RETURN_VALUE: Row = served("__ReturnValue", "0 completed, 2 cancelled, 4 failed, 5 no such package");
