//! Operations that change something: methods, and the changes of instances that their providers allow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Action, Arguments, Broker, Change, Creation, Deletion, MethodReply, Modification, Route, Upload, asked,
    authorization,
};
use crate::access::{self, Audit, Caller, Made};
use crate::audit::Unrecorded;
use crate::broker::Invocation;
use crate::cim::{CimError, Class, Instance, Method, ObjectPath, Value};

impl Broker {
    /// Calls a method on an instance, or a static one on the class that the path names; waits for a minute at most for what
    /// takes long.
    pub fn invoke(
        &self,
        caller: &Caller,
        path: &ObjectPath,
        method: &Method,
        arguments: Arguments,
    ) -> Result<MethodReply, CimError> {
        self.invoke_with(caller, path, method, arguments, None, Instant::now() + Duration::from_secs(60))
    }

    /// The same with octets that came beside the arguments, for a caller who waits until the deadline.
    pub fn invoke_with(
        &self,
        caller: &Caller,
        path: &ObjectPath,
        method: &Method,
        arguments: Arguments,
        upload: Option<&Upload>,
        deadline: Instant,
    ) -> Result<MethodReply, CimError> {
        let route = if method.is_static { self.route(path)? } else { self.locate(path)?.0 };
        let action = route.action(&self.audit, caller, method)?;
        let change = access::Change::new(&*method.name, path).with(asked::told(&arguments));
        let invocation = Invocation { caller, class: &route.class, path, method, arguments, upload, deadline };
        let call = || route.provider.invoke(&invocation);
        if !action.changes() {
            return call();
        }
        self.audit.change(caller, &change, call, returned)
    }

    /// Whether the caller may call a method of the class, before anything is known of its arguments.
    /// Tells whether it changes something.
    pub fn check_call(&self, caller: &Caller, class: &Class, method: &Method) -> Result<Action, CimError> {
        let route = self.routes.get(class.name()).ok_or_else(|| super::no_instances(class))?;
        route.action(&self.audit, caller, method)
    }

    /// Whether the caller's role allows such a change of instances of the class, whether or not it is possible.
    pub fn check_role(&self, caller: &Caller, class: &Class, change: Change) -> Result<(), CimError> {
        let route = self.routes.get(class.name());
        let action = route.map_or(Action::Change, |route| route.provider.action_of_change(&route.class, change));
        let asked = || access::Change::new(change.operation(), class.name());
        authorization::check(&self.audit, caller, action, asked)
    }

    /// Whether the caller may change instances of the class so, before anything is known of what the change would be.
    pub fn check_change(&self, caller: &Caller, class: &Class, change: Change) -> Result<(), CimError> {
        self.changeable(caller, class, change).map(drop)
    }

    fn changeable(&self, caller: &Caller, class: &Class, change: Change) -> Result<&Route, CimError> {
        self.check_role(caller, class, change)?;
        let route = self.routes.get(class.name()).filter(|route| route.provider.allows(&route.class, change));
        route.ok_or_else(|| change.refusal(class))
    }

    /// Changes properties of an instance and gives it as it is now. Properties that have the value already are no change.
    /// What is no property, is a key or is not writable is refused.
    pub fn modify(
        &self,
        caller: &Caller,
        path: &ObjectPath,
        wanted: Vec<(Arc<str>, Value)>,
    ) -> Result<Instance, CimError> {
        let instance = self.shown_to(caller, path)?;
        let route = self.changeable(caller, instance.class(), Change::Modify)?;
        let mut changes = wanted;
        changes.retain(|(name, value)| instance.get(name) != Some(value));
        for (name, value) in &changes {
            check_change(&instance, name, value)?;
        }
        if changes.is_empty() {
            return Ok(instance);
        }
        let names: Vec<_> = changes.iter().map(|(name, _)| &**name).collect();
        let change = access::Change::new(Change::Modify.operation(), path).with(names.join(", "));
        let make = || route.provider.modify(&Modification { caller, class: &route.class, path, changes });
        self.audit.change(caller, &change, make, |()| Made::default())?;
        self.shown_to(caller, path)
    }

    /// Makes an instance and gives it as it is now. What is not made by the deadline is made all the same.
    pub fn create(&self, caller: &Caller, wanted: &Instance, deadline: Instant) -> Result<Instance, CimError> {
        let class = wanted.class();
        let route = self.changeable(caller, class, Change::Create)?;
        let change = access::Change::new(Change::Create.operation(), class.name());
        let make = || route.provider.create(&Creation { caller, deadline, class: &route.class, wanted });
        let made = |made: &Instance| Made { object: Some(self.path_of(made).to_string()), ..Made::default() };
        self.audit.change(caller, &change, make, made)
    }

    /// Removes an instance. What is not removed by the deadline is removed all the same.
    pub fn delete(&self, caller: &Caller, path: &ObjectPath, deadline: Instant) -> Result<(), CimError> {
        let instance = self.shown_to(caller, path)?;
        let route = self.changeable(caller, instance.class(), Change::Delete)?;
        let deletion = Deletion { caller, deadline, class: &route.class, path };
        let change = access::Change::new(Change::Delete.operation(), path);
        self.audit.change(caller, &change, || route.provider.delete(&deletion), |()| Made::default())
    }

    /// The provider of the class that a path names.
    fn route(&self, path: &ObjectPath) -> Result<&Route, CimError> {
        self.namespace(path.namespace())?;
        let class = self.class(path.namespace(), path.class())?;
        self.routes.get(class.name()).ok_or_else(|| super::no_instances(class))
    }
}

impl Route {
    /// What the caller does who calls this method, and may.
    fn action(&self, audit: &Audit, caller: &Caller, method: &Method) -> Result<Action, CimError> {
        let action = self.provider.action_of(&self.class, method);
        let asked = || access::Change::new(&*method.name, self.class.name());
        authorization::check(audit, caller, action, asked).map(|()| action)
    }
}

/// What came of a call: a return value that is neither «completed» nor «job started» (DSP1025, DSP1033) is a refusal.
fn returned(reply: &MethodReply) -> Made {
    let MethodReply { return_value, .. } = reply;
    let result = return_value.as_u64().map(|code| format!("returned {code}"));
    Made { result, object: None, is_refused: !matches!(return_value.as_u64(), None | Some(0 | 4096)) }
}

impl From<Unrecorded> for CimError {
    fn from(error: Unrecorded) -> Self {
        Self::internal(
            "The change was not made, since the audit log cannot tell of it; the operator's log says why.",
            error,
        )
    }
}

fn check_change(instance: &Instance, name: &str, value: &Value) -> Result<(), CimError> {
    let class = instance.class();
    let property = class.property(name).filter(|property| property.writable && !property.key);
    let property = property
        .ok_or_else(|| CimError::invalid_parameter(format!("Property {name} of {} is read-only.", class.name())))?;
    property.check(value).map_err(|why| CimError::invalid_parameter(format!("Property {name}: {why}.")))
}
