//! What is written of each item of an enumeration.

use std::collections::HashSet;
use std::sync::Arc;

use super::cursor::Presentation;
use super::exchange::Look;
use super::path_filter::PathFilter;
use crate::broker::Broker;
use crate::cim::query::{Found, Path};
use crate::cim::{Class, Instance};
use crate::wire::enumeration::Mode;
use crate::wire::{Style, UriForm, write_fragment, write_instance, write_item, write_wrapped_path};
use crate::xml::Writer;

/// What is written of each instance.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) mode: Mode,
    pub(super) form: UriForm,
    pub(super) look: Look,
    /// The superclass as whose instances they are shown.
    pub(super) seen_as: Option<Arc<Class>>,
    pub(super) shape: Shape,
    pub(super) broker: Arc<Broker>,
    /// How many instances there are in all, if that is known without counting.
    pub(super) total: Option<u64>,
    /// Whether the instances are searched for with a filter.
    pub(super) searches: bool,
}

/// How much of an instance is shown.
#[derive(Debug)]
pub(super) enum Shape {
    Whole,
    /// Some properties, as a fragment (DSP0226 R8.6-1, DSP0227 R8.2.1-10).
    Properties(Projection),
    /// What a path selects, as a fragment.
    Parts(Arc<PathFilter>),
}

/// Some properties of an instance. Those its class does not have pass by.
#[derive(Debug)]
pub(super) struct Projection {
    paths: Vec<Path>,
    /// Whether the elements have no namespace.
    bare_names: bool,
}

impl Projection {
    /// The properties in this order, in the namespaces of their classes. One that is named twice would look like an array.
    pub(super) fn new(mut paths: Vec<Path>) -> Self {
        let mut met = HashSet::new();
        paths.retain(|path| met.insert(path.to_string()));
        Self { paths, bare_names: false }
    }

    /// As Windows answers WQL and its clients read it: in alphabetical order, in no namespace.
    pub(super) fn as_windows(paths: Vec<Path>) -> Self {
        let mut projection = Self::new(paths);
        projection.paths.sort_by(|a, b| a.steps.last().map(|s| &s.name).cmp(&b.steps.last().map(|s| &s.name)));
        Self { bare_names: true, ..projection }
    }

    fn write(&self, w: &mut Writer, instance: &Instance, style: &Style<'_>) {
        let found: Vec<Found> = self.paths.iter().filter_map(|path| path.find(instance)).collect();
        write_fragment(w, instance.class(), &found, self.bare_names, style);
    }
}

impl Presentation<Instance> for Terms {
    fn write(&self, w: &mut Writer, instance: &Instance) {
        let style = self.look.style(&self.form);
        let show = |w: &mut Writer| match &self.seen_as {
            Some(class) => self.shape.write(w, &instance.as_class(class), &style),
            None => self.shape.write(w, instance, &style),
        };
        match self.mode {
            Mode::Objects => show(w),
            Mode::Endpoints => write_wrapped_path(w, &self.broker.path_of(instance), &style),
            Mode::ObjectsAndEndpoints => write_item(w, show, &self.broker.path_of(instance), &style),
        }
    }

    fn name(&self, instance: &Instance) -> String {
        self.broker.path_of(instance).to_string()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn searches(&self) -> bool {
        self.searches
    }
}

impl Shape {
    fn write(&self, w: &mut Writer, instance: &Instance, style: &Style<'_>) {
        match self {
            Self::Whole => write_instance(w, instance, style),
            Self::Properties(projection) => projection.write(w, instance, style),
            Self::Parts(path) => path.write(w, instance),
        }
    }
}
