//! For tests of other rooms: an engine whose packages never change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{
    ApplyError, CancelToken, Family, InspectError, Inventory, Manager, ManagerError, Nevra, Operation, Outcome,
    Package, PackageState, Progress,
};

/// An engine that shows these packages and changes nothing.
#[derive(Debug)]
pub(crate) struct FixedPackages(Arc<Inventory>);

impl FixedPackages {
    pub(crate) fn new(packages: impl IntoIterator<Item = Package>) -> Self {
        Self(Arc::new(Inventory::new(packages)))
    }
}

/// An installed package of Debian's kind.
pub(crate) fn package(name: &str, version: &str, description: &str) -> Package {
    Package {
        nevra: Nevra::from_debian(name, version, "all").unwrap(),
        state: PackageState::Installed,
        summary: format!("the package {name}").into(),
        description: description.into(),
        manufacturer: Some("somebody".into()),
        installed_at: None,
        installed_size: Some(1),
    }
}

impl Manager for FixedPackages {
    fn family(&self) -> Family {
        Family::Deb
    }

    fn inventory(&self) -> Arc<Inventory> {
        self.0.clone()
    }

    fn refresh(&self) -> Result<bool, ManagerError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    fn inspect(&self, _: &Path) -> Result<Package, InspectError> {
        Err(InspectError::NotAPackage("nothing is".to_owned()))
    }

    fn apply(&self, _: &Operation, _: &mut dyn Progress, _: &CancelToken) -> Result<Outcome, ApplyError> {
        Err(ApplyError::Failed("nothing is changed here".to_owned()))
    }
}
