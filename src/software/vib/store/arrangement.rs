//! The two ways in which a store has its banks, and where they lie.

use std::path::{Path, PathBuf};

use super::boot_config::{BootConfig, BootState};
use super::failure::{malformed, unreadable};
use super::host::Boot;
use super::layout::Layout;
use crate::software::vib::{ImageError, VibType};

/// How a store has its two banks. Everything that differs begins here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// Two folders of the store. A change is put together beside them; then the folders take each other's names.
    Exchanged,
    /// Two links, as on ESXi, to folders that keep their names and may lie on file systems of their own. A change is put
    /// together in the other bank and always waits for a boot; the host's start has `bootbank` lead to the bank that runs.
    Linked,
}

/// What the other bank is to the one that `bootbank` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The image before.
    Before,
    /// It waits for a boot.
    Waits,
    /// It runs already; the banks have not taken each other's names yet.
    Runs,
}

impl Arrangement {
    /// What the other bank is, by what both boot configurations say; `None` is one that is missing or cannot be read.
    pub(super) fn standing(self, first: Option<&BootConfig>, second: Option<&BootConfig>, boot: &Boot) -> Standing {
        let Some(second) = second else { return Standing::Before };
        match self {
            Self::Exchanged => {
                // Only the newer one ever waits.
                let is_newer = first.map_or(second.state.is_first_boot(), |first| second.updated > first.updated);
                match (is_newer, waits(second, boot)) {
                    (false, _) => Standing::Before,
                    (true, true) => Standing::Waits,
                    (true, false) => Standing::Runs,
                }
            }
            // As ESXi's boot loader chooses: the greater number among those whose first boot did not fail.
            Self::Linked => {
                let first = first.filter(|first| first.state != BootState::Empty);
                let is_next = first.is_none_or(|first| second.updated > first.updated);
                let can_be_booted = matches!(second.state, BootState::Booted | BootState::Waiting);
                if is_next && can_be_booted { Standing::Waits } else { Standing::Before }
            }
        }
    }

    /// What the boot configuration says of an image that is to come: its state, and what tells that the host was booted.
    pub(super) fn coming(self, waits: bool, boot: &Boot) -> (BootState, Option<String>) {
        match self {
            Self::Exchanged if waits => (BootState::Waiting, Some(boot.mark())),
            Self::Exchanged => (BootState::Booted, None),
            // The links tell.
            Self::Linked => (BootState::Waiting, None),
        }
    }

    /// Whether what can be changed live is: where a kernel runs the image, nothing is loaded into it.
    pub(super) fn changes_live(self) -> bool {
        self == Self::Exchanged
    }

    /// Whether VIBs of this type lie in its banks. ESXi keeps those of the locker elsewhere, with a database of their own.
    pub(super) fn has(self, vib_type: VibType) -> bool {
        self == Self::Exchanged || vib_type != VibType::Locker
    }
}

/// Whether a bank still waits for the boot that it was staged for. While either marker is missing nobody can tell of a boot.
fn waits(config: &BootConfig, boot: &Boot) -> bool {
    config.state.is_first_boot()
        && match (&config.staged_under, &boot.marker) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        }
}

/// Where the banks of a store lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub arrangement: Arrangement,
    /// What `bootbank` is or leads to.
    pub first: PathBuf,
    /// What `altbootbank` is or leads to.
    pub second: PathBuf,
}

impl Places {
    /// Finds them. Links are followed here and nowhere else.
    pub(super) fn find(layout: &Layout) -> Result<Self, ImageError> {
        let (first, second) = (layout.bootbank(), layout.altbootbank());
        if !first.is_symlink() {
            return Ok(Self { arrangement: Arrangement::Exchanged, first, second });
        }
        if !second.is_symlink() {
            let what = "it is a link, and altbootbank is none; boot banks are two folders, or two links to folders";
            return Err(malformed(&first, what));
        }
        let led_to = first.canonicalize().map_err(|error| unreadable(&first, &error))?;
        // One that leads nowhere has nothing in it, and the image that runs is none the worse for it.
        let other = second.canonicalize().unwrap_or_else(|_| second.clone());
        if is_in(&other, &led_to) || is_in(&led_to, &other) {
            return Err(malformed(&second, "it leads to the same place as bootbank"));
        }
        Ok(Self { arrangement: Arrangement::Linked, first: led_to, second: other })
    }
}

fn is_in(inner: &Path, outer: &Path) -> bool {
    inner.starts_with(outer)
}
