//! Which hosts a command is for, who we are to them, and how we know them: the command line, and `hosts.toml` for what it
//! does not say.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use zeroize::Zeroizing;

use super::outcome::Failed;
use super::{ask, password};
use crate::client::{IdentityFiles, Login, Scheme, Thumbprint};
use crate::config::{HostSettings, NamedHosts};
use crate::console::{Decision, Endpoint, FirstMeeting, KnownHosts, SessionSettings, Trust, fingerprint};

/// The variable that may hold the user's name.
const USER: &str = "QUARTERMASTER_USER";
/// This host.
const HERE: &str = "127.0.0.1";
/// The longest time to find, reach and greet a host, each.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest file of hosts, in octets.
const LARGEST_LIST: u64 = 1024 * 1024;

/// Where a command goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hosts")]
pub(super) struct Hosts {
    /// The hosts: HOST, HOST:PORT, https://HOST:PORT/PATH, or the name of a host or a group of hosts.toml; several with
    /// commas between them [default: this host].
    #[arg(long, short = 'H', value_name = "HOST,…", value_delimiter = ',', action = ArgAction::Append)]
    host: Vec<String>,
    /// A file with a host in each line; what stands behind # is a comment.
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// How many hosts are asked at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
    /// Who you are to them [default: $QUARTERMASTER_USER]. The password is $QUARTERMASTER_PASSWORD, or is asked for.
    #[arg(long, short = 'u', value_name = "NAME")]
    user: Option<String>,
    /// A file that holds the password in its first line and that nobody else may read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Answer with digests (RFC 7616) and do not send the password itself.
    #[arg(long)]
    digest: bool,
    /// Your certificate (PEM), for hosts that know you by it.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The key of your certificate (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Trust hosts that the certificate authorities of this file (PEM) vouch for, and no others.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fingerprint", "accept_new_certificate"])]
    cacert: Option<PathBuf>,
    /// Trust the host whose certificate has this SHA-256, and no other.
    #[arg(long, value_name = "SHA256", value_parser = fingerprint)]
    fingerprint: Option<Thumbprint>,
    /// Trust a host that is met for the first time without asking, and remember its certificate.
    #[arg(long)]
    accept_new_certificate: bool,
    /// Send a password to a host whose URL says http, where others may read it.
    #[arg(long)]
    allow_unencrypted: bool,
    /// How long a host may take for one request, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
    /// The hosts that somebody did not take for the right ones.
    #[arg(skip)]
    refused: RefCell<HashSet<String>>,
}

/// A host, and how it is talked to.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) endpoint: Endpoint,
    pub(super) settings: SessionSettings,
}

/// Whether a command needs to say who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// It does.
    Known,
    /// Strangers are answered, too.
    Anybody,
}

/// Passwords that were asked for, by the user: nobody types one twice.
type Typed = HashMap<String, Zeroizing<String>>;

