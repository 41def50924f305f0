//! Files of installed packages and their verification, compared with what the families' own tools find.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use quartermaster::software::{
    ApplyError, CancelToken, EngineChoice, FailedCheck, FileKind, FileRecord, Finding, Manager, Operation, Outcome,
    Phase, open,
};
use support::file_server::FileServer;
use support::operations::{Kept, nevra};
use support::packages::{Deb, DebRoot, Repository, Rpm, RpmRoot, build_deb, build_rpm};

fn engine(root: &Path) -> Arc<dyn Manager> {
    open(EngineChoice::Auto, root).unwrap().unwrap()
}

fn verify_with(engine: &dyn Manager, build: &str, kept: &mut Kept) -> Result<Outcome, ApplyError> {
    let token = kept.cancel_at.as_ref().map_or_else(CancelToken::default, |(_, token)| token.clone());
    engine.apply(&Operation::Verify { nevra: nevra(build) }, kept, &token)
}

fn findings(engine: &dyn Manager, build: &str) -> Vec<Finding> {
    let mut kept = Kept::default();
    let outcome = verify_with(engine, build, &mut kept).unwrap();
    assert_eq!(outcome.changes, []);
    assert_eq!(kept.phase_order(), [Phase::Verifying]);
    assert!(kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", kept.phases);
    outcome.findings
}

/// One line a finding, in the form of `rpm --verify`, sorted.
fn lines(findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().map(line).collect();
    lines.sort();
    lines
}

fn line(finding: &Finding) -> String {
    let kind = if finding.is_configuration { 'c' } else { ' ' };
    if finding.failed == [FailedCheck::Existence] {
        return format!("missing   {kind} {}", finding.path);
    }
    let letters = [
        (FailedCheck::Size, 'S'),
        (FailedCheck::Mode, 'M'),
        (FailedCheck::Checksum, '5'),
        (FailedCheck::Device, 'D'),
        (FailedCheck::LinkTarget, 'L'),
        (FailedCheck::User, 'U'),
        (FailedCheck::Group, 'G'),
        (FailedCheck::Modified, 'T'),
    ];
    let flags: String = letters.iter().map(|(c, l)| if finding.failed.contains(c) { *l } else { '.' }).collect();
    format!("{flags}. {kind} {}", finding.path)
}

/// What `rpm --verify` says, sorted. Of the kinds of files only configuration files are told apart.
fn rpm_says(root: &RpmRoot, name: &str) -> Vec<String> {
    let output = root.rpm().args(["--verify", "--nodeps", "--", name]).env("LC_ALL", "C").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // rpm has a blank more than dpkg between flags and kind.
    let line = |line: &str| line.replace("  g /", "    /").replacen(".  ", ". ", 1);
    let mut lines: Vec<String> = text.lines().map(line).collect();
    lines.sort();
    lines
}

/// What `dpkg --verify` says, sorted.
fn dpkg_says(root: &DebRoot, name: &str) -> Vec<String> {
    let output = root.dpkg().args(["--verify", "--", name]).env("LC_ALL", "C").output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(|line| line.replace('?', ".")).collect();
    lines.sort();
    lines
}

fn set_modified(file: &Path, seconds: u64) {
    let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(seconds));
    File::options().write(true).open(file).unwrap().set_times(times).unwrap();
}

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

/// Writes contents at a time that is not the package's, however fast the test is.
fn write(file: &Path, contents: &str) {
    fs::write(file, contents).unwrap();
    set_modified(file, 1_000_000_001);
}

/// Writes other contents of the same length and leaves the time as it was.
fn change_contents_alone(file: &Path) {
    let modified = fs::metadata(file).unwrap().modified().unwrap();
    let contents: Vec<u8> = fs::read(file).unwrap().iter().map(|b| b ^ 1).collect();
    fs::write(file, contents).unwrap();
    let times = FileTimes::new().set_modified(modified);
    File::options().write(true).open(file).unwrap().set_times(times).unwrap();
}

fn replace_by_directory(file: &Path, mode: u32) {
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
    set_mode(file, mode);
}

