//! What the records of sinks, history and dpkg must say of each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde_json::Value;

use crate::deeds::{VERSION, nevra};
use crate::sinks::Taken;
use crate::told::{Kind, Told, View};

/// All that is known in the end.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The last job.
    pub(crate) marker: u64,
    /// The jobs that a client was told of.
    pub(crate) told: BTreeSet<u64>,
    /// The jobs of requests that were not answered.
    pub(crate) untold: BTreeSet<u64>,
    /// The history, oldest first.
    pub(crate) history: Vec<Record>,
    /// What the sinks took that were there from the beginning.
    pub(crate) sinks: Vec<Vec<Taken>>,
    pub(crate) late: Vec<Late>,
    /// What dpkg says is installed.
    pub(crate) installed: BTreeSet<String>,
    /// dpkg's log.
    pub(crate) log: String,
    pub(crate) packages: Vec<&'static str>,
    pub(crate) unanswered: usize,
    pub(crate) server_kills: u64,
    pub(crate) worker_kills: u64,
}

/// What a sink took that came later.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    pub(crate) taken: Vec<Taken>,
    /// Jobs from this number on were made after it had subscribed.
    pub(crate) first: u64,
}

/// A record of the history.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) job: u64,
    result: String,
    error: Option<String>,
    /// The package that it was about.
    software: Option<String>,
    /// What it did: how, and to which package.
    changes: Vec<(String, String)>,
}

impl Record {
    pub(crate) fn read(data: &str) -> Self {
        let data: Value = serde_json::from_str(data).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let change = |change: &Value| {
            let package = text(&change["after"]).or_else(|| text(&change["before"])).unwrap();
            (text(&change["kind"]).unwrap(), package)
        };
        Self {
            job: data["job"].as_u64().unwrap(),
            result: text(&data["result"]).unwrap(),
            error: text(&data["error"]),
            software: text(&data["software"]),
            changes: data["changes"].as_array().unwrap().iter().map(change).collect(),
        }
    }

    /// Whether what it did is not known, because its worker was killed.
    fn is_uncertain(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.contains("worker process ended"))
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |result: &str| self.history.iter().filter(|record| record.result == result).count();
        let uncertain = self.history.iter().filter(|record| record.is_uncertain()).count();
        let taken: Vec<usize> =
            self.sinks.iter().chain(self.late.iter().map(|late| &late.taken)).map(Vec::len).collect();
        let again: usize = self.sinks.iter().map(|taken| taken.len() - distinct(taken).len()).sum();
        write!(
            f,
            "{} kills of the server and {} of the worker; {} jobs completed, {} failed ({uncertain} with their worker); \
             {} requests unanswered, {} of them carried out; events taken {taken:?}, {again} of the first sinks' for the second time",
            self.server_kills,
            self.worker_kills,
            count("completed"),
            count("failed"),
            self.unanswered,
            self.untold.len()
        )
    }
}

/// Fails unless everything agrees.
pub(crate) fn check(evidence: &Evidence) {
    let reference = up_to_end(&evidence.sinks[0], evidence.marker);
    for taken in evidence.sinks.iter().chain(evidence.late.iter().map(|late| &late.taken)) {
        check_order(taken);
    }
    for taken in &evidence.sinks[1..] {
        same(&up_to_end(taken, evidence.marker), &reference);
    }
    for late in &evidence.late {
        let told = up_to_end(&late.taken, evidence.marker);
        let from = reference.len().checked_sub(told.len()).expect("a sink that came later took more");
        same(&told, &reference[from..]);
        let first = reference.iter().position(|told| told.job >= late.first).unwrap();
        assert!(from <= first, "a sink that came later missed job {}", late.first);
    }
    let ends = check_jobs(&reference);
    check_history(evidence, &ends);
    check_packages(evidence);
}

/// What came for the first time, in order.
fn distinct(taken: &[Taken]) -> Vec<&Taken> {
    let mut known = BTreeSet::new();
    taken.iter().filter(|taken| known.insert(&taken.message_id)).collect()
}

/// What a sink was told up to the end of a job, each event once.
fn up_to_end(taken: &[Taken], job: u64) -> Vec<Told> {
    let mut told: Vec<Told> = distinct(taken).into_iter().map(|taken| taken.told.clone()).collect();
    let end = told.iter().position(|told| told.job == job && told.is_end()).expect("no end of the last job");
    told.truncate(end + 1);
    told
}

/// Two sinks were told the same.
fn same(one: &[Told], other: &[Told]) {
    if let Some(at) = one.iter().zip(other).position(|(one, other)| one != other) {
        panic!("event {at} is another:\n{:#?}\nand\n{:#?}", one[at], other[at]);
    }
    assert_eq!(one.len(), other.len(), "one sink was told more");
}

/// After each event comes the next one, whose bookmark lies behind; or an earlier one, from which on everything comes again:
/// as the same messages with the same bookmarks, and only where the sender could not know that they had been taken.
fn check_order(taken: &[Taken]) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut bookmarks: Vec<u64> = Vec::new();
    let mut before: Option<(usize, &Taken)> = None;
    for taken in taken {
        let next = places.len();
        let place = *places.entry(&taken.message_id).or_insert(next);
        if place == bookmarks.len() {
            assert!(
                bookmarks.last().is_none_or(|last| *last < taken.bookmark),
                "not behind what came before: {taken:?}"
            );
            bookmarks.push(taken.bookmark);
        }
        assert_eq!(bookmarks[place], taken.bookmark, "it came again with another bookmark: {taken:?}");
        if let Some((last, earlier)) = before {
            let may_repeat = !earlier.is_answered || earlier.server != taken.server;
            let is_in_order = place == last + 1;
            assert!(is_in_order || place <= last, "an event was left out after {earlier:?}: {taken:?}");
            assert!(is_in_order || may_repeat, "an event came again without need after {earlier:?}: {taken:?}");
            assert!(is_in_order || earlier.connection != taken.connection, "on one connection: {earlier:?}: {taken:?}");
        }
        before = Some((place, taken));
    }
}

