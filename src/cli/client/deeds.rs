//! What became of what hosts were to do, thing by thing, and the table of it.

use std::io::Write;

use serde_json::Value;

use super::every::Answers;
use super::outcome::{End, Failed, HostError, end_of, sentence, word};
use super::output::{Column, Format};
use crate::console::ConsoleError;
use crate::console::software::{Job, JobState};

/// What became of one thing.
#[derive(Debug)]
pub(super) struct Deed {
    /// The thing, in a word.
    pub(super) about: String,
    pub(super) became: Became,
}

#[derive(Debug)]
pub(super) enum Became {
    /// The host did it, or does it still.
    Job(Box<Job>),
    /// Another job of ours did it, too: its number, and what it came to.
    Along(String, String),
    /// There was nothing to do, for this reason.
    Unchanged(String),
    /// It was not begun, since nobody waited any more or there was no way to the host any more.
    NotBegun,
    /// It could not be begun or followed.
    Failed(ConsoleError),
}

impl Deed {
    pub(super) fn new(about: impl Into<String>, became: Became) -> Self {
        Self { about: about.into(), became }
    }

    /// Whether it is a job that ended well.
    pub(super) fn is_completed(&self) -> bool {
        matches!(&self.became, Became::Job(job) if job.state == JobState::Completed)
    }

    fn end(&self) -> End {
        match &self.became {
            Became::Job(job) if !job.state.is_final() => End::GoesOn,
            Became::Job(job) if job.state != JobState::Completed => End::Job,
            Became::Job(_) | Became::Along(..) | Became::Unchanged(_) => End::Well,
            Became::NotBegun => End::GoesOn,
            Became::Failed(error) => end_of(error),
        }
    }

    /// What went wrong, in a sentence.
    fn trouble(&self) -> Option<String> {
        match &self.became {
            Became::Job(job) if self.end() == End::Job => Some(message(job)),
            Became::Failed(error) => Some(sentence(error)),
            _ => None,
        }
    }

    fn row(&self) -> Vec<Value> {
        let about = self.about.as_str();
        let row = |result: &str, job: Option<&str>, message: String| {
            vec![about.into(), result.into(), job.into(), message.into()]
        };
        match &self.became {
            Became::Job(job) => row(job.state.word(), Some(job.number().unwrap_or(&job.id)), message(job)),
            Became::Along(job, how) => row(JobState::Completed.word(), Some(job), how.clone()),
            Became::Unchanged(why) => row("unchanged", None, why.clone()),
            Became::NotBegun => row("not begun", None, String::new()),
            Became::Failed(error) => row(word(error), None, error.to_string()),
        }
    }
}

/// What a job says of itself, and what a person should read besides.
fn message(job: &Job) -> String {
    let mut message = job.error.clone().unwrap_or_else(|| job.status.clone());
    for note in &job.notes {
        message.push_str("; ");
        message.push_str(note);
    }
    message
}

/// How it ended on one host: what failed goes before what was left, and that before what went well.
pub(super) fn end_of_deeds(deeds: &[Deed]) -> End {
    let has = |end: End| deeds.iter().any(|deed| deed.end() == end);
    [End::Job, End::NoWay, End::Failed, End::GoesOn].into_iter().find(|end| has(*end)).unwrap_or(End::Well)
}

/// Whether a host counts among those that failed, for `--stop-after`.
pub(super) fn have_failed(deeds: &[Deed]) -> bool {
    !matches!(end_of_deeds(deeds), End::Well | End::GoesOn)
}

const COLUMNS: [&str; 4] = ["what", "result", "job", "message"];

/// Shows what became of everything; says how it ended.
pub(super) fn show(answers: &Answers<Vec<Deed>>, format: &Format) -> Result<End, Failed> {
    let rows = |deeds: &Vec<Deed>| deeds.iter().map(Deed::row).collect();
    let failed = |error: &HostError| vec![Value::Null, error.word().into(), Value::Null, error.to_string().into()];
    let table = answers.whole_table(&COLUMNS.map(Column::new), rows, failed);
    // Of one host that failed before it did anything there is nothing to show.
    if !(table.rows.is_empty() && format.is_for_a_person()) {
        format.show(&table)?;
    }
    for (host, deeds) in answers.good() {
        // What a job says of its failure is in the table.
        tell(host, deeds.iter().filter(|deed| matches!(deed.became, Became::Failed(_))));
    }
    Ok(answers.end_by(|deeds| end_of_deeds(deeds)))
}

/// Tells what went wrong, where no table shows it.
pub(super) fn tell<'d>(host: &str, deeds: impl IntoIterator<Item = &'d Deed>) {
    for deed in deeds {
        if let Some(trouble) = deed.trouble() {
            let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {}: {trouble}", deed.about);
        }
    }
}