fn accounts(root: &Path) {
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nstaffer:x:777:777::/:/bin/sh\n").unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\nstaffers:x:778:\n").unwrap();
}

const FILES: [&str; 12] = [
    "contents",
    "size",
    "mode",
    "setuid",
    "user",
    "group",
    "time",
    "folder",
    "deleted",
    "untouched",
    "exempt",
    "replaced",
];

fn rpm_package() -> Rpm {
    let place = "usr/share/alpha";
    let rpm = FILES.iter().filter(|f| **f != "exempt").fold(Rpm::new("alpha", "1^git1", "1"), |rpm, file| {
        rpm.file(&format!("{place}/{file}"), &format!("the file {file}\n"))
    });
    rpm.config("etc/alpha.conf", "a=1\n")
        .tag("Epoch", "3")
        .entry(&format!("ln -s contents %{{buildroot}}/{place}/link"), &format!("/{place}/link"))
        .entry(&format!("ln -s contents %{{buildroot}}/{place}/steady"), &format!("/{place}/steady"))
        .entry(&format!("mkdir %{{buildroot}}/{place}/empty"), &format!("%dir %attr(750,root,root) /{place}/empty"))
        .entry("", &format!("%dev(c,5,1) /{place}/device"))
        .entry("", "%ghost %attr(600,root,root) /var/log/alpha.log")
        .entry(
            &format!("echo exempt > %{{buildroot}}/{place}/exempt"),
            &format!("%verify(not md5 size mtime) /{place}/exempt"),
        )
        .entry("echo may go > %{buildroot}/etc/optional", "%config(missingok) /etc/optional")
        .entry(
            &format!("echo owned > %{{buildroot}}/{place}/owned"),
            &format!("%attr(640,staffer,staffers) /{place}/owned"),
        )
}

#[test]
fn rpm_and_this_engine_find_the_same() {
    let root = RpmRoot::new();
    accounts(&root.path());
    root.install_by_hand(&rpm_package().build(&root.scratch()));
    let engine = engine(&root.path());
    let build = "alpha-3:1^git1-1.noarch";
    // rpm took the host's names for the owners' numbers, or root's where the host has none.
    let place = root.path().join("usr/share/alpha");
    chown(place.join("owned"), Some(777), Some(778)).unwrap();
    assert_eq!(lines(&findings(&*engine, build)), [""; 0]);
    assert_eq!(rpm_says(&root, "alpha"), [""; 0]);

    change_contents_alone(&place.join("contents"));
    write(&place.join("size"), "longer than it was before\n");
    set_mode(&place.join("mode"), 0o600);
    set_mode(&place.join("setuid"), 0o4644);
    chown(place.join("user"), Some(777), None).unwrap();
    chown(place.join("group"), None, Some(778)).unwrap();
    set_modified(&place.join("time"), 1_000_000_000);
    replace_by_directory(&place.join("folder"), 0o755);
    fs::remove_file(place.join("deleted")).unwrap();
    fs::write(place.join("exempt"), "other contents, of which nobody cares").unwrap();
    write(&root.path().join("etc/alpha.conf"), "a=mine\n");
    fs::remove_file(root.path().join("etc/optional")).unwrap();
    fs::create_dir_all(root.path().join("var/log")).unwrap();
    fs::write(root.path().join("var/log/alpha.log"), "a ghost's contents").unwrap();
    fs::remove_file(place.join("link")).unwrap();
    symlink("elsewhere", place.join("link")).unwrap();
    lchown(place.join("steady"), Some(777), Some(778)).unwrap();
    set_mode(&place.join("empty"), 0o700);
    fs::remove_file(place.join("device")).unwrap();
    let status = Command::new("mknod").arg(place.join("device")).args(["c", "5", "2"]).status().unwrap();
    assert!(status.success());
    set_mode(&place.join("device"), 0);
    chown(place.join("owned"), Some(0), Some(0)).unwrap();

    let found = lines(&findings(&*engine, build));
    assert_eq!(found, rpm_says(&root, "alpha"));
    let expected = [
        "....L....   /usr/share/alpha/link",
        ".....U...   /usr/share/alpha/user",
        ".....UG..   /usr/share/alpha/owned",
        ".....UG..   /usr/share/alpha/steady",
        "......G..   /usr/share/alpha/group",
        ".......T.   /usr/share/alpha/time",
        "...D.....   /usr/share/alpha/device",
        "..5......   /usr/share/alpha/contents",
        ".M.......   /usr/share/alpha/empty",
        ".M.......   /usr/share/alpha/folder",
        ".M.......   /usr/share/alpha/mode",
        ".M.......   /usr/share/alpha/setuid",
        ".M.......   /var/log/alpha.log",
        "S.5....T. c /etc/alpha.conf",
        "S.5....T.   /usr/share/alpha/size",
        "missing     /usr/share/alpha/deleted",
    ];
    let mut expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn files_that_rpm_did_not_install_are_not_judged() {
    let root = RpmRoot::new();
    let rpm = Rpm::new("alpha", "1", "1")
        .file("usr/share/alpha/data", "data")
        .entry("mkdir -p %{buildroot}/usr/doc; echo x > %{buildroot}/usr/doc/readme", "%doc /usr/doc/readme")
        .build(&root.scratch());
    assert!(root.rpm().args(["-U", "--excludedocs", "--"]).arg(&rpm).output().unwrap().status.success());
    let engine = engine(&root.path());
    assert!(!root.path().join("usr/doc/readme").exists());
    let files = engine.files(&nevra("alpha-0:1-1.noarch")).unwrap();
    assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["/usr/doc/readme", "/usr/share/alpha/data"]);
    assert_eq!(lines(&findings(&*engine, "alpha-0:1-1.noarch")), rpm_says(&root, "alpha"));
    assert_eq!(files[0].exempt, FailedCheck::ALL);
}

