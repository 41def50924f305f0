//! What Debian packages need, tasks and metapackages, compared with dpkg and apt on the same roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use quartermaster::software::{
    BundleKind, BundleState, Dependency, DependencyKind, EngineChoice, Manager, Nevra, Relations, open,
};
use support::packages::{DebRoot, build_deb};
use support::repositories::ask_apt;

/// `editor` and `library` are installed; they and others are offered.
fn fixture() -> (DebRoot, Arc<dyn Manager>) {
    let root = DebRoot::new();
    let dir = root.scratch();
    let build = |name: &str, version: &str, fields: &[(&str, &str)]| build_deb(&dir, name, version, fields);
    let library = build("library", "1:1.0-1", &[("Provides", "lib-abi (= 3), lib-any")]);
    let editor = build(
        "editor",
        "2.0",
        &[
            ("Pre-Depends", "library (>= 1:0.9~)"),
            ("Depends", "fonts | library, lib-abi (= 3), library (<< 2:0)"),
            ("Recommends", "fonts (>> 1), elsewhere | nowhere"),
            ("Suggests", "late"),
        ],
    );
    root.install_by_hand(&library);
    root.install_by_hand(&editor);
    let all = [
        library,
        editor,
        build("fonts", "1-1", &[]),
        build("fonts", "2~rc1-1", &[]),
        build("late", "1", &[("Depends", "lib-abi, lib-any (= 1), lib-abi (>= 2)"), ("Task", "writing")]),
        build("desk", "3", &[("Section", "metapackages"), ("Depends", "editor, fonts"), ("Recommends", "late")]),
        build("task-tools", "1", &[("Section", "tasks"), ("Depends", "library"), ("Recommends", "late")]),
    ];
    let root = root.with_repository(&all);
    let tasks = root.path().join("usr/share/tasksel/descs");
    fs::create_dir_all(&tasks).unwrap();
    fs::write(tasks.join("debian-tasks.desc"), "Task: tools\nSection: server\nKey:\n task-tools\n\n").unwrap();
    let engine = open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
    (root, engine)
}

/// What apt-cache shows: the kind and the name of each, with a bar before those that have further alternatives.
fn told_by_apt(root: &DebRoot, name: &str) -> Vec<String> {
    let options = ["depends", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", name];
    let text = ask_apt(root, "apt-cache", &options);
    // The packages that provide what is named stand below it, without a word.
    let lines = text.lines().filter(|line| line.contains(": "));
    lines.map(|line| line.trim().replace(['<', '>'], "")).collect()
}

fn told(dependencies: &[Dependency]) -> Vec<String> {
    let words = |dependency: &Dependency| {
        let kind = match dependency.kind {
            DependencyKind::PreDepends => "PreDepends",
            DependencyKind::Depends => "Depends",
            DependencyKind::Recommends => "Recommends",
            DependencyKind::Suggests => "Suggests",
        };
        let last = dependency.alternatives.len() - 1;
        let word = |(at, of): (usize, &quartermaster::software::Requirement)| {
            format!("{}{kind}: {}", if at < last { "|" } else { "" }, of.name)
        };
        dependency.alternatives.iter().enumerate().map(word).collect::<Vec<_>>()
    };
    dependencies.iter().flat_map(words).collect()
}

#[test]
fn packages_need_what_apt_says_that_they_need() {
    let (root, engine) = fixture();
    let (installed, offered) = (engine.installed_relations().unwrap(), engine.offered_relations().unwrap());
    assert_eq!((installed.len(), offered.len()), (2, 7));
    for name in ["editor-0:2.0.all", "late-0:1.all", "desk-0:3.all", "library-1:1.0-1.all"] {
        let nevra: Nevra = name.parse().unwrap();
        assert_eq!(told(&engine.dependencies(&nevra).unwrap()), told_by_apt(&root, &nevra.name), "{name}");
    }
    let editor = engine.dependencies(&"editor-0:2.0.all".parse().unwrap()).unwrap();
    let texts: Vec<String> = editor.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "library >= 1:0.9~",
            "fonts | library",
            "lib-abi = 3",
            "library < 2:0",
            "fonts > 1",
            "elsewhere | nowhere",
            "late"
        ]
    );
}

/// The packages that meet a requirement, by their names and versions.
fn meeting(relations: &Relations, requirement: &str) -> Vec<String> {
    let numbers = relations.meeting(&requirement.parse().unwrap(), &"x-0:1.all".parse().unwrap());
    numbers.into_iter().map(|number| relations.nevra(number).unwrap().to_string()).collect()
}

