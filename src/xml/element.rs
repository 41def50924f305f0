//! Reading and building elements.

use super::{Element, XMLNode};

/// What the rooms above ask of an element. Namespaces are given as URIs; `""` stands for none.
pub trait ElementExt {
    /// Whether it has that expanded name.
    fn is(&self, namespace: &str, name: &str) -> bool;
    /// The namespace, `""` if it has none.
    fn namespace_uri(&self) -> &str;
    /// Its child elements in order.
    fn elements(&self) -> impl Iterator<Item = &Element>;
    /// The first child element of that name.
    fn child(&self, namespace: &str, name: &str) -> Option<&Element>;
    /// All child elements of that name.
    fn children_named(&self, namespace: &str, name: &str) -> impl Iterator<Item = &Element>;
    /// Its text without the white space around it (DSP0226 R13.1-10); `""` if it has none.
    /// Text behind a child element does not count.
    fn text(&self) -> &str;
    /// Its text as it was written.
    fn verbatim_text(&self) -> &str;
    /// An attribute's value.
    fn attribute(&self, namespace: &str, name: &str) -> Option<&str>;
    /// The same element with a text behind what it holds; an empty text is none.
    #[must_use]
    fn with_text(self, text: impl Into<String>) -> Self;
    /// The same element with a child behind what it holds.
    #[must_use]
    fn with_child(self, child: Element) -> Self;
    /// The same element with an attribute.
    #[must_use]
    fn with_attribute(self, namespace: &str, name: &str, value: impl Into<String>) -> Self;
}

/// An empty element; no namespace if that is `""`.
pub fn element(namespace: &str, name: &str) -> Element {
    let mut element = Element::new(name);
    element.namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    element
}

impl ElementExt for Element {
    fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace_uri() == namespace
    }

    fn namespace_uri(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(XMLNode::as_element)
    }

    fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.elements().find(|e| e.is(namespace, name))
    }

    fn children_named(&self, namespace: &str, name: &str) -> impl Iterator<Item = &Self> {
        self.elements().filter(move |e| e.is(namespace, name))
    }

    fn text(&self) -> &str {
        self.verbatim_text().trim_matches([' ', '\t', '\n', '\r'])
    }

    fn verbatim_text(&self) -> &str {
        match self.children.first() {
            Some(XMLNode::Text(text)) => text,
            _ => "",
        }
    }

    fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| split_key(key) == (namespace, name)).map(|(_, value)| value.as_str())
    }

    fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.children.push(XMLNode::Text(text));
        }
        self
    }

    fn with_child(mut self, child: Self) -> Self {
        self.children.push(XMLNode::Element(child));
        self
    }

    fn with_attribute(mut self, namespace: &str, name: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(attribute_key(namespace, name), value.into());
        self
    }
}

/// The key under which an element keeps an attribute: `{namespace}local`, or the plain name.
pub(super) fn attribute_key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { ["{", namespace, "}", name].concat() }
}

/// Namespace and local name of an attribute's key. A namespace may hold `}`, a name not.
pub(super) fn split_key(key: &str) -> (&str, &str) {
    key.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')).unwrap_or(("", key))
}
