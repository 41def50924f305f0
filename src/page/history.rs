//! What was done: the records of the logs of all systems.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::paging::{Address, Paging, ROWS};
use super::reading::{Moment, Reading};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, ObjectPath};

/// PerceivedSeverity of what failed: Minor and worse.
const FAILED: u64 = 4;

#[derive(Debug, Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    records: Vec<Record>,
    paging: Paging,
}

#[derive(Debug)]
struct Record {
    at: Moment,
    about: String,
    message: String,
    has_failed: bool,
}

/// The records, the newest first.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<HistoryPage, Failure> {
    let mut paths = Vec::new();
    for link in visit.objects.walk(IMPLEMENTATION_NAMESPACE, "CIM_LogManagesRecord")? {
        paths.extend(link?.reference("Record"));
    }
    // Records of all systems are numbered together.
    paths.sort_by_key(|path| std::cmp::Reverse(number(path)));
    let paging = Paging::of(paths.len(), visit.fields.number("page"), &Address { path: "/history", fields: &[] });
    let part = paths.iter().skip(paging.skipped()).take(ROWS);
    let found = part.map(|path| visit.objects.find(path)).filter_map(Result::transpose);
    let records = found.map(|record| record.map(|record| Record::of(&record))).collect::<Result<_, _>>()?;
    Ok(HistoryPage { frame: visit.frame("History", "/history")?, records, paging })
}

fn number(path: &Arc<ObjectPath>) -> u64 {
    let id = path.key_str("InstanceID").unwrap_or_default();
    id.rsplit_once(':').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

impl Record {
    fn of(record: &Instance) -> Self {
        Self {
            at: record.moment("CreationTimeStamp"),
            about: record.text("Caption"),
            message: record.text("Message"),
            has_failed: record.number("PerceivedSeverity").is_some_and(|severity| severity >= FAILED),
        }
    }
}
