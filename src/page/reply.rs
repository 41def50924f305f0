//! Answers of HTTP, with what keeps a browser from doing more with them than showing them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use askama::Template;

use super::failure::Failure;
use super::frame::{FailurePage, Frame};

/// Nothing but our own style, script, forms and images; nobody may put a page of ours into one of theirs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What goes with every answer. With the referrer left out altogether, browsers would not tell where a form stood either.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Whatever a handler answers, before it is sent.
#[derive(Debug)]
pub(super) enum Answer {
    /// A page.
    Page(StatusCode, String),
    /// Another address to go to, with GET.
    Go(String),
    /// First somebody must log in.
    LogIn,
}

impl Answer {
    /// A page that is as it was asked for.
    pub(super) fn page(template: &impl Template) -> Result<Self, Failure> {
        Ok(Self::Page(StatusCode::OK, template.render().map_err(|error| Failure::ours(&error))?))
    }

    /// A page that says why there is no other.
    pub(super) fn failed(frame: Frame, failure: &Failure) -> Self {
        let page = FailurePage::new(frame, failure);
        // The template has nothing in it that can fail; if it did, the sentence alone would do.
        Self::Page(failure.status, page.render().unwrap_or_else(|_| failure.message.clone().into()))
    }
}

/// A page; it is never kept by a browser, since others may use it after who was logged in.
pub(super) fn html(status: StatusCode, page: String) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8").insert_header((CACHE_CONTROL, "no-store"));
    with_headers(response.body(page))
}

/// Another address to go to, with GET.
pub(super) fn go(location: &str) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    with_headers(response.finish())
}

/// Gives the browser a cookie.
pub(super) fn with_cookie(mut response: HttpResponse, cookie: &str) -> HttpResponse {
    if let Ok(value) = cookie.parse() {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

/// Adds what goes with every answer.
pub(super) fn with_headers(mut response: HttpResponse) -> HttpResponse {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, actix_web::http::header::HeaderValue::from_static(value));
    }
    response
}
