//! The process that changes software: typed requests in, a package engine or an image store driven, a journal per job out.
//! A worker changes one system; an image beside the host's packages has a worker of its own.
//!
//! It knows nothing of the store. Servers reach it over `WORKER_DIR/worker.sock`; it outlives them. Of the network it sees
//! what a job's package file is fetched from.

mod advisories;
mod craft;
mod depot;
mod download;
mod durable;
mod images;
pub mod journal;
mod launch;
mod lines;
mod listening;
pub mod numbers;
mod packages;
mod patching;
mod peers;
mod process;
pub mod protocol;
mod readable;
mod record;
mod recorder;
mod refusal;
mod sent_file;
mod service;
mod settings;
mod spool;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod watchers;
mod work;

pub use crate::software::leaves_reserve;
pub use download::Downloads;
pub use launch::WorkerProgram;
pub use lines::{Lines, LinesError, write_line};
pub use listening::{OnlyWorker, Socket, let_end, listen, socket_path};
pub use process::{detach, is_running, program_file, take_name};
pub use protocol::{Refusal, Staged, StagedId, Work};
pub use record::RECORD_FILE;
pub use sent_file::write_line_with_file;
pub use service::{run, run_image};
pub use settings::{Settings, WorkerError};
