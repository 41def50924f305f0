//! Elements into instances and parameters.

use std::sync::Arc;

use super::value::is_empty_list;
use super::{Parameters, cim_error};
use crate::cim::{CimStatus, CimType, Class, Instance, Method, Parameter, Property, Schema, Value};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::ResourceUri;
use crate::wire::names::{CIM, XSI};
use crate::wire::resource::shown;
use crate::xml::{Element, ElementExt};

/// What is needed to read CIM objects.
#[derive(Clone, Copy, Debug)]
pub struct Mapping<'a> {
    /// The classes.
    pub schema: &'a Schema,
    /// The CIM namespace of references that name none.
    pub namespace: &'a Arc<str>,
    /// Whether one NULL element alone can be an array (option `UsePreciseArrays`).
    pub precise_arrays: bool,
}

/// An instance as a client gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenInstance {
    /// The instance; what was not given has the class's default.
    pub instance: Instance,
    /// Beside each property of the class, whether it was given (NULL counts as given).
    pub given: Vec<bool>,
}

impl GivenInstance {
    /// The values in the order of the class's properties; NULL where nothing was given.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.instance.values().iter().zip(&self.given).map(|(value, given)| if *given { value } else { &Value::Null })
    }

    /// The properties that were given, with their values.
    pub fn given(&self) -> impl Iterator<Item = (&Property, &Value)> {
        let all = self.instance.class().properties().iter().zip(self.instance.values());
        all.zip(&self.given).filter(|(_, given)| **given).map(|(both, _)| both)
    }
}

/// Why an element is no instance of a class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// It is of another class.
    #[error("the representation is of {found:?} and not of {expected}")]
    Class {
        /// The class that was expected.
        expected: Arc<str>,
        /// The element's name.
        found: String,
    },
    /// The class has no such property.
    #[error("class {class} has no property {property:?}")]
    Unknown {
        /// The class.
        class: Arc<str>,
        /// The element's name.
        property: String,
    },
    /// It is in a namespace that is no class's.
    #[error("{element} is in the namespace {found:?}, which is no class's; use the one of its class, or none")]
    Namespace {
        /// The element's name.
        element: String,
        /// Its namespace.
        found: String,
    },
    /// The value of a property cannot be.
    #[error("property {property}: {why}")]
    Value {
        /// The property.
        property: Arc<str>,
        /// What is wrong, in a sentence of its own.
        why: String,
    },
}

impl From<InstanceError> for Fault {
    fn from(error: InstanceError) -> Self {
        let (detail, status) = match error {
            InstanceError::Class { .. } => (FaultDetail::InvalidNamespace, CimStatus::InvalidClass),
            InstanceError::Namespace { .. } => (FaultDetail::InvalidNamespace, CimStatus::InvalidParameter),
            InstanceError::Unknown { .. } => (FaultDetail::InvalidValues, CimStatus::NoSuchProperty),
            InstanceError::Value { .. } => (FaultDetail::InvalidValues, CimStatus::TypeMismatch),
        };
        let reason = error.to_string();
        let shown = cim_error(status, &reason);
        Self::detailed(FaultKind::InvalidRepresentation, detail, reason).with_element(shown)
    }
}

