//! Instances: a class and a value for each of its properties.

use std::fmt;
use std::sync::Arc;

use super::{CimError, CimStatus, Class, ObjectPath, Value};

/// An instance. Its values stand in the order of its class's properties, so writing one is a walk along both.
#[derive(Clone)]
pub struct Instance {
    class: Arc<Class>,
    values: Vec<Value>,
}

/// A property that an instance cannot have or cannot have so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The class has no property of that name.
    #[error("class {class} has no property {property}")]
    Unknown {
        /// The class.
        class: Arc<str>,
        /// The property's name as it was given.
        property: String,
    },
    /// The value is not of the property's type.
    #[error("property {property} of class {class} is of another type")]
    Type {
        /// The class.
        class: Arc<str>,
        /// The property.
        property: Arc<str>,
    },
}

impl From<PropertyError> for CimError {
    fn from(error: PropertyError) -> Self {
        let status = match error {
            PropertyError::Unknown { .. } => CimStatus::NoSuchProperty,
            PropertyError::Type { .. } => CimStatus::TypeMismatch,
        };
        Self::new(status, error.to_string())
    }
}

impl Instance {
    /// An instance with the class's default values.
    pub fn new(class: Arc<Class>) -> Self {
        let values = class.properties().iter().map(|p| p.default.clone()).collect();
        Self { class, values }
    }

    /// The class.
    pub fn class(&self) -> &Arc<Class> {
        &self.class
    }

    /// The values in the order of the class's properties.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// A property's value; `None` if the class has no such property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.class.property_index(name).and_then(|i| self.values.get(i))
    }

    /// Sets a property after checking its name and type.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> Result<&mut Self, PropertyError> {
        match self.class.property_index(name) {
            Some(index) => self.set_at(index, value),
            None => Err(PropertyError::Unknown { class: self.class.name().clone(), property: name.to_owned() }),
        }
    }

    /// Sets the property at a place that [`Class::property_index`] told, after checking its type: for those who make
    /// thousands of instances of one class.
    pub fn set_at(&mut self, index: usize, value: impl Into<Value>) -> Result<&mut Self, PropertyError> {
        let value = value.into();
        let (Some(property), Some(slot)) = (self.class.properties().get(index), self.values.get_mut(index)) else {
            return Err(PropertyError::Unknown { class: self.class.name().clone(), property: format!("[{index}]") });
        };
        if !value.fits(property.shape.cim_type, property.shape.array) {
            return Err(PropertyError::Type { class: self.class.name().clone(), property: property.name.clone() });
        }
        *slot = value;
        Ok(self)
    }

    /// Its path in a namespace, made of its key properties.
    pub fn path(&self, namespace: &Arc<str>) -> ObjectPath {
        let keys = self
            .class
            .properties()
            .iter()
            .zip(&self.values)
            .filter(|(p, _)| p.key)
            .map(|(p, v)| (p.name.clone(), v.clone()))
            .collect();
        ObjectPath::new(namespace.clone(), self.class.name().clone(), keys)
    }

    /// The same instance seen as one of its superclasses: properties the superclass lacks are left out.
    pub fn as_class(&self, class: &Arc<Class>) -> Self {
        let values = class.properties().iter().map(|p| self.get(&p.name).cloned().unwrap_or_default()).collect();
        Self { class: class.clone(), values }
    }
}

impl fmt::Debug for Instance {
    /// The class's name and the values that are there; the class itself would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.class.name());
        for (property, value) in self.class.properties().iter().zip(&self.values).filter(|(_, v)| !v.is_null()) {
            shown.field(&property.name, value);
        }
        shown.finish()
    }
}

impl PartialEq for Instance {
    fn eq(&self, other: &Self) -> bool {
        self.class.name() == other.class.name() && self.values == other.values
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{CimType, Schema};
    use super::*;

    fn classes() -> (Arc<Class>, Arc<Class>) {
        let text = r#"
            class Base { [Key] string Id; [Write] uint8 Small = 3; uint16 List[]; Base REF Next; };
            class Heir : Base { datetime When; [EmbeddedInstance("Base")] string Inner; };
        "#;
        let schema = Schema::from_mof([("test.mof", text)].into_iter()).unwrap();
        (schema.class("Base").unwrap().clone(), schema.class("Heir").unwrap().clone())
    }

    #[test]
    fn a_new_instance_has_the_defaults_and_takes_only_its_types() {
        let (base, heir) = classes();
        let mut instance = Instance::new(heir);
        assert_eq!(instance.get("small"), Some(&Value::Uint8(3)));
        assert_eq!(instance.get("When"), Some(&Value::Null));
        assert_eq!(instance.get("Nothing"), None);
        let unknown = instance.set("Nothing", 1u8).unwrap_err();
        assert_eq!(unknown.to_string(), "class Heir has no property Nothing");
        assert_eq!(CimError::from(unknown).status, CimStatus::NoSuchProperty);
        let wrong = instance.set("SMALL", 1u16).unwrap_err();
        assert_eq!(wrong.to_string(), "property Small of class Heir is of another type");
        assert_eq!(CimError::from(wrong).status, CimStatus::TypeMismatch);
        assert_eq!(instance.get("Small"), Some(&Value::Uint8(3)));
        instance.set("Inner", Instance::new(base)).unwrap().set("LIST", Value::array([1u16, 2])).unwrap();
        assert_eq!(instance.get("List").and_then(Value::as_array).map(<[_]>::len), Some(2));
    }

    #[test]
    fn the_path_is_made_of_the_keys_and_a_superclass_sees_less() {
        let (base, heir) = classes();
        let mut instance = Instance::new(heir);
        instance.set("Id", "x").unwrap();
        assert_eq!(instance.path(&"root/cimv2".into()).to_string(), "root/cimv2:Heir.Id=\"x\"");
        let seen = instance.as_class(&base);
        assert_eq!((seen.class().name(), seen.values().len()), (base.name(), 4));
        assert_eq!((seen.get("Id"), seen.get("When")), (Some(&Value::from("x")), None));
    }

    proptest! {
        #[test]
        fn what_is_set_is_what_is_got(small: u8, list: Vec<u16>, id: String, flip: bool) {
            let mut instance = Instance::new(classes().1);
            let name = |name: &str| if flip { name.to_uppercase() } else { name.to_owned() };
            instance.set(&name("Small"), small).unwrap();
            instance.set(&name("List"), Value::array(list.iter().copied())).unwrap();
            instance.set(&name("Id"), id.as_str()).unwrap();
            prop_assert_eq!(instance.get("Small"), Some(&Value::Uint8(small)));
            prop_assert_eq!(instance.get("List"), Some(&Value::array(list)));
            prop_assert_eq!(instance.get("Id").and_then(Value::as_str), Some(id.as_str()));
            for (property, value) in instance.class().properties().iter().zip(instance.values()) {
                prop_assert!(value.fits(property.shape.cim_type, property.shape.array));
                prop_assert!(property.shape.cim_type != CimType::Reference || value.is_null());
            }
        }
    }
}
