//! Why users cannot be changed or read.

use super::Identity;
use super::credentials::MAX_PASSWORD_LENGTH;
use super::password_hash::HashError;
use super::sealing::SealingError;
use crate::audit::Unrecorded;
use crate::store::StoreError;

/// Users cannot be changed or read.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name may not be a user's.
    #[error("a user name has 1 to 64 letters, digits, '.', '_', '@' and '-', and starts with a letter or a digit")]
    Name,
    /// There is no password.
    #[error("the password is empty")]
    PasswordEmpty,
    /// The password is too long.
    #[error("the password has {length} octets; {MAX_PASSWORD_LENGTH} are the most: take a shorter one")]
    PasswordTooLong {
        /// How long it is, in octets.
        length: usize,
    },
    /// The password has control characters.
    #[error("the password holds a control character, which no client can send")]
    PasswordControl,
    /// The name is taken.
    #[error("there is a user {0} already: remove it first, or set its password")]
    Exists(String),
    /// There is no such user.
    #[error("there is no user {0}")]
    Unknown(String),
    /// Nobody could add users any more.
    #[error("{0} is the last user with the role admin: add another one first")]
    LastAdmin(String),
    /// The identity means somebody already.
    #[error("{identity} means the user {owner} already: remove it there first")]
    IdentityTaken {
        /// The identity.
        identity: Identity,
        /// Whom it means.
        owner: String,
    },
    /// The user has no such identity.
    #[error("{identity} does not mean the user {user}")]
    NoSuchIdentity {
        /// The user.
        user: String,
        /// The identity.
        identity: Identity,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password could not be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(#[from] HashError),
    /// The password that was given is not the user's.
    #[error("this is not the password of {0}")]
    OtherPassword(String),
    /// There is no key to seal or open a digest's secret with.
    #[error(
        "the key that seals the secrets of digests is not there: start the server on this state directory \
         once, or switch the digest off"
    )]
    NoSealingKey,
    /// A digest's secret cannot be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// A digest cannot be made.
    #[error("a digest cannot be made: {0}")]
    Digest(#[source] openssl::error::ErrorStack),
    /// There are no random numbers.
    #[error("there are no random numbers: {0}")]
    Random(#[source] openssl::error::ErrorStack),
    /// The audit log cannot tell of it.
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    /// The generated password cannot be written.
    #[error("the first user's password cannot be written into the state directory: {0}")]
    InitialPassword(#[source] std::io::Error),
}
