//! The repositories of RPM roots and what they offer, compared with what the real dnf says of the same roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use quartermaster::software::{Catalog, EngineChoice, Manager, RepositoryError, open};
use support::packages::{Rpm, RpmRoot, build_rpm};

/// A root with two repositories, `one` and `two`, that dnf has not fetched yet.
struct Fixture {
    root: RpmRoot,
    engine: Arc<dyn Manager>,
}

impl Fixture {
    /// `options` are lines of the section of repository `one`, `main` those of dnf's own section.
    fn new(options: &str, main: &str) -> Self {
        let root = RpmRoot::new();
        for folder in ["etc/yum.repos.d", "etc/dnf/vars"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let engine = open(EngineChoice::Rpm, &root.path()).unwrap().unwrap();
        let fixture = Self { root, engine };
        fs::write(fixture.root.path().join("etc/dnf/vars/place"), format!("{}\n", fixture.scratch().display()))
            .unwrap();
        fixture.write("etc/dnf/dnf.conf", &format!("[main]\ngpgcheck=0\nmetadata_expire=0\n{main}"));
        fixture
            .write("etc/yum.repos.d/one.repo", &format!("[one]\nname=The One\nbaseurl=file://$place/one\n{options}"));
        fixture.write(
            "etc/yum.repos.d/two.repo",
            &format!("# ours\n[two]\nname=Two\nbaseurl={}/two\nenabled = yes\n\n", fixture.scratch().display()),
        );
        fixture
    }

    fn scratch(&self) -> PathBuf {
        self.root.scratch()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.root.path().join(file), text).unwrap();
    }

    /// Adds packages to the folder of a repository and makes its metadata, compressed in this way.
    fn publish(&self, repository: &str, packages: &[PathBuf], compression: &str) {
        let folder = self.scratch().join(repository);
        fs::create_dir_all(&folder).unwrap();
        for package in packages {
            fs::copy(package, folder.join(package.file_name().unwrap())).unwrap();
        }
        let kind = format!("--general-compress-type={}", if compression == "zst" { "gz" } else { compression });
        run(Command::new("createrepo_c").args(["--quiet", "--no-database", &kind]).arg(&folder));
        if compression == "zst" {
            compress_with_zstd(&folder.join("repodata"));
        }
    }

    /// Adds a list of modules to repository `one`.
    fn add_modules(&self, text: &str) {
        let modules = self.scratch().join("modules.yaml");
        fs::write(&modules, text).unwrap();
        let folder = self.scratch().join("one/repodata");
        run(Command::new("modifyrepo_c").arg("--mdtype=modules").arg(&modules).arg(folder));
    }

    /// What dnf says, run as the engine runs it.
    fn dnf(&self, arguments: &[&str]) -> String {
        String::from_utf8(run(&mut self.dnf_command(arguments)).stdout).unwrap()
    }

    fn dnf_command(&self, arguments: &[&str]) -> Command {
        let home = self.scratch().join("home");
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
        let root = self.root.path();
        let under = |path: &str| root.join(path).display().to_string();
        let mut dnf = Command::new("dnf");
        dnf.env("HOME", home).args(["--quiet", "--assumeyes", "--noplugins"]);
        dnf.arg(format!("--installroot={}", root.display()));
        dnf.arg(format!("--setopt=reposdir={},{}", under("etc/yum.repos.d"), under("etc/distro.repos.d")));
        dnf.arg(format!("--setopt=varsdir={}", under("etc/dnf/vars")));
        dnf.args(arguments);
        dnf
    }

