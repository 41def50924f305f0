//! The fields of a query or of a form.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use url::form_urlencoded;

use super::failure::Failure;

/// The largest form of somebody who is logged in, in octets: that of many updates names each package.
pub(super) const LARGEST: usize = 128 * 1024;
/// The largest of somebody who is not: a name, a password, and an address to go on to.
pub(super) const LARGEST_OF_STRANGERS: usize = 8 * 1024;
/// How long a browser may take to send one.
const LONGEST: Duration = Duration::from_secs(30);

/// Names and values, in the order of the form.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a query or a body in `application/x-www-form-urlencoded`.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Reads the body of a POST, bounded in size and time.
    pub(super) async fn receive(body: web::Payload, largest: usize) -> Result<Self, Failure> {
        let whole = tokio::time::timeout(LONGEST, body.to_bytes_limited(largest)).await;
        match whole {
            Ok(Ok(Ok(octets))) => Ok(Self::parse(&octets)),
            Ok(Ok(Err(_))) => Err(Failure::invalid("The form did not come whole.")),
            Ok(Err(_)) => {
                let text = format!("The form is larger than the {largest} octets that are read.");
                Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, text))
            }
            Err(_) => Err(Failure::invalid("The form did not come in time.")),
        }
    }

    /// The first value of a field, without blanks around it; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The value as it was sent, blanks and all.
    pub(super) fn verbatim(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A number that counts from 1; 1 if it is not there or none.
    pub(super) fn number(&self, name: &str) -> usize {
        self.text(name).parse().ok().filter(|&number| number > 0).unwrap_or(1)
    }
}
