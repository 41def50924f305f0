//! The users: added, listed, removed, and asked for their passwords.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::sha::sha256;

use super::attempts::Attempts;
use super::hashing::Hashing;
use super::keyed_digest::Digest;
use super::nonces::Nonces;
use super::recognition::Recognised;
use super::sealing::SealingKey;
use super::user::role;
use super::verdict::{failed, later};
use super::verdicts::{Remembered, Verdicts};
use super::{
    Audit, Caller, PasswordHash, Role, Scheme, Standing, User, UserError, Verdict, check_name, check_password,
};
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

#[cfg(test)]
#[path = "users_tests.rs"]
pub(super) mod tests;
