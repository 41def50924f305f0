//! File descriptors: as many as connections need, if the process may have them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides connections: the store, logs, journals, libraries, the worker.
const OTHERS: u64 = 256;

/// Raises the limit of open files so far that two for each of so many connections fit, and says so where it may not.
pub(super) fn make_room_for(connections: usize) {
    let needed = OTHERS.saturating_add(2 * connections as u64);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return;
    }
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let is_raised = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok();
    if !is_raised || raised < needed {
        tracing::warn!(
            connections,
            needed,
            limit = if is_raised { Some(raised) } else { current },
            "the limit of open files is too small for [limits] connections: raise it (LimitNOFILE), or allow fewer"
        );
    }
}
