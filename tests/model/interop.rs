//! The scoping system, and the profiles that it conforms to.

use crate::table::{Entry, fault, fixed, none, served};

const WALK: &str = "tests/end_to_end/walk.rs::pypsrp_walks_through_a_debian_host";
const PROFILES: &str = "src/providers/tests.rs::profiles_lead_to_system_software_and_service";

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "PG_ComputerSystem",
        says: "The host whose software is shown; `[system]` in the settings may give it another class and name.",
        by: &[WALK, PROFILES],
        rows: &[
            fixed("CreationClassName", "PG_ComputerSystem", "its class, which OpenLMI's clients expect (setting)"),
            served("Name ElementName", "the host's fully qualified name (setting)"),
            fixed("NameFormat", "Other", "the name may be no address"),
            fixed("Caption", "Computer System", "its kind"),
            served("Description", "what it is here for"),
            fixed("Dedicated", "0", "Not Dedicated"),
            fixed("OperationalStatus", "2", "OK: it answers"),
            fixed("HealthState", "5", "OK"),
            fixed("EnabledState", "2", "Enabled"),
            fixed("RequestedState", "12", "Not Applicable"),
            fixed("EnabledDefault", "5", "Not Applicable"),
            none("InstanceID", "Name and CreationClassName are the keys"),
            none(
                "Roles IdentifyingDescriptions OtherIdentifyingInfo OtherDedicatedDescriptions",
                "only its software is shown",
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
        class: "CIM_RegisteredProfile",
        says: "A profile that is complied with (DSP1033), in root/interop: Base Server, Software Inventory, Software Update, \
               Job Control, Indications, Profile Registration.",
        by: &[PROFILES, "src/providers/tests.rs::profiles_are_seen_from_interop_only"],
        rows: &[
            served(
                "InstanceID",
                "`Quartermaster:`, of a host with an image `Quartermaster:Image:`, and the profile's name",
            ),
            served("RegisteredName RegisteredVersion", "as the profile says itself; Software Inventory is 1.0.1"),
            served("ElementName Caption", "its name, with the version"),
            fixed("RegisteredOrganization", "2", "DMTF"),
            fixed("SpecificationType", "2", "Profile"),
            fixed("AdvertiseTypes", "2", "Not Advertised: a client knows the host's address"),
            none(
                "AdvertiseTypeDescriptions OtherRegisteredOrganization OtherSpecificationType",
                "there is no 1 (Other)",
            ),
            none("ImplementedFeatures", "the profiles define no features"),
            served("Description", "what it is about here"),
        ],
        methods: &[
            fault(
                "OpenConformantInstances",
                "ActionNotSupported",
                "CIM deprecates it; the association has all instances",
            ),
            fault("PullConformantInstances", "ActionNotSupported", "CIM deprecates it"),
            fault("CloseConformantInstances", "ActionNotSupported", "CIM deprecates it"),
            fault("GetCentralInstances", "ActionNotSupported", "CIM_ElementConformsToProfile leads to them"),
        ],
    },
    Entry {
        class: "CIM_ElementConformsToProfile",
        says: "Which objects show that a profile is complied with: the system, all software that can be enumerated (installed, \
               then offered, then bundles: DSP1023 has each software identity as a central instance), the services, jobs. It \
               joins root/interop with root/cimv2.",
        by: &[
            PROFILES,
            "src/providers/tests.rs::only_what_there_is_conforms_to_a_profile",
            "src/providers/tests.rs::all_software_conforms_to_the_inventory_and_leads_to_it",
        ],
        rows: &[
            served("ConformantStandard", "the profile"),
            served("ManagedElement", "an object of the profile's central class, computed when it is asked for"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_ReferencedProfile",
        says: "Which profiles Base Server refers to.",
        by: &["src/providers/tests.rs::every_instance_is_found_again_by_its_own_path"],
        rows: &[served("Antecedent", "the component profile"), served("Dependent", "Base Server")],
        methods: &[],
    },
];
