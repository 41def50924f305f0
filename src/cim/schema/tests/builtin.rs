//! What the builtin schema must be: complete for the profiles, described, and sound where the loader does not look.

use super::super::super::{Class, ClassKind, Qualifiers, Value};
use super::*;

/// The classes each profile uses, and those of the log.
const PROFILES: &[(&str, &[&str])] = &[
    (
        "Software Inventory (DSP1023)",
        &[
            "CIM_ComputerSystem",
            "CIM_ElementConformsToProfile",
            "CIM_ElementSoftwareIdentity",
            "CIM_HostedAccessPoint",
            "CIM_HostedCollection",
            "CIM_InstalledSoftwareIdentity",
            "CIM_MemberOfCollection",
            "CIM_OperatingSystem",
            "CIM_OrderedComponent",
            "CIM_OrderedDependency",
            "CIM_RegisteredProfile",
            "CIM_RunningOS",
            "CIM_SAPAvailableForElement",
            "CIM_SoftwareIdentity",
            "CIM_SoftwareIdentityResource",
            "CIM_System",
            "CIM_SystemSpecificCollection",
        ],
    ),
    (
        "Software Update (DSP1025)",
        &[
            "CIM_AffectedJobElement",
            "CIM_Collection",
            "CIM_ConcreteJob",
            "CIM_ElementCapabilities",
            "CIM_ElementSoftwareIdentity",
            "CIM_HostedService",
            "CIM_OwningJobElement",
            "CIM_SAPAvailableForElement",
            "CIM_ServiceAffectsElement",
            "CIM_SoftwareIdentity",
            "CIM_SoftwareIdentityResource",
            "CIM_SoftwareInstallationService",
            "CIM_SoftwareInstallationServiceCapabilities",
        ],
    ),
    (
        "Job Control (DSP1103)",
        &[
            "CIM_AffectedJobElement",
            "CIM_AssociatedJobMethodResult",
            "CIM_ConcreteJob",
            "CIM_ElementSettingData",
            "CIM_Error",
            "CIM_InstMethodCall",
            "CIM_JobSettingData",
            "CIM_MethodResult",
            "CIM_OwningJobElement",
        ],
    ),
    (
        "Indications (DSP1054)",
        &[
            "CIM_AlertIndication",
            "CIM_ElementCapabilities",
            "CIM_ElementSettingData",
            "CIM_FilterCollection",
            "CIM_FilterCollectionSubscription",
            "CIM_HostedService",
            "CIM_IndicationFilter",
            "CIM_IndicationService",
            "CIM_IndicationServiceCapabilities",
            "CIM_IndicationServiceSettingData",
            "CIM_IndicationSubscription",
            "CIM_InstCreation",
            "CIM_InstDeletion",
            "CIM_InstModification",
            "CIM_ListenerDestinationCIMXML",
            "CIM_ListenerDestinationWSManagement",
            "CIM_MemberOfCollection",
            "CIM_OwningCollectionElement",
            "CIM_ServiceAffectsElement",
            "CIM_SettingsDefineCapabilities",
        ],
    ),
    (
        "Profile Registration (DSP1033)",
        &[
            "CIM_ElementConformsToProfile",
            "CIM_ReferencedProfile",
            "CIM_ReferencedSpecification",
            "CIM_RegisteredProfile",
            "CIM_RegisteredSpecification",
            "CIM_RegisteredSubProfile",
            "CIM_SubProfileRequiresProfile",
        ],
    ),
    (
        "the log",
        &["CIM_Log", "CIM_LogEntry", "CIM_LogManagesRecord", "CIM_RecordForLog", "CIM_RecordLog", "CIM_UseOfLog"],
    ),
];

const DESCRIPTION: &str = "Description";

fn text<'a>(qualifiers: &'a Qualifiers, name: &str) -> Option<&'a str> {
    qualifiers.get(name).and_then(Value::as_str)
}

/// Whether there is a description: one sentence, short enough to be read.
fn is_described(qualifiers: &Qualifiers) -> bool {
    text(qualifiers, DESCRIPTION).is_some_and(|text| text.ends_with('.') && (5..=120).contains(&text.len()))
}

