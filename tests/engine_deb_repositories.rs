//! What the Debian engine tells of repositories and of what they offer, compared with apt on the same roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use quartermaster::software::{Catalog, EngineChoice, Manager, Nevra, Repository, RepositoryError, open};
use support::packages::{Deb, DebRoot, build_deb, run};
use support::repositories::{apt, ask_apt, make_flat, make_signed, update};

/// A root that uses an archive without distributions and a signed one, both fetched.
struct Fixture {
    root: DebRoot,
    engine: Arc<dyn Manager>,
    flat: PathBuf,
    flat_id: String,
    signed_id: String,
}

fn fixture() -> Fixture {
    let root = DebRoot::new();
    let scratch = root.scratch();
    let (flat, signed) = (scratch.join("flat_archive"), scratch.join("signed"));
    let build = |name: &str, version: &str, fields: &[(&str, &str)]| build_deb(&scratch, name, version, fields);
    let both = build("both", "1.0-1", &[]);
    let wordless = Deb::new("wordless", "3").field("Description", "only one line").build(&scratch);
    make_flat(&flat, &[build("alpha", "1:1.0-1", &[]), build("alpha", "1:1.10~rc1-1", &[]), both.clone(), wordless]);
    let native = build("native", "2", &[("Architecture", "amd64"), ("Installed-Size", "77")]);
    let key = root.path().join("etc/apt/keyrings/test.asc");
    make_signed(&signed, &[native, both], &key);
    // What is copied is kept compressed; what is only linked is not.
    let flat_id = format!("deb file:{} ./", flat.display());
    let signed_id = format!("deb copy:{} stable main", signed.display());
    let lines = format!("# Fetched from here\ndeb [trusted=yes] file:{} ./ # words\n", flat.display());
    fs::write(root.path().join("etc/apt/sources.list"), lines).unwrap();
    let stanza = format!(
        "Types: deb\nURIs: copy:{}\nSuites: stable\nComponents: main\nArchitectures: amd64\nSigned-By: {}\n",
        signed.display(),
        key.display()
    );
    fs::write(root.path().join("etc/apt/sources.list.d/test.sources"), stanza).unwrap();
    update(&root);
    let engine = open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
    Fixture { root, engine, flat, flat_id, signed_id }
}

impl Fixture {
    fn repository(&self, id: &str) -> Repository {
        self.engine.repositories().unwrap().into_iter().find(|repository| *repository.id == *id).unwrap()
    }

    /// The lists of packages that apt itself uses.
    fn lists_of_apt(&self) -> usize {
        let format = ["indextargets", "--format", "$(FILENAME)", "Created-By: Packages"];
        ask_apt(&self.root, "apt-get", &format).lines().count()
    }
}

/// Each package of a catalog with what is known of it, one a line.
fn told(catalog: &Catalog) -> BTreeSet<String> {
    let told = |number| {
        let package = catalog.package(number).unwrap();
        let (installed, download) = (package.installed_size.map(|size| size / 1024), catalog.download_size(number));
        let description = format!("{}\n{}", package.summary, package.description);
        line(&package.nevra, package.manufacturer.as_deref(), installed, download, description.trim_end())
    };
    (0..catalog.len()).map(told).collect()
}

fn line(
    nevra: &Nevra,
    maker: Option<&str>,
    installed: Option<u64>,
    download: Option<u64>,
    description: &str,
) -> String {
    format!("{nevra} {maker:?} {installed:?} {download:?} {description:?}")
}

/// The same of what apt shows.
fn told_by_apt(shown: &str) -> BTreeSet<String> {
    let stanzas = shown.split("\n\n").filter(|stanza| !stanza.trim().is_empty());
    stanzas.map(|stanza| told_of_stanza(stanza).unwrap()).collect()
}

