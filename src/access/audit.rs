//! What callers change, as the audit log tells it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Caller, Scheme};
use crate::audit::{self, Entry, Event, Log, Unrecorded};
use crate::metrics::Counter;

/// The way to the audit log; without a log, as tests of other rooms have it, the same lines go to the log of the service.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    log: Option<Arc<Log>>,
    wrong_logins: Arc<Counter>,
}

/// A change that somebody asks for. It holds no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    method: String,
    object: Option<String>,
    details: Option<String>,
}

/// What came of a change that was not refused by an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// In words, if there is more to say than that it was made.
    pub result: Option<String>,
    /// Another object than the one that was named, such as the one that was made.
    pub object: Option<String>,
    /// Whether the result is a refusal.
    pub is_refused: bool,
}

impl Change {
    /// By a method or an operation, of an object.
    pub fn new(method: impl Into<String>, object: impl fmt::Display) -> Self {
        Self { method: method.into(), object: Some(object.to_string()), details: None }
    }

    /// By a method or an operation, of nothing in particular.
    pub fn by(method: impl Into<String>) -> Self {
        Self { method: method.into(), ..Self::default() }
    }

    /// With this.
    pub fn with(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()).filter(|details: &String| !details.is_empty()), ..self }
    }

    fn entry(&self, event: Event, caller: &Caller) -> Entry {
        let Self { method, object, details } = self.clone();
        Entry { method: Some(method), object, details, ..of(event, caller) }
    }
}

impl Audit {
    /// The way to this log.
    pub fn to(log: Arc<Log>) -> Self {
        Self { log: Some(log), wrong_logins: Arc::default() }
    }

    /// The log.
    pub fn log(&self) -> Option<&Log> {
        self.log.as_deref()
    }

    /// Makes a change, once the log tells that it was asked for, and tells what came of it. If the log cannot tell, it is not
    /// made. Blocks.
    pub fn change<T, E: fmt::Display + From<Unrecorded>>(
        &self,
        caller: &Caller,
        change: &Change,
        make: impl FnOnce() -> Result<T, E>,
        made: impl FnOnce(&T) -> Made,
    ) -> Result<T, E> {
        self.commit(change.entry(Event::Asked, caller))?;
        let result = make();
        let mut entry = change.entry(Event::Done, caller);
        // The line before has them.
        entry.details = None;
        match result.as_ref().map(made) {
            Ok(Made { result, object, is_refused }) => {
                entry.result = result;
                entry.object = object.or(entry.object);
                entry.event = if is_refused { Event::Refused } else { Event::Done };
            }
            Err(error) => (entry.event, entry.result) = (Event::Refused, Some(error.to_string())),
        }
        self.tell(entry);
        result
    }

    /// Tells of a change that the caller may not make. Does not block; many in a short time are counted.
    pub fn refused(&self, caller: &Caller, change: &Change, why: impl fmt::Display) {
        self.count(Entry { result: Some(why.to_string()), ..change.entry(Event::Refused, caller) });
    }

    /// Tells that a job was put into the queue, or that it ended, with its name, what it is about, and its result. Blocks.
    pub fn job(&self, owner: &Caller, job: u64, name: &str, about: Option<String>, ended: Option<String>) {
        let event = if ended.is_some() { Event::Ended } else { Event::Queued };
        let entry =
            Entry { method: Some(name.to_owned()), object: about, result: ended, job: Some(job), ..of(event, owner) };
        self.report(entry);
    }

    /// Tells that a job is asked for, before it is begun; if the log cannot tell, it is not to be. Blocks.
    pub fn job_asked(&self, owner: &Caller, job: u64, change: &Change) -> Result<(), Unrecorded> {
        self.commit(Entry { job: Some(job), ..change.entry(Event::Asked, owner) })
    }

    /// Tells what came of such a job. Blocks.
    pub fn job_ended(&self, owner: &Caller, job: u64, change: &Change, result: String) {
        let (job, result) = (Some(job), Some(result));
        self.report(Entry { job, result, details: None, ..change.entry(Event::Ended, owner) });
    }

    /// Tells of a name and a password, or a digest of one, that were wrong. Does not block; many in a short time are counted.
    pub fn wrong_login(&self, address: IpAddr, scheme: Scheme, name: &str) {
        self.wrong_logins.add_one();
        let (user, scheme) = (Some(name.to_owned()), Some(scheme.as_str().to_owned()));
        self.count(Entry { user, scheme, address: Some(address), ..Entry::new(Event::WrongLogin) });
    }

    /// Tells of a certificate that lets nobody in, and why. Does not block; many in a short time are counted.
    pub fn wrong_certificate(&self, address: Option<IpAddr>, certificate: impl fmt::Display, why: &str) {
        self.wrong_logins.add_one();
        let (scheme, details) = (Some(Scheme::Certificate.as_str().to_owned()), Some(certificate.to_string()));
        let result = Some(why.to_owned());
        self.count(Entry { address, scheme, details, result, ..Entry::new(Event::WrongLogin) });
    }

    /// Tells of a proof by this scheme that proves nothing, and why. Does not block; many in a short time are counted.
    pub fn wrong_proof(&self, address: IpAddr, scheme: Scheme, why: &str) {
        self.wrong_logins.add_one();
        let (scheme, result) = (Some(scheme.as_str().to_owned()), Some(why.to_owned()));
        self.count(Entry { address: Some(address), scheme, result, ..Entry::new(Event::WrongLogin) });
    }

    /// How many were wrong.
    pub fn wrong_logins(&self) -> u64 {
        self.wrong_logins.get()
    }

    /// Tells that a process of this name and version begins to write the log. Blocks.
    pub fn opened(&self, by: &str) -> Result<(), Unrecorded> {
        self.commit(Entry { details: Some(by.to_owned()), ..Entry::new(Event::Opened) })
    }

    /// Waits until what was told before is written. Blocks.
    pub fn flush(&self) {
        if let Some(log) = &self.log {
            log.flush();
        }
    }

    fn commit(&self, entry: Entry) -> Result<(), Unrecorded> {
        match &self.log {
            Some(log) => log.commit(entry).map(drop),
            None => {
                audit::trace(&entry, None);
                Ok(())
            }
        }
    }

    fn report(&self, entry: Entry) {
        match &self.log {
            Some(log) => log.report(entry),
            None => audit::trace(&entry, None),
        }
    }

    fn tell(&self, entry: Entry) {
        match &self.log {
            Some(log) => log.tell(entry),
            None => audit::trace(&entry, None),
        }
    }

    fn count(&self, entry: Entry) {
        match &self.log {
            Some(log) => log.count(entry),
            None => audit::trace(&entry, None),
        }
    }
}

fn of(event: Event, caller: &Caller) -> Entry {
    Entry {
        user: Some(caller.name.to_string()),
        role: Some(caller.role.to_string()),
        address: caller.address,
        scheme: caller.scheme.map(|scheme| scheme.as_str().to_owned()),
        request: caller.request.map(|id| id.to_string()),
        ..Entry::new(event)
    }
}
