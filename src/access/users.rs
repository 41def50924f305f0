//! The users: added, listed, removed, and asked for their passwords.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use openssl::sha::sha256;

use super::attempts::Attempts;
use super::credentials::MAX_PASSWORD_LENGTH;
use super::hashing::Hashing;
use super::keyed_digest::Digest;
use super::nonces::Nonces;
use super::password_hash::HashError;
use super::recognition::Recognised;
use super::sealing::{SealingError, SealingKey};
use super::verdicts::{Remembered, Verdicts};
use super::{Audit, Caller, Identity, PasswordHash, Role, Scheme, check_name, check_password};
use crate::audit::Unrecorded;
use crate::clock::SharedClock;
use crate::config::Live;
use crate::store::users::{self, UserRow};
use crate::store::{Store, StoreError, digests};

/// Everybody who may ask.
///
/// The server is the store's only writer, with one exception: `quartermaster user` writes the user table while the server
/// runs. SQLite's write-ahead log and its busy time-out make that safe, and the server looks at a user's row again
/// at most a second after its last look.
#[derive(Debug)]
pub struct Users {
    pub(super) store: Arc<Store>,
    pub(super) clock: SharedClock,
    password_hash: Live<PasswordHash>,
    verdicts: Verdicts,
    pub(super) attempts: Attempts,
    /// Held by whoever looks at a digest.
    pub(super) digesting: Mutex<()>,
    hashing: Hashing,
    hashes_done: AtomicU64,
    pub(super) recognised: Recognised,
    audit: Audit,
    pub(super) nonces: Nonces,
    pub(super) sealing_key: Option<Arc<SealingKey>>,
}

/// How passwords are handled.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a right password is remembered after its last use.
    pub cache: Duration,
    /// The memory that the hash of a password takes, in MiB.
    pub hash_mebibytes: u32,
}

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

/// What a name and a password are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are a user's.
    Known(Caller),
    /// They are nobody's.
    Wrong,
    /// This peer was wrong too often: nothing was looked at, and nothing will be before this time has passed.
    Later(Duration),
    /// Too many passwords wait for their hash: nothing was looked at.
    Busy,
    /// The store or the hash failed; the log tells why.
    Failed,
}

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

impl Users {
    /// The users in this store.
    pub fn new(store: Arc<Store>, clock: SharedClock, settings: Settings) -> Result<Self, UserError> {
        Ok(Self {
            store,
            clock,
            password_hash: Live::new(PasswordHash::new(settings.hash_mebibytes)),
            verdicts: Verdicts::new(settings.cache).map_err(UserError::Random)?,
            attempts: Attempts::default(),
            digesting: Mutex::default(),
            hashing: Hashing::new(),
            hashes_done: AtomicU64::new(0),
            recognised: Recognised::default(),
            audit: Audit::default(),
            nonces: Nonces::new().map_err(UserError::Random)?,
            sealing_key: None,
        })
    }

    /// Has these settings hold from now on.
    pub fn take(&self, settings: Settings) {
        self.password_hash.replace(PasswordHash::new(settings.hash_mebibytes));
        self.verdicts.remember_for(settings.cache);
    }