#[test]
fn of_several_builds_exactly_one_is_verified() {
    let root = RpmRoot::new();
    for version in ["1", "2"] {
        let rpm =
            Rpm::new("kernel", version, "1").file(&format!("boot/kernel-{version}"), version).build(&root.scratch());
        assert!(root.rpm().arg("-i").arg(&rpm).output().unwrap().status.success());
    }
    let engine = engine(&root.path());
    fs::remove_file(root.path().join("boot/kernel-1")).unwrap();
    assert_eq!(lines(&findings(&*engine, "kernel-0:1-1.noarch")), ["missing     /boot/kernel-1"]);
    assert_eq!(findings(&*engine, "kernel-0:2-1.noarch"), []);
    for other in ["kernel-0:3-1.noarch", "kernel-1:2-1.noarch", "nothing-0:1-1.noarch"] {
        assert_eq!(engine.files(&nevra(other)).unwrap(), []);
        let result = verify_with(&*engine, other, &mut Kept::default());
        assert!(matches!(&result, Err(ApplyError::NotFound(why)) if why.contains("is not installed")), "{result:?}");
    }
}

#[test]
fn an_rpm_without_files_has_none() {
    let root = RpmRoot::new();
    root.install_by_hand(&Rpm::new("empty", "1", "1").build(&root.scratch()));
    let engine = engine(&root.path());
    assert_eq!(engine.files(&nevra("empty-0:1-1.noarch")).unwrap(), []);
    assert_eq!(findings(&*engine, "empty-0:1-1.noarch"), []);
}

fn deb_package() -> Deb {
    deb_files().link("usr/share/alpha/link", "contents")
}

fn deb_files() -> Deb {
    let deb = FILES.iter().fold(Deb::new("alpha", "1:1.0~rc1-2"), |deb, file| {
        deb.file(&format!("usr/share/alpha/{file}"), &format!("the file {file}\n"))
    });
    deb.conffile("etc/alpha.conf", "a=1\n")
        .conffile("etc/with blank/alpha conf", "b=1\n")
        .mode("usr/share/alpha/setuid", 0o4755)
}

const DEB: &str = "alpha-1:1.0~rc1-2.all";

/// Puts a package file where apt keeps what it fetched.
fn cache(root: &DebRoot, file: &Path) {
    fs::copy(file, root.path().join("var/cache/apt/archives/alpha_1%3a1.0~rc1-2_all.deb")).unwrap();
}

