//! The progress of jobs while it happens: server-sent events for the one script of the page.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ask::Objects;
use super::jobs::{self, JobRow};
use super::sessions::{Session, Way};
use super::{Page, door, reply};
use crate::access::{Caller, PeerCertificate, Verdict};
use crate::server::{self, Busy, Stopping};
use crate::wsman::Place;

/// How often jobs are looked at.
const TICK: Duration = Duration::from_millis(700);
/// After this time without a change a line says that there was none, so that a browser that is gone is noticed.
const SILENCE: Duration = Duration::from_secs(15);
/// How long one answer goes on; the browser asks again by itself.
const LONGEST: Duration = Duration::from_secs(300);
/// How long a browser may take nothing.
const STALLED: Duration = Duration::from_secs(30);

/// A job as the script knows it.
#[derive(Debug, Serialize)]
struct Line<'a> {
    id: &'a str,
    state: &'static str,
    percent: u64,
    status: &'a str,
}

/// Tells all jobs, now and after every change.
pub(super) async fn jobs(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    let Some((secret, session)) = door::session(&page, &request).await else {
        return reply::with_headers(HttpResponse::new(StatusCode::FORBIDDEN));
    };
    let Ok(place) = page.watchers.take(&session.user, Instant::now()).await else {
        return reply::with_headers(HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE));
    };
    let (send, lines) = mpsc::channel(2);
    let (caller, certificate) = (door::caller(&session, &request), server::certificate_of(&request));
    let watcher = Watcher { page, secret, caller, certificate, session, send };
    let held = (server::answering(&request), place);
    actix_web::rt::spawn(watcher.watch(held, server::stopping(&request)));
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/event-stream")).insert_header((CACHE_CONTROL, "no-store"));
    reply::with_headers(response.body(Lines(lines)))
}

/// What tells one browser.
struct Watcher {
    page: Data<Page>,
    secret: String,
    session: Session,
    caller: Caller,
    /// What the connection showed.
    certificate: Option<Arc<PeerCertificate>>,
    send: mpsc::Sender<Bytes>,
}

impl Watcher {
    async fn watch(self, _held: (Option<Busy>, Place), stopping: Option<Stopping>) {
        let mut stopping = stopping;
        let told = async {
            match &mut stopping {
                Some(stopping) => stopping.told().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.tell() => {}
            () = told => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    }

    /// Tells until the browser is gone or its user may not look any longer.
    async fn tell(&self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut known, mut said) = (String::new(), Instant::now());
        loop {
            ticks.tick().await;
            let Some(now) = self.look().await else { return };
            let text = if now != known {
                known = now;
                format!("retry: 2000\nevent: jobs\ndata: {known}\n\n")
            } else if said.elapsed() >= SILENCE {
                ":\n\n".to_owned()
            } else {
                continue;
            };
            said = Instant::now();
            if !matches!(tokio::time::timeout(STALLED, self.send.send(text.into())).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Whether the certificate of the connection still means whoever the session belongs to.
    async fn is_still_certified(&self) -> bool {
        let Some(certificate) = &self.certificate else { return false };
        let verdict = self.page.users.recognise(certificate).await;
        matches!(verdict, Verdict::Known(caller) if caller.name == self.session.user)
    }

    /// All jobs, as JSON on one line; `None` once the session has ended.
    async fn look(&self) -> Option<String> {
        if self.send.is_closed() || !self.page.sessions.is_alive_at(&self.secret, self.page.clock.now()) {
            return None;
        }
        if self.session.way == Way::Certificate && !self.is_still_certified().await {
            return None;
        }
        let (page, session, caller) = (self.page.clone(), self.session.clone(), self.caller.clone());
        let work = move || {
            let standing = page.users.standing(&session.user).ok()?.filter(|standing| session.fits(standing))?;
            let caller = Caller { role: standing.role, ..caller };
            let jobs = jobs::all(&Objects::new(page.broker.clone(), caller)).ok()?;
            serde_json::to_string(&jobs.iter().map(Line::of).collect::<Vec<_>>()).ok()
        };
        tokio::task::spawn_blocking(work).await.ok()?
    }
}

impl<'a> Line<'a> {
    fn of(job: &'a JobRow) -> Self {
        Self { id: &job.id, state: job.state.word(), percent: job.percent, status: &job.status }
    }
}

/// The lines of an answer, sent as they come.
struct Lines(mpsc::Receiver<Bytes>);

impl MessageBody for Lines {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
