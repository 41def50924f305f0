//! Typed children of bodies.

use super::resource::shown;
use crate::cim::{DateTime, Interval, Timestamp};
use crate::soap::{Fault, FaultKind};
use crate::xml::{Element, ElementExt};

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expires {
    /// After so long.
    In(Interval),
    /// At that time.
    At(Timestamp),
}

impl Expires {
    /// Reads `xs:duration` or `xs:dateTime`.
    pub fn parse(text: &str) -> Option<Self> {
        match DateTime::parse(text).ok()? {
            DateTime::Interval(interval) if text.starts_with('P') => Some(Self::In(interval)),
            DateTime::Timestamp(time) if text.contains('T') => Some(Self::At(time)),
            _ => None,
        }
    }

    /// Writes it the way it was given.
    pub fn to_xml(self) -> String {
        match self {
            Self::In(interval) => interval.to_duration(),
            Self::At(time) => DateTime::Timestamp(time).to_xml(),
        }
    }

    /// Reads the child of that name; what is no time is a fault of the given kind.
    pub(super) fn child(parent: &Element, namespace: &str, invalid: FaultKind) -> Result<Option<Self>, Fault> {
        let Some(text) = filled(parent, namespace, "Expires") else { return Ok(None) };
        let refuse =
            || Fault::new(invalid, format!("Expires {:?} is neither an xs:duration nor an xs:dateTime", shown(text)));
        Self::parse(text).map(Some).ok_or_else(refuse)
    }
}

/// The text of the child of that name; `None` if there is none or it is empty.
pub(super) fn filled<'e>(parent: &'e Element, namespace: &str, name: &str) -> Option<&'e str> {
    parent.child(namespace, name).map(ElementExt::text).filter(|text| !text.is_empty())
}

/// A count from 1, in either of two namespaces.
pub(super) fn count(parent: &Element, namespaces: [&str; 2], name: &str) -> Result<Option<u64>, Fault> {
    let Some(child) = namespaces.iter().find_map(|ns| parent.child(ns, name)) else { return Ok(None) };
    match positive(child.text()) {
        Some(count) => Ok(Some(count)),
        None => Err(Fault::schema(format!("{name} must hold a whole number from 1, not {:?}", shown(child.text())))),
    }
}

/// A whole number from 1; one that is too large for us is as large as we can count.
pub(super) fn positive(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX)).filter(|n| *n > 0)
}

/// An `xs:duration`.
pub(super) fn duration(parent: &Element, namespace: &str, name: &str) -> Result<Option<Interval>, Fault> {
    let Some(child) = parent.child(namespace, name) else { return Ok(None) };
    duration_of(child).map(Some)
}

/// The `xs:duration` that an element holds.
pub(super) fn duration_of(element: &Element) -> Result<Interval, Fault> {
    let text = element.text();
    Interval::parse_duration(text)
        .map_err(|_| Fault::schema(format!("{} must hold an xs:duration, not {:?}", element.name, shown(text))))
}
