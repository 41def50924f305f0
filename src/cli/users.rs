//! `quartermaster user`.

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, settings};
use crate::access::{Role, forget_initial_password};
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
            open(&place)?.0.add(&name, role, &password()?)?;
            format!("added {name} ({role})\n")
        }
        Action::SetPassword { name, password: _, place } => {
            let (users, state_dir) = open(&place)?;
            users.set_password(&name, &password()?)?;
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
            users.remove(&name)?;
            forget_initial_password(&state_dir, &name)?;
            format!("removed {name}\n")
        }
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(())
}

fn open(place: &Place) -> Result<(crate::access::Users, PathBuf), Failure> {
    let config = settings(place.config.as_deref(), place.state_dir.clone())?;
    app::become_owner_of(&config.state_dir)?;
    Ok((app::open_users(&config)?, config.state_dir))
}

/// One password, without the line end that a terminal or `echo` puts behind it.
fn password() -> Result<Vec<u8>, Failure> {
    let mut input = Vec::new();
    std::io::stdin().take(MAX_INPUT).read_to_end(&mut input)?;
    let password = input.strip_suffix(b"\n").unwrap_or(&input);
    Ok(password.strip_suffix(b"\r").unwrap_or(password).to_vec())
}
