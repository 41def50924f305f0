//! The software of a host, by whichever classes it shows it: OpenLMI's `LMI_`, VMware's `VMware_`, or others that follow
//! the DMTF's Software Inventory and Software Update profiles (DSP1023, DSP1025). What Quartermaster has of its own (plans,
//! patches) is used where it is there.
//!
//! One file per thing that a host has; each adds its calls to [`super::Session`].

mod files;
mod find;
mod following;
mod history;
mod identity;
mod installed;
mod jobs;
mod patches;
mod plan;
mod repositories;
mod service;
mod updates;

pub use files::PackageFile;
pub use find::Which;
pub use following::Follower;
pub use history::Record;
pub use identity::Software;
pub use jobs::{Job, JobState};
pub use patches::{Assessment, Bulletin, NOT_SUPPORTED, SEVERITIES};
pub use plan::{Plan, PlannedChange};
pub use repositories::Repository;
pub use service::{Managed, Operation, Service};
pub use updates::Update;