    /// What dnf offers from its cache, one package a line, in the order of [`lines`].
    fn offered_by_dnf(&self) -> Vec<String> {
        let format = "%{repoid}|%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{summary}|%{vendor}|%{installsize}|%{downloadsize}";
        let told = self.dnf(&["--cacheonly", "repoquery", "--available", "--show-duplicates", "--qf", format]);
        let mut lines: Vec<String> = told.lines().filter(|line| !line.contains("|src|")).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn catalog(&self) -> Arc<Catalog> {
        self.engine.catalog().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let catalog = self.catalog();
        (0..catalog.len()).map(|number| catalog.nevra(number).unwrap().to_string()).collect()
    }
}

/// A catalog as `offered_by_dnf` tells it.
fn lines(catalog: &Catalog) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0..catalog.len() {
        let package = catalog.package(number).unwrap();
        let nevra = &package.nevra;
        for repository in catalog.repositories_of(number) {
            lines.push(format!(
                "{repository}|{}|{}|{}|{}|{}|{}|{}|{}|{}",
                nevra.name,
                nevra.epoch,
                nevra.version,
                nevra.release.as_deref().unwrap(),
                nevra.architecture,
                package.summary,
                package.manufacturer.as_deref().unwrap_or_default(),
                package.installed_size.unwrap(),
                catalog.download_size(number).unwrap(),
            ));
        }
    }
    lines.sort();
    lines
}

fn run(command: &mut Command) -> Output {
    let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    output
}

/// Puts a list of packages in zstd in the place of the one in gzip: not every createrepo_c makes one itself.
fn compress_with_zstd(repodata: &Path) {
    let found = fs::read_dir(repodata).unwrap().map(|entry| entry.unwrap().path());
    let gzip = found.into_iter().find(|path| path.to_str().unwrap().ends_with("primary.xml.gz")).unwrap();
    let list = run(Command::new("gzip").args(["--decompress", "--stdout"]).arg(&gzip)).stdout;
    let compressed = repodata.join("primary.xml.zst");
    fs::write(&compressed, zstd::encode_all(list.as_slice(), 3).unwrap()).unwrap();
    run(Command::new("modifyrepo_c").args(["--remove", "primary"]).arg(repodata));
    let add = ["--mdtype", "primary", "--no-compress", "--simple-md-filenames"];
    run(Command::new("modifyrepo_c").args(add).arg(&compressed).arg(repodata));
}

/// Packages of several names, versions and makers.
fn packages(folder: &Path) -> Vec<PathBuf> {
    vec![
        Rpm::new("alpha", "1.0", "1").tag("Epoch", "2").tag("Vendor", "A & B <Makers>").build(folder),
        build_rpm(folder, "alpha", "1.0~rc1", "1.el9", &[]),
        build_rpm(folder, "beta-libs", "3", "1", &[("Requires", "alpha")]),
        build_rpm(folder, "gamma", "5", "1", &[("Packager", "Some Body")]),
    ]
}

#[test]
fn the_catalog_is_what_dnf_offers_whatever_the_compression() {
    for compression in ["gz", "zst", "xz", "bz2"] {
        let fixture = Fixture::new("", "");
        let packages = packages(&fixture.scratch());
        fixture.publish("one", &packages, compression);
        fixture.publish("two", &packages[2..3], "gz");
        assert!(fixture.catalog().is_empty());
        fixture.dnf(&["makecache"]);
        let catalog = fixture.catalog();
        let told = lines(&catalog);
        assert_eq!(told.len(), 5, "{compression}: {told:?}");
        let of_dnf: Vec<String> = told.iter().map(|line| line.replace("|Some Body|", "||")).collect();
        assert_eq!(of_dnf, fixture.offered_by_dnf(), "{compression}");
        let number = catalog.find(&"alpha-2:1.0-1.noarch".parse().unwrap()).unwrap();
        assert_eq!(&*catalog.package(number).unwrap().description, "It holds nothing of use.\n\nA second part.");
    }
}

