//! `quartermaster user`.

mod certificates;
mod digest;
mod identities;
mod principals;

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, leave_to_owner_of, settings};
use crate::access::{Caller, Change, Made, Role, UserError, Users, forget_initial_password};
use crate::app;

/// More than the longest password, so that a longer one is told from it.
const MAX_INPUT: u64 = 4096;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Add a user.
    Add {
        /// The name.
        name: String,
        /// What the user may do: viewer, operator or admin.
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// Give a user another password.
    SetPassword {
        /// The name.
        name: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// List the users: name, role, and when they were added.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Remove a user.
    Remove {
        /// The name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Let a user prove by digests that it knows its password, or not.
    Digest {
        /// The name.
        name: String,
        #[command(subcommand)]
        switch: digest::Switch,
    },
    /// Say which certificates of clients mean which user.
    Certificate {
        #[command(subcommand)]
        action: certificates::Action,
    },
    /// Say which Kerberos principals mean which user.
    Principal {
        #[command(subcommand)]
        action: principals::Action,
    },
}

/// Where the users are.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's state directory.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Where the password comes from: never from the command line, which others can read.
#[derive(Debug, Args)]
pub(super) struct Password {
    /// Read the password from the standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// Does it, also while a server runs on the same state directory.
pub(super) fn run(action: Action) -> Result<(), Failure> {
    let said = match action {
        Action::Add { name, role, password: _, place } => {
            let (users, password) = (open(&place)?.0, password()?);
            let change = Change::new("AddUser", &name).with(format!("role {role}"));
            audited(&users, &change, || users.add(&name, role, &password))?;
            format!("added {name} ({role})\n")
        }
        Action::SetPassword { name, password: _, place } => {
            let (users, state_dir) = open(&place)?;
            let password = password()?;
            audited(&users, &Change::new("SetPassword", &name), || users.set_password(&name, &password))?;
            forget_initial_password(&state_dir, &name)?;
            format!("set the password of {name}\n")
        }
        Action::List { place } => {
            let line = |user: crate::access::User| {
                format!("{}\t{}\t{}\n", user.name, user.role, user.created.format("%Y-%m-%dT%H:%M:%SZ"))
            };
            open(&place)?.0.list()?.into_iter().map(line).collect()
        }
        Action::Remove { name, place } => {
            let (users, state_dir) = open(&place)?;
            audited(&users, &Change::new("RemoveUser", &name), || users.remove(&name))?;
            forget_initial_password(&state_dir, &name)?;
            format!("removed {name}\n")
        }
        Action::Digest { name, switch } => digest::run(&name, switch)?,
        Action::Certificate { action } => certificates::run(action)?,
        Action::Principal { action } => principals::run(action)?,
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(())
}

/// Makes a change that the audit log tells of, by the user of the operating system who gives the command.
fn audited(users: &Users, change: &Change, make: impl FnOnce() -> Result<(), UserError>) -> Result<(), UserError> {
    users.audit().change(&Caller::new(operator(), Role::Admin), change, make, |()| Made::default())
}

/// Who gives the command: the user of this process, and who they logged in as, which stays the same after su and sudo.
fn operator() -> String {
    let uid = app::invoker();
    let logged_in = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    match logged_in {
        // The kernel's word for: nobody logged in.
        None | Some(u32::MAX) => format!("uid {uid} on the command line"),
        Some(logged_in) => format!("uid {uid} on the command line, logged in as uid {logged_in}"),
    }
}

fn open(place: &Place) -> Result<(Users, PathBuf), Failure> {
    let config = settings(place.config.as_deref(), place.state_dir.clone())?;
    leave_to_owner_of(&config.state_dir)?;
    Ok((app::open_users(&config)?, config.state_dir))
}

/// One password, without the line end that a terminal or `echo` puts behind it.
fn password() -> Result<Vec<u8>, Failure> {
    let mut input = Vec::new();
    std::io::stdin().take(MAX_INPUT).read_to_end(&mut input)?;
    let password = input.strip_suffix(b"\n").unwrap_or(&input);
    Ok(password.strip_suffix(b"\r").unwrap_or(password).to_vec())
}
