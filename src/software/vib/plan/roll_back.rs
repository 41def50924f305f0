//! What going back makes of an image.

use std::sync::Arc;

use super::super::descriptor::Descriptor;
use super::super::error::{ImageError, ImageErrorClass};
use super::super::image::{Image, ImageSnapshot};
use super::check::check_return;
use super::draft::{Drafted, by_id};
use super::{ImagePlan, Rules};

impl ImagePlan {
    /// What comes of going back: from an image that waits for a reboot to the one that runs, which changes nothing on the
    /// running host; otherwise to the image before. That there is none is a `NoMatchError`; acceptance levels count, and
    /// maintenance mode as with an installation.
    pub fn roll_back(snapshot: &ImageSnapshot, rules: &Rules) -> Result<Self, ImageError> {
        let base = snapshot.next();
        let target = match (&snapshot.pending, &snapshot.previous) {
            (Some(_), _) => &snapshot.running,
            (None, Some(previous)) => previous,
            (None, None) => return Err(no_image()),
        };
        let drafted = difference(base, target);
        let needs_reboot = snapshot.pending.is_none() && drafted.needs_reboot(snapshot);
        let is_live = snapshot.pending.is_none() && !needs_reboot;
        check_return(&drafted, &snapshot.host, rules, is_live)?;
        Ok(Self {
            base: Arc::clone(base),
            image: Arc::clone(target),
            incoming: by_id(drafted.incoming.into_iter().cloned().collect()),
            outgoing: by_id(drafted.outgoing.into_iter().cloned().collect()),
            skipped: Vec::new(),
            needs_reboot,
        })
    }
}

/// What comes and goes from one image to another.
fn difference<'a>(base: &'a Image, target: &'a Image) -> Drafted<'a> {
    let has = |image: &Image, vib: &Descriptor| image.named(&vib.name).is_some_and(|other| other.id() == vib.id());
    let (staying, outgoing) = base.vibs.iter().partition(|vib| has(target, vib));
    Drafted { staying, outgoing, incoming: target.vibs.iter().filter(|vib| !has(base, vib)).collect() }
}

fn no_image() -> ImageError {
    ImageError::new(
        ImageErrorClass::NoMatchError,
        "There is no image to go back to. Install or remove VIBs to change the image that runs.",
    )
}
