//! Who comes in: the session of a request, forms that are ours, and everybody else.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header::ACCEPT;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded::byte_serialize;

use super::failure::Failure;
use super::fields::Fields;
use super::frame::Frame;
use super::reply::{self, Answer};
use super::sessions::{Session, Way};
use super::{Page, cookie};
use crate::access::{Caller, Role, Scheme, Verdict};
use crate::server::{self, Origin};

/// The session that the request's cookie names, with the secret in it. One that a certificate began counts only where the
/// connection has a certificate of the same user.
pub(super) async fn session(page: &Page, request: &HttpRequest) -> Option<(String, Session)> {
    let secret = cookie::secret(request.headers())?;
    let session = page.sessions.find(&secret, page.clock.now())?;
    let fits = session.way == Way::Password
        || certified(page, request).await.is_some_and(|caller| caller.name == session.user);
    fits.then_some((secret, session))
}

/// Whom the certificate of the request's connection means.
pub(super) async fn certified(page: &Page, request: &HttpRequest) -> Option<Caller> {
    match page.users.recognise(&server::certificate_of(request)?).await {
        Verdict::Known(caller) => Some(caller),
        _ => None,
    }
}

/// Begins a session for whoever the certificate of the connection means. A browser shows it whoever asks it for our pages, so
/// that what pages of other sites lead to begins none: they could else push a user's own sessions out.
pub(super) async fn enter(page: &Data<Page>, request: &HttpRequest) -> Option<(String, Session)> {
    if Origin::of(request.headers()) == Origin::Elsewhere {
        return None;
    }
    let caller = certified(page, request).await?;
    let (here, peer) = (page.clone(), peer(request));
    let begun = tokio::task::spawn_blocking(move || {
        let standing = here.users.standing(&caller.name).inspect_err(|error| drop(Failure::ours(error))).ok()??;
        let now = here.clock.now();
        let secret = here.sessions.begin(&caller.name, Way::Certificate, &standing, now);
        let secret = secret.inspect_err(|error| drop(Failure::ours(error))).ok()?;
        tracing::info!(user = %caller.name, %peer, "somebody comes to the page with a certificate");
        let session = here.sessions.find(&secret, now)?;
        Some((secret, session))
    });
    begun.await.ok()?
}

/// Where a request comes from.
pub(super) fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

/// Whoever a session belongs to, as the caller of this request. The role is the least one until it was looked up.
pub(super) fn caller(session: &Session, request: &HttpRequest) -> Caller {
    let caller = Caller::new(session.user.clone(), Role::Viewer);
    let scheme = match session.way {
        Way::Password => Scheme::Page,
        Way::Certificate => Scheme::Certificate,
    };
    Caller { scheme: Some(scheme), address: Some(peer(request)), request: server::let_in(request), ..caller }
}

/// The same with the role that the user has now.
pub(super) async fn caller_now(page: &Data<Page>, session: &Session, request: &HttpRequest) -> Result<Caller, Failure> {
    let (here, user) = (page.clone(), session.user.clone());
    let look = move || here.users.standing(&user).map_err(|error| Failure::ours(&error));
    let standing = tokio::task::spawn_blocking(look).await.map_err(|error| Failure::ours(&error))??;
    let standing = standing.filter(|standing| session.fits(standing)).ok_or_else(not_ours)?;
    Ok(Caller { role: standing.role, ..caller(session, request) })
}

/// The fields of a POST that one of our own pages sent, in so many octets at most.
pub(super) async fn form(request: &HttpRequest, body: Payload, largest: usize) -> Result<Fields, Failure> {
    check_origin(request)?;
    Fields::receive(body, largest).await
}

/// Lets a form pass only from one of our own pages, as far as the browser tells. What is no browser tells nothing; the token of
/// its session must do then.
pub(super) fn check_origin(request: &HttpRequest) -> Result<(), Failure> {
    match Origin::of(request.headers()) {
        Origin::OwnPage | Origin::NotTold => Ok(()),
        Origin::Person | Origin::Elsewhere => Err(not_ours()),
    }
}

/// A form that none of our pages of this session sent.
pub(super) fn not_ours() -> Failure {
    Failure::new(
        StatusCode::FORBIDDEN,
        "Nothing was changed: the form is not one of this session. Go back, reload the page and try again.",
    )
}

/// Leads to the form of the log-in, and from there to what was asked for, if it was only to be looked at.
pub(super) fn log_in_for(request: &HttpRequest) -> HttpResponse {
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    if *request.method() != Method::GET || asked == "/" {
        return reply::go("/login");
    }
    reply::go(&format!("/login?next={}", byte_serialize(asked.as_bytes()).collect::<String>()))
}

/// The answer where there is nothing: a page for browsers, a line for others.
pub(super) async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return refused(&Failure::not_found("There is no such page."));
    }
    server::nothing_here().await
}

/// A page that says why nothing was done, for whoever it may be.
pub(super) fn refused(failure: &Failure) -> HttpResponse {
    match Answer::failed(Frame::outside(""), failure) {
        Answer::Page(status, html) => reply::html(status, html),
        Answer::Go(_) | Answer::LogIn => reply::go("/"),
    }
}
