//! The domain: packages, inventories and changes to them, whatever tells or makes them.
//!
//! Knows nothing of CIM and of protocols. One folder per package engine.

mod accounts;
mod ar;
mod bundle;
mod catalog;
mod change;
mod database;
mod deb;
mod dependency;
mod disk;
mod drive;
mod engine;
mod holder;
mod intern;
mod inventory;
mod login;
mod manager;
mod marks;
mod nevra;
mod package;
pub mod patch;
mod patch_state;
mod relations;
mod repository;
mod rewrite;
mod root;
mod rpm;
mod shelf;
mod tool;
mod verification;
mod version;
pub mod vib;

#[cfg(test)]
pub(crate) mod testing;

pub use bundle::{AdvisoryKind, Bundle, BundleKind, BundleState, Bundles, Part, Severity};
pub use catalog::Catalog;
pub use change::outcome;
pub use dependency::{Comparison, Dependency, DependencyKind, Requirement, RequirementError};
pub use disk::leaves_reserve;
pub use engine::{EngineChoice, EngineChoiceError, EngineSettings, OpenError, open, open_with};
pub use inventory::{Inventory, Lookup};
pub use manager::{
    Abilities, ApplyError, CancelToken, Change, ChangeKind, InspectError, Manager, ManagerError, Operation, Outcome,
    Phase, Plan, PlannedChange, Progress,
};
pub use nevra::{Nevra, NevraError};
pub use package::{Family, Package, PackageState};
pub use relations::Relations;
pub use repository::{Repository, RepositoryError, RepositoryMetadata, without_password};
pub use verification::{ChecksumKind, FailedCheck, FileKind, FileRecord, FileState, Finding, compare};
pub use version::{debian_order, rpm_order};
