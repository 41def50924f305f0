//! Installed packages that a repository has something newer of.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::advisories::{Advisories, Advisory};
use super::failure::Failure;
use super::frame::Frame;
use super::reply::Answer;
use super::rows::Row;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::cim::Value;

/// How many packages are updated by one form.
const MOST: usize = 500;
/// InstallOptions: Update.
const UPDATE: u16 = 5;

#[derive(Debug, Template)]
#[template(path = "updates.html")]
struct UpdatesPage {
    frame: Frame,
    updates: Vec<Update>,
    /// Whether updates are told with the advisories that ask for them.
    has_advisories: bool,
    /// Whether all are chosen beforehand.
    is_chosen: bool,
}

/// What is installed, and what is newer.
#[derive(Debug)]
struct Update {
    from: Row,
    to: Row,
    /// The advisories that ask for it, the most severe first.
    advisories: Vec<Advisory>,
}

/// The list.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    let made = |visit: &Visit| {
        let host = System::one(&visit.objects, false)?;
        let (mut updates, advisories) = (all(visit, &host)?, Advisories::of(visit, &host)?);
        for update in &mut updates {
            update.advisories = advisories.about(&update.from);
        }
        // The worst comes first; what no advisory asks for keeps its place by its name.
        updates.sort_by_key(|update| update.advisories.first().map_or(usize::MAX, |worst| worst.rank));
        Ok(UpdatesPage {
            updates,
            has_advisories: advisories.are_known(),
            is_chosen: visit.fields.text("choose") != "none",
            frame: visit.frame("Updates", "/updates")?,
        })
    };
    visit::show(page, request, made).await
}

/// Begins a job for each package that was chosen.
pub(super) async fn update(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, updated).await
}

/// All packages that have something newer. The service tells which: it knows how versions are compared on its host.
fn all(visit: &Visit, host: &System) -> Result<Vec<Update>, Failure> {
    let service = host.installation(&visit.objects)?;
    let reply = visit.objects.call(&service, "FindUpdates", &[])?;
    let listed = |name: &str| {
        let paths = reply.output(name).and_then(Value::as_array).unwrap_or_default();
        paths.iter().filter_map(Value::as_reference).filter_map(|path| path.key_str("InstanceID"))
    };
    let package = |id: &str| Ok::<_, Failure>(Row::of(&visit.objects.software(id)?));
    let update =
        |(from, to): (&str, &str)| Ok(Update { from: package(from)?, to: package(to)?, advisories: Vec::new() });
    listed("Installed").zip(listed("Newest")).map(update).collect()
}

fn updated(visit: &Visit) -> Result<Answer, Failure> {
    let chosen: Vec<&str> = visit.fields.all("id").collect();
    if chosen.is_empty() || chosen.len() > MOST {
        return Err(Failure::invalid(format!("Choose at least one package, and at most {MOST}.")));
    }
    let host = System::one(&visit.objects, false)?;
    let (service, target) = (host.installation(&visit.objects)?, host.reference(&visit.objects));
    for id in chosen {
        let package = visit.objects.software(id)?;
        let source: Value = visit.objects.path_of(&package).into();
        let options = Value::array([UPDATE]);
        let arguments = [("Source", source), ("Target", target.clone()), ("InstallOptions", options)];
        let method = "InstallFromSoftwareIdentity";
        let reply = visit.objects.call(&service, method, &arguments)?;
        systems::begun(&service, method, &reply)?;
    }
    Ok(Answer::Go("/jobs".to_owned()))
}
