//! The lists that apt fetched: what repositories offer.

mod folder;
mod index;
mod names;
mod offered;
mod release;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::sources::{self, Entry, Sources};
use super::stanza::Stanza;
use super::{architectures, open_root};
use crate::software::catalog::{CatalogBuilder, CatalogFull};
use crate::software::{Catalog, Family, ManagerError};

pub(super) use folder::Lists;
pub(super) use index::Refused;
pub(super) use offered::{OfferedFile, OfferedFiles, files_here, files_of};
pub(super) use release::Release;

use self::index::Descriptions;

/// The files that are read; other files, another catalog.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>, ManagerError> {
    let opened = open_root(root)?;
    let mut names = sources::files(&opened)?;
    names.push(architectures::FILE.to_owned());
    let unreadable = |source| ManagerError::Read { path: root.to_owned(), source };
    let mut files = names
        .iter()
        .filter_map(|name| opened.locate(name).transpose())
        .collect::<io::Result<Vec<PathBuf>>>()
        .map_err(unreadable)?;
    files.extend(Lists::open(root)?.indexes().map_err(unreadable)?);
    Ok(files)
}

/// Reads what the enabled repositories offer. What cannot be read is logged and left out.
pub(super) fn read(root: &Path) -> Result<Catalog, ManagerError> {
    let sources = Sources::read(root)?;
    let enabled: Vec<&Entry> = sources.entries.iter().filter(|entry| entry.enabled).collect();
    let wanted = Wanted::of(&enabled, &Lists::open(root)?);
    let ids = enabled.iter().map(|entry| entry.id.clone()).collect();
    wanted.read(CatalogBuilder::new(Family::Deb, ids)).map_err(|error| ManagerError::Malformed {
        path: root.join(folder::FOLDER.trim_start_matches('/')),
        line: 1,
        message: error.to_string(),
    })
}

/// Hands over what the enabled repositories say of each package, with these fields alone. What cannot be read is logged and
/// left out; the error within is that of `take`.
pub(super) fn each_package<F>(
    root: &Path,
    fields: &'static [&'static str],
    mut take: impl FnMut(&Stanza) -> Result<(), Refused<F>>,
) -> Result<Result<(), F>, ManagerError> {
    let sources = Sources::read(root)?;
    let lists = Lists::open(root)?;
    let enabled = sources.entries.iter().filter(|entry| entry.enabled);
    let packages: BTreeSet<PathBuf> = enabled.flat_map(|entry| lists.packages(&entry.source)).collect();
    Ok(packages.iter().try_for_each(|list| index::each(list, fields, &mut take)))
}

/// The lists of the enabled repositories.
#[derive(Debug, Default)]
struct Wanted {
    /// Lists of packages, and the places of the repositories that they are of: an archive may be configured twice.
    packages: BTreeMap<PathBuf, Vec<usize>>,
    /// Lists of descriptions.
    descriptions: BTreeSet<PathBuf>,
}

impl Wanted {
    fn of(enabled: &[&Entry], lists: &Lists) -> Self {
        let mut wanted = Self::default();
        for (repository, entry) in enabled.iter().enumerate() {
            let packages = lists.packages(&entry.source);
            if packages.is_empty() {
                tracing::warn!(
                    repository = %entry.id,
                    "apt has no list of the packages of this repository, so it offers none: its metadata must be refreshed"
                );
            }
            for list in packages {
                wanted.packages.entry(list).or_default().push(repository);
            }
            wanted.descriptions.extend(lists.descriptions(&entry.source));
        }
        wanted
    }

    fn read(&self, mut builder: CatalogBuilder) -> Result<Catalog, CatalogFull> {
        let mut descriptions = Descriptions::default();
        for list in &self.descriptions {
            descriptions.read(list, &mut builder)?;
        }
        for (list, repositories) in &self.packages {
            index::read(list, repositories, &descriptions, &mut builder)?;
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests;
