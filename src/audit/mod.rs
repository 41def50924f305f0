//! The audit log: who asked for which change, from where, and what came of it.
//!
//! A file of lines of JSON, each chained to the one before by a hash over both, so that a line that was changed, left out or
//! moved is found ([`verify()`]). The chain goes on over rotated files, restarts and crashes: what a crash left half-written is
//! told by the next line. Whoever may write the file can make a whole chain anew; that is found by a line that was noted
//! elsewhere, such as in the host's journal, which gets the number and the hash of every line.
//!
//! A change is written down before it is made, and not made if that fails ([`Log::commit`]).

mod append;
mod chain;
mod entry;
mod files;
mod flood;
mod log;
mod read;
mod tail;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

pub use chain::{Hash, Link};
pub use entry::{Entry, Event, one_line, without_secrets};
pub use log::{Log, Unrecorded, trace};
pub use read::{Shown, show};
pub use verify::{Broken, Report, Unverifiable, verify, verify_files};

/// Where the log is and how large it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file that is written; those that were rotated lie beside it.
    pub file: PathBuf,
    /// A file of so many octets is followed by a new one.
    pub rotate_octets: u64,
    /// How many rotated files are kept; at least one.
    pub kept_files: usize,
}
