//! Instances as the documents that paths lead through (DSP0226 R7.7-3, annex D).

use crate::cim::Instance;
use crate::soap::Fault;
use crate::wire::names::{TRANSFER_PREFIXES, XSI};
use crate::wire::{Style, UriForm, write_instance};
use crate::xml::xpath::{Selected, XPath};
use crate::xml::{Element, ElementExt, Limits, Writer, XMLNode};

/// An instance as the element that a Get shows. A client may know it by a superclass's name: where the expression leads
/// nowhere from the name of its own class, it gets the other.
pub(super) fn document(
    instance: &Instance,
    style: &Style<'_>,
    expression: &XPath,
    superclass: &str,
) -> Result<Element, Fault> {
    let mut w = Writer::new(usize::MAX);
    w.start("x").namespaces(TRANSFER_PREFIXES);
    write_instance(&mut w, instance, style);
    w.end("x");
    let text = String::from_utf8(w.finish()).map_err(Fault::internal)?;
    let limits = Limits { elements: usize::MAX, ..Limits::default() };
    let holder = crate::xml::read(&text, &limits).map_err(Fault::internal)?;
    let root = holder.children.into_iter().find_map(|node| match node {
        XMLNode::Element(root) => Some(root),
        _ => None,
    });
    let mut root = root.ok_or_else(|| Fault::internal("an instance was written as no element"))?;
    if expression.select(&root).is_empty() {
        superclass.clone_into(&mut root.name);
    }
    Ok(root)
}

/// Writes `wsman:XmlFragment` with what an expression selects.
pub(super) fn write_selected(w: &mut Writer, selected: &[Selected<'_>], form: &UriForm) {
    let mut classes = Vec::new();
    for node in selected {
        if let Selected::Element(element) = node {
            collect_classes(element, &mut classes);
        }
    }
    w.start("wsman:XmlFragment");
    for (i, class) in classes.iter().enumerate() {
        w.attribute_parts(&format!("xmlns:{}", prefix(i)), &form.class_uri_parts(class));
    }
    for node in selected {
        match node {
            Selected::Element(element) => w.element(&with_declared_types((*element).clone(), &classes)),
            Selected::Text(text) | Selected::Attribute { value: text, .. } => w.text(text),
        };
    }
    w.end("wsman:XmlFragment");
}

/// The prefix of the classes that `xsi:type` names. The reader drops prefixes, so new ones are declared.
fn prefix(i: usize) -> String {
    format!("t{i}")
}

/// The classes that `xsi:type` names in an element.
fn collect_classes<'e>(element: &'e Element, classes: &mut Vec<&'e str>) {
    if let Some(class) = class_of(element).filter(|class| !classes.contains(class)) {
        classes.push(class);
    }
    for child in element.elements() {
        collect_classes(child, classes);
    }
}

fn class_of(element: &Element) -> Option<&str> {
    let (_, local) = element.attribute(XSI, "type")?.rsplit_once(':')?;
    local.strip_suffix("_Type")
}

fn with_declared_types(mut element: Element, classes: &[&str]) -> Element {
    let class = class_of(&element).map(str::to_owned);
    for child in &mut element.children {
        if let XMLNode::Element(inner) = child {
            *inner = with_declared_types(std::mem::replace(inner, Element::new("")), classes);
        }
    }
    match class.as_deref().and_then(|class| classes.iter().position(|known| *known == class).zip(Some(class))) {
        Some((i, class)) => element.with_attribute(XSI, "type", format!("{}:{class}_Type", prefix(i))),
        None => element,
    }
}
