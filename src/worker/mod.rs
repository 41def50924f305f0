//! The process that changes software: typed requests in, a package engine driven, a journal per job out.
//!
//! It knows neither the database nor the network. Servers reach it over `STATE_DIR/worker.sock`; it outlives them.

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

pub use lines::{Lines, LinesError, write_line};
pub use process::{detach, is_running};
pub use protocol::{Refusal, Staged, StagedId, Work};
pub use service::{Settings, WorkerError, run, socket_path};
