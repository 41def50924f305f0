//! FindIdentity, OpenLMI's search for packages among what is installed and what repositories offer.

use std::sync::Arc;

use super::model::Model;
use crate::broker::{Arguments, MethodReply};
use crate::cim::{CimError, CimStatus, Value};
use crate::software::{Catalog, Nevra, Package};

/// Return values.
const FOUND: u32 = 0;
const NOTHING_FOUND: u32 = 1;

/// How many references are given at most: more would fit into no reply.
const MOST_MATCHES: usize = 25_000;

/// What a package must be.
#[derive(Debug, Default)]
struct Wanted {
    name: Option<Arc<str>>,
    is_exact: bool,
    epoch: Option<u64>,
    version: Option<Arc<str>>,
    release: Option<Arc<str>>,
    architecture: Option<Arc<str>>,
    repository: Option<Arc<str>>,
    every_version: bool,
    installed: Option<bool>,
}

/// `FindIdentity`: the packages by name, and those of one name from the oldest to the newest, since clients take the last.
pub(super) fn find(model: &Model, arguments: &Arguments) -> Result<MethodReply, CimError> {
    let wanted = Wanted::read(model, arguments)?;
    let inventory = model.manager.inventory();
    let catalog = if wanted.needs_catalog() { Some(model.catalog()?) } else { None };
    let offered = catalog.as_deref().map(|catalog| wanted.offered(catalog)).unwrap_or_default();
    let mut found: Vec<Nevra> = Vec::new();
    if wanted.installed != Some(false) {
        let is_there = |nevra: &Nevra| match (&wanted.repository, &catalog) {
            (Some(repository), Some(catalog)) => {
                catalog.find(nevra).is_some_and(|number| catalog.is_offered_by(number, repository))
            }
            _ => true,
        };
        let installed = inventory.packages().iter().filter(|package| wanted.fits(package));
        found.extend(installed.map(|package| &package.nevra).filter(|nevra| is_there(nevra)).cloned());
    }
    if wanted.installed != Some(true) {
        found.extend(offered.into_iter().filter(|nevra| inventory.find(nevra).is_none()));
    }
    if found.len() > MOST_MATCHES {
        return Err(CimError::new(
            CimStatus::ServerLimitsExceeded,
            format!(
                "{} packages match, and at most {MOST_MATCHES} fit into a reply; narrow the search, or enumerate CIM_SoftwareIdentity.",
                found.len()
            ),
        ));
    }
    let family = model.manager.family();
    found.sort_by(|a, b| {
        a.name.cmp(&b.name).then_with(|| a.version_order(b, family)).then_with(|| a.architecture.cmp(&b.architecture))
    });
    let code = if found.is_empty() { NOTHING_FOUND } else { FOUND };
    let matches = Value::array(found.iter().map(|nevra| model.identity_path(nevra)));
    Ok(MethodReply::code(code).with("Matches", matches))
}

impl Wanted {
    fn read(model: &Model, arguments: &Arguments) -> Result<Self, CimError> {
        let text = |name: &str| match arguments.get(name) {
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        let truth = |name: &str| match arguments.get(name) {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        };
        let repository = match arguments.get("Repository") {
            Value::Reference(path) => Some(model.enabled_repository(path)?),
            _ => None,
        };
        Ok(Self {
            name: text("Name").filter(|name| !name.is_empty()),
            is_exact: truth("ExactMatch").unwrap_or(false),
            epoch: arguments.get("Epoch").as_u64(),
            version: text("Version"),
            release: text("Release"),
            architecture: text("Architecture"),
            repository,
            every_version: truth("AllowDuplicates").unwrap_or(false),
            installed: truth("Installed"),
        })
    }

    /// What is installed is known without the catalog.
    fn needs_catalog(&self) -> bool {
        self.installed != Some(true) || self.repository.is_some()
    }

    /// Whether an installed package is wanted, wherever it comes from.
    fn fits(&self, package: &Package) -> bool {
        let by_name = self.name.as_deref().is_none_or(|name| {
            if self.is_exact {
                *package.nevra.name == *name
            } else {
                package.nevra.name.contains(name) || package.summary.contains(name)
            }
        });
        by_name && self.fits_parts(&package.nevra)
    }

    fn fits_parts(&self, nevra: &Nevra) -> bool {
        let same = |wanted: &Option<Arc<str>>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        self.epoch.is_none_or(|epoch| epoch == u64::from(nevra.epoch))
            && same(&self.version, &nevra.version)
            && same(&self.release, nevra.release.as_deref().unwrap_or_default())
            && same(&self.architecture, &nevra.architecture)
    }

    fn has_parts(&self) -> bool {
        self.epoch.is_some() || self.version.is_some() || self.release.is_some() || self.architecture.is_some()
    }

    /// The packages of the catalog that are wanted; unless every version is, the newest of each name and architecture.
    fn offered(&self, catalog: &Catalog) -> Vec<Nevra> {
        let mut numbers: Vec<usize> = match self.name.as_deref() {
            Some(name) if self.is_exact => catalog.named(name).collect(),
            Some(name) => catalog.containing(name),
            None => (0..catalog.len()).collect(),
        };
        if let Some(repository) = &self.repository {
            numbers.retain(|&number| catalog.is_offered_by(number, repository));
        }
        if self.has_parts() {
            numbers.retain(|&number| catalog.nevra(number).is_some_and(|nevra| self.fits_parts(&nevra)));
        }
        if !self.every_version {
            numbers = catalog.newest(numbers);
        }
        numbers.into_iter().filter_map(|number| catalog.nevra(number)).collect()
    }
}
