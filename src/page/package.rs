//! One piece of software: what it is, what it needs, what is in it, and what can be done with it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::{self, Moment, Reading};
use super::rows::{Row, rows_of};
use super::systems::System;
use super::visit::{self, Visit};
use crate::cim::{Instance, ObjectPath, Value};

/// How many links, files or builds are shown at most.
const MOST: usize = 1000;
/// The class of packages, which can be installed and removed one by one.
const PACKAGE: &str = "LMI_SoftwareIdentity";

#[derive(Debug, Template)]
#[template(path = "package.html")]
struct PackagePage {
    frame: Frame,
    row: Row,
    description: String,
    maker: String,
    released: Moment,
    /// Whether it is a package, and not a VIB or a bundle.
    is_package: bool,
    /// Everything of that name, the newest first.
    builds: Vec<Build>,
    repositories: Vec<String>,
    view: View,
}

/// A build of the package, and what it may be replaced with.
#[derive(Debug)]
struct Build {
    row: Row,
    /// What can be done with it, as forms call it and as people do.
    deeds: Vec<(&'static str, &'static str)>,
}

/// What of it is shown beside its facts.
#[derive(Debug)]
enum View {
    About,
    Needs(Vec<Need>),
    NeededBy(Vec<Need>),
    Files(Vec<String>),
}

/// A need of a package, and what meets it.
#[derive(Debug)]
struct Need {
    kind: String,
    words: String,
    /// The InstanceID and the name of the other package; of a requirement that nothing known meets, only its words.
    other: Option<(String, String)>,
}

/// The page.
pub(super) async fn show(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<PackagePage, Failure> {
    let software = visit.objects.software(visit.fields.text("id"))?;
    let path = visit.objects.path_of(&software);
    let is_package = software.class().is_a(PACKAGE);
    let row = Row::of(&software);
    let view = match visit.fields.text("show") {
        "needs" if is_package => View::Needs(needs(visit, &path, ["Dependent", "Antecedent"])?),
        "needed-by" if is_package => View::NeededBy(needs(visit, &path, ["Antecedent", "Dependent"])?),
        "files" if is_package && row.installed.is_known() => View::Files(files(visit, &path)?),
        _ => View::About,
    };
    let is_about = matches!(view, View::About);
    let builds = if is_package && is_about { builds(visit, &row.name)? } else { Vec::new() };
    let repositories = if is_package && is_about { repositories(visit, &path)? } else { Vec::new() };
    Ok(PackagePage {
        frame: visit.frame(row.name.as_str(), if row.installed.is_known() { "/software" } else { "/available" })?,
        description: reading::paragraphs(&software.text("Description")),
        maker: software.text("Manufacturer"),
        released: software.moment("ReleaseDate"),
        is_package,
        builds,
        repositories,
        view,
        row,
    })
}

/// Everything of one name, installed or offered, the newest first.
fn builds(visit: &Visit, name: &str) -> Result<Vec<Build>, Failure> {
    let service = System::one(&visit.objects, false)?.installation(&visit.objects)?;
    let wanted: [(&str, Value); 3] =
        [("Name", name.into()), ("ExactMatch", true.into()), ("AllowDuplicates", true.into())];
    let reply = visit.objects.call(&service, "FindIdentity", &wanted)?;
    let matches = reply.output("Matches").and_then(Value::as_array).unwrap_or_default();
    let rows = rows_of(&visit.objects, matches.iter().rev().take(MOST).filter_map(Value::as_reference))?;
    let deeds: Vec<_> = (0..rows.len()).map(|place| deeds(&rows, place)).collect();
    Ok(rows.into_iter().zip(deeds).map(|(row, deeds)| Build { row, deeds }).collect())
}

/// What can be done with one of the builds, which stand from the newest to the oldest.
fn deeds(builds: &[Row], place: usize) -> Vec<(&'static str, &'static str)> {
    let Some(own) = builds.get(place) else { return Vec::new() };
    if own.installed.is_known() {
        return vec![("repair", "Install again"), ("remove", "Remove")];
    }
    let is_other = |row: &Row| row.installed.is_known() && row.architecture == own.architecture;
    match builds.iter().position(is_other) {
        None => vec![("install", "Install")],
        Some(installed) if installed > place => vec![("update", "Update to this")],
        Some(_) => vec![("downgrade", "Downgrade to this")],
    }
}

fn repositories(visit: &Visit, package: &ObjectPath) -> Result<Vec<String>, Failure> {
    let links = visit.objects.links(package, "LMI_ResourceForSoftwareIdentity", "ManagedElement")?;
    let mut names = Vec::new();
    for link in links.take(MOST) {
        names.extend(link?.reference("AvailableSAP").and_then(|path| path.key_str("Name").map(str::to_owned)));
    }
    Ok(names)
}

fn needs(visit: &Visit, package: &ObjectPath, [own, other]: [&str; 2]) -> Result<Vec<Need>, Failure> {
    let links = visit.objects.links(package, "CIM_OrderedDependency", own)?;
    links.take(MOST).map(|link| link.map(|link| Need::of(&link, other))).collect()
}

fn files(visit: &Visit, package: &ObjectPath) -> Result<Vec<String>, Failure> {
    let links = visit.objects.links(package, "LMI_SoftwareIdentityChecks", "Element")?;
    let mut names = Vec::new();
    for link in links.take(MOST) {
        names.extend(link?.reference("Check").and_then(|path| path.key_str("Name").map(str::to_owned)));
    }
    Ok(names)
}

impl Need {
    fn of(link: &Instance, other: &str) -> Self {
        let path = link.reference(other).filter(|path| &**path.class() == PACKAGE);
        let id = path.as_ref().and_then(|path| path.key_str("InstanceID"));
        let build = |id: &str| reading::build(id.rsplit_once("Identity:").map_or(id, |(_, nevra)| nevra));
        let named = id.map(|id| (id.to_owned(), build(id)));
        Self { kind: link.word("DependencyType"), words: link.text("Requirement"), other: named }
    }
}
