//! A host with an image of VIBs, in VMware's classes.

use crate::indications::{HOST, IDENTIFIER, REST, SEVERITY, SOURCE, TIME};
use crate::jobs;
use crate::table::{Entry, Row, fault, fixed, none, not_supported, served, works};

const WALK: &str = "tests/image_walk/walk.rs::a_client_walks_from_the_profile_to_the_end_of_the_update";
const PROFILES: &str = "src/providers/tests/images.rs::profiles_lead_to_the_system_its_vibs_and_its_service";
const UNREADABLE: &str = "tests/end_to_end/images.rs::an_image_that_is_gone_is_told_by_its_system_and_once_in_the_log";
const STANDING: &str = "src/providers/tests/images.rs::vibs_stand_where_they_run_or_will_run";
const REFUSED: &str =
    "src/providers/tests/images.rs::what_does_not_fit_makes_no_job_and_other_methods_are_not_supported";
const TWO: &str = "src/providers/tests/images.rs::two_systems_are_registered_and_told_apart";
const JOBS: &str = "src/providers/tests/images.rs::a_job_is_shown_with_its_call_and_can_be_cancelled";
const TOLD: &str = "src/providers/tests/images.rs::changes_of_jobs_are_told_in_the_words_of_their_system";
const SUBSCRIBED: &str =
    "tests/image_walk/subscriptions.rs::every_change_of_a_job_is_told_to_who_asks_as_table_3_1_has_it";

const VIBS_TOLD: &str = "tests/image_walk/subscriptions.rs::how_vibs_stand_is_told_by_whatever_changes_it";

