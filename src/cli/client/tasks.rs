//! What there is to do on a host, done one after the other. One job may do the work of others: what a package needs comes along
//! with it. So each thing is looked at again when its turn comes.

use std::collections::VecDeque;

use super::deeds::{Became, Deed};
use super::following::Following;
use crate::console::software::{JobState, Operation, Plan, Service, Software};
use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;

/// One thing to do.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) service: Service,
    pub(super) wanted: Wanted,
    pub(super) operation: Operation,
    pub(super) force: bool,
}

/// What it is about.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Software that the host knows, and the newest build of it where that is told and matters.
    Software(Box<(Software, Option<Software>)>),
    /// Something that the host is to fetch.
    Uri(String),
    /// A file of ours: its name, and what it holds in base64.
    File(String, String),
}

impl Wanted {
    pub(super) fn of(software: Software, newest: Option<Software>) -> Self {
        Self::Software(Box::new((software, newest)))
    }
}

/// Does it all; what became of each is put to `deeds`.
pub(super) async fn carry_out(
    session: &Session,
    following: &Following,
    tasks: &[Task],
    deeds: &mut Vec<Deed>,
) -> Result<(), ConsoleError> {
    let mut waiting: VecDeque<Waiting<'_>> = tasks.iter().map(|task| Waiting { task, known: None }).collect();
    learn(session, &mut waiting, Became::Unchanged).await?;
    let mut lost = None;
    while let Some(Waiting { task, known }) = waiting.pop_front() {
        let deed = match known {
            Some(became) => Deed::new(task.about(), became),
            None if following.was_left() || lost.is_some() => Deed::new(task.about(), Became::NotBegun),
            None => task.follow(session, following).await,
        };
        match &deed.became {
            // Nobody waits for every task of a host that cannot be reached.
            Became::Failed(error) if error.is_no_way_there() => lost = Some(Ok(())),
            Became::Job(job) if job.state == JobState::Completed => {
                let (number, about) = (job.number().unwrap_or(&job.id), task.about());
                let along = |why| Became::Along(number.to_owned(), format!("{why}, by the job of {about}"));
                lost = learn(session, &mut waiting, along).await.err().map(Err);
            }
            _ => {}
        }
        deeds.push(deed);
    }
    lost.unwrap_or(Ok(()))
}

/// A task whose turn has not come, and what became of it without.
struct Waiting<'t> {
    task: &'t Task,
    known: Option<Became>,
}

/// Looks which of the tasks are done as the host is now.
async fn learn(
    session: &Session,
    waiting: &mut VecDeque<Waiting<'_>>,
    became: impl Fn(String) -> Became,
) -> Result<(), ConsoleError> {
    let is_open = |waiting: &Waiting<'_>| waiting.known.is_none() && matches!(waiting.task.wanted, Wanted::Software(_));
    if !waiting.iter().any(is_open) {
        return Ok(());
    }
    let installed = session.installed().await?;
    for one in waiting.iter_mut().filter(|waiting| waiting.known.is_none()) {
        one.known = one.task.is_so(&installed).map(&became);
    }
    Ok(())
}

impl Task {
    /// What it is about, in a word.
    pub(super) fn about(&self) -> String {
        match &self.wanted {
            Wanted::Software(software) => software.0.full_name(),
            Wanted::Uri(uri) => uri.clone(),
            Wanted::File(name, _) => name.clone(),
        }
    }

    /// Whether it is the same as another.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.wanted, &other.wanted) {
            (Wanted::Software(one), Wanted::Software(other)) => one.0.id == other.0.id,
            _ => false,
        }
    }

    /// What it would change.
    pub(super) async fn plan(&self, session: &Session) -> Result<Plan, ConsoleError> {
        let Wanted::Software(software) = &self.wanted else {
            return Err(ConsoleError::Absent("what a file would change is known only by installing it".to_owned()));
        };
        session.plan(&self.service, software.0.place()?, self.operation, self.force).await
    }

    /// Why nothing is to be done where this is installed; nothing if something is.
    pub(super) fn is_so(&self, installed: &[Software]) -> Option<String> {
        let Wanted::Software(software) = &self.wanted else { return None };
        let (software, newest) = &**software;
        let is_there = |software: &Software| installed.iter().any(|installed| installed.id == software.id);
        match self.operation {
            Operation::Install if !self.force && is_there(software) => Some("is installed".to_owned()),
            Operation::Remove if !is_there(software) => Some("is not installed any more".to_owned()),
            Operation::Update => match newest {
                Some(newest) if newest.id == software.id && !self.force => Some("is the newest".to_owned()),
                Some(newest) if is_there(newest) && !self.force => Some(format!("is {} now", newest.version)),
                _ if !is_there(software) => Some("is not installed any more".to_owned()),
                _ => None,
            },
            Operation::Install | Operation::Remove => None,
        }
    }

    async fn follow(&self, session: &Session, following: &Following) -> Deed {
        let about = self.about();
        match self.begin(session).await {
            Ok(job) => following.follow(session, &about, &job).await,
            Err(error) => Deed::new(about, Became::Failed(error)),
        }
    }

    /// Has the host begin; gives the job.
    async fn begin(&self, session: &Session) -> Result<EndpointReference, ConsoleError> {
        match &self.wanted {
            Wanted::Uri(uri) => session.install_from_uri(&self.service, uri).await,
            Wanted::File(_, octets) => session.install_octets(&self.service, octets.clone()).await,
            Wanted::Software(software) => {
                session.change(&self.service, software.0.place()?, self.operation, self.force).await
            }
        }
    }
}
