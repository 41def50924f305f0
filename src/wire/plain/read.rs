//! Elements into plain instances.

use super::{PlainInstance, PlainItem, PlainValue};
use crate::soap::{EndpointReference, Envelope, Fault};
use crate::wire::names::{CIM, WSA, WSMAN, XSI};
use crate::wire::options::is_nil;
use crate::xml::{Element, ElementExt, XMLNode};

impl PlainInstance {
    /// Reads the body of a reply: an instance, a part of one (`wsman:XmlFragment`), or the output of a method.
    pub fn of_body(message: &Envelope, expected: &str) -> Result<Self, Fault> {
        Self::read(message.body(expected)?)
    }

    /// Reads the element of an instance, of a part of one, or of a method's parameters.
    pub fn read(element: &Element) -> Result<Self, Fault> {
        let is_part = element.is(WSMAN, "XmlFragment");
        let mut read = Self {
            class: if is_part { String::new() } else { element.name.clone() },
            resource_uri: if is_part { String::new() } else { element.namespace_uri().to_owned() },
            properties: Vec::new(),
        };
        read.take(element)?;
        Ok(read)
    }

    fn take(&mut self, holder: &Element) -> Result<(), Fault> {
        for element in holder.elements() {
            let value = PlainValue::read(element)?;
            // Elements of one name stand behind each other; a whole search would take forever on long arrays.
            match self.properties.last_mut().filter(|(name, _)| *name == element.name) {
                Some((_, PlainValue::Array(items))) => items.push(value),
                Some((_, first)) => *first = PlainValue::Array(vec![std::mem::replace(first, PlainValue::Null), value]),
                None => self.properties.push((element.name.clone(), value)),
            }
        }
        Ok(())
    }
}

impl PlainValue {
    fn read(element: &Element) -> Result<Self, Fault> {
        if is_nil(element) {
            return Ok(Self::Null);
        }
        let mut inside = element.elements();
        let Some(first) = inside.next() else { return Ok(Self::Text(element.verbatim_text().to_owned())) };
        let is_alone = inside.next().is_none();
        if first.namespace_uri() == WSA {
            return EndpointReference::read(element).map(Self::from);
        }
        if is_alone && first.namespace_uri() == CIM && ["Datetime", "Interval", "CIM_DateTime"].contains(&&*first.name)
        {
            return Ok(Self::Datetime(first.text().to_owned()));
        }
        Self::embedded(element, first, is_alone)
    }

    /// An instance inside: the element says in `xsi:type` which class it is of, or holds an element of the class.
    fn embedded(element: &Element, first: &Element, is_alone: bool) -> Result<Self, Fault> {
        let named = |element: &Element| {
            let named = element.attribute(XSI, "type")?.trim();
            let local = named.rsplit_once(':').map_or(named, |(_, local)| local);
            Some(local.strip_suffix("_Type").unwrap_or(local).to_owned())
        };
        let (holder, class) = match (named(element), named(first)) {
            (Some(class), _) => (element, class),
            (None, Some(_)) if is_alone && first.elements().next().is_some() => (first, first.name.clone()),
            _ => (element, String::new()),
        };
        let resource_uri = holder.elements().next().map(ElementExt::namespace_uri).unwrap_or_default().to_owned();
        let mut instance = PlainInstance { class, resource_uri, properties: Vec::new() };
        instance.take(holder)?;
        Ok(Self::Instance(Box::new(instance)))
    }
}

impl PlainItem {
    /// Reads an item of a page, in any mode of the enumeration.
    pub fn read(mut item: Element) -> Result<Self, Fault> {
        if item.is(WSA, "EndpointReference") {
            return Ok(Self { instance: None, reference: Some(EndpointReference::take(item)?) });
        }
        if !item.is(WSMAN, "Item") {
            return Ok(Self { instance: Some(PlainInstance::read(&item)?), reference: None });
        }
        let mut read = Self::default();
        for node in std::mem::take(&mut item.children) {
            match node {
                XMLNode::Element(reference) if reference.is(WSA, "EndpointReference") => {
                    read.reference = Some(EndpointReference::take(reference)?);
                }
                XMLNode::Element(shown) => read.instance = Some(PlainInstance::read(&shown)?),
                _ => {}
            }
        }
        Ok(read)
    }
}
