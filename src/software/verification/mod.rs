//! The files of installed packages: how they were installed, how they are, and in what they differ.

mod checksum;
mod compare;
mod record;
mod run;
mod state;

pub use checksum::ChecksumKind;
pub(super) use checksum::{BLOCK, checksum};
pub use compare::compare;
pub use record::{FailedCheck, FileKind, FileRecord, Finding};
pub(super) use run::verify;
pub use state::FileState;
