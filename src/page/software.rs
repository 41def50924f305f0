//! What is installed: the host's packages, the image's VIBs.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::paging::{Address, Paging};
use super::reading::{self, Moment, Reading};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, ObjectPath};

#[derive(Debug, Template)]
#[template(path = "software.html")]
struct SoftwarePage {
    frame: Frame,
    search: String,
    rows: Vec<Row>,
    paging: Paging,
}

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    version: String,
    architecture: String,
    summary: String,
    installed: Moment,
}

/// The list.
pub(super) async fn installed(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<SoftwarePage, Failure> {
    let (search, number) = (visit.fields.text("q"), visit.fields.number("page"));
    let address = Address { path: "/software", fields: &[("q", search)] };
    let paths = installed_paths(visit)?;
    let (rows, paging) = if search.is_empty() {
        let paging = Paging::of(paths.len(), number, &address);
        (rows(visit, paths.iter().skip(paging.skipped()).take(super::paging::ROWS))?, paging)
    } else {
        let mut found = rows(visit, paths.iter())?;
        found.retain(|row| row.matches(&search.to_lowercase()));
        let paging = Paging::of(found.len(), number, &address);
        (found.into_iter().skip(paging.skipped()).take(super::paging::ROWS).collect(), paging)
    };
    Ok(SoftwarePage { frame: visit.frame("Installed software", "/software"), search: search.to_owned(), rows, paging })
}

/// What stands on the systems, in the order of its names.
fn installed_paths(visit: &Visit) -> Result<Vec<Arc<ObjectPath>>, Failure> {
    let mut paths = Vec::new();
    for link in visit.objects.walk(IMPLEMENTATION_NAMESPACE, "CIM_ElementSoftwareIdentity")? {
        paths.extend(link?.reference("Antecedent"));
    }
    paths.sort_by(|a, b| a.key_str("InstanceID").cmp(&b.key_str("InstanceID")));
    Ok(paths)
}

fn rows<'a>(visit: &Visit, paths: impl Iterator<Item = &'a Arc<ObjectPath>>) -> Result<Vec<Row>, Failure> {
    let found = paths.map(|path| visit.objects.find(path)).filter_map(Result::transpose);
    found.map(|instance| instance.map(|instance| Row::of(&instance))).collect()
}

impl Row {
    fn of(software: &Instance) -> Self {
        Self {
            id: software.text("InstanceID"),
            name: software.text("Name"),
            version: reading::version(software),
            architecture: software.text("Architecture"),
            summary: software.text("Caption"),
            installed: software.moment("InstallDate"),
        }
    }

    fn matches(&self, wanted: &str) -> bool {
        self.name.to_lowercase().contains(wanted) || self.summary.to_lowercase().contains(wanted)
    }
}
