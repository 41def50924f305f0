//! The process that changes software: typed requests in, a package engine driven, a journal per job out.
//!
//! It knows nothing of the store. Servers reach it over `STATE_DIR/worker.sock`; it outlives them. Of the network it sees
//! what a job's package file is fetched from.

mod download;
pub mod journal;
mod lines;
mod process;
pub mod protocol;
mod recorder;
mod service;
mod spool;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod watchers;
mod work;

pub use crate::software::leaves_reserve;
pub use download::Downloads;
pub use lines::{Lines, LinesError, write_line};
pub use process::{detach, is_running};
pub use protocol::{Refusal, Staged, StagedId, Work};
pub use service::{Settings, WorkerError, run, socket_path, uploads_folder};
