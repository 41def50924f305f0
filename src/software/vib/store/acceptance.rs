//! Which acceptance level the host asks for.

use std::sync::Arc;

use super::banks::Bank;
use super::failure::cannot;
use super::{ImageStore, database};
use crate::software::vib::{AcceptanceLevel, Descriptor, Image, ImageError, ImageErrorClass};

impl ImageStore {
    /// Sets which acceptance level the host asks for. It may not be above that of a VIB that is installed. Blocks.
    pub fn set_acceptance_level(&self, level: AcceptanceLevel) -> Result<(), ImageError> {
        if self.settings.acceptance_level.is_some() {
            let text = "The acceptance level is told in this service's settings. Change it there.";
            return Err(ImageError::new(ImageErrorClass::AcceptanceConfigError, text));
        }
        self.change(|at| {
            let banks = [Some(&at.banks.running), at.banks.pending()];
            for bank in banks.iter().flatten() {
                bank.image.vibs.iter().try_for_each(|vib| check_level(vib, level))?;
            }
            // The one that counts for the next change comes first.
            let banks: Vec<_> = banks.into_iter().rev().flatten().collect();
            banks.iter().enumerate().try_for_each(|(at, bank)| {
                let written = self.write_level(bank, level);
                if written.is_err() {
                    self.take_back_levels(banks.get(..at).unwrap_or_default());
                }
                written
            })
        })
    }

    /// Gives banks the level again that they had.
    fn take_back_levels(&self, banks: &[&Bank]) {
        for bank in banks {
            if let Err(error) = self.write_level(bank, bank.image.profile.acceptance_level) {
                tracing::warn!("an acceptance level that was not set in all boot banks stays in one: {error}");
            }
        }
    }

    /// Writes a bank's database with another level.
    pub(super) fn write_level(&self, bank: &Bank, level: AcceptanceLevel) -> Result<(), ImageError> {
        database::refuse_unknown(&bank.folder.join(database::FILE))?;
        let mut image = Image::clone(&bank.image);
        image.profile.acceptance_level = level;
        let written = database::written(&image)
            .and_then(|content| self.disk.replace_file(&bank.folder.join(database::FILE), &content));
        written.map_err(|error| cannot("write the image's database", &error))
    }
}

/// Refuses a level that an installed VIB does not reach.
fn check_level(vib: &Arc<Descriptor>, level: AcceptanceLevel) -> Result<(), ImageError> {
    if vib.acceptance_level >= level {
        return Ok(());
    }
    let class = ImageErrorClass::AcceptanceConfigError;
    let text = format!(
        "VIB {}'s acceptance level is {}, which is not compliant with the ImageProfile acceptance level {level}. \
         Remove the VIB first, or choose a lower level.",
        vib.id(),
        vib.acceptance_level
    );
    Err(ImageError::new(class, text).of([vib.id()]))
}
