//! Small classes in both forms, and all classes of the server.

use std::sync::LazyLock;

use super::*;
use crate::cim::Schema;
use crate::wire::OptionSet;
use crate::xml::{Element, ElementExt, Limits, Writer, read};

const MOF: &str = r#"
[Abstract, Version("1.0"), Description("Has a name.")]
class CIM_Named { [Key, MaxLen(64)] string Name; [Write] uint16 Levels[] = { 1, 2 }; };
class LMI_Thing : CIM_Named {
    [Override("Name"), Description("Its <name>.")] string Name;
    [Required] boolean Ready = false;
    [EmbeddedInstance("CIM_Named")] string Inner;
    [EmbeddedObject] string Any[];
    datetime Since = "00000001000000.000000:000";
    [ValueMap { "0", "1" }, Values { "Off", "On" }]
    uint32 Switch([In, Required] boolean On, CIM_Named REF Who, [In(false), Out] uint16 Codes[]);
};
[Association] class LMI_Link { [Key] CIM_Named REF Antecedent; [Key, Max(1)] LMI_Thing REF Dependent; };
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::from_mof([("test.mof", MOF)].into_iter()).unwrap());
static BUILTIN: LazyLock<Schema> = LazyLock::new(|| Schema::builtin().unwrap());

const EVERYTHING: ClassOptions =
    ClassOptions { qualifiers: true, class_origin: true, inherited_elements: true, inheritance_hierarchy: true };

/// What is written, one element a line.
fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new(usize::MAX);
    write(&mut w);
    String::from_utf8(w.finish()).unwrap().replace("><", ">\n<")
}

fn cim_xml(class: &str, options: ClassOptions) -> String {
    written(|w| write_cim_xml(w, &SCHEMA, SCHEMA.class(class).unwrap(), options))
}

#[test]
fn a_class_shows_of_its_own_what_was_not_asked_for_in_detail() {
    assert_eq!(
        cim_xml("LMI_Thing", ClassOptions::default()),
        r#"<CLASS NAME="LMI_Thing" SUPERCLASS="CIM_Named">
<PROPERTY.ARRAY NAME="Any" TYPE="string" EmbeddedObject="object"/>
<PROPERTY NAME="Inner" TYPE="string" EmbeddedObject="instance"/>
<PROPERTY NAME="Name" TYPE="string"/>
<PROPERTY NAME="Ready" TYPE="boolean">
<VALUE>false</VALUE>
</PROPERTY>
<PROPERTY NAME="Since" TYPE="datetime">
<VALUE>00000001000000.000000:000</VALUE>
</PROPERTY>
<METHOD NAME="Switch" TYPE="uint32">
<PARAMETER NAME="On" TYPE="boolean"/>
<PARAMETER.REFERENCE NAME="Who" REFERENCECLASS="CIM_Named"/>
<PARAMETER.ARRAY NAME="Codes" TYPE="uint16"/>
</METHOD>
</CLASS>"#
    );
}

#[test]
fn a_class_shows_everything_to_who_asks_for_everything() {
    let shown = cim_xml("LMI_Thing", EVERYTHING);
    for expected in [
        r#"<CLASS NAME="LMI_Thing" SUPERCLASS="CIM_Named" DERIVATION="CIM_Named">"#,
        r#"<QUALIFIER NAME="Description" TYPE="string" PROPAGATED="true" TRANSLATABLE="true">
<VALUE>Has a name.</VALUE>
</QUALIFIER>"#,
        r#"<PROPERTY.ARRAY NAME="Levels" TYPE="uint16" CLASSORIGIN="CIM_Named" PROPAGATED="true">
<QUALIFIER NAME="Write" TYPE="boolean" PROPAGATED="true">
<VALUE>true</VALUE>
</QUALIFIER>
<VALUE.ARRAY>
<VALUE>1</VALUE>
<VALUE>2</VALUE>
</VALUE.ARRAY>
</PROPERTY.ARRAY>"#,
        r#"<PROPERTY NAME="Name" TYPE="string" CLASSORIGIN="CIM_Named">
<QUALIFIER NAME="Key" TYPE="boolean" PROPAGATED="true" OVERRIDABLE="false">
<VALUE>true</VALUE>
</QUALIFIER>
<QUALIFIER NAME="MaxLen" TYPE="uint32" PROPAGATED="true">
<VALUE>64</VALUE>
</QUALIFIER>
<QUALIFIER NAME="Override" TYPE="string" TOSUBCLASS="false">
<VALUE>Name</VALUE>
</QUALIFIER>
<QUALIFIER NAME="Description" TYPE="string" TRANSLATABLE="true">
<VALUE>Its &lt;name&gt;.</VALUE>
</QUALIFIER>
</PROPERTY>"#,
        r#"<METHOD NAME="Switch" TYPE="uint32" CLASSORIGIN="LMI_Thing">
<QUALIFIER NAME="ValueMap" TYPE="string">
<VALUE.ARRAY>
<VALUE>0</VALUE>
<VALUE>1</VALUE>
</VALUE.ARRAY>
</QUALIFIER>"#,
        r#"<PARAMETER.REFERENCE NAME="Who" REFERENCECLASS="CIM_Named">
<QUALIFIER NAME="In" TYPE="boolean" OVERRIDABLE="false">
<VALUE>true</VALUE>
</QUALIFIER>
</PARAMETER.REFERENCE>"#,
    ] {
        assert!(shown.contains(expected), "{expected}\nis not in\n{shown}");
    }
    assert!(!shown.contains("Abstract") && !shown.contains("Version"), "{shown}");
}

