//! Associations as computed pairs: no link is ever stored.

use std::fmt::Debug;
use std::sync::Arc;

use crate::access::Caller;
use crate::broker::{INTEROP_NAMESPACE, Instances, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, PropertyError, Value};

/// The two ends of a link, in the order of [`Link::ends`].
pub(super) type Pair = [Arc<ObjectPath>; 2];
/// Links one after the other, and in place of those that cannot be told why not.
pub(super) type Pairs = Box<dyn Iterator<Item = Result<Pair, CimError>> + Send>;

/// An association whose links can be computed.
pub(super) trait Link: Send + Sync + Debug + 'static {
    /// The association's class.
    fn class(&self) -> &'static str;
    /// Its two references; put the end that leads to fewer links first.
    fn ends(&self) -> [&'static str; 2];
    /// All links.
    fn all(&self) -> Result<Pairs, CimError>;
    /// The links of one object at the given end; none of an object that is not there.
    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let source = source.clone();
        let is_end = move |pair: &Pair| pair.get(end).is_some_and(|path| path.same_keys(&source));
        Ok(Box::new(self.all()?.filter(move |pair| pair.as_ref().map_or(true, &is_end))))
    }
    /// How many links there are, where that is known.
    fn count(&self) -> Option<u64> {
        None
    }
    /// Whether links can be had without waiting for a disk or a process.
    fn is_ready(&self) -> bool {
        true
    }
    /// The properties beside the two references.
    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let _ = link;
        Ok(())
    }
    /// Whether the caller may know of a link.
    fn is_shown(&self, caller: &Caller, link: &Instance) -> bool {
        let _ = (caller, link);
        true
    }
    /// Whether the link joins root/interop with root/cimv2.
    fn is_cross_namespace(&self) -> bool {
        false
    }
    /// Whether the link lives in root/interop.
    fn lives_in_interop(&self) -> bool {
        self.is_cross_namespace()
    }
}

/// Serves a [`Link`].
#[derive(Debug)]
pub(super) struct Links<L>(Arc<L>);

impl<L: Link> Links<L> {
    pub(super) fn new(link: L) -> Self {
        Self(Arc::new(link))
    }

    pub(super) fn provider(link: L) -> Arc<dyn Provider> {
        Arc::new(Self::new(link))
    }

    fn instances(&self, class: &Arc<Class>, pairs: Pairs) -> Instances {
        let (link, class) = (self.0.clone(), class.clone());
        Box::new(pairs.map(move |pair| Ok(instance(&*link, &class, pair?)?)))
    }
}

fn instance(link: &impl Link, class: &Arc<Class>, pair: Pair) -> Result<Instance, PropertyError> {
    let mut instance = Instance::new(class.clone());
    for (end, path) in link.ends().into_iter().zip(pair) {
        instance.set(end, path)?;
    }
    link.describe(&mut instance)?;
    Ok(instance)
}

impl<L: Link> Provider for Links<L> {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![self.0.class().into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        self.0.lives_in_interop()
    }

    fn is_cross_namespace(&self, _: &Class) -> bool {
        self.0.is_cross_namespace()
    }

    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        self.0.is_ready()
    }

    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        self.0.is_shown(caller, instance)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let [first, second] = self.0.ends();
        let end = |name: &str| path.key(name).and_then(Value::as_reference);
        let pair = match end(first).zip(end(second)) {
            Some((a, b)) => {
                self.0.of(0, a)?.find(|pair| pair.as_ref().map_or(true, |[_, other]| other.same_keys(b))).transpose()?
            }
            None => None,
        };
        let pair =
            pair.ok_or_else(|| CimError::not_found(format!("The two objects are not linked by {}.", class.name())))?;
        Ok(instance(&*self.0, class, pair)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(self.instances(class, self.0.all()?))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        self.0.count()
    }

    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        let [first, second] = self.0.ends().map(|end| role.is_none_or(|role| role.eq_ignore_ascii_case(end)));
        let of_first = if first { self.0.of(0, source)? } else { none() };
        let of_second = if second { self.0.of(1, source)? } else { none() };
        let source = source.clone();
        // What is linked to itself is at both ends of one link.
        let is_new = move |[other, _]: &Pair| !(first && other.same_keys(&source));
        let others = of_second.filter(move |pair| pair.as_ref().map_or(true, &is_new));
        Ok(self.instances(class, Box::new(of_first.chain(others))))
    }
}

/// No links.
pub(super) fn none() -> Pairs {
    Box::new(std::iter::empty())
}

/// One link.
pub(super) fn one(pair: Pair) -> Pairs {
    Box::new(std::iter::once(Ok(pair)))
}

/// These links.
pub(super) fn each(pairs: impl IntoIterator<Item = Pair, IntoIter: Send + 'static>) -> Pairs {
    Box::new(pairs.into_iter().map(Ok))
}

/// What is found when a walk comes to it, or in its place why it cannot be told.
pub(super) fn later<I: Iterator>(
    find: impl FnOnce() -> Result<I, CimError>,
) -> impl Iterator<Item = Result<I::Item, CimError>> {
    std::iter::once_with(find).flat_map(|found| {
        let (found, why) = match found {
            Ok(found) => (Some(found), None),
            Err(error) => (None, Some(Err(error))),
        };
        found.into_iter().flatten().map(Ok).chain(why)
    })
}

/// Links, or why they cannot be told in their place.
pub(super) fn or_why(pairs: Result<Pairs, CimError>) -> Pairs {
    pairs.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
}

/// What was looked for, if it is there. That it cannot be looked for is an error still.
pub(super) fn if_there<T>(found: Result<T, CimError>) -> Result<Option<T>, CimError> {
    match found {
        Err(error) if error.status == CimStatus::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// A link between two objects that are always there.
#[derive(Debug)]
pub(super) struct FixedLink {
    pub(super) class: &'static str,
    pub(super) ends: [&'static str; 2],
    pub(super) pair: Pair,
    /// Further properties, by name.
    pub(super) properties: Vec<(&'static str, Value)>,
}

impl Link for FixedLink {
    fn class(&self) -> &'static str {
        self.class
    }

    fn ends(&self) -> [&'static str; 2] {
        self.ends
    }

    fn all(&self) -> Result<Pairs, CimError> {
        Ok(one(self.pair.clone()))
    }

    fn count(&self) -> Option<u64> {
        Some(1)
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        for (name, value) in &self.properties {
            link.set(name, value.clone())?;
        }
        Ok(())
    }

    fn is_cross_namespace(&self) -> bool {
        let [first, second] = &self.pair;
        first.namespace() != second.namespace()
    }

    fn lives_in_interop(&self) -> bool {
        self.pair.iter().any(|end| &**end.namespace() == INTEROP_NAMESPACE)
    }
}
