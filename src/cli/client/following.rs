//! Follows jobs to their ends: a bar for each on a terminal, silence where no person looks. Whoever presses Ctrl-C leaves, and
//! the host's work goes on.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::deeds::{Became, Deed};
use super::interrupt::Interrupt;
use super::listening::{Ear, Listening};
use super::outcome::Failed;
use super::output::harmless;
use crate::console::software::{Follower, Job};
use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;

/// How long a host may not be reached while a job of it is followed: it may be starting its service anew, or itself.
const ABSENCE: Duration = Duration::from_secs(120);
/// The wait before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What a bar shows of a host, as much as an IPv4 address with a port, and of a thing, in characters.
const HOST: usize = 21;
const THING: usize = 20;

/// The bars of all hosts.
pub(super) struct Following {
    bars: MultiProgress,
    /// Where hosts may tell what happens.
    ear: Ear,
    /// Whether nobody waits for the ends.
    leaves: bool,
    interrupt: Interrupt,
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
        Self { bars: MultiProgress::with_draw_target(target), ear, leaves, interrupt: Interrupt::new() }
    }

    /// What the person wants who looked.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Whether nobody waits for the ends, from the beginning.
    pub(super) fn leaves(&self) -> bool {
        self.leaves
    }

    /// Whether whoever looked went away: nothing more is to begin.
    pub(super) fn was_left(&self) -> bool {
        self.interrupt.was_pressed()
    }

    /// Follows a job; says what became of it.
    pub(super) async fn follow(&self, session: &Session, about: &str, job: &EndpointReference) -> Deed {
        let followed = if self.leaves { session.job(job).await } else { self.accompany(session, about, job).await };
        Deed::new(about, followed.map_or_else(Became::Failed, |job| Became::Job(Box::new(job))))
    }

    /// Gives the job as it was last.
    async fn accompany(
        &self,
        session: &Session,
        about: &str,
        reference: &EndpointReference,
    ) -> Result<Job, ConsoleError> {
        let bar = self.bar(session.endpoint().name(), about);
        let mut last = None;
        let ended = self.patiently(session, reference, &bar, &mut last).await;
        bar.finish_and_clear();
        let job = match (ended, last) {
            (Ok(Some(job)), _) => return Ok(job),
            (Err(error), Some(job)) if error.is_no_way_there() => {
                self.say(session, &error.to_string());
                job
            }
            (Err(error), _) => return Err(error),
            (Ok(None), Some(job)) => job,
            (Ok(None), None) => session.job(reference).await?,
        };
        if !job.state.is_final() {
            let (host, number) = (session.endpoint().name(), job.number().unwrap_or(&job.id));
            let back = format!("`quartermaster watch {number} --host {host}`");
            self.say(session, &format!("job {number} goes on; come back with {back}"));
        }
        Ok(job)
    }

    /// Follows a job to its end, also where its host cannot be reached for a while; keeps what was heard of it last. Gives
    /// nothing if whoever looked left.
    async fn patiently(
        &self,
        session: &Session,
        reference: &EndpointReference,
        bar: &ProgressBar,
        last: &mut Option<Job>,
    ) -> Result<Option<Job>, ConsoleError> {
        let note = |how: &str| self.bars.suspend(|| self.ear.note(session.endpoint().name(), how));
        let mut lost: Option<Instant> = None;
        loop {
            let mut watch = |job: &Job| {
                lost = None;
                bar.set_position(job.percent.into());
                bar.set_message(harmless(&job.status));
                *last = Some(job.clone());
            };
            let follower = Follower { listener: self.ear.listener.as_ref(), watch: &mut watch, note: &note };
            let error = match session.follow(reference, follower, self.interrupt.pressed()).await {
                Err(error @ ConsoleError::Unreachable(_)) => error,
                ended => return ended,
            };
            if lost.get_or_insert_with(Instant::now).elapsed() >= ABSENCE {
                return Err(error);
            }
            bar.set_message("the host cannot be reached; it is tried again");
            tokio::select! {
                () = sleep(RETRY) => {}
                () = self.interrupt.pressed() => return Ok(None),
            }
        }
    }

    fn say(&self, session: &Session, what: &str) {
        let host = session.endpoint().name();
        let _ = self.bars.suspend(|| writeln!(io::stderr(), "quartermaster: {host}: {what}"));
    }

    /// The host and the thing have a place of their own each, so that neither hides the other.
    fn bar(&self, host: &str, about: &str) -> ProgressBar {
        let place =
            |text: &str, width: usize| format!("{:width$}", harmless(text).chars().take(width).collect::<String>());
        let prefix = format!("{} {}", place(host, HOST), place(about, THING));
        let bar = self.bars.add(ProgressBar::new(100).with_prefix(prefix));
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:12} {percent:>3}% {wide_msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.tick();
        bar
    }
}
