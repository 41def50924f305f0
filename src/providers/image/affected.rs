//! What a job did to the image: the VIBs that came and those that went.

use std::sync::Arc;

use super::super::links::{Link, Links, Pair, Pairs, each};
use super::super::managed::ManagedSystem;
use super::model::{IDENTITY_PREFIX, ImageModel};
use crate::broker::Provider;
use crate::cim::{CimError, Instance, ObjectPath, PropertyError, Value};
use crate::jobs::Job;
use crate::software::vib::VibId;

pub(super) fn links(model: &Arc<ImageModel>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Affected(model.clone()))]
}

#[derive(Debug)]
struct Affected(Arc<ImageModel>);

impl Affected {
    fn pairs(&self, job: &Job) -> Vec<Pair> {
        let path = self.0.job_path(job);
        vibs(job).map(|(vib, _)| [path.clone(), self.0.identity_path(vib)]).collect()
    }
}

/// The VIBs that a job changed, and how.
fn vibs(job: &Job) -> impl Iterator<Item = (&VibId, &'static str)> {
    let changes = job.outcome.as_ref().and_then(|outcome| outcome.image.as_ref());
    changes.into_iter().flat_map(|image| {
        let installed = image.installed.iter().map(|vib| (vib, "Installing"));
        installed.chain(image.removed.iter().map(|vib| (vib, "Removing")))
    })
}

impl Link for Affected {
    fn class(&self) -> &'static str {
        "VMware_AffectedSoftwareIdentity"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["AffectingElement", "AffectedElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let this = Self(self.0.clone());
        Ok(each(self.0.jobs().jobs().into_iter().flat_map(move |job| this.pairs(&job))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            return Ok(each(self.0.named_job(source).map(|job| self.pairs(&job)).unwrap_or_default()));
        }
        let source = source.clone();
        Ok(Box::new(self.all()?.filter(move |pair| pair.as_ref().map_or(true, |[_, vib]| vib.same_keys(&source)))))
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let reference = |name: &str| link.get(name).and_then(Value::as_reference);
        let job = reference("AffectingElement").and_then(|path| self.0.named_job(path));
        let affected = reference("AffectedElement").and_then(|path| path.key_str("InstanceID"));
        let id = affected.and_then(|id| id.strip_prefix(IDENTITY_PREFIX));
        let found = job.as_ref().zip(id).and_then(|(job, id)| vibs(job).find(|(vib, _)| vib.as_str() == id));
        // The job may have been removed since the link was found.
        let Some((_, effect)) = found else { return Ok(()) };
        // 1 Other
        link.set("ElementEffects", Value::array([1u16]))?
            .set("OtherElementEffectsDescriptions", Value::array([effect]))?;
        Ok(())
    }
}
