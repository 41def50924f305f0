//! An image that never changes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::software::vib::{
    AcceptanceLevel, Descriptor, Image, ImageError, ImageHost, ImageManager, ImageOperation, ImageOutcome,
    ImageProfile, ImageSnapshot,
};
use crate::software::{ApplyError, CancelToken, Progress};

/// An image that stays as it is.
#[derive(Debug)]
pub(crate) struct FixedImage(Arc<ImageSnapshot>);

impl FixedImage {
    pub(crate) fn new(snapshot: ImageSnapshot) -> Self {
        Self(Arc::new(snapshot))
    }
}

impl ImageManager for FixedImage {
    fn folder(&self) -> &Path {
        Path::new("/image")
    }

    fn snapshot(&self) -> Arc<ImageSnapshot> {
        self.0.clone()
    }

    fn refresh(&self) -> Result<bool, ImageError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    fn apply(&self, _: &ImageOperation, _: &mut dyn Progress, _: &CancelToken) -> Result<ImageOutcome, ApplyError> {
        Err(ApplyError::Cancelled)
    }
}

/// An image of ESXi 5.5 that runs, and perhaps one that waits for a boot, with VIBs of these names and versions, which are in
/// the order of their names.
pub(crate) fn image_snapshot(running: &[(&str, &str)], pending: Option<&[(&str, &str)]>) -> ImageSnapshot {
    let host = ImageHost {
        product_line: "embeddedEsx".into(),
        version: "5.5.0".into(),
        build: Some(1_623_387),
        locale: "".into(),
        hardware: None,
        maintenance_mode: false,
        changes_live: true,
        booted_at: Some(chrono::DateTime::UNIX_EPOCH),
    };
    ImageSnapshot { host, running: image(running), pending: pending.map(image), previous: None }
}

fn image(vibs: &[(&str, &str)]) -> Arc<Image> {
    let profile = ImageProfile {
        name: "ESXi-5.5.0-standard".into(),
        creator: "VMware, Inc.".into(),
        created_at: None,
        modified_at: None,
        profile_id: "".into(),
        description: "".into(),
        acceptance_level: AcceptanceLevel::Partner,
        vibs: Vec::new(),
    };
    Arc::new(Image { profile, vibs: vibs.iter().map(|(name, version)| vib(name, version)).collect() })
}

fn vib(name: &str, version: &str) -> Arc<Descriptor> {
    let text = format!(
        "<vib version=\"5.0\"><type>bootbank</type><name>{name}</name><version>{version}</version><vendor>VMware</vendor>\
         <summary>About {name}</summary><description>More about {name}</description>\
         <release-date>2014-04-19T10:00:00+00:00</release-date><software-tags><tag>driver</tag></software-tags>\
         <acceptance-level>certified</acceptance-level></vib>"
    );
    Arc::new(Descriptor::from_xml(&text).unwrap())
}
