//! What a job works on, and what it did to it (CIM_AffectedJobElement): for `InstallFromURI` this is how a client learns what
//! was installed, for a verification which files did not pass.

use std::sync::Arc;

use super::links::{Link, Links, Pair, Pairs, each};
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::FILE_CHECK;
use crate::broker::Provider;
use crate::cim::{CimError, Instance, ObjectPath, PropertyError, Value};
use crate::jobs::{InstallAction, Job, PackageRequest};
use crate::software::{ChangeKind, Nevra};

/// ElementEffects.
const OTHER: u16 = 1;
const EXCLUSIVE_USE: u16 = 2;

pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Affected(model.clone()))]
}

#[derive(Debug)]
struct Affected(Arc<Model>);

impl Affected {
    fn elements(&self, job: &Job) -> Vec<Arc<ObjectPath>> {
        let model = &self.0;
        let mut elements = Vec::new();
        if job.request.of_packages().and_then(of_system).is_some() {
            elements.extend([model.collection_path(), model.system_path()]);
        }
        elements.extend(identities(job).into_iter().map(|(nevra, _)| model.identity_path(nevra)));
        if let Some(nevra) = job.request.nevra() {
            let findings = job.outcome.iter().flat_map(|outcome| &outcome.findings);
            elements.extend(findings.map(|finding| model.file_check_path(nevra, &finding.path, Some(job))));
        }
        elements
    }

    fn pairs(&self, job: &Job) -> Vec<Pair> {
        let job_path = self.0.job_path(job);
        self.elements(job).into_iter().map(|element| [job_path.clone(), element]).collect()
    }

    /// What a job does to one of its elements.
    fn effect(&self, job: &Job, affected: &ObjectPath) -> Option<(u16, &'static str)> {
        let model = &self.0;
        match &**affected.class() {
            FILE_CHECK => Some((OTHER, "File did not pass the verification.")),
            _ if model.is_system(affected) => Some((OTHER, of_system(job.request.of_packages()?)?)),
            _ if model.is_collection(affected) => Some((EXCLUSIVE_USE, "Package database is locked.")),
            _ => {
                let named = model.nevra(affected).ok()?;
                let found = identities(job).into_iter().find(|(nevra, _)| **nevra == named)?;
                Some((OTHER, found.1))
            }
        }
    }
}

impl Link for Affected {
    fn class(&self) -> &'static str {
        "LMI_AffectedSoftwareJobElement"
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
        let (this, source) = (Self(self.0.clone()), source.clone());
        let pairs = self.0.jobs().jobs().into_iter().flat_map(move |job| this.pairs(&job));
        Ok(each(pairs.filter(move |[_, affected]| affected.same_keys(&source))))
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let reference = |name: &str| link.get(name).and_then(Value::as_reference);
        let (job, affected) = (reference("AffectingElement"), reference("AffectedElement"));
        let job = job.and_then(|path| self.0.named_job(path));
        // The job may have been removed since the link was found.
        let Some((effect, description)) = job.zip(affected).and_then(|(job, path)| self.effect(&job, path)) else {
            return Ok(());
        };
        link.set("ElementEffects", Value::array([effect]))?
            .set("OtherElementEffectsDescriptions", Value::array([description]))?;
        Ok(())
    }
}

/// What a job does to the system; nothing if it only looks.
fn of_system(request: &PackageRequest) -> Option<&'static str> {
    match request {
        PackageRequest::Verify { .. } => None,
        PackageRequest::RefreshRepositories => Some("Modifying software collection."),
        PackageRequest::InstallFromUri { .. } | PackageRequest::InstallFromByteStream { .. } => {
            Some("Installing software package to collection.")
        }
        PackageRequest::ChangeIdentity { options, .. } => Some(match options.action {
            InstallAction::Install => "Installing software package to collection.",
            InstallAction::Update | InstallAction::UpdateTo => "Updating software package.",
            InstallAction::Repair => "Modifying software collection.",
            InstallAction::Uninstall => "Removing package from software collection.",
        }),
    }
}

/// The packages: the one that the job is about, and all that it changed, an updated one as it was and as it is.
fn identities(job: &Job) -> Vec<(&Nevra, &'static str)> {
    let mut found: Vec<(&Nevra, &'static str)> = Vec::new();
    let changes = job.outcome.iter().flat_map(|outcome| &outcome.changes);
    for change in changes {
        let description = match change.kind {
            ChangeKind::Installed => "Installing",
            ChangeKind::Updated | ChangeKind::Downgraded => "Updating",
            ChangeKind::Reinstalled => "Modifying",
            ChangeKind::Removed => "Removing",
        };
        let ends = change.before.iter().chain(&change.after);
        for nevra in ends {
            if !found.iter().any(|(known, _)| *known == nevra) {
                found.push((nevra, description));
            }
        }
    }
    let Some(request) = job.request.of_packages() else { return found };
    if let Some(nevra) = request.nevra().filter(|nevra| !found.iter().any(|(known, _)| known == nevra)) {
        let description = match request {
            PackageRequest::Verify { .. } => "Verifying",
            PackageRequest::ChangeIdentity { options, .. } => match options.action {
                InstallAction::Install => "Installing",
                InstallAction::Update | InstallAction::UpdateTo => "Updating",
                InstallAction::Repair => "Modifying",
                InstallAction::Uninstall => "Removing",
            },
            PackageRequest::InstallFromUri { .. }
            | PackageRequest::InstallFromByteStream { .. }
            | PackageRequest::RefreshRepositories => "Installing",
        };
        found.push((nevra, description));
    }
    found
}
