//! Software Inventory (DSP1023): packages, bundles, repositories, and what joins them.

use crate::table::Family::Rpm;
use crate::table::{Entry, fixed, none, per_family, served, works};

const WALK: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host";
const WALK_RPM: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_an_rpm_host";
const LINKED: &str = "src/providers/tests.rs::installed_software_is_linked_both_ways";
const DEB_OFFERS: &str = "tests/engine_deb_repositories.rs::what_repositories_offer_is_what_apt_shows";
const RPM_OFFERS: &str = "tests/engine_rpm_repositories.rs::the_catalog_is_what_dnf_offers_whatever_the_compression";
const DEB_REPOSITORIES: &str = "tests/engine_deb_repositories.rs::repositories_are_told_as_they_are_configured";
const RPM_REPOSITORIES: &str = "tests/engine_rpm_repositories.rs::repositories_are_as_dnf_has_them";
const DEB_RELATED: &str =
    "tests/end_to_end/relations.rs::a_debian_host_tells_what_needs_what_and_what_belongs_together";
const RPM_RELATED: &str = "tests/end_to_end/relations.rs::an_rpm_host_tells_its_groups_and_which_advisories_it_needs";
const REQUIREMENT: &str = "src/providers/tests/relations.rs::a_requirement_is_made_of_its_name";

