//! What somebody should know of a change that is made all the same.

use super::super::descriptor::Descriptor;
use super::super::image::Image;
use super::ImagePlan;

/// How many VIBs are told of.
const TOLD: usize = 30;

impl ImagePlan {
    /// What somebody should know of the change, in whole sentences: that the CIM server must be started again, and which VIBs
    /// come that say they go with other versions of what is there.
    pub fn notes(&self) -> Vec<String> {
        let restart = self
            .outcome()
            .needs_cimom_restart
            .then(|| "Restart the host's CIM server: the change is effective for it only then.".to_owned());
        let unlike = self.incoming.iter().filter_map(|vib| goes_with_others(vib, &self.image));
        restart.into_iter().chain(unlike.take(TOLD)).collect()
    }
}

/// That of the VIBs which a VIB says it goes with some are there by name, and none as it says.
fn goes_with_others(vib: &Descriptor, image: &Image) -> Option<String> {
    let there = vib.compatible_with.iter().find_map(|constraint| image.named(&constraint.name))?;
    let is_met = |other: &Descriptor| vib.compatible_with.iter().any(|constraint| constraint.matches(other));
    if image.vibs.iter().any(|other| is_met(other)) {
        return None;
    }
    let told: Vec<_> = vib.compatible_with.iter().take(TOLD).map(ToString::to_string).collect();
    Some(format!(
        "VIB {} says that it goes with {}, and the image has {}. It is installed all the same; get another version of it if \
         it does not work.",
        vib.id(),
        told.join(", "),
        there.id()
    ))
}
