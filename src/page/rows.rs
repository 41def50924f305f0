//! Software as the row of a list.

use std::sync::Arc;

use super::ask::Objects;
use super::failure::Failure;
use super::reading::{self, Moment, Reading};
use crate::cim::{Instance, ObjectPath};

/// A package, a VIB, or whatever else is software.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) summary: String,
    /// When it was installed; not known if it is not.
    pub(super) installed: Moment,
}

impl Row {
    pub(super) fn of(software: &Instance) -> Self {
        let name = Some(software.text("Name")).filter(|name| !name.is_empty());
        Self {
            id: software.text("InstanceID"),
            name: name.unwrap_or_else(|| software.text("ElementName")),
            version: reading::version(software),
            architecture: software.text("Architecture"),
            summary: software.text("Caption"),
            installed: software.moment("InstallDate"),
        }
    }

    /// Whether its name or summary has a text in it; `wanted` is in small letters.
    pub(super) fn matches(&self, wanted: &str) -> bool {
        self.name.to_lowercase().contains(wanted) || self.summary.to_lowercase().contains(wanted)
    }
}

/// The rows of what these paths name. What was removed meanwhile is left out.
pub(super) fn rows_of<'a>(
    objects: &Objects,
    paths: impl IntoIterator<Item = &'a Arc<ObjectPath>>,
) -> Result<Vec<Row>, Failure> {
    let found = paths.into_iter().map(|path| objects.find(path)).filter_map(Result::transpose);
    found.map(|instance| instance.map(|instance| Row::of(&instance))).collect()
}
