//! What a class makes of what it inherits (DSP0004, standard qualifiers and their flavours).

use std::sync::Arc;

use super::super::mof::{ClassDeclaration, MethodDeclaration, ParameterDeclaration, Position, PropertyDeclaration};
use super::super::{
    CimType, Class, ClassKind, Direction, Method, Parameter, Property, QualifierType, Qualifiers, Shape, Value,
};
use super::SchemaError;
use super::link::Names;

/// A class out of its declaration and its superclass.
pub(super) fn class(
    declared: &ClassDeclaration,
    superclass: Option<&Class>,
    names: &Names,
) -> Result<Class, SchemaError> {
    let qualifiers = merged(superclass.map(Class::qualifiers), &declared.qualifiers);
    let kind = kind(declared, &qualifiers, superclass)?;
    let ancestors = superclass
        .map(|parent| [parent.name()].into_iter().chain(parent.ancestors()).cloned().collect())
        .unwrap_or_default();
    let heir = Heir { declared, superclass, names };
    Ok(Class::new(
        declared.name.clone(),
        ancestors,
        kind,
        declared.qualifiers.is_set("Abstract"),
        heir.properties()?,
        heir.methods()?,
        qualifiers,
    ))
}

fn kind(
    declared: &ClassDeclaration,
    qualifiers: &Qualifiers,
    superclass: Option<&Class>,
) -> Result<ClassKind, SchemaError> {
    let kind = if qualifiers.is_set("Association") || qualifiers.is_set("Aggregation") {
        ClassKind::Association
    } else if qualifiers.is_set("Indication") {
        ClassKind::Indication
    } else {
        ClassKind::Ordinary
    };
    if superclass.is_some_and(|parent| parent.kind() != kind) {
        return Err(SchemaError::Kind { class: declared.name.clone(), at: declared.at.clone() });
    }
    Ok(kind)
}

/// Inherited qualifiers that propagate, overridden and completed by one's own.
fn merged(inherited: Option<&Qualifiers>, own: &Qualifiers) -> Qualifiers {
    let propagated = inherited.into_iter().flat_map(|qualifiers| &qualifiers.0).filter(|(name, _)| {
        QualifierType::of(name).is_none_or(|standard| standard.to_subclass) && own.get(name).is_none()
    });
    Qualifiers(propagated.chain(&own.0).cloned().collect())
}

/// A class on its way to get what it inherits.
struct Heir<'a> {
    declared: &'a ClassDeclaration,
    superclass: Option<&'a Class>,
    names: &'a Names,
}

