//! Asks `rpm` what is installed, or what a package file says of itself.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use chrono::DateTime;

use crate::software::intern::Interner;
use crate::software::tool::{Answer, ask, command};
use crate::software::{Inventory, ManagerError, Nevra, Package, PackageState};

/// Fields end with a unit separator and packages with a record separator: neither occurs in a text.
const FORMAT: &str = "%{NAME}\x1f%{EPOCHNUM}\x1f%{VERSION}\x1f%{RELEASE}\x1f%{ARCH}\x1f%{INSTALLTIME}\x1f%{LONGSIZE}\x1f\
    %|VENDOR?{%{VENDOR}}:{%|PACKAGER?{%{PACKAGER}}|}|\x1f%|SOURCERPM?{binary}:{source}|\x1f%{SUMMARY}\x1f%{DESCRIPTION}\x1e";

/// How many bytes of answer are accepted: some 100,000 packages.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// How long rpm may take; it waits for nobody.
const LONGEST_QUERY: Duration = Duration::from_secs(120);

/// A package that rpm told of.
#[derive(Debug)]
pub(super) struct Told {
    /// What it told.
    pub package: Package,
    /// Whether it is a package of sources, which is built and not installed.
    pub is_source: bool,
}

/// What is installed by the database in `dbpath`; a path on the host, so that no root has to be entered.
pub(super) fn installed(dbpath: &Path) -> Result<Inventory, ManagerError> {
    let mut strings = Interner::default();
    let text = all(dbpath, FORMAT)?;
    let told: Option<Vec<Told>> =
        text.split_terminator('\x1e').filter(|record| !is_key(record)).map(|r| record(r, &mut strings)).collect();
    let told = told.ok_or_else(|| failed("it described a package incompletely".to_owned()))?;
    Ok(Inventory::new(told.into_iter().map(|t| t.package)))
}

/// What rpm tells of all packages in a database, in this format.
pub(super) fn all(dbpath: &Path, format: &str) -> Result<String, ManagerError> {
    let mut rpm = command("rpm");
    rpm.arg("--dbpath").arg(dbpath).args(["-qa", "--nosignature", "--nodigest", "--qf", format]);
    let answer = ask(&mut rpm, LARGEST_ANSWER, LONGEST_QUERY).map_err(|e| failed(e.to_string()))?;
    // A damaged database makes rpm complain and end with 0, so both count.
    if !answer.status.success() || answer.stderr.contains("error:") {
        return Err(failed(complaint(&answer)));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

fn failed(message: String) -> ManagerError {
    ManagerError::Tool { tool: "rpm", message }
}

/// What a package file says of itself. Its digests are checked; whether its maker is trusted is for the installation
/// to judge, so a signature by an unknown key does not matter here.
///
/// rpm reads the opened file: a path would be taken for a pattern, and might be another file by now.
pub(super) fn in_file(file: File) -> std::io::Result<Result<Told, String>> {
    let mut rpm = command("rpm");
    rpm.args(["-qp", "--nosignature", "--qf", FORMAT, "--", "/proc/self/fd/0"]).stdin(file);
    let answer = ask(&mut rpm, LARGEST_ANSWER, LONGEST_QUERY)?;
    if !answer.status.success() {
        return Ok(Err("its header cannot be read".to_owned()));
    }
    let text = String::from_utf8_lossy(&answer.stdout);
    let told = text.strip_suffix('\x1e').and_then(|r| record(r, &mut Interner::default())).map(|mut told| {
        told.package.state = PackageState::NotInstalled;
        told.package.installed_at = None;
        told
    });
    Ok(told.ok_or_else(|| "its header lacks a field".to_owned()))
}

/// rpm keeps trusted keys as packages of this name; they are no software.
fn is_key(record: &str) -> bool {
    record.starts_with("gpg-pubkey\x1f")
}

fn record(text: &str, strings: &mut Interner) -> Option<Told> {
    let fields: Vec<&str> = text.splitn(11, '\x1f').collect();
    let [name, epoch, version, release, architecture, time, size, maker, kind, summary, description] = *fields else {
        return None;
    };
    let nevra = Nevra {
        name: strings.get(name),
        epoch: epoch.parse().ok()?,
        version: strings.get(version),
        release: Some(strings.get(release)),
        architecture: strings.get(architecture),
    };
    let package = Package {
        nevra,
        state: PackageState::Installed,
        summary: strings.get(summary),
        description: strings.get(description),
        manufacturer: (!maker.is_empty()).then(|| strings.get(maker)),
        installed_at: time.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        installed_size: size.parse().ok(),
    };
    Some(Told { package, is_source: kind == "source" })
}

/// The first complaint of rpm, in its own words.
pub(super) fn complaint(answer: &Answer) -> String {
    let line = answer.stderr.lines().find(|l| l.starts_with("error:")).or_else(|| answer.stderr.lines().next());
    line.map_or_else(|| answer.status.to_string(), |l| l.trim_start_matches("error:").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_packages() {
        let text = "bash\x1f1\x1f5.2\x1f3.el9\x1fx86_64\x1f1700000000\x1f4096\x1f\x1fbinary\x1fA shell\x1fLong\x1ftext\n\nmore";
        let told = record(text, &mut Interner::default()).unwrap();
        assert_eq!(told.package.nevra.to_string(), "bash-1:5.2-3.el9.x86_64");
        assert_eq!(&*told.package.description, "Long\x1ftext\n\nmore");
        assert_eq!((told.package.manufacturer, told.package.installed_size), (None, Some(4096)));
        assert!(!told.is_source);
        assert!(record("bash\x1f1", &mut Interner::default()).is_none());
        assert!(is_key("gpg-pubkey\x1f0\x1f"));
    }
}
