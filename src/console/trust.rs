//! Whom a console takes for the host it means: as ssh does it, or by certificate authorities.

use std::path::PathBuf;
use std::time::Duration;

use super::{ConsoleError, Endpoint, KnownHost, KnownHosts};
use crate::client::{AddressRules, PeerCertificate, Thumbprint};

/// What may stand before a fingerprint.
const KIND: &str = "sha256:";

/// How a host is known.
#[derive(Clone, Debug)]
pub enum Trust {
    /// A certificate authority vouches for it: one of this file (PEM).
    Authorities(PathBuf),
    /// It has this certificate.
    Certificate(Thumbprint),
    /// It has the certificate that it had when it was first met.
    Remembered(KnownHosts),
}

/// A host that is met for the first time.
#[derive(Clone, Debug)]
pub struct FirstMeeting {
    /// Its name and port.
    pub peer: String,
    /// What it shows.
    pub certificate: PeerCertificate,
}

/// What somebody says to a host that is met for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the right one, and is to be remembered.
    Trust,
    /// It is not, or nobody knows.
    Refuse,
}

/// Why a host is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum Unmet {
    /// Nobody said that it is the right one.
    #[error("it is not known yet, and nobody confirmed its certificate (SHA-256 {shown})")]
    Unknown {
        /// What it shows.
        shown: Thumbprint,
    },
    /// It is not the one that it was.
    #[error(
        "it has another certificate than before: SHA-256 {shown}, and not {known}. Either somebody stands in for it, or \
         it has got a new one. Ask its operator; if it is new, remove the line of {peer} from {} and connect again", .file.display()
    )]
    Changed {
        /// Its name and port.
        peer: String,
        /// What it shows.
        shown: Thumbprint,
        /// What it showed before.
        known: Thumbprint,
        /// Where that is kept.
        file: PathBuf,
    },
    /// It is not the one that was named.
    #[error("it has another certificate than the one that was named: SHA-256 {shown}, and not {named}")]
    Other {
        /// What it shows.
        shown: Thumbprint,
        /// What was named.
        named: Thumbprint,
    },
    /// None of the authorities vouches for it.
    #[error(
        "its certificate (SHA-256 {shown}) is vouched for by none of the authorities in {}, or is not of that host, \
         or not of this time", .file.display()
    )]
    Unvouched {
        /// What it shows.
        shown: Thumbprint,
        /// The authorities.
        file: PathBuf,
    },
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons between them")]
pub struct FingerprintError;

/// Reads the SHA-256 of a certificate as people and tools write it: digits, with or without colons between the octets, and
/// with or without `SHA256:` before them.
pub fn fingerprint(text: &str) -> Result<Thumbprint, FingerprintError> {
    let text = text.trim();
    let digits = match text.split_at_checked(KIND.len()) {
        Some((kind, digits)) if kind.eq_ignore_ascii_case(KIND) => digits,
        _ => text,
    };
    match digits.replace(':', "").parse() {
        Ok(sha256 @ Thumbprint::Sha256(_)) => Ok(sha256),
        Ok(Thumbprint::Sha1(_)) | Err(_) => Err(FingerprintError),
    }
}

impl Trust {
    /// The certificate that the host must have, if it is known by one. Who is met for the first time is shown to `decide`.
    pub async fn pin(
        &self,
        endpoint: &Endpoint,
        patience: Duration,
        decide: &dyn Fn(&FirstMeeting) -> Decision,
    ) -> Result<Option<Thumbprint>, ConsoleError> {
        match self.meeting(endpoint, patience).await? {
            Some(meeting) => {
                let decision = decide(&meeting);
                self.decided(meeting, decision).map(Some)
            }
            None => self.known(endpoint),
        }
    }

    /// What the host shows that somebody must decide about, since it is met for the first time.
    pub async fn meeting(&self, endpoint: &Endpoint, patience: Duration) -> Result<Option<FirstMeeting>, ConsoleError> {
        if !endpoint.url().is_tls() || !matches!(self, Self::Remembered(_)) || self.known(endpoint)?.is_some() {
            return Ok(None);
        }
        Ok(Some(FirstMeeting { peer: endpoint.peer(), certificate: shown(endpoint, patience).await? }))
    }

    /// Takes the word of whoever decided about a first meeting; gives the certificate by which the host is known from now on.
    pub fn decided(&self, meeting: FirstMeeting, decision: Decision) -> Result<Thumbprint, ConsoleError> {
        let FirstMeeting { peer, certificate } = meeting;
        let thumbprint = certificate.thumbprint;
        match (decision, self) {
            (Decision::Refuse, _) => Err(Unmet::Unknown { shown: thumbprint }.into()),
            (Decision::Trust, Self::Remembered(known)) => Ok(known.remember(&KnownHost { peer, thumbprint })?),
            (Decision::Trust, _) => Ok(thumbprint),
        }
    }

    fn known(&self, endpoint: &Endpoint) -> Result<Option<Thumbprint>, ConsoleError> {
        match self {
            _ if !endpoint.url().is_tls() => Ok(None),
            Self::Authorities(_) => Ok(None),
            Self::Certificate(thumbprint) => Ok(Some(*thumbprint)),
            Self::Remembered(known) => Ok(known.find(&endpoint.peer())?),
        }
    }

    /// Why the host was not trusted just now.
    pub(super) async fn why_not(&self, endpoint: &Endpoint, patience: Duration) -> ConsoleError {
        let peer = endpoint.peer();
        let shown = match shown(endpoint, patience).await {
            Ok(certificate) => certificate.thumbprint,
            Err(error) => return error,
        };
        let why = match self {
            Self::Authorities(file) => Unmet::Unvouched { shown, file: file.clone() },
            Self::Certificate(named) => Unmet::Other { shown, named: *named },
            Self::Remembered(known) => match known.find(&peer) {
                Ok(Some(before)) => Unmet::Changed { peer, shown, known: before, file: known.path().to_owned() },
                Ok(None) => Unmet::Unknown { shown },
                Err(error) => return error.into(),
            },
        };
        why.into()
    }
}

/// What the host shows of itself, before anything is told to it.
pub(super) async fn shown(endpoint: &Endpoint, patience: Duration) -> Result<PeerCertificate, ConsoleError> {
    let url = endpoint.url().clone();
    let asked = tokio::task::spawn_blocking(move || PeerCertificate::of(&url, &AddressRules::anywhere(), patience));
    match asked.await {
        Ok(shown) => Ok(shown?),
        Err(_) => Err(ConsoleError::Unreachable(crate::client::ClientError::Stopped)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_write_them() {
        let digits = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [digits.clone(), colons.clone(), format!(" sha256:{digits}\n"), format!("SHA256:{colons}")] {
            assert_eq!(fingerprint(&text), Ok(Thumbprint::Sha256([0xab; 32])), "{text}");
        }
        for wrong in ["", "sha256:", &"ab".repeat(20), "zz", "sha1:ab", "ä€sha256"] {
            assert_eq!(fingerprint(wrong), Err(FingerprintError), "{wrong}");
        }
    }
}
