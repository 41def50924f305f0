//! Waits until nobody else holds the locks of dpkg and apt.
//!
//! The kernel's list of locks is only looked at: taking a lock to find out whether it is free would be in the way of others.
//! It does not know everything (locks of other containers, file systems that number their files otherwise), so the tools'
//! own word on a lock counts too, and is waited on in the same way.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::work::Work;
use crate::software::change::{check_cancelled, unusable};
use crate::software::tool::wait;
use crate::software::{ApplyError, CancelToken, holder};

/// How often the locks are looked at.
const PACE: Duration = Duration::from_millis(200);

/// How long to wait before a tool that found a lock is run again.
const RETRY: Duration = Duration::from_millis(500);

/// Waits for locks, up to a deadline that all waits of an operation share.
#[derive(Debug)]
pub(super) struct Patience<'a> {
    locks: Vec<PathBuf>,
    deadline: Instant,
    cancel: &'a CancelToken,
}

impl<'a> Patience<'a> {
    /// Patience for these files, from now on.
    pub(super) fn new(locks: Vec<PathBuf>, limit: Duration, cancel: &'a CancelToken) -> Self {
        Self { locks, deadline: Instant::now() + limit, cancel }
    }

    /// Does what needs the locks, and does it again if it is busy, which it may be only while it has changed nothing.
    /// `not_done` begins the answer when patience ends.
    pub(super) fn when_free<T>(
        &self,
        work: &mut Work<'_>,
        not_done: &str,
        mut attempt: impl FnMut(&mut Work<'_>) -> Result<T, ApplyError>,
    ) -> Result<T, ApplyError> {
        loop {
            self.wait_for_locks(work, not_done)?;
            match attempt(work) {
                Err(ApplyError::Busy(_)) => {
                    let holder = work.take_holder().unwrap_or_else(|| holder::title(None));
                    self.wait_on(&holder, work, not_done, RETRY)?;
                }
                done => return done,
            }
        }
    }

    fn wait_for_locks(&self, work: &mut Work<'_>, not_done: &str) -> Result<(), ApplyError> {
        check_cancelled(self.cancel)?;
        let mut has_waited = false;
        while let Some(holder) = self.holder() {
            self.wait_on(&holder, work, not_done, PACE)?;
            has_waited = true;
        }
        if has_waited {
            work.resume();
        }
        Ok(())
    }

    fn wait_on(&self, holder: &str, work: &mut Work<'_>, not_done: &str, pace: Duration) -> Result<(), ApplyError> {
        if Instant::now() >= self.deadline {
            return Err(ApplyError::Busy(format!(
                "{not_done}: {holder} is at work on this host's packages; try again when it has finished"
            )));
        }
        work.wait_on(holder);
        check_cancelled(self.cancel)?;
        wait(&mut [], pace).map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)
    }

    /// Who holds one of the locks.
    fn holder(&self) -> Option<String> {
        holder::of_files(&self.locks).map(holder::title)
    }
}
