//! The domain: packages, inventories and changes to them, whatever tells or makes them.
//!
//! Knows nothing of CIM and of protocols. One folder per package engine.

mod change;
mod database;
mod deb;
mod drive;
mod engine;
mod intern;
mod inventory;
mod manager;
mod nevra;
mod package;
mod rpm;
mod tool;
mod version;

#[cfg(test)]
pub(crate) mod testing;

pub use engine::{EngineChoice, EngineChoiceError, EngineSettings, OpenError, open, open_with};
pub use inventory::{Inventory, Lookup};
pub use manager::{
    ApplyError, CancelToken, Change, ChangeKind, InspectError, Manager, ManagerError, Operation, Outcome, Phase,
    Progress,
};
pub use nevra::{Nevra, NevraError};
pub use package::{Family, Package, PackageState};
pub use version::{debian_order, rpm_order};
