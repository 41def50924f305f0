//! What was published for a system, and how the system stands to it: bulletins of an image, advisories of an RPM host.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::images;
use super::reading::{self, Moment, Reading};
use super::reply::Answer;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::cim::{Instance, Value};

/// Values of QM_BulletinStatus.State.
pub(super) const MISSING: u64 = 2;
const WAITS_FOR_BOOT: u64 = 3;
const INSTALLED: u64 = 4;
/// How many bulletins are shown at most.
const MOST: usize = 2000;

/// How severe bulletins are, the worst first.
const SEVERITIES: [&str; 4] = ["critical", "important", "moderate", "low"];

#[derive(Debug, Template)]
#[template(path = "bulletins.html")]
struct BulletinsPage {
    frame: Frame,
    /// The kinds of systems that there are, as addresses name them and as people do.
    kinds: Vec<(&'static str, &'static str)>,
    kind: &'static str,
    assessment: Option<Assessment>,
    only_missing: bool,
    bulletins: Vec<Status>,
    /// How many are of no interest while only the missing ones are shown.
    others: usize,
    /// Whether all that are missing are chosen beforehand.
    is_chosen: bool,
    /// What the next boot changes, where that waits for it.
    waits: bool,
}

#[derive(Debug, Template)]
#[template(path = "bulletin.html")]
struct BulletinPage {
    frame: Frame,
    kind: &'static str,
    status: Status,
    description: String,
    cves: Vec<String>,
    vibs: Vec<String>,
    on_host: Vec<String>,
    reasons: Vec<(&'static str, Vec<String>)>,
    released: Moment,
    link: String,
}

/// The last assessment of a system.
#[derive(Debug)]
struct Assessment {
    /// Whether nothing is missing.
    has_all: bool,
    summary: String,
    at: Moment,
    product: String,
    sources: Vec<String>,
}

/// How a system stands to a bulletin.
#[derive(Debug)]
struct Status {
    id: String,
    title: String,
    severity: String,
    category: String,
    state: u64,
    word: String,
    needs_reboot: bool,
}

/// The bulletins of one system.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

/// One of them.
pub(super) async fn show(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, one).await
}

/// Has the system compared with what was published, which is fetched first.
pub(super) async fn scan(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    let arguments = |visit: &Visit| {
        let addresses: Vec<&str> = visit.fields.text("metadata").split_whitespace().collect();
        if addresses.is_empty() { vec![] } else { vec![("MetadataURIs", Value::array(addresses))] }
    };
    visit::act(page, request, body, move |visit| begin(visit, "Scan", arguments(visit))).await
}

/// Has the system compared once more.
pub(super) async fn assess(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, |visit| begin(visit, "Assess", vec![])).await
}

/// Has bulletins installed.
pub(super) async fn deploy(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    let act = |visit: &Visit| {
        let chosen: Vec<&str> = visit.fields.all("bulletin").collect();
        if chosen.is_empty() {
            return Err(Failure::invalid("Choose at least one bulletin."));
        }
        begin(visit, "Deploy", vec![("BulletinIDs", Value::array(chosen))])
    };
    visit::act(page, request, body, act).await
}

fn begin(visit: &Visit, method: &str, arguments: Vec<(&str, Value)>) -> Result<Answer, Failure> {
    let system = asked(visit)?;
    let service = system.patches(&visit.objects)?;
    let service = service.ok_or_else(|| Failure::not_found("Nothing is published for this system in bulletins."))?;
    let target = ("Target", system.reference(&visit.objects));
    let arguments: Vec<_> = arguments.into_iter().chain([target]).collect();
    let reply = visit.objects.call(&service, method, &arguments)?;
    systems::begun(&service, method, &reply).map(Answer::Go)
}

/// The system that the address or the form names; else the first that has bulletins.
fn asked(visit: &Visit) -> Result<System, Failure> {
    let kind = visit.fields.text("system");
    let mut with_bulletins = Vec::new();
    for system in System::all(&visit.objects)? {
        if system.patches(&visit.objects)?.is_some() {
            with_bulletins.push(system);
        }
    }
    let named = with_bulletins.iter().position(|system| system.key() == kind).unwrap_or_default();
    let found = (named < with_bulletins.len()).then(|| with_bulletins.swap_remove(named));
    found.ok_or_else(|| Failure::not_found("Nothing is published for this system in bulletins."))
}

fn made(visit: &Visit) -> Result<BulletinsPage, Failure> {
    let system = asked(visit)?;
    let assessment = assessment(visit, &system)?;
    let mut bulletins = statuses(visit, assessment.as_ref())?;
    bulletins.sort_by_key(|status| (status.state, rank(&status.severity), status.id.clone()));
    let all = bulletins.len();
    let only_missing = visit.fields.text("show") != "all";
    if only_missing {
        bulletins.retain(|status| matches!(status.state, MISSING | WAITS_FOR_BOOT));
    }
    Ok(BulletinsPage {
        frame: visit.frame("Bulletins", "/bulletins")?,
        kinds: kinds(visit)?,
        kind: system.key(),
        assessment: assessment.as_ref().map(Assessment::of),
        only_missing,
        others: all - bulletins.len(),
        is_chosen: visit.fields.text("choose") != "none",
        waits: system.is_image && images::waits_for_boot(visit)?,
        bulletins,
    })
}

