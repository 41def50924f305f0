//! Kerberos as a client (RFC 4559): whoever has logged in to a realm shows each request's peer a ticket for its service `HTTP`.

#[cfg_attr(not(feature = "kerberos"), path = "no_initiator.rs")]
mod initiator;

use awc::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::initiator::Exchange;
#[cfg(feature = "kerberos")]
pub(crate) use self::initiator::words;
use super::ClientError;
use super::credentials::secret_header;

/// What stands before a token.
const SCHEME: &str = "Negotiate";

/// What is shown to one peer.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    host: String,
    bindings: Option<Box<[u8]>>,
}

/// A ticket that was shown, which the peer answers.
pub(super) struct Shown {
    host: String,
    exchange: Exchange,
}

impl Ticket {
    /// A ticket for this host, bound to connections with these channel bindings.
    pub(super) fn new(host: &str, bindings: Option<Box<[u8]>>) -> Self {
        Self { host: host.to_owned(), bindings }
    }

    /// What goes with a request. Who has none for this peer yet gets it from the realm.
    pub(super) async fn show(&self) -> Result<(HeaderValue, Shown), ClientError> {
        let Self { host, bindings } = self.clone();
        let begin = move || Exchange::begin(&host, bindings.as_deref());
        let begun = tokio::task::spawn_blocking(begin).await.unwrap_or_else(|_| Err("it broke down".to_owned()));
        let no_ticket =
            |why| ClientError::Unauthorized(format!("there is no Kerberos ticket for HTTP/{}: {why}", self.host));
        let (exchange, token) = begun.map_err(no_ticket)?;
        let header = secret_header(format!("{SCHEME} {}", STANDARD.encode(token)))?;
        Ok((header, Shown { host: self.host.clone(), exchange }))
    }
}

impl Shown {
    /// The peer has let us in, and these `WWW-Authenticate` headers came along: a token there must be that of the service that
    /// was meant.
    pub(super) fn is_answered<'h>(
        &mut self,
        headers: impl Iterator<Item = &'h HeaderValue>,
    ) -> Result<(), ClientError> {
        let Some(token) = headers.filter_map(token).find(|token| !token.is_empty()) else { return Ok(()) };
        let token = STANDARD.decode(token).map_err(|error| error.to_string());
        token
            .and_then(|token| self.exchange.finish(&token))
            .map_err(|why| ClientError::Unauthorized(format!("it does not prove that it is HTTP/{}: {why}", self.host)))
    }
}

/// The peer has answered 401 with these `WWW-Authenticate` headers.
pub(super) fn refused<'h>(mut headers: impl Iterator<Item = &'h HeaderValue>) -> ClientError {
    let why = match headers.any(|header| token(header).is_some()) {
        true => "it does not accept your Kerberos ticket (HTTP 401)",
        false => "it takes no Kerberos tickets (HTTP 401)",
    };
    ClientError::Unauthorized(why.to_owned())
}

/// What stands behind the scheme.
fn token(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_at_checked(SCHEME.len())?;
    let is_whole = token.is_empty() || token.starts_with([' ', ',']);
    (scheme.eq_ignore_ascii_case(SCHEME) && is_whole).then_some(token.trim_matches([' ', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_and_offers_told_from_them() {
        let read = |text: &'static str| token(&HeaderValue::from_static(text)).map(str::to_owned);
        assert_eq!(read("Negotiate YTpi").as_deref(), Some("YTpi"));
        assert_eq!(read("negotiate").as_deref(), Some(""));
        for other in ["Negotiation YTpi", "Basic realm=\"Negotiate\"", "Nego"] {
            assert_eq!(read(other), None, "{other}");
        }
        let refused = |text: &'static str| refused([HeaderValue::from_static(text)].iter()).to_string();
        assert!(refused("Basic realm=\"x\"").contains("takes no Kerberos tickets"));
        assert!(refused("Negotiate").contains("does not accept your Kerberos ticket"));
    }
}