fn change_files(place: &Path) {
    change_contents_alone(&place.join("contents"));
    write(&place.join("size"), "longer than it was before\n");
    set_mode(&place.join("mode"), 0o600);
    set_mode(&place.join("setuid"), 0o755);
    chown(place.join("user"), Some(777), None).unwrap();
    chown(place.join("group"), None, Some(778)).unwrap();
    set_modified(&place.join("time"), 1_000_000_000);
    fs::remove_file(place.join("deleted")).unwrap();
    fs::remove_file(place.join("link")).unwrap();
    symlink("elsewhere", place.join("link")).unwrap();
}

#[test]
fn without_the_package_file_what_dpkg_knows_is_judged() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    root.install_by_hand(&deb_package().build(&root.scratch()));
    let mut kept = Kept::default();
    assert_eq!(verify_with(&*engine, DEB, &mut kept).unwrap(), Outcome::default());
    assert_eq!(kept.notes.len(), 1);
    assert!(kept.notes[0].starts_with("the package database knows no more than the contents"), "{:?}", kept.notes);
    let files = engine.files(&nevra(DEB)).unwrap();
    let unknown = |f: &FileRecord| {
        (f.size, f.mode, f.user, f.group, f.modified, f.device) == (None, None, None, None, None, None)
    };
    assert!(files.iter().all(unknown));
    assert!(files.iter().all(|f| f.kind == f.checksum.is_some().then_some(FileKind::Regular)));

    let place = root.path().join("usr/share/alpha");
    change_files(&place);
    write(&root.path().join("etc/alpha.conf"), "a=mine\n");
    fs::remove_file(root.path().join("etc/with blank/alpha conf")).unwrap();
    let found = lines(&findings(&*engine, DEB));
    assert_eq!(found, dpkg_says(&root, "alpha"));
    assert_eq!(
        found,
        [
            "..5......   /usr/share/alpha/contents",
            "..5......   /usr/share/alpha/size",
            "..5...... c /etc/alpha.conf",
            "missing     /usr/share/alpha/deleted",
            "missing   c /etc/with blank/alpha conf",
        ]
    );
    // dpkg gives up where a directory is in place of a file.
    replace_by_directory(&place.join("folder"), 0o755);
    let found = lines(&findings(&*engine, DEB));
    assert!(found.contains(&".M.......   /usr/share/alpha/folder".to_owned()), "{found:?}");
}

#[test]
fn with_the_package_file_everything_is_judged() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    let file = deb_package().build(&root.scratch());
    root.install_by_hand(&file);
    cache(&root, &file);
    let mut kept = Kept::default();
    assert_eq!(verify_with(&*engine, DEB, &mut kept).unwrap(), Outcome::default());
    assert_eq!(kept.notes, [""; 0]);

    change_everything(&root);
    assert_eq!(lines(&findings(&*engine, DEB)), changed_everything());
}

fn change_everything(root: &DebRoot) {
    let place = root.path().join("usr/share/alpha");
    change_files(&place);
    replace_by_directory(&place.join("folder"), 0o644);
    write(&root.path().join("etc/alpha.conf"), "a=mine\n");
}

/// What is found then by someone who knows everything.
fn changed_everything() -> Vec<&'static str> {
    let mut expected = vec![
        "....L....   /usr/share/alpha/link",
        ".....U...   /usr/share/alpha/user",
        "......G..   /usr/share/alpha/group",
        ".......T.   /usr/share/alpha/time",
        "..5......   /usr/share/alpha/contents",
        ".M.......   /usr/share/alpha/folder",
        ".M.......   /usr/share/alpha/mode",
        ".M.......   /usr/share/alpha/setuid",
        "S.5....T. c /etc/alpha.conf",
        "S.5....T.   /usr/share/alpha/size",
        "missing     /usr/share/alpha/deleted",
    ];
    expected.sort_unstable();
    expected
}

/// Whether sizes, modes, owners and times are known of all files.
fn knows_all(files: &[FileRecord]) -> bool {
    let has_sum = |f: &&FileRecord| f.checksum.is_some();
    files.iter().all(|f| (f.mode.zip(f.user), f.group.zip(f.modified)) != (None, None))
        && files.iter().filter(has_sum).all(|f| f.size.is_some())
}

