//! What an operation would make of an image, before anything is touched.

use super::ImageStore;
use super::arrangement::{Arrangement, Places};
use super::depot::Depot;
use super::source::{NoSource, Source};
use crate::software::CancelToken;
use crate::software::vib::stop::Stop;
use crate::software::vib::{Candidate, Descriptor, ImageError, ImageOperation, ImagePlan, ImageSnapshot};

/// What is noted of a change that a host could make live, and that is not made so.
const WAITS: &str = "The VIBs that come and go need no boot by themselves. Quartermaster loads nothing into the kernel that runs \
    on this host: the change waits for the next boot.";

/// An operation that is planned.
#[derive(Debug)]
pub(super) struct Prepared {
    pub plan: ImagePlan,
    /// Where its VIBs come from.
    depot: Option<Depot>,
    /// What somebody should know of it.
    pub notes: Vec<String>,
}

impl Prepared {
    /// Where its VIBs come from.
    pub(super) fn source(&self) -> &dyn Source {
        match &self.depot {
            Some(depot) => depot,
            None => &NoSource,
        }
    }
}

impl ImageStore {
    /// Plans an operation on the image that the snapshot has. Reads the bundles' metadata.
    pub(super) fn prepare(&self, operation: &ImageOperation, cancel: &CancelToken) -> Result<Prepared, Stop> {
        let snapshot = self.snapshot();
        let rules = self.rules(&snapshot);
        let arrangement = Places::find(&self.layout)?.arrangement;
        let mut notes = Vec::new();
        let (plan, depot) = match operation {
            ImageOperation::RollBack => (ImagePlan::roll_back(&snapshot, &rules)?, None),
            ImageOperation::Remove { vibs } => (ImagePlan::remove(&snapshot, vibs, &rules, cancel)?, None),
            ImageOperation::Install { bundles, bulletins } => {
                let depot = Depot::open(bundles, &self.settings.trust, rules.at, cancel)?;
                let candidates = candidates(&depot, bulletins.as_deref(), &snapshot, arrangement, &mut notes)?;
                (ImagePlan::install(&snapshot, &candidates, &rules, cancel)?, Some(depot))
            }
        };
        notes.extend(plan.notes());
        if !arrangement.changes_live() && snapshot.pending.is_none() && plan.may_be_live() {
            notes.push(WAITS.to_owned());
        }
        Ok(Prepared { plan, depot, notes })
    }
}

/// The VIBs of bundles that may come into the banks; the others are noted.
fn candidates(
    depot: &Depot,
    bulletins: Option<&[String]>,
    snapshot: &ImageSnapshot,
    arrangement: Arrangement,
    notes: &mut Vec<String>,
) -> Result<Vec<Candidate>, ImageError> {
    depot.refuse_damaged(|id| depot.is_of(bulletins, id))?;
    let candidates = Candidate::select(&snapshot.host, &depot.catalogue()?, bulletins)?;
    let (taken, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| arrangement.has(candidate.descriptor.vib_type));
    notes.extend(others.iter().filter(|candidate| candidate.wanted).map(|candidate| left_out(&candidate.descriptor)));
    Ok(taken)
}

fn left_out(vib: &Descriptor) -> String {
    format!(
        "VIB {} is of the type locker. Such VIBs do not lie in the boot banks of this host and are not changed here; change it \
         with the host's own tools.",
        vib.id()
    )
}
