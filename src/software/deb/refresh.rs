//! Fetches the lists of all enabled repositories.

use super::apt::{Apt, locks};
use super::locks::Patience;
use super::work::{DOWNLOADING, Run, VERIFYING, Work};
use super::{Deb, report};
use crate::software::change::{check_cancelled, unusable};
use crate::software::drive::Stage;
use crate::software::{ApplyError, CancelToken, Outcome, Phase, Progress};

const NAME: &str = "the repositories";
const NOT_DONE: &str = "not all repositories were refreshed";

/// Fetches them. It fails if one of them is not as new as it could be, although the others are.
pub(super) fn apply(deb: &Deb, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
    let mut work = Work::new(progress);
    work.enter(Phase::Checking, 0);
    let patience = Patience::new(locks(&deb.root, false), deb.settings.lock_timeout, cancel);
    patience.when_free(&mut work, NOT_DONE, |work| fetch(deb, work, cancel))
}

fn fetch(deb: &Deb, work: &mut Work<'_>, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
    let scratch = deb.settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
    let apt = Apt::new(&deb.root, &deb.settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
    apt.make_folders().map_err(|e| unusable("apt-get", &e))?;
    work.enter(Phase::Downloading, DOWNLOADING);
    let mut run = Run::fetching(work, VERIFYING);
    let ended = Stage::new(scratch.path())
        .and_then(|stage| {
            let mut command = apt.update(stage.status_fd()?);
            stage.run(&mut command, &mut run, Some(cancel))
        })
        .map_err(|e| unusable("apt-get", &e))?;
    check_cancelled(cancel)?;
    // An apt before 2.1 reports success all the same.
    let unfetched = report::unfetched(&ended.said);
    if !unfetched.is_empty() {
        return Err(report::fetch_failure(NOT_DONE, &unfetched));
    }
    if ended.status.success() {
        return Ok(Outcome::default());
    }
    Err(report::failure(report::Failing { name: NAME, not_done: NOT_DONE }, &ended.said, &[]))
}
