//! Which advisories a host lacks, by the packages that they are to replace: what tells how pressing an update is.

use std::collections::HashMap;

use super::bulletins::{self, severity_mark};
use super::failure::Failure;
use super::reading::Reading;
use super::rows::Row;
use super::systems::System;
use super::visit::Visit;

/// An advisory that a host lacks.
#[derive(Clone, Debug)]
pub(super) struct Advisory {
    pub(super) id: String,
    pub(super) severity: String,
    /// Its place among severities; the worst is 0.
    pub(super) rank: usize,
}

impl Advisory {
    /// The class of the mark of its severity.
    pub(super) fn mark(&self) -> &'static str {
        severity_mark(self.rank)
    }
}

/// What a host lacked when it was last compared with what was published.
#[derive(Debug, Default)]
pub(super) struct Advisories(Option<HashMap<String, Vec<Advisory>>>);

impl Advisories {
    /// Those of a system; none if it was not compared yet or nothing is published for it.
    pub(super) fn of(visit: &Visit, system: &System) -> Result<Self, Failure> {
        if system.patches(&visit.objects)?.is_none() {
            return Ok(Self::default());
        }
        let Some(assessment) = bulletins::assessment(visit, system)? else { return Ok(Self::default()) };
        let path = visit.objects.path_of(&assessment);
        let mut by_package: HashMap<String, Vec<Advisory>> = HashMap::new();
        for status in visit.objects.associated(&path, "QM_AssessedBulletin")? {
            let status = status?;
            if status.number("State") != Some(bulletins::MISSING) {
                continue;
            }
            let severity = status.text("Severity");
            let advisory = Advisory { id: status.text("BulletinID"), rank: bulletins::rank(&severity), severity };
            for package in status.texts("VIBsOnHost") {
                by_package.entry(package).or_default().push(advisory.clone());
            }
        }
        by_package.values_mut().for_each(|advisories| advisories.sort_by_key(|advisory| advisory.rank));
        Ok(Self(Some(by_package)))
    }

    /// Whether the system was compared with any.
    pub(super) fn are_known(&self) -> bool {
        self.0.is_some()
    }

    /// Those that ask for something newer than this package.
    pub(super) fn about(&self, package: &Row) -> Vec<Advisory> {
        let nevra = package.id.rsplit_once("Identity:").map_or(&*package.id, |(_, nevra)| nevra);
        self.0.as_ref().and_then(|known| known.get(nevra)).cloned().unwrap_or_default()
    }
}
