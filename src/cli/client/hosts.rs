//! Which hosts a command is for, who we are to them, and how we know them: the command line, and `hosts.toml` for what it
//! does not say.

mod way;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use futures_util::{StreamExt, stream};

use super::ask;
use super::outcome::{Failed, HostError};
use crate::client::Thumbprint;
use crate::config::{HostSettings, NamedHosts};
use crate::console::{Decision, Endpoint, FirstMeeting, SessionSettings, Trust, fingerprint};
use way::Typed;

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
    /// Show a Kerberos ticket, of whoever kinit logged in, in place of a name and a password.
    #[arg(long, conflicts_with_all = ["user", "password_file", "digest"])]
    negotiate: bool,
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
    /// Send a password, or a ticket, to a host whose URL says http, where others may read it.
    #[arg(long)]
    allow_unencrypted: bool,
    /// How long a host may take for one request, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

/// A host, and how it is talked to; or why it cannot be.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) way: Result<(Endpoint, SessionSettings), HostError>,
}

/// The same before anybody was asked anything.
#[derive(Debug)]
struct Place {
    name: String,
    known: HostSettings,
    way: Result<(Endpoint, Trust), HostError>,
}

/// What somebody wrote for a host or a group, and in which line of the file of hosts if there.
#[derive(Debug)]
struct Word {
    text: String,
    line: Option<usize>,
}

/// Whether a command needs to say who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// It does.
    Known,
    /// Strangers are answered, too.
    Anybody,
}

impl Hosts {
    /// The hosts that are meant, each once. What is wrong with one of them is told with what it answers, which is nothing then.
    pub(super) async fn chosen(&self, who: Who) -> Result<Vec<Host>, Failed> {
        let mut places = self.places()?;
        // Whoever is asked for a password wants to know first who gets it.
        if !self.accept_new_certificate && ask::is_possible() {
            self.meet(&mut places).await;
        }
        let mut typed = Typed::default();
        places.into_iter().map(|place| self.host(place, who, &mut typed)).collect()
    }

    fn places(&self) -> Result<Vec<Place>, Failed> {
        let named = named_hosts()?;
        let mut places: Vec<Place> = Vec::new();
        for Word { text, line } in self.words()? {
            // Who wrote it into a file wants to know where.
            let at_line = |failed: Failed| match (line, &self.hosts) {
                (Some(line), Some(file)) => Failed::Usage(format!("{}:{line}: {failed}", file.display())),
                _ => failed,
            };
            for name in named.meant(&text).map_err(|error| at_line(Failed::Usage(error.to_string())))? {
                let place = self.place(name, named.settings(name)).map_err(at_line)?;
                // A host may have several names.
                let url = |place: &Place| place.way.as_ref().ok().map(|(endpoint, _)| endpoint.url().to_string());
                let is_same = |known: &Place| {
                    known.name == place.name || url(known).is_some_and(|known| Some(known) == url(&place))
                };
                if !places.iter().any(is_same) {
                    places.push(place);
                }
            }
        }
        if places.is_empty() { Err(Failed::Usage("no host is named".to_owned())) } else { Ok(places) }
    }

    fn words(&self) -> Result<Vec<Word>, Failed> {
        // A comma too many names nobody.
        let written = self.host.iter().filter(|text| !text.trim().is_empty());
        let mut words: Vec<Word> = written.map(|text| Word { text: text.clone(), line: None }).collect();
        if let Some(file) = &self.hosts {
            words.extend(listed(file)?);
        } else if self.host.is_empty() {
            words.push(Word { text: HERE.to_owned(), line: None });
        }
        Ok(words)
    }

    /// What was written is to be mended at once; what is wrong in the settings of one host is no other's trouble.
    fn place(&self, name: &str, known: HostSettings) -> Result<Place, Failed> {
        let endpoint = match &known.address {
            Some(address) => Endpoint::parse(address).map(|endpoint| endpoint.called(name)).map_err(Failed::from),
            None => Ok(Endpoint::parse(name)?),
        };
        let way = endpoint.and_then(|endpoint| Ok((endpoint, self.trust(&known)?)));
        Ok(Place { name: name.to_owned(), known, way: way.map_err(HostError::Settings) })
    }

    /// Has the hosts show themselves that are met for the first time, some at once, and asks about them, one after the other.
    async fn meet(&self, places: &mut [Place]) {
        let met = stream::iter(places.iter().map(async |place| match &place.way {
            Ok((endpoint, trust)) => trust.meeting(endpoint, CONNECT).await,
            Err(_) => Ok(None),
        }));
        let met: Vec<_> = met.buffered(self.parallel()).collect().await;
        for (place, met) in places.iter_mut().zip(met) {
            let Ok((_, trust)) = &place.way else { continue };
            let decided = met.and_then(|meeting| {
                let decided = meeting.map(|meeting| {
                    let decision = ask::person(&meeting);
                    trust.decided(meeting, decision)
                });
                decided.transpose()
            });
            if let Err(error) = decided {
                place.way = Err(error.into());
            }
        }
    }

    /// How many hosts are asked at once.
    pub(super) fn parallel(&self) -> usize {
        self.parallel.into()
    }

    /// What is said to a host that is met for the first time and that nobody was asked about.
    pub(super) fn decide(&self, meeting: &FirstMeeting) -> Decision {
        if self.accept_new_certificate { ask::nobody(meeting) } else { Decision::Refuse }
    }
}

/// The hosts of a file, one in each line.
fn listed(file: &Path) -> Result<Vec<Word>, Failed> {
    let unusable = |why: String| Failed::Usage(format!("the file of hosts {}: {why}", file.display()));
    let octets = fs::metadata(file).map_err(|error| unusable(error.to_string()))?.len();
    if octets > LARGEST_LIST {
        return Err(unusable(format!("it has more than {LARGEST_LIST} octets")));
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let words = text.lines().zip(1..).map(|(text, line)| {
        let text = text.split('#').next().unwrap_or_default().trim().to_owned();
        Word { text, line: Some(line) }
    });
    Ok(words.filter(|word| !word.text.is_empty()).collect())
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