/// Each job was created, each change begins where the one before ended, it ended once, and was deleted at most once and last.
/// Gives the final state of each.
fn check_jobs(reference: &[Told]) -> BTreeMap<u64, u16> {
    let mut jobs: BTreeMap<u64, (View, bool)> = BTreeMap::new();
    for told in reference {
        match told.kind {
            Kind::Creation => {
                let earlier = jobs.insert(told.job, (told.view.clone(), false));
                assert!(earlier.is_none(), "created twice: {told:?}");
            }
            Kind::Modification => {
                let (view, is_deleted) = jobs.get_mut(&told.job).unwrap_or_else(|| panic!("not created: {told:?}"));
                assert_eq!(told.before.as_ref(), Some(&*view), "a change of job {} is missing", told.job);
                assert!(!*is_deleted, "it was deleted: {told:?}");
                assert!(!view.is_final(), "it had ended: {told:?}");
                assert!(view.percent <= told.view.percent, "{told:?}");
                *view = told.view.clone();
            }
            Kind::Deletion => {
                let (view, is_deleted) = jobs.get_mut(&told.job).unwrap_or_else(|| panic!("not created: {told:?}"));
                assert_eq!(&told.view, view, "a change of job {} is missing", told.job);
                assert!(!std::mem::replace(is_deleted, true), "deleted twice: {told:?}");
                assert!(view.is_final(), "{told:?}");
            }
        }
    }
    jobs.into_iter()
        .map(|(job, (view, _))| {
            assert!(view.is_final(), "job {job} has not ended: {view:?}");
            (job, view.state)
        })
        .collect()
}

/// The history has each job once, with the end that the sinks were told, and every job that a client was told of.
fn check_history(evidence: &Evidence, ends: &BTreeMap<u64, u16>) {
    let mut remembered = BTreeMap::new();
    for record in &evidence.history {
        let state = match record.result.as_str() {
            "completed" => 7,
            "failed" => 10,
            other => panic!("job {} was {other}, which nobody asked for", record.job),
        };
        assert!(remembered.insert(record.job, state).is_none(), "job {} ended twice", record.job);
    }
    assert_eq!(&remembered, ends, "the history and the sinks know different jobs");
    let asked_for: BTreeSet<u64> = evidence.told.union(&evidence.untold).copied().collect();
    let remembered: BTreeSet<u64> = remembered.into_keys().collect();
    assert_eq!(remembered, asked_for, "jobs were lost, or nobody asked for them");
    let uncertain = evidence.history.iter().filter(|record| record.is_uncertain()).count();
    assert!(uncertain as u64 <= evidence.worker_kills, "{uncertain} jobs lost their worker");
}

/// What the jobs say they did is what dpkg says was done: each once.
fn check_packages(evidence: &Evidence) {
    for name in &evidence.packages {
        let package = nevra(name);
        // `None` where a worker was killed in the middle.
        let mut is_installed = Some(false);
        let (mut uncertain, mut installations, mut removals) = (0, 0, 0);
        for record in evidence.history.iter().filter(|record| record.software.as_deref() == Some(&package)) {
            let done = record.changes.iter().find(|(_, of)| *of == package).map(|(how, _)| how.as_str());
            match (record.result.as_str(), done) {
                ("completed", Some("installed")) => {
                    assert_ne!(is_installed, Some(true), "it was there: {record:?}");
                    is_installed = Some(true);
                    installations += 1;
                }
                ("completed", Some("removed")) => {
                    assert_ne!(is_installed, Some(false), "it was not there: {record:?}");
                    is_installed = Some(false);
                    removals += 1;
                }
                ("failed", _) if record.is_uncertain() => {
                    is_installed = None;
                    uncertain += 1;
                }
                ("failed", None) => check_failure(record, is_installed),
                _ => panic!("{record:?}"),
            }
        }
        if let Some(is_installed) = is_installed {
            assert_eq!(evidence.installed.contains(*name), is_installed, "{name}: dpkg says otherwise");
        }
        let logged = |what: &str| evidence.log.lines().filter(|line| line.ends_with(what)).count();
        let installed = logged(&format!(" install {name}:all <none> {VERSION}"));
        let removed = logged(&format!(" remove {name}:all {VERSION} <none>"));
        // What a job did that lost its worker is nowhere told.
        let may = |told: usize| told..=told + uncertain;
        assert!(may(installations).contains(&installed), "{name}: installed {installed} times, not {installations}");
        assert!(may(removals).contains(&removed), "{name}: removed {removed} times, not {removals}");
    }
}

/// A job may fail only because the package was already as it was to be, which happens when the one before lost its worker.
fn check_failure(record: &Record, is_installed: Option<bool>) {
    let error = record.error.as_deref().unwrap();
    let fits = if error.contains("already installed") {
        is_installed != Some(false)
    } else {
        error.contains("is not installed") && is_installed != Some(true)
    };
    assert!(fits, "{record:?} while installed is {is_installed:?}");
}
