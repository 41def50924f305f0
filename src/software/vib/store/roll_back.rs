//! Going back to the image before.

use super::ImageStore;
use super::banks::{BOOT_CONFIG, Bank};
use super::boot_config::{BootConfig, BootState};
use super::failure::not_installed;
use super::recovery::State;
use crate::software::vib::{ImageError, ImageOutcome, ImagePlan};

/// Makes the other bank's image the next one, or takes that back if it is so already. One file is replaced, and that makes
/// it valid.
pub(super) fn roll_back(store: &ImageStore, state: &State, plan: &ImagePlan) -> Result<ImageOutcome, ImageError> {
    let banks = &state.banks;
    if let Some(other) = &banks.other {
        let target = if banks.is_pending { &banks.running } else { other };
        target.check_whole()?;
        let config = match banks.is_pending {
            true => taken_back(other, &banks.running),
            false => {
                let (state, staged_under) = banks.places.arrangement.coming(plan.needs_reboot, &state.boot);
                BootConfig { state, staged_under, updated: banks.next_number()?, ..other.config.clone() }
            }
        };
        keep_level(store, banks.next(), target)?;
        let written = store.disk.replace_file(&other.folder.join(BOOT_CONFIG), config.to_string().as_bytes());
        written.map_err(|error| not_installed(&error, []))?;
    }
    Ok(plan.outcome())
}

/// The level is the host's: it stays as it was set last, whichever image comes.
fn keep_level(store: &ImageStore, from: &Bank, to: &Bank) -> Result<(), ImageError> {
    let level = from.image.profile.acceptance_level;
    if to.image.profile.acceptance_level == level { Ok(()) } else { store.write_level(to, level) }
}

/// The pending image comes no more; it is older from now on, and can be gone back to.
fn taken_back(pending: &Bank, running: &Bank) -> BootConfig {
    BootConfig {
        state: BootState::Booted,
        staged_under: None,
        updated: running.config.updated.saturating_sub(1),
        ..pending.config.clone()
    }
}
