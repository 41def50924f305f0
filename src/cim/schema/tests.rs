mod builtin;

use super::super::{CimType, ClassKind, DateTime, Direction, Value};
use super::*;

fn of(text: &str) -> Result<Schema, SchemaError> {
    Schema::from_mof([("test.mof", text)].into_iter())
}

fn error(text: &str) -> String {
    of(text).unwrap_err().to_string()
}

fn names<'a>(names: impl IntoIterator<Item = &'a Arc<str>>) -> Vec<&'a str> {
    names.into_iter().map(|name| &**name).collect()
}

#[test]
fn the_builtin_schema_has_the_job_of_openlmi() {
    let schema = Schema::builtin().unwrap();
    let job = schema.class("lmi_softwareinstallationjob").unwrap();
    assert_eq!(&**job.name(), "LMI_SoftwareInstallationJob");
    assert_eq!(
        names(job.ancestors()),
        [
            "LMI_SoftwareJob",
            "LMI_ConcreteJob",
            "CIM_ConcreteJob",
            "CIM_Job",
            "CIM_LogicalElement",
            "CIM_ManagedSystemElement",
            "CIM_ManagedElement"
        ]
    );
    assert_eq!((job.kind(), job.is_abstract()), (ClassKind::Ordinary, false));
    assert_eq!(names(job.keys().map(|p| &p.name)), ["InstanceID"]);
    let id = job.property("instanceid").unwrap();
    assert_eq!((&*id.origin, id.required, id.writable), ("CIM_ManagedElement", true, false));
    let removal = job.property("TimeBeforeRemoval").unwrap();
    assert_eq!(removal.default, Value::Datetime(DateTime::seconds(300)));
    assert!(removal.required && removal.writable);
    let status = job.property("OperationalStatus").unwrap();
    assert_eq!((status.shape.cim_type, status.shape.array), (CimType::Uint16, true));
    let parameters = &job.property("JobOutParameters").unwrap().shape;
    assert_eq!((parameters.cim_type, &parameters.class), (CimType::Instance, &None));
    let errors = job.method("GetErrors").unwrap().parameter("Errors").unwrap();
    assert_eq!(errors.direction, Direction::Out);
    assert_eq!(errors.shape.class.as_deref(), Some("CIM_Error"));
    assert!(job.property("Generation").is_none());
}

#[test]
fn the_builtin_schema_has_the_final_hierarchy() {
    let schema = Schema::builtin().unwrap();
    assert_eq!(&**schema.class("CIM_System").unwrap().superclass().unwrap(), "CIM_EnabledLogicalElement");
    for root in ["CIM_Component", "CIM_Error", "CIM_Dependency", "CIM_ManagedElement", "CIM_Indication"] {
        assert_eq!(schema.class(root).unwrap().superclass(), None, "{root}");
    }
    assert!(schema.class("CIM_ManagedElement").unwrap().is_abstract());
    let system = schema.class("PG_ComputerSystem").unwrap();
    assert_eq!(names(system.keys().map(|p| &p.name)), ["CreationClassName", "Name"]);
    assert!(system.is_a("CIM_UnitaryComputerSystem") && !system.is_abstract());
    assert_eq!(&*system.property("Name").unwrap().origin, "CIM_ManagedSystemElement");
    let service = schema.class("LMI_SoftwareInstallationService").unwrap();
    assert_eq!(
        names(service.keys().map(|p| &p.name)),
        ["CreationClassName", "Name", "SystemCreationClassName", "SystemName"]
    );
    let install = service.method("InstallFromURI").unwrap();
    assert_eq!((&*install.origin, install.returns), ("CIM_SoftwareInstallationService", CimType::Uint32));
    assert_eq!(
        names(install.parameters.iter().map(|p| &p.name)),
        ["Job", "URI", "Target", "InstallOptions", "InstallOptionsValues"]
    );
    assert_eq!(install.parameter("job").unwrap().direction, Direction::Out);
    assert!(service.method("InstallFromByteStream").is_some());
}

#[test]
fn associations_and_indications_inherit_their_kind() {
    let schema = Schema::builtin().unwrap();
    let installed = schema.class("LMI_InstalledSoftwareIdentity").unwrap();
    assert_eq!(installed.kind(), ClassKind::Association);
    let targets: Vec<_> = installed.references().map(|p| (&*p.name, p.shape.class.as_deref().unwrap())).collect();
    assert_eq!(targets, [("InstalledSoftware", "LMI_SoftwareIdentity"), ("System", "CIM_ComputerSystem")]);
    let changed = schema.class("LMI_SoftwareInstModification").unwrap();
    assert_eq!((changed.kind(), changed.is_abstract()), (ClassKind::Indication, false));
    assert!(schema.class("CIM_InstIndication").unwrap().is_abstract());
}

#[test]
fn every_reference_and_embedded_class_exists() {
    let schema = Schema::builtin().unwrap();
    let mut seen = 0;
    for class in schema.classes() {
        let parameters = class.methods().iter().flat_map(|m| &m.parameters).map(|p| &p.shape);
        for shape in class.properties().iter().map(|p| &p.shape).chain(parameters) {
            if let Some(name) = &shape.class {
                assert_eq!(schema.class(name).unwrap().name(), name);
                seen += 1;
            }
            assert!(shape.cim_type != CimType::Reference || shape.class.is_some());
        }
        let links = class.kind() == ClassKind::Association && !class.name().starts_with("__MethodParameters_");
        assert!(!links || class.references().count() >= 2, "{}", class.name());
        assert!(class.kind() == ClassKind::Association || class.references().next().is_none(), "{}", class.name());
        for property in class.properties() {
            assert!(property.default.fits(property.shape.cim_type, property.shape.array));
        }
    }
    assert!(seen > 150, "{seen}");
}

