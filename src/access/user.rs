//! A user as it is stored.

use chrono::{DateTime, Utc};

use super::Role;
use crate::store::StoreError;
use crate::store::users::UserRow;

/// A user as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// When the user was added.
    pub created: DateTime<Utc>,
}

/// How a user stands at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The role.
    pub role: Role,
    /// A digest of what is stored of the password: another one after the password was set anew.
    pub credentials: [u8; 32],
}

pub(super) fn role(row: &UserRow) -> Result<Role, StoreError> {
    row.role.parse().map_err(|message| StoreError::damaged("user", message))
}
