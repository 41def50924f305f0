//! What RPM packages need, their groups and their advisories, compared with rpm and dnf on the same roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use quartermaster::software::{
    AdvisoryKind, Bundle, BundleKind, BundleState, DependencyKind, EngineChoice, Manager, Nevra, Relations, Severity,
    open,
};
use support::dnf::{advisories, advisory, ask_dnf, groups, publish};
use support::packages::{Rpm, RpmRoot, build_rpm, run};

/// Packages that need each other in every way: `editor` and `library` 1 are installed, all are offered.
struct Fixture {
    root: RpmRoot,
    engine: Arc<dyn Manager>,
    packages: Vec<PathBuf>,
}

fn fixture() -> Fixture {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let library = build_rpm(
        &dir,
        "library",
        "1.0",
        "1",
        &[("Epoch", "1"), ("Provides", "lib(so) = 1, unversioned"), ("Recommends", "fonts")],
    );
    let editor = Rpm::new("editor", "2.0", "1")
        .tag("Requires", "library >= 1:1.0, lib(so) = 1, /usr/share/library/version")
        .tag("Requires(post)", "library")
        .tag("Requires", "(library or nowhere)")
        .tag("Requires", "(nowhere if absent)")
        .tag("Recommends", "fonts > 1, elsewhere")
        .tag("Suggests", "fonts")
        .file("usr/bin/editor", "x")
        .build(&dir);
    let packages = vec![
        library,
        editor,
        build_rpm(&dir, "library", "2.0", "1", &[("Epoch", "1"), ("Provides", "lib(so) = 2")]),
        build_rpm(&dir, "fonts", "1", "1", &[]),
        build_rpm(&dir, "fonts", "2~rc1", "1", &[]),
        build_rpm(&dir, "late", "1", "1", &[("Requires", "lib(so) >= 2, unversioned = 7, /usr/bin/editor")]),
    ];
    packages.iter().take(2).for_each(|package| root.install_by_hand(package));
    let engine = open(EngineChoice::Rpm, &root.path()).unwrap().unwrap();
    Fixture { root, engine, packages }
}

impl Fixture {
    fn publish(&self, groups: &str, advisories: &str) {
        publish(&self.root, &self.packages, groups, advisories);
    }

    fn bundle(&self, kind: BundleKind, id: &str) -> Bundle {
        self.engine.bundles().unwrap().find(kind, id).unwrap().clone()
    }

    fn packages_of(&self, bundle: &Bundle) -> Vec<String> {
        let bundles = self.engine.bundles().unwrap();
        let packages = bundles.packages(bundle, &self.engine.inventory(), &self.engine.catalog().unwrap());
        packages.iter().map(ToString::to_string).collect()
    }

    fn state(&self, bundle: &Bundle) -> BundleState {
        let bundles = self.engine.bundles().unwrap();
        bundles.state(bundle, &self.engine.inventory(), &self.engine.catalog().unwrap())
    }
}

/// What a package needs, in rpm's words.
fn needs(relations: &Relations, nevra: &str, kinds: &[DependencyKind]) -> BTreeSet<String> {
    let nevra: Nevra = nevra.parse().unwrap();
    let dependencies = relations.dependencies(relations.find(&nevra).unwrap());
    let dependencies = dependencies.iter().filter(|dependency| kinds.contains(&dependency.kind));
    dependencies
        .map(|dependency| match dependency.alternatives.as_slice() {
            [only] => only.to_string(),
            several => {
                let parts: Vec<String> = several.iter().map(ToString::to_string).collect();
                format!("({})", parts.join(" or "))
            }
        })
        .collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("rpmlib("));
    lines.map(str::to_owned).collect()
}

const REQUIRED: &[DependencyKind] = &[DependencyKind::PreDepends, DependencyKind::Depends];

