//! Classes that have one instance each.

use std::fmt::Debug;
use std::sync::Arc;

use crate::broker::{Action, Instances, Invocation, MethodReply, Provider};
use crate::cim::{CimError, Class, Instance, Method, ObjectPath};

/// Makes the one instance of each of its classes, and does what these can do.
pub(super) trait Single: Debug + Send + Sync + 'static {
    /// Its classes.
    fn classes(&self) -> Vec<Arc<str>>;

    /// The path of the instance of a class.
    fn path(&self, class: &Class) -> Arc<ObjectPath>;

    /// The instance of a class.
    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError>;

    /// Calls a method.
    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError>;

    /// What a method does.
    fn action_of(&self, _: &Method) -> Action {
        Action::Change
    }

    /// Whether instances can be made without waiting for a disk or a process.
    fn is_ready(&self) -> bool {
        true
    }

    /// Whether they live in root/interop.
    fn lives_in_interop(&self) -> bool {
        false
    }
}

/// Serves what a [`Single`] makes.
#[derive(Debug)]
pub(super) struct Singles<S>(S);

impl<S: Single> Singles<S> {
    pub(super) fn provider(single: S) -> Arc<dyn Provider> {
        Arc::new(Self(single))
    }
}

impl<S: Single> Provider for Singles<S> {
    fn classes(&self) -> Vec<Arc<str>> {
        self.0.classes()
    }

    fn action_of(&self, _: &Class, method: &Method) -> Action {
        self.0.action_of(method)
    }

    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        self.0.is_ready()
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        self.0.lives_in_interop()
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if path.same_keys(&self.0.path(class)) {
            return self.0.instance(class);
        }
        let class = class.name();
        Err(CimError::not_found(format!("No {class} has these keys; enumerate the class to see what there is.")))
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(Box::new(std::iter::once(self.0.instance(class))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        Some(1)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        self.0.invoke(invocation)
    }
}
