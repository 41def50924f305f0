//! What is installed: the host's packages, the image's VIBs.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::images::{self, Boot};
use super::paging::{Address, Paging, ROWS};
use super::reading::Reading;
use super::rows::Row;
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, ObjectPath};

/// The class of what images are made of.
const VIB: &str = "VMware_ComponentSoftwareIdentity";

#[derive(Debug, Template)]
#[template(path = "software.html")]
struct SoftwarePage {
    frame: Frame,
    search: String,
    rows: Vec<Listed>,
    paging: Paging,
    /// Whether any of it is of an architecture; VIBs are of none.
    has_architectures: bool,
}

#[derive(Debug)]
struct Listed {
    row: Row,
    /// What the next boot of an image does to it.
    boot: Boot,
}

/// What stands on a system.
#[derive(Debug)]
struct Standing {
    path: Arc<ObjectPath>,
    boot: Boot,
}

/// The list.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<SoftwarePage, Failure> {
    let (search, number) = (visit.fields.text("q"), visit.fields.number("page"));
    let address = Address { path: "/software", fields: &[("q", search)] };
    let standing = standing(visit)?;
    let (rows, paging) = if search.is_empty() {
        let paging = Paging::of(standing.len(), number, &address);
        (listed(visit, standing.iter().skip(paging.skipped()).take(ROWS))?, paging)
    } else {
        let (mut found, wanted) = (listed(visit, standing.iter())?, search.to_lowercase());
        found.retain(|listed| listed.row.matches(&wanted));
        let paging = Paging::of(found.len(), number, &address);
        (found.into_iter().skip(paging.skipped()).take(ROWS).collect(), paging)
    };
    let frame = visit.frame("Installed software", "/software")?;
    let has_architectures = rows.iter().any(|listed| !listed.row.architecture.is_empty());
    Ok(SoftwarePage { frame, search: search.to_owned(), rows, paging, has_architectures })
}

/// What stands on the systems, in the order of its names.
fn standing(visit: &Visit) -> Result<Vec<Standing>, Failure> {
    let mut all = Vec::new();
    for link in visit.objects.walk(IMPLEMENTATION_NAMESPACE, "CIM_ElementSoftwareIdentity")? {
        all.extend(Standing::of(&link?));
    }
    // Where no image waits for the boot, it changes nothing.
    if !images::waits_for_boot(visit)? {
        all.iter_mut().for_each(|standing| standing.boot = Boot::Keeps);
    }
    all.sort_by(|a, b| a.id().cmp(&b.id()));
    Ok(all)
}

/// The rows of what stands there. What was removed meanwhile is left out.
fn listed<'a>(visit: &Visit, standing: impl Iterator<Item = &'a Standing>) -> Result<Vec<Listed>, Failure> {
    let mut rows = Vec::new();
    for Standing { path, boot, .. } in standing {
        let software = visit.objects.find(path)?;
        rows.extend(software.map(|software| Listed { row: Row::of(&software), boot: *boot }));
    }
    Ok(rows)
}

impl Standing {
    fn of(link: &Instance) -> Option<Self> {
        let path = link.reference("Antecedent")?;
        let boot = if &**path.class() == VIB { Boot::of(link) } else { Boot::Keeps };
        Some(Self { path, boot })
    }

    fn id(&self) -> Option<&str> {
        self.path.key_str("InstanceID")
    }
}