#[test]
fn packages_need_what_rpm_and_dnf_say_that_they_need() {
    let fixture = fixture();
    fixture.publish(&groups(&[]), &advisories(&[]));
    let (installed, offered) =
        (fixture.engine.installed_relations().unwrap(), fixture.engine.offered_relations().unwrap());
    assert_eq!((installed.len(), offered.len()), (2, 6));
    let kinds = [
        ("requires", REQUIRED),
        ("recommends", &[DependencyKind::Recommends]),
        ("suggests", &[DependencyKind::Suggests]),
    ];
    for nevra in ["library-1:1.0-1.noarch", "editor-0:2.0-1.noarch"] {
        let name = nevra.split('-').next().unwrap();
        for (word, kinds) in kinds {
            let told = run(fixture.root.rpm().args(["-q", &format!("--{word}"), "--", name])).stdout;
            assert_eq!(needs(&installed, nevra, kinds), lines(&String::from_utf8(told).unwrap()), "{nevra} {word}");
        }
    }
    for number in 0..offered.len() {
        let nevra = offered.nevra(number).unwrap().to_string();
        for (word, kinds) in kinds {
            let told =
                ask_dnf(&fixture.root, &["--cacheonly", "repoquery", "--available", &format!("--{word}"), &nevra]);
            assert_eq!(needs(&offered, &nevra, kinds), lines(&told), "{nevra} {word}");
        }
    }
    let editor = "editor-0:2.0-1.noarch";
    let pre: BTreeSet<String> = ["library".to_owned()].into();
    assert_eq!(needs(&installed, editor, &REQUIRED[..1]), pre);
    assert_eq!(needs(&offered, editor, &REQUIRED[..1]), pre);
    let whole = fixture.engine.dependencies(&editor.parse().unwrap()).unwrap();
    assert_eq!(whole, installed.dependencies(installed.find(&editor.parse().unwrap()).unwrap()));
    assert!(fixture.engine.dependencies(&"nobody-0:1-1.noarch".parse().unwrap()).unwrap().is_empty());
}

#[test]
fn requirements_are_met_by_the_packages_that_dnf_finds() {
    let fixture = fixture();
    fixture.publish(&groups(&[]), &advisories(&[]));
    let dependent: Nevra = "x-0:1-1.noarch".parse().unwrap();
    let offered = fixture.engine.offered_relations().unwrap();
    let mut found = 0;
    for requirement in [
        "library",
        "library >= 1:1.0",
        "library > 1:1.0",
        "library > 1:1.0-1",
        "library < 2",
        "library = 1:2.0-1",
        "library <= 9",
        "lib(so) = 1",
        "lib(so) >= 1",
        "unversioned",
        "unversioned = 7",
        "fonts < 2",
        "fonts >= 2",
        "/usr/bin/editor",
        "nowhere",
    ] {
        let meeting = offered.meeting(&requirement.parse().unwrap(), &dependent);
        let ours: BTreeSet<String> = meeting.iter().map(|&number| offered.nevra(number).unwrap().to_string()).collect();
        let format = "%{name}-%{epoch}:%{version}-%{release}.%{arch}";
        let query = ["--cacheonly", "repoquery", "--available", "--qf", format, "--whatprovides", requirement];
        assert_eq!(ours, lines(&ask_dnf(&fixture.root, &query)), "{requirement}");
        found += ours.len();
    }
    assert_eq!(found, 15);
    // A file that nobody names among what it provides, in a folder that the metadata does not list.
    let installed = fixture.engine.installed_relations().unwrap();
    let meeting = installed.meeting(&"/usr/share/library/version".parse().unwrap(), &dependent);
    let met: Vec<String> = meeting.iter().map(|&number| installed.nevra(number).unwrap().to_string()).collect();
    assert_eq!(met, ["library-1:1.0-1.noarch"]);
}

const GROUPS: &[(&str, &str, &str)] = &[
    (
        "tools",
        "Tools &amp; more",
        "<packagereq type=\"mandatory\">editor</packagereq><packagereq type=\"default\">library</packagereq>\
         <packagereq type=\"optional\">fonts</packagereq>",
    ),
    (
        "rest",
        "The rest",
        "<packagereq type=\"mandatory\">late</packagereq><packagereq type=\"mandatory\">library</packagereq>\
         <packagereq type=\"mandatory\">nowhere</packagereq>",
    ),
];

#[test]
fn groups_are_those_of_dnf() {
    let fixture = fixture();
    fixture.publish(&groups(GROUPS), &advisories(&[]));
    let listed = ask_dnf(&fixture.root, &["--cacheonly", "group", "list", "-v"]);
    let bundles = fixture.engine.bundles().unwrap();
    assert_eq!(bundles.all().len(), 2);
    for (id, _, _) in GROUPS {
        let bundle = fixture.bundle(BundleKind::Group, id);
        assert!(listed.contains(&format!("{} ({id})", bundle.name)), "{listed}");
        let told = ask_dnf(&fixture.root, &["--cacheonly", "group", "info", id]);
        let of_dnf: BTreeSet<&str> = told.lines().filter_map(|line| line.strip_prefix("   ")).map(str::trim).collect();
        let names = bundle.parts.iter().filter_map(|part| match part {
            quartermaster::software::Part::Package { names, .. } => names.first().map(|name| &**name),
            quartermaster::software::Part::Build(_) => None,
        });
        assert_eq!(names.collect::<BTreeSet<_>>(), of_dnf, "{told}");
        assert!(told.contains(&format!("Description: {}", bundle.description)), "{told}");
    }
    let (tools, rest) = (fixture.bundle(BundleKind::Group, "tools"), fixture.bundle(BundleKind::Group, "rest"));
    assert_eq!(
        fixture.packages_of(&tools),
        ["editor-0:2.0-1.noarch", "fonts-0:2~rc1-1.noarch", "library-1:1.0-1.noarch"]
    );
    assert_eq!(fixture.packages_of(&rest), ["late-0:1-1.noarch", "library-1:1.0-1.noarch"]);
    assert_eq!((fixture.state(&tools), fixture.state(&rest)), (BundleState::Installed, BundleState::InPart));
    fixture.root.remove_by_hand("editor");
    fixture.engine.refresh().unwrap();
    assert_eq!(fixture.state(&tools), BundleState::InPart);
}