#[test]
fn repositories_are_as_dnf_has_them() {
    let fixture = Fixture::new("cost=500\nrepo_gpgcheck=0\n", "");
    fixture.publish("one", &packages(&fixture.scratch()), "gz");
    fixture.publish("two", &[], "gz");
    let repositories = fixture.engine.repositories().unwrap();
    assert!(repositories.iter().all(|repository| repository.metadata.is_none()));
    fixture.dnf(&["makecache"]);
    let repositories = fixture.engine.repositories().unwrap();
    let [one, two] = &*repositories else { panic!("{repositories:?}") };
    assert_eq!((&*one.id, one.name.as_str(), one.enabled, one.cost), ("one", "The One", true, Some(500)));
    assert_eq!(one.base_urls, [format!("file://{}/one", fixture.scratch().display())]);
    assert_eq!(two.base_urls, [format!("file://{}/two", fixture.scratch().display())]);
    assert_eq!((one.checks_packages, one.checks_metadata, two.cost), (Some(false), Some(false), Some(1000)));
    assert_eq!(one.file, fixture.root.path().canonicalize().unwrap().join("etc/yum.repos.d/one.repo"));
    assert!(one.changed_at.is_some() && one.mirror_list.is_none());

    let index = fs::read_to_string(fixture.scratch().join("one/repodata/repomd.xml")).unwrap();
    let revision = index.split_once("<revision>").unwrap().1.split_once('<').unwrap().0;
    let metadata = one.metadata.as_ref().unwrap();
    assert_eq!(metadata.revision.unwrap().to_string(), revision);
    let newest = index.split("<timestamp>").skip(1).map(|rest| rest.split_once('<').unwrap().0).max().unwrap();
    assert_eq!(metadata.updated_at.unwrap().timestamp().to_string(), newest);
}

#[test]
fn switching_a_repository_takes_effect_and_dnf_agrees() {
    let fixture = Fixture::new("", "");
    fixture.publish("one", &packages(&fixture.scratch()), "gz");
    fixture.publish("two", &[build_rpm(&fixture.scratch(), "delta", "1", "1", &[])], "gz");
    fixture.dnf(&["makecache"]);
    let engine = &fixture.engine;
    let enabled = || {
        let told: Vec<String> = fixture.dnf(&["repolist", "--all"]).lines().skip(1).map(str::to_owned).collect();
        let of_dnf: Vec<bool> = told.iter().map(|line| line.ends_with("enabled")).collect();
        let ours: Vec<bool> = engine.repositories().unwrap().iter().map(|repository| repository.enabled).collect();
        assert_eq!(ours, of_dnf, "{told:?}");
        ours
    };
    let before = fs::read(fixture.root.path().join("etc/yum.repos.d/two.repo")).unwrap();
    assert_eq!((enabled(), fixture.names().len()), (vec![true, true], 5));
    engine.set_repository("two", false).unwrap();
    assert_eq!((enabled(), fixture.names().len()), (vec![true, false], 4));
    engine.set_repository("one", false).unwrap();
    assert_eq!((enabled(), fixture.names().len()), (vec![false, false], 0));
    engine.set_repository("two", true).unwrap();
    engine.set_repository("two", true).unwrap();
    assert_eq!((enabled(), fixture.names()), (vec![false, true], vec!["delta-0:1-1.noarch".to_owned()]));
    assert_eq!(fs::read(fixture.root.path().join("etc/yum.repos.d/two.repo")).unwrap(), before);
    assert!(matches!(engine.set_repository("three", true), Err(RepositoryError::NotFound(id)) if id == "three"));
}

#[test]
fn what_is_fetched_anew_is_another_catalog() {
    let fixture = Fixture::new("", "");
    fixture.publish("one", &[build_rpm(&fixture.scratch(), "alpha", "1", "1", &[])], "gz");
    fixture.publish("two", &[], "gz");
    fixture.dnf(&["makecache"]);
    let first = fixture.catalog();
    assert!(Arc::ptr_eq(&first, &fixture.catalog()));
    fixture.publish("one", &[build_rpm(&fixture.scratch(), "alpha", "2", "1", &[])], "zst");
    assert!(Arc::ptr_eq(&first, &fixture.catalog()));
    fixture.dnf(&["makecache"]);
    assert_eq!(fixture.names(), ["alpha-0:1-1.noarch", "alpha-0:2-1.noarch"]);
    assert_eq!(lines(&fixture.catalog()), fixture.offered_by_dnf());
}

