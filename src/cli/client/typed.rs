//! Values of hosts with the types that their classes give them, for JSON. Classes that this program does not know have
//! texts alone.

use serde_json::{Map, Number, Value};

use super::output::words;
use crate::cim::{self, CimType, Class, Method, Qualifiers, Schema, Shape};
use crate::console::path_text;
use crate::wire::{PlainInstance, PlainValue};

/// The key under which an object tells its class.
const CLASS: &str = "@class";

/// An instance as an object: its class, and its properties by name. What a method gave back is one, too.
pub(super) fn object(instance: &PlainInstance, schema: &Schema) -> Value {
    let declared = Declared::of(instance, schema);
    let mut object = Map::new();
    if !instance.class.is_empty() && !matches!(declared, Declared::Method(_)) {
        object.insert(CLASS.to_owned(), instance.class.clone().into());
    }
    for (name, value) in &instance.properties {
        object.insert(name.clone(), property(value, declared.shape(name).as_ref(), schema));
    }
    Value::Object(object)
}

/// A property in words: what its class says that a number means stands behind the number.
pub(super) fn explained(instance: &PlainInstance, (name, value): (&str, &PlainValue), schema: &Schema) -> String {
    let declared = Declared::of(instance, schema);
    let words = value.items().iter().map(|item| {
        let word = words(&text(item));
        let meaning = item.texts().next().and_then(|text| declared.meaning(name, text));
        meaning.map_or_else(|| word.clone(), |meaning| format!("{word} ({meaning})"))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What the schema says of the names in an element.
enum Declared<'s> {
    Class(&'s Class),
    Method(&'s Method),
    Nothing,
}

impl<'s> Declared<'s> {
    fn of(instance: &PlainInstance, schema: &'s Schema) -> Self {
        if let Some(class) = schema.class(&instance.class) {
            return Self::Class(class);
        }
        // The output of a method is in the namespace of its class.
        let class = instance.resource_uri.rsplit('/').next().and_then(|name| schema.class(name));
        let method = instance.class.strip_suffix("_OUTPUT").and_then(|name| class?.method(name));
        method.map_or(Self::Nothing, Self::Method)
    }

    fn shape(&self, name: &str) -> Option<Shape> {
        self.found(name).map(|(shape, _)| shape)
    }

    /// What a text means, if its class says so.
    fn meaning(&self, name: &str, text: &str) -> Option<&'s str> {
        let (shape, qualifiers) = self.found(name)?;
        qualifiers.meaning(shape.cim_type, &cim::Value::parse(shape.cim_type, text).ok()?)
    }

    fn found(&self, name: &str) -> Option<(Shape, &'s Qualifiers)> {
        match self {
            Self::Class(class) => class.property(name).map(|property| (property.shape.clone(), &property.qualifiers)),
            Self::Method(method) if name.eq_ignore_ascii_case("ReturnValue") => {
                Some((Shape::scalar(method.returns), &method.qualifiers))
            }
            Self::Method(method) => {
                method.parameter(name).map(|parameter| (parameter.shape.clone(), &parameter.qualifiers))
            }
            Self::Nothing => None,
        }
    }
}

/// A value without a class, as texts.
pub(super) fn text(value: &PlainValue) -> Value {
    match value {
        PlainValue::Null => Value::Null,
        PlainValue::Text(text) | PlainValue::Datetime(text) => text.clone().into(),
        PlainValue::Reference(endpoint) => path_text(endpoint).into(),
        PlainValue::Instance(instance) => {
            let inside = instance.properties.iter().map(|(name, value)| (name.clone(), text(value)));
            Value::Object(inside.collect())
        }
        PlainValue::Array(items) => Value::Array(items.iter().map(text).collect()),
    }
}

fn property(value: &PlainValue, shape: Option<&Shape>, schema: &Schema) -> Value {
    let is_array = shape.is_some_and(|shape| shape.array && !shape.octets);
    match value {
        PlainValue::Null => Value::Null,
        PlainValue::Array(items) => Value::Array(items.iter().map(|item| scalar(item, shape, schema)).collect()),
        one if is_array => Value::Array(vec![scalar(one, shape, schema)]),
        one => scalar(one, shape, schema),
    }
}

fn scalar(value: &PlainValue, shape: Option<&Shape>, schema: &Schema) -> Value {
    match value {
        PlainValue::Text(text) => typed(text, shape).unwrap_or_else(|| text.clone().into()),
        PlainValue::Instance(instance) => object(instance, schema),
        other => text(other),
    }
}

/// The number or truth that a text is; a text that the type does not allow stays one.
fn typed(text: &str, shape: Option<&Shape>) -> Option<Value> {
    let shape = shape.filter(|shape| !shape.octets)?;
    let text = text.trim();
    match shape.cim_type {
        CimType::Boolean => text.to_ascii_lowercase().parse().ok().map(Value::Bool),
        CimType::Uint8 | CimType::Uint16 | CimType::Uint32 | CimType::Uint64 => {
            text.parse::<u64>().ok().map(Value::from)
        }
        CimType::Sint8 | CimType::Sint16 | CimType::Sint32 | CimType::Sint64 => {
            text.parse::<i64>().ok().map(Value::from)
        }
        CimType::Real32 | CimType::Real64 => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_the_types_of_their_class() {
        let schema = Schema::builtin().unwrap();
        let instance = PlainInstance { class: "LMI_SoftwareInstallationJob".to_owned(), ..PlainInstance::default() }
            .with("PercentComplete", "100")
            .with("OperationalStatus", "2")
            .with("DeleteOnCompletion", "true")
            .with("Name", "7")
            .with("Priority", "high")
            .with("NoSuchProperty", "1");
        let expected = json!({
            "@class": "LMI_SoftwareInstallationJob", "PercentComplete": 100, "OperationalStatus": [2],
            "DeleteOnCompletion": true, "Name": "7", "Priority": "high", "NoSuchProperty": "1",
        });
        assert_eq!(object(&instance, &schema), expected);
    }

    #[test]
    fn what_a_method_gives_back_has_the_types_of_its_declaration() {
        let output = PlainInstance {
            class: "FindIdentity_OUTPUT".to_owned(),
            resource_uri: "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_SoftwareInstallationService"
                .to_owned(),
            properties: Vec::new(),
        };
        let output = output.with("ReturnValue", "1").with("Matches", "x");
        let schema = Schema::builtin().unwrap();
        assert_eq!(object(&output, &schema), json!({"ReturnValue": 1, "Matches": ["x"]}));
    }

    #[test]
    fn classes_that_are_not_known_have_texts() {
        let instance =
            PlainInstance { class: "X_Y".to_owned(), ..PlainInstance::default() }.with("A", "1").with("B", ["1", "2"]);
        let schema = Schema::builtin().unwrap();
        assert_eq!(object(&instance, &schema), json!({"@class": "X_Y", "A": "1", "B": ["1", "2"]}));
    }
}