impl Mapping<'_> {
    /// Reads the element of an instance, for Put and Create. It may be named after the class or after one of its
    /// superclasses. What the properties may be beyond their types is not judged here.
    pub fn instance(&self, element: &Element, class: &Arc<Class>) -> Result<GivenInstance, InstanceError> {
        if !class.is_a(&element.name) {
            let found = shown(&element.name).to_owned();
            return Err(InstanceError::Class { expected: class.name().clone(), found });
        }
        check_namespace(element, "")?;
        self.properties(element, class)
    }

    pub(super) fn properties(&self, element: &Element, class: &Arc<Class>) -> Result<GivenInstance, InstanceError> {
        let mut elements: Vec<Vec<&Element>> = vec![Vec::new(); class.properties().len()];
        // Windows sends cim:Location back, which is no property.
        for child in element.elements().filter(|e| ![CIM, XSI].contains(&e.namespace_uri())) {
            check_namespace(child, element.namespace_uri())?;
            let slot = class.property_index(&child.name).and_then(|i| elements.get_mut(i));
            slot.ok_or_else(|| InstanceError::Unknown {
                class: class.name().clone(),
                property: shown(&child.name).to_owned(),
            })?
            .push(child);
        }
        let mut instance = Instance::new(class.clone());
        let mut given: Vec<bool> = elements.iter().map(|e| !e.is_empty()).collect();
        let all = class.properties().iter().zip(&elements).zip(&mut given);
        for ((property, elements), given) in all.filter(|((_, elements), _)| !elements.is_empty()) {
            let refuse = |why| InstanceError::Value { property: property.name.clone(), why };
            // Clients that send whole instances back lose the class of the instances inside.
            let passes_over = !property.writable && property.shape.cim_type == CimType::Instance;
            match self.value(elements, &property.shape) {
                Ok(value) => {
                    instance.set(&property.name, value).map_err(|error| refuse(error.to_string()))?;
                }
                Err(_) if passes_over => *given = false,
                Err(why) => return Err(refuse(why)),
            }
        }
        Ok(GivenInstance { instance, given })
    }

    /// Reads the input of a method call: the parameters that were given, in the order of the method's declaration.
    /// The body's element is matched by its local name. What is unknown, doubled, missing though required or of the
    /// wrong type is `wsman:InvalidParameter` (DSP0226 R9-3).
    pub fn input(&self, body: Option<&Element>, method: &Method) -> Result<Parameters, Fault> {
        let empty = Element::new("");
        let body = match body {
            Some(body) if is_input(&body.name, &method.name) => body,
            Some(body) => {
                return Err(Fault::schema(format!(
                    "the body must hold {}_INPUT, not {}",
                    method.name,
                    shown(&body.name)
                )));
            }
            None => &empty,
        };
        let unknown = |e: &&Element| method.parameter(&e.name).is_none_or(|p| !p.direction.is_in());
        if let Some(child) = body.elements().find(unknown) {
            return Err(name_fault(format!("method {} has no input parameter {:?}", method.name, shown(&child.name))));
        }
        let mut parameters = Vec::new();
        for parameter in method.parameters.iter().filter(|p| p.direction.is_in()) {
            if let Some(value) = self.parameter(body, parameter, method)? {
                parameters.push((parameter.name.clone(), value));
            }
        }
        Ok(parameters)
    }

    fn parameter(&self, body: &Element, parameter: &Parameter, method: &Method) -> Result<Option<Value>, Fault> {
        let of_it = |e: &&Element| e.name.eq_ignore_ascii_case(&parameter.name);
        let elements: Vec<&Element> = body.elements().filter(of_it).collect();
        let sentence = |why: &str| format!("parameter {} of method {}: {why}", parameter.name, method.name);
        if elements.is_empty() {
            return if parameter.required { Err(name_fault(sentence("it is missing"))) } else { Ok(None) };
        }
        if elements.len() > 1 && !parameter.shape.array {
            return Err(name_fault(sentence("it is given more than once and is no array")));
        }
        if is_empty_list(&elements, &parameter.shape) {
            return Ok(Some(Value::Array(Vec::new().into())));
        }
        self.value(&elements, &parameter.shape)
            .map(Some)
            .map_err(|why| Fault::detailed(FaultKind::InvalidParameter, FaultDetail::TypeMismatch, sentence(&why)))
    }
}

/// Clients write elements in the namespace of any class that has the property, by any of its URIs, or in none (R7.4-5).
fn check_namespace(element: &Element, holder: &str) -> Result<(), InstanceError> {
    let namespace = element.namespace_uri();
    let is_class = || ResourceUri::parse(namespace).is_ok_and(|uri| uri.class().is_some());
    if namespace.is_empty() || namespace == holder || is_class() {
        return Ok(());
    }
    Err(InstanceError::Namespace { element: shown(&element.name).to_owned(), found: shown(namespace).to_owned() })
}

fn is_input(element: &str, method: &str) -> bool {
    element.strip_suffix("_INPUT").is_some_and(|name| name.eq_ignore_ascii_case(method))
}

fn name_fault(reason: String) -> Fault {
    Fault::detailed(FaultKind::InvalidParameter, FaultDetail::InvalidName, reason)
}