const TARGET_TYPES: &str = "the words of its packages' kind, the same as the capabilities' SupportedTargetTypes";
const RESOURCE_TYPE: &str = "Debian linux Package, Linux RPM";
const OS_TYPES: &str = "what the root's `os-release` names (here Debian and RHEL, 64 bits)";

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "LMI_SoftwareIdentity",
        says: "A package: each that is installed, then each that an enabled repository offers and that is not installed. All can \
               be enumerated and searched, which OpenLMI refuses and DSP1023 8.1 asks for.",
        by: &[WALK, WALK_RPM, DEB_OFFERS, RPM_OFFERS],
        rows: &[
            served("InstanceID", "`LMI:LMI_SoftwareIdentity:` and `name-epoch:version-release.architecture`")
                .by("src/providers/tests.rs::a_path_may_name_a_superclass_and_leave_out_a_zero_epoch"),
            served("ElementName", "the same without the prefix"),
            served(
                "Name Epoch Version Release Architecture",
                "the parts of the package's name; a native Debian package has no \
                    Release",
            ),
            served("VersionString", "`epoch:version-release.architecture`"),
            served("Caption Description", "the package's summary and its longer text"),
            served("Manufacturer", "Debian's Maintainer; rpm's Vendor, else its Packager"),
            served("InstallDate", "when it was installed; no value tells that it is not"),
            fixed("Classifications", "0", "Unknown: neither dpkg nor rpm says what kind of software a package is"),
            per_family("TargetTypes", "deb, apt", "rpm, yum", TARGET_TYPES),
            per_family("ExtendedResourceType", "8", "3", RESOURCE_TYPE),
            per_family("TargetOSTypes", "96", "80", OS_TYPES)
                .by("src/providers/operating_system.rs::distributions_are_known_by_their_ids"),
            fixed("IsEntity", "true", "it is the package itself (DSP1023 7.6)"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_SoftwareBundle",
        says: "Software that is meant to be installed together (DSP1023 7.7): Debian's tasks and metapackages, dnf's groups and \
               advisories. OpenLMI has none.",
        by: &[
            DEB_RELATED,
            RPM_RELATED,
            "src/providers/tests/relations.rs::bundles_are_software_that_leads_to_its_packages_and_back",
        ],
        rows: &[
            served("InstanceID", "`Quartermaster:SoftwareBundle:`, the kind of bundle and its id"),
            served("Name", "its id"),
            served("ElementName Caption Description", "its name and description"),
            served("VersionString", "the version of the metapackage or of the advisory"),
            served("ReleaseDate", "when the advisory was issued").only(Rpm, "there are no advisories"),
            served("BundleType InstallState", "what holds it together; how much of it is installed"),
            served("AdvisoryType Severity CVEs References", "as the advisory says")
                .only(Rpm, "there are no advisories"),
            fixed("Classifications", "13", "Software Bundle"),
            none("TargetTypes", "the service installs its packages, and not the bundle itself"),
            fixed("ExtendedResourceType", "2", "Not Applicable: it is no file"),
            per_family("TargetOSTypes", "96", "80", OS_TYPES),
            fixed("IsEntity", "true", "it is modelled as it is"),
            none("Manufacturer", "bundles do not tell who made them"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_SoftwareRequirement",
        says: "What a package requires and no known package has (DSP1023 7.9): made of its name, reached from the package, never \
               enumerated. OpenLMI has none.",
        by: &[DEB_RELATED, REQUIREMENT],
        rows: &[
            served("InstanceID", "`Quartermaster:SoftwareRequirement:` and the requirement"),
            served("Name ElementName Caption Description", "the name that is required, and the whole requirement"),
            served("VersionString", "the version that is required, if one is").by(REQUIREMENT),
            fixed("Classifications", "0", "Unknown"),
            none("TargetTypes", "the service cannot install what is only required"),
            fixed("ExtendedResourceType", "2", "Not Applicable: it is no file"),
            per_family("TargetOSTypes", "96", "80", OS_TYPES),
            fixed("IsEntity", "false", "only its name is known"),
            none("Manufacturer", "nobody has made it"),
        ],
        methods: &[],
    },
    Entry {
        class: "QM_OrderedDependency",
        says: "A package needs another one (DSP1023 7.9), or a requirement that no known package meets. OpenLMI has none.",
        by: &[DEB_RELATED, RPM_RELATED],
        rows: &[
            served(
                "Antecedent",
                "the installed package that meets the need, else the newest that is offered, else the requirement",
            ),
            served("Dependent", "the package that has it; all links together are those of installed packages"),
            served("AssignedSequence", "its place among the package's needs, from 1; alternatives share one"),
            served("DependencyType", "Pre-Depends, Depends, Recommends or Suggests"),
            served("Requirement", "the package's own words"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_OrderedComponent",
        says: "A bundle consists of packages (DSP1023 7.7). OpenLMI has none.",
        by: &[DEB_RELATED, RPM_RELATED],
        rows: &[
            served("GroupComponent", "the bundle"),
            served("PartComponent", "a package that is installed, else the newest that is offered"),
            fixed("AssignedSequence", "0", "the order does not matter"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_InstalledSoftwareIdentity",
        says: "A package is installed on the system (DSP1023 7.2.1). To create one is to install the package, to delete it is to \
               remove the package, as in OpenLMI.",
        by: &[LINKED, WALK],
        rows: &[served("InstalledSoftware", "the package"), served("System", "the system")],
        methods: &[],
    },
    Entry {
        class: "CIM_ElementSoftwareIdentity",
        says: "The same for clients that ask what software operates the system (DSP1023 7.4). OpenLMI does not model it.",
        by: &[],
        rows: &[
            served("Antecedent", "the package"),
            served("Dependent", "the system"),
            fixed("ElementSoftwareStatus", "6", "Installed"),
            fixed("UpgradeCondition", "3", "Owner Upgradeable"),
            none("OtherUpgradeCondition", "UpgradeCondition is not 1 (Other)"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_SystemSoftwareCollection",
        says: "The one collection of available software.",
        by: &[],
        rows: &[
            fixed("InstanceID", "LMI:LMI_SystemSoftwareCollection", "OpenLMI's"),
            fixed("ElementName", "Available Software", "DSP1023 7.6.1 wants this name")
                .unlike("has no value, against DSP1023"),
            fixed("Caption", "System Software Collection", "the packages need not be RPM's")
                .unlike("`System RPM Package Collection`, which on Debian would be wrong"),
            none("Description", "the caption says it"),
        ],
        methods: &[],
    },
    Entry {
        class: "LMI_HostedSoftwareCollection",
        says: "The system has the collection (DSP1023 7.6.2).",
        by: &[],
        rows: &[served("Antecedent", "the system"), served("Dependent", "the collection")],
        methods: &[],
    },
    Entry {
        class: "LMI_MemberOfSoftwareCollection",
        says: "A package is offered and not installed (DSP1023 7.6.3).",
        by: &[],
        rows: &[served("Collection", "the collection"), served("Member", "the package")],
        methods: &[],
    },
    Entry {
        class: "LMI_SoftwareIdentityResource",
        says: "A repository that is configured, enabled or not (DSP1023 7.6.4.1). Put of EnabledState or RequestedState enables \
               and disables it, too.",
        by: &[DEB_REPOSITORIES, RPM_REPOSITORIES],
        rows: &[
            fixed("CreationClassName", "LMI_SoftwareIdentityResource", "its class"),
            served("Name ElementName", "dnf's repository id; apt's entry in one line"),
            fixed("SystemCreationClassName", "PG_ComputerSystem", "the system's class (setting)"),
            served("SystemName", "the system's name"),
            served("InstanceID", "`LMI:LMI_SoftwareIdentityResource:` and the Name"),
            served("Caption", "its name for a person"),
            served("Description", "`[Name] - Caption`, with its cost where it has one")
                .unlike("adds `for <architecture> architecture`; a repository may hold several"),
            fixed("AccessContext", "1", "Other"),
            per_family("OtherAccessContext", "Debian package repository", "YUM package repository", "its kind"),
            served("AccessInfo", "the list of mirrors, else the last base URL"),
            fixed("InfoFormat", "200", "URL"),
            none("OtherInfoFormatDescription", "InfoFormat is not 1 (Other)"),
            served("MirrorList", "dnf's mirrorlist or metalink").only(Rpm, "apt has none"),
            served("Cost", "dnf's cost").only(Rpm, "apt knows no cost"),
            served("GPGCheck", "whether packages must be signed")
                .only(Rpm, "apt checks metadata, which has the packages' checksums"),
            served(
                "RepoGPGCheck",
                "whether the metadata must be signed; of apt's repositories by their entries and by apt's own settings, NULL \
                 where those do not let it be told",
            ),
            served("Generation", "repomd's revision").only(Rpm, "a Release file has none"),
            served("TimeOfLastUpdate", "repomd's timestamp; the Date of the Release file"),
            served("TimeOfLastStateChange", "when the file that configures it was changed"),
            fixed("ResourceType", "1", "Other"),
            per_family("OtherResourceType", "Debian Software Package", "RPM Software Package", "what it has"),
            per_family("ExtendedResourceType", "8", "3", RESOURCE_TYPE),
            fixed("AvailableRequestedStates", "2, 3", "Enabled, Disabled"),
            fixed("EnabledDefault", "5", "Not Applicable; no client can write it, whatever CIM and OpenLMI declare"),
            served("EnabledState RequestedState", "2 (Enabled) or 3 (Disabled)"),
            served(
                "HealthState",
                "5 (OK), 20 (Major failure) if its metadata cannot be read, 0 (Unknown) while disabled",
            ),
            served("OperationalStatus", "2 (OK), 6 (Error) or 10 (Stopped), for the same reasons"),
            served("PrimaryStatus", "1 (OK), 3 (Error) or 0 (Unknown)"),
            served("StatusDescriptions", "`Ready`, `Not Ready` or `Disabled`"),
        ],
        methods: &[works(
            "RequestStateChange",
            "0",
            "enables (2) or disables (3) it in the file that configures it; other states return 4097, a TimeoutPeriod 4098",
            "tests/engine_rpm_repositories.rs::switching_a_repository_takes_effect_and_dnf_agrees",
        )],
    },
    Entry {
        class: "LMI_HostedSoftwareIdentityResource",
        says: "The system has the repository (DSP1023 7.6.4.3).",
        by: &[],
        rows: &[served("Antecedent", "the system"), served("Dependent", "the repository")],
        methods: &[],
    },
    Entry {
        class: "LMI_ResourceForSoftwareIdentity",
        says: "A repository offers a package, be it installed or not (DSP1023 7.6.4.2).",
        by: &[],
        rows: &[served("AvailableSAP", "an enabled repository"), served("ManagedElement", "the package")],
        methods: &[],
    },
];
