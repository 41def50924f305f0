//! Filters that clients make once, for several subscriptions to use (`CIM_IndicationFilter`, DSP1054).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::SubscribeError;
use super::filter::Filter;
use crate::access::{Caller, Role};
use crate::cim::Schema;
use crate::cim::query::Language;
use crate::store::named::INDICATION_FILTERS as ROWS;
use crate::store::{Store, StoreError};

/// How many filters there may be.
const MOST: usize = 1000;
/// How many of them one user may make.
const MOST_OF_ONE_USER: usize = 250;
/// The longest name of a filter, in octets.
const LONGEST_NAME: usize = 1024;

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndicationFilter {
    /// Its name; no two filters have one.
    pub name: Arc<str>,
    /// Who made it.
    pub owner: Caller,
    /// The query.
    pub query: Arc<str>,
    /// The language's name as the client wrote it.
    pub language: Arc<str>,
    /// The CIM namespaces that indications come from.
    pub namespaces: Vec<Arc<str>>,
    /// A name for people.
    pub element_name: Option<Arc<str>>,
}

/// Why a filter is not made or removed.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// The language is not known.
    #[error("the query language {0:?} is not known: use DMTF:CQL or WQL")]
    Language(Arc<str>),
    /// The query cannot be used.
    #[error(transparent)]
    Query(SubscribeError),
    /// No selector could name it: selectors are trimmed.
    #[error("a filter's Name may have neither white space around it nor control characters")]
    Name,
    /// A name is too long.
    #[error("a filter's Name and ElementName may have at most {LONGEST_NAME} octets each")]
    TooLong,
    /// There is one of that name.
    #[error("there is a filter named {0:?} already; give another Name, or none")]
    Exists(Arc<str>),
    /// There is none of that name.
    #[error("there is no filter of that name")]
    NotFound,
    /// Somebody else made it, and the caller is no admin.
    #[error("the filter belongs to another user")]
    NotYours,
    /// There are too many.
    #[error("there are {MOST} filters already, and no more are allowed: delete one that is not needed")]
    TooMany,
    /// One user has too many.
    #[error("you have {MOST_OF_ONE_USER} filters already, and no more are allowed: delete one that is not needed")]
    TooManyOfOne,
    /// Our own failure.
    #[error("the filters cannot be stored")]
    Store(#[from] StoreError),
}

/// All filters. Reading answers from memory; changing blocks on the store.
#[derive(Debug)]
pub struct IndicationFilters {
    store: Arc<Store>,
    schema: Arc<Schema>,
    /// Held by who changes the store, so that nobody who reads waits for it.
    changing: Mutex<()>,
    all: RwLock<BTreeMap<Arc<str>, Arc<IndicationFilter>>>,
}

impl IndicationFilters {
    /// Takes up all filters.
    pub fn open(store: Arc<Store>, schema: Arc<Schema>) -> Result<Self, StoreError> {
        let mut all = BTreeMap::new();
        for body in store.read(|c| ROWS.all(c))? {
            let filter: IndicationFilter =
                serde_json::from_str(&body).map_err(|error| StoreError::damaged("indication_filter", error))?;
            all.insert(filter.name.clone(), Arc::new(filter));
        }
        Ok(Self { store, schema, changing: Mutex::default(), all: RwLock::new(all) })
    }

    /// All filters, by name.
    pub fn all(&self) -> Vec<Arc<IndicationFilter>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many filters there are.
    pub fn count(&self) -> usize {
        self.all.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The filter of that name.
    pub fn find(&self, name: &str) -> Option<Arc<IndicationFilter>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Adds a filter whose query can be subscribed to.
    pub fn add(&self, filter: IndicationFilter) -> Result<(), FilterError> {
        let language =
            Language::named(&filter.language).ok_or_else(|| FilterError::Language(filter.language.clone()))?;
        Filter::compile(&self.schema, None, Some((language, &filter.query))).map_err(FilterError::Query)?;
        if [Some(&filter.name), filter.element_name.as_ref()].iter().flatten().any(|name| name.len() > LONGEST_NAME) {
            return Err(FilterError::TooLong);
        }
        if filter.name.trim() != &*filter.name || filter.name.contains(char::is_control) {
            return Err(FilterError::Name);
        }
        let body = serde_json::to_string(&filter).map_err(|error| StoreError::damaged("indication_filter", error))?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_number(&filter.owner)?;
        if !self.store.write(|transaction| ROWS.insert(transaction, &filter.name, &body))? {
            return Err(FilterError::Exists(filter.name));
        }
        self.all.write().unwrap_or_else(PoisonError::into_inner).insert(filter.name.clone(), Arc::new(filter));
        Ok(())
    }

    /// Nobody can use up the filters of all.
    fn check_number(&self, owner: &Caller) -> Result<(), FilterError> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let own = all.values().filter(|filter| filter.owner.name == owner.name).count();
        match (own, all.len()) {
            (MOST_OF_ONE_USER.., _) => Err(FilterError::TooManyOfOne),
            (_, MOST..) => Err(FilterError::TooMany),
            _ => Ok(()),
        }
    }

