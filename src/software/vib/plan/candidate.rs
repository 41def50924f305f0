//! Which VIBs of what is offered are meant.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::bulletin::Bulletin;
use super::super::catalogue::Catalogue;
use super::super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::image::ImageHost;
use super::Candidate;

impl Candidate {
    /// The VIBs of a catalogue that are for this host: those of the bulletins that are named are wanted, and the others are
    /// at hand for what these need. Without names all are wanted.
    ///
    /// A VIB is for the host if its own platforms are, and if it is in a bulletin that is for the host or in none. That
    /// nothing is for the host is a `NoMatchError`, as is a bulletin that is not there or that is for another product; one
    /// that lists a VIB which is not there is a `BulletinValidationError`.
    pub fn select(
        host: &ImageHost,
        catalogue: &Catalogue<'_>,
        bulletins: Option<&[String]>,
    ) -> Result<Vec<Self>, ImageError> {
        let wanted = bulletins.map(|ids| vibs_of(host, catalogue, ids)).transpose()?;
        let elsewhere = only_of_others(host, catalogue);
        let candidates: Vec<_> = catalogue
            .vibs()
            .iter()
            .zip(elsewhere)
            .filter(|(vib, elsewhere)| vib.fits_platform(host) && !elsewhere)
            .map(|(vib, _)| Self {
                descriptor: Arc::clone(vib),
                wanted: wanted.as_ref().is_none_or(|wanted| wanted.contains(&Arc::as_ptr(vib))),
            })
            .collect();
        if candidates.iter().any(|candidate| candidate.wanted) {
            return Ok(candidates);
        }
        Err(match bulletins {
            Some(ids) => nothing_of(host, catalogue, ids),
            None => nothing_for(host, catalogue),
        })
    }
}

impl Catalogue<'_> {
    /// Whether a VIB that no bulletin has is for the host: its own products count, or else those of its packages.
    pub(in super::super) fn offers_to(&self, host: &ImageHost, place: usize) -> bool {
        let has_own = self.vibs().get(place).is_some_and(|vib| !vib.platforms.is_empty());
        let products = self.products(place);
        has_own || products.is_empty() || products.iter().any(|product| product.fits(host))
    }
}

impl Bulletin {
    /// Whether it is for the host's product.
    pub fn fits_platform(&self, host: &ImageHost) -> bool {
        self.platforms.is_empty() || self.platforms.iter().any(|platform| platform.fits(host))
    }
}

/// The VIBs of these bulletins.
fn vibs_of(
    host: &ImageHost,
    catalogue: &Catalogue<'_>,
    ids: &[String],
) -> Result<HashSet<*const Descriptor>, ImageError> {
    let mut vibs = HashSet::new();
    for id in ids {
        let bulletin = catalogue.bulletin(id).ok_or_else(|| no_bulletin(id))?;
        if !bulletin.fits_platform(host) {
            return Err(other_platform(host, bulletin));
        }
        for vib in &bulletin.vibs {
            vibs.insert(Arc::as_ptr(catalogue.vib(vib).ok_or_else(|| no_vib(bulletin, vib))?));
        }
    }
    Ok(vibs)
}

/// Which of the VIBs are for other products by what stands around them: they are in bulletins, but in none for this host, or
/// in no bulletin and only in packages for others.
fn only_of_others(host: &ImageHost, catalogue: &Catalogue<'_>) -> Vec<bool> {
    let mut here = vec![None; catalogue.vibs().len()];
    for bulletin in catalogue.bulletins() {
        let fits = bulletin.fits_platform(host);
        for place in bulletin.vibs.iter().filter_map(|id| catalogue.vib_place(id)) {
            if let Some(here) = here.get_mut(place) {
                *here = Some(fits || *here == Some(true));
            }
        }
    }
    let is_here = |(place, here): (usize, Option<bool>)| here.unwrap_or_else(|| catalogue.offers_to(host, place));
    here.into_iter().enumerate().map(|place| !is_here(place)).collect()
}