fn told_of_stanza(stanza: &str) -> Option<String> {
    let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let number = |name: &str| field(name).and_then(|text| text.parse().ok());
    let lines = stanza.lines().skip_while(|line| !line.starts_with("Description"));
    let mut lines = lines.enumerate().take_while(|(at, line)| *at == 0 || line.starts_with(' ')).map(|(_, line)| line);
    let summary = lines.next()?.split_once(": ")?.1;
    let texts = lines.map(|line| if line == " ." { "" } else { line.strip_prefix(' ').unwrap_or(line) });
    let description = std::iter::once(summary).chain(texts).collect::<Vec<_>>().join("\n");
    let nevra = Nevra::from_debian(field("Package")?, field("Version")?, field("Architecture")?)?;
    Some(line(&nevra, field("Maintainer"), number("Installed-Size"), number("Size"), &description))
}

#[test]
fn what_repositories_offer_is_what_apt_shows() {
    let fixture = fixture();
    let catalog = fixture.engine.catalog().unwrap();
    let shown = ask_apt(&fixture.root, "apt-cache", &["show", "alpha", "both", "native", "wordless"]);
    assert_eq!(told(&catalog), told_by_apt(&shown));
    assert_eq!(catalog.len(), 5);
    let of = |id: &str| -> Vec<String> {
        catalog.offered_by(id).map(|number| catalog.nevra(number).unwrap().to_string()).collect()
    };
    assert_eq!(
        of(&fixture.flat_id),
        ["alpha-1:1.0-1.all", "alpha-1:1.10~rc1-1.all", "both-0:1.0-1.all", "wordless-0:3.all"]
    );
    assert_eq!(of(&fixture.signed_id), ["both-0:1.0-1.all", "native-0:2.amd64"]);
    let lists = fs::read_dir(fixture.root.path().join("var/lib/apt/lists")).unwrap();
    let names: Vec<String> = lists.map(|list| list.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.ends_with("_i18n_Translation-en.lz4")), "{names:?}");
}

#[test]
fn repositories_are_told_as_they_are_configured() {
    let fixture = fixture();
    let signed = fixture.repository(&fixture.signed_id);
    assert!(signed.enabled && signed.checks_metadata == Some(true) && signed.checks_packages.is_none());
    assert_eq!(signed.name, "Test archive stable (main)");
    assert_eq!(signed.base_urls, [fixture.signed_id.split(' ').nth(1).unwrap()]);
    assert!(signed.metadata.unwrap().updated_at.is_some());
    let flat = fixture.repository(&fixture.flat_id);
    assert!(flat.enabled && flat.checks_metadata == Some(false));
    assert!(flat.metadata.unwrap().updated_at.is_none());
    assert_eq!(flat.file, fixture.root.path().join("etc/apt/sources.list"));
    assert_eq!(fixture.engine.repositories().unwrap().len(), 2);
}

#[test]
fn a_disabled_repository_offers_nothing_to_us_and_to_apt() {
    let fixture = fixture();
    let names = || {
        let catalog = fixture.engine.catalog().unwrap();
        (0..catalog.len()).map(|number| catalog.nevra(number).unwrap().to_string()).collect::<Vec<_>>()
    };
    let before = (names(), fixture.lists_of_apt());
    assert_eq!((before.0.len(), before.1), (5, 2));
    for (id, left) in [(&fixture.flat_id, 2), (&fixture.signed_id, 4)] {
        let file = fixture.repository(id).file;
        fixture.engine.set_repository(id, false).unwrap();
        assert!(!fixture.repository(id).enabled);
        assert_eq!((names().len(), fixture.lists_of_apt()), (left, 1));
        let disabled = fs::read(&file).unwrap();
        fixture.engine.set_repository(id, false).unwrap();
        assert_eq!(fs::read(&file).unwrap(), disabled);
        fixture.engine.set_repository(id, true).unwrap();
        assert!(fixture.repository(id).enabled);
        assert_eq!((names(), fixture.lists_of_apt()), before);
    }
    let error = fixture.engine.set_repository("deb http://example.org stable main", true).unwrap_err();
    assert!(matches!(error, RepositoryError::NotFound(_)));
}

