//! Jobs: what waits, what is at work and what ended a short while ago.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::ask::Objects;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::{self, Moment, Reading};
use super::reply::Answer;
use super::systems;
use super::visit::{self, Visit};
use crate::access::Role;
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, ObjectPath, Value};

/// The class of all jobs.
const JOB: &str = "CIM_ConcreteJob";
/// RequestedState: Terminate.
const TERMINATE: u16 = 4;
/// Return values of RequestStateChange: done, and begun.
const CANCELLED: [u64; 2] = [0, 4096];
/// The ErrorCode of a job that found the same or something newer installed (DSP1025).
const NOT_NEWER: u64 = 4099;
/// How many affected elements of a job are shown at most.
const MOST: usize = 500;

/// A job as the row of a list.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) id: String,
    pub(super) name: String,
    /// What it does, in words.
    pub(super) title: String,
    pub(super) owner: String,
    pub(super) state: State,
    pub(super) percent: u64,
    pub(super) status: String,
    pub(super) submitted: Moment,
    pub(super) took: String,
    pub(super) may_cancel: bool,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running,
    Done,
    /// It was to install what was already there when its turn came: another job had taken it along, say.
    Needless,
    Failed,
    Cancelled,
}

impl State {
    fn of(job: &Instance) -> Self {
        match job.number("JobState") {
            Some(2) => Self::Waiting,
            Some(7) => Self::Done,
            Some(8) => Self::Cancelled,
            Some(10) => Self::Failed,
            _ => Self::Running,
        }
    }

    /// Its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Running => "Running",
            Self::Done => "Done",
            Self::Needless => "Was there",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// The class of its mark.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Waiting | Self::Needless | Self::Cancelled => "",
            Self::Running => "busy",
            Self::Done => "good",
            Self::Failed => "bad",
        }
    }

    /// Whether nothing more will happen to it.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Needless | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    frame: Frame,
    jobs: Vec<JobRow>,
}

#[derive(Debug, Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    job: JobRow,
    method: String,
    started: Moment,
    notes: Vec<String>,
    error: String,
    affected: Vec<String>,
}

/// All jobs.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    let made = |visit: &Visit| Ok(JobsPage { jobs: all(&visit.objects)?, frame: visit.frame("Jobs", "/jobs")? });
    visit::show(page, request, made).await
}

/// One job.
pub(super) async fn show(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, one).await
}

/// Cancels one.
pub(super) async fn cancel(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, cancelled).await
}

/// All jobs, the newest first.
pub(super) fn all(objects: &Objects) -> Result<Vec<JobRow>, Failure> {
    let mut jobs = objects.all(IMPLEMENTATION_NAMESPACE, JOB)?;
    jobs.sort_by_key(|job| std::cmp::Reverse((job.moment("TimeSubmitted").exact, number(&job.text("InstanceID")))));
    Ok(jobs.iter().map(|job| JobRow::of(job, objects)).collect())
}

fn one(visit: &Visit) -> Result<JobPage, Failure> {
    let job = visit.objects.job(visit.fields.text("id"))?;
    let row = JobRow::of(&job, &visit.objects);
    let affected = affected(&visit.objects, &visit.objects.path_of(&job))?;
    let notes = job.texts("StatusDescriptions").into_iter().filter(|note| note != "Completed");
    Ok(JobPage {
        frame: visit.frame(title(&job), "/jobs")?,
        method: job.text("MethodName"),
        started: job.moment("StartTime"),
        notes: notes.flat_map(|notes| notes.split("; ").map(str::to_owned).collect::<Vec<_>>()).collect(),
        error: if row.state == State::Failed { job.text("ErrorDescription") } else { String::new() },
        affected,
        job: row,
    })
}

fn cancelled(visit: &Visit) -> Result<Answer, Failure> {
    let job = visit.objects.job(visit.fields.text("id"))?;
    let method = "RequestStateChange";
    let reply = visit.objects.call(&job, method, &[("RequestedState", TERMINATE.into())])?;
    if reply.return_value.as_u64().is_some_and(|code| CANCELLED.contains(&code)) {
        return Ok(Answer::Go(super::address("/job", &[("id", &job.text("InstanceID"))])));
    }
    Err(Failure::invalid(format!("The job was not cancelled: {}.", systems::answer(&job, method, &reply))))
}

