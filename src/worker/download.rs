//! Fetches package files: into the spool, on over broken connections, within limits of size and time.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::protocol::Refusal;
use super::spool::{Incoming, Spool};
use crate::client::{
    self, AddressRules, Arrival, Client, ClientError, Fetch, Head, Part, Proxy, Rest, Url, Validators,
};
use crate::software::{ApplyError, CancelToken, Phase, Progress};

/// The part of a job that its download is, in percent.
pub(super) const SHARE: u8 = 30;
/// After so many tries without a new octet a server is given up.
const TRIES: u32 = 4;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often is looked whether the job was cancelled.
const PACE: Duration = Duration::from_millis(100);

/// How files are fetched.
#[derive(Clone, Debug)]
pub struct Downloads {
    /// From which addresses.
    pub rules: AddressRules,
    /// Certificates (PEM) trusted besides the system's.
    pub trust_file: Option<PathBuf>,
    /// The proxy that files are fetched through.
    pub proxy: Option<Proxy>,
    /// The longest time that a server may send nothing.
    pub longest_silence: Duration,
    /// The longest time for one file, with all tries and waits.
    pub time_limit: Duration,
    /// The wait after the first failure; it doubles with each further one.
    pub first_wait: Duration,
}

impl Default for Downloads {
    /// No loopback, one minute of silence, one hour in all, one second.
    fn default() -> Self {
        Self {
            rules: AddressRules::new(false),
            trust_file: None,
            proxy: None,
            longest_silence: Duration::from_secs(60),
            time_limit: Duration::from_secs(3600),
            first_wait: Duration::from_secs(1),
        }
    }
}

/// A file to be fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Where it is.
    pub(super) url: &'a Url,
    /// How many octets it may have; `None` is as many as package files may have.
    pub(super) limit: Option<u64>,
    /// What is known of a copy that is there.
    pub(super) known: Option<&'a Validators>,
}

/// What came of a fetch.
#[derive(Debug)]
pub(super) enum Fetched<'s> {
    /// The file, and what its server calls this version of it.
    File(Incoming<'s>, Validators),
    /// The copy that is there is the file still.
    Unchanged,
}

/// Fetches a package file. What is there of it when this fails is deleted.
pub(super) fn download<'s>(
    settings: &Downloads,
    url: &Url,
    spool: &'s Spool,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Incoming<'s>, ApplyError> {
    match fetch(settings, Wanted { url, limit: None, known: None }, spool, progress, cancel)? {
        Fetched::File(file, _) => Ok(file),
        Fetched::Unchanged => Err(ApplyError::Failed(format!("{url} was not fetched: the server says nothing of it"))),
    }
}

/// Fetches a file unless it is there. What is there of it when this fails is deleted.
pub(super) fn fetch<'s>(
    settings: &Downloads,
    wanted: Wanted<'_>,
    spool: &'s Spool,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Fetched<'s>, ApplyError> {
    let url = wanted.url;
    let client = client::Settings {
        longest_silence: settings.longest_silence,
        trust_file: settings.trust_file.clone(),
        proxy: settings.proxy.clone(),
        ..client::Settings::default()
    };
    let client = Client::start(client, settings.rules.clone()).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "nothing can be fetched");
        ApplyError::Failed(format!("{url} was not fetched: {error}; see [downloads] in the service's settings"))
    })?;
    let file = spool.receive(wanted.limit).map_err(|refusal| not_stored(url, &refusal))?;
    let until = Instant::now() + settings.time_limit;
    let never = channel();
    let mut download = Download {
        settings,
        wanted,
        client,
        progress,
        cancel,
        file,
        until,
        entity_tag: None,
        whole: None,
        validators: Validators::default(),
        never,
    };
    Ok(if download.run()? { Fetched::File(download.file, download.validators) } else { Fetched::Unchanged })
}

/// A download under way.
struct Download<'a, 's> {
    settings: &'a Downloads,
    wanted: Wanted<'a>,
    client: Client,
    progress: &'a mut dyn Progress,
    cancel: &'a CancelToken,
    file: Incoming<'s>,
    until: Instant,
    /// What the server calls the file that the spool has the beginning of.
    entity_tag: Option<String>,
    /// How large the file will be, if that is known.
    whole: Option<u64>,
    /// What the server calls the version that comes.
    validators: Validators,
    /// Waiting for what never comes is waiting.
    never: (Sender<()>, Receiver<()>),
}

/// Why a try did not fetch the file.
enum Broken {
    /// Another try may do.
    ForNow(String),
    /// None will.
    ForGood(ApplyError),
}

impl From<ApplyError> for Broken {
    fn from(error: ApplyError) -> Self {
        Self::ForGood(error)
    }
}

