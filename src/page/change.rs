//! Installing, updating, removing: first what would change, then the job that changes it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::{self, Reading};
use super::reply::Answer;
use super::rows::Row;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::cim::{Instance, Value};

/// What can be done with a package: its name in forms, what a person calls it, and its InstallOptions (DSP1025).
const DEEDS: [Deed; 5] = [
    Deed { name: "install", verb: "Install", options: &[4] },
    Deed { name: "update", verb: "Update", options: &[5] },
    Deed { name: "downgrade", verb: "Downgrade to", options: &[4, 3] },
    Deed { name: "repair", verb: "Install again", options: &[6] },
    Deed { name: "remove", verb: "Remove", options: &[9] },
];

#[derive(Clone, Copy, Debug)]
struct Deed {
    name: &'static str,
    verb: &'static str,
    options: &'static [u16],
}

#[derive(Debug, Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    deed: Deed,
    row: Row,
    outcome: Outcome,
}

/// What a change would come to.
#[derive(Debug)]
enum Outcome {
    Possible(Plan),
    /// It would fail, and why.
    Impossible(String),
}

#[derive(Debug)]
struct Plan {
    changes: Vec<Change>,
    fetched: String,
    /// How much more room is taken, or given back.
    room: String,
}

#[derive(Debug)]
struct Change {
    kind: String,
    before: String,
    after: String,
    size: String,
}

/// Shows what would change.
pub(super) async fn plan(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, planned).await
}

/// Has it done.
pub(super) async fn change(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, begun).await
}

/// Has an installed package's files compared with how they were installed.
pub(super) async fn verify(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, verified).await
}

/// Has what is at an address installed: a package, or a bundle of an image.
pub(super) async fn install_from(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, installed_from).await
}

fn planned(visit: &Visit) -> Result<Answer, Failure> {
    let (deed, package) = asked(visit)?;
    let service = System::one(&visit.objects, false)?.installation(&visit.objects)?;
    let reply = visit.objects.call(&service, "PlanChanges", &arguments(visit, deed, &package)?)?;
    let outcome = if reply.return_value.as_u64() == Some(0) {
        let changes = reply.output("Changes").and_then(Value::as_array).unwrap_or_default();
        Outcome::Possible(Plan {
            changes: changes.iter().filter_map(Value::as_instance).map(|change| Change::of(change)).collect(),
            fetched: reply.output("DownloadSize").and_then(Value::as_u64).map(reading::octets).unwrap_or_default(),
            room: reply.output("DiskUsage").and_then(Value::as_integer).map(room).unwrap_or_default(),
        })
    } else {
        Outcome::Impossible(systems::answer(&service, "PlanChanges", &reply))
    };
    let row = Row::of(&package);
    let frame = visit.frame(format!("{} {}", deed.verb, row.name), "/software")?;
    Answer::page(&PlanPage { frame, deed, row, outcome })
}

fn begun(visit: &Visit) -> Result<Answer, Failure> {
    let (deed, package) = asked(visit)?;
    let service = System::one(&visit.objects, false)?.installation(&visit.objects)?;
    let method = "InstallFromSoftwareIdentity";
    let reply = visit.objects.call(&service, method, &arguments(visit, deed, &package)?)?;
    systems::begun(&service, method, &reply).map(Answer::Go)
}

fn verified(visit: &Visit) -> Result<Answer, Failure> {
    let package = visit.objects.software(visit.fields.text("id"))?;
    let system = System::one(&visit.objects, false)?;
    let service = system.installation(&visit.objects)?;
    let source: Value = visit.objects.path_of(&package).into();
    let arguments = [("Source", source), ("Target", system.reference(&visit.objects))];
    let reply = visit.objects.call(&service, "VerifyInstalledIdentity", &arguments)?;
    systems::begun(&service, "VerifyInstalledIdentity", &reply).map(Answer::Go)
}

fn installed_from(visit: &Visit) -> Result<Answer, Failure> {
    let uri = visit.fields.text("uri");
    if uri.is_empty() {
        return Err(Failure::invalid("Write the address of what is to be installed."));
    }
    let system = System::one(&visit.objects, visit.fields.text("system") == "image")?;
    let service = system.installation(&visit.objects)?;
    let arguments = [("URI", uri.into()), ("Target", system.reference(&visit.objects))];
    let reply = visit.objects.call(&service, "InstallFromURI", &arguments)?;
    systems::begun(&service, "InstallFromURI", &reply).map(Answer::Go)
}

/// What the form asks for, of which package.
fn asked(visit: &Visit) -> Result<(Deed, Instance), Failure> {
    let wanted = visit.fields.text("deed");
    let deed = DEEDS.into_iter().find(|deed| deed.name == wanted);
    let deed = deed.ok_or_else(|| Failure::invalid("The form does not say what is to be done."))?;
    Ok((deed, visit.objects.software(visit.fields.text("id"))?))
}

fn arguments(visit: &Visit, deed: Deed, package: &Instance) -> Result<[(&'static str, Value); 3], Failure> {
    let source: Value = visit.objects.path_of(package).into();
    let target = System::one(&visit.objects, false)?.reference(&visit.objects);
    Ok([("Source", source), ("Target", target), ("InstallOptions", Value::array(deed.options.iter().copied()))])
}

fn room(octets: i128) -> String {
    let size = reading::octets(u64::try_from(octets.unsigned_abs()).unwrap_or(u64::MAX));
    match octets {
        0 => String::new(),
        1.. => format!("{size} more on the disk"),
        _ => format!("{size} less on the disk"),
    }
}

impl Change {
    fn of(change: &Instance) -> Self {
        let name = |property: &str| {
            let id = change.text(property);
            reading::build(id.rsplit_once("Identity:").map_or(&*id, |(_, nevra)| nevra))
        };
        Self {
            kind: change.word("Kind").to_lowercase(),
            before: name("Before"),
            after: name("After"),
            size: change.number("DownloadSize").map(reading::octets).unwrap_or_default(),
        }
    }
}
