//! Operations that change something: methods, and the changes of instances that their providers allow.

use std::fmt;
use std::sync::Arc;

use super::provider::unchangeable;
use super::{Action, Arguments, Broker, Creation, MethodReply, Modification, Route, authorization};
use crate::access::{self, Caller};
use crate::broker::Invocation;
use crate::cim::{CimError, Class, Instance, Method, ObjectPath, Value};

impl Broker {
    /// Calls a method on an instance, or a static one on the class that the path names.
    pub fn invoke(
        &self,
        caller: &Caller,
        path: &ObjectPath,
        method: &Method,
        arguments: Arguments,
    ) -> Result<MethodReply, CimError> {
        let route = if method.is_static { self.route(path)? } else { self.locate(path)?.0 };
        authorization::check(caller, route.provider.action_of(&route.class, method))?;
        audited(caller, &format_args!("calls {} of {path}", method.name), || {
            route.provider.invoke(&Invocation { caller, class: &route.class, path, method, arguments })
        })
    }

    /// Changes properties of an instance and gives it as it is now. Properties that have the value already are no change.
    /// What is no property, is a key or is not writable is refused.
    pub fn modify(
        &self,
        caller: &Caller,
        path: &ObjectPath,
        wanted: Vec<(Arc<str>, Value)>,
    ) -> Result<Instance, CimError> {
        let (route, instance) = self.locate(path)?;
        authorization::check(caller, Action::Change)?;
        if !instance.class().properties().iter().any(|property| property.writable) {
            return Err(unchangeable(instance.class()));
        }
        let mut changes = wanted;
        changes.retain(|(name, value)| instance.get(name) != Some(value));
        for (name, value) in &changes {
            check_change(&instance, name, value)?;
        }
        if changes.is_empty() {
            return Ok(instance);
        }
        let names: Vec<_> = changes.iter().map(|(name, _)| &**name).collect();
        let change = format!("changes {} of {path}", names.join(", "));
        audited(caller, &change, || {
            route.provider.modify(&Modification { caller, class: &route.class, path, changes })
        })?;
        self.lookup(path)
    }

    /// Makes an instance and gives it as it is now.
    pub fn create(&self, caller: &Caller, wanted: &Instance) -> Result<Instance, CimError> {
        let class = wanted.class();
        let route = self.routes.get(class.name()).ok_or_else(|| not_created(class))?;
        authorization::check(caller, Action::Change)?;
        audited(caller, &format_args!("creates a {}", class.name()), || {
            let made = route.provider.create(&Creation { caller, class: &route.class, wanted })?;
            access::audit(caller, &format_args!("created {}", self.path_of(&made)));
            Ok(made)
        })
    }

    /// Removes an instance.
    pub fn delete(&self, caller: &Caller, path: &ObjectPath) -> Result<(), CimError> {
        let (route, _) = self.locate(path)?;
        authorization::check(caller, Action::Change)?;
        audited(caller, &format_args!("deletes {path}"), || route.provider.delete(caller, &route.class, path))
    }

    /// The provider of the class that a path names.
    fn route(&self, path: &ObjectPath) -> Result<&Route, CimError> {
        self.namespace(path.namespace())?;
        let class = self.class(path.namespace(), path.class())?;
        self.routes.get(class.name()).ok_or_else(|| super::no_instances(class))
    }
}

/// Makes a change that the audit log tells of before it is made, and again if it is refused.
fn audited<T>(
    caller: &Caller,
    change: &dyn fmt::Display,
    make: impl FnOnce() -> Result<T, CimError>,
) -> Result<T, CimError> {
    access::audit(caller, change);
    make().inspect_err(|error| access::audit(caller, &format_args!("refused: {change}: {error}")))
}

fn check_change(instance: &Instance, name: &str, value: &Value) -> Result<(), CimError> {
    let class = instance.class();
    let property = class.property(name).filter(|property| property.writable && !property.key);
    let property = property
        .ok_or_else(|| CimError::invalid_parameter(format!("Property {name} of {} is read-only.", class.name())))?;
    property.check(value).map_err(|why| CimError::invalid_parameter(format!("Property {name}: {why}.")))
}

fn not_created(class: &Class) -> CimError {
    CimError::not_supported(format!("Instances of {} cannot be created by a client.", class.name()))
}
