//! Asks every host the same. A host that fails stops no other.

use std::io::Write;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;

use super::hosts::{Host, Hosts, Who};
use super::outcome::{End, Failed, advice, end_of, end_of_all};
use super::output::{Column, Table, harmless};
use crate::console::{ConsoleError, Session};

/// What the hosts answered, in the order in which they were named.
#[derive(Debug)]
pub(super) struct Answers<T> {
    hosts: Vec<(String, Result<T, ConsoleError>)>,
    /// Those that were not asked, since too many had failed.
    untouched: Vec<String>,
}

/// How a change goes over many hosts.
#[derive(Clone, Copy, Debug, Args)]
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
    let answered = round(hosts, hosts.chosen(who).await?, hosts.parallel(), &ask).await;
    Ok(Answers { hosts: answered, untouched: Vec::new() })
}

/// Asks every host at the same time, for what does not end by itself.
pub(super) async fn all_at_once<T>(
    hosts: &Hosts,
    ask: impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Result<Answers<T>, Failed> {
    let chosen = hosts.chosen(Who::Known).await?;
    let all = chosen.len();
    Ok(Answers { hosts: round(hosts, chosen, all, &ask).await, untouched: Vec::new() })
}

/// Asks every host, wave by wave, as long as not too many fail. What failed of what was answered is told by `is_bad`.
pub(super) async fn in_waves<T>(
    hosts: &Hosts,
    waves: Waves,
    is_bad: impl Fn(&T) -> bool,
    ask: impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Result<Answers<T>, Failed> {
    let mut waiting = hosts.chosen(Who::Known).await?.into_iter();
    let size = waves.wave.map_or(usize::MAX, usize::from);
    let most = waves.stop_after.map_or(usize::MAX, usize::from);
    let mut answers = Answers { hosts: Vec::new(), untouched: Vec::new() };
    loop {
        let wave: Vec<Host> = waiting.by_ref().take(size).collect();
        if wave.is_empty() {
            return Ok(answers);
        }
        answers.hosts.extend(round(hosts, wave, hosts.parallel(), &ask).await);
        let failed = answers.hosts.iter().filter(|(_, answer)| answer.as_ref().map_or(true, &is_bad)).count();
        if failed >= most {
            answers.untouched = waiting.map(|host| host.endpoint.name().to_owned()).collect();
            return Ok(answers);
        }
    }
}

async fn round<T>(
    hosts: &Hosts,
    chosen: Vec<Host>,
    parallel: usize,
    ask: &impl AsyncFn(&Session) -> Result<T, ConsoleError>,
) -> Vec<(String, Result<T, ConsoleError>)> {
    let decide = &|meeting: &_| hosts.decide(meeting);
    let one = async |host: Host| {
        let name = host.endpoint.name().to_owned();
        let answer = match Session::open(host.endpoint, host.settings, decide).await {
            Ok(session) => ask(&session).await,
            Err(error) => Err(error),
        };
        (name, answer)
    };
    let places = chosen.into_iter().enumerate();
    let asked = stream::iter(places.map(async |(place, host)| (place, one(host).await)));
    let mut answers: Vec<_> = asked.buffer_unordered(parallel).collect().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

impl<T> Answers<T> {
    /// Tells what failed; says how it ended.
    pub(super) fn end(&self) -> End {
        self.end_by(|_| End::Well)
    }

    /// Tells what failed; says how it ended, where an answer may tell of a bad end, too.
    pub(super) fn end_by(&self, judge: impl Fn(&T) -> End) -> End {
        self.tell_untouched();
        let asked = self.hosts.iter().map(|(host, answer)| match answer {
            Ok(answer) => judge(answer),
            Err(error) => {
                tell(host, error);
                end_of(error)
            }
        });
        end_of_all(&asked.chain(self.untouched.iter().map(|_| End::Failed)).collect::<Vec<_>>())
    }

    fn tell_untouched(&self) {
        if !self.untouched.is_empty() {
            let names = self.untouched.join(", ");
            let _ = writeln!(std::io::stderr(), "quartermaster: too many hosts have failed; not touched: {names}");
        }
    }

    /// The same hosts with something else that they answered.
    pub(super) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Answers<U> {
        let hosts = self.hosts.into_iter().map(|(host, answer)| (host, answer.map(&mut change))).collect();
        Answers { hosts, untouched: self.untouched }
    }

    /// Whether several hosts were asked, so that what is shown must say of which it is.
    pub(super) fn are_several(&self) -> bool {
        self.hosts.len().saturating_add(self.untouched.len()) > 1
    }

    /// What the hosts answered that did.
    pub(super) fn good(&self) -> impl Iterator<Item = (&str, &T)> {
        self.hosts.iter().filter_map(|(host, answer)| Some((host.as_str(), answer.as_ref().ok()?)))
    }

    /// A table of all that they answered, with their names if they are several.
    pub(super) fn table(&self, columns: &[Column], rows: impl Fn(&T) -> Vec<Vec<Value>>) -> Table {
        let mut table = Table::new(columns);
        if self.are_several() {
            table.columns.insert(0, Column::new("host"));
        }
        for (host, answer) in self.good() {
            for mut row in rows(answer) {
                if self.are_several() {
                    row.insert(0, host.into());
                }
                table.rows.push(row);
            }
        }
        table
    }
}

/// Tells something about a host beside its answers.
pub(super) fn note(host: &str, words: &str) {
    let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {}", harmless(words));
}

/// Tells what failed at a host.
pub(super) fn tell(host: &str, error: &ConsoleError) {
    let advice = advice(error).map(|advice| format!(": {advice}")).unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {error}{advice}");
}