#[test]
fn excluded_packages_are_not_offered() {
    for (options, main) in [
        ("excludepkgs=alpha", ""),
        ("exclude=*-libs, gamma-5-1.noarch", ""),
        ("includepkgs=*a", ""),
        ("includepkgs=beta* *5*", "excludepkgs=beta-libs"),
        ("", "includepkgs=alpha-2:1.0-1\nexclude=gam[m]a"),
        ("", "exclude=*rc1*"),
        ("excludepkgs=gamma", "excludepkgs=alpha\ndisable_excludes=one"),
        ("excludepkgs=nothing-like-it *5-1*\nexclude=*3-1*", ""),
    ] {
        let fixture = Fixture::new(options, main);
        let packages = packages(&fixture.scratch());
        fixture.publish("one", &packages, "gz");
        fixture.publish("two", &packages[3..], "gz");
        fixture.dnf(&["makecache"]);
        let told: Vec<String> = lines(&fixture.catalog());
        let told: Vec<String> = told.iter().map(|line| line.replace("|Some Body|", "||")).collect();
        assert_eq!(told, fixture.offered_by_dnf(), "{options} {main}");
        assert!(told.len() < 5, "{options} {main}: {told:?}");
    }
}

#[test]
fn packages_for_other_machines_and_sources_are_not_offered() {
    let fixture = Fixture::new("", "");
    fixture.publish("one", &[build_rpm(&fixture.scratch(), "alpha", "1", "1", &[])], "gz");
    fixture.publish("two", &[], "gz");
    let foreign = foreign_architecture();
    let spec = fixture.scratch().join("beta.spec");
    fs::write(&spec, "Name: beta\nVersion: 1\nRelease: 1\nSummary: b\nLicense: MIT\n%description\nb\n%files\n")
        .unwrap();
    let folder = fixture.scratch().join("one");
    for arguments in [["-bb", "--target", foreign], ["-bs", "--target", foreign]] {
        run(Command::new("rpmbuild")
            .env("HOME", fixture.scratch())
            .args(arguments)
            .args(["--quiet", "--define", &format!("_topdir {}", fixture.scratch().join("top").display())])
            .args(["--define", &format!("_rpmdir {}", folder.display())])
            .args(["--define", &format!("_srcrpmdir {}", folder.display())])
            .arg(&spec));
    }
    fixture.publish("one", &[], "gz");
    fixture.dnf(&["makecache"]);
    let index = run(Command::new("find").arg(&folder).args(["-name", "*.rpm"]));
    assert_eq!(String::from_utf8(index.stdout).unwrap().lines().count(), 3);
    assert_eq!(fixture.names(), ["alpha-0:1-1.noarch"]);
    // dnf tells of packages for other machines and installs none.
    let of_dnf = fixture.offered_by_dnf();
    let (foreign_ones, installable): (Vec<_>, Vec<_>) = of_dnf.iter().partition(|line| line.contains(foreign));
    assert_eq!((foreign_ones.len(), installable), (1, lines(&fixture.catalog()).iter().collect()));
    let refused = fixture.dnf_command(&["--cacheonly", "install", "beta"]).output().unwrap();
    assert!(!refused.status.success(), "{refused:?}");
}

/// An architecture that this machine cannot run.
fn foreign_architecture() -> &'static str {
    if std::env::consts::ARCH == "s390x" { "x86_64" } else { "s390x" }
}

#[test]
fn the_release_is_that_of_the_installed_package() {
    let fixture = Fixture::new("", "");
    let release = [("Provides", "system-release = 7.3-1"), ("Provides", "system-release(releasever) = 7")];
    let url =
        format!("[one]\nname=$releasever on $basearch\nbaseurl=file://{}/r$releasever\n", fixture.scratch().display());
    fixture.write("etc/yum.repos.d/one.repo", &url);
    fixture.publish("two", &[], "gz");
    assert!(fixture.engine.repositories().unwrap()[0].name.starts_with("$releasever on "));
    fixture.root.install_by_hand(&build_rpm(&fixture.scratch(), "some-release", "7.3", "1", &release));
    fixture.publish("r7", &packages(&fixture.scratch()), "gz");
    fixture.dnf(&["makecache"]);
    let one = fixture.engine.repositories().unwrap().remove(0);
    assert!(one.name.starts_with("7 on "), "{}", one.name);
    assert_eq!(one.base_urls, [format!("file://{}/r7", fixture.scratch().display())]);
    assert!(one.metadata.is_some());
    assert_eq!(fixture.catalog().offered_by("one").count(), 4);
}