/// Whether the class says what it is in words of its own, not with those it inherits.
fn describes_itself(schema: &Schema, class: &Class) -> bool {
    let inherited = class.superclass().and_then(|name| schema.class(name)).map(|parent| parent.qualifiers());
    is_described(class.qualifiers())
        && text(class.qualifiers(), DESCRIPTION) != inherited.and_then(|of| text(of, DESCRIPTION))
}

/// Every class, and every property, method and parameter where it is introduced, that has no description.
fn undescribed(schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for class in schema.classes() {
        let name = class.name();
        if !describes_itself(schema, class) {
            found.push(name.to_string());
        }
        let properties = class.properties().iter().filter(|p| p.origin == *name && !is_described(&p.qualifiers));
        found.extend(properties.map(|p| format!("{name}.{}", p.name)));
        for method in class.methods().iter().filter(|m| m.origin == *name) {
            if !is_described(&method.qualifiers) {
                found.push(format!("{name}.{}()", method.name));
            }
            let parameters = method.parameters.iter().filter(|p| !is_described(&p.qualifiers));
            found.extend(parameters.map(|p| format!("{name}.{}({})", method.name, p.name)));
        }
    }
    found
}

/// Every set of qualifiers of a class, with what it belongs to.
fn features(class: &Class) -> Vec<(String, &Qualifiers)> {
    let name = class.name();
    let mut all: Vec<_> = class.properties().iter().map(|p| (format!("{name}.{}", p.name), &p.qualifiers)).collect();
    for method in class.methods() {
        all.push((format!("{name}.{}()", method.name), &method.qualifiers));
        let parameters = method.parameters.iter();
        all.extend(parameters.map(|p| (format!("{name}.{}({})", method.name, p.name), &p.qualifiers)));
    }
    all
}

/// Whether the values have names one by one, and no value has two.
fn has_even_values(qualifiers: &Qualifiers) -> bool {
    let array = |name| qualifiers.get(name).map(|value| value.as_array().unwrap_or(&[]));
    match (array("ValueMap"), array("Values")) {
        (None, None) => true,
        (Some(map), values) => {
            let distinct = map.iter().enumerate().all(|(i, value)| !map[..i].contains(value));
            !map.is_empty() && distinct && values.is_none_or(|names| names.len() == map.len())
        }
        (None, Some(_)) => false,
    }
}

fn uneven(schema: &Schema) -> Vec<String> {
    let all = schema.classes().flat_map(|class| features(class));
    all.filter(|(_, qualifiers)| !has_even_values(qualifiers)).map(|(name, _)| name).collect()
}

fn without_keys(schema: &Schema) -> Vec<&str> {
    let concrete = schema.classes().filter(|class| !class.is_abstract() && class.kind() != ClassKind::Indication);
    concrete.filter(|class| class.keys().next().is_none()).map(|class| &**class.name()).collect()
}

#[test]
fn every_class_of_the_profiles_is_there() {
    let schema = Schema::builtin().unwrap();
    for (profile, classes) in PROFILES {
        for name in *classes {
            assert!(schema.class(name).is_some_and(|class| &**class.name() == *name), "{profile}: {name}");
        }
    }
}

#[test]
fn every_class_and_what_it_introduces_is_described() {
    assert_eq!(undescribed(&Schema::builtin().unwrap()), Vec::<String>::new());
    let lacking = of(r#"[Description("A thing.")] class A { string S; [Description("No sentence")] string T;
            [Description("Does it.")] uint32 F(string P); [Description("A number.")] uint8 N; };
        class B : A { [Override("N")] uint8 N; }; [Description("Another thing.")] class C : A { uint32 G(); };"#)
    .unwrap();
    assert_eq!(undescribed(&lacking), ["A.S", "A.T", "A.F(P)", "B", "C.G()"]);
}

#[test]
fn every_value_of_a_value_map_has_one_name() {
    assert_eq!(uneven(&Schema::builtin().unwrap()), Vec::<String>::new());
    let wrong = of(r#"class A { [ValueMap { "1", "2" }, Values { "One" }] uint8 N; [ValueMap { "1", "1" }] uint8 M;
            [Values { "No" }] boolean B; [ValueMap { "1" }, Values { "One" }] uint8 Good; [ValueMap { "OK" }] string Too;
            uint32 F([ValueMap { "1" }, Values {}] uint8 P); };"#)
    .unwrap();
    assert_eq!(uneven(&wrong), ["A.B", "A.M", "A.N", "A.F(P)"]);
}

