//! One class of which several systems have instances.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{
    Action, Candidates, Change, Creation, Deletion, Instances, Invocation, MethodReply, Modification, Provider,
};
use crate::access::Caller;
use crate::cim::query::Compiled;
use crate::cim::{CimError, CimStatus, Class, Instance, Method, ObjectPath};

/// Serves a class by the providers of several systems. Each finds its own by its keys and leaves the others' instances as they
/// are.
#[derive(Debug)]
pub(super) struct Joined(Vec<Arc<dyn Provider>>);

impl Joined {
    /// The providers of one class, in the order of their systems; there is at least one.
    pub(super) fn provider(mut providers: Vec<Arc<dyn Provider>>) -> Option<Arc<dyn Provider>> {
        if providers.len() > 1 { Some(Arc::new(Self(providers))) } else { providers.pop() }
    }

    /// The provider that has the instance, and the instance.
    fn owner(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<(&Arc<dyn Provider>, Instance), CimError> {
        let mut missing = None;
        for provider in &self.0 {
            match provider.get(class, path) {
                Ok(instance) => return Ok((provider, instance)),
                Err(error) if error.status == CimStatus::NotFound => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or_else(|| CimError::not_found(format!("There is no such instance of {}.", class.name()))))
    }

    /// What all give, one after the other.
    fn all<T: Send + 'static>(&self, give: impl Fn(&dyn Provider) -> Result<Parts<T>, CimError>) -> Parts<T> {
        let given = self
            .0
            .iter()
            .map(|provider| give(&**provider).unwrap_or_else(|error| Box::new(std::iter::once(Err(error)))));
        Box::new(WhyLast { parts: given.collect(), failed: VecDeque::new() })
    }

    /// The provider that a change without an instance is for: the first that allows it.
    fn first_that_allows(&self, class: &Class, change: Change) -> Result<&Arc<dyn Provider>, CimError> {
        self.0.iter().find(|provider| provider.allows(class, change)).ok_or_else(|| change.refusal(class))
    }
}

/// What a provider gives.
type Parts<T> = Box<dyn Iterator<Item = Result<T, CimError>> + Send>;

/// Parts one after the other. What one system cannot tell is told at the end, so that it does not hide what others can.
struct WhyLast<T> {
    parts: VecDeque<Parts<T>>,
    failed: VecDeque<CimError>,
}

impl<T> Iterator for WhyLast<T> {
    type Item = Result<T, CimError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(part) = self.parts.front_mut() {
            match part.next() {
                Some(Ok(item)) => return Some(Ok(item)),
                Some(Err(error)) => self.failed.push_back(error),
                None => drop(self.parts.pop_front()),
            }
        }
        self.failed.pop_front().map(Err)
    }
}

impl Provider for Joined {
    fn classes(&self) -> Vec<Arc<str>> {
        self.0.iter().flat_map(|provider| provider.classes()).collect()
    }

    fn lives_in_interop(&self, class: &Class) -> bool {
        self.0.iter().any(|provider| provider.lives_in_interop(class))
    }

    fn is_cross_namespace(&self, class: &Class) -> bool {
        self.0.iter().any(|provider| provider.is_cross_namespace(class))
    }

    /// Asked before the instance is known: what needs most.
    fn action_of(&self, class: &Class, method: &Method) -> Action {
        self.0.iter().map(|provider| provider.action_of(class, method)).max().unwrap_or(Action::Change)
    }

    fn action_of_change(&self, class: &Class, change: Change) -> Action {
        self.0.iter().map(|provider| provider.action_of_change(class, change)).max().unwrap_or(Action::Change)
    }

    fn allows(&self, class: &Class, change: Change) -> bool {
        self.0.iter().any(|provider| provider.allows(class, change))
    }

    fn is_ready(&self, class: &Class, path: Option<&ObjectPath>) -> bool {
        self.0.iter().all(|provider| provider.is_ready(class, path))
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        self.owner(class, path).map(|(_, instance)| instance)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(self.all(|provider| provider.enumerate(class)))
    }

    fn candidates(&self, class: &Arc<Class>, query: &Arc<Compiled>) -> Result<Candidates, CimError> {
        Ok(self.all(|provider| provider.candidates(class, query)))
    }