#[test]
fn another_list_is_another_catalog() {
    let fixture = fixture();
    let before = fixture.engine.catalog().unwrap();
    assert!(Arc::ptr_eq(&before, &fixture.engine.catalog().unwrap()));
    make_flat(&fixture.flat, &[build_deb(&fixture.root.scratch(), "alpha", "2:0-1", &[])]);
    update(&fixture.root);
    let after = fixture.engine.catalog().unwrap();
    assert_eq!(after.len(), before.len() + 1);
    let newest = after.newest(after.named("alpha"));
    assert_eq!(newest.iter().map(|n| after.nevra(*n).unwrap().to_string()).collect::<Vec<_>>(), ["alpha-2:0-1.all"]);
}

#[test]
fn links_are_followed_inside_of_the_root_alone() {
    let fixture = fixture();
    let root = fixture.root.path();
    // What apt's folders hold lies elsewhere in the root, where the host has something else or nothing.
    fs::create_dir_all(root.join("srv/tmp")).unwrap();
    for (folder, place) in
        [("etc/apt/sources.list.d", "tmp"), ("var/lib/apt/lists", "srv/lists"), ("var/cache/apt/archives", "srv/cache")]
    {
        let place = Path::new("/").join(place);
        let inside = root.join(place.strip_prefix("/").unwrap());
        fs::remove_dir(&inside).ok();
        fs::rename(root.join(folder), inside).unwrap();
        symlink(&place, root.join(folder)).unwrap();
    }
    let catalog = fixture.engine.catalog().unwrap();
    assert_eq!((catalog.len(), fixture.engine.repositories().unwrap().len()), (5, 2));
    let signed = fixture.repository(&fixture.signed_id);
    assert_eq!((signed.name.as_str(), signed.metadata.is_some()), ("Test archive stable (main)", true));
    assert_eq!(signed.file, root.join("etc/apt/sources.list.d/test.sources"));
    fixture.engine.set_repository(&fixture.signed_id, false).unwrap();
    assert!(fs::read_to_string(root.join("tmp/test.sources")).unwrap().contains("Enabled: no"));
    assert_eq!(fixture.engine.catalog().unwrap().len(), 4);

    // What only the host has is not read, be it sources or lists.
    let outside = fixture.root.scratch().join("outside");
    fs::create_dir(&outside).unwrap();
    let sources = outside.join("more.list");
    fs::write(&sources, "deb [trusted=yes] http://example.org ./\n").unwrap();
    let list = outside.join("Packages");
    fs::write(&list, "Package: strange\nVersion: 1\nArchitecture: all\n\n").unwrap();
    symlink(&sources, root.join("tmp/outside.list")).unwrap();
    symlink(&list, root.join("srv/lists/example.org_._Packages")).unwrap();
    assert_eq!(fixture.engine.repositories().unwrap().len(), 2);
    fs::remove_file(root.join("tmp/outside.list")).unwrap();
    fs::copy(&sources, root.join("tmp/inside.list")).unwrap();
    assert_eq!(fixture.engine.repositories().unwrap().len(), 3);
    let names = || fixture.engine.catalog().unwrap().named("strange").len();
    assert_eq!(names(), 0);
    fs::remove_file(root.join("srv/lists/example.org_._Packages")).unwrap();
    fs::copy(&list, root.join("srv/lists/example.org_._Packages")).unwrap();
    assert_eq!(names(), 1);
}

#[test]
fn what_apt_takes_unsigned_is_not_told_as_checked() {
    let fixture = fixture();
    let source = fixture.root.path().join("etc/apt/sources.list");
    // Without a good signature, and nothing in the entry that allows it.
    fs::write(&source, format!("deb file:{} ./\n", fixture.flat.display())).unwrap();
    let settings = fixture.root.path().join("etc/apt/apt.conf.d/99test");
    for text in [
        "",
        "Acquire::AllowInsecureRepositories \"true\";\n",
        "Acquire::AllowInsecureRepositories \"false\";\n",
        "APT::Get::AllowUnauthenticated \"true\";\n",
    ] {
        fs::write(&settings, text).unwrap();
        let takes = apt(&fixture.root, "apt-get").arg("update").output().unwrap().status.success();
        assert_eq!(fixture.repository(&fixture.flat_id).checks_metadata, Some(!takes), "{text}");
        assert_eq!(fixture.repository(&fixture.signed_id).checks_metadata, Some(!takes), "{text}");
    }
}

