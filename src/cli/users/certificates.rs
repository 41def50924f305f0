//! `quartermaster user certificate`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use openssl::x509::X509;

use super::{Failure, Place, identities};
use crate::access::{Identity, IdentityKind, PeerCertificate};

/// A file with a certificate is not larger.
const MAX_FILE: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Let certificates mean a user.
    Add {
        /// The user's name.
        name: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// List which certificates mean whom.
    List {
        /// The user's name; all users without it.
        name: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Let certificates mean a user no longer.
    Remove {
        /// The user's name.
        name: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Show what a certificate says that can mean a user.
    Show {
        /// The certificate, in PEM.
        file: PathBuf,
    },
}

/// Which certificates.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Which {
    /// The one with this SHA-1 or SHA-256, in hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    thumbprint: Option<String>,
    /// The one in this PEM file.
    #[arg(long, value_name = "PEM")]
    file: Option<PathBuf>,
    /// All of the trusted authorities with exactly this subject (RFC 2253), such as "CN=ann,O=Example".
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// All of the trusted authorities with this subject alternative name: dns:NAME, email:ADDRESS or upn:NAME.
    #[arg(long, value_name = "KIND:NAME")]
    san: Option<String>,
}

impl Which {
    fn identity(&self) -> Result<Identity, Failure> {
        match self {
            Self { thumbprint: Some(text), .. } => Ok(Identity::new(IdentityKind::Thumbprint, text)?),
            Self { subject: Some(text), .. } => Ok(Identity::new(IdentityKind::Subject, text)?),
            Self { san: Some(text), .. } => Ok(Identity::alternative_name(text)?),
            Self { file: Some(file), .. } => Ok(certificate(file)?.thumbprint().clone()),
            Self { thumbprint: None, subject: None, san: None, file: None } => {
                Err("say which certificates: --thumbprint, --file, --subject or --san".into())
            }
        }
    }
}

/// Does it; what it has to say is returned.
pub(super) fn run(action: Action) -> Result<String, Failure> {
    match action {
        Action::Add { name, which, place } => {
            let identity = which.identity()?;
            identities::add(&place, "AddCertificate", &name, &identity)?;
            Ok(format!("{identity} means {name}\n"))
        }
        Action::Remove { name, which, place } => {
            let identity = which.identity()?;
            identities::remove(&place, "RemoveCertificate", &name, &identity)?;
            Ok(format!("{identity} no longer means {name}\n"))
        }
        Action::List { name, place } => identities::listed(&place, name.as_deref(), true, Identity::to_string),
        Action::Show { file } => Ok(certificate(&file)?.says().map(|identity| format!("{identity}\n")).collect()),
    }
}

fn certificate(file: &Path) -> Result<PeerCertificate, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut pem = Vec::new();
    let opened = File::open(file).and_then(|opened| opened.take(MAX_FILE).read_to_end(&mut pem));
    opened.map_err(|error| unreadable(&error))?;
    let certificate = X509::from_pem(&pem).map_err(|_| unreadable(&"it holds no certificate in PEM"))?;
    PeerCertificate::new(&certificate, true).map_err(|error| unreadable(&error).into())
}
