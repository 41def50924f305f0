//! Going back to the image before.

use super::banks::{BOOT_CONFIG, Bank};
use super::boot_config::{BootConfig, BootState};
use super::failure::not_installed;
use super::{ImageStore, State};
use crate::software::vib::{ImageError, ImageOutcome, ImagePlan};

/// Makes the other bank's image the next one, or takes that back if it is so already. One file is replaced, and that makes
/// it valid.
pub(super) fn roll_back(store: &ImageStore, state: &State, plan: &ImagePlan) -> Result<ImageOutcome, ImageError> {
    let banks = &state.banks;
    if let Some(other) = &banks.other {
        let config = match banks.is_pending {
            true => taken_back(other, &banks.running),
            false => brought_back(other, &banks.running, plan.needs_reboot.then_some(&*state.boot.marker)),
        };
        let written = store.disk.replace_file(&other.folder.join(BOOT_CONFIG), config.to_string().as_bytes());
        written.map_err(|error| not_installed(&error, []))?;
    }
    Ok(plan.outcome())
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

/// The image before comes again, after a boot or at once.
fn brought_back(before: &Bank, running: &Bank, staged_under: Option<&str>) -> BootConfig {
    BootConfig {
        state: if staged_under.is_some() { BootState::Waiting } else { BootState::Booted },
        staged_under: staged_under.map(str::to_owned),
        updated: running.config.updated.saturating_add(1),
        ..before.config.clone()
    }
}
