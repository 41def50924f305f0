//! Who we are to a host, and how we know it. What the command line says goes before what `hosts.toml` says, and that before what
//! is always so.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::outcome::{Failed, HostError};
use super::super::password;
use super::{CONNECT, Host, Hosts, Place, Who, folder};
use crate::client::{IdentityFiles, Login, Scheme};
use crate::config::HostSettings;
use crate::console::{Endpoint, KnownHosts, SessionSettings, Trust, fingerprint};

/// The variable that may hold the user's name.
const USER: &str = "QUARTERMASTER_USER";

/// Passwords that were asked for, by the user: nobody types one twice.
pub(super) type Typed = HashMap<String, Zeroizing<String>>;

impl Hosts {
    /// The host with all that is needed to talk to it. What is wrong with its own settings is its own trouble; what is wrong
    /// with the command line, or with the terminal, is an error.
    pub(super) fn host(&self, place: Place, who: Who, typed: &mut Typed) -> Result<Host, Failed> {
        let Place { name, known, way } = place;
        let (endpoint, trust) = match way {
            Ok(way) => way,
            Err(error) => return Ok(Host { name, way: Err(error) }),
        };
        // Read once more for each host; a file of passwords is small.
        let own_password = self.password_file.as_deref().map(password::of_file).transpose()?;
        let way = match self.settings(&endpoint, trust, &known, who, own_password, typed) {
            Ok(settings) => Ok((endpoint, settings)),
            Err(failed @ Failed::Usage(_)) => Err(HostError::Settings(failed)),
            Err(other) => return Err(other),
        };
        Ok(Host { name, way })
    }

    fn settings(
        &self,
        endpoint: &Endpoint,
        trust: Trust,
        known: &HostSettings,
        who: Who,
        own_password: Option<Zeroizing<String>>,
        typed: &mut Typed,
    ) -> Result<SessionSettings, Failed> {
        let identity = self.identity(known)?;
        let scheme = if self.digest || known.digest == Some(true) { Scheme::Digest } else { Scheme::Basic };
        let is_open = !endpoint.url().is_tls() && !self.allow_unencrypted;
        let is_readable = scheme == Scheme::Basic && is_open;
        let shows_tickets = self.shows_tickets(known);
        // Strangers are answered, too.
        let tickets = shows_tickets && !(is_open && who == Who::Anybody);
        if tickets && is_open {
            return Err(Failed::Usage(format!(
                "{endpoint} would get your ticket where others could pass it on: name it with https, or give \
                 --allow-unencrypted"
            )));
        }
        let is_needed = who == Who::Known && identity.is_none();
        let user = if shows_tickets { None } else { self.user(endpoint, known, is_needed)? };
        let login = match user {
            // Strangers are answered, too.
            Some(_) if is_readable && who == Who::Anybody => None,
            Some(user) => {
                let password = password_of(&user, endpoint, known, own_password, typed)?;
                Some(Login::new(scheme, user, password).map_err(|error| Failed::Usage(error.to_string()))?)
            }
            None => None,
        };
        if login.is_some() && is_readable {
            return Err(Failed::Usage(format!(
                "{endpoint} would get your password where others can read it: name it with https, or give \
                 --allow-unencrypted"
            )));
        }
        let patience = Duration::from_secs(self.timeout.into());
        Ok(SessionSettings { login, tickets, identity, trust, patience, connect: CONNECT })
    }

    /// Who names a user on the command line means that one, whatever `hosts.toml` says.
    fn shows_tickets(&self, known: &HostSettings) -> bool {
        let is_user_named = self.user.is_some() || self.password_file.is_some() || self.digest;
        self.negotiate || (known.negotiate == Some(true) && !is_user_named)
    }

    fn identity(&self, known: &HostSettings) -> Result<Option<IdentityFiles>, Failed> {
        let (certificate, key) = match (&self.certificate, &self.key) {
            (None, _) => (known.certificate.as_deref().map(at_home), known.key.as_deref().map(at_home)),
            own => (own.0.clone(), own.1.clone()),
        };
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(IdentityFiles { certificate, key })),
            (None, None) => Ok(None),
            _ => Err(Failed::Usage("hosts.toml: certificate and key belong together: give both or neither".to_owned())),
        }
    }

    pub(super) fn trust(&self, known: &HostSettings) -> Result<Trust, Failed> {
        if let Some(file) = &self.cacert {
            return Ok(Trust::Authorities(file.clone()));
        }
        if let Some(thumbprint) = self.fingerprint {
            return Ok(Trust::Certificate(thumbprint));
        }
        if let Some(text) = &known.fingerprint {
            let thumbprint = fingerprint(text).map_err(|error| Failed::Usage(format!("hosts.toml: {error}")))?;
            return Ok(Trust::Certificate(thumbprint));
        }
        match &known.cacert {
            Some(file) => Ok(Trust::Authorities(at_home(file))),
            None => Ok(Trust::Remembered(KnownHosts::new(folder()?.join("known_hosts")))),
        }
    }

    fn user(&self, endpoint: &Endpoint, known: &HostSettings, is_needed: bool) -> Result<Option<String>, Failed> {
        let user = self.user.clone().or_else(|| known.user.clone()).or_else(|| env::var(USER).ok());
        match user.filter(|user| !user.is_empty()) {
            None if is_needed => {
                Err(Failed::Usage(format!("who are you to {endpoint}? Give --user NAME or set {USER}")))
            }
            user => Ok(user),
        }
    }
}

fn password_of(
    user: &str,
    endpoint: &Endpoint,
    known: &HostSettings,
    own_password: Option<Zeroizing<String>>,
    typed: &mut Typed,
) -> Result<Zeroizing<String>, Failed> {
    if let Some(password) = own_password {
        return Ok(password);
    }
    if let Some(file) = &known.password_file {
        return password::of_file(&at_home(file));
    }
    if let Some(password) = password::of_environment().or_else(|| typed.get(user).cloned()) {
        return Ok(password);
    }
    let password = password::of_person(user, endpoint.name())?;
    typed.insert(user.to_owned(), password.clone());
    Ok(password)
}

/// A path of `hosts.toml`, which may begin with `~/` as in a shell.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME").filter(|home| !home.is_empty())) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.to_owned(),
    }
}
