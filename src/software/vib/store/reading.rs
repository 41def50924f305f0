//! Reading a snapshot of a store, without its lock.

use std::sync::Arc;

use super::ImageSettings;
use super::banks::{Bank, Banks};
use super::host::{BASE, Boot, HostSettings};
use super::layout::Layout;
use super::watch::{self, StoreMarks};
use crate::software::vib::{AcceptanceLevel, Image, ImageError, ImageHost, ImageSnapshot};

/// How often a store that changes while it is read is read anew.
const MOST_ATTEMPTS: usize = 10;

/// Reads a snapshot, and the marks of the files that it was read from.
pub(super) fn read_snapshot(
    layout: &Layout,
    settings: &ImageSettings,
    old: Option<&ImageSnapshot>,
) -> Result<(StoreMarks, ImageSnapshot), ImageError> {
    let known = old.map(images).unwrap_or_default();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let marks = watch::marks(layout);
        let snapshot = read_once(layout, settings, &known);
        // A change while it was read may have shown it half of the one image and half of the other.
        if attempts == MOST_ATTEMPTS || marks == watch::marks(layout) {
            return Ok((marks, snapshot?));
        }
    }
}

fn read_once(layout: &Layout, settings: &ImageSettings, known: &[Arc<Image>]) -> Result<ImageSnapshot, ImageError> {
    let boot = Boot::read(layout)?;
    let facts = HostSettings::read(&layout.host_file())?;
    let banks = Banks::read(layout, &boot, known)?;
    let shown = |bank: &Bank| with_level(&bank.image, settings.acceptance_level);
    Ok(ImageSnapshot {
        host: ImageHost {
            changes_live: banks.places.arrangement.changes_live(),
            ..facts.host(banks.running.image.named(BASE).map(|vib| &**vib), boot.at)
        },
        running: shown(&banks.running),
        pending: banks.pending().map(shown),
        previous: banks.previous().map(|bank| Arc::clone(&bank.image)),
    })
}

/// The image with the acceptance level that the settings tell, if they do.
fn with_level(image: &Arc<Image>, level: Option<AcceptanceLevel>) -> Arc<Image> {
    match level.filter(|level| *level != image.profile.acceptance_level) {
        Some(level) => {
            let mut image = Image::clone(image);
            image.profile.acceptance_level = level;
            Arc::new(image)
        }
        None => Arc::clone(image),
    }
}

/// The images of a snapshot.
pub(super) fn images(snapshot: &ImageSnapshot) -> Vec<Arc<Image>> {
    let others = snapshot.pending.iter().chain(&snapshot.previous);
    [&snapshot.running].into_iter().chain(others).map(Arc::clone).collect()
}
