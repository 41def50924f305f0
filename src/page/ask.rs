//! What the page asks the broker, as whoever looks at it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::access::Caller;
use crate::broker::{
    Arguments, AssociationQuery, Broker, IMPLEMENTATION_NAMESPACE, Instances, MethodReply, Traversal, Upload,
};
use crate::cim::{CimError, CimStatus, Instance, ObjectPath, Value};

/// How long a method may take.
const PATIENCE: Duration = Duration::from_secs(50);

/// The objects as one caller may see and change them.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    broker: Arc<Broker>,
    caller: Caller,
}

impl Objects {
    pub(super) fn new(broker: Arc<Broker>, caller: Caller) -> Self {
        Self { broker, caller }
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// All instances of a class and its subclasses, made while they are walked through.
    pub(super) fn walk(&self, namespace: &str, class: &str) -> Result<Instances, Failure> {
        let class = self.broker.class_anywhere(class)?;
        Ok(self.broker.enumerate(&self.caller, namespace, class)?.0)
    }

    /// All instances of a class of which there are few.
    pub(super) fn all(&self, namespace: &str, class: &str) -> Result<Vec<Instance>, Failure> {
        Ok(self.walk(namespace, class)?.collect::<Result<_, _>>()?)
    }

    /// About how many instances of a class there are.
    pub(super) fn count(&self, class: &str) -> Option<u64> {
        self.broker.estimate(IMPLEMENTATION_NAMESPACE, self.broker.class_anywhere(class).ok()?)
    }

    /// One instance that may have gone meanwhile.
    pub(super) fn find(&self, path: &ObjectPath) -> Result<Option<Instance>, Failure> {
        match self.broker.get(&self.caller, path) {
            Err(CimError { status: CimStatus::NotFound, .. }) => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    /// A package, a VIB, or whatever else is software, by its InstanceID.
    pub(super) fn software(&self, id: &str) -> Result<Instance, Failure> {
        let gone = "There is no such software: it was removed, or no repository offers it any more.";
        self.find(&path_by_id("CIM_SoftwareIdentity", id))?.ok_or_else(|| Failure::not_found(gone))
    }

    /// A job by its InstanceID.
    pub(super) fn job(&self, id: &str) -> Result<Instance, Failure> {
        let gone = "There is no such job. One that ended some time ago is only in the history.";
        self.find(&path_by_id("CIM_ConcreteJob", id))?.ok_or_else(|| Failure::not_found(gone))
    }

    /// The path of an instance that was given.
    pub(super) fn path_of(&self, instance: &Instance) -> ObjectPath {
        self.broker.path_of(instance)
    }

    /// The links of a class from an instance, made while they are walked through.
    pub(super) fn links(&self, source: &ObjectPath, association: &str, role: &str) -> Result<Links, Failure> {
        let query = AssociationQuery {
            traversal: Traversal::AssociationInstances,
            source: source.clone(),
            association_class: Some(association.to_owned()),
            role: Some(role.to_owned()),
            result_class: None,
            result_role: None,
        };
        let walked = self.broker.associations(&self.caller, query)?;
        Ok(Box::new(walked.filter_map(|link| link.transpose()).map(|link| link.map_err(Failure::from))))
    }

    /// What links of a class lead to from an instance, made while they are walked through.
    pub(super) fn associated(&self, source: &ObjectPath, association: &str) -> Result<Links, Failure> {
        let query = AssociationQuery {
            traversal: Traversal::AssociatedInstances,
            source: source.clone(),
            association_class: Some(association.to_owned()),
            role: None,
            result_class: None,
            result_role: None,
        };
        let walked = self.broker.associations(&self.caller, query)?;
        Ok(Box::new(walked.filter_map(|end| end.transpose()).map(|end| end.map_err(Failure::from))))
    }

    /// Calls a method of an instance.
    pub(super) fn call(
        &self,
        instance: &Instance,
        method: &str,
        arguments: &[(&str, Value)],
    ) -> Result<MethodReply, Failure> {
        self.call_with(instance, method, arguments, None)
    }

    /// The same with a file that came beside the arguments.
    pub(super) fn call_with(
        &self,
        instance: &Instance,
        method: &str,
        arguments: &[(&str, Value)],
        upload: Option<&Upload>,
    ) -> Result<MethodReply, Failure> {
        let class = instance.class();
        let method = class.method(method).ok_or_else(|| {
            CimError::new(CimStatus::MethodNotFound, format!("{} has no method {method}.", class.name()))
        })?;
        self.broker.check_call(&self.caller, class, method)?;
        let given = arguments.iter().filter(|(_, value)| !value.is_null());
        let arguments = Arguments(given.map(|(name, value)| ((*name).into(), value.clone())).collect());
        let (path, until) = (self.path_of(instance), Instant::now() + PATIENCE);
        Ok(self.broker.invoke_with(&self.caller, &path, method, arguments, upload, until)?)
    }

    /// Removes an instance.
    pub(super) fn delete(&self, instance: &Instance) -> Result<(), Failure> {
        Ok(self.broker.delete(&self.caller, &self.path_of(instance), Instant::now() + PATIENCE)?)
    }
}

/// Instances that are made while they are walked through.
pub(super) type Links = Box<dyn Iterator<Item = Result<Instance, Failure>> + Send>;

/// The path of an instance whose only key is its InstanceID.
pub(super) fn path_by_id(class: &str, id: &str) -> ObjectPath {
    ObjectPath::new(IMPLEMENTATION_NAMESPACE, class, vec![("InstanceID".into(), id.into())])
}