fn one(visit: &Visit) -> Result<BulletinPage, Failure> {
    let (system, id) = (asked(visit)?, visit.fields.text("id"));
    let assessment = assessment(visit, &system)?;
    let missing = || Failure::not_found("The last scan has no such bulletin.");
    let path = visit.objects.path_of(assessment.as_ref().ok_or_else(missing)?);
    let mut statuses = visit.objects.associated(&path, "QM_AssessedBulletin")?;
    let is_it = |status: &Instance| status.get("BulletinID").and_then(Value::as_str) == Some(id);
    let status = statuses.find(|status| status.as_ref().map_or(true, is_it)).ok_or_else(missing)??;
    let bulletin =
        visit.objects.associated(&visit.objects.path_of(&status), "QM_BulletinHasStatus")?.next().transpose()?;
    let lists = [
        ("Needs first", "Prerequisites"),
        ("Needs what nothing has", "MissingRequirements"),
        ("Conflicts with", "ConflictsWith"),
        ("Superseded by", "SupersededBy"),
    ];
    let builds = |name: &str| status.texts(name).iter().map(|build| reading::build(build)).collect();
    let reasons = lists.map(|(words, name)| (words, status.texts(name)));
    Ok(BulletinPage {
        frame: visit.frame(id, "/bulletins")?,
        kind: system.key(),
        description: bulletin.as_ref().map(|b| reading::paragraphs(&b.text("Description"))).unwrap_or_default(),
        cves: bulletin.map(|bulletin| bulletin.texts("CVEs")).unwrap_or_default(),
        vibs: builds("VIBs"),
        on_host: builds("VIBsOnHost"),
        reasons: reasons.into_iter().filter(|(_, ids)| !ids.is_empty()).collect(),
        released: status.moment("ReleaseDate"),
        // Nothing but a web address becomes a link.
        link: Some(status.text("KBURL")).filter(|url| is_web_address(url)).unwrap_or_default(),
        status: Status::of(&status),
    })
}

/// The kinds of the systems that have bulletins.
fn kinds(visit: &Visit) -> Result<Vec<(&'static str, &'static str)>, Failure> {
    let mut kinds = Vec::new();
    for system in System::all(&visit.objects)? {
        if system.patches(&visit.objects)?.is_some() {
            kinds.push((system.key(), system.kind()));
        }
    }
    Ok(kinds)
}

/// The last assessment of a system.
pub(super) fn assessment(visit: &Visit, system: &System) -> Result<Option<Instance>, Failure> {
    visit.objects.associated(&visit.objects.path_of(&system.instance), "QM_AssessedSystem")?.next().transpose()
}

fn statuses(visit: &Visit, assessment: Option<&Instance>) -> Result<Vec<Status>, Failure> {
    let Some(assessment) = assessment else { return Ok(Vec::new()) };
    let statuses = visit.objects.associated(&visit.objects.path_of(assessment), "QM_AssessedBulletin")?;
    statuses.take(MOST).map(|status| status.map(|status| Status::of(&status))).collect()
}

/// The place of a severity; the worst is 0.
pub(super) fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

impl Assessment {
    fn of(assessment: &Instance) -> Self {
        let parts = ["Product", "ProductVersion", "Build"].map(|name| assessment.text(name));
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        Self {
            has_all: assessment.number("MissingCount") == Some(0),
            summary: assessment.text("Description"),
            at: assessment.moment("AssessmentTime"),
            product: parts.join(" "),
            sources: assessment.texts("MetadataURIs"),
        }
    }
}

impl Status {
    fn of(status: &Instance) -> Self {
        Self {
            id: status.text("BulletinID"),
            title: status.text("ElementName"),
            severity: status.text("Severity"),
            category: status.text("Category"),
            state: status.number("State").unwrap_or_default(),
            word: status.word("State").to_lowercase(),
            needs_reboot: status.truth("RestartRequired") == Some(true),
        }
    }

    fn is_missing(&self) -> bool {
        self.state == MISSING
    }

    /// The class of its mark.
    fn mark(&self) -> &'static str {
        match self.state {
            MISSING => "bad",
            WAITS_FOR_BOOT => "warn",
            INSTALLED => "good",
            _ => "",
        }
    }

    /// The class of the mark of its severity.
    fn severity_mark(&self) -> &'static str {
        severity_mark(rank(&self.severity))
    }
}

/// The class of the mark of a severity with this place.
pub(super) fn severity_mark(rank: usize) -> &'static str {
    match rank {
        0 => "bad",
        1 => "warn",
        _ => "",
    }
}
