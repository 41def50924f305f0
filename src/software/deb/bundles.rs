//! Debian's bundles: the tasks of tasksel, and metapackages.

mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lists::{self, Lists, Refused};
use super::stanza::Stanza;
use super::{FOLDER, database, open_root, relations};
use crate::software::{Bundle, BundleKind, Bundles, DependencyKind, Family, ManagerError, Nevra, Part};

const FIELDS: &[&str] = &[
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Section",
    "Task",
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Description",
];

/// What the names of the packages of tasks begin with.
const TASK_PREFIX: &str = "task-";

/// The files that bundles are read from; other files, other bundles.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>, ManagerError> {
    let folder = root.join(FOLDER);
    let mut files = lists::files(root)?;
    files.extend(database::journal(&folder)?);
    files.push(folder.join("status"));
    let opened = open_root(root)?;
    files.extend(tasks::files(&opened).iter().filter_map(|file| opened.locate(file).ok().flatten()));
    Ok(files)
}

/// Reads the bundles of the host: what tasksel describes, and what the installed packages and those that are offered say
/// of themselves. Of a package with several versions the installed one counts, else the newest.
pub(super) fn read(root: &Path) -> Result<Bundles, ManagerError> {
    let mut found = Found::default();
    let offered =
        lists::each_package(root, FIELDS, |stanza| found.take(stanza, false).map_err(Refused::<Infallible>::Damage));
    let Ok(()) = offered?;
    database::each(&root.join(FOLDER), FIELDS, |stanza| {
        let state = database::state(stanza.get("Status").ok_or("the field Status is missing")?)?;
        if state.has_files() { found.take(stanza, true) } else { Ok(()) }
    })?;
    let native = Lists::open(root)?.native().to_owned();
    Ok(Bundles::new(Family::Deb, &native, found.bundles(tasks::read(&open_root(root)?))))
}

/// A package that bundles others.
#[derive(Debug)]
struct Meta {
    nevra: Nevra,
    is_installed: bool,
    is_task: bool,
    summary: String,
    description: String,
    parts: Vec<Part>,
}

/// What packages say of bundles.
#[derive(Debug, Default)]
struct Found {
    metapackages: BTreeMap<Arc<str>, Meta>,
    /// By the task that they say that they belong to.
    members: BTreeMap<String, BTreeSet<Arc<str>>>,
}

impl Found {
    fn take(&mut self, stanza: &Stanza, is_installed: bool) -> Result<(), &'static str> {
        let section = stanza.get("Section").unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let tasks = stanza.get("Task").unwrap_or_default();
        let is_task = section == "tasks";
        if tasks.is_empty() && section != "metapackages" && !is_task {
            return Ok(());
        }
        let field = |name| stanza.get(name).ok_or("the name, version or architecture is missing");
        let nevra = Nevra::from_debian(field("Package")?, field("Version")?, field("Architecture")?)
            .ok_or("the name, version or architecture is none")?;
        for task in tasks.split(',').map(str::trim).filter(|task| !task.is_empty()) {
            self.members.entry(task.to_owned()).or_default().insert(nevra.name.clone());
        }
        let is_better = |known: &Meta| {
            let order = nevra.version_order(&known.nevra, Family::Deb);
            (is_installed, order) > (known.is_installed, std::cmp::Ordering::Equal)
        };
        if (section == "metapackages" || is_task) && self.metapackages.get(&nevra.name).is_none_or(is_better) {
            let (summary, description) = database::description(stanza.get("Description").unwrap_or_default());
            let (summary, parts) = (summary.to_owned(), parts(stanza));
            let meta = Meta { is_installed, is_task, summary, description, parts, nevra: nevra.clone() };
            self.metapackages.insert(nevra.name, meta);
        }
        Ok(())
    }

    fn bundles(self, described: Vec<Bundle>) -> Vec<Bundle> {
        let Self { metapackages, members } = self;
        let mut bundles = Vec::new();
        for mut bundle in described {
            // The packages of tasks are metapackages themselves.
            let keys = bundle.parts.clone().into_iter().filter_map(|part| match part {
                Part::Package { names, .. } => names.into_iter().next(),
                Part::Build(_) => None,
            });
            for meta in keys.filter_map(|name| metapackages.get(&name)) {
                bundle.name = if bundle.name.is_empty() { meta.summary.clone() } else { bundle.name };
                bundle.description =
                    if bundle.description.is_empty() { meta.description.clone() } else { bundle.description };
                meta.parts.iter().for_each(|part| bundle.add(part.clone()));
            }
            bundles.push(bundle);
        }
        for (task, names) in members {
            let mut bundle = Bundle::new(BundleKind::Task, &task);
            names.into_iter().for_each(|name| bundle.add(package(name)));
            bundles.push(bundle);
        }
        bundles.extend(metapackages.into_iter().map(|(name, meta)| meta.bundle(name)));
        bundles
    }
}

