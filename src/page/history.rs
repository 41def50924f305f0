//! What was done: the records of the logs of all systems.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::paging::{Address, Paging, ROWS};
use super::reading::{self, Moment, Reading};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, ObjectPath};

#[derive(Debug, Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    records: Vec<Record>,
    paging: Paging,
}

/// A job that has ended.
#[derive(Debug)]
struct Record {
    at: Moment,
    /// What was asked for, in words.
    title: String,
    /// What came of it: changes, or why there are none.
    came: Vec<String>,
    user: String,
    address: String,
    result: String,
}

/// What a record tells to programs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    user: Option<String>,
    address: Option<String>,
    method: String,
    software: Option<String>,
    result: String,
    error: Option<String>,
    changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
struct Change {
    kind: String,
    before: Option<String>,
    after: Option<String>,
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
        // A record of a later version, of which nothing is understood, still has its sentence.
        let told = serde_json::from_str(&record.text("RecordData"));
        let told: Told = told.unwrap_or_else(|_| Told { error: Some(record.text("Message")), ..Told::default() });
        let changes = told.changes.iter().map(Change::words);
        let is_needless = told.is_needless();
        Self {
            at: record.moment("CreationTimeStamp"),
            title: told.title().unwrap_or_else(|| record.text("Caption")),
            came: changes.chain(told.error.clone()).collect(),
            user: told.user.unwrap_or_else(|| "not told".to_owned()),
            address: told.address.unwrap_or_default(),
            result: if is_needless { "needless".to_owned() } else { told.result },
        }
    }
}

impl Told {
    /// What was asked for. What was to become of a package is only told by what became of it.
    fn title(&self) -> Option<String> {
        let subject = self.software.as_deref().map(reading::build);
        let verb = match (&*self.method, subject.is_some()) {
            ("InstallFromURI" | "InstallFromByteStream" | "CreateInstance", true) => "Install",
            ("DeleteInstance" | "Uninstall", true) => "Remove",
            ("InstallFromSoftwareIdentity", true) => self.deed(),
            ("VerifyInstalledIdentity", true) => "Verify files of",
            ("Deploy", true) => "Install bulletins",
            ("Scan", true) => "Compare with",
            ("Scan", false) => "Compare with what was published",
            ("Assess", _) => "Compare once more",
            ("RollBack", _) => "Go back to the image before",
            ("RefreshRepositories", _) => "Fetch the lists of the repositories",
            _ => return None,
        };
        Some(subject.map_or_else(|| verb.to_owned(), |subject| format!("{verb} {subject}")))
    }

    /// Whether it failed for nothing but that the package was installed.
    fn is_needless(&self) -> bool {
        self.result == "failed" && self.error.as_ref().is_some_and(|error| error.ends_with(" is already installed"))
    }

    fn deed(&self) -> &'static str {
        let own = |change: &&Change| [&change.after, &change.before].contains(&&self.software);
        match self.changes.iter().find(own).map(|change| &*change.kind) {
            Some("installed") => "Install",
            Some("updated") => "Update to",
            Some("downgraded") => "Downgrade to",
            Some("reinstalled") => "Install again",
            Some("removed") => "Remove",
            _ => "Change",
        }
    }
}

impl Change {
    fn words(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|name| name.as_deref().map(reading::build));
        match (before, after) {
            (Some(before), Some(after)) if before != after => format!("{} {before} to {after}", self.kind),
            (before, after) => format!("{} {}", self.kind, after.or(before).unwrap_or_default()),
        }
    }
}
