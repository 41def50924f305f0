//! Installed packages that a repository has something newer of.

use std::collections::BTreeMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::advisories::{Advisories, Advisory};
use super::failure::Failure;
use super::frame::Frame;
use super::reading::Reading;
use super::reply::Answer;
use super::rows::Row;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, Value};

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

/// All packages that have something newer. What is the newest of a name is told by the service, which knows how versions
/// are compared on its host.
fn all(visit: &Visit, host: &System) -> Result<Vec<Update>, Failure> {
    let service = host.installation(&visit.objects)?;
    let mut installed: BTreeMap<String, Vec<Instance>> = BTreeMap::new();
    for link in visit.objects.walk(IMPLEMENTATION_NAMESPACE, "LMI_InstalledSoftwareIdentity")? {
        let Some(path) = link?.reference("InstalledSoftware") else { continue };
        if let Some(package) = visit.objects.find(&path)? {
            installed.entry(package.text("Name")).or_default().push(package);
        }
    }
    let mut updates = Vec::new();
    for (name, packages) in &installed {
        let wanted: [(&str, Value); 2] = [("Name", name.as_str().into()), ("ExactMatch", true.into())];
        let reply = visit.objects.call(&service, "FindIdentity", &wanted)?;
        let matches = reply.outputs.iter().find(|(name, _)| &**name == "Matches");
        let matches = matches.and_then(|(_, matches)| matches.as_array()).unwrap_or_default();
        let newest_first = matches.iter().rev().filter_map(Value::as_reference);
        let ids: Vec<&str> = newest_first.filter_map(|path| path.key_str("InstanceID")).collect();
        updates.extend(newer(visit, packages, &ids)?);
    }
    Ok(updates)
}

/// Of each architecture, the newest of what is installed and what is newer than it.
fn newer(visit: &Visit, installed: &[Instance], newest_first: &[&str]) -> Result<Vec<Update>, Failure> {
    let is_installed =
        |id: &str| installed.iter().any(|package| package.get("InstanceID").and_then(Value::as_str) == Some(id));
    // Of most packages there is nothing else, or nothing newer.
    let offered: Vec<&str> = newest_first.iter().copied().take_while(|id| !is_installed(id)).collect();
    let mut updates: Vec<Update> = Vec::new();
    for id in offered {
        let to = Row::of(&visit.objects.software(id)?);
        let older = installed.iter().filter(|package| package.text("Architecture") == to.architecture);
        let place = |package: &Instance| newest_first.iter().position(|id| package.text("InstanceID") == *id);
        let Some(from) = older.min_by_key(|package| place(package)) else { continue };
        if updates.iter().all(|update| update.to.architecture != to.architecture) {
            updates.push(Update { from: Row::of(from), to, advisories: Vec::new() });
        }
    }
    Ok(updates)
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
