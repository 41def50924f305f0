//! The schema of the common types of DSP0230, as far as the schemas of classes use them.

use super::types::{TEXT_TYPES, TextType};
use super::xsd::{Document, write_any_attribute};
use crate::wire::names::{CIM, XS};
use crate::xml::Writer;

/// Writes the document.
pub(super) fn write_common(w: &mut Writer) {
    w.start("xs:schema").attribute("xmlns:xs", XS).attribute("xmlns:cim", CIM).attribute("targetNamespace", CIM);
    w.attribute("elementFormDefault", "qualified");
    let mut document = Document::new(w, true);
    for text in TEXT_TYPES {
        document.component(|w| write_text_type(w, text));
    }
    document.component(write_char16);
    document.component(write_datetime);
    document.component(write_reference);
    document.end();
}

fn write_text_type(w: &mut Writer, text: TextType) {
    w.start("xs:complexType").attribute("name", text.name).start("xs:simpleContent");
    w.start("xs:extension").attribute_parts("base", &["xs:", text.base]);
    write_any_attribute(w);
    w.end("xs:extension").end("xs:simpleContent").end("xs:complexType");
}

fn write_char16(w: &mut Writer) {
    w.start("xs:complexType").attribute("name", "cimChar16").start("xs:simpleContent");
    w.start("xs:restriction").attribute("base", "cim:cimString");
    w.start("xs:maxLength").attribute("value", "1").end("xs:maxLength");
    write_any_attribute(w);
    w.end("xs:restriction").end("xs:simpleContent").end("xs:complexType");
}

/// A datetime is one element, named after what it tells.
fn write_datetime(w: &mut Writer) {
    let choices = [
        ("CIM_DateTime", "xs:string"),
        ("Interval", "xs:duration"),
        ("Date", "xs:date"),
        ("Time", "xs:time"),
        ("Datetime", "xs:dateTime"),
    ];
    w.start("xs:complexType").attribute("name", "cimDateTime").start("xs:choice");
    for (name, base) in choices {
        w.start("xs:element").attribute("name", name).attribute("type", base).end("xs:element");
    }
    w.end("xs:choice");
    write_any_attribute(w);
    w.end("xs:complexType");
}

/// A reference holds what an endpoint reference of WS-Addressing does.
fn write_reference(w: &mut Writer) {
    w.start("xs:complexType").attribute("name", "cimReference").start("xs:sequence");
    w.start("xs:any").attribute("namespace", "##other").attribute("maxOccurs", "unbounded");
    w.attribute("processContents", "lax").end("xs:any").end("xs:sequence");
    write_any_attribute(w);
    w.end("xs:complexType");
}
