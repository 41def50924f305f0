//! Who a caller is and what it may do.
//!
//! This room knows nothing of HTTP. It is handed what a caller claims (a name and a password, with the peer's address) or what
//! the transport has proven (a certificate, a Kerberos principal), and says who that is.

mod attempts;
mod audit;
mod certificate;
mod credentials;
mod der;
mod digest;
mod distinguished_name;
mod first_start;
mod hashing;
mod identity;
mod keyed_digest;
mod nonces;
mod password_hash;
mod principal;
pub mod private_file;
mod recognition;
mod request_id;
pub mod sealing;
#[cfg(test)]
pub(crate) mod testing;
mod user;
mod user_error;
mod users;
mod verdict;
mod verdicts;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use attempts::network_of;
pub use audit::{Audit, Change, Made};
pub use certificate::PeerCertificate;
pub use credentials::{MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH, check_name, check_password};
pub use digest::{DigestAlgorithm, DigestClaim, REALM, StaleNonce};
pub use first_start::{FirstUser, INITIAL_PASSWORD_FILE, ensure_first_user, forget_initial_password};
pub use identity::{Identity, IdentityError, IdentityKind};
pub use password_hash::HashError;
use password_hash::PasswordHash;
pub use principal::Principal;
pub use recognition::UserIdentity;
pub use request_id::RequestId;
pub use user::{Standing, User};
pub use user_error::UserError;
pub use users::{Settings, Users};
pub use verdict::Verdict;

/// What a user may do; each role may do what the roles before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read and subscribe.
    Viewer,
    /// Install, change repositories, handle its own jobs and subscriptions.
    Operator,
    /// Handle everybody's jobs and subscriptions, users and the audit log.
    Admin,
}

impl Role {
    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no role: it is viewer, operator or admin"))
    }
}

/// A caller whose identity was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The user's name.
    pub name: Arc<str>,
    /// The user's role.
    pub role: Role,
    /// Where the request came from; `None` if it came over no network.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The request that it came with; `None` if it came with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// How the caller proved who it is; `None` if it came over no network.
    #[serde(default)]
    pub scheme: Option<Scheme>,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// A name and a password in each request.
    Basic,
    /// The certificate of its TLS connection.
    Certificate,
    /// A digest of its password in each request.
    Digest,
    /// A session of the page, which a name and a password began.
    Page,
    /// A Kerberos ticket in each request.
    Kerberos,
}

impl Scheme {
    /// The scheme's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Certificate => "certificate",
            Self::Digest => "digest",
            Self::Page => "page",
            Self::Kerberos => "kerberos",
        }
    }
}

impl Caller {
    /// A caller who came over no network.
    pub fn new(name: impl Into<Arc<str>>, role: Role) -> Self {
        Self { name: name.into(), role, address: None, request: None, scheme: None }
    }

    /// The service itself, for what it does without being asked.
    pub fn service() -> Self {
        Self::new(env!("CARGO_PKG_NAME"), Role::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_spelt_as_they_are_stored() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        assert!("Admin".parse::<Role>().is_err());
    }
}
