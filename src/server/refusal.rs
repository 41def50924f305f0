//! What the transport refuses by itself, as HTTP says it; everything else is the service's to answer.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::soap::{Addressing, Encoding, Fault, FaultDetail, FaultKind};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No credentials, or wrong ones.
    Unauthorized,
    /// A browser sends it for a page of another site.
    AnotherSite,
    /// Too many wrong passwords from this peer.
    Later(Duration),
    /// Too many passwords to check.
    Busy,
    /// Too many requests are being answered, in all or of this user.
    Overloaded,
    /// The users cannot be asked.
    Failed,
    /// The Content-Type is not one of SOAP.
    MediaType,
    /// The body is larger than what is read.
    TooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// The body did not come in time.
    TooSlow,
    /// The body did not come whole.
    Broken,
    /// The user sends another package file.
    Uploading,
    /// A package file would fill the disk.
    NoRoom,
    /// A package file cannot be stored.
    NotStored,
}

impl Refusal {
    /// Whether part of the body may still be on its way, so that the connection is of no more use.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::TooSlow | Self::Broken | Self::Uploading | Self::NoRoom | Self::NotStored
        )
    }

    /// The answer, in SOAP if there is a fault for it and the client reads SOAP.
    pub(super) fn response(&self, reads_soap: bool) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        match self {
            Self::Later(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                response.insert_header((header::RETRY_AFTER, seconds.max(1).to_string()));
            }
            Self::Busy | Self::Overloaded | Self::Uploading => drop(response.insert_header((header::RETRY_AFTER, "1"))),
            _ => {}
        }
        if self.ends_connection() {
            response.force_close();
        }
        match self.fault().filter(|_| reads_soap) {
            Some(fault) => {
                response.content_type(Encoding::Utf8.content_type()).body(fault.to_message(&Addressing::default()))
            }
            None => response.content_type("text/plain; charset=utf-8").body(self.message()),
        }
    }

    /// The fault that tells the same as the status, where DSP0226 has one (14.6, wsman:EncodingLimit, wsman:QuotaLimit).
    fn fault(&self) -> Option<Fault> {
        let detail = match self {
            Self::Uploading | Self::Overloaded => {
                return Some(Fault::new(FaultKind::QuotaLimit, self.message().trim_end().to_owned()));
            }
            Self::TooLarge { .. } => FaultDetail::ServiceEnvelopeLimit,
            Self::MediaType => FaultDetail::EncodingType,
            _ => return None,
        };
        Some(Fault::detailed(FaultKind::EncodingLimit, detail, self.message().trim_end().to_owned()))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::AnotherSite => StatusCode::FORBIDDEN,
            Self::Later(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Uploading => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
            Self::NotStored => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthorized => {
                "Prove who you are: with a user's name and password, or in another way that WWW-Authenticate names.\n"
                    .to_owned()
            }
            Self::AnotherSite => "Pages of other sites may send nothing to this service.\n".to_owned(),
            Self::Later(_) => "Too many wrong passwords came from this address. Try again later.\n".to_owned(),
            Self::Busy => "Too many passwords wait to be checked. Try again in a moment.\n".to_owned(),
            Self::Overloaded => {
                "Too many requests are being answered, of this user or in all. Try again in a moment.\n".to_owned()
            }
            Self::Failed => "The request could not be checked. The server's log tells why.\n".to_owned(),
            Self::MediaType => {
                "Send SOAP 1.2 as application/soap+xml, in UTF-8 or UTF-16, neither compressed nor encrypted.\n"
                    .to_owned()
            }
            Self::TooLarge { limit } => format!("The request is too large: {limit} octets are the most.\n"),
            Self::TooSlow => "The request's body did not come in time.\n".to_owned(),
            Self::Broken => "The request's body did not come whole.\n".to_owned(),
            Self::Uploading => {
                "Another package file of this user is being received. Send one after the other.\n".to_owned()
            }
            Self::NoRoom => "There is not enough room for the package file on the host's disk.\n".to_owned(),
            Self::NotStored => "The package file could not be stored. The server's log tells why.\n".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")] {
            let response = Refusal::Later(Duration::from_millis(millis)).response(true);
            assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), seconds);
        }
    }
}
