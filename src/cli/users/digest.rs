//! `quartermaster user digest`.

use clap::Subcommand;

use super::{Failure, Password, Place, audited, open, password};
use crate::access::Change;
use crate::cli::settings;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Switch {
    /// Keep what proves the user's password, sealed: it is as good as the password.
    On {
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// Forget it.
    Off {
        #[command(flatten)]
        place: Place,
    },
}

/// Does it; what it has to say is returned.
pub(super) fn run(name: &str, switch: Switch) -> Result<String, Failure> {
    match switch {
        Switch::On { password: _, place } => {
            let (users, password) = (open(&place)?.0, password()?);
            audited(&users, &Change::new("AllowDigest", name), || users.allow_digest(name, &password))?;
            let is_offered = !settings(place.config.as_deref(), place.state_dir)?.auth.digest.is_empty();
            let note = if is_offered { "" } else { "digests are not offered: see digest in [auth] of the settings\n" };
            Ok(format!("{name} may authenticate by digests\n{note}"))
        }
        Switch::Off { place } => {
            let users = open(&place)?.0;
            audited(&users, &Change::new("ForbidDigest", name), || users.forbid_digest(name))?;
            Ok(format!("{name} may not authenticate by digests\n"))
        }
    }
}
