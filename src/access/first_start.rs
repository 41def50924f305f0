//! The first user: without one nobody could get in.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Caller, Change, Made, Role, UserError, Users, private_file};

/// The file below the state directory that holds the first user's generated password.
pub const INITIAL_PASSWORD_FILE: &str = "initial-password";

const FIRST_USER: &str = "admin";

/// The user that was made because there was none, as long as its generated password holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUser {
    /// The name.
    pub name: String,
    /// The file that holds the password.
    pub password_file: PathBuf,
}

/// Adds the user `admin` with a generated password if there is no user at all, and tells of it at every start until the
/// password is changed. Blocks.
pub fn ensure_first_user(users: &Users, state_dir: &Path) -> Result<Option<FirstUser>, UserError> {
    let first = FirstUser { name: FIRST_USER.to_owned(), password_file: state_dir.join(INITIAL_PASSWORD_FILE) };
    if !users.list()?.is_empty() {
        return Ok(first.password_file.is_file().then_some(first));
    }
    let mut random = [0; 18];
    openssl::rand::rand_bytes(&mut random).map_err(UserError::Random)?;
    let password = URL_SAFE_NO_PAD.encode(random);
    // The file first: a crash in between leaves a password without a user, which the next start replaces.
    private_file::write(&first.password_file, password.as_bytes()).map_err(UserError::InitialPassword)?;
    let change = Change::new("AddUser", FIRST_USER).with(format!("role {}, at the first start", Role::Admin));
    let service = Caller::new(env!("CARGO_PKG_NAME"), Role::Admin);
    let add = || users.add(FIRST_USER, Role::Admin, password.as_bytes());
    users.audit().change(&service, &change, add, |()| Made::default())?;
    Ok(Some(first))
}

/// Removes the file with the generated password, once `name` is the first user and its password no longer holds.
pub fn forget_initial_password(state_dir: &Path, name: &str) -> io::Result<()> {
    if name != FIRST_USER {
        return Ok(());
    }
    match std::fs::remove_file(state_dir.join(INITIAL_PASSWORD_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