/// apt is asked to satisfy each requirement on a root where nothing is installed.
#[test]
fn requirements_are_met_where_apt_can_satisfy_them() {
    let (root, engine) = fixture();
    fs::write(root.path().join("var/lib/dpkg/status"), "").unwrap();
    let offered = engine.offered_relations().unwrap();
    let mut met = 0;
    for (requirement, of_apt) in [
        ("library", "library"),
        ("library >= 1:1.0-1", "library (>= 1:1.0-1)"),
        ("library > 1:1.0-1", "library (>> 1:1.0-1)"),
        ("fonts < 2", "fonts (<< 2)"),
        ("fonts >= 2", "fonts (>= 2)"),
        ("lib-abi = 3", "lib-abi (= 3)"),
        ("lib-abi >= 4", "lib-abi (>= 4)"),
        ("lib-any", "lib-any"),
        ("lib-any = 1", "lib-any (= 1)"),
        ("nowhere", "nowhere"),
    ] {
        let mut apt = support::repositories::apt(&root, "apt-get");
        apt.args(["--simulate", "--no-install-recommends", "satisfy", of_apt]);
        let theirs = apt.output().unwrap().status.success();
        let ours = meeting(&offered, requirement);
        assert_eq!(!ours.is_empty(), theirs, "{requirement}: {ours:?}");
        met += usize::from(theirs);
    }
    assert_eq!(met, 5);
    assert_eq!(meeting(&offered, "fonts"), ["fonts-0:2~rc1-1.all", "fonts-0:1-1.all"]);
}

#[test]
fn tasks_and_metapackages_are_bundles() {
    let (root, engine) = fixture();
    let told = || {
        let (bundles, inventory, catalog) = (engine.bundles().unwrap(), engine.inventory(), engine.catalog().unwrap());
        let line = |of: &quartermaster::software::Bundle| {
            let packages = bundles.packages(of, &inventory, &catalog);
            let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
            (of.kind, of.id.to_string(), bundles.state(of, &inventory, &catalog), packages.join(" "))
        };
        bundles.all().iter().map(line).collect::<Vec<_>>()
    };
    let packages = "task-tools-0:1.all";
    let tools = format!("late-0:1.all library-1:1.0-1.all {packages}");
    let desk = "desk-0:3.all editor-0:2.0.all fonts-0:2~rc1-1.all late-0:1.all";
    let bundle = |kind, id: &str, state, packages: &str| (kind, id.to_owned(), state, packages.to_owned());
    assert_eq!(
        told(),
        [
            bundle(BundleKind::Task, "tools", BundleState::InPart, &tools),
            bundle(BundleKind::Task, "writing", BundleState::NotInstalled, "late-0:1.all"),
            bundle(BundleKind::Metapackage, "desk", BundleState::InPart, desk),
        ]
    );
    let bundles = engine.bundles().unwrap();
    assert!(Arc::ptr_eq(&bundles, &engine.bundles().unwrap()));
    root.install_by_hand(&root.scratch().join("task-tools_1_all.deb"));
    engine.refresh().unwrap();
    assert_eq!(told()[0].2, BundleState::Installed);
    assert!(!Arc::ptr_eq(&bundles, &engine.bundles().unwrap()));
}

#[test]
fn everything_that_this_host_is_offered_needs_what_apt_says() {
    let output = Command::new("apt-cache").arg("dumpavail").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let engine = open(EngineChoice::Deb, Path::new("/")).unwrap().unwrap();
    let offered = engine.offered_relations().unwrap();
    let mut compared = 0;
    for stanza in text.split("\n\n").filter(|stanza| !stanza.trim().is_empty()) {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(nevra) =
            field("Package").and_then(|name| Nevra::from_debian(name, field("Version")?, field("Architecture")?))
        else {
            continue;
        };
        let Some(number) = offered.find(&nevra) else { continue };
        let ours = offered.dependencies(number);
        let fields = ["Pre-Depends", "Depends", "Recommends", "Suggests"];
        for (kind, name) in DependencyKind::ALL.into_iter().zip(fields) {
            let of_kind = ours.iter().filter(|dependency| dependency.kind == kind);
            let ours: BTreeSet<String> = of_kind.map(|of| of.to_string().replace(' ', "")).collect();
            let plain = |text: &str| text.replace(['(', ')', ' '], "").replace("<<", "<").replace(">>", ">");
            let theirs = field(name).unwrap_or_default().split(',').filter(|text| !text.trim().is_empty());
            assert_eq!(ours, theirs.map(plain).collect(), "{nevra} {name}");
            compared += ours.len();
        }
    }
    if compared == 0 {
        eprintln!("not tried: this host has fetched no lists of packages");
    }
}
