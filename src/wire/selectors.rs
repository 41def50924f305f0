//! Selectors: the keys of an instance as a client gives them (DSP0226 5.1.2.2).

use std::borrow::Cow;

use super::names::{CIM_NAMESPACE_SELECTOR, WSA, WSMAN};
use super::resource::shown;
use crate::soap::{EndpointReference, Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer, XMLNode, element};

/// Longest name of a selector (R5.1.2.2-7).
const LONGEST_NAME: usize = 2048;
/// Longest value of a selector (R5.1.2.2-7).
const LONGEST_VALUE: usize = 4096;
/// Longest set, names and values taken together (R5.1.2.2-8).
const LONGEST_SET: usize = 8096;

/// A set of selectors. No two have one name; names are compared without case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SelectorSet(Vec<Selector>);

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Its name, in the client's spelling.
    pub name: String,
    /// Its value.
    pub value: SelectorValue,
}

/// The value of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectorValue {
    /// Text without the white space around it.
    Text(String),
    /// A reference to another instance.
    Endpoint(Box<EndpointReference>),
}

impl SelectorValue {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Endpoint(_) => None,
        }
    }
}

impl SelectorSet {
    /// Reads a `wsman:SelectorSet`.
    pub fn read(set: &Element) -> Result<Self, Fault> {
        Self::gather(set.elements().map(Cow::Borrowed))
    }

    /// The same of an element that is not needed any more.
    pub fn take(set: Element) -> Result<Self, Fault> {
        let elements = set.children.into_iter().filter_map(|node| match node {
            XMLNode::Element(element) => Some(Cow::Owned(element)),
            _ => None,
        });
        Self::gather(elements)
    }

    fn gather<'e>(elements: impl Iterator<Item = Cow<'e, Element>>) -> Result<Self, Fault> {
        let mut selectors = Self::default();
        let mut length = 0;
        for child in elements {
            if !child.is(WSMAN, "Selector") {
                return Err(Fault::schema(format!(
                    "wsman:SelectorSet holds wsman:Selector only, not {}",
                    shown(&child.name)
                )));
            }
            let name = child.attribute("", "Name").map(str::trim).filter(|n| !n.is_empty());
            let name = name.ok_or_else(|| Fault::schema("a wsman:Selector has no attribute Name"))?.to_owned();
            if selectors.get(&name).is_some() {
                return Err(Fault::detailed(
                    FaultKind::InvalidSelectors,
                    FaultDetail::DuplicateSelectors,
                    format!("the selector {:?} is given twice", shown(&name)),
                ));
            }
            let value = read_value(child)?;
            if value.as_text().is_none() && name.eq_ignore_ascii_case(CIM_NAMESPACE_SELECTOR) {
                return Err(Fault::detailed(
                    FaultKind::InvalidSelectors,
                    FaultDetail::TypeMismatch,
                    "the selector __cimnamespace is the name of a CIM namespace, as text",
                ));
            }
            let value_length = value.as_text().map_or(0, str::len);
            length += name.len() + value_length;
            if name.len() > LONGEST_NAME || value_length > LONGEST_VALUE || length > LONGEST_SET {
                return Err(Fault::detailed(
                    FaultKind::EncodingLimit,
                    FaultDetail::SelectorLimit,
                    format!(
                        "a selector's name may have {LONGEST_NAME} characters, its value {LONGEST_VALUE}, \
                         all selectors together {LONGEST_SET}"
                    ),
                ));
            }
            selectors.0.push(Selector { name, value });
        }
        Ok(selectors)
    }

    /// A selector's value.
    pub fn get(&self, name: &str) -> Option<&SelectorValue> {
        self.0.iter().find(|s| s.name.eq_ignore_ascii_case(name)).map(|s| &s.value)
    }

    /// A selector's text; `None` too if it is a reference.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(SelectorValue::as_text)
    }

    /// The CIM namespace, with `/` between its parts; `None` if the client leaves it to us.
    pub fn namespace(&self) -> Option<Cow<'_, str>> {
        let namespace = self.text(CIM_NAMESPACE_SELECTOR).filter(|n| !n.is_empty())?;
        let trimmed = namespace.trim_matches(['/', '\\']);
        Some(if trimmed.contains('\\') { trimmed.replace('\\', "/").into() } else { trimmed.into() })
    }

    /// The selectors that are keys: all but the CIM namespace.
    pub fn keys(&self) -> impl Iterator<Item = &Selector> {
        self.0.iter().filter(|s| !s.name.eq_ignore_ascii_case(CIM_NAMESPACE_SELECTOR))
    }

    /// All selectors in order.
    pub fn iter(&self) -> impl Iterator<Item = &Selector> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a selector, in place of one of the same name.
    pub fn set(&mut self, name: impl Into<String>, value: SelectorValue) {
        let name = name.into();
        self.0.retain(|s| !s.name.eq_ignore_ascii_case(&name));
        self.0.push(Selector { name, value });
    }

    /// The same with one more text selector.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.set(name, SelectorValue::Text(text.into()));
        self
    }

    /// Writes a `wsman:SelectorSet`; nothing if it is empty. `wsman` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        if self.is_empty() {
            return;
        }
        w.start("wsman:SelectorSet");
        for selector in &self.0 {
            w.start("wsman:Selector").attribute("Name", &selector.name);
            match &selector.value {
                SelectorValue::Text(text) => {
                    w.text(text);
                }
                SelectorValue::Endpoint(endpoint) => {
                    w.start("wsa:EndpointReference");
                    endpoint.write(w);
                    w.end("wsa:EndpointReference");
                }
            }
            w.end("wsman:Selector");
        }
        w.end("wsman:SelectorSet");
    }

    /// The same as an element.
    pub fn to_element(&self) -> Element {
        self.0.iter().fold(element(WSMAN, "SelectorSet"), |set, selector| {
            let one = element(WSMAN, "Selector").with_attribute("", "Name", selector.name.clone());
            set.with_child(match &selector.value {
                SelectorValue::Text(text) => one.with_text(text.clone()),
                SelectorValue::Endpoint(endpoint) => one.with_child(endpoint.to_element(WSA, "EndpointReference")),
            })
        })
    }
}

impl IntoIterator for SelectorSet {
    type Item = Selector;
    type IntoIter = std::vec::IntoIter<Selector>;

    /// The selectors in order.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

fn read_value(selector: Cow<'_, Element>) -> Result<SelectorValue, Fault> {
    let refuse = |what: &str| {
        let reason = format!("a wsman:Selector holds text or one wsa:EndpointReference, not {what}");
        Err(Fault::detailed(FaultKind::InvalidSelectors, FaultDetail::InvalidValue, reason))
    };
    let (first, second) = {
        let mut held = selector.elements();
        (held.next(), held.next())
    };
    match (first, second, selector.text()) {
        (None, _, text) => return Ok(SelectorValue::Text(text.to_owned())),
        (Some(only), None, "") if only.is(WSA, "EndpointReference") => {}
        (Some(only), None, "") => return refuse(shown(&only.name)),
        _ => return refuse("several of them"),
    }
    Ok(SelectorValue::Endpoint(Box::new(EndpointReference::take(selector.into_owned())?)))
}
