//! What packages require and nobody here has: placeholders for dependencies of which only the name and the version are
//! known (DSP1023 7.9). They are made of their InstanceID alone and are not enumerated.

use std::sync::Arc;

use super::managed::ManagedSystem;
use super::model::Model;
use super::names::strip_prefix_ignoring_case;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};
use crate::software::Requirement;

const REQUIREMENT: &str = "QM_SoftwareRequirement";
const PREFIX: &str = "Quartermaster:SoftwareRequirement:";

/// Serves placeholders.
#[derive(Debug)]
pub(super) struct Requirements(Arc<Model>);

impl Requirements {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self(model)
    }

    fn instance(&self, class: &Arc<Class>, requirement: &Requirement) -> Result<Instance, CimError> {
        let text = requirement.to_string();
        let mut instance = Instance::new(class.clone());
        instance
            .set("InstanceID", format!("{PREFIX}{text}"))?
            .set("Name", requirement.name.clone())?
            .set("ElementName", text.as_str())?
            .set("Caption", "Required software")?
            .set("Description", format!("What a package requires as {text}."))?
            .set("VersionString", requirement.version.as_ref().map(|(_, version)| version.clone()))?
            // 0 Unknown
            .set("Classifications", Value::array([0u16]))?
            // 2 Not Applicable: it is no file.
            .set("ExtendedResourceType", 2u16)?
            .set("TargetOSTypes", Value::array([self.0.operating_system()]))?
            .set("IsEntity", false)?;
        Ok(instance)
    }
}

impl Provider for Requirements {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![REQUIREMENT.into()]
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let requirement = named(path).ok_or_else(|| {
            CimError::not_found("No requirement is named so; it is written as name or as name >= version.")
        })?;
        self.instance(class, &requirement)
    }

    fn enumerate(&self, _: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(Box::new(std::iter::empty()))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        Some(0)
    }
}

/// The requirement that a placeholder's path names.
pub(super) fn named(path: &ObjectPath) -> Option<Requirement> {
    strip_prefix_ignoring_case(path.key_str("InstanceID")?, PREFIX)?.parse().ok()
}

/// The path of the placeholder for a requirement.
pub(super) fn requirement_path(model: &Model, requirement: &Requirement) -> Arc<ObjectPath> {
    model.path_by_id(REQUIREMENT, format!("{PREFIX}{requirement}").into())
}
