//! Walks associations: the CIM operations Associators and References (DSP0227 8.2).

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::{Broker, Candidates, Instances, all_candidates};
use crate::access::Caller;
use crate::cim::{CimError, CimStatus, Class, ClassKind, Instance, ObjectPath};

/// What the walk gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traversal {
    /// The instances at the other ends.
    AssociatedInstances,
    /// The links themselves.
    AssociationInstances,
}

/// A walk from one instance along its associations. Absent names restrict nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct AssociationQuery {
    /// What the walk gives.
    pub traversal: Traversal,
    /// Where the walk starts.
    pub source: ObjectPath,
    /// The association class to walk; for [`Traversal::AssociationInstances`] this is the result class.
    pub association_class: Option<String>,
    /// The reference through which the source takes part.
    pub role: Option<String>,
    /// The class of the instances at the other end.
    pub result_class: Option<String>,
    /// The reference through which the other end takes part.
    pub result_role: Option<String>,
}

/// Which paths were met. It keeps 16 octets of each, since a client may leave a walk over many thousand open.
#[derive(Debug, Default)]
struct Seen {
    hashers: [RandomState; 2],
    met: HashSet<[u64; 2]>,
}

impl Seen {
    /// Whether it is met for the first time.
    fn is_new(&mut self, path: &ObjectPath) -> bool {
        let text = path.to_string();
        self.met.insert(self.hashers.each_ref().map(|hasher| hasher.hash_one(&text)))
    }
}

impl Broker {
    /// Walks the associations of one instance. The source must exist.
    pub fn associations(self: &Arc<Self>, caller: &Caller, query: AssociationQuery) -> Result<Candidates, CimError> {
        self.check_reading(caller)?;
        let namespace = query.source.namespace().clone();
        let source = self.shown_to(caller, &query.source).map(|instance| self.path_of(&instance))?;
        if let Some(class) = &query.association_class {
            self.class(&namespace, class)?;
        }
        // A link may lead into the other namespace, so the result class need only exist.
        if let Some(class) = &query.result_class {
            self.class_anywhere(class)?;
        }
        let classes = self.association_classes(&namespace, query.association_class.as_deref());
        // Links of several classes may lead to one object; links of one class may not.
        let mut seen = (classes.len() > 1).then(Seen::default);
        let links = self.links(classes, source.clone(), &query);
        let (namer, caller) = (self.clone(), caller.clone());
        if query.traversal == Traversal::AssociationInstances {
            return Ok(all_candidates(Box::new(links.filter_map(move |link| namer.shown(&caller, link).transpose()))));
        }
        let (broker, walker) = (self.clone(), caller.clone());
        let known = links.filter_map({
            let broker = broker.clone();
            move |link| broker.shown(&walker, link).transpose()
        });
        let ends = known.flat_map(move |link| match link {
            Ok(link) => broker.other_ends(&link, &source, &query),
            Err(error) => vec![Err(error)],
        });
        Ok(Box::new(ends.map(move |end| {
            let once = |instance: &Instance| seen.as_mut().is_none_or(|seen| seen.is_new(&namer.path_of(instance)));
            namer.shown_if_any(&caller, end?.filter(once))
        })))
    }

    fn links(self: &Arc<Self>, classes: Vec<Arc<Class>>, source: ObjectPath, query: &AssociationQuery) -> Instances {
        let role = query.role.clone();
        let broker = self.clone();
        Box::new(classes.into_iter().flat_map(move |class| {
            broker
                .links_of(&class, &source, role.as_deref())
                .unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        }))
    }

    fn links_of(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        let takes_part = class.references().any(|end| {
            role.is_none_or(|role| end.name.eq_ignore_ascii_case(role))
                && self.may_hold(end.shape.class.as_deref(), source)
        });
        match self.routes.get(class.name()) {
            Some(route) if takes_part => route.provider.references(&route.class, source, role),
            _ => Ok(Box::new(std::iter::empty())),
        }
    }

    fn association_classes(&self, namespace: &str, named: Option<&str>) -> Vec<Arc<Class>> {
        let mut classes: Vec<_> = self.routes.values().map(|route| &route.class).collect();
        classes.retain(|c| c.kind() == ClassKind::Association && self.is_visible(namespace, c));
        classes.retain(|c| named.is_none_or(|name| c.is_a(name)));
        classes.sort_by(|a, b| a.name().cmp(b.name()));
        classes.into_iter().cloned().collect()
    }

    /// The instances a link leads to, without the source itself unless it is linked to itself; or one candidate that is none.
    fn other_ends(
        &self,
        link: &Instance,
        source: &ObjectPath,
        query: &AssociationQuery,
    ) -> Vec<Result<Option<Instance>, CimError>> {
        let ends =
            || link.class().properties().iter().zip(link.values()).filter_map(|(p, v)| Some((p, v.as_reference()?)));
        let plays =
            |name: &str, role: &Option<String>| role.as_ref().is_none_or(|role| name.eq_ignore_ascii_case(role));
        let Some((own, _)) = ends().find(|(p, path)| plays(&p.name, &query.role) && path.same_keys(source)) else {
            return vec![Ok(None)];
        };
        let mut found: Vec<_> = ends()
            .filter(|(p, path)| {
                p.name != own.name
                    && plays(&p.name, &query.result_role)
                    && query.result_class.as_ref().is_none_or(|class| self.may_hold(Some(class), path))
            })
            .filter_map(|(_, path)| match self.lookup(path) {
                // What was removed between the two looks is no longer an end.
                Err(error) if error.status == CimStatus::NotFound => None,
                found => Some(found.map(Some)),
            })
            .collect();
        if found.is_empty() {
            found.push(Ok(None));
        }
        found
    }

    fn may_hold(&self, class: Option<&str>, path: &ObjectPath) -> bool {
        class.is_none_or(|class| self.schema.class(path.class()).is_some_and(|c| c.is_a(class)))
    }
}