#[test]
fn advisories_are_those_of_dnf() {
    let fixture = fixture();
    let list = [
        advisory("T-1", "security", "Critical", Some("CVE-2024-1"), &[("editor", "2.0", "1")]),
        advisory("T-2", "security", "Low", Some("CVE-2024-2"), &[("editor", "3.0", "1"), ("late", "1", "1")]),
        advisory("T-3", "bugfix", "None", None, &[("editor", "1.0", "1"), ("fonts", "1", "1")]),
        advisory("T-4", "enhancement", "Moderate", None, &[("late", "1", "1")]),
    ];
    let newer = build_rpm(&fixture.root.scratch(), "editor", "3.0", "1", &[("Requires", "library")]);
    let packages = [fixture.packages.as_slice(), &[newer]].concat();
    publish(&fixture.root, &packages, &groups(&[]), &advisories(&list));
    let ids = |state: BundleState| -> BTreeSet<String> {
        let bundles = fixture.engine.bundles().unwrap();
        let of_state = bundles.all().iter().filter(|bundle| fixture.state(bundle) == state);
        of_state.map(|bundle| bundle.id.to_string()).collect()
    };
    let of_dnf = |word: &str| -> BTreeSet<String> {
        let told = ask_dnf(&fixture.root, &["--cacheonly", "updateinfo", "list", word]);
        told.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    assert_eq!(ids(BundleState::Installed), of_dnf("--installed"));
    assert_eq!(ids(BundleState::NotInstalled), of_dnf("--available"));
    assert_eq!(ids(BundleState::Installed), ["T-1", "T-3"].map(str::to_owned).into());
    assert_eq!(ids(BundleState::NotApplicable), ["T-4".to_owned()].into());

    let second = fixture.bundle(BundleKind::Advisory, "T-2");
    assert_eq!(fixture.packages_of(&second), ["editor-0:3.0-1.noarch", "late-0:1-1.noarch"]);
    let first = fixture.bundle(BundleKind::Advisory, "T-1");
    assert_eq!((first.advisory, first.severity), (Some(AdvisoryKind::Security), Some(Severity::Critical)));
    assert_eq!(first.description, "What T-1 does.\n\nInstall it.");
    assert_eq!(first.released_at.unwrap().timestamp(), 1_704_164_645);
    let told = ask_dnf(&fixture.root, &["--cacheonly", "updateinfo", "info", "--all", "T-1"]);
    for text in [first.name.as_str(), first.cves[0].as_str(), "Critical", "What T-1 does."] {
        assert!(told.contains(text), "{text} is not in {told}");
    }
}

#[test]
fn what_is_fetched_anew_and_what_is_installed_is_read_anew() {
    let fixture = fixture();
    fixture.publish(&groups(&GROUPS[..1]), &advisories(&[]));
    let engine = &fixture.engine;
    let (bundles, offered, installed) =
        (engine.bundles().unwrap(), engine.offered_relations().unwrap(), engine.installed_relations().unwrap());
    assert!(Arc::ptr_eq(&bundles, &engine.bundles().unwrap()));
    assert!(Arc::ptr_eq(&offered, &engine.offered_relations().unwrap()));
    assert!(Arc::ptr_eq(&installed, &engine.installed_relations().unwrap()));
    assert_eq!(engine.loaded_bundles().unwrap().all().len(), 1);
    fixture.publish(&groups(GROUPS), &advisories(&[]));
    assert_eq!(engine.bundles().unwrap().all().len(), 2);
    fixture.root.install_by_hand(&fixture.packages[3]);
    assert_eq!(engine.installed_relations().unwrap().len(), 3);
    engine.drop_unused(std::time::Duration::ZERO);
    assert!(engine.loaded_bundles().is_none());
}
