//! Instances and method calls without their classes: what a console reads of endpoints whose classes it does not have, and
//! what it sends them. Values are text as they stand in the message; what type they have, only the class tells.

mod read;
mod write;

#[cfg(test)]
mod tests;

use crate::soap::EndpointReference;

/// An instance, or the parameters of a method.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlainInstance {
    /// The name of its class, or of the element; empty for a part of an instance (a projection).
    pub class: String,
    /// The URI of its class; empty if it was not told.
    pub resource_uri: String,
    /// The properties in the order in which they came. No name is there twice: what repeats is an array.
    pub properties: Vec<(String, PlainValue)>,
}

/// A value of a property or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainValue {
    /// NULL.
    Null,
    /// Everything that is written as text. An array of one element is no different from a scalar.
    Text(String),
    /// A time or an interval, in CIM's form or that of XML Schema, as it came.
    Datetime(String),
    /// A reference to an instance.
    Reference(Box<EndpointReference>),
    /// An instance inside another.
    Instance(Box<PlainInstance>),
    /// Several values.
    Array(Vec<Self>),
}

/// One thing that an enumeration gave: an instance, where it is found, or both.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlainItem {
    /// The instance, or a part of it.
    pub instance: Option<PlainInstance>,
    /// The reference to it.
    pub reference: Option<EndpointReference>,
}

impl PlainInstance {
    /// The value of a property; names have no case.
    pub fn get(&self, name: &str) -> Option<&PlainValue> {
        self.properties.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The text of a property that is not NULL; the first of an array.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.texts().next()
    }

    /// All texts of a property: none if it is NULL.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).into_iter().flat_map(PlainValue::texts)
    }

    /// The first reference of a property.
    pub fn reference(&self, name: &str) -> Option<&EndpointReference> {
        self.get(name)?.references().next()
    }

    /// Sets a property, in place of what it was.
    pub fn set(&mut self, name: &str, value: PlainValue) {
        match self.properties.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.properties.push((name.to_owned(), value)),
        }
    }

    /// The same with one more property.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<PlainValue>) -> Self {
        self.set(name, value.into());
        self
    }
}

impl PlainValue {
    /// The values of an array, or the one value; none of NULL.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Null => &[],
            Self::Array(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    /// The texts and times among the values.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(|item| match item {
            Self::Text(text) | Self::Datetime(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The references among the values.
    pub fn references(&self) -> impl Iterator<Item = &EndpointReference> {
        self.items().iter().filter_map(|item| match item {
            Self::Reference(endpoint) => Some(&**endpoint),
            _ => None,
        })
    }

    /// The instances among the values.
    pub fn instances(&self) -> impl Iterator<Item = &PlainInstance> {
        self.items().iter().filter_map(|item| match item {
            Self::Instance(instance) => Some(&**instance),
            _ => None,
        })
    }
}

impl From<&str> for PlainValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<EndpointReference> for PlainValue {
    fn from(endpoint: EndpointReference) -> Self {
        Self::Reference(Box::new(endpoint))
    }
}

impl<const N: usize> From<[&str; N]> for PlainValue {
    fn from(texts: [&str; N]) -> Self {
        Self::Array(texts.into_iter().map(Self::from).collect())
    }
}