    /// Removes a filter. Subscriptions that were made with it go on.
    pub fn remove(&self, name: &str, caller: &Caller) -> Result<(), FilterError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let filter = self.find(name).ok_or(FilterError::NotFound)?;
        if caller.role < Role::Admin && caller.name != filter.owner.name {
            return Err(FilterError::NotYours);
        }
        self.store.write(|transaction| ROWS.remove(transaction, name))?;
        self.all.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(name: &str, language: &str, query: &str) -> IndicationFilter {
        IndicationFilter {
            name: name.into(),
            owner: Caller::new("ann", Role::Operator),
            query: query.into(),
            language: language.into(),
            namespaces: vec!["root/cimv2".into()],
            element_name: None,
        }
    }

    #[test]
    fn filters_are_kept_and_belong_to_who_made_them() {
        let (store, schema) = (Arc::new(Store::in_memory().unwrap()), Arc::new(Schema::builtin().unwrap()));
        let filters = IndicationFilters::open(store.clone(), schema.clone()).unwrap();
        let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
        for language in ["CQL", "DMTF:CQL", "wql"] {
            filters.add(filter(language, language, query)).unwrap();
        }
        assert!(matches!(filters.add(filter("CQL", "CQL", query)), Err(FilterError::Exists(name)) if &*name == "CQL"));
        let again = IndicationFilters::open(store, schema).unwrap();
        assert_eq!(again.all(), filters.all());
        let caller = |name: &str, role| Caller::new(name, role);
        assert!(matches!(again.remove("wql", &caller("bob", Role::Operator)), Err(FilterError::NotYours)));
        again.remove("wql", &caller("bob", Role::Admin)).unwrap();
        again.remove("CQL", &caller("ann", Role::Operator)).unwrap();
        assert!(matches!(again.remove("CQL", &caller("ann", Role::Operator)), Err(FilterError::NotFound)));
        assert_eq!(again.all().len(), 1);
    }

    #[test]
    fn a_filter_that_no_selector_can_name_is_not_made() {
        let store = Arc::new(Store::in_memory().unwrap());
        let filters = IndicationFilters::open(store, Arc::new(Schema::builtin().unwrap())).unwrap();
        for name in [" spaced ", "two\nlines", "\u{85}"] {
            let query = "SELECT * FROM CIM_InstModification";
            assert!(matches!(filters.add(filter(name, "CQL", query)), Err(FilterError::Name)), "{name:?}");
        }
        assert_eq!(filters.count(), 0);
    }

    #[test]
    fn one_user_cannot_use_up_the_filters_of_all() {
        let store = Arc::new(Store::in_memory().unwrap());
        let filters = IndicationFilters::open(store, Arc::new(Schema::builtin().unwrap())).unwrap();
        let query = "SELECT * FROM CIM_InstModification";
        for n in 0..MOST_OF_ONE_USER {
            filters.add(filter(&n.to_string(), "CQL", query)).unwrap();
        }
        assert!(matches!(filters.add(filter("x", "CQL", query)), Err(FilterError::TooManyOfOne)));
        let owner = Caller::new("bob", Role::Operator);
        filters.add(IndicationFilter { owner, ..filter("x", "CQL", query) }).unwrap();
    }

    /// As with jobs and subscriptions, what is damaged is told at the start and not left out in silence.
    #[test]
    fn a_damaged_row_is_told_at_the_start() {
        let store = Arc::new(Store::in_memory().unwrap());
        store.write(|transaction| ROWS.insert(transaction, "a", "{\"name\":")).unwrap();
        let error = IndicationFilters::open(store, Arc::new(Schema::builtin().unwrap())).unwrap_err();
        assert!(error.to_string().contains("a row of indication_filter is damaged: EOF"), "{error}");
    }

    #[test]
    fn what_cannot_be_subscribed_to_is_no_filter() {
        let store = Arc::new(Store::in_memory().unwrap());
        let filters = IndicationFilters::open(store, Arc::new(Schema::builtin().unwrap())).unwrap();
        let refused = |language: &str, query: &str| filters.add(filter("x", language, query)).unwrap_err().to_string();
        assert!(refused("SQL", "SELECT 1").contains("use DMTF:CQL or WQL"));
        assert!(refused("CQL", "SELECT * FROM CIM_Job").contains("no indication class"));
        assert!(refused("CQL", "SELECT * FROM CIM_InstCreation WHERE").contains("(line 1, column 37)"));
        let long = format!("SELECT * FROM CIM_InstCreation{}", " ".repeat(16_384));
        assert!(refused("CQL", &long).contains("16384"), "{}", refused("CQL", &long));
        assert!(filters.all().is_empty());
    }
}
