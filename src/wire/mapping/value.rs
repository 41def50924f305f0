//! Elements into values.

use std::sync::Arc;

use super::Mapping;
use super::octets::read_octets;
use crate::cim::{CimType, Class, Shape, Value};
use crate::soap::EndpointReference;
use crate::wire::names::{CIM, XSI};
use crate::wire::options::is_nil;
use crate::wire::resource::shown;
use crate::xml::{Element, ElementExt, is_character};

/// Why elements are not the value that is asked for, in a sentence of its own.
pub(super) type Unsuitable = String;

impl Mapping<'_> {
    /// Reads the elements of one property or parameter; there is at least one.
    ///
    /// One NULL element alone is a NULL array; where arrays are precise it is that only if it says so
    /// (`IsNullArray`), and otherwise an array whose only element is NULL.
    pub(super) fn value(&self, elements: &[&Element], shape: &Shape) -> Result<Value, Unsuitable> {
        if !shape.array {
            return match elements {
                [one] => self.scalar(one, shape),
                _ => Err("it is given more than once and is no array".to_owned()),
            };
        }
        if let [one] = elements
            && is_nil(one)
            && (!self.precise_arrays || says_null_array(one))
        {
            return Ok(Value::Null);
        }
        if let ([one], true) = (elements, shape.octets) {
            return read_octets(text_only(one)?.text());
        }
        let items: Vec<Value> = elements.iter().map(|e| self.scalar(e, shape)).collect::<Result<_, _>>()?;
        if shape.octets && items.iter().any(Value::is_null) {
            return Err("an octet is given as NULL".to_owned());
        }
        Ok(Value::Array(items.into()))
    }

    fn scalar(&self, element: &Element, shape: &Shape) -> Result<Value, Unsuitable> {
        if is_nil(element) {
            return Ok(Value::Null);
        }
        match shape.cim_type {
            CimType::Reference => self.reference(element),
            CimType::Instance => self.embedded(element, shape.class.as_deref()),
            CimType::Datetime => plain(CimType::Datetime, datetime_text(element)?),
            CimType::String => plain(CimType::String, text_only(element)?.verbatim_text()),
            CimType::Char16 => {
                let text = text_only(element)?.verbatim_text();
                // Some implementations write the number of the character.
                plain(CimType::Char16, text).or_else(|why| character(text.trim()).ok_or(why))
            }
            other => plain(other, text_only(element)?.text()),
        }
    }

    fn reference(&self, element: &Element) -> Result<Value, Unsuitable> {
        let endpoint = EndpointReference::read(element).map_err(|fault| fault.reason().to_owned())?;
        self.path(&endpoint).map(Value::from).map_err(|fault| fault.reason().to_owned())
    }

    fn embedded(&self, element: &Element, expected: Option<&str>) -> Result<Value, Unsuitable> {
        let (content, class) = self.embedded_class(element, expected)?;
        if let Some(expected) = expected.filter(|e| !class.is_a(e)) {
            return Err(format!("it holds an instance of {} and not of {expected}", class.name()));
        }
        let given = self.properties(content, class).map_err(|error| error.to_string())?;
        Ok(Value::from(given.instance))
    }

    /// The element that holds the properties, and their class: told by `xsi:type`, by an element of the class inside,
    /// or by the schema.
    fn embedded_class<'e>(
        &self,
        element: &'e Element,
        expected: Option<&str>,
    ) -> Result<(&'e Element, &Arc<Class>), Unsuitable> {
        let known = |name: &str| {
            self.schema
                .class(name)
                .ok_or_else(|| format!("it holds an instance of {:?}, which is no class here", shown(name)))
        };
        let named = element.attribute(XSI, "type").map(|t| t.rsplit_once(':').map_or(t, |(_, local)| local).trim());
        if let Some(class) = named.and_then(|t| t.strip_suffix("_Type")) {
            return Ok((element, known(class)?));
        }
        let mut inside = element.elements();
        if let (Some(one), None) = (inside.next(), inside.next())
            && let Some(class) = self.schema.class(&one.name)
        {
            return Ok((one, class));
        }
        let expected = expected.ok_or("it must say in xsi:type which class it is of")?;
        Ok((element, known(expected)?))
    }
}

fn plain(cim_type: CimType, text: &str) -> Result<Value, Unsuitable> {
    Value::parse(cim_type, text).map_err(|error| error.to_string())
}

/// The character of a number, one that can be written back.
fn character(number: &str) -> Option<Value> {
    let unit: u16 = number.parse().ok()?;
    char::from_u32(unit.into()).filter(|c| is_character(*c)).map(|_| Value::Char16(unit))
}

fn text_only(element: &Element) -> Result<&Element, Unsuitable> {
    match element.elements().next() {
        None => Ok(element),
        Some(child) => Err(format!("it holds the element {} where text is expected", shown(&child.name))),
    }
}

/// The text of a datetime: of one of the elements that DSP0230 wants, or bare as many clients send it.
fn datetime_text(element: &Element) -> Result<&str, Unsuitable> {
    let mut inside = element.elements();
    match (inside.next(), inside.next()) {
        (None, _) => Ok(element.text()),
        (Some(one), None) if one.is(CIM, "Datetime") || one.is(CIM, "Interval") || one.is(CIM, "CIM_DateTime") => {
            Ok(one.text())
        }
        (Some(other), _) => Err(format!("it holds {}; give cim:Datetime or cim:Interval", shown(&other.name))),
    }
}

/// Windows' mark on the element of a NULL array; peers put it into different namespaces.
fn says_null_array(element: &Element) -> bool {
    element.attributes.iter().any(|(key, value)| {
        let local = key.rsplit_once('}').map_or(key.as_str(), |(_, local)| local);
        local == "IsNullArray" && matches!(value.trim(), "true" | "1")
    })
}

/// Whether the elements are one empty one of an array of numbers or truths. None of these is written as nothing, so this is how
/// clients write a list without items as a parameter.
pub(super) fn is_empty_list(elements: &[&Element], shape: &Shape) -> bool {
    let [one] = elements else { return false };
    let has_text = matches!(
        shape.cim_type,
        CimType::String | CimType::Char16 | CimType::Datetime | CimType::Reference | CimType::Instance
    );
    shape.array
        && !has_text
        && !shape.octets
        && !is_nil(one)
        && one.elements().next().is_none()
        && one.text().is_empty()
}
