//! Routes CIM operations to the providers of the classes they name.
//!
//! The broker knows inheritance, namespaces, associations and who may do what; it knows no concrete class.

mod asked;
mod association;
mod authorization;
mod change;
mod classes;
mod joined;
mod provider;
mod upload;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::access::{self, Audit, Caller};
use crate::cim::query::Compiled;
use crate::cim::{CimError, CimStatus, Class, ClassKind, Instance, ObjectPath, Schema};

use joined::Joined;

pub use association::{AssociationQuery, Traversal};
pub use authorization::Action;
pub use provider::{
    Arguments, Candidates, Change, Creation, Deletion, Instances, Invocation, MethodReply, Modification, Provider,
    all_candidates,
};
pub use upload::Upload;

/// The CIM namespace that managed elements live in, and the default of requests that name none.
pub const IMPLEMENTATION_NAMESPACE: &str = "root/cimv2";
/// The CIM namespace of profile registration and indications.
pub const INTEROP_NAMESPACE: &str = "root/interop";

/// The CIM namespaces, the providers and the classes they serve.
#[derive(Debug)]
pub struct Broker {
    schema: Arc<Schema>,
    namespaces: [Arc<str>; 2],
    routes: HashMap<Arc<str>, Route>,
    audit: Audit,
}

#[derive(Debug)]
struct Route {
    class: Arc<Class>,
    home: Arc<str>,
    provider: Arc<dyn Provider>,
}

/// A provider names a class that the schema does not have, or one that another provider serves.
#[derive(Debug, thiserror::Error)]
#[error("class {class} cannot be served: {why}")]
pub struct RegistrationError {
    class: String,
    why: &'static str,
}

impl Broker {
    /// A broker of these providers.
    pub fn new(schema: Arc<Schema>, providers: Vec<Arc<dyn Provider>>) -> Result<Self, RegistrationError> {
        Self::of_systems(schema, vec![providers])
    }

    /// A broker of the providers of several systems. A class may be served by one of each.
    pub fn of_systems(schema: Arc<Schema>, systems: Vec<Vec<Arc<dyn Provider>>>) -> Result<Self, RegistrationError> {
        let [implementation, interop]: [Arc<str>; 2] = [IMPLEMENTATION_NAMESPACE.into(), INTEROP_NAMESPACE.into()];
        let mut routes = HashMap::new();
        for Served { class, providers } in by_class(&schema, systems)? {
            let Some(provider) = Joined::provider(providers) else { continue };
            let home = if provider.lives_in_interop(&class) { interop.clone() } else { implementation.clone() };
            routes.insert(class.name().clone(), Route { class, home, provider });
        }
        Ok(Self { schema, namespaces: [implementation, interop], routes, audit: Audit::default() })
    }

