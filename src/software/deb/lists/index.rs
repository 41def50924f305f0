//! Reads lists of packages and of descriptions into a catalog.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead};
use std::path::Path;

use super::super::database::description;
use super::super::stanza::{Met, Stanza, Stanzas};
use super::unpack;
use crate::software::Nevra;
use crate::software::catalog::{CatalogBuilder, CatalogFull, Offer, Stored};

const PACKAGE: &[&str] =
    &["Package", "Version", "Architecture", "Maintainer", "Installed-Size", "Size", "Description", "Description-md5"];

const DESCRIPTION: &[&str] = &["Description-md5", "Description-en"];

/// How many entries one list may have; Debian's largest has some 70,000.
const MOST_ENTRIES: usize = 1_000_000;

/// Long descriptions by the checksum that packages refer to them with.
#[derive(Debug, Default)]
pub(super) struct Descriptions(HashMap<u128, Stored>);

impl Descriptions {
    /// Adds those of a list.
    pub(super) fn read(&mut self, list: &Path, builder: &mut CatalogBuilder) -> Result<(), CatalogFull> {
        each(list, DESCRIPTION, |stanza| {
            let checksum = checksum(stanza).ok_or(Refused::Damage("the checksum is none"))?;
            if let Entry::Vacant(vacant) = self.0.entry(checksum) {
                let (_, text) = description(stanza.get("Description-en").unwrap_or_default());
                vacant.insert(builder.store(&text)?);
            }
            Ok(())
        })
    }

    fn of(&self, stanza: &Stanza) -> Option<Stored> {
        self.0.get(&checksum(stanza)?).copied()
    }
}

fn checksum(stanza: &Stanza) -> Option<u128> {
    let text = stanza.get("Description-md5")?;
    (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok())?
}

/// Adds the packages of a list, which the repositories with these places offer.
pub(super) fn read(
    list: &Path,
    repositories: &[usize],
    descriptions: &Descriptions,
    builder: &mut CatalogBuilder,
) -> Result<(), CatalogFull> {
    each(list, PACKAGE, |stanza| add(stanza, repositories, descriptions, builder))
}

fn add(
    stanza: &Stanza,
    repositories: &[usize],
    descriptions: &Descriptions,
    builder: &mut CatalogBuilder,
) -> Result<(), Refused<CatalogFull>> {
    let field = |name| stanza.get(name).ok_or(Refused::Damage("the name, version or architecture is missing"));
    let nevra = Nevra::from_debian(field("Package")?, field("Version")?, field("Architecture")?)
        .ok_or(Refused::Damage("the name, version or architecture is none"))?;
    let number = |name| stanza.get(name)?.parse::<u64>().ok();
    let (summary, text) = description(stanza.get("Description").unwrap_or_default());
    let description = match descriptions.of(stanza) {
        Some(stored) => stored,
        None => builder.store(&text)?,
    };
    let offer = Offer {
        name: &nevra.name,
        epoch: nevra.epoch,
        version: &nevra.version,
        release: nevra.release.as_deref(),
        architecture: &nevra.architecture,
        summary,
        description,
        manufacturer: stanza.get("Maintainer"),
        // Debian counts in units of 1024 bytes.
        installed_size: number("Installed-Size").and_then(|size| size.checked_mul(1024)),
        download_size: number("Size"),
    };
    repositories.iter().try_for_each(|repository| builder.add(*repository, &offer))?;
    Ok(())
}

/// Why a stanza was not taken.
pub(in crate::software::deb) enum Refused<F> {
    /// It is damaged.
    Damage(&'static str),
    /// There is no room for more.
    Full(F),
}

impl<F> From<F> for Refused<F> {
    fn from(full: F) -> Self {
        Self::Full(full)
    }
}

/// Why a list was not read to its end.
enum Stopped<F> {
    Full(F),
    Unreadable(io::Error),
}

/// The damaged entries of a list, of which there may be as many as there are others.
#[derive(Debug, Default)]
struct Damages {
    count: usize,
    first: Option<(usize, &'static str)>,
}

impl Damages {
    fn add(&mut self, line: usize, why: &'static str) {
        self.count += 1;
        self.first.get_or_insert((line, why));
    }
}

/// Hands over the stanzas of a list. What is damaged is left out, and so is what comes after a place that cannot be read;
/// both are logged.
pub(super) fn each<F>(
    list: &Path,
    fields: &'static [&'static str],
    take: impl FnMut(&Stanza) -> Result<(), Refused<F>>,
) -> Result<(), F> {
    let mut damages = Damages::default();
    let input = unpack::open(list).map_err(Stopped::Unreadable);
    let result = input.and_then(|input| hand_over(Stanzas::new(input, fields), take, &mut damages));
    let Damages { count, first } = damages;
    if let Some((line, why)) = first {
        tracing::warn!(file = %list.display(), count, line, "left out damaged entries of a list of apt: in the first {why}");
    }
    match result {
        Ok(()) => Ok(()),
        Err(Stopped::Full(full)) => Err(full),
        Err(Stopped::Unreadable(error)) => {
            tracing::warn!(file = %list.display(), %error, "left out the rest of a list of apt");
            Ok(())
        }
    }
}

fn hand_over<F>(
    mut stanzas: Stanzas<impl BufRead>,
    mut take: impl FnMut(&Stanza) -> Result<(), Refused<F>>,
    damages: &mut Damages,
) -> Result<(), Stopped<F>> {
    for _ in 0..MOST_ENTRIES {
        match stanzas.next().map_err(Stopped::Unreadable)? {
            None => return Ok(()),
            Some(Met::Damaged(line, why)) => damages.add(line, why),
            Some(Met::Stanza(stanza)) => match take(&stanza) {
                Ok(()) => {}
                Err(Refused::Damage(why)) => damages.add(stanza.line, why),
                Err(Refused::Full(full)) => return Err(Stopped::Full(full)),
            },
        }
    }
    Err(Stopped::Unreadable(io::Error::other("it has too many entries")))
}
