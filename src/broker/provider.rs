//! What a provider of managed objects does.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use super::{Action, Upload};
use crate::access::Caller;
use crate::cim::query::Compiled;
use crate::cim::{CimError, Class, Instance, Method, ObjectPath, Value};

/// Instances one after the other, out of a snapshot: a page costs what the page holds.
pub type Instances = Box<dyn Iterator<Item = Result<Instance, CimError>> + Send>;

/// What a search looks at, one after the other: instances, and nothing in place of those that it passes over. So whoever
/// searches can tell after each how much time is left.
pub type Candidates = Box<dyn Iterator<Item = Result<Option<Instance>, CimError>> + Send>;

/// All of some instances as candidates.
pub fn all_candidates(instances: Instances) -> Candidates {
    Box::new(instances.map(|instance| instance.map(Some)))
}

/// The arguments of a method call, checked against its parameters: names as the schema writes them, types right,
/// none given twice. A parameter that was not given is not among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments(pub Vec<(Arc<str>, Value)>);

impl Arguments {
    /// An argument; NULL if it was not given.
    pub fn get(&self, name: &str) -> &Value {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or(&Value::Null, |(_, v)| v)
    }
}

/// What a method gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodReply {
    /// The return value.
    pub return_value: Value,
    /// The OUT parameters that have a value, in the order of the method's parameters.
    pub outputs: Vec<(Arc<str>, Value)>,
    /// Why nothing came of it, as part of a sentence: for people whom the method was open to. It is no part of the reply that
    /// goes over WS-Management, where the methods have no parameter for it.
    pub why: Option<Arc<str>>,
}

impl MethodReply {
    /// A return value of type uint32 alone.
    pub fn code(code: u32) -> Self {
        Self { return_value: Value::Uint32(code), outputs: Vec::new(), why: None }
    }

    /// A return value that says that nothing was done, and why.
    pub fn refusal(code: u32, why: impl Into<Arc<str>>) -> Self {
        Self { why: Some(why.into()), ..Self::code(code) }
    }

    /// Adds an OUT parameter.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.outputs.push((name.into(), value.into()));
        self
    }

    /// An OUT parameter that has a value.
    pub fn output(&self, name: &str) -> Option<&Value> {
        self.outputs.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }
}

/// A method call.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The leaf class of the instance.
    pub class: &'a Arc<Class>,
    /// The instance.
    pub path: &'a ObjectPath,
    /// The method.
    pub method: &'a Method,
    /// Its arguments.
    pub arguments: Arguments,
    /// What came beside them: the octets of a parameter that is empty among them.
    pub upload: Option<&'a Upload>,
    /// Until when the caller waits for what takes long.
    pub deadline: Instant,
}

/// A change of an instance.
#[derive(Debug)]
pub struct Modification<'a> {
    /// Who changes it.
    pub caller: &'a Caller,
    /// The leaf class of the instance.
    pub class: &'a Arc<Class>,
    /// The instance.
    pub path: &'a ObjectPath,
    /// The properties that are to change, by the names of the class, with values of their types. There is at least one;
    /// all are writable and none is a key.
    pub changes: Vec<(Arc<str>, Value)>,
}

/// A new instance as a client wants it.
#[derive(Debug)]
pub struct Creation<'a> {
    /// Who makes it.
    pub caller: &'a Caller,
    /// Until when the caller waits; what takes longer goes on, and is answered with [`CimError::timed_out`].
    pub deadline: Instant,
    /// Its class.
    pub class: &'a Arc<Class>,
    /// What the client gave; every other property has its class's default. Keys may be missing: the provider names things.
    pub wanted: &'a Instance,
}

/// The removal of an instance.
#[derive(Debug)]
pub struct Deletion<'a> {
    /// Who removes it.
    pub caller: &'a Caller,
    /// Until when the caller waits; what takes longer goes on, and is answered with [`CimError::timed_out`].
    pub deadline: Instant,
    /// The leaf class of the instance.
    pub class: &'a Arc<Class>,
    /// The instance.
    pub path: &'a ObjectPath,
}

/// How clients may change which instances there are and what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// New instances.
    Create,
    /// Other values of properties that are there.
    Modify,
    /// Instances that go.
    Delete,
}

