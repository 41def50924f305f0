//! The metadata that dnf fetched: what repositories offer.

mod advisories;
mod cache;
mod compression;
mod elements;
mod groups;
mod modulemd;
mod modules;
mod patterns;
mod primary;
mod repomd;
mod yaml;

use std::error::Error;
use std::io;
use std::path::PathBuf;

use tracing::{debug, warn};

use super::architecture::Architecture;
use super::configuration::{Configuration, Configured};
use crate::software::catalog::{CatalogBuilder, CatalogFull, Offer};
use crate::software::relations::RelationsBuilder;
use crate::software::{Bundles, Catalog, Family, ManagerError, Nevra, Relations, RepositoryMetadata};
use cache::Fetched;
use modules::Modules;
use patterns::Selection;
use primary::{Extent, Told, Use};

/// What is known of a repository's contents; `None` if no metadata of it can be read.
pub(super) fn state(configuration: &Configuration, repository: &Configured) -> Option<RepositoryMetadata> {
    let fetched = Fetched::find(configuration, repository)?;
    fetched
        .primary()
        .is_some_and(|primary| primary.is_file())
        .then_some(RepositoryMetadata { revision: fetched.repomd.revision, updated_at: fetched.repomd.updated_at })
}

/// The files that a catalog is read from; other files, another catalog.
pub(super) fn files(configuration: &Configuration) -> Vec<PathBuf> {
    let mut files = configuration.files.clone();
    files.extend(modules::files(&configuration.root));
    for repository in enabled(configuration) {
        match Fetched::find(configuration, repository) {
            Some(fetched) => {
                files.extend(fetched.primary());
                files.extend(fetched.bundles());
                files.extend(fetched.modules_file());
                files.push(fetched.index);
            }
            None => files.extend(cache::expected(configuration, repository)),
        }
    }
    files
}

/// Reads what the enabled repositories offer to this machine.
pub(super) fn read(configuration: &Configuration) -> Result<Catalog, ManagerError> {
    let ids = enabled(configuration).map(|of| of.id.clone()).collect();
    let mut builder = CatalogBuilder::new(Family::Rpm, ids);
    each(configuration, Extent::Packages, |number, told| add(&mut builder, number, told))
        .and_then(|()| builder.finish())
        .map_err(|full| too_much(configuration, full))
}

/// Reads what the packages that the enabled repositories offer to this machine need and provide.
pub(super) fn relations(configuration: &Configuration) -> Result<Relations, ManagerError> {
    let mut builder = RelationsBuilder::new(Family::Rpm);
    each(configuration, Extent::Relations, |_, told| {
        let nevra = Nevra {
            name: told.name.as_str().into(),
            epoch: told.epoch,
            version: told.version.as_str().into(),
            release: Some(told.release.as_str().into()),
            architecture: told.architecture.as_str().into(),
        };
        let relations = told.relations.iter().map(|(relation, text)| (*relation, text.as_str()));
        builder.add(&nevra, &super::relations::told(relations))
    })
    .map_err(|full| too_much(configuration, full))?;
    Ok(builder.finish())
}

/// Reads the groups and the advisories of the enabled repositories. What cannot be read is logged and left out.
pub(super) fn bundles(configuration: &Configuration) -> Bundles {
    let mut bundles = Vec::new();
    let sources = sources(configuration);
    let modules = Modules::read(configuration, &sources);
    for (repository, fetched) in &sources {
        let Some(fetched) = fetched else { continue };
        let groups = fetched.groups().map(|list| groups::read(list?, &mut bundles));
        let advisories = fetched.advisories().map(|list| advisories::read(list?, &modules, &mut bundles));
        for error in groups.into_iter().chain(advisories).filter_map(Result::err) {
            let repository = &*repository.id;
            warn!(repository, %error, "the groups or advisories of this repository cannot be read to their end");
        }
    }
    Bundles::new(Family::Rpm, Architecture::of_host().name(), bundles)
}

/// Hands over what the enabled repositories offer to this machine, with the places of the repositories: packages of its
/// architectures, without those that the configuration excludes and those that belong to streams of modules that are not
/// active or are hidden by active ones.
fn each<F>(
    configuration: &Configuration,
    extent: Extent,
    mut take: impl FnMut(usize, &Told) -> Result<(), F>,
) -> Result<(), F> {
    let machine = Architecture::of_host();
    let sources = sources(configuration);
    let selection = selection(configuration, &sources);
    let modules = Modules::read(configuration, &sources);
    let extent = if extent == Extent::Packages && modules.hides_by_names() { Extent::Provides } else { extent };
    for (number, source) in sources.iter().enumerate() {
        let is_offered = |told: &Told| {
            machine.takes(&told.architecture) && selection.takes(number, told) && modules.offers(number, told)
        };
        hand_over(source, extent, &is_offered, |told| take(number, told))?;
    }
    Ok(())
}

/// A repository and what was fetched of it.
type Source<'a> = (&'a Configured, Option<Fetched>);

fn sources(configuration: &Configuration) -> Vec<Source<'_>> {
    enabled(configuration).map(|repository| (repository, Fetched::find(configuration, repository))).collect()
}

/// What the configuration excludes and includes, by all packages of all repositories where it names any.
fn selection(configuration: &Configuration, sources: &[Source<'_>]) -> Selection {
    let repositories: Vec<&Configured> = sources.iter().map(|(repository, _)| *repository).collect();
    let mut selection = Selection::new(&configuration.main, &repositories);
    if !selection.is_everything() {
        for fetched in sources.iter().filter_map(|(_, fetched)| fetched.as_ref()) {
            // What is wrong with it is told when it is read for its packages.
            let _ = fetched.read(Extent::Packages, &mut |told| {
                selection.learn(told);
                Use::GoOn
            });
        }
    }
    selection
}

/// Hands over what one repository offers. One that cannot be read offers nothing.
fn hand_over<F>(
    (repository, fetched): &Source<'_>,
    extent: Extent,
    is_offered: &dyn Fn(&Told) -> bool,
    mut take: impl FnMut(&Told) -> Result<(), F>,
) -> Result<(), F> {
    let Some(fetched) = fetched else {
        debug!(repository = &*repository.id, "no metadata of this repository was fetched");
        return Ok(());
    };
    let mut taken = Ok(());
    let result = fetched.read(extent, &mut |told| {
        if is_offered(told) {
            taken = take(told);
        }
        if taken.is_ok() { Use::GoOn } else { Use::Stop }
    });
    if let Err(error) = result {
        warn!(repository = &*repository.id, %error, "the metadata of this repository cannot be read to its end");
    }
    taken
}

fn enabled(configuration: &Configuration) -> impl Iterator<Item = &Configured> {
    configuration.repositories.iter().filter(|repository| repository.enabled)
}

fn add(builder: &mut CatalogBuilder, repository: usize, told: &Told) -> Result<(), CatalogFull> {
    let description = builder.store(&told.description)?;
    let manufacturer = [&told.vendor, &told.packager].into_iter().find(|maker| !maker.is_empty());
    let offer = Offer {
        name: &told.name,
        epoch: told.epoch,
        version: &told.version,
        release: Some(&told.release),
        architecture: &told.architecture,
        summary: &told.summary,
        description,
        manufacturer: manufacturer.map(String::as_str),
        installed_size: told.installed_size,
        download_size: told.download_size,
    };
    builder.add(repository, &offer)
}

fn too_much(configuration: &Configuration, full: impl Error + Send + Sync + 'static) -> ManagerError {
    let place = cache::places(configuration).into_iter().next().unwrap_or_default();
    ManagerError::Read { path: place, source: io::Error::other(full) }
}