#[test]
fn whether_signatures_are_checked_is_not_told_where_it_is_not_known() {
    let fixture = fixture();
    let settings = fixture.root.path().join("etc/apt/apt.conf.d/99test");
    for text in ["#include \"/etc/other.conf\";\n", "Acquire::AllowInsecureRepositories \"true\"; }; junk\n"] {
        fs::write(&settings, text).unwrap();
        assert_eq!(fixture.repository(&fixture.signed_id).checks_metadata, None, "{text}");
        // Of this one the entry itself says that nothing is checked.
        assert_eq!(fixture.repository(&fixture.flat_id).checks_metadata, Some(false), "{text}");
    }
}

#[test]
fn the_settings_of_a_root_run_nothing() {
    let fixture = fixture();
    let (ran, script) = (fixture.root.scratch().join("ran"), fixture.root.scratch().join("script"));
    fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\n", ran.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let settings = |script: &Path| {
        let options = "DPkg::Options { \"-c\"; };\nDPkg::Chroot-Directory \"/\";\n";
        format!("Dir::Bin::dpkg \"{}\";\n{options}Acquire::AllowInsecureRepositories \"true\";\n", script.display())
    };
    fs::write(fixture.root.path().join("etc/apt/apt.conf.d/99test"), settings(&script)).unwrap();
    assert_eq!(fixture.repository(&fixture.signed_id).checks_metadata, Some(false));
    assert!(!ran.exists(), "{}", fs::read_to_string(&ran).unwrap());
    // apt's own tools do run it.
    run(apt(&fixture.root, "apt-config").arg("dump"));
    assert!(ran.exists());
}

#[test]
fn a_root_without_apt_has_no_repositories() {
    let root = DebRoot::new();
    fs::remove_dir_all(root.path().join("etc")).unwrap();
    fs::remove_dir_all(root.path().join("var/lib/apt")).unwrap();
    let engine = open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
    assert!(engine.repositories().unwrap().is_empty());
    assert!(engine.catalog().unwrap().is_empty());
}

#[test]
fn everything_that_this_host_is_offered_is_in_its_catalog() {
    let apt = |arguments: &[&str]| Command::new("apt-get").args(arguments).output().unwrap().stdout;
    let lists = apt(&["indextargets", "--format", "$(FILENAME)", "Created-By: Packages"]);
    let lists = String::from_utf8(lists).unwrap();
    if lists.is_empty() {
        eprintln!("not tried: this host has fetched no lists of packages");
        return;
    }
    let mut offered = BTreeSet::new();
    for list in lists.lines() {
        let text = Command::new("/usr/lib/apt/apt-helper").args(["cat-file", list]).output().unwrap().stdout;
        let mut parts = ["", "", ""];
        for line in String::from_utf8(text).unwrap().lines() {
            for (part, field) in parts.iter_mut().zip(["Package: ", "Version: ", "Architecture: "]) {
                *part = line.strip_prefix(field).unwrap_or(part);
            }
            if line.is_empty() {
                offered.insert(Nevra::from_debian(parts[0], parts[1], parts[2]).unwrap().to_string());
            }
        }
    }
    let catalog = open(EngineChoice::Deb, Path::new("/")).unwrap().unwrap().catalog().unwrap();
    let ours = (0..catalog.len()).map(|number| catalog.nevra(number).unwrap().to_string());
    assert_eq!(ours.collect::<BTreeSet<_>>().symmetric_difference(&offered).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(catalog.len() > 100);
}