impl Change {
    /// The operation that makes such a change, as the audit log calls it (WS-Transfer).
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Modify => "Put",
            Self::Delete => "Delete",
        }
    }

    /// The refusal of such a change of any instance of the class.
    pub(super) fn refusal(self, class: &Class) -> CimError {
        let name = class.name();
        CimError::not_supported(match self {
            Self::Create => format!("Instances of {name} cannot be created by a client."),
            Self::Modify => format!("Nothing of an instance of {name} can be changed by a client."),
            Self::Delete => format!("Instances of {name} cannot be deleted by a client."),
        })
    }
}

/// Shows a family of managed objects as instances.
///
/// `is_ready` and `estimate` answer from memory. So do `get`, `enumerate`, `candidates`, `references`, `is_shown` and `disclose` of what
/// `is_ready`: they run on the event loop. Everything else may block and runs beside it. Every default answers that the operation is not supported, so that a
/// provider holds only what it does.
pub trait Provider: Send + Sync + Debug {
    /// The names of the leaf classes it serves.
    fn classes(&self) -> Vec<Arc<str>>;

    /// Whether instances of the class live in root/interop rather than in root/cimv2.
    fn lives_in_interop(&self, class: &Class) -> bool {
        let _ = class;
        false
    }

    /// Whether a class that lives in root/interop can be seen from root/cimv2 too (links between the two).
    fn is_cross_namespace(&self, class: &Class) -> bool {
        let _ = class;
        false
    }

    /// What a caller does who calls this method: decides the role it needs.
    fn action_of(&self, class: &Class, method: &Method) -> Action {
        let _ = (class, method);
        Action::Change
    }

    /// What a caller does who changes instances of the class so: decides the role it needs.
    fn action_of_change(&self, class: &Class, change: Change) -> Action {
        let _ = (class, change);
        Action::Change
    }

    /// Whether clients may change instances of the class so; the method of that name is called only then.
    fn allows(&self, class: &Class, change: Change) -> bool {
        let _ = (class, change);
        false
    }

    /// Whether the instance that the path names, or without a path all instances of the class, can be had without waiting
    /// for a disk, a process or another host.
    fn is_ready(&self, class: &Class, path: Option<&ObjectPath>) -> bool {
        let _ = (class, path);
        true
    }

    /// The instance of `class` whose keys the path holds; the path's own class may be a superclass.
    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError>;

    /// All instances of `class`, without subclasses.
    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError>;

    /// The instances of `class` that a query may match. Those that it does not match may be among them or not: a provider
    /// that knows the values before it makes an instance saves making most.
    fn candidates(&self, class: &Arc<Class>, query: &Arc<Compiled>) -> Result<Candidates, CimError> {
        let _ = query;
        self.enumerate(class).map(all_candidates)
    }

    /// An instance that this provider gave, with what only few may see of it if the caller is one of them. Everything else that
    /// gives instances gives what may be seen by everybody who may read.
    fn disclose(&self, caller: &Caller, instance: Instance) -> Result<Instance, CimError> {
        let _ = caller;
        Ok(instance)
    }

    /// Whether the caller may know of an instance that this provider gave. For whoever may not, it is not there.
    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        let _ = (caller, instance);
        true
    }

    /// How many instances `enumerate` gives, if that is known without counting them.
    fn estimate(&self, class: &Class) -> Option<u64> {
        let _ = class;
        None
    }

    /// The instances of the association `class` of which `source` is an end, in the role named if one is.
    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        let _ = (source, role);
        Err(CimError::not_supported(format!("{} is no association.", class.name())))
    }

    /// Changes an instance that [`Self::get`] found: all of the changes or none.
    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        Err(Change::Modify.refusal(modification.class))
    }

    /// Makes an instance and gives it as it is now.
    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        Err(Change::Create.refusal(creation.class))
    }

    /// Removes an instance that [`Self::get`] found.
    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        Err(Change::Delete.refusal(deletion.class))
    }

    /// Calls a method. A static method is called with a path without keys.
    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        Err(CimError::new(
            crate::cim::CimStatus::MethodNotAvailable,
            format!("Method {} of class {} is not served.", invocation.method.name, invocation.class.name()),
        ))
    }
}
