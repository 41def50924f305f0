//! The scoping system.

use std::sync::Arc;

use super::managed::ManagedSystem;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};

/// Serves the computer system itself.
#[derive(Debug)]
pub(super) struct ScopingSystem {
    system: Arc<dyn ManagedSystem>,
}

impl ScopingSystem {
    pub(super) fn new(system: Arc<dyn ManagedSystem>) -> Self {
        Self { system }
    }

    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let name = &self.system.name().name;
        let mut system = Instance::new(class.clone());
        system
            .set("CreationClassName", class.name().clone())?
            .set("Name", name.clone())?
            .set("NameFormat", "Other")?
            .set("ElementName", name.clone())?
            .set("Caption", "Computer System")?
            .set("Description", self.system.terms().system_description)?
            .set("OperationalStatus", Value::array([2u16]))?
            .set("HealthState", 5u16)?
            .set("EnabledState", 2u16)?
            .set("RequestedState", 12u16)?
            .set("EnabledDefault", 5u16)?
            .set("Dedicated", Value::array([0u16]))?;
        self.system.describe_system(&mut system)?;
        Ok(system)
    }
}

impl Provider for ScopingSystem {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![self.system.name().class.clone()]
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if path.same_keys(&self.system.system_path()) {
            return self.instance(class);
        }
        Err(CimError::not_found(format!(
            "This service manages the system {} of class {} only.",
            self.system.name().name,
            class.name()
        )))
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(Box::new(std::iter::once(self.instance(class))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        Some(1)
    }
}
