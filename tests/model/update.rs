//! Software Update (DSP1025): the service, its capabilities, what it would do and what it is called with.

use crate::table::{Entry, fixed, none, not_supported, per_family, served, works};

const REFUSED: &str = "src/providers/tests.rs::what_does_not_fit_returns_2_at_once";
const HERE: &str = "tests/model/claims.rs::every_method_answers_as_the_page_says";

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "LMI_SoftwareInstallationService",
        says: "The one service that changes software.",
        by: &["tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host", REFUSED],
        rows: &[
            fixed("CreationClassName", "LMI_SoftwareInstallationService", "its class"),
            fixed("Name InstanceID", "LMI:LMI_SoftwareInstallationService", "OpenLMI's"),
            fixed("SystemCreationClassName", "PG_ComputerSystem", "the system's class (setting)"),
            served("SystemName", "the system's name"),
            fixed("ElementName", "Software Installation Service", "its name for a person"),
            fixed("Caption", "Software installation service for this system.", "OpenLMI's"),
            per_family(
                "Description",
                "Software installation service using dpkg and apt.",
                "Software installation service using rpm and dnf.",
                "the tools it uses",
            )
            .unlike("`Software installation service using YUM packake manager.`"),
            fixed("CommunicationStatus", "1", "Not Available"),
            fixed("DetailedStatus", "0", "Not Available"),
            fixed("EnabledDefault EnabledState", "5", "Not Applicable"),
            fixed("HealthState", "5", "OK"),
            fixed("OperatingStatus", "2", "Servicing"),
            fixed("OperationalStatus", "2", "OK"),
            fixed("PrimaryStatus", "1", "OK"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("Started", "true", "it answers"),
            none("StartMode", "CIM deprecates it, and the service is started with the server"),
        ],
        methods: &[
            works(
                "InstallFromSoftwareIdentity",
                "4096",
                "a job installs, updates, repairs or removes the package that Source names; Target and Collection both mean this \
                 system, as in OpenLMI; what does not fit returns 2 and makes no job",
                "tests/engine_deb/repositories.rs::a_build_is_installed_as_it_is_asked_for",
            ),
            works(
                "InstallFromURI",
                "4096",
                "a job installs a package from `file:`, `http:` or `https:`; a file that cannot be read returns 4107, one that is no \
                 package 4106",
                "tests/end_to_end/remote.rs::debian_packages_come_over_http_or_the_job_says_why_not",
            ),
            works(
                "InstallFromByteStream",
                "4096",
                "a job installs the package that Image holds; 1 where `max_upload` is 0",
                "tests/end_to_end/uploads.rs::packages_come_inside_of_requests",
            )
            .unlike("returns 1"),
            works(
                "VerifyInstalledIdentity",
                "4096",
                "a job compares the files of a package with how they were installed; Failed has no value, the job's affected \
                 elements are the files",
                "tests/engine_verify.rs::rpm_and_this_engine_find_the_same",
            ),
            works(
                "CheckSoftwareIdentity",
                "0",
                "InstallCharacteristics of an installation that would work: 6 (Manual Reboot Required) or 7 (No Reboot Required) where \
                 that is known beforehand, on Debian only 6; 9 with Collection; else the value that the job's ErrorCode would have",
                HERE,
            )
            .unlike("does not serve it"),
            works(
                "FindIdentity",
                "0",
                "packages by name and parts of it, in ascending order; 1 if there is none",
                HERE,
            ),
            works(
                "FindUpdates",
                "0",
                "our own: what is installed and of which something newer is offered, and the newest of each",
                HERE,
            ),
            works(
                "PlanChanges",
                "0",
                "our own: every package that InstallFromSoftwareIdentity would change, with what it would fetch and write, or why it \
                 is not possible",
                "tests/engine_rpm/installing.rs::a_large_operation_is_planned_whole",
            ),
            works(
                "RefreshRepositories",
                "4096",
                "our own: a job fetches the metadata of all enabled repositories",
                "tests/engine_rpm/repositories.rs::a_refresh_shows_what_is_new",
            ),
            not_supported("RequestStateChange", "the service is there as long as the server runs"),
            not_supported("StartService", "CIM deprecates it; the service is there as long as the server runs"),
            not_supported("StopService", "CIM deprecates it; the operator stops the server"),
        ],
    },
    Entry {
        class: "LMI_SoftwareInstallationServiceCapabilities",
        says: "What the service can do.",
        by: &[],
        rows: &[
            fixed("InstanceID", "LMI:LMI_SoftwareInstallationServiceCapabilities", "OpenLMI's"),
            fixed("ElementName", "Software Installation Service Capabilities", "CIM_Capabilities requires a name")
                .unlike("has no value, against CIM"),
            fixed("Caption", "Capabilities of LMI:LMI_SoftwareInstallationService", "OpenLMI's"),
            per_family(
                "Description",
                "What can be installed with dpkg and apt, and how.",
                "What can be installed with rpm and dnf, and how.",
                "the tools that the service uses",
            ),
            fixed("CanAddToCollection", "true", "OpenLMI's clients install by the collection"),
            fixed(
                "SupportedAsynchronousActions",
                "3, 4, 5, 10000",
                "from software identity, byte stream (unless it is switched off) and URI; OpenLMI's Verify Software Identity",
            )
            .unlike("`3, 5`, though it verifies"),
            fixed("SupportedSynchronousActions", "2", "None supported"),
            fixed("SupportedInstallOptions", "3, 4, 5, 6, 9", "Force, Install, Update, Repair, Uninstall")
                .unlike("the same in the order `4, 5, 9, 3, 6`, which means nothing"),
            per_family("SupportedTargetTypes", "deb, apt", "rpm, yum", "the words of its packages' kind"),
            per_family("SupportedExtendedResourceTypes", "8", "3", "Debian linux Package, Linux RPM"),
            fixed("SupportedURISchemes", "3, 5, 6", "file, http, https").unlike("`3, 4, 5, 6`; ftp is not served"),
            none("OtherSupportedExtendedResourceTypeDescriptions", "no type is 1 (Other)"),
            none(
                "SupportedExtendedResourceTypesMajorVersions SupportedExtendedResourceTypesMinorVersions \
                 SupportedExtendedResourceTypesRevisionNumbers SupportedExtendedResourceTypesBuildNumbers",
                "the host's own tools say whether they can install a package",
            ),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_AssociatedSoftwareInstallationServiceCapabilities",
        says: "The service has the capabilities.",
        by: &["src/providers/tests.rs::profiles_lead_to_system_software_and_service"],
        rows: &[
            served("ManagedElement", "the service"),
            served("Capabilities", "its capabilities"),
            fixed("Characteristics", "2, 3", "Default, Current"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_HostedSoftwareInstallationService",
        says: "The system has the service.",
        by: &["src/providers/tests.rs::profiles_lead_to_system_software_and_service"],
        rows: &[served("Antecedent", "the system"), served("Dependent", "the service")],
        methods: &[],
    },
    Entry {
        class: "LMI_SoftwareInstallationServiceAffectsElement",
        says: "What the service works on: the system (DSP1025 7.4), and each package that is offered and not installed (7.3).",
        by: &[],
        rows: &[
            served("AffectingElement", "the service"),
            served("AffectedElement", "the system or the package"),
            served("ElementEffects", "`7, 8, 1, 1` on the system, `1` on a package, as in OpenLMI"),
            served("OtherElementEffectsDescriptions", "OpenLMI's words, such as `Allows to install`"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_PlannedChange",
        says: "A package that would change, in the answer of PlanChanges.",
        by: &[],
        rows: &[
            served("Kind", "installed, updated, downgraded, reinstalled or removed"),
            served("Before After", "InstanceIDs of the package as it is and as it would be"),
            served("DownloadSize", "what the repository says"),
        ],
        methods: &[],
    },
];
