//! `quartermaster image` with a store whose running image cannot be read.

use std::fmt::Write as _;
use std::io::Write as _;

use super::{Store, image, settings_of};
use crate::app;
use crate::cli::Failure;
use crate::software::vib::{DamagedStore, ImageError, OtherImage};

/// Shows what is left of a store that cannot be opened as usual, which `failure` tells of; fails with that, which says what to
/// do next.
pub(super) fn show(store: &Store, failure: Failure) -> Result<String, Failure> {
    if let Some(damaged) = open(store)? {
        std::io::stdout().write_all(shown(&damaged.error(), &damaged.other())?.as_bytes())?;
    }
    Err(failure)
}

/// Has the other image run after the next boot.
pub(super) fn roll_back(store: &Store, failure: Failure) -> Result<String, Failure> {
    open(store)?.ok_or(failure)?.roll_back()?;
    Ok("went back to the image of the other boot bank\nit runs after the next boot\n".to_owned())
}

/// Makes it as if the host was booted.
pub(super) fn boot(store: &Store, failure: Failure) -> Result<String, Failure> {
    open(store)?.ok_or(failure)?.mark_boot()?;
    // Gives the bank that runs now its name.
    super::open(store)?;
    Ok("booted: the image that waited runs now\n".to_owned())
}

fn open(store: &Store) -> Result<Option<DamagedStore>, Failure> {
    Ok(app::open_damaged_image(&store.dir, settings_of(store)?)?)
}

fn shown(error: &ImageError, other: &OtherImage) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "the image that runs:\tdamaged: {error}")?;
    match other {
        OtherImage::None => writeln!(text, "\nthe other boot bank:\tempty")?,
        OtherImage::Damaged(error) => writeln!(text, "\nthe image of the other boot bank:\tdamaged: {error}")?,
        OtherImage::Whole { image: other, waits: true } => {
            image(&mut text, "the image that runs after the next boot, which is whole", other)?;
        }
        OtherImage::Whole { image: other, waits: false } => {
            image(&mut text, "the image that can be gone back to, which is whole", other)?;
        }
    }
    Ok(text)
}