    fn disclose(&self, caller: &Caller, instance: Instance) -> Result<Instance, CimError> {
        self.0.iter().try_fold(instance, |instance, provider| provider.disclose(caller, instance))
    }

    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        self.0.iter().all(|provider| provider.is_shown(caller, instance))
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        self.0.iter().map(|provider| provider.estimate(class)).sum()
    }

    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        Ok(self.all(|provider| provider.references(class, source, role)))
    }

    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        self.owner(modification.class, modification.path)?.0.modify(modification)
    }

    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        self.first_that_allows(creation.class, Change::Create)?.create(creation)
    }

    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        self.owner(deletion.class, deletion.path)?.0.delete(deletion)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        if invocation.method.is_static {
            // A static method is the same of every system.
            let first = self.0.first().ok_or_else(|| CimError::not_found("There is no system."))?;
            return first.invoke(invocation);
        }
        self.owner(invocation.class, invocation.path)?.0.invoke(invocation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Broker, IMPLEMENTATION_NAMESPACE};
    use super::*;
    use crate::access::Role;
    use crate::cim::{Schema, Value};

    /// A system that is called so, and nothing else.
    #[derive(Debug)]
    struct Named(&'static str);

    impl Named {
        fn instance(&self, class: &Arc<Class>) -> Instance {
            let mut instance = Instance::new(class.clone());
            instance.set("CreationClassName", class.name().clone()).unwrap().set("Name", self.0).unwrap();
            instance
        }
    }

    impl Provider for Named {
        fn classes(&self) -> Vec<Arc<str>> {
            vec!["PG_ComputerSystem".into()]
        }

        fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
            if path.key_str("Name") == Some(self.0) {
                Ok(self.instance(class))
            } else {
                Err(CimError::not_found("It has another name."))
            }
        }

        fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
            Ok(Box::new(std::iter::once(Ok(self.instance(class)))))
        }

        fn estimate(&self, _: &Class) -> Option<u64> {
            Some(1)
        }

        fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
            assert_eq!(invocation.path.key_str("Name"), Some(self.0));
            Ok(MethodReply::code(7))
        }
    }

    #[test]
    fn what_one_system_cannot_tell_is_told_after_what_the_others_can() {
        let failed = || CimError::invalid_parameter("It cannot be read.");
        let parts: [Parts<u8>; 2] =
            [Box::new([Ok(1), Err(failed()), Ok(2)].into_iter()), Box::new(std::iter::once(Ok(3)))];
        let told = WhyLast { parts: parts.into(), failed: VecDeque::new() };
        let told: Vec<_> = told.map(Result::ok).collect();
        assert_eq!(told, [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn a_class_of_two_systems_has_the_instances_of_both() {
        let schema = Arc::new(Schema::builtin().unwrap());
        let system = |name| vec![Arc::new(Named(name)) as Arc<dyn Provider>];
        let broker = Arc::new(Broker::of_systems(schema.clone(), vec![system("a"), system("b")]).unwrap());
        let caller = Caller::new(Arc::from("olga"), Role::Operator);
        let class = schema.class("CIM_ComputerSystem").unwrap();
        let (all, _) = broker.enumerate(&caller, IMPLEMENTATION_NAMESPACE, class).unwrap();
        let names: Vec<Value> = all.map(|instance| instance.unwrap().get("Name").unwrap().clone()).collect();
        assert_eq!(names, [Value::from("a"), Value::from("b")]);
        assert_eq!(broker.estimate(IMPLEMENTATION_NAMESPACE, class), Some(2));
        let path = |name: &str| {
            let keys = vec![("CreationClassName".into(), "PG_ComputerSystem".into()), ("Name".into(), name.into())];
            ObjectPath::new(IMPLEMENTATION_NAMESPACE, "CIM_ComputerSystem", keys)
        };
        assert!(broker.get(&caller, &path("b")).is_ok());
        assert_eq!(broker.get(&caller, &path("c")).unwrap_err().status, CimStatus::NotFound);
        let method = class.method("RequestStateChange").unwrap();
        let reply = broker.invoke(&caller, &path("b"), method, super::super::Arguments::default()).unwrap();
        assert_eq!(reply, MethodReply::code(7));
        let twice = vec![Arc::new(Named("a")) as Arc<dyn Provider>, Arc::new(Named("b"))];
        assert!(Broker::of_systems(schema, vec![twice]).is_err(), "one system names its instances once");
    }
}
