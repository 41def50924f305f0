//! What a person means by the words of `install`, `update` and `remove`, and what there is to do for it on a host.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::outcome::Failed;
use super::tasks::{Task, Wanted};
use crate::console::software::{Managed, Operation, Service, Software, Which};
use crate::console::{ConsoleError, Session};

/// The largest file that is sent inside of a request, in octets; hosts take less.
const LARGEST_FILE: u64 = 48 * 1024 * 1024;

/// What is meant by a word of the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Software that the host knows.
    Name(String),
    /// Something that the host is to fetch.
    Uri(String),
    /// A file of ours: its name, and what it holds in base64.
    File(String, String),
    /// All that can be updated.
    Everything,
}

impl Meant {
    /// What all of the words mean, each thing once.
    pub(super) fn all(words: Vec<String>, operation: Operation) -> Result<Vec<Self>, Failed> {
        let mut meant = Vec::new();
        for word in words {
            let one = Self::read(word, operation)?;
            if !meant.contains(&one) {
                meant.push(one);
            }
        }
        match (meant.is_empty(), operation) {
            (true, Operation::Update) => Ok(vec![Self::Everything]),
            (true, _) => Err(Failed::Usage("name what is meant".to_owned())),
            (false, _) => Ok(meant),
        }
    }

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

    async fn wanted(
        &self,
        session: &Session,
        service: &Service,
        operation: Operation,
    ) -> Result<Vec<Wanted>, ConsoleError> {
        match (self, operation) {
            (Self::Uri(uri), _) => Ok(vec![Wanted::Uri(uri.clone())]),
            (Self::File(name, octets), _) => Ok(vec![Wanted::File(name.clone(), octets.clone())]),
            (Self::Everything, _) => {
                let updates = session.updates(service).await?.into_iter();
                Ok(updates.map(|update| Wanted::of(update.installed, Some(update.newest))).collect())
            }
            // The newest is the last.
            (Self::Name(name), Operation::Install) => {
                let newest = session.named(service, name, Which::Any).await?.pop();
                Ok(newest.into_iter().map(|software| Wanted::of(software, None)).collect())
            }
            (Self::Name(name), Operation::Remove) => {
                let installed = session.named(service, name, Which::Installed).await?;
                Ok(installed.into_iter().map(|software| Wanted::of(software, None)).collect())
            }
            // What is updated is what is there; the host knows what is newer.
            (Self::Name(name), Operation::Update) => {
                let mut wanted = Vec::new();
                for software in session.named(service, name, Which::Installed).await? {
                    let newest = newest(session, service, &software).await?;
                    wanted.push(Wanted::of(software, newest));
                }
                Ok(wanted)
            }
        }
    }
}

/// All that there is to do on a host, each thing once: nothing is to begin as long as it is not known what is meant.
pub(super) async fn tasks(
    session: &Session,
    meant: &[Meant],
    operation: Operation,
    force: bool,
) -> Result<Vec<Task>, ConsoleError> {
    let mut tasks: Vec<Task> = Vec::new();
    for one in meant {
        let service = one.service(session).await?;
        for wanted in one.wanted(session, &service, operation).await? {
            let task = Task { service: service.clone(), wanted, operation, force };
            if !tasks.iter().any(|known| known.is_same(&task)) {
                tasks.push(task);
            }
        }
    }
    Ok(tasks)
}

/// The newest build that the host knows of what is installed, if it can tell.
pub(super) async fn newest(
    session: &Session,
    service: &Service,
    installed: &Software,
) -> Result<Option<Software>, ConsoleError> {
    match session.newest(service, installed).await {
        // Not every host has a method for it.
        Err(ConsoleError::Fault(_) | ConsoleError::Returned { .. }) => Ok(None),
        newest => newest,
    }
}

/// Whether a URI leads to an offline bundle of VIBs.
fn is_bundle(uri: &str) -> bool {
    let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
    [".zip", ".vib", "/index.xml", "/"].iter().any(|end| path.ends_with(end))
}
