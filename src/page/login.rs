//! Logging in and out.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::failure::Failure;
use super::fields::{Fields, LARGEST_OF_STRANGERS};
use super::frame::Frame;
use super::reply::{self, Answer};
use super::sessions::Way;
use super::{Page, cookie, door};
use crate::access::{Caller, Verdict};
use crate::server::{self, Origin};

/// Where a browser goes after the log-in if it asked for nothing else.
const START: &str = "/";

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame,
    next: &'a str,
    name: &'a str,
    problem: &'a str,
    /// Whom the certificate of the browser's connection means.
    certified: Option<&'a str>,
    /// Whether a page of another site led here: then the browser keeps the cookie of a session to itself (SameSite=Strict).
    is_led: bool,
}

/// The form.
pub(super) async fn form(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    let _busy = server::answering(&request);
    if door::session(&page, &request).await.is_some() {
        return reply::go(START);
    }
    let fields = Fields::parse(request.query_string().as_bytes());
    // A log-out takes the cookie away; whoever still has one was here for too long, or before a restart.
    let had_session = cookie::secret(request.headers()).is_some();
    let problem = if had_session { "Your session has ended. Log in again to go on." } else { "" };
    let certified = door::certified(&page, &request).await;
    let is_led = Origin::of(request.headers()) == Origin::Elsewhere;
    shown(StatusCode::OK, &fields, problem, (certified.as_ref().map(|caller| &*caller.name), is_led))
}

/// Takes a name and a password, and begins a session.
pub(super) async fn log_in(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    let _busy = server::answering(&request);
    let fields = match door::form(&request, body, LARGEST_OF_STRANGERS).await {
        Ok(fields) => fields,
        Err(failure) => return door::refused(&failure),
    };
    let peer = door::peer(&request);
    let (name, password) = (fields.text("name"), fields.verbatim("password"));
    match page.users.authenticate(peer, name, password.as_bytes()).await {
        Verdict::Known(caller) => begin(&page, &request, &fields, caller, peer).await,
        Verdict::Wrong => shown(StatusCode::FORBIDDEN, &fields, "The name or the password is wrong.", (None, false)),
        Verdict::Later(wait) => {
            let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            let problem = format!("Too many wrong passwords came from this address. Try again in {seconds} s.");
            let mut response = shown(StatusCode::TOO_MANY_REQUESTS, &fields, &problem, (None, false));
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
        Verdict::Busy => door::refused(&Failure::busy()),
        Verdict::Failed => {
            let problem = "The password could not be checked. The server's log tells why.";
            door::refused(&Failure::new(StatusCode::INTERNAL_SERVER_ERROR, problem))
        }
    }
}

/// Ends the session.
pub(super) async fn log_out(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    let Some((secret, session)) = door::session(&page, &request).await else { return reply::go("/login") };
    let fields = match door::form(&request, body, LARGEST_OF_STRANGERS).await {
        Ok(fields) => fields,
        Err(failure) => return door::refused(&failure),
    };
    if !session.is_token(fields.text("token")) {
        return door::refused(&door::not_ours());
    }
    page.sessions.end(&secret);
    reply::with_cookie(reply::go("/login"), &cookie::forget(request.headers()))
}

async fn begin(
    page: &Data<Page>,
    request: &HttpRequest,
    fields: &Fields,
    caller: Caller,
    peer: IpAddr,
) -> HttpResponse {
    let (here, earlier) = (page.clone(), cookie::secret(request.headers()));
    let begun = tokio::task::spawn_blocking(move || {
        let standing = here.users.standing(&caller.name).map_err(|error| Failure::ours(&error))?;
        let standing = standing.ok_or_else(|| Failure::invalid("The user was removed a moment ago."))?;
        // Whoever logs in anew does so with a new secret; the old one is of no more use to anybody.
        earlier.iter().for_each(|secret| here.sessions.end(secret));
        let secret = here.sessions.begin(&caller.name, Way::Password, &standing, here.clock.now());
        tracing::info!(user = %caller.name, %peer, "somebody logs in to the page");
        secret.map_err(|error| Failure::ours(&error))
    });
    match begun.await.unwrap_or_else(|error| Err(Failure::ours(&error))) {
        Ok(secret) => reply::with_cookie(reply::go(own(fields.text("next"))), &cookie::set(request.headers(), &secret)),
        Err(failure) => door::refused(&failure),
    }
}

fn shown(
    status: StatusCode,
    fields: &Fields,
    problem: &str,
    (certified, is_led): (Option<&str>, bool),
) -> HttpResponse {
    let (next, name) = (own(fields.text("next")), fields.text("name"));
    match Answer::page(&LoginPage { frame: Frame::outside("Log in"), next, name, problem, certified, is_led }) {
        Ok(Answer::Page(_, html)) => reply::html(status, html),
        Ok(_) => reply::go(START),
        Err(failure) => door::refused(&failure),
    }
}

/// An address of our own, or the start: nobody is led elsewhere from here.
fn own(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if is_path && is_plain { next } else { START }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_in_leads_to_our_own_pages_only() {
        assert_eq!(own("/software?q=a%20b&page=2"), "/software?q=a%20b&page=2");
        for other in ["", "software", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "/ä"] {
            assert_eq!(own(other), START, "{other:?}");
        }
    }
}
