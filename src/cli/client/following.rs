//! Follows jobs to their ends: a bar for each on a terminal, silence where no person looks. Whoever presses Ctrl-C leaves, and
//! the host's work goes on.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::every::Answers;
use super::listening::{Ear, Listening};
use super::outcome::{End, Failed};
use super::output::{Column, Format, harmless};
use crate::console::software::{Follower, Job, JobState};
use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;

/// The bars of all hosts.
pub(super) struct Following {
    bars: MultiProgress,
    ear: Ear,
    /// Whether nobody waits for the ends.
    leaves: bool,
    /// Whether whoever looked went away.
    left: Cell<bool>,
}

/// What became of a job while somebody looked.
#[derive(Debug)]
pub(super) struct Followed {
    /// What the job is about, in a word.
    pub(super) about: String,
    /// The job as it was last.
    pub(super) job: Job,
    /// Whether it goes on, since whoever looked went away.
    pub(super) goes_on: bool,
}

impl Following {
    /// Follows jobs to their ends.
    pub(super) fn new(listening: &Listening) -> Result<Self, Failed> {
        Ok(Self::with(false, listening.begin()?))
    }

    /// The same, or a look at each once if nobody is to wait.
    pub(super) fn unless(leaves: bool, listening: &Listening) -> Result<Self, Failed> {
        if leaves { Ok(Self::with(true, Ear::default())) } else { Self::new(listening) }
    }

    fn with(leaves: bool, ear: Ear) -> Self {
        let is_looked_at = io::stdout().is_terminal() && io::stderr().is_terminal() && !leaves;
        let target = if is_looked_at { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bars: MultiProgress::with_draw_target(target), ear, leaves, left: Cell::new(false) }
    }

    /// Whether whoever looked went away: nothing more is to begin.
    pub(super) fn was_left(&self) -> bool {
        self.left.get()
    }

    /// Follows a job.
    pub(super) async fn follow(
        &self,
        session: &Session,
        about: &str,
        job: &EndpointReference,
    ) -> Result<Followed, ConsoleError> {
        let about = about.to_owned();
        if self.leaves {
            let job = session.job(job).await?;
            return Ok(Followed { goes_on: !job.state.is_final(), about, job });
        }
        let bar = self.bar(session.endpoint().name(), &about);
        let mut last = None;
        let mut watch = |job: &Job| {
            bar.set_position(job.percent.into());
            bar.set_message(harmless(&job.status));
            last = Some(job.clone());
        };
        let note = |how: &str| self.bars.suspend(|| self.ear.note(session.endpoint().name(), how));
        let follower = Follower { listener: self.ear.listener.as_ref(), watch: &mut watch, note: &note };
        let followed = tokio::select! {
            ended = session.follow(job, follower) => Some(ended?),
            _ = tokio::signal::ctrl_c() => None,
        };
        bar.finish_and_clear();
        match followed {
            Some(job) => Ok(Followed { about, job, goes_on: false }),
            None => {
                self.left.set(true);
                let job = match last {
                    Some(job) => job,
                    None => session.job(job).await?,
                };
                let (host, number) = (session.endpoint().name(), job.number().unwrap_or(&job.id));
                let _ = self.bars.suspend(|| {
                    writeln!(
                        io::stderr(),
                        "quartermaster: {host}: job {number} goes on; come back with `quartermaster watch {number} --host {host}`"
                    )
                });
                Ok(Followed { goes_on: !job.state.is_final(), about, job })
            }
        }
    }

    fn bar(&self, host: &str, about: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(100).with_prefix(format!("{host} {}", harmless(about))));
        if let Ok(style) = ProgressStyle::with_template("{prefix:24!} {bar:24} {percent:>3}% {wide_msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar
    }
}

/// The columns of jobs that were followed.
const COLUMNS: [&str; 4] = ["what", "result", "job", "message"];

/// Shows what became of the jobs; says how it ended.
pub(super) fn show(answers: &Answers<Vec<Followed>>, format: &Format) -> Result<End, Failed> {
    let table = answers.table(&COLUMNS.map(Column::new), |followed| followed.iter().map(row).collect());
    format.show(&table)?;
    Ok(answers.end_by(|followed| end_of(followed)))
}

/// How it ended with the jobs of one host.
pub(super) fn end_of(followed: &[Followed]) -> End {
    let failed = |followed: &Followed| followed.job.state.is_final() && followed.job.state != JobState::Completed;
    if followed.iter().any(failed) {
        End::Job
    } else if followed.iter().any(|followed| followed.goes_on) {
        End::GoesOn
    } else {
        End::Well
    }
}

fn row(followed: &Followed) -> Vec<Value> {
    let Followed { about, job, .. } = followed;
    let mut message = job.error.clone().unwrap_or_else(|| job.status.clone());
    for note in &job.notes {
        message.push_str("; ");
        message.push_str(note);
    }
    let number = job.number().unwrap_or(&job.id);
    vec![about.as_str().into(), job.state.word().into(), number.into(), message.into()]
}
