//! What repositories offer and is not installed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::paging::{Address, Paging, ROWS};
use super::rows::{Row, rows_of};
use super::systems::System;
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{ObjectPath, Value};

#[derive(Debug, Template)]
#[template(path = "available.html")]
struct AvailablePage {
    frame: Frame,
    search: String,
    has_host: bool,
    rows: Vec<Row>,
    paging: Paging,
}

/// The list.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<AvailablePage, Failure> {
    let (search, number) = (visit.fields.text("q").to_owned(), visit.fields.number("page"));
    let address = Address { path: "/available", fields: &[("q", &search)] };
    let host = System::all(&visit.objects)?.into_iter().find(|system| !system.is_image);
    let (rows, paging) = match &host {
        None => (Vec::new(), Paging::of(0, 1, &address)),
        Some(_) if search.is_empty() => every(visit, number, &address)?,
        Some(host) => found(visit, host, &search, number, &address)?,
    };
    let frame = visit.frame("Available software", "/available")?;
    Ok(AvailablePage { frame, search, has_host: host.is_some(), rows, paging })
}

/// A part of everything. There may be very many, so that they are not counted.
fn every(visit: &Visit, number: usize, address: &Address<'_>) -> Result<(Vec<Row>, Paging), Failure> {
    let members = visit.objects.walk(IMPLEMENTATION_NAMESPACE, "LMI_MemberOfSoftwareCollection")?;
    let mut paths = Vec::new();
    for link in members.skip((number - 1).saturating_mul(ROWS)).take(ROWS + 1) {
        paths.extend(link?.get("Member").and_then(Value::as_reference).cloned());
    }
    let has_more = paths.len() > ROWS;
    let rows = rows_of(&visit.objects, paths.iter().take(ROWS))?;
    let paging = Paging::new(number, rows.len(), has_more, address);
    Ok((rows, paging))
}

/// A part of the newest of what has the text in its name or summary.
fn found(
    visit: &Visit,
    host: &System,
    search: &str,
    number: usize,
    address: &Address<'_>,
) -> Result<(Vec<Row>, Paging), Failure> {
    let service = host.installation(&visit.objects)?;
    let wanted: [(&str, Value); 3] =
        [("Name", search.into()), ("Installed", false.into()), ("AllowDuplicates", false.into())];
    let reply = visit.objects.call(&service, "FindIdentity", &wanted)?;
    let matches = reply.output("Matches").and_then(Value::as_array).unwrap_or_default();
    let paging = Paging::of(matches.len(), number, address);
    let part = matches.iter().skip(paging.skipped()).take(ROWS);
    let paths: Vec<&std::sync::Arc<ObjectPath>> = part.filter_map(Value::as_reference).collect();
    Ok((rows_of(&visit.objects, paths)?, paging))
}