const PRODUCT: &str = "the host's product line, the same as the capabilities' SupportedTargetTypes";

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "OMC_UnitaryComputerSystem",
        says: "The hypervisor host whose image is shown (`--image`). The seeds' clients know it as the Base Server scoping \
               instance.",
        by: &[WALK, PROFILES, TWO],
        rows: &[
            fixed("CreationClassName", "OMC_UnitaryComputerSystem", "its class, which VMware's clients expect"),
            served("Name ElementName", "the host's name (setting)"),
            fixed("NameFormat", "Other", "the name may be no address"),
            fixed("Caption", "Computer System", "its kind"),
            served("Description", "what it is here for"),
            fixed("Dedicated", "0", "Not Dedicated"),
            served("OperationalStatus", "2 (OK); 11 (In Service) in maintenance mode; 6 (Error) while the image cannot be read")
                .by("src/providers/tests/images.rs::a_host_in_maintenance_mode_is_in_service"),
            served("StatusDescriptions", "that it is in maintenance mode, that it must be rebooted for a change of its image, and that the image cannot be read")
                .by(STANDING),
            served("HealthState", "5 (OK); 20 (Major failure) while the image cannot be read").by(UNREADABLE),
            fixed("EnabledState", "2", "Enabled"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("EnabledDefault", "5", "Not Applicable"),
            none("InstanceID", "Name and CreationClassName are the keys"),
            none(
                "Roles IdentifyingDescriptions OtherIdentifyingInfo OtherDedicatedDescriptions",
                "only its image is shown",
            ),
            none(
                "InitialLoadInfo LastLoadInfo PowerManagementCapabilities PowerManagementSupported PowerState \
                 ResetCapability WakeUpType",
                "hardware, power and boot belong to other profiles than those that are served",
            ),
        ],
        methods: &[
            fault("RequestStateChange", "ActionNotSupported", "this service starts and stops no host"),
            fault(
                "SetPowerState",
                "ActionNotSupported",
                "CIM deprecates it, and this service has no power over the host",
            ),
        ],
    },
    Entry {
        class: "VMware_ComponentSoftwareIdentity",
        says: "A VIB of the image that runs, or of the one that waits for a boot.",
        by: &[WALK, STANDING],
        rows: &[
            served("InstanceID", "`VMware:VMware_ComponentSoftwareIdentity:` and the VIB's id"),
            served("ElementName", "the VIB's id: `vendor_type_name_version`"),
            served("Name VersionString Manufacturer", "its name, version and vendor; MajorVersion and the like have none"),
            served("Caption Description", "its summary and its longer text"),
            served("InstallDate", "when it was put into the image"),
            served("ReleaseDate", "as the VIB says"),
            served("Classifications", "2 (Driver) of what has the tag driver, else 0 (Unknown)"),
            fixed("ExtendedResourceType", "9", "VMware vSphere Installation Bundle"),
            fixed("TargetTypes", "embeddedEsx", PRODUCT),
            fixed("TargetOSTypes", "104", "VMware ESXi"),
            served("TargetOperatingSystems", "VMware ESXi, with the versions that the VIB names"),
            served("IdentityInfoType IdentityInfoValue", "`VMware:VIBID` and `VMware:AcceptanceLevel` with its id and level"),
            fixed("IsEntity", "true", "it is the VIB itself"),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_HypervisorSoftwareIdentity",
        says: "The hypervisor, in the version that runs.",
        by: &[STANDING],
        rows: &[
            served("InstanceID", "`VMware:VMware_HypervisorSoftwareIdentity:` with version and build"),
            fixed("Name", "VMware ESXi", "what it is"),
            served("Caption ElementName Description", "with version and build; of which image profile"),
            served("VersionString", "version and build, such as `5.5.0.1623387`"),
            served("MajorVersion MinorVersion RevisionNumber LargeBuildNumber", "the same as numbers"),
            fixed("IsLargeBuildNumber", "true", "a build does not fit into BuildNumber"),
            none("BuildNumber", "LargeBuildNumber is in its place"),
            served("Manufacturer ReleaseDate", "those of the VIB esx-base"),
            served("LastStartTime", "when the image began to run, as far as that is known"),
            fixed("Classifications", "0", "Unknown: CIM has no number for a hypervisor"),
            fixed("ExtendedResourceType", "2", "Not Applicable: it is no file"),
            fixed("TargetTypes", "embeddedEsx", PRODUCT),
            none("TargetOSTypes", "it runs on no operating system"),
            fixed("IsEntity", "true", "it is there"),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_ComponentElementSoftwareIdentity",
        says: "The VIB stands in the host's images.",
        by: &[WALK, STANDING],
        rows: &[
            served("Antecedent", "the VIB"),
            served("Dependent", "the host"),
            served(
                "ElementSoftwareStatus",
                "`2, 6` (Current, Installed) while it runs, `3, 6` (Next, Installed) while it waits for a boot, `2, 3, 6` while \
                 it runs and another image waits that has it too",
            )
            .by(STANDING),
            fixed("UpgradeCondition", "3", "Owner Upgradeable"),
            none("OtherUpgradeCondition", "UpgradeCondition is not 1 (Other)"),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_InstalledSoftwareIdentity",
        says: "The hypervisor is installed on the host. VIBs are not linked so, as with VMware's provider, whose class for this is not \
               known: this one is our own.",
        by: &[STANDING],
        rows: &[served("InstalledSoftware", "the hypervisor"), served("System", "the host")],
        methods: &[],
    },
    Entry {
        class: "VMware_SoftwareInstallationService",
        says: "The service that changes the image. No ServiceAffectsElement joins it with VIBs, so there is no \
               InstallFromSoftwareIdentity, as with VMware's provider.",
        by: &[WALK, REFUSED],
        rows: &[
            fixed("CreationClassName", "VMware_SoftwareInstallationService", "its class"),
            fixed("Name", "VMware:VMware_SoftwareInstallationService", "there is one"),
            fixed("SystemCreationClassName", "OMC_UnitaryComputerSystem", "the host's class"),
            served("SystemName", "the host's name"),
            served("ElementName Caption Description", "what it is"),
            fixed("EnabledDefault EnabledState", "5", "Not Applicable"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("HealthState", "5", "OK"),
            fixed("OperationalStatus", "2", "OK"),
            fixed("Started", "true", "it answers"),
            none("StartMode", "CIM deprecates it, and the service is started with the server"),
            none("InstanceID", "Name and the host's keys name it"),
        ],
        methods: &[
            works(
                "InstallFromURI",
                "4096",
                "a job installs the VIBs of the offline bundle that a `file:` URI names, a ZIP or a folder of any size, or updates to them; \
                 options are ignored, but 2 is returned where they and their values do not fit together, for another Target, and for \
                 online depots; 4107 where nothing can be read, 4106 for what is no bundle by its first octets",
                WALK,
            ),
            not_supported("InstallFromSoftwareIdentity", "the service affects no VIBs"),
            not_supported("InstallFromByteStream", "bundles are larger than a request may be"),
            not_supported("CheckSoftwareIdentity", "VMware's provider has InstallFromURI alone"),
            not_supported("RequestStateChange", "the service is there as long as the server runs"),
            not_supported("StartService", "CIM deprecates it; the service is there as long as the server runs"),
            not_supported("StopService", "CIM deprecates it; the operator stops the server"),
        ],
    },
    Entry {
        class: "VMware_SoftwareInstallationServiceCapabilities",
        says: "What the service can do.",
        by: &[PROFILES],
        rows: &[
            fixed("InstanceID", "VMware:VMware_SoftwareInstallationServiceCapabilities", "there is one"),
            served("ElementName Caption Description", "what it tells"),
            fixed("CanAddToCollection", "false", "there is no collection"),
            fixed("SupportedAsynchronousActions", "5", "Install from URI"),
            fixed("SupportedSynchronousActions", "2", "None supported"),
            fixed("SupportedExtendedResourceTypes", "9, 10", "VMware vSphere Installation Bundle, VMware Software Bulletin"),
            fixed("SupportedTargetTypes", "embeddedEsx", "the host's product line"),
            fixed("SupportedURISchemes", "3", "file"),
            none("SupportedInstallOptions", "none has an effect"),
            none("OtherSupportedExtendedResourceTypeDescriptions", "no type is 1 (Other)"),
            none(
                "SupportedExtendedResourceTypesMajorVersions SupportedExtendedResourceTypesMinorVersions \
                 SupportedExtendedResourceTypesRevisionNumbers SupportedExtendedResourceTypesBuildNumbers",
                "a VIB of a version that is not read is told of by its job",
            ),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_ElementSoftwareInstallationCapabilities",
        says: "The service has the capabilities.",
        by: &[PROFILES],
        rows: &[
            served("ManagedElement", "the service"),
            served("Capabilities", "its capabilities"),
            fixed("Characteristics", "2, 3", "Default, Current"),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_HostedInstallationService",
        says: "The host has the service.",
        by: &[WALK],
        rows: &[served("Antecedent", "the host"), served("Dependent", "the service")],
        methods: &[],
    },
    Entry {
        class: "VMware_ConcreteJob",
        says: "A job that changes the image. Put changes what is said to be changeable, Delete removes a job that has ended.",
        by: &[WALK, JOBS],
        rows: &[
            served("InstanceID", "`VMware:VMware_ConcreteJob:` and a number that no other job has or had"),
            served("Name ElementName", "`UpdateImage-1` and the like"),
            served("Caption Description", "what it does, and from where"),
            served("HealthState", "5 (OK); 20 (Major failure) when it failed"),
            served(
                "JobStatus",
                "the seeds' words: `Scanning URI for installable packages` at 10 percent, `Scan of URI Complete and installable \
                 packages found. Starting Update.` from 30, and at the end that the update completed and whether the system needs to \
                 be rebooted, or that the host is not changed, or what failed",
            )
            .by(WALK),
            served("ErrorCode", "esxupdate's number of the class of the failure (VMware KB 1039063), 99 for others"),
            served("ErrorDescription", "the failure as esximage tells it, `[DependencyError] VIB …`, and what to do about it"),
            served("StatusDescriptions", "how much is missing, after a job of the patch service"),
        ],
        methods: jobs::METHODS,
    },
    Entry {
        class: "VMware_OwningJobElement",
        says: "The service owns the job.",
        by: &[JOBS],
        rows: &[served("OwningElement", "the service"), served("OwnedElement", "the job")],
        methods: &[],
    },
    Entry {
        class: "VMware_AffectedSoftwareIdentity",
        says: "A VIB that the job installed or removed.",
        by: &[WALK],
        rows: &[
            served("AffectingElement", "the job"),
            served("AffectedElement", "the VIB; one that was removed is no identity any more once its image is gone"),
            fixed("ElementEffects", "1", "Other"),
            served("OtherElementEffectsDescriptions", "`Installing` or `Removing`"),
        ],
        methods: &[],
    },
    Entry {
        class: "VMware_MethodResult",
        says: "The call that made a job, as long as there is the job.",
        by: &[JOBS],
        rows: &RESULT,
        methods: &[],
    },
    Entry {
        class: "VMware_AssociatedJobMethodResult",
        says: "The job has the result.",
        by: &[JOBS],
        rows: &[served("Job", "the job"), served("JobParameters", "its result")],
        methods: &[],
    },
    Entry {
        class: "CIM_InstCreation",
        says: "A VIB came into an image, by a job or by `quartermaster image`: the source is its VMware_ComponentElementSoftwareIdentity. VMware has no class for it.",
        by: &[TOLD, VIBS_TOLD],
        rows: &EVENT,
        methods: &[],
    },
    Entry {
        class: "CIM_InstModification",
        says: "A VIB that waited for a boot runs, or will run after the next one, too.",
        by: &[TOLD, VIBS_TOLD],
        rows: &VIB_CHANGE,
        methods: &[],
    },
    Entry {
        class: "CIM_InstDeletion",
        says: "A VIB is in no image any more, neither in the one that runs nor in one that waits for a boot.",
        by: &[TOLD, VIBS_TOLD],
        rows: &EVENT,
        methods: &[],
    },
    Entry {
        class: "VMware_ConcreteJobCreation",
        says: "A job of an image was made.",
        by: &[TOLD, SUBSCRIBED],
        rows: &EVENT,
        methods: &[],
    },
    Entry {
        class: "VMware_ConcreteJobModification",
        says: "A job of an image changed.",
        by: &[TOLD, SUBSCRIBED],
        rows: &CHANGE,
        methods: &[],
    },
    Entry {
        class: "VMware_ConcreteJobDeletion",
        says: "A job of an image was removed.",
        by: &[TOLD, SUBSCRIBED],
        rows: &EVENT,
        methods: &[],
    },
];

const RESULT: [Row; 5] = [
    served("InstanceID", "`VMware:VMware_MethodResult:` and the job's number"),
    served("ElementName", "`MethodResult-` and the number"),
    served("Caption Description", "which method, and who called it"),
    served("PreCallIndication", "the call as it was made"),
    served("PostCallIndication", "what came of it, once the job has ended"),
];

const EVENT: [Row; 6] = [IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, REST];
const VIB_CHANGE: [Row; 7] =
    [IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, served("PreviousInstance", "how it stood before"), REST];
const CHANGE: [Row; 7] =
    [IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, served("PreviousInstance", "the job as it was before"), REST];
