//! Classes as XML Schema documents (DSP0230): what an instance of the class and the calls of its methods look like.

use super::facets::{Facet, facets};
use super::types::{ANY_SIMPLE, TextType, XmlType};
use crate::cim::{Class, Method, Parameter, Property, Qualifiers, Shape};
use crate::wire::UriForm;
use crate::wire::names::{CIM, XS};
use crate::xml::Writer;

/// Writes the document of a class, `xs:schema`. Its target namespace is the class's own URI. Where the schema of the common
/// types lies is left to the reader.
pub fn write_schema(w: &mut Writer, class: &Class) {
    write_document(w, class, None);
}

/// The same for a file: with the place of the common types, and with lines.
pub(super) fn write_document(w: &mut Writer, class: &Class, common: Option<&str>) {
    let namespace = UriForm::Vendor.class_uri(class.name());
    w.start("xs:schema").attribute("xmlns:xs", XS).attribute("xmlns:cim", CIM).attribute("xmlns:class", &namespace);
    w.attribute("targetNamespace", &namespace).attribute("elementFormDefault", "qualified");
    let mut document = Document::new(w, common.is_some());
    document.component(|w| {
        w.start("xs:import").attribute("namespace", CIM);
        if let Some(place) = common {
            w.attribute("schemaLocation", place);
        }
        w.end("xs:import");
    });
    for property in class.properties() {
        document.component(|w| write_property(w, property));
    }
    document.component(|w| write_class_type(w, class));
    document.component(|w| {
        w.start("xs:element").attribute("name", class.name());
        w.attribute_parts("type", &["class:", class.name(), "_Type"]).end("xs:element");
    });
    for method in class.methods() {
        document.component(|w| write_input(w, method));
        document.component(|w| write_output(w, method));
    }
    document.end();
}

/// A document being written, one component a line if lines are wanted.
pub(super) struct Document<'w> {
    w: &'w mut Writer,
    lines: bool,
}

impl<'w> Document<'w> {
    /// `xs:schema` has been begun.
    pub(super) fn new(w: &'w mut Writer, lines: bool) -> Self {
        Self { w, lines }
    }

    pub(super) fn component(&mut self, write: impl FnOnce(&mut Writer)) {
        self.new_line();
        write(self.w);
    }

    /// Ends the document.
    pub(super) fn end(mut self) {
        self.new_line();
        self.w.end("xs:schema");
        self.new_line();
    }

    fn new_line(&mut self) {
        if self.lines {
            self.w.text("\n");
        }
    }
}

/// The global element of a property.
fn write_property(w: &mut Writer, property: &Property) {
    w.start("xs:element").attribute("name", &property.name);
    if !property.required {
        w.attribute("nillable", "true");
    }
    write_type(w, &property.shape, &property.qualifiers);
    w.end("xs:element");
}

/// `CIM_X_Type`: the properties in alphabetical order, then whatever extensions there are.
fn write_class_type(w: &mut Writer, class: &Class) {
    w.start("xs:complexType").attribute_parts("name", &[class.name(), "_Type"]).start("xs:sequence");
    for property in class.properties() {
        w.start("xs:element").attribute_parts("ref", &["class:", &property.name]);
        write_occurrence(w, property.required, &property.shape);
        w.end("xs:element");
    }
    w.start("xs:any").attribute("namespace", "##other").attribute("minOccurs", "0").attribute("maxOccurs", "unbounded");
    w.attribute("processContents", "lax").end("xs:any").end("xs:sequence");
    write_any_attribute(w);
    w.end("xs:complexType");
}

/// `Method_INPUT`: what a caller gives, in the order of the declaration.
fn write_input(w: &mut Writer, method: &Method) {
    write_call(w, &method.name, "_INPUT", |w| {
        method.parameters.iter().filter(|p| p.direction.is_in()).for_each(|p| write_parameter(w, p, p.required));
    });
}

/// `Method_OUTPUT`: what the method gives back, and its return value last. What has no value may be left out.
fn write_output(w: &mut Writer, method: &Method) {
    write_call(w, &method.name, "_OUTPUT", |w| {
        for parameter in method.parameters.iter().filter(|p| p.direction.is_out()) {
            write_parameter(w, parameter, false);
        }
        w.start("xs:element").attribute("name", "ReturnValue").attribute("nillable", "true");
        write_type(w, &Shape::scalar(method.returns), &method.qualifiers);
        w.end("xs:element");
    });
}

fn write_call(w: &mut Writer, method: &str, suffix: &str, write: impl FnOnce(&mut Writer)) {
    w.start("xs:element").attribute_parts("name", &[method, suffix]).start("xs:complexType").start("xs:sequence");
    write(w);
    w.end("xs:sequence").end("xs:complexType").end("xs:element");
}

fn write_parameter(w: &mut Writer, parameter: &Parameter, required: bool) {
    w.start("xs:element").attribute("name", &parameter.name);
    write_occurrence(w, required, &parameter.shape);
    if !required {
        w.attribute("nillable", "true");
    }
    write_type(w, &parameter.shape, &parameter.qualifiers);
    w.end("xs:element");
}

/// How often the element of a feature stands there.
fn write_occurrence(w: &mut Writer, required: bool, shape: &Shape) {
    if !required {
        w.attribute("minOccurs", "0");
    }
    if let (_, true) = XmlType::of(shape) {
        w.attribute("maxOccurs", "unbounded");
    }
}

/// The type of an element, as an attribute, or inside it if its values are restricted.
fn write_type(w: &mut Writer, shape: &Shape, qualifiers: &Qualifiers) {
    let (xml_type, _) = XmlType::of(shape);
    match (xml_type, facets(shape.cim_type, qualifiers).as_slice()) {
        (XmlType::Text(text), [first, rest @ ..]) => {
            w.start("xs:complexType").start("xs:simpleContent");
            write_restricted(w, text, first, rest);
            w.end("xs:simpleContent").end("xs:complexType");
        }
        (xml_type, _) => {
            w.attribute_parts("type", &xml_type.qualified());
        }
    }
}

/// One restriction of the type itself, or several side by side, which only the type of all simple values can be
/// restricted to.
fn write_restricted(w: &mut Writer, text: TextType, first: &Facet, rest: &[Facet]) {
    let restricted = if rest.is_empty() { text } else { ANY_SIMPLE };
    w.start("xs:restriction").attribute_parts("base", &["cim:", restricted.name]);
    if rest.is_empty() {
        write_facet(w, first);
    } else {
        w.start("xs:simpleType").start("xs:union");
        for facet in [first].into_iter().chain(rest) {
            w.start("xs:simpleType").start("xs:restriction").attribute_parts("base", &["xs:", text.base]);
            write_facet(w, facet);
            w.end("xs:restriction").end("xs:simpleType");
        }
        w.end("xs:union").end("xs:simpleType");
    }
    write_any_attribute(w);
    w.end("xs:restriction");
}

fn write_facet(w: &mut Writer, facet: &Facet) {
    let mut write = |tag, value: &str| {
        w.start(tag).attribute("value", value).end(tag);
    };
    match facet {
        Facet::Values(values) => values.iter().for_each(|value| write("xs:enumeration", value)),
        Facet::Range(least, most) => {
            if let Some(least) = least {
                write("xs:minInclusive", least);
            }
            if let Some(most) = most {
                write("xs:maxInclusive", most);
            }
        }
    }
}

/// Every type has room for attributes of others (DSP0230).
pub(super) fn write_any_attribute(w: &mut Writer) {
    w.start("xs:anyAttribute").attribute("namespace", "##any").attribute("processContents", "lax");
    w.end("xs:anyAttribute");
}
