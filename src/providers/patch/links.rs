//! What joins bulletins, their statuses and VIBs, the assessment, the service, its jobs and the system.

use std::sync::Arc;

use super::super::links::{FixedLink, Link, Links, Pair, Pairs, each, none};
use super::bulletins::shown_vib;
use super::paths::Kind;
use super::system::PatchSystem;
use crate::broker::Provider;
use crate::cim::{CimError, Instance, ObjectPath, PropertyError};
use crate::jobs::{Assessed, JobRequest};
use crate::software::patch::{PatchPart, PatchStatus};

pub(super) fn links(system: &Arc<PatchSystem>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(FixedLink {
            class: "QM_HostedPatchService",
            ends: ["Dependent", "Antecedent"],
            pair: [system.service_path(), system.system.system_path()],
            properties: Vec::new(),
        }),
        Links::provider(Components(system.clone())),
        Links::provider(Statuses(system.clone())),
        Links::provider(Assessments(system.clone())),
        Links::provider(OfSystem(system.clone())),
        Links::provider(Owning(system.clone())),
    ]
}

/// Pairs that an assessment tells, bulletin by bulletin.
fn of_bulletins<I>(assessed: Option<Arc<Assessed>>, pairs: impl Fn(&PatchStatus) -> I + Send + 'static) -> Pairs
where
    I: IntoIterator<Item = Pair, IntoIter: Send + 'static> + 'static,
{
    let Some(assessed) = assessed else { return none() };
    let count = assessed.assessment.bulletins.len();
    let of_place = move |place: usize| assessed.assessment.bulletins.get(place).map(&pairs);
    each((0..count).filter_map(of_place).flatten())
}

fn count(system: &PatchSystem) -> u64 {
    let count = system.assessed().map_or(0, |assessed| assessed.assessment.bulletins.len());
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A VIB or package is a part of a bulletin.
#[derive(Debug)]
struct Components(Arc<PatchSystem>);

impl Components {
    fn part_path(system: &PatchSystem, part: &PatchPart) -> Arc<ObjectPath> {
        system.part_path(part).unwrap_or_else(|| system.path(Kind::Vib, &part.id))
    }

    fn of_bulletin(system: &PatchSystem, status: &PatchStatus) -> Vec<Pair> {
        let group = system.path(Kind::Bulletin, &status.id);
        status.parts.iter().map(|part| [Self::part_path(system, part), group.clone()]).collect()
    }

    /// The bulletins of the part that a path names.
    fn of_part(&self, source: &ObjectPath) -> Pairs {
        let Some(assessed) = self.0.assessed() else { return none() };
        if let Some(own) = self.0.own_id(Kind::Vib, source) {
            // Whatever is no VIB of any bulletin has no links, and most paths that are asked about are none.
            if shown_vib(&self.0, &assessed, own).is_none() {
                return none();
            }
        }
        let (system, source) = (self.0.clone(), source.clone());
        of_bulletins(Some(assessed), move |status| {
            let is_it = |part: &&PatchPart| Self::part_path(&system, part).same_keys(&source);
            let group = system.path(Kind::Bulletin, &status.id);
            status.parts.iter().find(is_it).map(|part| [Self::part_path(&system, part), group])
        })
    }
}

impl Link for Components {
    fn class(&self) -> &'static str {
        "QM_BulletinComponent"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["PartComponent", "GroupComponent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let system = self.0.clone();
        Ok(of_bulletins(self.0.assessed(), move |status| Self::of_bulletin(&system, status)))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            return Ok(self.of_part(source));
        }
        let (Some(own), Some(assessed)) = (self.0.own_id(Kind::Bulletin, source), self.0.assessed()) else {
            return Ok(none());
        };
        let status = assessed.assessment.find(own);
        Ok(each(status.map(|status| Self::of_bulletin(&self.0, status)).unwrap_or_default()))
    }

    /// In no order: the rules of VIBs find one.
    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        link.set("AssignedSequence", 0u64)?;
        Ok(())
    }
}

/// How the host stands to a bulletin.
#[derive(Debug)]
struct Statuses(Arc<PatchSystem>);

impl Statuses {
    fn pair(system: &PatchSystem, status: &PatchStatus) -> Pair {
        [system.path(Kind::Status, &status.id), system.path(Kind::Bulletin, &status.id)]
    }
}

impl Link for Statuses {
    fn class(&self) -> &'static str {
        "QM_BulletinHasStatus"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Dependent", "Antecedent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let system = self.0.clone();
        Ok(of_bulletins(self.0.assessed(), move |status| Some(Self::pair(&system, status))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let kind = if end == 0 { Kind::Status } else { Kind::Bulletin };
        let (Some(own), Some(assessed)) = (self.0.own_id(kind, source), self.0.assessed()) else { return Ok(none()) };
        Ok(each(assessed.assessment.find(own).map(|status| Self::pair(&self.0, status))))
    }

    fn count(&self) -> Option<u64> {
        Some(count(&self.0))
    }
}

/// The statuses that an assessment is made of.
#[derive(Debug)]
struct Assessments(Arc<PatchSystem>);

impl Assessments {
    fn pair(system: &PatchSystem, job: &str, status: &PatchStatus) -> Pair {
        [system.path(Kind::Status, &status.id), system.path(Kind::Assessment, job)]
    }
}

impl Link for Assessments {
    fn class(&self) -> &'static str {
        "QM_AssessedBulletin"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["PartComponent", "GroupComponent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, assessed) = (self.0.clone(), self.0.assessed());
        let job = assessed.as_ref().map(|assessed| assessed.summary.job.to_string()).unwrap_or_default();
        Ok(of_bulletins(assessed, move |status| Some(Self::pair(&system, &job, status))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let Some(assessed) = self.0.assessed() else { return Ok(none()) };
        let job = assessed.summary.job.to_string();
        if end == 1 {
            return if self.0.own_id(Kind::Assessment, source) == Some(&*job) { self.all() } else { Ok(none()) };
        }
        let status = self.0.own_id(Kind::Status, source).and_then(|own| assessed.assessment.find(own));
        Ok(each(status.map(|status| Self::pair(&self.0, &job, status))))
    }

    fn count(&self) -> Option<u64> {
        Some(count(&self.0))
    }
}

/// The assessment of the system.
#[derive(Debug)]
struct OfSystem(Arc<PatchSystem>);

impl Link for OfSystem {
    fn class(&self) -> &'static str {
        "QM_AssessedSystem"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Dependent", "Antecedent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let path = |assessed: Arc<Assessed>| self.0.path(Kind::Assessment, &assessed.summary.job.to_string());
        Ok(each(self.0.assessed().map(|assessed| [path(assessed), self.0.system.system_path()])))
    }
}

/// The jobs of the service.
#[derive(Debug)]
struct Owning(Arc<PatchSystem>);

impl Link for Owning {
    fn class(&self) -> &'static str {
        "QM_OwningPatchJobElement"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["OwnedElement", "OwningElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, service) = (self.0.clone(), self.0.service_path());
        let jobs = self.0.jobs().jobs().into_iter().filter(|job| matches!(job.request, JobRequest::Patch(_)));
        Ok(each(jobs.map(move |job| [system.system.job_path(&job), service.clone()])))
    }
}
