//! The history of jobs as the records of a log (CIM_RecordLog), kept longer than the jobs.
//!
//! Everybody who may read sees what was done. Who asked for it, and from where, is told to administrators and to whoever
//! asked.

use std::sync::Arc;

use super::links::{FixedLink, Link, Links, Pairs, each, none};
use super::log_entry::entry;
use super::model::SystemName;
use crate::access::{Caller, Role};
use crate::broker::{IMPLEMENTATION_NAMESPACE, Instances, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::jobs::{HistoryRecord, Jobs, JobsError};

const LOG: &str = "CIM_RecordLog";
const ENTRY: &str = "CIM_LogEntry";
const ABOUT: &str = "Who asked for which change of the system's software, and what came of it.";

/// How many records are read from the store at one time.
const AT_ONCE: u32 = 256;

/// The log of the jobs of one system.
#[derive(Debug)]
pub(super) struct SystemLog {
    jobs: Arc<Jobs>,
    system: SystemName,
    /// Its InstanceID.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

impl SystemLog {
    /// Of what happened to the host's packages.
    pub(super) fn of_host(jobs: Arc<Jobs>, system: SystemName) -> Arc<Self> {
        Arc::new(Self { jobs, system, id: "Quartermaster:SoftwareHistory", name: "Software History" })
    }

    /// Of what happened to an image.
    pub(super) fn of_image(jobs: Arc<Jobs>, system: SystemName) -> Arc<Self> {
        Arc::new(Self { jobs, system, id: "Quartermaster:ImageHistory", name: "Image History" })
    }

    fn is_named_by(&self, path: &ObjectPath) -> bool {
        path.key_str("InstanceID").is_some_and(|id| id.eq_ignore_ascii_case(self.id))
    }

    /// The number of the record that an InstanceID names.
    fn number_of(&self, id: &str) -> Option<i64> {
        let (log, number) = id.rsplit_once(':')?;
        log.eq_ignore_ascii_case(self.id).then(|| number.parse().ok())?
    }

    pub(super) fn entry_id(&self, number: i64) -> String {
        format!("{}:{number}", self.id)
    }

    fn path(&self) -> Arc<ObjectPath> {
        by_id(LOG, self.id.into())
    }

    fn entry_path(&self, number: i64) -> Arc<ObjectPath> {
        by_id(ENTRY, self.entry_id(number).into())
    }

    fn no_record(&self) -> CimError {
        let id = self.id;
        CimError::not_found(format!("There is no such record in {id}; the oldest ones are removed when it is full."))
    }
}

fn by_id(class: &str, id: Value) -> Arc<ObjectPath> {
    Arc::new(ObjectPath::new(IMPLEMENTATION_NAMESPACE, class, vec![("InstanceID".into(), id)]))
}

/// What shows a log: the log itself, its records, and what joins them with each other and with the system.
pub(super) fn providers(log: &Arc<SystemLog>) -> Vec<Arc<dyn Provider>> {
    vec![
        Arc::new(History(log.clone())),
        Links::provider(Manages(log.clone())),
        Links::provider(FixedLink {
            class: "CIM_UseOfLog",
            ends: ["Antecedent", "Dependent"],
            pair: [log.path(), log.system.path()],
            properties: vec![("RecordedData", ABOUT.into())],
        }),
    ]
}

/// Serves the log and its records.
#[derive(Debug)]
struct History(Arc<SystemLog>);

impl History {
    fn log(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let count = self.0.jobs.history_count().map_err(unreadable)?;
        let mut log = Instance::new(class.clone());
        log.set("InstanceID", self.0.id)?
            .set("Name", self.0.name)?
            .set("ElementName", self.0.name)?
            .set("Caption", "History of changes to software")?
            .set("Description", ABOUT)?
            .set("CurrentNumberOfRecords", count)?
            .set("MaxNumberOfRecords", u64::from(self.0.jobs.history_limit()))?
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
            return if self.0.is_named_by(path) { self.log(class) } else { Err(self.0.no_record()) };
        }
        let number =
            path.key_str("InstanceID").and_then(|id| self.0.number_of(id)).ok_or_else(|| self.0.no_record())?;
        let record = self.0.jobs.history_record(number).map_err(unreadable)?.ok_or_else(|| self.0.no_record())?;
        entry(&self.0, class, &record, None)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        if class.is_a(LOG) {
            return Ok(Box::new(std::iter::once(self.log(class))));
        }
        let (log, class) = (self.0.clone(), class.clone());
        Ok(Box::new(records(&self.0).map(move |record| entry(&log, &class, &record?, None))))
    }

    /// Adds who asked, and from where. A record that was removed meanwhile stays as it is.
    fn disclose(&self, caller: &Caller, instance: Instance) -> Result<Instance, CimError> {
        let number = instance.get("InstanceID").and_then(Value::as_str).and_then(|id| self.0.number_of(id));
        let record = number.map(|number| self.0.jobs.history_record(number)).transpose().map_err(unreadable)?.flatten();
        match record.filter(|record| may_see_owner(caller, record)) {
            Some(record) => entry(&self.0, instance.class(), &record, Some(&record.job.owner)),
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

/// Decision 13d: an operator has to do with its own jobs, an admin with everybody's.
fn may_see_owner(caller: &Caller, record: &HistoryRecord) -> bool {
    caller.role == Role::Admin || caller.name == record.job.owner.name
}

fn unreadable(error: JobsError) -> CimError {
    CimError::internal("The history cannot be read; the operator's log says why.", error)
}

/// All records, oldest first, some at a time.
fn records(log: &Arc<SystemLog>) -> impl Iterator<Item = Result<HistoryRecord, CimError>> + Send + use<> {
    let log = log.clone();
    let mut last = Some(0);
    let pages = std::iter::from_fn(move || match log.jobs.history_after(last?, AT_ONCE) {
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

/// The log has all records.
#[derive(Debug)]
struct Manages(Arc<SystemLog>);

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
        let (log, path) = (self.0.clone(), self.0.path());
        Ok(Box::new(records(&self.0).map(move |record| Ok([log.entry_path(record?.number), path.clone()]))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            return if self.0.is_named_by(source) { self.all() } else { Ok(none()) };
        }
        let Some(number) = source.key_str("InstanceID").and_then(|id| self.0.number_of(id)) else { return Ok(none()) };
        let record = self.0.jobs.history_record(number).map_err(unreadable)?;
        Ok(each(record.map(|record| [self.0.entry_path(record.number), self.0.path()])))
    }
}
