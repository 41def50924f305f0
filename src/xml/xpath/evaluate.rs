//! What an expression selects below a root.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::characters::is_blank;
use super::super::element::split_key;
use super::super::{Element, ElementExt, XMLNode};
use super::{Anchor, Comparison, Condition, End, Operand, Path, Predicate, Step, XPath};

/// A node that an expression selects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Selected<'e> {
    /// An element with all its content.
    Element(&'e Element),
    /// A text as it is written, white space included.
    Text(&'e str),
    /// An attribute.
    Attribute {
        /// Its name without its namespace.
        name: &'e str,
        /// Its value.
        value: &'e str,
    },
}

impl<'e> Selected<'e> {
    /// A node as if it had been selected; nothing for a comment or the like.
    pub fn of(node: &'e XMLNode) -> Option<Self> {
        match node {
            XMLNode::Element(element) => Some(Self::Element(element)),
            other => text(other).map(Self::Text),
        }
    }
}

impl XPath {
    /// What it selects, in document order. An empty element has no text to select.
    pub fn select<'e>(&self, root: &'e Element) -> Vec<Selected<'e>> {
        let mut selected = Vec::new();
        for place in self.route(root).places(root) {
            match &self.path.end {
                End::Element => selected.push(Selected::Element(place.element)),
                End::Text => selected.extend(texts(place.element).map(Selected::Text)),
                End::Attribute(wanted) => selected
                    .extend(attributes(place.element, wanted).map(|(name, value)| Selected::Attribute { name, value })),
            }
        }
        selected
    }

    /// Whether it selects anything: what it says as a filter (DSP0226 8.3, 10.2.2).
    pub fn matches(&self, root: &Element) -> bool {
        !self.select(root).is_empty()
    }

    /// Whether it is about the root as a whole. As a filter it then lets items through as they are; otherwise it takes
    /// parts out of them, which are fragments (R8.6-1).
    pub fn is_whole(&self, root: &Element) -> bool {
        self.path.end == End::Element && self.route(root).below.is_empty()
    }

    /// The name of the root's child that it is about or leads through (a property, if the root is an instance),
    /// whether or not there is one. `None` if it is about the root itself.
    pub fn child_of_root(&self, root: &Element) -> Option<&str> {
        self.route(root).below.first().map(|step| step.name.as_str())
    }

    pub(super) fn route(&self, root: &Element) -> Route<'_> {
        let steps = self.path.steps.as_slice();
        match (self.anchor, steps.split_first()) {
            (Anchor::Document, Some((first, below))) => Route { root: Some(first), below },
            (Anchor::Root, Some((first, below))) if begins_with_root(first, root) => Route { root: Some(first), below },
            _ => Route { root: None, below: steps },
        }
    }
}

fn begins_with_root(step: &Step, root: &Element) -> bool {
    root.name == step.name && root.elements().all(|child| child.name != step.name)
}

/// An expression's steps as they concern a certain root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'x> {
    /// What the root itself must be.
    root: Option<&'x Step>,
    /// The steps from there.
    pub(super) below: &'x [Step],
}

/// An element that is led to.
#[derive(Clone, Debug)]
pub(super) struct Place<'e> {
    /// Where it stands: a place among the root's children, one among that child's, and so on.
    pub(super) at: Vec<usize>,
    pub(super) element: &'e Element,
}

impl Route<'_> {
    /// The elements that it leads to, in document order.
    pub(super) fn places<'e>(&self, root: &'e Element) -> Vec<Place<'e>> {
        let root_fits = self.root.is_none_or(|step| !named(std::iter::once((0, root)), step).is_empty());
        let mut places = if root_fits { vec![Place { at: Vec::new(), element: root }] } else { Vec::new() };
        for step in self.below {
            places = places.iter().flat_map(|parent| below(parent, step)).collect();
        }
        places
    }

    /// The same without the last step, which is given apart.
    pub(super) fn split_last(&self) -> Option<(&Step, Self)> {
        let (last, below) = self.below.split_last()?;
        Some((last, Self { below, ..*self }))
    }
}

fn below<'e>(parent: &Place<'e>, step: &Step) -> Vec<Place<'e>> {
    let place = |(index, element)| Place { at: [parent.at.as_slice(), &[index]].concat(), element };
    let children = parent.element.children.iter().enumerate();
    let elements = children.filter_map(|(index, child)| Some((index, child.as_element()?)));
    named(elements, step).into_iter().map(place).collect()
}

/// Those of one parent's elements that a step selects, with the numbers that they come with.
fn named<'e>(all: impl Iterator<Item = (usize, &'e Element)>, step: &Step) -> Vec<(usize, &'e Element)> {
    let mut found: Vec<_> = all.filter(|(_, one)| one.name == step.name).collect();
    for predicate in &step.predicates {
        match predicate {
            Predicate::Index(index) => {
                let before = usize::try_from(*index - 1).unwrap_or(usize::MAX);
                found = found.into_iter().skip(before).take(1).collect();
            }
            Predicate::Condition(condition) => found.retain(|(_, one)| holds(condition, one)),
        }
    }
    found
}

