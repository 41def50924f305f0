//! The user that a process of root gives itself or others, so that it can do less.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use crate::config::{Config, SERVICE_USER};

/// A user of this host, by its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What it is called in messages.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// The user of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is none of this name.
    #[error("user: there is no user {0:?} in /etc/passwd")]
    Unknown(String),
    /// The list of users cannot be read.
    #[error("cannot read /etc/passwd: {0}")]
    Read(#[from] io::Error),
}

impl Account {
    /// The user that the process which faces the network is to run as; `None` if it is the user of this process.
    pub fn of_service(config: &Config) -> Result<Option<Self>, AccountError> {
        let asked = config.user.as_deref();
        if !geteuid().is_root() || asked == Some("root") {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        match (Self::find(&accounts, asked.unwrap_or(SERVICE_USER)), asked) {
            (None, Some(name)) => Err(AccountError::Unknown(name.to_owned())),
            (found, _) => Ok(found.filter(|account| account.uid != 0)),
        }
    }

    /// Looks for a name, or a number, in the lines of `passwd(5)`. A number needs no line: its group then has the same.
    fn find(accounts: &str, user: &str) -> Option<Self> {
        let number = user.parse::<u32>().ok();
        let found = accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, uid, gid) = (fields.next()?, fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (name == user || number == Some(uid)).then(|| Self { name: name.to_owned(), uid, gid })
        });
        found.or_else(|| number.map(|number| Self { name: user.to_owned(), uid: number, gid: number }))
    }
}

/// Has this process, and all that it starts, gain no further rights, whatever programs it starts. To be called before it has
/// further threads.
pub(super) fn renounce() -> io::Result<()> {
    set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

/// Makes this process, if it is root's, one of the user whose folder this is, by starting its program anew: below a folder that
/// another user can write, root follows no paths. Returns at once where there is nothing to do.
pub fn become_owner_of(folder: &Path) -> io::Result<()> {
    let owner = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let arguments = std::env::args_os().skip(1);
    Err(Command::new("/proc/self/exe").args(arguments).uid(owner.uid()).gid(owner.gid()).exec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_number_and_a_number_needs_no_account() {
        let accounts = "root:x:0:0::/root:/bin/sh\n+@net::::::\nquartermaster:x:998:997::/:/sbin/nologin\n";
        let account = |name: &str, uid, gid| Some(Account { name: name.to_owned(), uid, gid });
        assert_eq!(Account::find(accounts, "quartermaster"), account("quartermaster", 998, 997));
        assert_eq!(Account::find(accounts, "998"), account("quartermaster", 998, 997));
        assert_eq!(Account::find(accounts, "4711"), account("4711", 4711, 4711));
        assert_eq!(Account::find(accounts, "nobody"), None);
    }
}
