//! Who a caller is and what it may do.
//!
//! This room knows nothing of HTTP: it is handed a name, a password and the peer's address, and says who that is.

mod attempts;
mod credentials;
mod first_start;
mod hashing;
mod keyed_digest;
pub mod private_file;
pub mod sealing;
#[cfg(test)]
pub(crate) mod testing;
mod users;
mod verdicts;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use credentials::{MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH, check_name, check_password};
pub use first_start::{FirstUser, INITIAL_PASSWORD_FILE, ensure_first_user, forget_initial_password};
pub use users::{Settings, Standing, User, UserError, Users, Verdict};

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
}

impl Caller {
    /// A caller who came over no network.
    pub fn new(name: impl Into<Arc<str>>, role: Role) -> Self {
        Self { name: name.into(), role, address: None }
    }
}

/// Writes a line of the audit log: who asks for which change. `change` holds no secrets.
///
/// The lines go to the `tracing` target `audit`. Nothing in `change` that a client sent can forge a line.
pub fn audit(caller: &Caller, change: &dyn fmt::Display) {
    let address = caller.address.map(tracing::field::display);
    tracing::info!(target: "audit", user = %caller.name, role = %caller.role, address, "{}", one_line(&change.to_string()));
}

/// Makes a change that the audit log tells of before it is made, and again if it is refused.
pub fn audited<T, E: fmt::Display>(
    caller: &Caller,
    change: &dyn fmt::Display,
    make: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    audit(caller, change);
    make().inspect_err(|error| audit(caller, &format_args!("refused: {change}: {error}")))
}

/// A text with each character escaped that ends a line, steers a terminal or is not shown, such as those that turn the
/// direction of writing.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => line.push(c),
            other => line.extend(other.escape_debug()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_audit_log_is_one_line() {
        let forged = "a\n2026-01-01 INFO audit: user=admin\u{1b}[2J\u{202e}\u{85}";
        assert_eq!(one_line(forged), r"a\n2026-01-01 INFO audit: user=admin\u{1b}[2J\u{202e}\u{85}");
        let path = r#"CIM_IndicationFilter.Name="über \"x\"","#;
        assert_eq!(one_line(path), path);
    }

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
