//! CIM classes as the schema repository holds them: inherited features resolved, in the order the wire wants.

use std::sync::Arc;

use super::{CimType, Value};

/// What kind of class a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassKind {
    /// A class of managed elements.
    Ordinary,
    /// An association: it has references, and its instances are links.
    Association,
    /// An indication: its instances are events and are never stored.
    Indication,
}

/// Type, array and target of a property or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The type of the value, or of each element.
    pub cim_type: CimType,
    /// Whether the value is an array.
    pub array: bool,
    /// The class a reference points to or an embedded instance is of; `None` for embedded objects of any class.
    pub class: Option<Arc<str>>,
    /// Whether an array of uint8 is a string of octets (qualifier OctetString).
    pub octets: bool,
}

impl Shape {
    /// One value of a type that points to no class.
    pub fn scalar(cim_type: CimType) -> Self {
        Self { cim_type, array: false, class: None, octets: false }
    }
}

/// Qualifiers by name, in the order of the MOF. Names are compared without case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Qualifiers(pub Vec<(Arc<str>, Value)>);

impl Qualifiers {
    /// The value of a qualifier; a qualifier without a value is `true`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether a boolean qualifier is there and true.
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Boolean(true)))
    }
}

/// A property of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its name as the MOF writes it.
    pub name: Arc<str>,
    /// Its type.
    pub shape: Shape,
    /// Whether it is one of the keys.
    pub key: bool,
    /// Whether it may not be NULL (qualifier Required; keys are required too).
    pub required: bool,
    /// Whether a client may change it (qualifier Write).
    pub writable: bool,
    /// The value a new instance has.
    pub default: Value,
    /// The class that declared it first.
    pub origin: Arc<str>,
    /// Its qualifiers, inherited ones included.
    pub qualifiers: Qualifiers,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the caller to the method.
    In,
    /// From the method to the caller.
    Out,
    /// Both ways.
    InOut,
}

impl Direction {
    /// Whether a caller may give the parameter.
    pub fn is_in(self) -> bool {
        self != Self::Out
    }

    /// Whether the method may give it back.
    pub fn is_out(self) -> bool {
        self != Self::In
    }
}

/// A parameter of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name as the MOF writes it.
    pub name: Arc<str>,
    /// Its type.
    pub shape: Shape,
    /// Where it goes.
    pub direction: Direction,
    /// Whether a caller must give it (qualifier Required).
    pub required: bool,
    /// Its qualifiers.
    pub qualifiers: Qualifiers,
}

/// A method of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// Its name as the MOF writes it.
    pub name: Arc<str>,
    /// The type of its return value.
    pub returns: CimType,
    /// Its parameters in the order of the MOF.
    pub parameters: Vec<Parameter>,
    /// Whether it is called on the class rather than on an instance.
    pub is_static: bool,
    /// The class that declared it first.
    pub origin: Arc<str>,
    /// Its qualifiers, inherited ones included.
    pub qualifiers: Qualifiers,
}

impl Method {
    /// The parameter of that name, in any case.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }
}

/// A class with everything it inherits.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    name: Arc<str>,
    ancestors: Vec<Arc<str>>,
    kind: ClassKind,
    is_abstract: bool,
    properties: Vec<Property>,
    methods: Vec<Method>,
    qualifiers: Qualifiers,
}

impl Class {
    /// A class whose inherited features are already among `properties` and `methods`; `ancestors` come nearest first.
    /// Properties are put in alphabetical (byte) order, as DSP0230 wants them written.
    pub fn new(
        name: Arc<str>,
        ancestors: Vec<Arc<str>>,
        kind: ClassKind,
        is_abstract: bool,
        mut properties: Vec<Property>,
        methods: Vec<Method>,
        qualifiers: Qualifiers,
    ) -> Self {
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        Self { name, ancestors, kind, is_abstract, properties, methods, qualifiers }
    }

    /// Its name as the MOF writes it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The names of its superclasses, the nearest first.
    pub fn ancestors(&self) -> &[Arc<str>] {
        &self.ancestors
    }

    /// The name of its direct superclass.
    pub fn superclass(&self) -> Option<&Arc<str>> {
        self.ancestors.first()
    }

    /// What kind of class it is.
    pub fn kind(&self) -> ClassKind {
        self.kind
    }

    /// Whether it has no instances of its own.
    pub fn is_abstract(&self) -> bool {
        self.is_abstract
    }

    /// Its own qualifiers.
    pub fn qualifiers(&self) -> &Qualifiers {
        &self.qualifiers
    }

    /// Whether it is that class or one of its subclasses; names are compared without case.
    pub fn is_a(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.ancestors.iter().any(|a| a.eq_ignore_ascii_case(name))
    }

    /// All properties in alphabetical order.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// Where a property stands in [`Self::properties`]; names are compared without case.
    pub fn property_index(&self, name: &str) -> Option<usize> {
        // Nearly every name is spelt as the MOF does, so the scan is the exception.
        self.properties
            .binary_search_by(|p| (*p.name).cmp(name))
            .ok()
            .or_else(|| self.properties.iter().position(|p| p.name.eq_ignore_ascii_case(name)))
    }

    /// A property by name, in any case.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.property_index(name).and_then(|i| self.properties.get(i))
    }

    /// The key properties in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(|p| p.key)
    }

    /// The references of an association in alphabetical order.
    pub fn references(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(|p| p.shape.cim_type == CimType::Reference)
    }

    /// All methods in the order of the MOF, inherited ones first.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// A method by name, in any case.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|m| m.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(names: &[String]) -> Class {
        let property = |name: &String| Property {
            name: name.as_str().into(),
            shape: Shape::scalar(CimType::String),
            key: false,
            required: false,
            writable: false,
            default: Value::Null,
            origin: "A".into(),
            qualifiers: Qualifiers::default(),
        };
        let properties = names.iter().map(property).collect();
        Class::new("A".into(), vec!["B".into()], ClassKind::Ordinary, false, properties, vec![], Qualifiers::default())
    }

    proptest! {
        #[test]
        fn properties_stand_in_order_and_are_found_in_any_case(names: Vec<String>, ascii in "[A-Za-z_]{1,6}") {
            let mut names: Vec<String> = names.into_iter().chain([ascii.clone()]).collect();
            names.sort();
            names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
            names.retain(|name| !name.eq_ignore_ascii_case(&ascii));
            names.push(ascii.clone());
            let class = class(&names);
            prop_assert!(class.properties().is_sorted_by(|a, b| a.name < b.name));
            for name in &names {
                prop_assert_eq!(class.property(name).map(|p| &*p.name), Some(name.as_str()));
            }
            prop_assert_eq!(class.property(&ascii.to_ascii_uppercase()).map(|p| &*p.name), Some(ascii.as_str()));
            prop_assert_eq!(class.property(&ascii.to_ascii_lowercase()).map(|p| &*p.name), Some(ascii.as_str()));
        }
    }

    #[test]
    fn a_class_is_itself_and_its_ancestors() {
        let class = class(&[]);
        assert!(class.is_a("a") && class.is_a("B") && !class.is_a("C"));
        assert_eq!(class.superclass().map(|name| &**name), Some("B"));
    }
}
