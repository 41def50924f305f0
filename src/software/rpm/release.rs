//! Which release of its distribution a root has: what `$releasever` stands for in dnf's configuration.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::software::tool::{ask, command};

/// What the package of a release provides (dnf's `DISTROVERPKG`): the first that is provided tells the version.
const CAPABILITIES: [&str; 6] = [
    "system-release(releasever)",
    "system-release",
    "distribution-release(releasever)",
    "distribution-release",
    "redhat-release",
    "suse-release",
];

/// One line for the package and one for each of its provides.
const FORMAT: &str = "package %{NAME} %{VERSION}\n[provides %{PROVIDENAME} %{PROVIDEFLAGS} %{PROVIDEVERSION}\n]";

/// rpm's flag of a provide with exactly this version.
const EQUAL: &str = "8";

/// How much rpm may answer, and how long it may take; it waits for nobody.
const LARGEST_ANSWER: usize = 1024 * 1024;
const LONGEST_QUERY: Duration = Duration::from_secs(60);

/// Where a system tells what it is (`os-release(5)`), under the root.
const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Its keys for the version, and for what modules call it.
const VERSION: &str = "VERSION_ID";
const PLATFORM: &str = "PLATFORM_ID";

/// The files that the release of a root is read from, given those of its rpm database.
pub(super) fn files(root: &Path, database: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    database.into_iter().chain(os_release(root)).collect()
}

/// The files in which a system tells what it is, where they would be.
pub(super) fn os_release(root: &Path) -> Vec<PathBuf> {
    OS_RELEASE.iter().map(|file| root.join(file)).collect()
}

/// The release of the root whose rpm database lies in `dbpath`: by its installed packages as dnf finds it, else by
/// `os-release`.
pub(super) fn read(root: &Path, dbpath: &Path) -> Option<String> {
    let mut rpm = command("rpm");
    rpm.arg("--dbpath").arg(dbpath).args(["-q", "--nosignature", "--nodigest", "--qf", FORMAT, "--whatprovides"]);
    rpm.args(CAPABILITIES);
    let answer = ask(&mut rpm, LARGEST_ANSWER, LONGEST_QUERY).ok();
    let provided = answer.and_then(|answer| provided(&String::from_utf8_lossy(&answer.stdout)));
    provided.or_else(|| os_release(root).iter().find_map(|file| told(file, VERSION)))
}

/// What the modules of a distribution call the release of the root: `el9`. What is configured as the id of the platform
/// (`module_platform_id`) goes before `os-release`.
pub(super) fn platform(root: &Path, configured: Option<&str>) -> Option<String> {
    let told = || os_release(root).iter().find_map(|file| told(file, PLATFORM));
    let id = configured.map(str::to_owned).or_else(told)?;
    Some(id.strip_prefix("platform:")?.to_owned())
}

/// The version by the first package of rpm's answer: that of what it provides, or its own if it is called so or provides
/// it without a version (`dnf.rpm.detect_releasever`).
fn provided(answer: &str) -> Option<String> {
    let mut lines = answer.lines();
    let mut unprovided = 0;
    let package = loop {
        let line = lines.next()?;
        match line.strip_prefix("package ") {
            Some(package) => break package,
            None => unprovided += usize::from(line.starts_with("no package provides ")),
        }
    };
    let capability = *CAPABILITIES.get(unprovided)?;
    let (name, version) = package.split_once(' ')?;
    let mut provides = lines.map_while(|line| line.strip_prefix("provides ")?.split_once(' '));
    let given = provides.find(|(provided, _)| *provided == capability).and_then(|(_, given)| given.split_once(' '));
    match given {
        Some((EQUAL, given)) if name != capability && !given.is_empty() => Some(given.to_owned()),
        _ => Some(version.to_owned()),
    }
}

/// The value of a key in an `os-release` file.
fn told(file: &Path, key: &str) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(64 * 1024).read_to_string(&mut text).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_capability_that_is_provided_counts() {
        let none = "no package provides x\n".repeat(6);
        assert_eq!(provided(&none), None);
        let rocky = "package rocky-release 9.3\nprovides config(rocky-release) 8 9.3-1\nprovides system-release 8 9.3-1\n\
                     provides system-release(releasever) 8 9\npackage rocky-release 9.3\n";
        assert_eq!(provided(rocky).as_deref(), Some("9"));
        let plain = "no package provides a\npackage fedora-release 39\nprovides system-release 0 \n";
        assert_eq!(provided(plain).as_deref(), Some("39"));
        let named =
            format!("{}package redhat-release 7.9\nprovides redhat-release 8 7.9-1.el7\n", none.get(..88).unwrap());
        assert_eq!(provided(&named).as_deref(), Some("7.9"));
    }

    #[test]
    fn the_system_may_tell_its_version_itself() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(read(root.path(), &root.path().join("none")), None);
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(
            root.path().join("etc/os-release"),
            "NAME=x\nVERSION_ID=\"15.5\"\nPLATFORM_ID=\"platform:el9\"\n",
        )
        .unwrap();
        assert_eq!(platform(root.path(), None).as_deref(), Some("el9"));
        assert_eq!(platform(root.path(), Some("platform:f39")).as_deref(), Some("f39"));
        assert_eq!(platform(root.path(), Some("f39")), None);
        assert_eq!(read(root.path(), &root.path().join("none")).as_deref(), Some("15.5"));
    }

    proptest! {
        #[test]
        fn any_answer_is_read(answer in "((no )?package |provides |[a ]{0,3}|\n){0,30}") {
            provided(&answer);
        }
    }
}
