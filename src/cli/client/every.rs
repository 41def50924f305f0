//! Asks every host the same. A host that fails stops no other.

use std::io::Write;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;

use super::hosts::{Host, Hosts, Who};
use super::interrupt::Interrupt;
use super::outcome::{End, Failed, HostError, NotTouched, end_of_all, sentence};
use super::output::{Column, Table, harmless};
use crate::console::{ConsoleError, Session};

/// What the hosts answered, in the order in which they were named.
#[derive(Debug)]
pub(super) struct Answers<T> {
    hosts: Vec<Answer<T>>,
}

/// What one host answered. What it did before it failed is there beside the error.
#[derive(Debug)]
struct Answer<T> {
    host: String,
    given: Option<T>,
    error: Option<HostError>,
}

/// How a change goes over many hosts.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Waves {
    /// Change so many hosts at a time, and go on when all of them are done.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    wave: Option<u16>,
    /// Begin no other wave once so many hosts have failed.
    #[arg(long, value_name = "N", requires = "wave", value_parser = clap::value_parser!(u16).range(1..))]
    stop_after: Option<u16>,
}

/// Asks every host, some at a time.
pub(super) async fn every<T>(
    hosts: &Hosts,
    who: Who,
    ask: impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Result<Answers<T>, Failed> {
    Ok(Answers { hosts: answers(hosts, hosts.chosen(who).await?, hosts.parallel(), &ask).await })
}

/// Asks every host at the same time, for what does not end by itself.
pub(super) async fn all_at_once<T>(
    hosts: &Hosts,
    ask: impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Result<Answers<T>, Failed> {
    let chosen = hosts.chosen(Who::Known).await?;
    let all = chosen.len();
    Ok(Answers { hosts: answers(hosts, chosen, all, &ask).await })
}

/// Has every host do something that takes its time, and that a person may leave.
pub(super) async fn at_work<T: Default>(
    hosts: &Hosts,
    interrupt: &Interrupt,
    work: impl AsyncFn(&Session, &mut T) -> Result<(), ConsoleError>,
) -> Result<Answers<T>, Failed> {
    in_waves(hosts, Waves::default(), interrupt, |_| false, work).await
}

/// The same wave by wave, as long as not too many fail. Which of those that did their work are to count as failed is told by
/// `is_bad`.
pub(super) async fn in_waves<T: Default>(
    hosts: &Hosts,
    waves: Waves,
    interrupt: &Interrupt,
    is_bad: impl Fn(&T) -> bool,
    work: impl AsyncFn(&Session, &mut T) -> Result<(), ConsoleError>,
) -> Result<Answers<T>, Failed> {
    let chosen = hosts.chosen(Who::Known).await?;
    interrupt.heed()?;
    let one = async |host: Host| at_work_on(hosts, host, interrupt, &work).await;
    tokio::select! {
        answers = wave_by_wave(hosts, chosen, waves, is_bad, &one) => Ok(answers),
        () = interrupt.insisted() => Err(Failed::Interrupted),
    }
}

async fn wave_by_wave<T>(
    hosts: &Hosts,
    chosen: Vec<Host>,
    waves: Waves,
    is_bad: impl Fn(&T) -> bool,
    one: &impl AsyncFn(Host) -> Answer<T>,
) -> Answers<T> {
    let size = waves.wave.map_or(usize::MAX, usize::from);
    let most = waves.stop_after.map_or(usize::MAX, usize::from);
    let mut waiting = chosen.into_iter();
    let mut answers = Answers { hosts: Vec::new() };
    loop {
        let wave: Vec<Host> = waiting.by_ref().take(size).collect();
        if wave.is_empty() {
            return answers;
        }
        answers.hosts.extend(round(wave, hosts.parallel(), one).await);
        let has_failed = |answer: &&Answer<T>| answer.error.is_some() || answer.given.as_ref().is_some_and(&is_bad);
        if answers.hosts.iter().filter(has_failed).count() >= most {
            answers.hosts.extend(waiting.map(|host| Answer::not_touched(host.name, NotTouched::TooManyFailed)));
            return answers;
        }
    }
}

async fn at_work_on<T: Default>(
    hosts: &Hosts,
    host: Host,
    interrupt: &Interrupt,
    work: &impl AsyncFn(&Session, &mut T) -> Result<(), ConsoleError>,
) -> Answer<T> {
    if interrupt.was_pressed() {
        return Answer::not_touched(host.name, NotTouched::Left);
    }
    let (name, mut given) = (host.name.clone(), T::default());
    let done = async {
        let session = open(hosts, host).await?;
        Ok(work(&session, &mut given).await?)
    };
    let error = tokio::select! {
        done = done => done.err(),
        () = interrupt.out_of_patience() => Some(HostError::Left),
    };
    Answer { host: name, given: Some(given), error }
}

async fn answers<T>(
    hosts: &Hosts,
    chosen: Vec<Host>,
    parallel: usize,
    ask: &impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Vec<Answer<T>> {
    let one = async |host: Host| {
        let name = host.name.clone();
        let asked = async { Ok(ask(&open(hosts, host).await?).await?) };
        match asked.await {
            Ok(given) => Answer { host: name, given: Some(given), error: None },
            Err(error) => Answer { host: name, given: None, error: Some(error) },
        }
    };
    round(chosen, parallel, &one).await
}

async fn open(hosts: &Hosts, host: Host) -> Result<Session, HostError> {
    let (endpoint, settings) = host.way?;
    Ok(Session::open(endpoint, settings, &|meeting| hosts.decide(meeting)).await?)
}

async fn round<T>(chosen: Vec<Host>, parallel: usize, one: &impl AsyncFn(Host) -> Answer<T>) -> Vec<Answer<T>> {
    let places = chosen.into_iter().enumerate();
    let asked = stream::iter(places.map(async |(place, host)| (place, one(host).await)));
    let mut answers: Vec<_> = asked.buffer_unordered(parallel).collect().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

impl<T> Answer<T> {
    fn not_touched(host: String, why: NotTouched) -> Self {
        Self { host, given: None, error: Some(HostError::NotTouched(why)) }
    }

    /// How it ended with the host: what its work came to goes before what went wrong besides.
    fn end(&self, judge: impl Fn(&T) -> End) -> End {
        let of_work = self.given.as_ref().map_or(End::Well, judge);
        match &self.error {
            Some(error) if of_work != End::Job => error.end(),
            _ => of_work,
        }
    }
}

impl<T> Answers<T> {
    /// Tells what failed; says how it ended.
    pub(super) fn end(&self) -> End {
        self.end_by(|_| End::Well)
    }

    /// Tells what failed; says how it ended, where an answer may tell of a bad end, too.
    pub(super) fn end_by(&self, judge: impl Fn(&T) -> End) -> End {
        self.tell();
        end_of_all(&self.hosts.iter().map(|answer| answer.end(&judge)).collect::<Vec<_>>())
    }

    /// Tells what failed; says how it ended, where nobody found anything although somebody was to.
    pub(super) fn end_if_any(&self, has_any: impl Fn(&T) -> bool) -> End {
        let end = self.end();
        if end != End::Well || self.good().any(|(_, given)| has_any(given)) {
            return end;
        }
        let _ = writeln!(std::io::stderr(), "quartermaster: nothing was found");
        End::Failed
    }

    fn tell(&self) {
        for (host, error) in self.failed() {
            if !matches!(error, HostError::NotTouched(_)) {
                note(host, &error.sentence());
            }
        }
        for why in [NotTouched::TooManyFailed, NotTouched::Left] {
            let is_so = |error: &HostError| matches!(error, HostError::NotTouched(told) if *told == why);
            let names: Vec<&str> = self.failed().filter(|(_, error)| is_so(error)).map(|(host, _)| host).collect();
            if !names.is_empty() {
                let _ = writeln!(std::io::stderr(), "quartermaster: {why}; not touched: {}", names.join(", "));
            }
        }
    }

    /// The same hosts with something else that they answered.
    pub(super) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Answers<U> {
        let hosts = self.hosts.into_iter().map(|answer| Answer {
            host: answer.host,
            given: answer.given.map(&mut change),
            error: answer.error,
        });
        Answers { hosts: hosts.collect() }
    }

    /// Whether several hosts were asked, so that what is shown must say of which it is.
    pub(super) fn are_several(&self) -> bool {
        self.hosts.len() > 1
    }

    /// What the hosts answered that did.
    pub(super) fn good(&self) -> impl Iterator<Item = (&str, &T)> {
        self.hosts.iter().filter_map(|answer| Some((answer.host.as_str(), answer.given.as_ref()?)))
    }

    /// What went wrong, by host.
    fn failed(&self) -> impl Iterator<Item = (&str, &HostError)> {
        self.hosts.iter().filter_map(|answer| Some((answer.host.as_str(), answer.error.as_ref()?)))
    }

    /// A table of all that they answered, with their names if they are several.
    pub(super) fn table(&self, columns: &[Column], rows: impl Fn(&T) -> Vec<Vec<Value>>) -> Table {
        self.table_of(columns, rows, |_| None)
    }

    /// The same; of several hosts those that failed are in it, too.
    pub(super) fn whole_table(
        &self,
        columns: &[Column],
        rows: impl Fn(&T) -> Vec<Vec<Value>>,
        failed: impl Fn(&HostError) -> Vec<Value>,
    ) -> Table {
        self.table_of(columns, rows, |error| self.are_several().then(|| failed(error)))
    }

    fn table_of(
        &self,
        columns: &[Column],
        rows: impl Fn(&T) -> Vec<Vec<Value>>,
        failed: impl Fn(&HostError) -> Option<Vec<Value>>,
    ) -> Table {
        let mut table = Table::new(columns);
        if self.are_several() {
            table.columns.insert(0, Column::new("host"));
        }
        for answer in &self.hosts {
            let of_work = answer.given.as_ref().map(&rows).unwrap_or_default();
            let of_error = answer.error.as_ref().and_then(&failed);
            for mut row in of_work.into_iter().chain(of_error) {
                if self.are_several() {
                    row.insert(0, answer.host.as_str().into());
                }
                table.rows.push(row);
            }
        }
        table
    }
}

/// Tells something about a host.
pub(super) fn note(host: &str, words: &str) {
    let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {}", harmless(words));
}

/// Tells what failed at a host.
pub(super) fn tell(host: &str, error: &ConsoleError) {
    note(host, &sentence(error));
}