#[test]
fn a_package_file_in_a_repository_on_this_host_serves_as_well() {
    let root = DebRoot::new();
    let file = deb_package().build(&root.scratch());
    let root = root.with_repository(std::slice::from_ref(&file));
    root.install_by_hand(&file);
    let engine = engine(&root.path());
    assert!(knows_all(&engine.files(&nevra(DEB)).unwrap()));
    let mut kept = Kept::default();
    assert_eq!(verify_with(&*engine, DEB, &mut kept).unwrap(), Outcome::default());
    assert_eq!(kept.notes, [""; 0]);
    change_everything(&root);
    assert_eq!(lines(&findings(&*engine, DEB)), changed_everything());
    // A repository that is switched off offers nothing.
    let id = engine.repositories().unwrap()[0].id.clone();
    engine.set_repository(&id, false).unwrap();
    assert!(!knows_all(&engine.files(&nevra(DEB)).unwrap()));
}

#[test]
fn another_build_of_the_same_version_in_a_repository_is_not_used() {
    let root = DebRoot::new();
    let file = deb_package().build(&root.scratch());
    root.install_by_hand(&file);
    let engine = engine(&root.path());
    for (what, deb) in
        [("other contents", deb_package().file("usr/share/alpha/size", "other")), ("a link less", deb_files())]
    {
        let builder = DebRoot::new();
        let repository = Repository::new(&[deb.build(&builder.scratch())]);
        root.use_sources(&repository.source(&repository.address()));
        root.update_by_hand();
        assert!(!knows_all(&engine.files(&nevra(DEB)).unwrap()), "{what}");
        let server = FileServer::new(&repository.path());
        root.use_sources(&repository.source(&server.address()));
        root.update_by_hand();
        let mut kept = Kept::default();
        assert_eq!(verify_with(&*engine, DEB, &mut kept).unwrap(), Outcome::default());
        assert_eq!(kept.notes.len(), 2, "{:?}", kept.notes);
        assert!(
            kept.notes[0].starts_with("the package file that a repository offers is not the one"),
            "{:?}",
            kept.notes
        );
    }
}

#[test]
fn a_verification_fetches_the_package_file_and_the_server_does_not() {
    let root = DebRoot::new();
    let file = deb_package().build(&root.scratch());
    let repository = Repository::new(std::slice::from_ref(&file));
    let server = FileServer::new(&repository.path());
    root.use_sources(&repository.source(&server.address()));
    root.update_by_hand();
    root.install_by_hand(&file);
    let engine = engine(&root.path());
    assert!(!knows_all(&engine.files(&nevra(DEB)).unwrap()));
    change_everything(&root);
    let mut kept = Kept::default();
    let outcome = verify_with(&*engine, DEB, &mut kept).unwrap();
    assert_eq!(lines(&outcome.findings), changed_everything());
    assert_eq!(kept.phase_order(), [Phase::Verifying, Phase::Downloading, Phase::Verifying]);
    assert_eq!(kept.notes, [""; 0]);
    // Each finding tells what the file should be, for those who cannot fetch.
    let originals: Vec<FileRecord> = outcome.findings.into_iter().map(|finding| finding.original.unwrap()).collect();
    assert!(knows_all(&originals));
    // Nothing of it is left on the host.
    assert!(!root.path().join("var/cache/apt/archives/alpha_1%3a1.0~rc1-2_all.deb").exists());

    let mut kept = Kept { cancel_at: Some((Phase::Downloading, CancelToken::default())), ..Kept::default() };
    assert_eq!(verify_with(&*engine, DEB, &mut kept), Err(ApplyError::Cancelled));
}

