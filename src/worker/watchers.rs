//! Tells connected servers that a journal has grown. The work never waits for a server that does not read.

use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::lines::{LinesError, write_line};
use super::protocol::Reply;

/// The journal that grew last, and those who want to know.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    latest: Mutex<Latest>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Latest {
    /// Counts the growths, so that several between two looks are told once.
    growths: u64,
    job: u64,
    /// Counts the watchers that left, so that the others look whether it was theirs.
    closed: Vec<u64>,
    next_watcher: u64,
}

impl Watchers {
    /// A journal has new entries, or the worker is free again.
    pub(super) fn grew(&self, job: u64) {
        let mut latest = self.lock();
        latest.growths += 1;
        latest.job = job;
        self.changed.notify_all();
    }

    /// Tells the server on this connection of every growth until it goes away.
    pub(super) fn serve(&self, stream: &UnixStream) -> Result<(), LinesError> {
        let (watcher, mut seen) = {
            let mut latest = self.lock();
            latest.next_watcher += 1;
            (latest.next_watcher, latest.growths)
        };
        thread::scope(|scope| {
            thread::Builder::new().name("watch-end".into()).spawn_scoped(scope, || {
                wait_for_end(stream);
                self.close(watcher);
            })?;
            let result = write_line(&mut &*stream, &Reply::Watching).and_then(|()| {
                while let Some(job) = self.next(watcher, &mut seen) {
                    write_line(&mut &*stream, &Reply::Grown { job })?;
                }
                Ok(())
            });
            // Lets the thread above end, whoever ended the conversation.
            let _ = stream.shutdown(Shutdown::Both);
            result
        })
    }

    /// Waits for a growth after `seen`; `None` when the watcher left.
    fn next(&self, watcher: u64, seen: &mut u64) -> Option<u64> {
        let mut latest = self
            .changed
            .wait_while(self.lock(), |latest| latest.growths == *seen && !latest.closed.contains(&watcher))
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = latest.closed.iter().position(|&closed| closed == watcher) {
            latest.closed.swap_remove(at);
            return None;
        }
        *seen = latest.growths;
        Some(latest.job)
    }

    fn close(&self, watcher: u64) {
        self.lock().closed.push(watcher);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the other side closes, which has nothing more to say.
pub(super) fn wait_for_end(mut stream: &UnixStream) {
    let mut ignored = [0; 64];
    while stream.read(&mut ignored).is_ok_and(|count| count > 0) {}
}