#[test]
fn keys_are_those_of_the_class_that_introduced_them() {
    let schema = Schema::builtin().unwrap();
    let system_scoped = ["CreationClassName", "Name", "SystemCreationClassName", "SystemName"];
    let check =
        ["CheckID", "Name", "SoftwareElementID", "SoftwareElementState", "TargetOperatingSystem", "Version"].as_slice();
    for (class, keys) in [
        ("LMI_SoftwareIdentity", ["InstanceID"].as_slice()),
        ("VMware_ComponentSoftwareIdentity", &["InstanceID"]),
        ("VMware_ConcreteJob", &["InstanceID"]),
        ("LMI_SoftwareMethodResult", &["InstanceID"]),
        ("LMI_SystemSoftwareCollection", &["InstanceID"]),
        ("CIM_FilterCollection", &["InstanceID"]),
        ("CIM_RegisteredProfile", &["InstanceID"]),
        ("CIM_RecordLog", &["InstanceID"]),
        ("CIM_LogEntry", &["InstanceID"]),
        ("LMI_SoftwareInstallationServiceCapabilities", &["InstanceID"]),
        ("LMI_SoftwareInstallationService", &system_scoped),
        ("LMI_SoftwareIdentityResource", &system_scoped),
        ("CIM_IndicationService", &system_scoped),
        ("CIM_IndicationFilter", &system_scoped),
        ("CIM_ListenerDestinationWSManagement", &system_scoped),
        ("OMC_UnitaryComputerSystem", &["CreationClassName", "Name"]),
        ("CIM_OperatingSystem", &["CSCreationClassName", "CSName", "CreationClassName", "Name"]),
        ("LMI_SoftwareIdentityFileCheck", check),
        ("LMI_HostedSoftwareInstallationService", &["Antecedent", "Dependent"]),
        ("VMware_ComponentElementSoftwareIdentity", &["Antecedent", "Dependent"]),
        ("LMI_AffectedSoftwareJobElement", &["AffectedElement", "AffectingElement"]),
        ("CIM_IndicationSubscription", &["Filter", "Handler"]),
        ("CIM_OrderedComponent", &["GroupComponent", "PartComponent"]),
    ] {
        assert_eq!(names(schema.class(class).unwrap().keys().map(|p| &p.name)), keys, "{class}");
    }
}

#[test]
fn every_class_that_has_instances_of_its_own_has_keys() {
    let schema = Schema::builtin().unwrap();
    // The arguments and results of methods exist inside of jobs and of replies only.
    let (embedded, wrong): (Vec<_>, Vec<_>) = without_keys(&schema)
        .into_iter()
        .partition(|name| name.starts_with("__MethodParameters_") || *name == "QM_PlannedChange");
    assert_eq!(wrong, Vec::<&str>::new());
    assert_eq!(embedded.len(), 9);
    let two =
        of("class A { string S; }; class B : A { [Key] string K; }; [Abstract] class C {}; class D : C {};").unwrap();
    assert_eq!(without_keys(&two), ["A", "D"]);
}

#[test]
fn links_are_identified_by_what_they_link() {
    let schema = Schema::builtin().unwrap();
    // Parameters of methods hold references, which only associations may declare; nothing is linked by them.
    let links = schema.classes().filter(|class| !class.name().starts_with("__MethodParameters_"));
    for class in links.filter(|class| class.kind() == ClassKind::Association) {
        assert!(class.keys().eq(class.references()), "{}", class.name());
        let wholes = class.references().filter(|p| p.qualifiers.is_set("Aggregate")).count();
        assert_eq!(wholes, usize::from(class.qualifiers().is_set("Aggregation")), "{}", class.name());
    }
}

#[test]
fn a_propagated_key_is_a_key_of_the_class_it_comes_from() {
    let schema = Schema::builtin().unwrap();
    let mut seen = 0;
    for property in schema.classes().flat_map(|class| class.properties()) {
        let Some((class, key)) = text(&property.qualifiers, "Propagated").and_then(|of| of.split_once('.')) else {
            continue;
        };
        let source = schema.class(class).and_then(|class| class.property(key));
        assert!(property.key && source.is_some_and(|s| s.key && s.shape == property.shape), "{class}.{key}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
