//! `quartermaster install`, `update` and `remove`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::Value;

use super::every::{Waves, every, in_waves};
use super::following::{Followed, Following, end_of, show};
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, Operation, Plan, Service, Software, Which};
use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;

/// The largest file that is sent inside of a request, in octets; hosts take less.
const LARGEST_FILE: u64 = 48 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What: NAME, NAME.ARCHITECTURE, NAME-VERSION or NAME=VERSION. To install also a URI that the host can reach, or a
    /// package file of this machine (with a / in its name), which is sent along. To update, nothing means all that can be.
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// Show what would change, and change nothing.
    #[arg(long, conflicts_with = "no_wait")]
    plan: bool,
    /// Do it even where it is there already, or where that means an older version.
    #[arg(long)]
    force: bool,
    /// Do not wait for the end of the jobs.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    waves: Waves,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// What is meant by a word of the command line.
#[derive(Debug)]
enum Meant {
    /// Software that the host knows.
    Name(String),
    /// Something that the host is to fetch.
    Uri(String),
    /// A file of ours, in base64.
    File(String, String),
    /// All that can be updated.
    Everything,
}

/// What one job is about.
#[derive(Debug)]
enum Target<'m> {
    Software(Box<Software>),
    Uri(&'m str),
    File(&'m str, &'m str),
}

pub(super) async fn run(operation: Operation, arguments: Arguments) -> Result<End, Failed> {
    let Arguments { what, plan, force, no_wait, waves, listening, hosts, format } = arguments;
    let mut meant = what.into_iter().map(|what| Meant::read(what, operation)).collect::<Result<Vec<_>, _>>()?;
    if meant.is_empty() {
        if operation != Operation::Update {
            return Err(Failed::Usage("name what is meant".to_owned()));
        }
        meant.push(Meant::Everything);
    }
    if plan {
        return planned(&meant, operation, force, &hosts, &format).await;
    }
    let following = Following::unless(no_wait, &listening)?;
    let is_bad = |followed: &Vec<Followed>| end_of(followed) == End::Job;
    let answers = in_waves(&hosts, waves, is_bad, async |session| {
        let mut jobs = Vec::new();
        for one in &meant {
            let service = one.service(session).await?;
            for target in one.targets(session, &service, operation).await? {
                if following.was_left() {
                    return Ok(jobs);
                }
                let (about, job) = target.begin(session, &service, operation, force).await?;
                jobs.push(following.follow(session, &about, &job).await?);
            }
        }
        Ok(jobs)
    })
    .await?;
    show(&answers, &format)
}

async fn planned(
    meant: &[Meant],
    operation: Operation,
    force: bool,
    hosts: &Hosts,
    format: &Format,
) -> Result<End, Failed> {
    let answers = every(hosts, Who::Known, async |session| {
        let mut plans = Vec::new();
        for one in meant {
            let service = one.service(session).await?;
            for software in one.software(session, &service, operation).await? {
                plans.push(session.plan(&service, software.place()?, operation, force).await?);
            }
        }
        Ok(plans)
    })
    .await?;
    let columns = ["change", "name", "architecture", "from", "to"].map(Column::new);
    let table = answers.table(&columns, |plans| plans.iter().flat_map(rows).collect());
    format.show(&table)?;
    Ok(answers.end())
}

fn rows(plan: &Plan) -> Vec<Vec<Value>> {
    let version = |software: &Option<Software>| software.as_ref().map(|software| software.version.as_str()).into();
    let row = |change: &crate::console::software::PlannedChange| {
        let software = change.after.as_ref().or(change.before.as_ref());
        let (name, architecture) = software.map_or(("", ""), |software| (&software.name, &software.architecture));
        vec![
            change.kind.as_str().into(),
            name.into(),
            architecture.into(),
            version(&change.before),
            version(&change.after),
        ]
    };
    plan.changes.iter().map(row).collect()
}

impl Meant {
    fn read(what: String, operation: Operation) -> Result<Self, Failed> {
        if operation != Operation::Install {
            return Ok(Self::Name(what));
        }
        if what.contains("://") {
            return Ok(Self::Uri(what));
        }
        if !what.contains('/') {
            return Ok(Self::Name(what));
        }
        let unusable = |why: String| Failed::Usage(format!("{what} cannot be sent: {why}"));
        let file = File::open(&what).map_err(|error| unusable(error.to_string()))?;
        let mut octets = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut octets).map_err(|error| unusable(error.to_string()))?;
        if u64::try_from(octets.len()).is_ok_and(|octets| octets > LARGEST_FILE) {
            return Err(unusable(format!(
                "it has more than {LARGEST_FILE} octets; give a URI that the host can reach"
            )));
        }
        let name =
            Path::new(&what).file_name().map_or_else(|| what.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Self::File(name, STANDARD.encode(octets)))
    }

    /// The service of the host that has to do with it.
    async fn service(&self, session: &Session) -> Result<Service, ConsoleError> {
        let is_of_image = matches!(self, Self::Uri(uri) if is_bundle(uri));
        session.service_for(if is_of_image { Managed::Image } else { Managed::Packages }).await
    }

    /// What each job of it is to be about, on this host.
    async fn targets<'m>(
        &'m self,
        session: &Session,
        service: &Service,
        operation: Operation,
    ) -> Result<Vec<Target<'m>>, ConsoleError> {
        match self {
            Self::Uri(uri) => Ok(vec![Target::Uri(uri)]),
            Self::File(name, octets) => Ok(vec![Target::File(name, octets)]),
            _ => {
                let software = self.software(session, service, operation).await?;
                Ok(software.into_iter().map(|software| Target::Software(Box::new(software))).collect())
            }
        }
    }

    async fn software(
        &self,
        session: &Session,
        service: &Service,
        operation: Operation,
    ) -> Result<Vec<Software>, ConsoleError> {
        let name = match self {
            Self::Name(name) => name,
            Self::Everything => {
                let updates = session.updates(service).await?;
                return Ok(updates.into_iter().map(|update| update.installed).collect());
            }
            Self::Uri(_) | Self::File(..) => {
                let why = "what a file would change is known only by installing it";
                return Err(ConsoleError::Absent(why.to_owned()));
            }
        };
        match operation {
            // What is updated is what is there; the host knows what is newer.
            Operation::Remove | Operation::Update => session.named(service, name, Which::Installed).await,
            // The newest is the last.
            Operation::Install => Ok(session.named(service, name, Which::Any).await?.pop().into_iter().collect()),
        }
    }
}

impl Target<'_> {
    /// Has the host begin; gives the job, and what it is about.
    async fn begin(
        &self,
        session: &Session,
        service: &Service,
        operation: Operation,
        force: bool,
    ) -> Result<(String, EndpointReference), ConsoleError> {
        Ok(match self {
            Self::Uri(uri) => ((*uri).to_owned(), session.install_from_uri(service, uri).await?),
            Self::File(name, octets) => {
                ((*name).to_owned(), session.install_octets(service, (*octets).to_owned()).await?)
            }
            Self::Software(software) => {
                let job = session.change(service, software.place()?, operation, force).await?;
                (software.full_name(), job)
            }
        })
    }
}

/// Whether a URI leads to an offline bundle of VIBs.
fn is_bundle(uri: &str) -> bool {
    let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
    [".zip", ".vib", "/index.xml", "/"].iter().any(|end| path.ends_with(end))
}