    /// The same, whose changes are told to this audit log.
    pub fn with_audit(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    /// The schema the broker checks requests against.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The namespace of that name in any case and with either separator.
    pub fn namespace(&self, name: &str) -> Result<Arc<str>, CimError> {
        let same = |known: &&Arc<str>| {
            known.len() == name.len()
                && known.bytes().zip(name.bytes()).all(|(k, n)| k.eq_ignore_ascii_case(&n) || (k == b'/' && n == b'\\'))
        };
        self.namespaces.iter().find(same).cloned().ok_or_else(|| {
            CimError::new(
                CimStatus::InvalidNamespace,
                format!(
                    "There is no CIM namespace {name:?}; use {IMPLEMENTATION_NAMESPACE} or {INTEROP_NAMESPACE} in the selector __cimnamespace."
                ),
            )
        })
    }

    /// The class of that name, if it can be addressed in the namespace.
    pub fn class(&self, namespace: &str, name: &str) -> Result<&Arc<Class>, CimError> {
        let class = self.schema.class(name).filter(|class| self.is_addressable(namespace, class));
        class.ok_or_else(|| {
            let elsewhere = if self.schema.class(name).is_some() {
                format!(" It is in {INTEROP_NAMESPACE}: ask for it there.")
            } else {
                String::new()
            };
            let message = format!("There is no class {name} in the CIM namespace {namespace}.{elsewhere}");
            CimError::new(CimStatus::InvalidClass, message)
        })
    }

    /// The class of that name, whichever namespace it can be addressed in.
    pub fn class_anywhere(&self, name: &str) -> Result<&Arc<Class>, CimError> {
        let missing = || CimError::new(CimStatus::InvalidClass, format!("There is no class {name}."));
        self.schema.class(name).ok_or_else(missing)
    }

    /// Gets one instance.
    pub fn get(&self, caller: &Caller, path: &ObjectPath) -> Result<Instance, CimError> {
        self.check_reading(caller)?;
        self.shown_to(caller, path)
    }

    /// All instances of a class and its subclasses, in the order of the schema.
    ///
    /// Tells too whether they can be had without waiting for anything; else the walk is to be made off the event loop.
    pub fn enumerate(
        self: &Arc<Self>,
        caller: &Caller,
        namespace: &str,
        class: &Class,
    ) -> Result<(Instances, bool), CimError> {
        self.check_reading(caller)?;
        let served = self.served_subclasses(namespace, class)?;
        let now = |name: Arc<str>| {
            let is_ready = self.routes.get(&name).is_some_and(|route| route.provider.is_ready(&route.class, None));
            (is_ready.then(|| self.instances_of(&name)), name)
        };
        // What is ready now may not be later, when the walk comes to it.
        let begun: Vec<(Option<Instances>, Arc<str>)> = served.into_iter().map(now).collect();
        let are_ready = begun.iter().all(|(ready, _)| ready.is_some());
        let broker = self.clone();
        let instances =
            begun.into_iter().flat_map(move |(ready, name)| ready.unwrap_or_else(|| broker.instances_of(&name)));
        let (broker, caller) = (self.clone(), caller.clone());
        let shown = instances.filter_map(move |instance| broker.shown(&caller, instance).transpose());
        Ok((Box::new(shown), are_ready))
    }

    /// Whether [`Self::get`] of the path answers without waiting for anything; else it is to be called off the event loop.
    pub fn is_ready(&self, path: &ObjectPath) -> bool {
        let routes = self.schema.with_subclasses(path.class()).iter().filter_map(|c| self.routes.get(c.name()));
        routes.into_iter().all(|route| route.provider.is_ready(&route.class, Some(path)))
    }

    /// The instances of a class and its subclasses that a query may match, in the order of the schema: at least all that it
    /// does match.
    pub fn candidates(
        self: &Arc<Self>,
        caller: &Caller,
        namespace: &str,
        query: Arc<Compiled>,
    ) -> Result<Candidates, CimError> {
        self.check_reading(caller)?;
        let served = self.served_subclasses(namespace, query.from_class())?;
        let broker = self.clone();
        let candidates = served.into_iter().flat_map(move |name| broker.candidates_of(&name, &query));
        let (broker, caller) = (self.clone(), caller.clone());
        // Disclosed before the query is asked of them: what a caller may not see must not be found out by asking.
        Ok(Box::new(candidates.map(move |candidate| broker.shown_if_any(&caller, candidate?))))
    }

    /// How many instances [`Self::enumerate`] will give, where the providers know without counting.
    pub fn estimate(&self, namespace: &str, class: &Class) -> Option<u64> {
        let served = self.served_subclasses(namespace, class).ok()?;
        served.iter().map(|name| self.routes.get(name).and_then(|r| r.provider.estimate(&r.class))).sum()
    }

    /// The namespace an instance of the class is told to live in.
    pub fn home_of(&self, class: &Class) -> &Arc<str> {
        let [implementation, _] = &self.namespaces;
        self.routes.get(class.name()).map_or(implementation, |route| &route.home)
    }

    /// The path of an instance, in the namespace that its class is at home in.
    pub fn path_of(&self, instance: &Instance) -> ObjectPath {
        instance.path(self.home_of(instance.class()))
    }

    fn check_reading(&self, caller: &Caller) -> Result<(), CimError> {
        authorization::check(&self.audit, caller, Action::Read, || access::Change::by("Read"))
    }

    /// The instance as the caller may see it.
    fn shown_to(&self, caller: &Caller, path: &ObjectPath) -> Result<Instance, CimError> {
        let (_, instance) = self.locate(path)?;
        let class = instance.class().name().clone();
        self.shown(caller, Ok(instance))?.ok_or_else(|| {
            CimError::not_found(format!("There is no such instance of {class}, or none that {} may see.", caller.name))
        })
    }

    /// An instance as the caller may see it; nothing if it may not know of it.
    fn shown(&self, caller: &Caller, instance: Result<Instance, CimError>) -> Result<Option<Instance>, CimError> {
        let instance = instance?;
        match self.routes.get(instance.class().name()) {
            Some(route) if !route.provider.is_shown(caller, &instance) => Ok(None),
            Some(route) => route.provider.disclose(caller, instance).map(Some),
            None => Ok(Some(instance)),
        }
    }

    fn shown_if_any(&self, caller: &Caller, candidate: Option<Instance>) -> Result<Option<Instance>, CimError> {
        candidate.map_or(Ok(None), |instance| self.shown(caller, Ok(instance)))
    }

    fn lookup(&self, path: &ObjectPath) -> Result<Instance, CimError> {
        self.locate(path).map(|(_, instance)| instance)
    }

    /// The instance and its provider: a path may name a superclass (`CIM_SoftwareIdentity`).
    fn locate(&self, path: &ObjectPath) -> Result<(&Route, Instance), CimError> {
        self.namespace(path.namespace())?;
        let class = self.class(path.namespace(), path.class())?;
        if class.keys().next().is_none() && class.kind() != ClassKind::Indication {
            return Err(CimError::not_found(format!(
                "Class {} has no keys, so it names no instance; name the class of the instance itself.",
                class.name()
            )));
        }
        let candidates = self.schema.with_subclasses(class.name()).iter().filter_map(|c| self.routes.get(c.name()));
        let mut missing = None;
        for route in candidates.filter(|r| self.is_visible(path.namespace(), &r.class)) {
            match route.provider.get(&route.class, path) {
                Ok(instance) => return Ok((route, instance)),
                // The first is the class whose instances are most often meant.
                Err(error) if error.status == CimStatus::NotFound => drop(missing.get_or_insert(error)),
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or_else(|| no_instances(class)))
    }

    fn served_subclasses(&self, namespace: &str, class: &Class) -> Result<Vec<Arc<str>>, CimError> {
        if class.kind() == ClassKind::Indication {
            return Err(CimError::not_supported(format!(
                "{} is an indication: subscribe to it, it has no instances to enumerate.",
                class.name()
            )));
        }
        let all = self.schema.with_subclasses(class.name()).iter();
        let served = all.filter(|c| self.routes.contains_key(c.name()) && self.is_visible(namespace, c));
        Ok(served.map(|c| c.name().clone()).collect())
    }

    fn instances_of(&self, name: &str) -> Instances {
        let Some(route) = self.routes.get(name) else { return Box::new(std::iter::empty()) };
        route.provider.enumerate(&route.class).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    fn candidates_of(&self, name: &str, query: &Arc<Compiled>) -> Candidates {
        let Some(route) = self.routes.get(name) else { return Box::new(std::iter::empty()) };
        let candidates = route.provider.candidates(&route.class, query);
        candidates.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    /// Whether requests in the namespace may name the class: for its own instances or for a subclass's.
    fn is_addressable(&self, namespace: &str, class: &Class) -> bool {
        let is_served = |class: &Class| self.routes.contains_key(class.name()) && self.is_visible(namespace, class);
        self.is_visible(namespace, class) || self.schema.with_subclasses(class.name()).iter().any(|c| is_served(c))
    }

    /// root/interop shows everything; root/cimv2 does not show what lives in root/interop alone.
    fn is_visible(&self, namespace: &str, class: &Class) -> bool {
        let [_, interop] = &self.namespaces;
        namespace.eq_ignore_ascii_case(interop)
            || self
                .routes
                .get(class.name())
                .is_none_or(|r| !Arc::ptr_eq(&r.home, interop) || r.provider.is_cross_namespace(&r.class))
    }
}

/// A class and those that serve it, in the order of their systems.
struct Served {
    class: Arc<Class>,
    providers: Vec<Arc<dyn Provider>>,
}

fn by_class(schema: &Schema, systems: Vec<Vec<Arc<dyn Provider>>>) -> Result<Vec<Served>, RegistrationError> {
    let mut served: HashMap<Arc<str>, Served> = HashMap::new();
    for providers in systems {
        let mut by_this_system = HashSet::new();
        for (provider, name) in providers.iter().flat_map(|p| p.classes().into_iter().map(move |name| (p, name))) {
            let error = |why| RegistrationError { class: name.to_string(), why };
            let class = schema.class(&name).ok_or_else(|| error("the schema does not have it"))?;
            if !by_this_system.insert(class.name().clone()) {
                return Err(error("two providers serve it"));
            }
            let new = || Served { class: class.clone(), providers: Vec::new() };
            served.entry(class.name().clone()).or_insert_with(new).providers.push(provider.clone());
        }
    }
    Ok(served.into_values().collect())
}

fn no_instances(class: &Class) -> CimError {
    if class.kind() == ClassKind::Indication {
        return CimError::not_supported(format!("{} is an indication: subscribe to it.", class.name()));
    }
    CimError::not_found(format!("Class {} has no instances on this system.", class.name()))
}
