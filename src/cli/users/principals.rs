//! `quartermaster user principal`.

use clap::Subcommand;

use super::{Failure, Place, identities};
use crate::access::{Identity, IdentityKind};
use crate::cli::settings;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Let a principal mean a user, whatever the principal's name is.
    Add {
        /// The user's name.
        name: String,
        /// The principal, as klist shows it, such as ann/admin@EXAMPLE.ORG.
        principal: String,
        #[command(flatten)]
        place: Place,
    },
    /// List which principals mean whom.
    List {
        /// The user's name; all users without it.
        name: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Let a principal mean a user no longer.
    Remove {
        /// The user's name.
        name: String,
        /// The principal.
        principal: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Does it; what it has to say is returned.
pub(super) fn run(action: Action) -> Result<String, Failure> {
    match action {
        Action::Add { name, principal, place } => {
            let identity = Identity::new(IdentityKind::Principal, &principal)?;
            identities::add(&place, "AddPrincipal", &name, &identity)?;
            let is_taken = settings(place.config.as_deref(), place.state_dir)?.auth.kerberos_keytab.is_some();
            let note =
                if is_taken { "" } else { "tickets are not taken: see kerberos_keytab in [auth] of the settings\n" };
            Ok(format!("{principal} means {name}\n{note}"))
        }
        Action::Remove { name, principal, place } => {
            let identity = Identity::new(IdentityKind::Principal, &principal)?;
            identities::remove(&place, "RemovePrincipal", &name, &identity)?;
            Ok(format!("{principal} no longer means {name}\n"))
        }
        Action::List { name, place } => {
            identities::listed(&place, name.as_deref(), false, |identity| identity.value().to_owned())
        }
    }
}