fn no_bulletin(id: &str) -> ImageError {
    let text = format!(
        "No bulletin matching bulletin search specification '{id}'. Name a bulletin that the metadata of the bundles has."
    );
    ImageError::new(ImageErrorClass::NoMatchError, text)
}

fn no_vib(bulletin: &Bulletin, vib: &VibId) -> ImageError {
    let text = format!(
        "Bulletin {} lists VIB {vib}, which no bundle has. Add the bundle or the metadata that has it.",
        bulletin.id
    );
    ImageError::new(ImageErrorClass::BulletinValidationError, text).of([vib.clone()])
}

fn other_platform(host: &ImageHost, bulletin: &Bulletin) -> ImageError {
    let text = format!(
        "Bulletin {} is for {}, and the host is {} {}. Get the bundle that is made for the host's version.",
        bulletin.id,
        shown(bulletin.platforms.iter()),
        host.product_line,
        host.version
    );
    ImageError::new(ImageErrorClass::NoMatchError, text)
}

fn nothing_for(host: &ImageHost, catalogue: &Catalogue<'_>) -> ImageError {
    if catalogue.vibs().is_empty() {
        return ImageError::new(
            ImageErrorClass::NoMatchError,
            "The bundles have no VIBs. Name a bundle that has what is to be installed.",
        );
    }
    let of_bulletins = catalogue.bulletins().flat_map(|bulletin| &bulletin.platforms);
    let of_vibs = catalogue.vibs().iter().flat_map(|vib| &vib.platforms);
    let in_bulletins: HashSet<usize> =
        catalogue.bulletins().flat_map(|bulletin| &bulletin.vibs).filter_map(|id| catalogue.vib_place(id)).collect();
    let alone = (0..catalogue.vibs().len()).filter(|place| !in_bulletins.contains(place));
    let of_packages = alone.flat_map(|place| catalogue.products(place));
    let platforms = of_bulletins.chain(of_vibs).chain(of_packages);
    let text = format!(
        "The bundles have nothing for {} {}: they are for {}. Get the bundle that is made for the host's version.",
        host.product_line,
        host.version,
        shown(platforms)
    );
    ImageError::new(ImageErrorClass::NoMatchError, text)
}

/// That bulletins for the host have no VIBs, as notifications have none, or only some for other products.
fn nothing_of(host: &ImageHost, catalogue: &Catalogue<'_>, ids: &[String]) -> ImageError {
    let bulletins = || ids.iter().filter_map(|id| catalogue.bulletin(id));
    let vibs: Vec<_> = bulletins().flat_map(|bulletin| &bulletin.vibs).filter_map(|id| catalogue.vib(id)).collect();
    let (what, have) = match ids {
        [id] => (format!("Bulletin {id}"), "has"),
        ids => (format!("Bulletins {}", ids.join(", ")), "have"),
    };
    let text = if vibs.is_empty() {
        format!("{what} {have} no VIBs, so there is nothing to install. Name bulletins that have some.")
    } else {
        let platforms = shown(vibs.iter().flat_map(|vib| &vib.platforms));
        format!(
            "{what} {have} nothing for {} {}: the VIBs are for {platforms}. Get the bundle that is made for the host's \
             version.",
            host.product_line, host.version
        )
    };
    ImageError::new(ImageErrorClass::NoMatchError, text)
}

/// How many platforms an error tells of.
const PLATFORMS_TOLD: usize = 8;

/// Platforms for a person, each once.
fn shown<'a>(platforms: impl Iterator<Item = &'a SoftwarePlatform>) -> String {
    let mut told: Vec<String> = Vec::new();
    for platform in platforms {
        let text = [&*platform.product_line, &*platform.version, &*platform.locale].join(" ").trim().to_owned();
        if !told.contains(&text) {
            told.push(text);
        }
        if told.len() == PLATFORMS_TOLD {
            break;
        }
    }
    if told.is_empty() { "no product".to_owned() } else { told.join(", ") }
}
