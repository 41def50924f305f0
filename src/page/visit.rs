//! One request of somebody who is logged in.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::ask::Objects;
use super::failure::Failure;
use super::fields::{Fields, LARGEST};
use super::frame::{Frame, Who};
use super::reply::{self, Answer};
use super::sessions::Session;
use super::systems::System;
use super::{Page, cookie, door};
use crate::access::Caller;
use crate::events::Events;
use crate::server;
use crate::wsman::Places;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who is logged in asks for something.
#[derive(Debug)]
pub(super) struct Visit {
    /// The objects as this caller sees them.
    pub(super) objects: Objects,
    /// What the address or the form says.
    pub(super) fields: Fields,
    /// Those who are told of events.
    pub(super) events: Arc<Events>,
    /// When it is.
    pub(super) now: DateTime<Utc>,
    /// The largest package file that is taken, in octets; `None` where none are.
    pub(super) largest_file: Option<u64>,
    session: Session,
}

impl Visit {
    /// The frame of a page of one section.
    pub(super) fn frame(&self, title: impl Into<String>, section: &'static str) -> Result<Frame, Failure> {
        let systems = System::all(&self.objects)?;
        let mut has_patches = false;
        for system in &systems {
            has_patches |= system.patches(&self.objects)?.is_some();
        }
        let mut names: Vec<String> = systems.iter().map(|system| system.name.clone()).collect();
        names.dedup();
        let frame = Frame {
            systems: names,
            has_packages: systems.iter().any(|system| !system.is_image),
            has_patches,
            ..self.bare_frame()
        };
        Ok(Frame { title: title.into(), section, ..frame })
    }

    /// The frame of a page that says why there is no other.
    fn bare_frame(&self) -> Frame {
        let caller = self.objects.caller();
        let who = Who { name: caller.name.clone(), role: caller.role, token: self.session.token.clone() };
        Frame { who: Some(who), ..Frame::outside("") }
    }
}

/// Answers a GET with a page.
pub(super) async fn show<T: Template>(
    page: Data<Page>,
    request: HttpRequest,
    make: impl FnOnce(&Visit) -> Result<T, Failure> + Send + 'static,
) -> HttpResponse {
    let _busy = server::answering(&request);
    let (entry, is_new) = match door::session(&page, &request).await {
        Some(entry) => (Some(entry), false),
        None => (door::enter(&page, &request).await, true),
    };
    let Some((secret, session)) = entry else { return door::log_in_for(&request) };
    let given = is_new.then(|| cookie::set(request.headers(), &secret));
    let fields = Fields::parse(request.query_string().as_bytes());
    let paged = |visit: &Visit| Answer::page(&make(visit)?);
    let response = answer(&page, &page.looks, &request, (secret, session, fields), paged).await;
    match given {
        Some(cookie) => reply::with_cookie(response, &cookie),
        None => response,
    }
}

/// Answers a POST of one of our forms, which must be one of this session's.
pub(super) async fn act(
    page: Data<Page>,
    request: HttpRequest,
    body: Payload,
    act: impl FnOnce(&Visit) -> Result<Answer, Failure> + Send + 'static,
) -> HttpResponse {
    let _busy = server::answering(&request);
    let Some((secret, session)) = door::session(&page, &request).await else { return door::log_in_for(&request) };
    let fields = match door::form(&request, body, LARGEST).await {
        Ok(fields) => fields,
        Err(failure) => return door::refused(&failure),
    };
    if !session.is_token(fields.text("token")) {
        return door::refused(&door::not_ours());
    }
    answer(&page, &page.changes, &request, (secret, session, fields), act).await
}

/// Has a request answered beside the event loop, as whoever the session belongs to is now.
pub(super) async fn answer(
    page: &Data<Page>,
    places: &Places,
    request: &HttpRequest,
    (secret, session, fields): (String, Session, Fields),
    answer: impl FnOnce(&Visit) -> Result<Answer, Failure> + Send + 'static,
) -> HttpResponse {
    let (caller, user) = (door::caller(&session, request), session.user.clone());
    let largest_file = server::largest_file(request);
    let here = page.clone();
    let work = move || {
        let standing = match here.users.standing(&session.user) {
            Ok(standing) => standing.filter(|standing| session.fits(standing)),
            Err(error) => return Answer::failed(Frame::outside(""), &Failure::ours(&error)),
        };
        let Some(standing) = standing else {
            here.sessions.end(&secret);
            return Answer::LogIn;
        };
        let objects = Objects::new(here.broker.clone(), Caller { role: standing.role, ..caller });
        let visit =
            Visit { objects, fields, events: here.events.clone(), now: here.clock.now(), largest_file, session };
        answer(&visit).unwrap_or_else(|failure| {
            Answer::failed(visit.frame("", "").unwrap_or_else(|_| visit.bare_frame()), &failure)
        })
    };
    match places.look_until(&user, Instant::now() + PATIENCE, work).await {
        Ok(Answer::Page(status, html)) => reply::html(status, html),
        Ok(Answer::Go(location)) => reply::go(&location),
        Ok(Answer::LogIn) => door::log_in_for(request),
        Err(fault) => {
            tracing::warn!("a page was not made in time: {}", fault.reason());
            door::refused(&Failure::busy())
        }
    }
}