    /// The same, whose wrong logins are told to this audit log.
    pub fn with_audit(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The same users, whose digests' secrets are sealed with this key.
    #[must_use]
    pub fn with_sealing_key(self, key: Arc<SealingKey>) -> Self {
        Self { sealing_key: Some(key), ..self }
    }

    /// Adds a user. Blocks, as the hash takes its time.
    pub fn add(&self, name: &str, role: Role, password: &[u8]) -> Result<(), UserError> {
        check_name(name)?;
        check_password(password)?;
        let hash = self.password_hash.get().make(password)?;
        let row = UserRow { name: name.to_owned(), role: role.as_str().to_owned(), hash, created: self.clock.now() };
        if self.store.write(|t| users::insert(t, &row))? { Ok(()) } else { Err(UserError::Exists(row.name)) }
    }

    /// Gives a user another password. Blocks.
    pub fn set_password(&self, name: &str, password: &[u8]) -> Result<(), UserError> {
        check_password(password)?;
        let hash = self.password_hash.get().make(password)?;
        let digest = self.renewed_digest(name, password)?;
        let found = self.store.write(|t| {
            if let Some(sealed) = &digest {
                digests::set(t, name, sealed)?;
            }
            users::set_hash(t, name, &hash)
        })?;
        self.verdicts.forget(name);
        if found { Ok(()) } else { Err(UserError::Unknown(name.to_owned())) }
    }

    /// Removes a user, but not the last administrator. Blocks.
    pub fn remove(&self, name: &str) -> Result<(), UserError> {
        let removed = self.store.write(|t| {
            let Some(row) = users::find(t, name)? else { return Err(UserError::Unknown(name.to_owned())) };
            let admin = Role::Admin.as_str();
            if row.role == admin && users::count_role(t, admin)? == 1 {
                return Err(UserError::LastAdmin(row.name));
            }
            users::remove(t, name).map_err(UserError::from)
        });
        self.verdicts.forget(name);
        removed.map(|_| ())
    }

    /// All users, by name. Blocks.
    pub fn list(&self) -> Result<Vec<User>, UserError> {
        let rows = self.store.read(users::all)?;
        rows.into_iter()
            .map(|row| Ok(User { role: role(&row)?, name: row.name, created: row.created }))
            .collect::<Result<_, StoreError>>()
            .map_err(UserError::from)
    }

    /// The role that a user has now; `None` if there is no such user. Blocks.
    pub fn role_of(&self, name: &str) -> Result<Option<Role>, StoreError> {
        let row = self.store.read(|c| users::find(c, name))?;
        row.map(|row| role(&row)).transpose()
    }

    /// How a user stands now: the role, and whether the credentials are still those of an earlier look; `None` if there is no
    /// such user. Blocks.
    pub fn standing(&self, name: &str) -> Result<Option<Standing>, StoreError> {
        let row = self.store.read(|c| users::find(c, name))?;
        row.map(|row| Ok(Standing { role: role(&row)?, credentials: sha256(row.hash.as_bytes()) })).transpose()
    }

    /// Says whose name and password these are.
    ///
    /// A right password that is remembered is answered at once, whatever others do. Any other costs one hash, for names
    /// that nobody has as well, behind a bounded queue; see [`Verdict`] for when it is not even tried.
    pub async fn authenticate(self: &Arc<Self>, peer: IpAddr, name: &str, password: &[u8]) -> Verdict {
        if check_name(name).is_err() || check_password(password).is_err() {
            return Verdict::Wrong;
        }
        let digest = self.verdicts.digest(name, password);
        match self.verdicts.look_up(name, &digest, self.clock.now()) {
            Some(Remembered::Right(caller)) => return Verdict::Known(caller),
            Some(Remembered::Check(caller, hash)) if self.still_holds(&caller, &hash).await => {
                return Verdict::Known(caller);
            }
            Some(Remembered::Check(caller, _)) => self.verdicts.forget(&caller.name),
            None => {}
        }
        if let Some(wait) = self.attempts.wait(peer, name, self.clock.now()) {
            return later(wait);
        }
        let (users, name, password) = (self.clone(), name.to_owned(), password.to_owned());
        // The blocking thread's log lines belong to this request.
        let span = tracing::Span::current();
        let work = move || span.in_scope(|| users.verify(peer, &name, &password, digest));
        self.hashing.run(digest, peer, work).await
    }

    /// How many passwords were hashed in answer to [`Self::authenticate`].
    pub fn hashes_done(&self) -> u64 {
        self.hashes_done.load(Ordering::Relaxed)
    }

    /// Whether the user's row still says what it said when the password was found right.
    async fn still_holds(self: &Arc<Self>, caller: &Caller, hash: &str) -> bool {
        let (users, caller, hash) = (self.clone(), caller.clone(), hash.to_owned());
        let look = move || {
            let row = users.store.read(|c| users::find(c, &caller.name));
            row.is_ok_and(|row| row.is_some_and(|row| row.hash == hash && row.role == caller.role.as_str()))
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }

    fn verify(&self, peer: IpAddr, name: &str, password: &[u8], digest: Digest) -> Verdict {
        // Those before it in the queue may have used up this peer's attempts.
        let now = self.clock.now();
        if let Some(wait) = self.attempts.wait(peer, name, now) {
            return later(wait);
        }
        match self.verify_now(name, password) {
            Ok(Some((caller, hash))) => {
                self.attempts.succeeded(peer, name);
                self.verdicts.remember(digest, &caller, &hash, now, self.clock.now());
                Verdict::Known(caller)
            }
            Ok(None) => self.wrong(peer, Scheme::Basic, name),
            Err(error) => failed(&error),
        }
    }

    /// Counts a wrong name or password.
    pub(super) fn wrong(&self, peer: IpAddr, scheme: Scheme, name: &str) -> Verdict {
        self.attempts.failed(peer, name, self.clock.now());
        self.audit.wrong_login(peer, scheme, name);
        Verdict::Wrong
    }

    /// Hashes once, whether there is such a user or not.
    fn verify_now(&self, name: &str, password: &[u8]) -> Result<Option<(Caller, String)>, UserError> {
        self.hashes_done.fetch_add(1, Ordering::Relaxed);
        if let Some(row) = self.store.read(|c| users::find(c, name))? {
            if !PasswordHash::verify(password, &row.hash)? {
                return Ok(None);
            }
            let role = role(&row)?;
            let hash =
                if self.password_hash.get().is_current(&row.hash) { row.hash } else { self.made_anew(&row, password)? };
            return Ok(Some((Caller::new(row.name, role), hash)));
        }
        match self.store.read(users::oldest)? {
            // A user's hash costs what a user's hash costs, whatever the setting was when it was made.
            Some(other) => drop(PasswordHash::verify(password, &other.hash)?),
            None => drop(self.password_hash.get().make(password)?),
        }
        Ok(None)
    }

    /// The hash of a right password as hashes are made now, in place of the one that another setting or version made.
    fn made_anew(&self, row: &UserRow, password: &[u8]) -> Result<String, UserError> {
        let hash = self.password_hash.get().make(password)?;
        let is_replaced = self.store.write(|t| users::replace_hash(t, &row.name, &row.hash, &hash))?;
        Ok(if is_replaced { hash } else { row.hash.clone() })
    }
}

pub(super) fn role(row: &UserRow) -> Result<Role, StoreError> {
    row.role.parse().map_err(|message| StoreError::Damaged { table: "user", message })
}

pub(super) fn later(wait: TimeDelta) -> Verdict {
    Verdict::Later(wait.to_std().unwrap_or(Duration::ZERO))
}

pub(super) fn failed(error: &(dyn std::error::Error + 'static)) -> Verdict {
    tracing::error!(error, "a password could not be checked");
    Verdict::Failed
}

#[cfg(test)]
#[path = "users_tests.rs"]
pub(super) mod tests;