#[test]
fn an_association_is_told_by_its_qualifier_and_its_references() {
    let shown = cim_xml("LMI_Link", ClassOptions { qualifiers: true, ..EVERYTHING });
    assert!(shown.starts_with("<CLASS NAME=\"LMI_Link\" DERIVATION=\"\">\n<QUALIFIER NAME=\"Association\""), "{shown}");
    assert!(
        shown.contains("<PROPERTY.REFERENCE NAME=\"Dependent\" REFERENCECLASS=\"LMI_Thing\" CLASSORIGIN"),
        "{shown}"
    );
}

#[test]
fn options_are_heard_in_the_spelling_of_every_client() {
    let options = OptionSet::default().with("IncludeQualifiers", "true").with("wmi:IncludeClassOrigin", "false");
    let options = ClassOptions::read(&options.with("wmi:IncludeInheritedElements", "TRUE"));
    let expected = ClassOptions { qualifiers: true, inherited_elements: true, ..ClassOptions::default() };
    assert_eq!(options, expected);
}

/// What the readers in the field accept: these attributes, and a value in every qualifier.
fn check(element: &Element) {
    let attributes: Vec<&str> = element.attributes.keys().map(String::as_str).collect();
    let known: &[&str] = match element.name.as_str() {
        "CLASS" => &["NAME", "SUPERCLASS", "DERIVATION"],
        "QUALIFIER" => &["NAME", "TYPE", "PROPAGATED", "OVERRIDABLE", "TOSUBCLASS", "TRANSLATABLE"],
        "PROPERTY" | "PROPERTY.ARRAY" => &["NAME", "TYPE", "CLASSORIGIN", "PROPAGATED", "EmbeddedObject"],
        "PROPERTY.REFERENCE" => &["NAME", "REFERENCECLASS", "CLASSORIGIN", "PROPAGATED"],
        "METHOD" => &["NAME", "TYPE", "CLASSORIGIN", "PROPAGATED"],
        "PARAMETER" | "PARAMETER.ARRAY" => &["NAME", "TYPE"],
        "PARAMETER.REFERENCE" | "PARAMETER.REFARRAY" => &["NAME", "REFERENCECLASS"],
        "VALUE" | "VALUE.ARRAY" => &[],
        other => panic!("{other}"),
    };
    assert!(attributes.iter().all(|a| known.contains(a)), "{} has {attributes:?}", element.name);
    assert_eq!(element.namespace, None);
    if !element.name.starts_with("VALUE") {
        assert_eq!(attributes.first(), Some(&"NAME"));
    }
    let values: usize = element.elements().filter(|e| e.name.starts_with("VALUE")).count();
    if element.name == "QUALIFIER" {
        assert_eq!(values, 1, "{element:?}");
    }
    element.elements().for_each(check);
}

#[test]
fn every_class_of_the_server_is_one_that_strict_readers_read() {
    let everything = Limits { elements: 1_000_000, ..Limits::default() };
    for class in BUILTIN.classes() {
        let text = written(|w| write_cim_xml(w, &BUILTIN, class, EVERYTHING));
        let element = read(&text.replace('\n', ""), &everything).unwrap();
        check(&element);
        let count = |prefix: &str| element.elements().filter(|e| e.name.starts_with(prefix)).count();
        assert_eq!((count("PROPERTY"), count("METHOD")), (class.properties().len(), class.methods().len()));
    }
}

#[test]
fn a_class_is_referred_to_by_its_representation_its_namespace_and_its_name() {
    let reference = written(|w| write_class_reference(w, Representation::CimXml, "root/cimv2", "CIM_Job"));
    assert_eq!(
        reference,
        r#"<wsa:EndpointReference>
<wsa:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:Address>
<wsa:ReferenceParameters>
<wsman:ResourceURI>http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*</wsman:ResourceURI>
<wsman:SelectorSet>
<wsman:Selector Name="__cimnamespace">root/cimv2</wsman:Selector>
<wsman:Selector Name="ClassName">CIM_Job</wsman:Selector>
</wsman:SelectorSet>
</wsa:ReferenceParameters>
</wsa:EndpointReference>"#
    );
}
