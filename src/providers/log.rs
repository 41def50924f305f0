//! The history of jobs as the records of a log (CIM_RecordLog), kept longer than the jobs.
//!
//! Everybody who may read sees what was done. Who asked for it, and from where, is told to administrators and to whoever
//! asked.

use std::sync::Arc;

use super::links::{FixedLink, Link, Links, Pairs, each, none};
use super::log_entry::entry;
use super::managed::ManagedSystem;
use super::names::strip_prefix_ignoring_case;
use crate::access::{Caller, Role};
use crate::broker::{Instances, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::jobs::{HistoryRecord, JobsError};

const LOG: &str = "CIM_RecordLog";
const ENTRY: &str = "CIM_LogEntry";
const ABOUT: &str = "Who asked for which change of the system's software, and what came of it.";

/// How many records are read from the store at one time.
const AT_ONCE: u32 = 256;

/// Serves the log and its records.
#[derive(Debug)]
pub(super) struct History(Arc<dyn ManagedSystem>);

impl History {
    pub(super) fn new(system: Arc<dyn ManagedSystem>) -> Self {
        Self(system)
    }

    fn log(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let count = self.0.jobs().history_count().map_err(unreadable)?;
        let terms = self.0.terms();
        let mut log = Instance::new(class.clone());
        log.set("InstanceID", terms.log_id)?
            .set("Name", terms.log_name)?
            .set("ElementName", terms.log_name)?
            .set("Caption", "History of changes to software")?
            .set("Description", ABOUT)?
            .set("CurrentNumberOfRecords", count)?
            .set("MaxNumberOfRecords", u64::from(self.0.jobs().history_limit()))?
            // 2 Normal, 2 Wraps When Full
            .set("LogState", 2u16)?
            .set("OverwritePolicy", 2u16)?
            // 2 OK, 5 OK, 2 Enabled, 12 Not Applicable
            .set("OperationalStatus", Value::array([2u16]))?
            .set("HealthState", 5u16)?
            .set("EnabledState", 2u16)?
            .set("RequestedState", 12u16)?;
        Ok(log)
    }
}

impl Provider for History {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![LOG.into(), ENTRY.into()]
    }

    /// They are in the store.
    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        false
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if class.is_a(LOG) {
            return if is_log(&*self.0, path) { self.log(class) } else { Err(no_record()) };
        }
        let number = path.key_str("InstanceID").and_then(|id| number_of(&*self.0, id)).ok_or_else(no_record)?;
        let record = self.0.jobs().history_record(number).map_err(unreadable)?.ok_or_else(no_record)?;
        entry(&*self.0, class, &record, None)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        if class.is_a(LOG) {
            return Ok(Box::new(std::iter::once(self.log(class))));
        }
        let (system, class) = (self.0.clone(), class.clone());
        Ok(Box::new(records(&self.0).map(move |record| entry(&*system, &class, &record?, None))))
    }

    /// Adds who asked, and from where. A record that was removed meanwhile stays as it is.
    fn disclose(&self, caller: &Caller, instance: Instance) -> Result<Instance, CimError> {
        let number = instance.get("InstanceID").and_then(Value::as_str).and_then(|id| number_of(&*self.0, id));
        let record =
            number.map(|number| self.0.jobs().history_record(number)).transpose().map_err(unreadable)?.flatten();
        match record.filter(|record| may_see_owner(caller, record)) {
            Some(record) => entry(&*self.0, instance.class(), &record, Some(&record.job.owner)),
            None => Ok(instance),
        }
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        match &*invocation.method.name {
            // 1 Not Supported: who could clear the history could hide what was done.
            "ClearLog" | "RequestStateChange" => Ok(MethodReply::code(1)),
            name => Err(CimError::new(CimStatus::MethodNotAvailable, format!("Method {name} is not served."))),
        }
    }
}

fn is_log(system: &dyn ManagedSystem, path: &ObjectPath) -> bool {
    path.key_str("InstanceID").is_some_and(|id| id.eq_ignore_ascii_case(system.terms().log_id))
}

/// Decision 13d: an operator has to do with its own jobs, an admin with everybody's.
fn may_see_owner(caller: &Caller, record: &HistoryRecord) -> bool {
    caller.role == Role::Admin || caller.name == record.job.owner.name
}

/// The number of the record that an InstanceID names.
fn number_of(system: &dyn ManagedSystem, id: &str) -> Option<i64> {
    strip_prefix_ignoring_case(id, system.terms().log_id)?.strip_prefix(':')?.parse().ok()
}

pub(super) fn entry_id(system: &dyn ManagedSystem, number: i64) -> String {
    format!("{}:{number}", system.terms().log_id)
}

fn no_record() -> CimError {
    CimError::not_found("There is no such record in the history; the oldest ones are removed when it is full.")
}

fn unreadable(error: JobsError) -> CimError {
    CimError::internal("The history cannot be read; the operator's log says why.", error)
}

/// All records, oldest first, some at a time.
fn records(system: &Arc<dyn ManagedSystem>) -> impl Iterator<Item = Result<HistoryRecord, CimError>> + Send + use<> {
    let system = system.clone();
    let mut last = Some(0);
    let pages = std::iter::from_fn(move || match system.jobs().history_after(last?, AT_ONCE) {
        Ok(page) => {
            last = Some(page.last()?.number);
            Some(page.into_iter().map(Ok).collect::<Vec<_>>())
        }
        Err(error) => {
            last = None;
            Some(vec![Err(unreadable(error))])
        }
    });
    pages.flatten()
}

/// What joins the log with its records and with the system.
pub(super) fn links(system: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(Manages(system.clone())),
        Links::provider(FixedLink {
            class: "CIM_UseOfLog",
            ends: ["Antecedent", "Dependent"],
            pair: [log_path(&**system), system.system_path()],
            properties: vec![("RecordedData", ABOUT.into())],
        }),
    ]
}

fn log_path(system: &dyn ManagedSystem) -> Arc<ObjectPath> {
    system.path_by_id(LOG, system.terms().log_id.into())
}

fn entry_path(system: &dyn ManagedSystem, number: i64) -> Arc<ObjectPath> {
    system.path_by_id(ENTRY, entry_id(system, number).into())
}

/// The log has all records.
#[derive(Debug)]
struct Manages(Arc<dyn ManagedSystem>);

impl Link for Manages {
    fn class(&self) -> &'static str {
        "CIM_LogManagesRecord"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Record", "Log"]
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, log) = (self.0.clone(), log_path(&*self.0));
        Ok(Box::new(records(&self.0).map(move |record| Ok([entry_path(&*system, record?.number), log.clone()]))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            return if is_log(&*self.0, source) { self.all() } else { Ok(none()) };
        }
        let Some(number) = source.key_str("InstanceID").and_then(|id| number_of(&*self.0, id)) else {
            return Ok(none());
        };
        let record = self.0.jobs().history_record(number).map_err(unreadable)?;
        Ok(each(record.map(|record| [entry_path(&*self.0, record.number), log_path(&*self.0)])))
    }
}