impl Meta {
    fn bundle(self, name: Arc<str>) -> Bundle {
        let task = name.strip_prefix(TASK_PREFIX).filter(|_| self.is_task);
        let mut bundle = match task {
            Some(task) => Bundle::new(BundleKind::Task, task),
            None => Bundle::new(BundleKind::Metapackage, &name),
        };
        bundle.name = self.summary;
        bundle.description = self.description;
        bundle.version = task.is_none().then(|| self.nevra.debian_version());
        bundle.add(package(name));
        self.parts.into_iter().for_each(|part| bundle.add(part));
        bundle
    }
}

fn package(name: Arc<str>) -> Part {
    Part::Package { names: vec![name], is_optional: false }
}

/// What a metapackage needs, and what it recommends: the latter is installed along, and missed by nobody.
fn parts(stanza: &Stanza) -> Vec<Part> {
    let fields = [("Pre-Depends", false), ("Depends", false), ("Recommends", true)];
    let of_field = |(field, is_optional)| {
        let dependencies = relations::dependencies(DependencyKind::Depends, stanza.get(field).unwrap_or_default());
        dependencies.map(move |dependency| {
            let names = dependency.alternatives.into_iter().map(|alternative| alternative.name).collect();
            Part::Package { names, is_optional }
        })
    };
    fields.into_iter().flat_map(of_field).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn stanza(name: &str, version: &str, rest: &str) -> String {
        format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: all\n{rest}\n\n")
    }

    fn root(status: &str, list: &str, tasks: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("var/lib/dpkg/status", status),
            ("var/lib/apt/lists/_r_._Packages", list),
            ("etc/apt/sources.list", "deb file:/r ./\n"),
            ("usr/share/tasksel/descs/test.desc", tasks),
        ] {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        dir
    }

    /// Each bundle in one line: optional parts in brackets.
    fn told(root: &Path) -> Vec<String> {
        let bundles = read(root).unwrap();
        let part = |part: &Part| match part {
            Part::Package { names, is_optional: false } => names.join("|"),
            Part::Package { names, .. } => format!("[{}]", names.join("|")),
            Part::Build(nevra) => nevra.to_string(),
        };
        let line = |of: &Bundle| {
            let parts: Vec<String> = of.parts.iter().map(part).collect();
            format!("{}:{} {:?} {:?} {}", of.kind, of.id, of.name, of.version, parts.join(" "))
        };
        bundles.all().iter().map(line).collect()
    }

    #[test]
    fn packages_tell_of_tasks_and_are_metapackages() {
        let list = stanza("desktop", "1", "Section: contrib/metapackages\nDepends: old")
            + &stanza(
                "desktop",
                "2",
                "Section: contrib/metapackages\nDepends: a | b (>= 3), c\nRecommends: d\nDescription: all of it\n more",
            )
            + &stanza("desktop", "1.5", "Section: metapackages\nDepends: middle")
            + &stanza("editor", "1", "Section: editors\nTask: writing, editing")
            + &stanza("pen", "1", "Task: writing")
            + &stanza("task-web", "1", "Section: tasks\nDepends: tasksel\nRecommends: httpd\nDescription: web server")
            + &stanza("base", "2", "Section: metapackages\nDepends: new");
        let status = stanza("base", "1", "Section: metapackages\nPre-Depends: installed")
            + &stanza("plain", "1", "Section: misc\nDepends: a");
        let tasks = "Task: web-server\nSection: server\nDescription: Web server\n serves pages\nKey:\n task-web\nPackages: list\n curl\n wget\n\n\
                     Task: writing\nPackages: task-fields\n\nTask:\n\njunk\n";
        let root = root(&status, &list, tasks);
        assert_eq!(
            told(root.path()),
            [
                "task:editing \"\" None editor",
                "task:web \"web server\" None task-web tasksel [httpd]",
                "task:web-server \"Web server\" None task-web curl wget tasksel [httpd]",
                "task:writing \"\" None editor pen",
                "metapackage:base \"\" Some(\"1\") base installed",
                "metapackage:desktop \"all of it\" Some(\"2\") desktop a|b c [d]",
            ]
        );
        assert!(files(root.path()).unwrap().iter().any(|file| file.ends_with("test.desc")));
    }
}