/// Recursion is as deep as the parser let conditions nest.
fn holds(condition: &Condition, element: &Element) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(|one| holds(one, element)),
        Condition::Or(all) => all.iter().any(|one| holds(one, element)),
        Condition::Not(inner) => !holds(inner, element),
        Condition::Exists(path) => !values(path, element).is_empty(),
        Condition::Compare { left, comparison, right } => match comparison {
            Comparison::Less => ordered(left, right, element, |a, b| a < b),
            Comparison::LessOrEqual => ordered(left, right, element, |a, b| a <= b),
            Comparison::Greater => ordered(right, left, element, |a, b| a < b),
            Comparison::GreaterOrEqual => ordered(right, left, element, |a, b| a <= b),
            Comparison::Equal => equal(left, right, element),
            Comparison::NotEqual => different(left, right, element),
        },
    }
}

/// Whether any value on the left stands in an order with any on the right: then the smallest and the largest do.
fn ordered(smaller: &Operand, larger: &Operand, element: &Element, fits: fn(f64, f64) -> bool) -> bool {
    let numbers = |operand| numbers(operand, element).into_iter().filter(|n| !n.is_nan());
    match (numbers(smaller).reduce(f64::min), numbers(larger).reduce(f64::max)) {
        (Some(least), Some(greatest)) => fits(least, greatest),
        _ => false,
    }
}

/// Whether any value on the left equals any on the right.
fn equal(left: &Operand, right: &Operand, element: &Element) -> bool {
    if let Some((number, others)) = number_and_others(left, right, element) {
        return others.contains(&number);
    }
    let left: HashSet<_> = strings(left, element).into_iter().collect();
    strings(right, element).iter().any(|value| left.contains(value))
}

/// Whether any value on the left differs from any on the right.
fn different(left: &Operand, right: &Operand, element: &Element) -> bool {
    if let Some((number, others)) = number_and_others(left, right, element) {
        return others.iter().any(|other| *other != number);
    }
    let (left, right) = (strings(left, element), strings(right, element));
    let all_the_same = left.iter().chain(&right).all(|value| Some(value) == left.first());
    !left.is_empty() && !right.is_empty() && !all_the_same
}

/// If one side is a number, that and the other side's values as numbers.
fn number_and_others(left: &Operand, right: &Operand, element: &Element) -> Option<(f64, Vec<f64>)> {
    match (left, right) {
        (Operand::Number(number), other) | (other, Operand::Number(number)) => Some((*number, numbers(other, element))),
        _ => None,
    }
}

fn numbers(operand: &Operand, element: &Element) -> Vec<f64> {
    match operand {
        Operand::Number(number) => vec![*number],
        _ => strings(operand, element).iter().map(|text| number(text)).collect(),
    }
}

/// An operand's values without the white space around them.
fn strings<'e>(operand: &'e Operand, element: &'e Element) -> Vec<Cow<'e, str>> {
    let all = match operand {
        Operand::Path(path) => values(path, element),
        Operand::Text(text) => vec![Cow::Borrowed(text.as_str())],
        Operand::Number(number) => vec![Cow::Owned(number.to_string())],
    };
    all.into_iter().map(trimmed).collect()
}

fn values<'e>(path: &Path, element: &'e Element) -> Vec<Cow<'e, str>> {
    let mut elements = vec![element];
    for step in &path.steps {
        let children = elements.into_iter().flat_map(|parent| named(parent.elements().enumerate(), step));
        elements = children.map(|(_, child)| child).collect();
    }
    match &path.end {
        End::Element => elements.into_iter().map(string_value).collect(),
        End::Text => elements.into_iter().flat_map(texts).map(Cow::Borrowed).collect(),
        End::Attribute(wanted) => elements
            .into_iter()
            .flat_map(|one| attributes(one, wanted))
            .map(|(_, value)| Cow::Borrowed(value))
            .collect(),
    }
}

/// The texts among an element's children.
fn texts(element: &Element) -> impl Iterator<Item = &str> {
    element.children.iter().filter_map(text)
}

/// The text that a node is, if it is one.
pub(super) fn text(node: &XMLNode) -> Option<&str> {
    match node {
        XMLNode::Text(text) | XMLNode::CData(text) => Some(text),
        _ => None,
    }
}

/// Names and values of the attributes of a local name.
fn attributes<'e>(element: &'e Element, wanted: &str) -> impl Iterator<Item = (&'e str, &'e str)> {
    let named = element.attributes.iter().map(|(key, value)| (split_key(key).1, value.as_str()));
    named.filter(move |(name, _)| *name == wanted)
}

/// All text in an element, that of its descendants included (XPath 1.0, 5.2).
fn string_value(element: &Element) -> Cow<'_, str> {
    match element.children.as_slice() {
        [] => return Cow::Borrowed(""),
        [XMLNode::Text(only)] => return Cow::Borrowed(only),
        _ => {}
    }
    let mut value = String::new();
    let mut open = vec![element.children.iter()];
    while let Some(last) = open.last_mut() {
        match last.next() {
            Some(XMLNode::Element(inner)) => open.push(inner.children.iter()),
            Some(node) => value.push_str(text(node).unwrap_or_default()),
            None => drop(open.pop()),
        }
    }
    Cow::Owned(value)
}

fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_blank)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(is_blank).to_owned()),
    }
}

/// A text without white space around it as a number (XPath 1.0, 4.4): decimal, without plus or exponent, or NaN.
fn number(text: &str) -> f64 {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
