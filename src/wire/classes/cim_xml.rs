//! Classes as the element `CLASS` of DSP0201.
//!
//! The readers in the field are strict: they know no attributes but these, take the first attribute of a QUALIFIER for its
//! name, want a value in each, and look for CLASS without a namespace.

use crate::cim::{CimType, Class, Method, Parameter, Property, QualifierType, Qualifiers, Schema, Shape, Value};
use crate::wire::OptionSet;
use crate::wire::names::option;
use crate::xml::Writer;

/// How much of a class is shown: the options of DSP0227 15.8. What a client does not ask for is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassOptions {
    /// The qualifiers of the class and of all its features.
    pub qualifiers: bool,
    /// For each feature the class that introduced it.
    pub class_origin: bool,
    /// The features that the class has from its superclass unchanged.
    pub inherited_elements: bool,
    /// The names of all superclasses.
    pub inheritance_hierarchy: bool,
}

impl ClassOptions {
    /// What the options of a request say.
    pub fn read(options: &OptionSet) -> Self {
        Self {
            qualifiers: options.is_set(option::INCLUDE_QUALIFIERS),
            class_origin: options.is_set(option::INCLUDE_CLASS_ORIGIN),
            inherited_elements: options.is_set(option::INCLUDE_INHERITED_ELEMENTS),
            inheritance_hierarchy: options.is_set(option::INCLUDE_INHERITANCE_HIERARCHY),
        }
    }
}

/// Writes the element `CLASS`, in no namespace. `schema` has the superclass, which tells what is inherited.
pub fn write_cim_xml(w: &mut Writer, schema: &Schema, class: &Class, options: ClassOptions) {
    let superclass = class.superclass().and_then(|name| schema.class(name)).map(|class| &**class);
    w.start("CLASS").attribute("NAME", class.name());
    if let Some(name) = class.superclass() {
        w.attribute("SUPERCLASS", name);
    }
    if options.inheritance_hierarchy {
        w.attribute("DERIVATION", &class.ancestors().join(","));
    }
    let mut declaration = Declaration { w, options };
    declaration.qualifiers(class.qualifiers(), superclass.map(Class::qualifiers));
    for property in class.properties() {
        declaration.property(property, superclass.and_then(|parent| parent.property(&property.name)));
    }
    for method in class.methods() {
        declaration.method(method, superclass.and_then(|parent| parent.method(&method.name)));
    }
    w.end("CLASS");
}

/// A class being written.
struct Declaration<'w> {
    w: &'w mut Writer,
    options: ClassOptions,
}

impl Declaration<'_> {
    fn property(&mut self, property: &Property, inherited: Option<&Property>) {
        let propagated = inherited == Some(property);
        if propagated && !self.options.inherited_elements {
            return;
        }
        let tag = match (property.shape.cim_type, property.shape.array) {
            (CimType::Reference, _) => "PROPERTY.REFERENCE",
            (_, true) => "PROPERTY.ARRAY",
            (_, false) => "PROPERTY",
        };
        self.start(tag, &property.name, &property.shape);
        self.origin(&property.origin, propagated);
        if property.shape.cim_type == CimType::Instance {
            let kind = if property.shape.class.is_some() { "instance" } else { "object" };
            self.w.attribute("EmbeddedObject", kind);
        }
        self.qualifiers(&property.qualifiers, inherited.map(|p| &p.qualifiers));
        self.value(&property.default);
        self.w.end(tag);
    }

    fn method(&mut self, method: &Method, inherited: Option<&Method>) {
        let propagated = inherited == Some(method);
        if propagated && !self.options.inherited_elements {
            return;
        }
        self.w.start("METHOD").attribute("NAME", &method.name).attribute("TYPE", method.returns.name());
        self.origin(&method.origin, propagated);
        self.qualifiers(&method.qualifiers, inherited.map(|m| &m.qualifiers));
        for parameter in &method.parameters {
            self.parameter(parameter, inherited.and_then(|m| m.parameter(&parameter.name)));
        }
        self.w.end("METHOD");
    }

    fn parameter(&mut self, parameter: &Parameter, inherited: Option<&Parameter>) {
        let tag = match (parameter.shape.cim_type, parameter.shape.array) {
            (CimType::Reference, true) => "PARAMETER.REFARRAY",
            (CimType::Reference, false) => "PARAMETER.REFERENCE",
            (_, true) => "PARAMETER.ARRAY",
            (_, false) => "PARAMETER",
        };
        self.start(tag, &parameter.name, &parameter.shape);
        self.qualifiers(&parameter.qualifiers, inherited.map(|p| &p.qualifiers));
        // DSP0004 lets In go without saying; who calls the method looks for it.
        if self.options.qualifiers && parameter.direction.is_in() && parameter.qualifiers.get("In").is_none() {
            self.qualifier("In", &Value::Boolean(true), false);
        }
        self.w.end(tag);
    }

    fn start(&mut self, tag: &str, name: &str, shape: &Shape) {
        self.w.start(tag).attribute("NAME", name);
        match (shape.cim_type, &shape.class) {
            (CimType::Reference, Some(class)) => self.w.attribute("REFERENCECLASS", class),
            (CimType::Reference, None) => self.w,
            (cim_type, _) => self.w.attribute("TYPE", cim_type.name()),
        };
    }

    fn origin(&mut self, origin: &str, propagated: bool) {
        if self.options.class_origin {
            self.w.attribute("CLASSORIGIN", origin);
        }
        if propagated {
            self.w.attribute("PROPAGATED", "true");
        }
    }

    fn qualifiers(&mut self, qualifiers: &Qualifiers, inherited: Option<&Qualifiers>) {
        if !self.options.qualifiers {
            return;
        }
        for (name, value) in &qualifiers.0 {
            self.qualifier(name, value, inherited.and_then(|above| above.get(name)) == Some(value));
        }
    }

    /// `above` tells whether the superclass has the same.
    fn qualifier(&mut self, name: &str, value: &Value, above: bool) {
        let standard = QualifierType::of(name);
        let to_subclass = standard.is_none_or(|q| q.to_subclass);
        let cim_type = standard.map(|q| q.cim_type).or_else(|| scalar_type(value)).unwrap_or(CimType::String);
        self.w.start("QUALIFIER").attribute("NAME", name).attribute("TYPE", cim_type.name());
        if above && to_subclass {
            self.w.attribute("PROPAGATED", "true");
        }
        if standard.is_some_and(|q| !q.overridable) {
            self.w.attribute("OVERRIDABLE", "false");
        }
        if !to_subclass {
            self.w.attribute("TOSUBCLASS", "false");
        }
        if standard.is_some_and(|q| q.translatable) {
            self.w.attribute("TRANSLATABLE", "true");
        }
        self.value(value);
        self.w.end("QUALIFIER");
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                self.w.start("VALUE.ARRAY");
                for item in items.iter() {
                    match item.plain_text() {
                        Some(text) => self.w.leaf("VALUE", &text),
                        None => self.w.empty("VALUE.NULL"),
                    };
                }
                self.w.end("VALUE.ARRAY");
            }
            scalar => {
                if let Some(text) = scalar.plain_text() {
                    self.w.leaf("VALUE", &text);
                }
            }
        }
    }
}

/// The type of a value or of an array's elements.
fn scalar_type(value: &Value) -> Option<CimType> {
    match value {
        Value::Array(items) => items.iter().find_map(Value::scalar_type),
        scalar => scalar.scalar_type(),
    }
}
