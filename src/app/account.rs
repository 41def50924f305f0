//! The user that a process of root gives itself or others, so that it can do less.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::{fmt, fs, io, thread};

use rustix::process::{geteuid, getuid};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use super::relay::Relay;
use crate::config::{Config, SERVICE_USER};

/// What a command of root's tells the process that does its work as another user. Whoever else sets it is that user, and could write
/// the files of that user without this program.
const INVOKED_BY: &str = "QUARTERMASTER_INVOKED_BY";

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

/// The numbers of a user and of its group, written `UID:GID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    uid: u32,
    gid: u32,
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

impl FromStr for Numbers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (uid, gid) = text.split_once(':').ok_or("UID:GID is wanted")?;
        let number = |text: &str| text.parse().map_err(|_| "UID and GID are numbers");
        Ok(Self { uid: number(uid)?, gid: number(gid)? })
    }
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
    /// Its numbers.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers { uid: self.uid, gid: self.gid }
    }

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

/// Makes this process of root's one of another user, by starting its program anew with the same words. It gets a session of its own
/// first, while nobody else can reach into it: afterwards other processes of that user can, and would find a terminal there.
/// Returns only if that fails.
pub fn become_user(user: Numbers) -> io::Error {
    if let Err(error) = rustix::process::setsid() {
        return error.into();
    }
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_else(|| env!("CARGO_PKG_NAME").into());
    // Its other groups go with root's user.
    Command::new("/proc/self/exe").arg0(name).args(words).uid(user.uid).gid(user.gid).exec()
}

/// Has another process do this one's work, as the user whose folder this is, if this one is root's and the folder another's: below a
/// folder that another user can write, root follows no paths. That process gets what comes to our standard input and nothing of our
/// terminal; gives how it ended. `None` is for this process to do the work itself.
pub fn done_by_owner_of(folder: &Path) -> io::Result<Option<ExitStatus>> {
    let owner = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !geteuid().is_root() || owner.uid() == 0 {
        return Ok(None);
    }
    if std::env::var_os(INVOKED_BY).is_some() {
        return Err(become_user(Numbers { uid: owner.uid(), gid: owner.gid() }));
    }
    let ((stdout, says), (stderr, complains)) = (Relay::to(io::stdout())?, Relay::to(io::stderr())?);
    let mut child = Command::new("/proc/self/exe")
        .args(std::env::args_os().skip(1))
        .env(INVOKED_BY, getuid().as_raw().to_string())
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // Not waited for: a command that reads nothing ends while nobody types.
        thread::Builder::new().name("input".to_owned()).spawn(move || io::copy(&mut io::stdin(), &mut input))?;
    }
    let status = child.wait()?;
    says.end();
    complains.end();
    Ok(Some(status))
}

/// The user who gave the command, also in the process that [`done_by_owner_of`] started.
pub fn invoker() -> u32 {
    let before = std::env::var(INVOKED_BY).ok().and_then(|uid| uid.parse().ok());
    before.unwrap_or_else(|| getuid().as_raw())
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
