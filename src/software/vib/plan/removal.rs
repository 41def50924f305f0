//! What removing VIBs makes of an image.

use super::super::descriptor::Descriptor;
use super::super::error::{ImageError, ImageErrorClass};
use super::super::image::ImageSnapshot;
use super::super::stop::Stop;
use super::check::check;
use super::draft::Draft;
use super::{ImagePlan, Rules};
use crate::software::CancelToken;

impl ImagePlan {
    /// What comes of removing VIBs. Each is named by its id or as `name`, `name:version`, `vendor:name` or
    /// `vendor:name:version`; one that the image does not have is a `NoMatchError`, and all of these are told at once. Needs
    /// that are no longer met are a `DependencyError`, and maintenance mode may be needed as with an installation.
    pub fn remove(
        snapshot: &ImageSnapshot,
        names: &[String],
        rules: &Rules,
        cancel: &CancelToken,
    ) -> Result<Self, Stop> {
        let base = snapshot.next();
        let mut draft = Draft::new(base);
        let mut unknown = Vec::new();
        for name in names {
            let mut meant = base.vibs.iter().filter(|vib| is_meant(vib, name)).map(|vib| &*vib.name).peekable();
            if meant.peek().is_none() {
                unknown.push(name.as_str());
            }
            draft.removed.extend(meant);
        }
        if !unknown.is_empty() {
            return Err(no_match(&unknown).into());
        }
        let drafted = draft.drafted();
        let needs_reboot = drafted.needs_reboot(snapshot);
        check(&drafted, base, &snapshot.host, rules, needs_reboot, cancel)?;
        Ok(drafted.into_plan(base, needs_reboot, rules, Vec::new()))
    }
}

/// Whether a name means this VIB.
fn is_meant(vib: &Descriptor, name: &str) -> bool {
    if vib.id().as_str() == name {
        return true;
    }
    let version = vib.version.as_str();
    match name.split(':').collect::<Vec<_>>().as_slice() {
        [one] => **one == *vib.name,
        [one, other] => (**one == *vib.name && *other == version) || (**one == *vib.vendor && **other == *vib.name),
        [vendor, name, wanted] => **vendor == *vib.vendor && **name == *vib.name && *wanted == version,
        _ => false,
    }
}

fn no_match(names: &[&str]) -> ImageError {
    let told: Vec<_> = names.iter().map(|name| format!("No VIB matching VIB search specification '{name}'.")).collect();
    let text = format!("{} Name VIBs that the image has.", told.join(" "));
    ImageError::new(ImageErrorClass::NoMatchError, text)
}
