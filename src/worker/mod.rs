//! The process that changes software: typed requests in, a package engine or an image store driven, a journal per job out.
//! A worker changes one system; an image beside the host's packages has a worker of its own.
//!
//! It knows nothing of the store. Servers reach it over `STATE_DIR/worker.sock`; it outlives them. Of the network it sees
//! what a job's package file is fetched from.

mod advisories;
mod craft;
mod depot;
mod download;
mod durable;
mod images;
pub mod journal;
mod lines;
mod packages;
mod patching;
mod process;
pub mod protocol;
mod readable;
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
pub use process::{detach, is_running, program_file};
pub use protocol::{Refusal, Staged, StagedId, Work};
pub use service::{Settings, WorkerError, run, run_image, socket_path, uploads_folder};