#[test]
fn a_family_is_the_class_and_all_that_extend_it() {
    let schema = Schema::builtin().unwrap();
    let family: Vec<_> = schema.with_subclasses("cim_instcreation").iter().map(|c| &**c.name()).collect();
    let known = ["CIM_InstCreation", "LMI_SoftwareInstCreation", "QM_PatchInstCreation", "VMware_ConcreteJobCreation"];
    assert_eq!(family, known);
    assert!(schema.with_subclasses("CIM_Nothing").is_empty());
    for class in schema.classes() {
        let family = schema.with_subclasses(class.name());
        assert!(Arc::ptr_eq(&family[0], class));
        assert!(family.iter().all(|member| member.is_a(class.name())));
        assert_eq!(family.len(), schema.classes().filter(|other| other.is_a(class.name())).count());
    }
}

#[test]
fn a_printed_schema_reads_back_as_the_same_schema() {
    let schema = Schema::builtin().unwrap();
    let files = schema.classes().map(|class| (class.name(), schema.declaration(class).to_string()));
    let again = Schema::from_mof(files).unwrap();
    let pairs = schema.classes().zip(again.classes());
    for (one, other) in pairs {
        assert_eq!(one.properties(), other.properties(), "{}", one.name());
        assert_eq!(one.methods().len(), other.methods().len());
        assert_eq!((one.kind(), one.ancestors()), (other.kind(), other.ancestors()));
    }
    assert_eq!(schema.classes().count(), again.classes().count());
}

#[test]
fn a_default_taken_away_is_printed() {
    let schema = of("class A { uint8 N = 1; }; class B : A { [Override(\"N\")] uint8 N = NULL; };").unwrap();
    let printed: String = schema.classes().map(|class| schema.declaration(class).to_string()).collect();
    assert_eq!(of(&printed).unwrap().class("B").unwrap().property("N").unwrap().default, Value::Null);
}

#[test]
fn qualifiers_propagate_as_dsp0004_says() {
    let schema = of(r#"
        [Abstract, Experimental, Version("1.0"), Description("top"), Association] class A { [Key] A REF X; [Key] A REF Y;
            [Write, MaxLen(10), Deprecated { "Z" }] string S = "a"; uint32 N; };
        class B : A { [Override("s")] string S; [Override("A.X")] B REF X; };
        class C : B { [Write(false), Override("S"), MaxLen(5)] string s = "c"; };
    "#)
    .unwrap();
    let b = schema.class("b").unwrap();
    assert_eq!((b.kind(), b.is_abstract()), (ClassKind::Association, false));
    assert!(b.qualifiers().get("Version").is_none() && b.qualifiers().get("Description").is_some());
    let s = b.property("S").unwrap();
    assert_eq!((s.writable, &s.default, &*s.origin), (true, &Value::from("a"), "A"));
    assert!(s.qualifiers.get("Deprecated").is_none());
    assert_eq!(b.property("X").unwrap().shape.class.as_deref(), Some("B"));
    let c = schema.class("C").unwrap().property("S").unwrap();
    assert_eq!((c.writable, &c.default, &*c.name, c.qualifiers.0.len()), (false, &Value::from("c"), "S", 3));
    assert_eq!(c.qualifiers.get("MaxLen"), Some(&Value::Uint64(5)));
}

#[test]
fn what_cannot_be_linked_is_refused_with_its_place() {
    assert_eq!(error("class A {};\nclass a {};"), "test.mof:2:7: class a is already declared at test.mof:1:7");
    assert_eq!(error("class A : B {};"), "test.mof:1:7: class A extends B, which is not declared");
    assert!(error("class A : B {}; class B : C {}; class C : B {};").ends_with("is its own ancestor"));
    assert!(error("class A : A {};").ends_with("class A is its own ancestor"));
    assert_eq!(error("class A { void_ REF X; };"), "test.mof:1:21: A.X points to void_, which is not declared");
    assert!(error("class A { uint8 f([EmbeddedInstance(\"B\")] string P); };").contains("A.P points to B"));
    assert!(error("class A {}; [Association] class B : A {};").contains("but its superclass is not"));
}

#[test]
fn overrides_that_change_the_type_are_refused() {
    let base = "class T {}; class U : T {}; class A { [Key] string K; uint16 N; T REF R; [Required] string Q; \
                uint32 F(uint8 P); };\n";
    for (heir, why) in [
        ("uint32 N;", "mark it with Override"),
        ("[Override(\"N\")] uint32 N;", "another type"),
        ("[Override(\"N\")] uint16 N[];", "an array in one"),
        ("[Override(\"K\")] uint16 N;", "another name"),
        ("[Override(\"M\")] uint16 M;", "overrides nothing"),
        ("[Override] uint16 N;", "names nothing"),
        ("[Override(\"R\")] A REF R;", "no subclass"),
        ("[Key] string L;", "has its keys already"),
        ("[Override(\"N\"), Key] uint16 N;", "has its keys already"),
        ("[Override(\"K\"), Key(false)] string K;", "stays one"),
        ("[Override(\"Q\"), Required(false)] string Q;", "stays so"),
        ("[Override(\"F\")] uint16 F(uint8 P);", "returns another type"),
        ("[Override(\"F\")] uint32 F();", "lacks a parameter"),
        ("[Override(\"F\")] uint32 F(uint16 P);", "another type"),
    ] {
        let message = error(&format!("{base}class B : A {{ {heir} }};"));
        assert!(message.contains(why) && message.starts_with("test.mof:2:"), "{heir}: {message}");
    }
    assert!(of(&format!("{base}class B : A {{ [Override(\"R\")] U REF R; }};")).is_ok());
}
