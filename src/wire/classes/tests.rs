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
    if element.name == "CLASS" {
        let qualifiers = element.elements().filter(|e| e.name == "QUALIFIER");
        qualifiers.for_each(|qualifier| assert!(!has_empty_item(qualifier), "{qualifier:?}"));
    }
    element.elements().for_each(check);
}

/// OMI's reader takes an empty item of an array for NULL, and refuses a class of which a qualifier has one.
fn has_empty_item(qualifier: &Element) -> bool {
    let arrays = qualifier.elements().filter(|e| e.name == "VALUE.ARRAY");
    arrays.flat_map(ElementExt::elements).any(|item| item.text().is_empty())
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
fn an_empty_item_of_a_qualifier_is_found() {
    let read_one = |items: &str| {
        let text = format!("<QUALIFIER NAME=\"Deprecated\"><VALUE.ARRAY>{items}</VALUE.ARRAY></QUALIFIER>");
        has_empty_item(&read(&text, &Limits::default()).unwrap())
    };
    assert!(!read_one("<VALUE>CIM_Job</VALUE>"));
    assert!(read_one("<VALUE>CIM_Job</VALUE><VALUE></VALUE>") && read_one("<VALUE.NULL/>"));
}

#[test]
fn a_class_is_referred_to_by_its_format_its_namespace_and_its_name() {
    let reference = written(|w| write_class_reference(w, ClassFormat::CimXml, "root/cimv2", "CIM_Job"));
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

#[test]
fn a_class_is_a_schema_of_its_instances_and_calls() {
    let shown = written(|w| write_schema(w, SCHEMA.class("LMI_Thing").unwrap()));
    let any = "<xs:anyAttribute namespace=\"##any\" processContents=\"lax\"/>";
    let shown = shown.replace(any, "(any attribute)");
    assert_eq!(
        shown,
        r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xmlns:class="http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Thing" targetNamespace="http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Thing" elementFormDefault="qualified">
<xs:import namespace="http://schemas.dmtf.org/wbem/wscim/1/common"/>
<xs:element name="Any" nillable="true" type="xs:anyType"/>
<xs:element name="Inner" nillable="true" type="xs:anyType"/>
<xs:element name="Levels" nillable="true" type="cim:cimUnsignedShort"/>
<xs:element name="Name" type="cim:cimString"/>
<xs:element name="Ready" type="cim:cimBoolean"/>
<xs:element name="Since" nillable="true" type="cim:cimDateTime"/>
<xs:complexType name="LMI_Thing_Type">
<xs:sequence>
<xs:element ref="class:Any" minOccurs="0" maxOccurs="unbounded"/>
<xs:element ref="class:Inner" minOccurs="0"/>
<xs:element ref="class:Levels" minOccurs="0" maxOccurs="unbounded"/>
<xs:element ref="class:Name"/>
<xs:element ref="class:Ready"/>
<xs:element ref="class:Since" minOccurs="0"/>
<xs:any namespace="##other" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
</xs:sequence>
(any attribute)
</xs:complexType>
<xs:element name="LMI_Thing" type="class:LMI_Thing_Type"/>
<xs:element name="Switch_INPUT">
<xs:complexType>
<xs:sequence>
<xs:element name="On" type="cim:cimBoolean"/>
<xs:element name="Who" minOccurs="0" nillable="true" type="cim:cimReference"/>
</xs:sequence>
</xs:complexType>
</xs:element>
<xs:element name="Switch_OUTPUT">
<xs:complexType>
<xs:sequence>
<xs:element name="Codes" minOccurs="0" maxOccurs="unbounded" nillable="true" type="cim:cimUnsignedShort"/>
<xs:element name="ReturnValue" nillable="true">
<xs:complexType>
<xs:simpleContent>
<xs:restriction base="cim:cimUnsignedInt">
<xs:enumeration value="0"/>
<xs:enumeration value="1"/>
(any attribute)
</xs:restriction>
</xs:simpleContent>
</xs:complexType>
</xs:element>
</xs:sequence>
</xs:complexType>
</xs:element>
</xs:schema>"###
    );
}

#[test]
fn values_and_ranges_stand_side_by_side() {
    let mof = r#"class X { [ValueMap { "2", "0x10..20" }] uint8 Mixed[]; [OctetString] uint8 Octets[]; char16 One; };"#;
    let schema = Schema::from_mof([("test.mof", mof)].into_iter()).unwrap();
    let shown = written(|w| write_schema(w, schema.class("X").unwrap()));
    for expected in [
        r#"<xs:element name="Mixed" nillable="true">
<xs:complexType>
<xs:simpleContent>
<xs:restriction base="cim:cimAnySimpleType">
<xs:simpleType>
<xs:union>
<xs:simpleType>
<xs:restriction base="xs:unsignedByte">
<xs:enumeration value="2"/>
</xs:restriction>
</xs:simpleType>
<xs:simpleType>
<xs:restriction base="xs:unsignedByte">
<xs:minInclusive value="16"/>
<xs:maxInclusive value="20"/>
</xs:restriction>
</xs:simpleType>
</xs:union>
</xs:simpleType>"#,
        r#"<xs:element name="Octets" nillable="true" type="cim:cimBase64Binary"/>"#,
        r#"<xs:element ref="class:Octets" minOccurs="0"/>"#,
        r#"<xs:element name="One" nillable="true" type="cim:cimChar16"/>"#,
    ] {
        assert!(shown.contains(expected), "{expected}\nis not in\n{shown}");
    }
}

#[test]
fn the_files_name_each_other_and_every_type_that_they_use() {
    let files: Vec<SchemaFile> = schema_files(&BUILTIN).collect();
    let text = |file: &SchemaFile| String::from_utf8(file.content.clone()).unwrap();
    assert_eq!(files.len(), BUILTIN.classes().count() + 2);
    let common = text(files.iter().find(|file| file.name == "common.xsd").unwrap());
    let driver = text(files.iter().find(|file| file.name == "schema.xsd").unwrap());
    for file in files.iter().filter(|file| file.name != "schema.xsd") {
        assert!(driver.contains(&format!("schemaLocation=\"{}\"", file.name)), "{}", file.name);
        for used in text(file).split("\"cim:").skip(1) {
            let name = used.split('"').next().unwrap();
            assert!(common.contains(&format!("<xs:complexType name=\"{name}\">")), "{name} of {}", file.name);
        }
    }
}