#[test]
fn damaged_metadata_offers_nothing_and_the_rest_is_offered() {
    let fixture = Fixture::new("", "");
    fixture.publish("one", &packages(&fixture.scratch()), "gz");
    fixture.publish("two", &[build_rpm(&fixture.scratch(), "delta", "1", "1", &[])], "gz");
    fixture.dnf(&["makecache"]);
    assert_eq!(fixture.names().len(), 5);
    let found =
        run(Command::new("find").arg(fixture.root.path().join("var/cache/dnf")).args(["-name", "*primary.xml.gz"]));
    let found = String::from_utf8(found.stdout).unwrap();
    let primary = found.lines().find(|line| line.contains("/one-")).unwrap();
    let mut bytes = fs::read(primary).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(primary, &bytes).unwrap();
    assert_eq!(fixture.names(), ["delta-0:1-1.noarch"]);
    fs::remove_file(primary).unwrap();
    assert_eq!(fixture.names(), ["delta-0:1-1.noarch"]);
    assert!(fixture.engine.repositories().unwrap()[0].metadata.is_none());
}

/// The documents of a repository whose modules have some of these builds.
const MODULES: &str = "\
---
document: modulemd
version: 2
data: {name: alpha, stream: '1', version: 1, context: aa, arch: x86_64, summary: s, description: d, license: {module: [MIT]},
  artifacts: {rpms: [alpha-0:1-1.noarch, gamma-0:1-1.noarch, zeta-0:1-1.src]}}
...
---
document: modulemd
version: 2
data: {name: alpha, stream: '1', version: 2, context: aa, arch: x86_64, summary: s, description: d, license: {module: [MIT]},
  artifacts: {rpms: [alpha-0:2-1.noarch]}}
...
---
document: modulemd
version: 2
data: {name: alpha, stream: '3', version: 1, context: bb, arch: x86_64, summary: s, description: d, license: {module: [MIT]},
  dependencies: [{requires: {beta: [old]}}], artifacts: {rpms: [alpha-0:3-1.noarch, delta-0:1-1.noarch]}}
...
---
document: modulemd
version: 2
data: {name: beta, stream: old, version: 1, context: cc, arch: x86_64, summary: s, description: d, license: {module: [MIT]},
  artifacts: {rpms: [beta-0:1-1.noarch]}}
...
---
document: modulemd-defaults
version: 1
data: {module: alpha, stream: '1'}
...
";

#[test]
fn streams_for_other_platforms_are_not_offered() {
    let os_release = |id: &str| vec![("etc/os-release".to_owned(), format!("PLATFORM_ID=\"{id}\"\n"))];
    for (main, files, expected) in [
        ("", vec![], ["alpha-0:9"].as_slice()),
        ("", os_release("platform:el8"), &["alpha-0:1"]),
        ("", os_release("platform:el9"), &["alpha-0:9"]),
        ("module_platform_id=platform:el8\n", os_release("platform:el9"), &["alpha-0:1"]),
        ("module_platform_id=platform:el9\n", os_release("platform:el8"), &["alpha-0:9"]),
    ] {
        let fixture = Fixture::new("", main);
        for (file, text) in &files {
            fixture.write(file, text);
        }
        let builds = ["1", "9"].map(|version| build_rpm(&fixture.scratch(), "alpha", version, "1", &[]));
        fixture.publish("one", &builds, "gz");
        fixture.publish("two", &[], "gz");
        fixture.add_modules(MODULES_OF_A_PLATFORM);
        fixture.dnf(&["makecache"]);
        let told: Vec<String> = lines(&fixture.catalog());
        assert_eq!(told, fixture.offered_by_dnf(), "{main} {files:?}");
        let expected: Vec<String> = expected.iter().map(|build| format!("{build}-1.noarch")).collect();
        assert_eq!(fixture.names(), expected, "{main} {files:?}");
    }
}

