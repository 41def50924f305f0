//! The last assessment, its bulletins with how the host stands to each, and their VIBs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::paths::Kind;
use super::system::PatchSystem;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath};
use crate::jobs::Assessed;
use crate::software::patch::PatchPart;

/// Serves assessments, bulletins, their statuses and VIBs.
#[derive(Debug)]
pub(super) struct BulletinInstances(Arc<PatchSystem>);

impl BulletinInstances {
    pub(super) fn new(system: Arc<PatchSystem>) -> Self {
        Self(system)
    }

    fn find(&self, class: &Arc<Class>, kind: Kind, path: &ObjectPath) -> Result<Option<Instance>, CimError> {
        let (system, Some(assessed)) = (&self.0, self.0.assessed()) else { return Ok(None) };
        let Some(own) = system.own_id(kind, path) else { return Ok(None) };
        let (summary, bulletins) = (&assessed.summary, &assessed.assessment);
        Ok(match kind {
            Kind::Assessment if own == summary.job.to_string() => Some(system.assessment(class, summary)?),
            Kind::Assessment => None,
            Kind::Bulletin => bulletins.find(own).map(|status| system.bulletin(class, status)).transpose()?,
            Kind::Status => bulletins.find(own).map(|status| system.status(class, status, bulletins.at)).transpose()?,
            Kind::Vib => shown_vib(system, &assessed, own).map(|part| system.vib(class, part)).transpose()?,
        })
    }
}

/// The VIB of this id, if it is shown as a `QM_BulletinVIB`.
pub(super) fn shown_vib<'a>(system: &PatchSystem, assessed: &'a Assessed, id: &str) -> Option<&'a PatchPart> {
    let parts = assessed.assessment.bulletins.iter().flat_map(|bulletin| &bulletin.parts);
    let found = parts.into_iter().find(|part| part.id.eq_ignore_ascii_case(id));
    found.filter(|part| system.part_path(part).is_none())
}

fn kind_of(class: &Class) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| class.is_a(kind.class()))
}

impl Provider for BulletinInstances {
    fn classes(&self) -> Vec<Arc<str>> {
        Kind::ALL.into_iter().map(|kind| kind.class().into()).collect()
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let found = kind_of(class).map(|kind| self.find(class, kind, path)).transpose()?.flatten();
        found.ok_or_else(|| {
            CimError::not_found(format!(
                "The last assessment has no {} that is named so; enumerate the class to see all.",
                class.name()
            ))
        })
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (Some(kind), Some(assessed)) = (kind_of(class), self.0.assessed()) else {
            return Ok(Box::new(std::iter::empty()));
        };
        let (system, class) = (self.0.clone(), class.clone());
        let count = assessed.assessment.bulletins.len();
        Ok(match kind {
            Kind::Assessment => {
                Box::new(std::iter::once(system.assessment(&class, &assessed.summary).map_err(CimError::from)))
            }
            Kind::Bulletin => Box::new((0..count).filter_map(move |place| {
                let status = assessed.assessment.bulletins.get(place)?;
                Some(system.bulletin(&class, status).map_err(CimError::from))
            })),
            Kind::Status => Box::new((0..count).filter_map(move |place| {
                let status = assessed.assessment.bulletins.get(place)?;
                Some(system.status(&class, status, assessed.assessment.at).map_err(CimError::from))
            })),
            Kind::Vib => {
                let vibs = vibs(&system, &assessed);
                Box::new(vibs.into_iter().map(move |part| system.vib(&class, &part).map_err(CimError::from)))
            }
        })
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        let Some(assessed) = self.0.assessed() else { return Some(0) };
        match kind_of(class)? {
            Kind::Assessment => Some(1),
            Kind::Bulletin | Kind::Status => u64::try_from(assessed.assessment.bulletins.len()).ok(),
            Kind::Vib => None,
        }
    }
}

/// Each VIB once, by its id.
fn vibs(system: &PatchSystem, assessed: &Assessed) -> Vec<PatchPart> {
    let parts = assessed.assessment.bulletins.iter().flat_map(|bulletin| &bulletin.parts);
    let shown = parts.filter(|part| system.part_path(part).is_none());
    let by_id: BTreeMap<&str, &PatchPart> = shown.map(|part| (part.id.as_str(), part)).collect();
    by_id.into_values().cloned().collect()
}
