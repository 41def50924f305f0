//! Destinations that clients make once, for several subscriptions to use (`CIM_ListenerDestinationWSManagement`, DSP1054).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::Delivery;
use crate::access::{Caller, Role};
use crate::store::named::LISTENER_DESTINATIONS as ROWS;
use crate::store::{Store, StoreError};

/// How many destinations there may be.
const MOST: usize = 1000;
/// How many of them one user may make.
const MOST_OF_ONE_USER: usize = 250;
/// The longest name of a destination, as CIM has it.
const LONGEST_NAME: usize = 256;
/// The longest of its other texts, in octets.
const LONGEST_TEXT: usize = 8192;

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerDestination {
    /// Its name; no two destinations have one.
    pub name: Arc<str>,
    /// Who made it.
    pub owner: Caller,
    /// The URL that events are sent to.
    pub address: String,
    /// The URL that the end of a subscription is told to.
    pub end_to: Option<String>,
    /// How events are delivered.
    pub delivery: Delivery,
    /// A name for people.
    pub element_name: Option<Arc<str>>,
}

/// Why a destination is not made or removed.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// No selector could name it: selectors are trimmed.
    #[error("a destination's Name may have neither white space around it nor control characters")]
    Name,
    /// A text is too long.
    #[error("a destination's Name may have at most {LONGEST_NAME} octets, its other texts at most {LONGEST_TEXT} each")]
    TooLong,
    /// There is one of that name.
    #[error("there is a destination named {0:?} already; give another Name, or none")]
    Exists(Arc<str>),
    /// There is none of that name.
    #[error("there is no destination of that name")]
    NotFound,
    /// Somebody else made it, and the caller is no admin.
    #[error("the destination belongs to another user")]
    NotYours,
    /// There are too many.
    #[error("there are {MOST} destinations already, and no more are allowed: delete one that is not needed")]
    TooMany,
    /// One user has too many.
    #[error("you have {MOST_OF_ONE_USER} destinations already, and no more are allowed: delete one that is not needed")]
    TooManyOfOne,
    /// Our own failure.
    #[error("the destinations cannot be stored")]
    Store(#[from] StoreError),
}

/// All destinations that clients made. Reading answers from memory; changing blocks on the store.
#[derive(Debug)]
pub struct Destinations {
    store: Arc<Store>,
    /// Held by who changes the store, so that nobody who reads waits for it.
    changing: Mutex<()>,
    all: RwLock<BTreeMap<Arc<str>, Arc<ListenerDestination>>>,
}

impl Destinations {
    /// The most there may be.
    pub const MOST: usize = MOST;

    /// Takes up all destinations.
    pub fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let mut all = BTreeMap::new();
        for body in store.read(|c| ROWS.all(c))? {
            let destination: ListenerDestination =
                serde_json::from_str(&body).map_err(|error| StoreError::damaged("listener_destination", error))?;
            all.insert(destination.name.clone(), Arc::new(destination));
        }
        Ok(Self { store, changing: Mutex::default(), all: RwLock::new(all) })
    }

    /// All destinations, by name.
    pub fn all(&self) -> Vec<Arc<ListenerDestination>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The destination of that name.
    pub fn find(&self, name: &str) -> Option<Arc<ListenerDestination>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Adds a destination. Whether anything can be sent to it is for its maker to ask before.
    pub fn add(&self, destination: ListenerDestination) -> Result<(), DestinationError> {
        let ListenerDestination { name, address, end_to, element_name, .. } = &destination;
        let texts = [Some(address.as_str()), end_to.as_deref(), element_name.as_deref()];
        if name.len() > LONGEST_NAME || texts.iter().flatten().any(|text| text.len() > LONGEST_TEXT) {
            return Err(DestinationError::TooLong);
        }
        if name.trim() != &**name || name.contains(char::is_control) {
            return Err(DestinationError::Name);
        }
        let body =
            serde_json::to_string(&destination).map_err(|error| StoreError::damaged("listener_destination", error))?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_number(&destination.owner)?;
        if !self.store.write(|transaction| ROWS.insert(transaction, &destination.name, &body))? {
            return Err(DestinationError::Exists(destination.name));
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(destination.name.clone(), Arc::new(destination));
        Ok(())
    }

    /// Nobody can use up the destinations of all.
    fn check_number(&self, owner: &Caller) -> Result<(), DestinationError> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let own = all.values().filter(|destination| destination.owner.name == owner.name).count();
        match (own, all.len()) {
            (MOST_OF_ONE_USER.., _) => Err(DestinationError::TooManyOfOne),
            (_, MOST..) => Err(DestinationError::TooMany),
            _ => Ok(()),
        }
    }

    /// Removes a destination, whoever uses it.
    pub fn remove(&self, name: &str, caller: &Caller) -> Result<(), DestinationError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let destination = self.find(name).ok_or(DestinationError::NotFound)?;
        if caller.role < Role::Admin && caller.name != destination.owner.name {
            return Err(DestinationError::NotYours);
        }
        self.store.write(|transaction| ROWS.remove(transaction, name))?;
        self.all.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(name: &str) -> ListenerDestination {
        ListenerDestination {
            name: name.into(),
            owner: Caller::new("ann", Role::Viewer),
            address: "http://sink.example/".to_owned(),
            end_to: None,
            delivery: Delivery::default(),
            element_name: None,
        }
    }

    #[test]
    fn destinations_are_kept_and_belong_to_who_made_them() {
        let store = Arc::new(Store::in_memory().unwrap());
        let destinations = Destinations::open(store.clone()).unwrap();
        for name in ["a", "b"] {
            destinations.add(destination(name)).unwrap();
        }
        assert!(matches!(destinations.add(destination("a")), Err(DestinationError::Exists(name)) if &*name == "a"));
        let again = Destinations::open(store).unwrap();
        assert_eq!(again.all(), destinations.all());
        let caller = |name: &str, role| Caller::new(name, role);
        assert!(matches!(again.remove("a", &caller("bob", Role::Operator)), Err(DestinationError::NotYours)));
        again.remove("a", &caller("bob", Role::Admin)).unwrap();
        again.remove("b", &caller("ann", Role::Viewer)).unwrap();
        assert!(matches!(again.remove("b", &caller("ann", Role::Viewer)), Err(DestinationError::NotFound)));
        assert!(again.all().is_empty());
    }

    #[test]
    fn names_and_numbers_have_bounds() {
        let destinations = Destinations::open(Arc::new(Store::in_memory().unwrap())).unwrap();
        assert!(matches!(destinations.add(destination(" spaced ")), Err(DestinationError::Name)));
        assert!(matches!(destinations.add(destination(&"x".repeat(257))), Err(DestinationError::TooLong)));
        let far = ListenerDestination { address: "x".repeat(8193), ..destination("far") };
        assert!(matches!(destinations.add(far), Err(DestinationError::TooLong)));
        for n in 0..MOST_OF_ONE_USER {
            destinations.add(destination(&n.to_string())).unwrap();
        }
        assert!(matches!(destinations.add(destination("x")), Err(DestinationError::TooManyOfOne)));
        let owner = Caller::new("bob", Role::Viewer);
        destinations.add(ListenerDestination { owner, ..destination("x") }).unwrap();
    }
}