impl Hosts {
    /// The hosts that are meant, each once.
    pub(super) async fn chosen(&self, who: Who) -> Result<Vec<Host>, Failed> {
        let named = named_hosts()?;
        let mut words = self.host.clone();
        if let Some(file) = &self.hosts {
            words.extend(listed(file)?);
        } else if words.is_empty() {
            words.push(HERE.to_owned());
        }
        let mut names: Vec<&str> = Vec::new();
        for word in &words {
            for name in named.meant(word).map_err(|error| Failed::Usage(error.to_string()))? {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            return Err(Failed::Usage("no host is named".to_owned()));
        }
        let (mut typed, mut hosts) = (Typed::new(), Vec::new());
        for name in names {
            let known = named.settings(name);
            let endpoint = match &known.address {
                Some(address) => Endpoint::parse(address)?.called(name),
                None => Endpoint::parse(name)?,
            };
            let trust = self.trust(&known)?;
            self.meet(&endpoint, &trust).await;
            hosts.push(self.host(endpoint, trust, &known, who, &mut typed)?);
        }
        Ok(hosts)
    }

    /// Whoever is asked for a password wants to know first who gets it; and questions are asked one after the other.
    async fn meet(&self, endpoint: &Endpoint, trust: &Trust) {
        if !self.accept_new_certificate && ask::is_possible() {
            // What goes wrong is told with what the host answers, which is nothing then.
            let _ = trust.pin(endpoint, CONNECT, &|meeting| self.decide(meeting)).await;
        }
    }

    /// How many hosts are asked at once.
    pub(super) fn parallel(&self) -> usize {
        self.parallel.into()
    }

    /// What is said to a host that is met for the first time. Nobody is asked twice.
    pub(super) fn decide(&self, meeting: &FirstMeeting) -> Decision {
        if self.accept_new_certificate {
            return ask::nobody(meeting);
        }
        if self.refused.borrow().contains(&meeting.peer) {
            return Decision::Refuse;
        }
        let decision = ask::person(meeting);
        if decision == Decision::Refuse {
            self.refused.borrow_mut().insert(meeting.peer.clone());
        }
        decision
    }

    fn host(
        &self,
        endpoint: Endpoint,
        trust: Trust,
        known: &HostSettings,
        who: Who,
        typed: &mut Typed,
    ) -> Result<Host, Failed> {
        let identity = self.identity(known)?;
        let scheme = if self.digest || known.digest == Some(true) { Scheme::Digest } else { Scheme::Basic };
        let needs_login = who == Who::Known && identity.is_none();
        let login = self.login(&endpoint, known, scheme, needs_login, typed)?;
        if login.is_some() && scheme == Scheme::Basic && !endpoint.url().is_tls() && !self.allow_unencrypted {
            return Err(Failed::Usage(format!(
                "{endpoint} would get your password where others can read it: name it with https, or give \
                 --allow-unencrypted"
            )));
        }
        let patience = Duration::from_secs(self.timeout.into());
        let settings = SessionSettings { login, identity, trust, patience, connect: CONNECT };
        Ok(Host { endpoint, settings })
    }

    fn identity(&self, known: &HostSettings) -> Result<Option<IdentityFiles>, Failed> {
        let own = (self.certificate.as_ref(), self.key.as_ref());
        let (certificate, key) = if own.0.is_some() { own } else { (known.certificate.as_ref(), known.key.as_ref()) };
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(IdentityFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            _ => Err(Failed::Usage("hosts.toml: certificate and key belong together: give both or neither".to_owned())),
        }
    }

    /// What the command line says goes before what `hosts.toml` says, and that before what is always so.
    fn trust(&self, known: &HostSettings) -> Result<Trust, Failed> {
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
            Some(file) => Ok(Trust::Authorities(file.clone())),
            None => Ok(Trust::Remembered(KnownHosts::new(folder()?.join("known_hosts")))),
        }
    }

    fn login(
        &self,
        endpoint: &Endpoint,
        known: &HostSettings,
        scheme: Scheme,
        is_needed: bool,
        typed: &mut Typed,
    ) -> Result<Option<Login>, Failed> {
        let user = self.user.clone().or_else(|| known.user.clone()).or_else(|| env::var(USER).ok());
        let Some(user) = user.filter(|user| !user.is_empty()) else {
            if is_needed {
                return Err(Failed::Usage(format!("who are you to {endpoint}? Give --user NAME or set {USER}")));
            }
            return Ok(None);
        };
        let file = self.password_file.as_ref().or(known.password_file.as_ref());
        let password = match file {
            Some(file) => password::of_file(file)?,
            None => match (password::of_environment(), typed.get(&user)) {
                (Some(password), _) => password,
                (None, Some(password)) => password.clone(),
                (None, None) => {
                    let password = password::of_person(&user, endpoint.name())?;
                    typed.insert(user.clone(), password.clone());
                    password
                }
            },
        };
        Login::new(scheme, user, password).map(Some).map_err(|error| Failed::Usage(error.to_string()))
    }
}

/// The hosts of a file, one in each line.
fn listed(file: &Path) -> Result<Vec<String>, Failed> {
    let unusable = |why: String| Failed::Usage(format!("the file of hosts {}: {why}", file.display()));
    let octets = fs::metadata(file).map_err(|error| unusable(error.to_string()))?.len();
    if octets > LARGEST_LIST {
        return Err(unusable(format!("it has more than {LARGEST_LIST} octets")));
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// What `hosts.toml` says.
pub(super) fn named_hosts() -> Result<NamedHosts, Failed> {
    NamedHosts::load(&folder()?.join("hosts.toml")).map_err(|error| Failed::Usage(error.to_string()))
}

/// Where the client keeps what belongs to a person.
fn folder() -> Result<PathBuf, Failed> {
    let filled = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = filled("XDG_CONFIG_HOME").or_else(|| filled("HOME").map(|home| home.join(".config")));
    base.map(|base| base.join("quartermaster"))
        .ok_or_else(|| Failed::Usage("neither HOME nor XDG_CONFIG_HOME says where hosts are remembered".to_owned()))
}