#[test]
fn a_package_file_that_cannot_be_fetched_is_noted_and_what_dpkg_knows_is_judged() {
    let root = DebRoot::new();
    let file = deb_package().build(&root.scratch());
    let repository = Repository::new(std::slice::from_ref(&file));
    let server = FileServer::new(&repository.path());
    root.use_sources(&repository.source(&server.address()));
    root.update_by_hand();
    root.install_by_hand(&file);
    let engine = engine(&root.path());
    fs::remove_file(root.path().join("usr/share/alpha/deleted")).unwrap();
    let offered = repository.path().join("pool").join(file.file_name().unwrap());
    let mut bytes = fs::read(&offered).unwrap();
    let last = bytes.len() - 600;
    bytes[last] ^= 1;
    fs::write(&offered, bytes).unwrap();
    for why in ["Hash Sum mismatch", "404"] {
        let mut kept = Kept::default();
        let outcome = verify_with(&*engine, DEB, &mut kept).unwrap();
        assert_eq!(lines(&outcome.findings), ["missing     /usr/share/alpha/deleted"]);
        let [first, second] = kept.notes.as_slice() else { panic!("{:?}", kept.notes) };
        assert!(first.starts_with("the package file of alpha was not fetched") && first.contains(why), "{first}");
        assert!(second.starts_with("the package database knows no more than the contents"), "{second}");
        fs::remove_file(&offered).ok();
    }
}

#[test]
fn another_package_file_in_the_cache_is_not_used() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    let file = deb_package().build(&root.scratch());
    root.install_by_hand(&file);
    let knows_modes = || engine.files(&nevra(DEB)).unwrap().iter().any(|f| f.mode.is_some());
    assert!(!knows_modes());
    cache(&root, &file);
    assert!(knows_modes());
    // The same version, built once more with other contents.
    cache(&root, &Deb::new("alpha", "1:1.0~rc1-2").file("usr/share/alpha/size", "other").build(&root.scratch()));
    assert!(!knows_modes());
    cache(&root, &build_deb(&root.scratch(), "alpha", "1:1.0-2", &[]));
    assert!(!knows_modes());
    let cached = root.path().join("var/cache/apt/archives/alpha_1%3a1.0~rc1-2_all.deb");
    fs::write(&cached, "junk").unwrap();
    assert!(!knows_modes());
    // A cache outside of the root is none of the root's.
    fs::remove_file(&cached).unwrap();
    symlink(deb_package().build(&root.scratch()), &cached).unwrap();
    assert!(!knows_modes());
    fs::remove_file(&cached).unwrap();
    assert!(Command::new("mkfifo").arg(&cached).status().unwrap().success());
    assert!(!knows_modes());
    // One elsewhere in the root is.
    fs::remove_file(&cached).unwrap();
    let folder = root.path().join("var/cache/apt/archives");
    fs::rename(&folder, root.path().join("elsewhere")).unwrap();
    symlink("/elsewhere", &folder).unwrap();
    fs::copy(&file, root.path().join("elsewhere").join(cached.file_name().unwrap())).unwrap();
    assert!(knows_modes());
}