/// A module whose only stream needs a platform.
const MODULES_OF_A_PLATFORM: &str = "\
---
document: modulemd
version: 2
data: {name: alpha, stream: '1', version: 1, context: aa, arch: x86_64, summary: s, description: d, license: {module: [MIT]},
  dependencies: [{requires: {platform: [el8]}}], artifacts: {rpms: [alpha-0:1-1.noarch]}}
...
---
document: modulemd-defaults
version: 1
data: {module: alpha, stream: '1'}
...
";

#[test]
fn what_streams_of_modules_hide_is_not_offered() {
    let state = |module: &str, stream: &str, state: &str| {
        (
            format!("etc/dnf/modules.d/{module}.module"),
            format!("[{module}]\nname={module}\nstream={stream}\nprofiles=\nstate={state}\n"),
        )
    };
    let enabled = [state("alpha", "3", "enabled"), state("beta", "old", "enabled")];
    let disabled = [state("alpha", "", "disabled")];
    let own = "---\ndocument: modulemd-defaults\nversion: 1\ndata: {module: beta, stream: old}\n...\n";
    let own = [("etc/dnf/modules.defaults.d/own.yaml".to_owned(), own.to_owned())];
    for (options, files, expected) in [
        ("", [].as_slice(), ["alpha-0:1", "alpha-0:2", "beta-0:9", "gamma-0:1", "zeta-0:1"].as_slice()),
        ("", &enabled, &["alpha-0:3", "beta-0:1", "delta-0:1", "zeta-0:1"]),
        ("", &disabled, &["alpha-0:4", "beta-0:9", "like-alpha-0:1", "old-alpha-0:1", "zeta-0:1"]),
        ("", &own, &["alpha-0:1", "alpha-0:2", "beta-0:1", "gamma-0:1", "zeta-0:1"]),
        (
            "module_hotfixes=1\n",
            &disabled,
            &[
                "alpha-0:1",
                "alpha-0:2",
                "alpha-0:3",
                "alpha-0:4",
                "beta-0:1",
                "beta-0:9",
                "delta-0:1",
                "gamma-0:1",
                "like-alpha-0:1",
                "old-alpha-0:1",
                "zeta-0:1",
            ],
        ),
    ] {
        let fixture = Fixture::new(options, "");
        let builds = ["alpha 1", "alpha 2", "alpha 3", "alpha 4", "beta 1", "beta 9", "gamma 1", "delta 1", "zeta 1"];
        let packages = builds.map(|build| {
            let (name, version) = build.split_once(' ').unwrap();
            build_rpm(&fixture.scratch(), name, version, "1", &[])
        });
        let mut packages = packages.to_vec();
        for (name, provides) in [("old-alpha", "alpha = 9"), ("like-alpha", "alpha")] {
            packages.push(build_rpm(&fixture.scratch(), name, "1", "1", &[("Provides", provides)]));
        }
        fixture.publish("one", &packages, "gz");
        fixture.publish("two", &[], "gz");
        fixture.add_modules(MODULES);
        fixture.dnf(&["makecache"]);
        assert!(fixture.names().contains(&"alpha-0:1-1.noarch".to_owned()), "of the default stream");
        for (file, text) in files {
            fs::create_dir_all(fixture.root.path().join(file).parent().unwrap()).unwrap();
            fixture.write(file, text);
        }
        let told: Vec<String> = lines(&fixture.catalog());
        assert_eq!(told, fixture.offered_by_dnf(), "{files:?}");
        let expected: Vec<String> = expected.iter().map(|build| format!("{build}-1.noarch")).collect();
        let mut names = fixture.names();
        names.sort();
        assert_eq!(names, expected, "{files:?}");
    }
}
