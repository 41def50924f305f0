//! The log of this process: a thread that writes what others tell it, many lines at once if many come.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use super::append::Appender;
use super::chain::Link;
use super::entry::{Entry, Event};
use super::flood::Flood;
use super::{Settings, one_line};
use crate::clock::SharedClock;

/// How many lines may wait to be written.
const WAITING: usize = 1024;
/// How many lines are written at once.
const AT_ONCE: usize = 256;
/// How often lines that could not be written are tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The log of this process. Dropping it writes what still waits.
#[derive(Debug)]
pub struct Log {
    settings: Settings,
    sender: Option<SyncSender<Message>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A line cannot be written, so the change that it tells of must not be made. The log of the service says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written, and changes that it cannot tell of are not made: the disk may be full")]
pub struct Unrecorded;

/// What the thread and others look at.
#[derive(Debug, Default)]
struct Shared {
    /// Lines that will never be written.
    lost: AtomicU64,
    /// Whether the last try to write failed.
    is_failing: AtomicBool,
    written: AtomicU64,
}

enum Message {
    /// A line that somebody waits for.
    Commit(Entry, SyncSender<Result<Link, Unrecorded>>),
    /// The same of what cannot be helped any more: if it cannot be written now, it is later.
    Report(Entry, SyncSender<Result<Link, Unrecorded>>),
    /// A line that nobody waits for.
    Tell(Entry),
    /// The same of what anybody can do as often as they like.
    Count(Entry),
}

impl Log {
    /// Opens the log, and makes its folder and its file if need be. What a crash left half-written there is told in it. Blocks.
    pub fn open(settings: Settings, clock: SharedClock) -> io::Result<Self> {
        let mut appender = Appender::open(settings.clone())?;
        appender.append(clock.now(), &[])?;
        let (sender, receiver) = sync_channel(WAITING);
        let shared = Arc::new(Shared::default());
        let writer =
            Writer { appender, clock, shared: shared.clone(), backlog: VecDeque::new(), flood: Flood::default() };
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { settings, sender: Some(sender), shared, thread: Mutex::new(Some(thread)) })
    }

    /// Writes a line; it is on disk when this returns. Blocks.
    pub fn commit(&self, entry: Entry) -> Result<Link, Unrecorded> {
        self.wait_for(|answer| Message::Commit(entry.bounded(), answer))
    }

    /// Writes a line of what happened anyway; it is on disk when this returns, or will be as soon as it can. Blocks.
    pub fn report(&self, entry: Entry) {
        // If it failed, the thread has told so and keeps the line.
        let _ = self.wait_for(|answer| Message::Report(entry.bounded(), answer));
    }

    /// Has a line written soon. Blocks if very many wait.
    pub fn tell(&self, entry: Entry) {
        let sent = self.sender.as_ref().is_some_and(|sender| sender.send(Message::Tell(entry.bounded())).is_ok());
        self.count_lost(sent);
    }

    /// The same of what anybody can do as often as they like: many in a short time are counted in one line. Does not block: if
    /// very many wait, the line is lost, and the log tells that one was.
    pub fn count(&self, entry: Entry) {
        let sent = self.sender.as_ref().is_some_and(|sender| sender.try_send(Message::Count(entry.bounded())).is_ok());
        self.count_lost(sent);
    }

    /// Whether the last try to write a line failed.
    pub fn is_failing(&self) -> bool {
        self.shared.is_failing.load(Ordering::Relaxed)
    }

    /// How many lines this process wrote, and how many it could not.
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.written.load(Ordering::Relaxed), self.shared.lost.load(Ordering::Relaxed))
    }

    /// The file that is written.
    pub fn file(&self) -> &Path {
        &self.settings.file
    }

    fn wait_for(
        &self,
        message: impl FnOnce(SyncSender<Result<Link, Unrecorded>>) -> Message,
    ) -> Result<Link, Unrecorded> {
        let (answer, answered) = sync_channel(1);
        let sender = self.sender.as_ref().ok_or(Unrecorded)?;
        sender.send(message(answer)).map_err(|_| Unrecorded)?;
        answered.recv().unwrap_or(Err(Unrecorded))
    }

    fn count_lost(&self, sent: bool) {
        if !sent {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // If it broke down there is nothing more to wait for.
            let _ = thread.join();
        }
    }
}