#[test]
fn diverted_files_are_where_they_were_diverted_to() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    let divert = |args: &[&str]| {
        let output = Command::new("dpkg-divert").arg("--root").arg(root.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    divert(&["--package", "beta", "--divert", "/usr/share/alpha/size.alpha", "--no-rename", "/usr/share/alpha/size"]);
    divert(&["--local", "--divert", "/usr/share/alpha/time.mine", "--no-rename", "/usr/share/alpha/time"]);
    divert(&["--package", "alpha", "--divert", "/usr/share/alpha/mode.other", "--no-rename", "/usr/share/alpha/mode"]);
    let file = deb_package().build(&root.scratch());
    root.install_by_hand(&file);
    cache(&root, &file);
    let place = root.path().join("usr/share/alpha");
    assert!(place.join("size.alpha").exists() && !place.join("size").exists());
    assert!(place.join("time.mine").exists() && place.join("mode").exists());
    assert_eq!(findings(&*engine, DEB), []);

    // What is at the place of a diverted file is not this package's.
    fs::write(place.join("size"), "the file of beta").unwrap();
    fs::remove_file(place.join("time.mine")).unwrap();
    assert_eq!(lines(&findings(&*engine, DEB)), dpkg_says(&root, "alpha"));
    assert_eq!(lines(&findings(&*engine, DEB)), ["missing     /usr/share/alpha/time.mine"]);
    change_contents_alone(&place.join("size.alpha"));
    let found = lines(&findings(&*engine, DEB));
    assert_eq!(found, ["..5......   /usr/share/alpha/size.alpha", "missing     /usr/share/alpha/time.mine"]);
}

#[test]
fn overridden_owners_and_modes_are_those_that_count() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    let set = |args: &[&str]| {
        let output = Command::new("dpkg-statoverride").arg("--root").arg(root.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    set(&["--add", "root", "#778", "2711", "/usr/share/alpha/setuid"]);
    set(&["--add", "#777", "#778", "0750", "/usr/share/alpha"]);
    let file = deb_package().build(&root.scratch());
    root.install_by_hand(&file);
    for knows_all in [false, true] {
        if knows_all {
            cache(&root, &file);
        }
        assert_eq!(findings(&*engine, DEB), []);
        let place = root.path().join("usr/share/alpha");
        set_mode(&place.join("setuid"), 0o4755);
        chown(&place, Some(0), Some(0)).unwrap();
        set_mode(&place, 0o750);
        let found = lines(&findings(&*engine, DEB));
        assert_eq!(found, [".....UG..   /usr/share/alpha", ".M.......   /usr/share/alpha/setuid"]);
        set_mode(&place.join("setuid"), 0o2711);
        chown(&place, Some(777), Some(778)).unwrap();
    }
}

#[test]
fn names_in_a_package_file_are_those_of_the_root() {
    let root = DebRoot::new();
    accounts(&root.path());
    let tree = root.scratch().join("tree");
    let file = deb_package().build(&root.scratch());
    let unpacked = Command::new("dpkg-deb").arg("--raw-extract").arg(&file).arg(&tree).status().unwrap();
    assert!(unpacked.success());
    // 65000 has no name on the host, so that the package names a number.
    chown(tree.join("usr/share/alpha/user"), Some(65_000), Some(65_001)).unwrap();
    let status = Command::new("dpkg-deb").args(["-Znone", "--build"]).arg(&tree).arg(&file).output().unwrap().status;
    assert!(status.success());
    root.install_by_hand(&file);
    cache(&root, &file);
    let files = engine(&root.path()).files(&nevra(DEB)).unwrap();
    let user = files.iter().find(|f| f.path == "/usr/share/alpha/user").unwrap();
    assert_eq!((user.user, user.group), (Some(65_000), Some(65_001)));
    assert_eq!(findings(&*engine(&root.path()), DEB), []);
}

#[test]
fn links_do_not_lead_out_of_the_root_and_pipes_do_not_block() {
    let root = DebRoot::new();
    let engine = engine(&root.path());
    root.install_by_hand(&deb_package().build(&root.scratch()));
    let place = root.path().join("usr/share/alpha");
    // A folder with the same files outside.
    let outside = root.scratch().join("outside");
    fs::create_dir(&outside).unwrap();
    for file in FILES {
        fs::copy(place.join(file), outside.join(file)).unwrap();
    }
    fs::rename(&place, root.path().join("usr/share/aside")).unwrap();
    symlink(&outside, &place).unwrap();
    let found = findings(&*engine, DEB);
    assert_eq!(found.len(), FILES.len() + 1, "{found:?}");
    assert!(found.iter().all(|f| f.failed == [FailedCheck::Existence]), "{found:?}");
    // Inside it is followed.
    fs::remove_file(&place).unwrap();
    symlink("/usr/share/aside", &place).unwrap();
    assert_eq!(findings(&*engine, DEB), []);

    let pipe = place.parent().unwrap().join("aside/contents");
    fs::remove_file(&pipe).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(lines(&findings(&*engine, DEB)), [".M.......   /usr/share/alpha/contents"]);
}

#[test]
fn it_can_be_cancelled() {
    let root = RpmRoot::new();
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
    let engine = engine(&root.path());
    let mut kept = Kept { cancel_at: Some((Phase::Verifying, CancelToken::default())), ..Kept::default() };
    assert_eq!(verify_with(&*engine, "alpha-0:1-1.noarch", &mut kept), Err(ApplyError::Cancelled));
    assert_eq!(kept.phases, [(Phase::Verifying, 0)]);
}
