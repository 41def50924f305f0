//! Authentication at a subscriber's sink: kept sealed, opened for delivery.

use std::sync::Arc;

use crate::access::sealing::{SealingError, SealingKey};
use crate::client::{Client, Login, Scheme, SinkCredentials, Thumbprint, Url};
use crate::wire::{LoginScheme, OwnCertificate, SinkSecurity};

/// Why deliveries cannot authenticate as the subscriber asks.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecurityError {
    /// The peer asks for what cannot be done.
    #[error("{0}")]
    Unusable(String),
    /// What is kept cannot be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// There is nothing to seal it with.
    #[error("this service keeps no credentials of sinks")]
    NoKey,
    /// What was sealed is not what this program wrote.
    #[error("the credentials of a sink are damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// What the client needs to authenticate at the sink; `None` if nothing was asked for.
pub(super) fn credentials(sink: &Url, security: &SinkSecurity) -> Result<Option<Arc<SinkCredentials>>, SecurityError> {
    if *security == SinkSecurity::default() {
        return Ok(None);
    }
    let mut credentials = SinkCredentials::new(sink.clone());
    let profile = security.profile;
    if let (Some(scheme), Some(user)) = (profile.and_then(|profile| profile.login()), &security.user) {
        let scheme = match scheme {
            LoginScheme::Basic => Scheme::Basic,
            LoginScheme::Digest => Scheme::Digest,
        };
        let login = Login::new(scheme, user.name.as_str(), user.password.clone());
        credentials = credentials.with_login(login.map_err(|error| SecurityError::Unusable(error.to_string()))?);
    }
    if profile.is_some_and(|profile| profile.shows_certificate()) {
        credentials = credentials.with_identity();
    }
    if let Some(certificate) = &security.sink_certificate {
        credentials = credentials.with_peer_certificate(thumbprint(certificate.as_str())?);
    }
    Ok(Some(Arc::new(credentials)))
}

/// Whether the service has a certificate that the subscriber takes, if one is to be shown. That is asked when the
/// subscription is made: a certificate that is renewed later, or missing for a while, ends none.
pub(super) fn check_identity(client: &Client, security: &SinkSecurity) -> Result<(), SecurityError> {
    if !security.profile.is_some_and(|profile| profile.shows_certificate()) {
        return Ok(());
    }
    let unusable = |why: &str| SecurityError::Unusable(why.to_owned());
    let identity = client
        .identity()
        .ok_or_else(|| unusable("this service has no certificate to show to sinks: take another profile"))?;
    let mut is_wanted = security.own_certificates.is_empty();
    for wanted in &security.own_certificates {
        is_wanted |= match wanted {
            OwnCertificate::Is(digits) => identity.is(&thumbprint(digits.as_str())?),
            OwnCertificate::IssuedBy(digits) => identity.is_issued_by(&thumbprint(digits.as_str())?),
        };
    }
    if is_wanted { Ok(()) } else { Err(unusable("this service has none of the certificates that are named")) }
}

fn thumbprint(digits: &str) -> Result<Thumbprint, SecurityError> {
    digits.parse().map_err(|error: crate::client::ThumbprintError| SecurityError::Unusable(error.to_string()))
}

/// As it is stored with a subscription of this name; `None` if there is nothing to keep.
pub(super) fn seal(
    key: Option<&SealingKey>,
    security: &SinkSecurity,
    subscription: &str,
) -> Result<Option<String>, SecurityError> {
    if *security == SinkSecurity::default() {
        return Ok(None);
    }
    let text = zeroize::Zeroizing::new(serde_json::to_vec(security)?);
    Ok(Some(key.ok_or(SecurityError::NoKey)?.seal(&text, subscription)?))
}

/// What was stored, opened.
pub(super) fn open(
    key: Option<&SealingKey>,
    sealed: Option<&str>,
    subscription: &str,
) -> Result<SinkSecurity, SecurityError> {
    let Some(sealed) = sealed else { return Ok(SinkSecurity::default()) };
    Ok(serde_json::from_slice(&key.ok_or(SecurityError::NoKey)?.open(sealed, subscription)?)?)
}
