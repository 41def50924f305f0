//! Classes that a provider has one instance each of.

use std::sync::Arc;

use crate::broker::Instances;
use crate::cim::{CimError, Class, Instance, ObjectPath};

/// Makes the one instance of each of its classes.
pub(super) trait Single {
    /// The path of the instance of a class.
    fn path(&self, class: &Class) -> Arc<ObjectPath>;

    /// The instance of a class.
    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError>;

    /// The instance of a class, if it is what a path names.
    fn named(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if path.same_keys(&self.path(class)) {
            return self.instance(class);
        }
        let class = class.name();
        Err(CimError::not_found(format!("No {class} has these keys; enumerate the class to see what there is.")))
    }

    /// The instance of a class as all that there are.
    fn all(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(Box::new(std::iter::once(self.instance(class))))
    }
}