impl Download<'_, '_> {
    /// Tells whether a file came.
    fn run(&mut self) -> Result<bool, ApplyError> {
        let (mut furthest, mut failures, mut wait) = (0, 0, self.settings.first_wait);
        loop {
            let why = match self.try_once() {
                Ok(came) => return Ok(came),
                Err(Broken::ForGood(error)) => return Err(error),
                Err(Broken::ForNow(why)) => why,
            };
            if self.file.size() > furthest {
                (furthest, failures, wait) = (self.file.size(), 0, self.settings.first_wait);
            }
            failures += 1;
            tracing::info!(url = %self.wanted.url, octets = self.file.size(), failures, "a download broke off: {why}");
            if failures >= TRIES {
                return Err(self.unreachable(&format!("{why}, {TRIES} times in a row")));
            }
            self.pause(wait)?;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// One request, for the rest of the file if the server can tell that it is still the same.
    fn try_once(&mut self) -> Result<bool, Broken> {
        let offset = self.file.size();
        let rest = self.entity_tag.clone().filter(|_| offset > 0).map(|entity_tag| Rest { offset, entity_tag });
        let is_rest = rest.is_some();
        let known = self.wanted.known.filter(|_| !is_rest).cloned();
        let fetch = Fetch { url: self.wanted.url.clone(), rest, known };
        let arrival = self.client.fetch(fetch).map_err(|error| self.broken(error))?;
        loop {
            match self.next(&arrival)? {
                Part::Head(head) if head.status == 304 && self.wanted.known.is_some() => return Ok(false),
                Part::Head(head) => self.begin(&head, is_rest)?,
                Part::Octets(octets) => {
                    self.file.append(&octets).map_err(|refusal| not_stored(self.wanted.url, &refusal))?;
                    self.tell();
                }
                Part::End => return Ok(true),
            }
        }
    }

    fn next(&mut self, arrival: &Arrival) -> Result<Part, Broken> {
        loop {
            self.check()?;
            match arrival.next(PACE) {
                Ok(Some(part)) => return Ok(part),
                Ok(None) => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Judges the answer and makes the file ready for the octets that follow.
    fn begin(&mut self, head: &Head, is_rest: bool) -> Result<(), Broken> {
        match head.status {
            200 => {
                self.restart()?;
                self.entity_tag.clone_from(&head.entity_tag);
                self.validators.clone_from(&head.validators);
                self.whole = head.length;
            }
            206 if is_rest && self.continues(head) => {}
            206 | 416 => {
                self.restart()?;
                self.entity_tag = None;
                return Err(Broken::ForNow("the server sent another part than the one that was missing".to_owned()));
            }
            status @ (408 | 429 | 500..) => return Err(Broken::ForNow(format!("the server answered {status}"))),
            404 | 410 => return Err(self.unreachable("the server has no such file").into()),
            401 | 403 => return Err(self.unreachable("the server does not give it to just anybody").into()),
            status => return Err(self.unreachable(&format!("the server answered {status}")).into()),
        }
        if let Some(more) = head.length {
            self.file.announce(more).map_err(|refusal| not_stored(self.wanted.url, &refusal))?;
        }
        self.tell();
        Ok(())
    }

    /// Whether what comes is what is missing.
    fn continues(&self, head: &Head) -> bool {
        let is_next = head.range.is_some_and(|range| {
            range.first == self.file.size()
                && (range.whole.is_none() || self.whole.is_none() || range.whole == self.whole)
        });
        is_next && (head.entity_tag.is_none() || head.entity_tag == self.entity_tag)
    }

    fn restart(&mut self) -> Result<(), ApplyError> {
        self.file.restart().map_err(|refusal| not_stored(self.wanted.url, &refusal))
    }

    fn tell(&mut self) {
        let done = self.whole.filter(|&whole| whole > 0).map_or(0, |whole| {
            let share = u128::from(self.file.size()) * u128::from(SHARE) / u128::from(whole);
            u8::try_from(share).unwrap_or(SHARE).min(SHARE)
        });
        self.progress.phase(Phase::Downloading, done);
    }

    fn pause(&self, time: Duration) -> Result<(), ApplyError> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let _ = self.never.1.recv_timeout(left.min(PACE));
        }
    }

    /// Fails if the job was cancelled or has taken too long.
    fn check(&self) -> Result<(), ApplyError> {
        if self.cancel.is_cancelled() {
            return Err(ApplyError::Cancelled);
        }
        if Instant::now() < self.until {
            return Ok(());
        }
        let seconds = self.settings.time_limit.as_secs();
        Err(self.unreachable(&format!("it was not complete after {seconds} seconds")))
    }

    /// A server that answered once is asked again; one that was never reached is more likely named wrongly than down.
    fn broken(&self, error: ClientError) -> Broken {
        match error {
            ClientError::Exchange(_) | ClientError::TimedOut => Broken::ForNow(error.to_string()),
            ClientError::Connect(_) | ClientError::Unresolved { .. } if self.file.size() > 0 => {
                Broken::ForNow(error.to_string())
            }
            ClientError::Stopped => {
                Broken::ForGood(ApplyError::Failed("the worker's way to the network broke down".to_owned()))
            }
            error => Broken::ForGood(self.unreachable(&error.to_string())),
        }
    }

    fn unreachable(&self, why: &str) -> ApplyError {
        ApplyError::Unreachable(format!("{} cannot be fetched: {why}", self.wanted.url))
    }
}

/// What stands in the way of a file in the spool.
fn not_stored(url: &Url, refusal: &Refusal) -> ApplyError {
    let text = format!("{url} was not fetched: {refusal}");
    match refusal {
        Refusal::NoRoom => ApplyError::NoSpace(text),
        _ => ApplyError::Failed(text),
    }
}

/// Tells the progress of what follows a download as the rest of the job.
pub(super) struct AfterDownload<'p>(pub(super) &'p mut dyn Progress);

impl Progress for AfterDownload<'_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.0.started(pid, start_ticks);
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        let share = u16::from(100 - SHARE) * u16::from(percent.min(100)) / 100;
        self.0.phase(phase, SHARE + u8::try_from(share).unwrap_or(100 - SHARE));
    }

    fn note(&mut self, text: &str) {
        self.0.note(text);
    }
}

#[cfg(test)]
mod tests;