impl Heir<'_> {
    fn properties(&self) -> Result<Vec<Property>, SchemaError> {
        let mut properties = self.superclass.map(|parent| parent.properties().to_vec()).unwrap_or_default();
        let has_keys = properties.iter().any(|p| p.key);
        for declared in &self.declared.properties {
            let place = properties.iter_mut().find(|p| p.name.eq_ignore_ascii_case(&declared.name));
            match place {
                Some(inherited) => *inherited = self.overridden(inherited, declared, has_keys)?,
                None => {
                    self.check_override_name(&declared.name, &declared.qualifiers, &declared.at, false)?;
                    let property = self.property(declared, None)?;
                    if property.key && has_keys {
                        let why = "cannot be a key: the superclass has its keys already";
                        return Err(self.incompatible(&declared.name, why, &declared.at));
                    }
                    properties.push(property);
                }
            }
        }
        Ok(properties)
    }

    fn overridden(
        &self,
        inherited: &Property,
        declared: &PropertyDeclaration,
        has_keys: bool,
    ) -> Result<Property, SchemaError> {
        let fail = |why| self.incompatible(&declared.name, why, &declared.at);
        self.check_override_name(&declared.name, &declared.qualifiers, &declared.at, true)?;
        self.check_shape(&inherited.shape, &declared.shape).map_err(fail)?;
        let property = self.property(declared, Some(inherited))?;
        if inherited.key && !property.key {
            return Err(fail("is a key of the superclass and stays one"));
        }
        if property.key && !inherited.key && has_keys {
            return Err(fail("cannot be a key: the superclass has its keys already"));
        }
        if inherited.required && !property.required {
            return Err(fail("is required by the superclass and stays so"));
        }
        Ok(property)
    }

    fn property(&self, declared: &PropertyDeclaration, inherited: Option<&Property>) -> Result<Property, SchemaError> {
        let qualifiers = merged(inherited.map(|p| &p.qualifiers), &declared.qualifiers);
        let key = qualifiers.is_set("Key");
        let default = declared.default.clone().or_else(|| inherited.map(|p| p.default.clone())).unwrap_or_default();
        Ok(Property {
            name: inherited.map_or(&declared.name, |p| &p.name).clone(),
            shape: self.spelt(&declared.shape, inherited.map(|p| &p.shape)),
            key,
            required: key || qualifiers.is_set("Required"),
            writable: qualifiers.is_set("Write"),
            default,
            origin: inherited.map_or(&self.declared.name, |p| &p.origin).clone(),
            qualifiers,
        })
    }

    fn methods(&self) -> Result<Vec<Method>, SchemaError> {
        let mut methods = self.superclass.map(|parent| parent.methods().to_vec()).unwrap_or_default();
        for declared in &self.declared.methods {
            let inherited = methods.iter_mut().find(|m| m.name.eq_ignore_ascii_case(&declared.name));
            let overrides = inherited.is_some();
            self.check_override_name(&declared.name, &declared.qualifiers, &declared.at, overrides)?;
            match inherited {
                Some(inherited) => {
                    self.check_signature(inherited, declared)?;
                    *inherited = self.method(declared, Some(inherited));
                }
                None => methods.push(self.method(declared, None)),
            }
        }
        Ok(methods)
    }

    fn method(&self, declared: &MethodDeclaration, inherited: Option<&Method>) -> Method {
        let qualifiers = merged(inherited.map(|m| &m.qualifiers), &declared.qualifiers);
        let parameter = |p| self.parameter(p, inherited.and_then(|m| m.parameter(&p.name)));
        Method {
            name: inherited.map_or(&declared.name, |m| &m.name).clone(),
            returns: declared.returns,
            parameters: declared.parameters.iter().map(parameter).collect(),
            is_static: qualifiers.is_set("Static"),
            origin: inherited.map_or(&self.declared.name, |m| &m.origin).clone(),
            qualifiers,
        }
    }

    fn parameter(&self, declared: &ParameterDeclaration, inherited: Option<&Parameter>) -> Parameter {
        let qualifiers = merged(inherited.map(|p| &p.qualifiers), &declared.qualifiers);
        // In is true unless it is said to be false; Out is false unless it is said to be true (DSP0004).
        let is_in = qualifiers.get("In").and_then(Value::as_bool).unwrap_or(true);
        let direction = match (is_in, qualifiers.is_set("Out")) {
            (true, true) => Direction::InOut,
            (false, true) => Direction::Out,
            (_, false) => Direction::In,
        };
        Parameter {
            name: declared.name.clone(),
            shape: self.spelt(&declared.shape, inherited.map(|p| &p.shape)),
            direction,
            required: qualifiers.is_set("Required"),
            qualifiers,
        }
    }

    /// What the shape says, with the class's name as its declaration spells it; an embedded instance stays one.
    fn spelt(&self, declared: &Shape, inherited: Option<&Shape>) -> Shape {
        let octets = declared.octets || inherited.is_some_and(|shape| shape.octets);
        let inherited = inherited.filter(|shape| shape.cim_type == CimType::Instance);
        let class = declared.class.as_ref().or_else(|| inherited.and_then(|shape| shape.class.as_ref()));
        Shape {
            cim_type: inherited.map_or(declared.cim_type, |shape| shape.cim_type),
            array: declared.array,
            class: class.map(|name| self.names.spelt(name).unwrap_or(name).clone()),
            octets,
        }
    }

    fn check_signature(&self, inherited: &Method, declared: &MethodDeclaration) -> Result<(), SchemaError> {
        if inherited.returns != declared.returns {
            return Err(self.incompatible(&declared.name, "returns another type than in the superclass", &declared.at));
        }
        for parameter in &inherited.parameters {
            let Some(own) = declared.parameters.iter().find(|p| p.name.eq_ignore_ascii_case(&parameter.name)) else {
                return Err(self.incompatible(&declared.name, "lacks a parameter of the superclass", &declared.at));
            };
            self.check_shape(&parameter.shape, &own.shape).map_err(|why| self.incompatible(&own.name, why, &own.at))?;
        }
        Ok(())
    }

    /// A type stays what it is; only the class that a reference or an embedded instance names may be narrowed.
    fn check_shape(&self, inherited: &Shape, declared: &Shape) -> Result<(), &'static str> {
        let text = |shape: &Shape| matches!(shape.cim_type, CimType::String | CimType::Instance);
        if inherited.array != declared.array {
            return Err("is an array in one of the two classes only");
        }
        if inherited.cim_type != declared.cim_type && !(text(inherited) && text(declared)) {
            return Err("is of another type than in the superclass");
        }
        match (&inherited.class, &declared.class) {
            (Some(wide), Some(narrow)) if !self.names.is_a(narrow, wide) => {
                Err("names a class that is no subclass of the one in the superclass")
            }
            _ => Ok(()),
        }
    }

    /// `Override` names what it overrides, and what has an inherited name says that it overrides.
    fn check_override_name(
        &self,
        name: &Arc<str>,
        qualifiers: &Qualifiers,
        at: &Position,
        inherited: bool,
    ) -> Result<(), SchemaError> {
        let why = match qualifiers.get("Override").map(Value::as_str) {
            None if inherited => "has the name of an inherited feature; mark it with Override",
            None => return Ok(()),
            Some(Some(named)) if !last_part(named).eq_ignore_ascii_case(name) => "overrides a feature of another name",
            Some(Some(_)) if inherited => return Ok(()),
            Some(Some(_)) => "overrides nothing: no superclass has it",
            Some(None) => "has an Override that names nothing",
        };
        Err(self.incompatible(name, why, at))
    }

    fn incompatible(&self, feature: &Arc<str>, why: &'static str, at: &Position) -> SchemaError {
        let class = self.declared.name.clone();
        SchemaError::IncompatibleOverride { class, feature: feature.clone(), why, at: at.clone() }
    }
}

