//! What cannot be shown or done, and what a person can do about it.

use std::borrow::Cow;
use std::error::Error;

use actix_web::http::StatusCode;

use crate::cim::{CimError, CimStatus, Circumstance};

/// Why there is no page.
#[derive(Debug)]
pub(super) struct Failure {
    /// The status of HTTP that says the same.
    pub(super) status: StatusCode,
    /// What went wrong, in a sentence that says what to change.
    pub(super) message: Cow<'static, str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request is not one of our forms, or what was filled in does not fit.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing.
    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Too much is under way.
    pub(super) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too much is under way. Try again in a moment.")
    }

    /// Our own failure; the log tells what it was.
    pub(super) fn ours(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "a page cannot be made");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be made. The server's log tells why.")
    }

    /// What the status says in one or two words.
    pub(super) fn title(&self) -> &'static str {
        match self.status {
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::PAYLOAD_TOO_LARGE => "Too large",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Busy",
            StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
            _ => "Not possible",
        }
    }
}

impl From<CimError> for Failure {
    fn from(error: CimError) -> Self {
        if let Some(source) = &error.source {
            tracing::error!(error = &**source as &dyn Error, "{}", error.message);
        }
        let status = match (error.status, error.circumstance) {
            (_, Circumstance::InUse) => StatusCode::SERVICE_UNAVAILABLE,
            (CimStatus::AccessDenied, _) => StatusCode::FORBIDDEN,
            (CimStatus::NotFound, _) => StatusCode::NOT_FOUND,
            _ if error.source.is_some() => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.message)
    }
}