/// What a job changed, found, or is to change.
fn affected(objects: &Objects, job: &ObjectPath) -> Result<Vec<String>, Failure> {
    let links = objects.links(job, "CIM_AffectedJobElement", "AffectingElement")?;
    let mut names = Vec::new();
    for link in links.take(MOST) {
        names.extend(link?.reference("AffectedElement").and_then(|path| name_of(&path)));
    }
    names.dedup();
    Ok(names)
}

/// What of a path tells a person what is meant: software by its name, files by theirs; not the system and its parts.
fn name_of(path: &ObjectPath) -> Option<String> {
    match (path.key_str("InstanceID"), path.key_str("Name"), path.key_str("CheckID")) {
        (Some(id), ..) => id.rsplit_once("Identity:").map(|(_, name)| reading::build(name)),
        (None, Some(file), Some(_)) => Some(file.to_owned()),
        _ => None,
    }
}

/// What jobs with such names do. Others describe themselves.
const VERBS: [(&str, &str); 7] = [
    ("InstallPackageFromURI", "Install"),
    ("InstallPackageFromByteStream", "Install"),
    ("InstallPackage", "Install"),
    ("UpdatePackage", "Update"),
    ("UpdateToPackage", "Update to"),
    ("RemovePackage", "Remove"),
    ("CheckPackage", "Verify files of"),
];

/// What other jobs do, whatever they are asked to work on.
const TITLES: [(&str, &str); 4] = [
    ("RefreshRepositories", "Fetch the lists of the repositories"),
    ("Scan", "Compare with what was published"),
    ("Assess", "Compare once more"),
    ("RollBack", "Go back to the image before"),
];

/// What a job does, and what it was asked to work on, as far as its call says.
fn title(job: &Instance) -> String {
    let name = job.text("Name");
    let kind = name.rsplit_once('-').map_or(&*name, |(kind, _)| kind);
    if let Some((_, title)) = TITLES.iter().find(|(known, _)| *known == kind) {
        return (*title).to_owned();
    }
    let verb = VERBS.iter().find(|(known, _)| *known == kind).map(|(_, verb)| *verb);
    match (verb, subject(job)) {
        (Some(verb), Some(subject)) => format!("{verb} {subject}"),
        _ => {
            // The number that ends a description stands elsewhere.
            let text = job.text("Description");
            text.rsplit_once(" (job ").map_or(text.clone(), |(text, _)| text.to_owned())
        }
    }
}

/// What a job is to work on: a package, an address, or what its description quotes at its end.
fn subject(job: &Instance) -> Option<String> {
    let call = job.get("JobInParameters").and_then(Value::as_instance);
    let source = call.and_then(|call| call.reference("Source")).and_then(|source| name_of(&source));
    let address = || call.map(|call| call.text("URI")).filter(|uri| !uri.is_empty());
    let quoted = || job.text("Description").strip_suffix("\".")?.rsplit_once('"').map(|(_, name)| name.to_owned());
    source.or_else(address).or_else(|| quoted().map(|nevra| reading::build(&nevra)))
}

/// Whether a job failed for nothing but that its package is installed.
fn is_needless(job: &Instance, objects: &Objects) -> bool {
    let call = job.get("JobInParameters").and_then(Value::as_instance);
    let Some(source) = call.and_then(|call| call.reference("Source")) else { return false };
    job.number("ErrorCode") == Some(NOT_NEWER)
        && objects.find(&source).is_ok_and(|package| package.is_some_and(|it| it.moment("InstallDate").is_known()))
}

/// The number at the end of a job's InstanceID.
fn number(id: &str) -> u64 {
    id.rsplit_once(':').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

impl JobRow {
    fn of(job: &Instance, objects: &Objects) -> Self {
        let (owner, caller) = (job.text("Owner"), objects.caller());
        let state = match State::of(job) {
            State::Failed if is_needless(job, objects) => State::Needless,
            state => state,
        };
        let is_own = caller.role == Role::Admin || (caller.role >= Role::Operator && *owner == *caller.name);
        Self {
            id: job.text("InstanceID"),
            name: job.text("Name"),
            title: title(job),
            may_cancel: is_own && !state.is_final(),
            owner,
            state,
            percent: job.number("PercentComplete").unwrap_or_default(),
            status: job.text(if state == State::Needless { "ErrorDescription" } else { "JobStatus" }),
            submitted: job.moment("TimeSubmitted"),
            took: job.seconds("ElapsedTime").map(reading::length).unwrap_or_default(),
        }
    }
}
