//! Scan, deploy, assess: what a host lacks of what a vendor published, and the service that installs it.

use crate::indications::{HOST, IDENTIFIER, REST, SEVERITY, SOURCE, TIME};
use crate::table::{Entry, fixed, none, not_supported, served, works};

const WALK: &str = "tests/patch_walk/main.rs::a_console_patches_a_host";
const JOINED: &str = "tests/patch_walk/main.rs::bulletins_are_joined_with_their_vibs_and_how_the_host_stands_to_them";
const REFUSED: &str = "tests/patch_walk/refusing.rs::arguments_that_do_not_fit_make_no_job";
const REMOVED: &str = "tests/patch_walk/main.rs::what_was_added_is_removed_by_its_bulletin";
const SURVIVES: &str = "tests/patch_walk/surviving.rs::a_scan_goes_on_when_the_console_and_the_server_go_away";
const RPM: &str = "tests/patch_walk/advisories.rs::an_rpm_host_is_scanned_by_the_advisories_of_its_repositories";

const LINK: &str = "the object of that kind";

/// The classes of this page that only hosts with an image are looked at for; RPM hosts have them too (`advisories.rs`).
pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "QM_HostPatchService",
        says: "The patch service of a hypervisor host: scans, deploys and assesses as Shavlik Protect and vSphere's \
               HostPatchManager have it. An RPM host has one too, which scans by the advisories of its repositories; what it \
               lacks is installed by its installation service. Debian's repositories have no advisories, so a Debian host has none.",
        by: &[WALK, REFUSED, RPM],
        rows: &[
            fixed("CreationClassName", "QM_HostPatchService", "its class"),
            fixed("Name", "Quartermaster:HostPatchService", "one on each system"),
            served("SystemCreationClassName SystemName", "the keys of the system"),
            fixed("ElementName", "Host Patch Service", "its name for people"),
            served("Caption Description", "what it does"),
            fixed("EnabledDefault", "5", "Not Applicable"),
            fixed("EnabledState", "5", "Not Applicable"),
            fixed("HealthState", "5", "OK"),
            fixed("OperationalStatus", "2", "OK"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("Started", "true", "it is there whenever this service is"),
            none("InstanceID", "Name and the other keys name it"),
            none("StartMode", "CIM deprecates it"),
        ],
        methods: &[
            works("Scan", "4096", "fetches metadata and compares the host with it", WALK),
            works("Assess", "4096", "compares the host once more with the metadata of the last scan", WALK),
            works(
                "Deploy",
                "4096",
                "has the host fetch bulletins and install them in one transaction; 32768 without a scan before, 32769 for a \
                 bulletin that the last scan does not have; 1 on an RPM host",
                WALK,
            ),
            works("Uninstall", "4096", "removes VIBs; 1 on an RPM host", REMOVED),
            works("RollBack", "4096", "goes back to the image before the last change; 1 on an RPM host", WALK),
            not_supported("RequestStateChange", "it is always there"),
            not_supported("StartService", "it is always there"),
            not_supported("StopService", "it is always there"),
        ],
    },
    Entry {
        class: "QM_HostedPatchService",
        says: "Joins the system with its patch service.",
        by: &[WALK],
        rows: &[served("Antecedent Dependent", LINK)],
        methods: &[],
    },
    Entry {
        class: "QM_OwningPatchJobElement",
        says: "Joins the patch service with the jobs that it started, which no other service owns.",
        by: &[WALK],
        rows: &[served("OwningElement OwnedElement", LINK)],
        methods: &[],
    },
    Entry {
        class: "QM_PatchAssessment",
        says: "The last assessment in short: what Scan, Assess, Deploy, Uninstall and RollBack end with. It is stored with the end \
               of its job.",
        by: &[WALK, SURVIVES, RPM],
        rows: &[
            served("InstanceID", "`Quartermaster:PatchAssessment:`, the system and the job's number"),
            served("ElementName Caption Description", "of which system, and how much is missing"),
            served("SystemName", "the system's name"),
            served(
                "AssessmentTime Operation JobID",
                "when, by which method and by which job; the host is also assessed after a boot that a change waited for",
            ),
            served(
                "Product ProductVersion Build ImageProfile",
                "the host as it was then; of RPM hosts as `os-release` has it",
            ),
            served("AcceptanceLevel MaintenanceMode RebootPending", "the same"),
            served(
                "MissingCount RebootPendingCount InstalledCount SupersededCount NotApplicableCount",
                "how many bulletins stand so",
            ),
            served(
                "MissingCriticalCount MissingImportantCount MissingModerateCount MissingLowCount MissingOtherCount",
                "how many missing ones are so severe",
            ),
            served("MissingBulletins RebootPendingBulletins InstalledBulletins", "their ids, the most severe first"),
            served("MetadataURIs MetadataDigests MetadataTimes", "what it was compared with"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_AssessedSystem",
        says: "Joins a system with its last assessment.",
        by: &[JOINED],
        rows: &[served("Antecedent Dependent", LINK)],
        methods: &[],
    },
    Entry {
        class: "QM_BulletinStatus",
        says: "How the host stands to a bulletin of the metadata, in the words of vSphere's HostPatchManager.",
        by: &[WALK, RPM],
        rows: &[
            served("InstanceID", "`Quartermaster:BulletinStatus:`, the system and the bulletin's id"),
            served("ElementName Caption Description", "the bulletin's title and id"),
            served("BulletinID AssessmentTime", "which bulletin, and when"),
            served("State Applicable Installed InstallState Missing", "how the host stands to it"),
            served("Reasons", "what speaks against installing or removing it"),
            served("SupersededBy Prerequisites", "the ids of other bulletins"),
            served("MissingRequirements ConflictsWith", "what nothing has; what excludes it"),
            served("Severity Category ReleaseDate KBURL", "as the bulletin says, words in small letters"),
            served("RestartRequired MaintenanceModeRequired", "what its installation takes"),
            served("VIBs VIBChanges VIBsOnHost", "its VIBs, what becomes of each, and what is in their places now"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_AssessedBulletin",
        says: "Joins an assessment with how the host stands to each bulletin.",
        by: &[JOINED],
        rows: &[served("GroupComponent PartComponent", LINK)],
        methods: &[],
    },
    Entry {
        class: "QM_Bulletin",
        says: "A bulletin of the metadata of the last scan, or an advisory of an RPM host.",
        by: &[JOINED, RPM],
        rows: &[
            served("InstanceID", "`Quartermaster:Bulletin:`, the system and the bulletin's id"),
            served("ElementName Caption Description", "its title, id and text"),
            served("Manufacturer ReleaseDate", "its vendor, and when it was released"),
            fixed("Classifications", "13", "Software Bundle"),
            fixed("ExtendedResourceType", "10", "VMware Software Bulletin; an advisory is 2 (Not Applicable)"),
            fixed("TargetOSTypes", "104", "VMware ESXi"),
            fixed("IsEntity", "true", "it is modelled as it is"),
            served("Severity Category ReleaseType KBURL", "as it says, words in small letters"),
            none("CVEs", "bulletins of VIBs do not tell them; advisories do"),
            none(
                "Name VersionString",
                "bulletins of ESXi before 7.0 have none; later ones are components, which have both",
            ),
            none("TargetTypes", "the service installs its VIBs"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_BulletinHasStatus",
        says: "Joins a bulletin with how the host stands to it.",
        by: &[JOINED],
        rows: &[served("Antecedent Dependent", LINK)],
        methods: &[],
    },
    Entry {
        class: "QM_BulletinVIB",
        says: "A VIB of a bulletin, as the metadata names it. What is in the image is a VMware_ComponentSoftwareIdentity. An RPM \
               host has none: its packages have software identities whether they are installed or not.",
        by: &[JOINED],
        rows: &[
            served("InstanceID", "`Quartermaster:BulletinVIB:`, the system and the VIB's id"),
            served("ElementName Caption Description", "its name, id and summary"),
            served("VersionString Manufacturer", "its version and vendor"),
            fixed("ExtendedResourceType", "9", "VMware vSphere Installation Bundle"),
            fixed("TargetOSTypes", "104", "VMware ESXi"),
            fixed("IsEntity", "true", "it is modelled as it is"),
            none("Classifications", "the bulletin tells what it is for"),
            none("Name", "ElementName has it"),
            none("TargetTypes", "it is installed with its bulletin"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_BulletinComponent",
        says: "Joins a bulletin with its VIBs, or an advisory with its packages.",
        by: &[JOINED, RPM],
        rows: &[
            served("GroupComponent PartComponent", LINK),
            fixed("AssignedSequence", "0", "in no order: the rules of VIBs find one"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_PatchInstCreation",
        says: "A host was assessed. Its change record is written with the end of the job, so it is told after a crash too.",
        by: &[WALK, SURVIVES],
        rows: &[IDENTIFIER, TIME, SEVERITY, SOURCE, HOST, REST],
        methods: &[],
    },
];