/// `Override` may name the class too: `CIM_Job.Name`.
fn last_part(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

/// The declaration that makes `class` out of `superclass`: what it has of its own or has changed.
pub(super) fn declaration(class: &Class, superclass: Option<&Class>) -> ClassDeclaration {
    let at = Position { file: class.name().clone(), line: 0, column: 0 };
    let changed = |p: &&Property| superclass.and_then(|parent| parent.property(&p.name)) != Some(*p);
    let changed_method = |m: &&Method| superclass.and_then(|parent| parent.method(&m.name)) != Some(*m);
    ClassDeclaration {
        name: class.name().clone(),
        superclass: class.superclass().cloned(),
        qualifiers: class.qualifiers().clone(),
        properties: class
            .properties()
            .iter()
            .filter(changed)
            .map(|p| declared_property(p, class, superclass, &at))
            .collect(),
        methods: class.methods().iter().filter(changed_method).map(|m| declared_method(m, class, &at)).collect(),
        at,
    }
}

fn declared_property(
    property: &Property,
    class: &Class,
    superclass: Option<&Class>,
    at: &Position,
) -> PropertyDeclaration {
    // A default that the superclass has is taken away by saying NULL.
    let inherited = superclass.and_then(|parent| parent.property(&property.name));
    let says_default = !property.default.is_null() || inherited.is_some_and(|p| !p.default.is_null());
    PropertyDeclaration {
        name: property.name.clone(),
        shape: property.shape.clone(),
        default: says_default.then(|| property.default.clone()),
        qualifiers: marked(&property.qualifiers, &property.name, &property.origin, class),
        at: at.clone(),
    }
}

fn declared_method(method: &Method, class: &Class, at: &Position) -> MethodDeclaration {
    let parameter = |p: &Parameter| ParameterDeclaration {
        name: p.name.clone(),
        shape: p.shape.clone(),
        qualifiers: p.qualifiers.clone(),
        at: at.clone(),
    };
    MethodDeclaration {
        name: method.name.clone(),
        returns: method.returns,
        parameters: method.parameters.iter().map(parameter).collect(),
        qualifiers: marked(&method.qualifiers, &method.name, &method.origin, class),
        at: at.clone(),
    }
}

/// The qualifiers, with Override on what another class introduced.
fn marked(qualifiers: &Qualifiers, name: &Arc<str>, origin: &str, class: &Class) -> Qualifiers {
    let mut marked = qualifiers.clone();
    if !origin.eq_ignore_ascii_case(class.name()) && marked.get("Override").is_none() {
        marked.0.push(("Override".into(), Value::String(name.clone())));
    }
    marked
}
