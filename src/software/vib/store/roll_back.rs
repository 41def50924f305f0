//! Going back to the image before.

use std::collections::HashSet;

use super::banks::{BOOT_CONFIG, Bank};
use super::boot_config::{BootConfig, BootState};
use super::failure::not_installed;
use super::{ImageStore, State};
use crate::software::vib::{Image, ImageError, ImageErrorClass, ImageOutcome, VibId};

/// Makes the other bank's image the next one, or takes that back if it is so already. One file is replaced, and that makes
/// it valid.
pub(super) fn roll_back(store: &ImageStore, state: &State) -> Result<ImageOutcome, ImageError> {
    let banks = &state.banks;
    let Some(other) = &banks.other else {
        let text = "There is no image to go back to. Only the last change can be taken back.";
        return Err(ImageError::new(ImageErrorClass::NoMatchError, text));
    };
    let (outcome, config) = match banks.is_pending {
        true => take_back(other, &banks.running),
        false => go_back(other, &banks.running, state)?,
    };
    let written = store.disk.replace_file(&other.folder.join(BOOT_CONFIG), config.to_string().as_bytes());
    written.map_err(|error| not_installed(&error, []))?;
    Ok(outcome)
}

/// The pending image comes no more.
fn take_back(pending: &Bank, running: &Bank) -> (ImageOutcome, BootConfig) {
    let outcome = ImageOutcome { needs_reboot: false, ..difference(&pending.image, &running.image) };
    let config = BootConfig {
        state: BootState::Booted,
        staged_under: None,
        updated: running.config.updated.saturating_sub(1),
        ..pending.config.clone()
    };
    (outcome, config)
}

/// The image before comes again: at once, if all that changes by it may change on a running host.
fn go_back(before: &Bank, running: &Bank, state: &State) -> Result<(ImageOutcome, BootConfig), ImageError> {
    let outcome = difference(&running.image, &before.image);
    let config = BootConfig { updated: running.config.updated.saturating_add(1), ..before.config.clone() };
    let config = match outcome.needs_reboot {
        true => BootConfig { state: BootState::Waiting, staged_under: Some(state.boot.marker.clone()), ..config },
        false => BootConfig { state: BootState::Booted, staged_under: None, ..config },
    };
    Ok((outcome, config))
}

/// What changes from one image to another.
fn difference(from: &Image, to: &Image) -> ImageOutcome {
    let ids = |image: &Image| image.vibs.iter().map(|vib| vib.id()).collect::<HashSet<VibId>>();
    let (before, after) = (ids(from), ids(to));
    let coming: Vec<_> = to.vibs.iter().filter(|vib| !before.contains(&vib.id())).collect();
    let going: Vec<_> = from.vibs.iter().filter(|vib| !after.contains(&vib.id())).collect();
    ImageOutcome {
        needs_reboot: !coming.iter().all(|vib| vib.live_install_allowed)
            || !going.iter().all(|vib| vib.live_remove_allowed),
        installed: coming.iter().map(|vib| vib.id()).collect(),
        removed: going.iter().map(|vib| vib.id()).collect(),
        skipped: Vec::new(),
    }
}