struct Writer {
    appender: Appender,
    clock: SharedClock,
    shared: Arc<Shared>,
    /// Lines that could not be written yet and that nobody waits for.
    backlog: VecDeque<Entry>,
    flood: Flood,
}

/// One who waits for a line of a batch.
struct Waiting {
    /// Its place there.
    at: usize,
    answer: SyncSender<Result<Link, Unrecorded>>,
    /// Whether the line is kept if it cannot be written now.
    is_kept: bool,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Message>) {
        loop {
            let patience = self.patience();
            let first = match patience {
                Some(patience) => receiver.recv_timeout(patience),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let is_last = matches!(first, Err(RecvTimeoutError::Disconnected));
            self.write(first.ok().into_iter().chain(receiver.try_iter()).take(AT_ONCE), is_last);
            if is_last {
                return;
            }
        }
    }

    /// How long to wait at most: lines that failed are tried again, and a flood is told of when it is over.
    fn patience(&self) -> Option<Duration> {
        let retry = self.shared.is_failing.load(Ordering::Relaxed).then_some(RETRY);
        [retry, self.flood.ends_in(Instant::now())].into_iter().flatten().min()
    }

    fn write(&mut self, messages: impl Iterator<Item = Message>, is_last: bool) {
        let mut batch: Vec<Entry> = self.backlog.drain(..).collect();
        let told = batch.len();
        let now = Instant::now();
        batch.extend(self.flood.over(now, is_last));
        let mut waiting = Vec::new();
        for message in messages {
            match message {
                Message::Commit(entry, answer) => {
                    waiting.push(Waiting { at: batch.len(), answer, is_kept: false });
                    batch.push(entry);
                }
                Message::Report(entry, answer) => {
                    waiting.push(Waiting { at: batch.len(), answer, is_kept: true });
                    batch.push(entry);
                }
                Message::Tell(entry) => batch.push(entry),
                Message::Count(entry) => batch.extend(self.flood.admit(entry, now)),
            }
        }
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            batch.push(Entry { count: Some(lost), ..Entry::new(Event::Lost) });
        }
        if !batch.is_empty() {
            let written = self.appender.append(self.clock.now(), &batch);
            self.answer(batch, told, lost, waiting, written);
        }
    }

    /// Tells everybody what became of a batch whose first lines, so many, had been told already.
    fn answer(
        &mut self,
        batch: Vec<Entry>,
        told: usize,
        lost: u64,
        waiting: Vec<Waiting>,
        written: io::Result<Vec<Link>>,
    ) {
        match &written {
            Ok(links) => {
                if self.shared.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the audit log can be written again");
                }
                self.shared.written.fetch_add(links.len() as u64, Ordering::Relaxed);
            }
            Err(error) => {
                if !self.shared.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the audit log cannot be written: nothing is changed until it can");
                }
                self.shared.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
        let links = written.unwrap_or_default();
        let mut waiting = waiting.into_iter().peekable();
        for (at, entry) in batch.into_iter().enumerate() {
            let link = links.get(at).copied();
            if at >= told {
                trace(&entry, link);
            }
            let waits = waiting.next_if(|waiting| waiting.at == at);
            let is_kept = waits.as_ref().is_none_or(|waiting| waiting.is_kept) && entry.event != Event::Lost;
            let was_waited_for = waits.is_some();
            if let Some(Waiting { answer, .. }) = waits {
                // Whoever waited may have gone.
                let _ = answer.send(link.ok_or(Unrecorded));
            }
            match link {
                Some(_) => {}
                None if is_kept => self.keep(entry),
                None => _ = self.shared.lost.fetch_add(u64::from(was_waited_for), Ordering::Relaxed),
            }
        }
    }

    /// Keeps a line that could not be written; nobody waits for it.
    fn keep(&mut self, entry: Entry) {
        if self.backlog.len() < WAITING {
            self.backlog.push_back(entry);
        } else {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The same line in the log of the service, under the target `audit`, with its place in the chain if it has one.
pub fn trace(entry: &Entry, link: Option<Link>) {
    use tracing::field::display;
    let user = entry.user.as_deref().map(|user| display(one_line(user)));
    let (role, address) = (entry.role.as_deref().map(display), entry.address.map(display));
    let (request, job) = (entry.request.as_deref().map(display), entry.job);
    let (sequence, hash) = (link.map(|link| link.sequence), link.map(|link| display(link.hash)));
    tracing::info!(target: "audit", user, role, address, request, job, sequence, hash, "{entry}");
}
