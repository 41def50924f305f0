//! Who comes in: the session of a request, forms that are ours, and everybody else.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::{Method, StatusCode};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded::byte_serialize;

use super::failure::Failure;
use super::fields::Fields;
use super::frame::Frame;
use super::reply::{self, Answer};
use super::sessions::Session;
use super::{Page, cookie, origin};
use crate::access::{Caller, Role};
use crate::server;

/// The session that the request's cookie names, with the secret in it.
pub(super) fn session(page: &Page, request: &HttpRequest) -> Option<(String, Session)> {
    let secret = cookie::secret(request.headers())?;
    let session = page.sessions.find(&secret, page.clock.now())?;
    Some((secret, session))
}

/// Where a request comes from.
pub(super) fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

/// Whoever a session belongs to, as the caller of this request. The role is the least one until it was looked up.
pub(super) fn caller(session: &Session, request: &HttpRequest) -> Caller {
    let caller = Caller::new(session.user.clone(), Role::Viewer);
    Caller { address: Some(peer(request)), request: server::let_in(request), ..caller }
}

/// The fields of a POST that one of our own pages sent.
pub(super) async fn form(request: &HttpRequest, body: Payload) -> Result<Fields, Failure> {
    if !origin::is_ours(request.headers()) {
        return Err(not_ours());
    }
    Fields::receive(body).await
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

/// A page that says why nothing was done, for whoever it may be.
pub(super) fn refused(failure: &Failure) -> HttpResponse {
    match Answer::failed(Frame::outside(""), failure) {
        Answer::Page(status, html) => reply::html(status, html),
        Answer::Go(_) | Answer::LogIn => reply::go("/"),
    }
}
