//! Where hosts deliver what happens: the command line, and `hosts.toml` for what it does not say.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::hosts::named_hosts;
use super::outcome::Failed;
use super::output::harmless;
use crate::client::{Identity, IdentityFiles};
use crate::clock::{Clock, SystemClock};
use crate::config::ListenerSettings;
use crate::console::{Encryption, Listener, ListenerError};

/// Where and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listener")]
pub(super) struct Listening {
    /// Have the hosts tell here what happens, where they can reach this machine; port 0 takes a free one [default: it is pulled].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// What the hosts call this machine, if not by the address that it has on the way to them.
    #[arg(long, value_name = "HOST[:PORT]")]
    listen_as: Option<String>,
    /// A certificate (PEM) that the hosts trust [default: one is made, and each host is told which].
    #[arg(long, value_name = "FILE", requires = "listen_key", conflicts_with = "listen_unencrypted")]
    listen_certificate: Option<PathBuf>,
    /// Its key (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "listen_certificate")]
    listen_key: Option<PathBuf>,
    /// Have it told without encryption, where others may read it.
    #[arg(long)]
    listen_unencrypted: bool,
    /// Say how hosts tell what happens, and why not in a better way.
    #[arg(long, short = 'v')]
    verbose: bool,
}

/// A listener, if there is one, and what is said about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ear {
    pub(super) listener: Option<Listener>,
    /// Whether the person asked for it, and not only a file.
    pub(super) is_wanted: bool,
    is_verbose: bool,
}

impl Listening {
    /// Begins to listen, if that is wanted and somebody is to be heard.
    pub(super) fn begin(&self) -> Result<Ear, Failed> {
        let mut ear = Ear { listener: None, is_wanted: self.listen.is_some(), is_verbose: self.verbose };
        let Some(settings) = self.settings()? else { return Ok(ear) };
        match bind(settings) {
            Ok(listener) => ear.listener = Some(listener),
            Err(error) if ear.is_wanted => return Err(Failed::Usage(error.to_string())),
            Err(error) => ear.note("this machine", &error.to_string()),
        }
        Ok(ear)
    }

    /// What the command line says goes before what `hosts.toml` says.
    fn settings(&self) -> Result<Option<ListenerSettings>, Failed> {
        let known = named_hosts()?.listener;
        let Some(address) = self.listen.or_else(|| known.as_ref().map(|known| known.address)) else { return Ok(None) };
        let known = known.unwrap_or_else(|| ListenerSettings::at(address));
        let is_own = self.listen_certificate.is_some() || self.listen_unencrypted;
        let (certificate, key) = if is_own {
            (self.listen_certificate.clone(), self.listen_key.clone())
        } else {
            (known.certificate, known.key)
        };
        Ok(Some(ListenerSettings {
            address,
            name: self.listen_as.clone().or(known.name),
            certificate,
            key,
            unencrypted: self.listen_unencrypted || known.unencrypted && self.listen_certificate.is_none(),
        }))
    }
}

fn bind(settings: ListenerSettings) -> Result<Listener, ListenerError> {
    let encryption = match (settings.unencrypted, settings.certificate, settings.key) {
        (true, ..) => Encryption::None,
        (false, Some(certificate), Some(key)) => {
            Encryption::Vouched(Identity::load(&IdentityFiles { certificate, key })?)
        }
        (false, ..) => Encryption::Named(Identity::made(SystemClock.now())?),
    };
    Listener::bind(settings.address, settings.name, encryption)
}

impl Ear {
    /// Says how a host is listened to, if the person wants to know.
    pub(super) fn note(&self, host: &str, how: &str) {
        if self.is_verbose {
            let _ = writeln!(io::stderr(), "quartermaster: {host}: {}", harmless(how));
        }
    }
}
