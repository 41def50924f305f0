//! What a client saw: instances of every class, wherever they were, and what methods answered.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use xmltree::Element;

use crate::table::Family;
use crate::{deeds, hosts, image_deeds};

/// An instance: the properties that have a value, as text. Elements of arrays have commas between them.
pub(crate) type Seen = BTreeMap<String, String>;

/// What was seen on one host.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) family: Family,
    instances: BTreeMap<String, Vec<Seen>>,
    /// Class, method, and the return value or the fault.
    answers: Vec<(String, String, String)>,
}

/// A Debian and an RPM host and one with an image, after everything was done there; done once for all tests.
pub(crate) fn hosts() -> &'static [Evidence] {
    static HOSTS: OnceLock<Vec<Evidence>> = OnceLock::new();
    HOSTS.get_or_init(|| vec![deeds::done(hosts::deb()), deeds::done(hosts::rpm()), image_deeds::done()])
}

impl Evidence {
    pub(crate) fn new(family: Family) -> Self {
        Self { family, instances: BTreeMap::new(), answers: Vec::new() }
    }

    /// The instances of exactly this class.
    pub(crate) fn instances(&self, class: &str) -> &[Seen] {
        self.instances.get(class).map_or(&[], Vec::as_slice)
    }

    /// The classes of which there are instances.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &str> {
        self.instances.keys().map(String::as_str)
    }

    /// What a method answered.
    pub(crate) fn answers(&self, class: &str, method: &str) -> Vec<&str> {
        let of = |(c, m, _): &&(String, String, String)| c == class && m == method;
        self.answers.iter().filter(of).map(|(_, _, answer)| answer.as_str()).collect()
    }

    pub(crate) fn add_answer(&mut self, class: &str, method: &str, answer: String) {
        self.answers.push((class.to_owned(), method.to_owned(), answer));
    }

    /// Takes all instances that an element is or holds: each says by its `xsi:type` what class it is of.
    pub(crate) fn add(&mut self, element: &Element) {
        if let Some(class) = class_of(element) {
            self.instances.entry(class).or_default().push(values(element));
        }
        for below in children(element) {
            self.add(below);
        }
    }
}

fn children(element: &Element) -> impl Iterator<Item = &Element> {
    element.children.iter().filter_map(|node| node.as_element())
}

fn class_of(element: &Element) -> Option<String> {
    let (_, name) = element.attributes.iter().find(|(key, _)| **key == *"type")?;
    Some(name.split_once(':')?.1.strip_suffix("_Type")?.to_owned())
}

fn values(instance: &Element) -> Seen {
    let mut values = Seen::new();
    let is_nil = |e: &&Element| e.attributes.iter().any(|(key, value)| *key == *"nil" && value == "true");
    for property in children(instance).filter(|property| !is_nil(property)) {
        let text = crate::support::wsman::text_of(property);
        let value = values.entry(property.name.clone()).or_default();
        if !value.is_empty() {
            value.push_str(", ");
        }
        value.push_str(&text);
    }
    values
}
