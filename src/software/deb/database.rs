//! Reads dpkg's database: `status` and, while dpkg is at work, the newer stanzas in `updates/`.
//!
//! Their formats are those of `dpkg(1)` FILES and `deb822(5)`; `updates/NNNN` are applied in order over `status`, as
//! dpkg does itself when it opens its database.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::stanza::{Met, Stanza, Stanzas};
use crate::software::intern::Interner;
use crate::software::{Inventory, ManagerError, Nevra, Package, PackageState};

/// The fields that are read; the rest is skipped without being kept.
pub(super) const FIELDS: &[&str] =
    &["Package", "Status", "Version", "Architecture", "Maintainer", "Installed-Size", "Description"];

/// How many packages are accepted; Debian has some 60,000 in all.
const MOST_PACKAGES: usize = 200_000;

/// Packages by name and architecture.
type Packages = HashMap<(Arc<str>, Arc<str>), Package>;

/// Reads the database in `folder` (`ROOT/var/lib/dpkg`). Damaged stanzas are logged and left out.
pub(super) fn read(folder: &Path) -> Result<Inventory, ManagerError> {
    let mut strings = Interner::default();
    let mut packages = Packages::new();
    each(folder, FIELDS, |stanza| {
        put(&mut packages, entry(stanza, &mut strings)?);
        Ok(())
    })?;
    let info = folder.join("info");
    Ok(Inventory::new(packages.into_values().filter(|p| p.state.has_files()).map(|mut package| {
        package.installed_at = install_time(&info, &package.nevra);
        package
    })))
}

/// Hands over the stanzas of the database, the older of a package first. What is damaged, or refused, is logged.
pub(super) fn each(
    folder: &Path,
    fields: &'static [&'static str],
    mut take: impl FnMut(&Stanza) -> Result<(), &'static str>,
) -> Result<(), ManagerError> {
    let status = folder.join("status");
    let input = File::open(&status).map_err(|source| ManagerError::Read { path: status.clone(), source })?;
    each_of(BufReader::new(input), &status, fields, &mut take)?;
    for path in journal(folder)? {
        match File::open(&path) {
            Ok(input) => each_of(BufReader::new(input), &path, fields, &mut take)?,
            // dpkg has moved it into `status`, which changes its marks, so that it is read again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ManagerError::Read { path, source }),
        }
    }
    Ok(())
}

/// The files of dpkg's journal, oldest first: names of digits only.
pub(super) fn journal(folder: &Path) -> Result<Vec<PathBuf>, ManagerError> {
    let path = folder.join("updates");
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ManagerError::Read { path, source }),
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|e| e.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
        .map(|e| e.path())
        .collect();
    files.sort();
    Ok(files)
}

fn each_of(
    input: impl BufRead,
    path: &Path,
    fields: &'static [&'static str],
    take: &mut impl FnMut(&Stanza) -> Result<(), &'static str>,
) -> Result<(), ManagerError> {
    let fail = |source| ManagerError::Read { path: path.to_owned(), source };
    let skipped = |line: usize, why: &str| {
        tracing::warn!(file = %path.display(), line, "left out a damaged entry of the package database: {why}");
    };
    let mut stanzas = Stanzas::new(input, fields);
    for _ in 0..MOST_PACKAGES {
        match stanzas.next().map_err(fail)? {
            None => return Ok(()),
            Some(Met::Damaged(line, why)) => skipped(line, why),
            Some(Met::Stanza(stanza)) => {
                if let Err(why) = take(&stanza) {
                    skipped(stanza.line, why);
                }
            }
        }
    }
    let message = format!("there are more than {MOST_PACKAGES} packages");
    Err(ManagerError::Malformed { path: path.to_owned(), line: 1, message })
}

/// What a stanza says.
enum Entry {
    /// A package in some state.
    Package(Package),
    /// This package is not there at all; dpkg leaves out versions of packages it has forgotten.
    Gone(Arc<str>, Option<Arc<str>>),
}

fn put(packages: &mut Packages, entry: Entry) {
    match entry {
        Entry::Package(package) => {
            packages.insert((Arc::clone(&package.nevra.name), Arc::clone(&package.nevra.architecture)), package);
        }
        Entry::Gone(name, Some(architecture)) => {
            packages.remove(&(name, architecture));
        }
        Entry::Gone(name, None) => packages.retain(|(n, _), _| *n != name),
    }
}

fn entry(stanza: &Stanza, strings: &mut Interner) -> Result<Entry, &'static str> {
    let name = stanza.get("Package").ok_or("the field Package is missing")?;
    let state = state(stanza.get("Status").ok_or("the field Status is missing")?)?;
    if !state.has_files() {
        return Ok(Entry::Gone(strings.get(name), stanza.get("Architecture").map(|a| strings.get(a))));
    }
    package(stanza, state, strings).map(Entry::Package)
}

/// The package that a stanza describes, as `status` and a package file's control file have it.
pub(super) fn package(stanza: &Stanza, state: PackageState, strings: &mut Interner) -> Result<Package, &'static str> {
    let name = stanza.get("Package").ok_or("the field Package is missing")?;
    let version = stanza.get("Version").ok_or("the field Version is missing")?;
    let architecture = stanza.get("Architecture").ok_or("the field Architecture is missing")?;
    let nevra = Nevra::from_debian(name, version, architecture).ok_or("the name, version or architecture is none")?;
    let (summary, description) = description(stanza.get("Description").unwrap_or_default());
    Ok(Package {
        nevra: strings.nevra(&nevra),
        state,
        summary: strings.get(summary),
        description: strings.get(&description),
        manufacturer: stanza.get("Maintainer").map(|m| strings.get(m)),
        installed_at: None,
        // Debian counts in units of 1024 bytes.
        installed_size: stanza.get("Installed-Size").and_then(|s| s.parse::<u64>().ok()?.checked_mul(1024)),
    })
}

/// `Status` is what is wanted, whether there was an error, and the state (`dpkg-query(1)`); only the state tells
/// whether the files are there.
pub(super) fn state(status: &str) -> Result<PackageState, &'static str> {
    match status.split_ascii_whitespace().nth(2) {
        Some("installed") => Ok(PackageState::Installed),
        Some("unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending") => Ok(PackageState::Unfinished),
        Some("not-installed" | "config-files" | "half-installed") => Ok(PackageState::NotInstalled),
        _ => Err("the field Status has no state"),
    }
}

/// The first line is the synopsis; further lines lose their leading blank, and a lone dot is an empty line
/// (Debian policy 5.6.13).
pub(super) fn description(text: &str) -> (&str, String) {
    let Some((summary, rest)) = text.split_once('\n') else { return (text, String::new()) };
    let lines: Vec<&str> = rest.lines().map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
    (summary, lines.iter().map(|l| if *l == "." { "" } else { l }).collect::<Vec<_>>().join("\n"))
}

/// dpkg rewrites a package's file list whenever it unpacks it.
fn install_time(info: &Path, nevra: &Nevra) -> Option<DateTime<Utc>> {
    let plain = info.join(format!("{}.list", nevra.name));
    let of_architecture = || info.join(format!("{}:{}.list", nevra.name, nevra.architecture));
    let metadata = fs::metadata(plain).or_else(|_| fs::metadata(of_architecture())).ok()?;
    metadata.modified().ok().map(DateTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(name: &str, status: &str, version: &str) -> String {
        format!(
            "Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: {version}\nDescription: {name} it\n\n"
        )
    }

    fn texts(folder: &Path) -> Vec<String> {
        let inventory = read(folder).unwrap();
        inventory.packages().iter().map(|p| format!("{} {:?}", p.nevra, p.state)).collect()
    }

    #[test]
    fn states_decide_what_is_installed() {
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for (i, state) in [
            "install ok installed",
            "hold ok installed",
            "install ok unpacked",
            "install reinstreq half-configured",
            "install ok triggers-awaited",
            "install ok triggers-pending",
            "deinstall ok config-files",
            "install reinstreq half-installed",
            "purge ok not-installed",
        ]
        .iter()
        .enumerate()
        {
            text.push_str(&stanza(&format!("p{i}"), state, "1-1"));
        }
        fs::write(dir.path().join("status"), text).unwrap();
        assert_eq!(
            texts(dir.path()),
            [
                "p0-0:1-1.amd64 Installed",
                "p1-0:1-1.amd64 Installed",
                "p2-0:1-1.amd64 Unfinished",
                "p3-0:1-1.amd64 Unfinished",
                "p4-0:1-1.amd64 Unfinished",
                "p5-0:1-1.amd64 Unfinished"
            ]
        );
    }

    #[test]
    fn the_journal_is_newer_than_the_status() {
        let dir = tempfile::tempdir().unwrap();
        let ok = "install ok installed";
        fs::write(dir.path().join("status"), stanza("a", ok, "1") + &stanza("b", ok, "1") + &stanza("c", ok, "1"))
            .unwrap();
        let updates = dir.path().join("updates");
        fs::create_dir(&updates).unwrap();
        fs::write(updates.join("0000"), stanza("a", "install ok unpacked", "2")).unwrap();
        fs::write(updates.join("0001"), stanza("a", ok, "2") + "Package: b\nStatus: purge ok not-installed\n").unwrap();
        fs::write(updates.join("tmp.i"), "half a line").unwrap();
        assert_eq!(texts(dir.path()), ["a-0:2.amd64 Installed", "c-0:1.amd64 Installed"]);
    }

    #[test]
    fn a_damaged_entry_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let ok = "install ok installed";
        let text = stanza("a", ok, "1")
            + "Package: b\nStatus: odd\n\n"
            + "junk\n\n"
            + &stanza("c", ok, "x:1")
            + &stanza("d", ok, "1");
        fs::write(dir.path().join("status"), text).unwrap();
        assert_eq!(texts(dir.path()), ["a-0:1.amd64 Installed", "d-0:1.amd64 Installed"]);
    }

    #[test]
    fn descriptions_lose_their_markup() {
        assert_eq!(description("one\n two\n .\n  * three"), ("one", "two\n\n * three".to_owned()));
    }

    #[test]
    fn every_package_of_this_system_is_there_and_reversible() {
        let inventory = read(Path::new("/var/lib/dpkg")).unwrap();
        let list = std::process::Command::new("dpkg-query")
            .args(["-W", "-f", "${db:Status-Abbrev}\\t${Package}\\t${Version}\\t${Architecture}\\n"])
            .output()
            .unwrap();
        let text = String::from_utf8(list.stdout).unwrap();
        let mut count = 0;
        for line in text.lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            let nevra = Nevra::from_debian(parts[1], parts[2], parts[3]);
            if parts[0].as_bytes()[1] != b'i' {
                continue;
            }
            let nevra = nevra.unwrap();
            assert_eq!(nevra.to_string().parse(), Ok(nevra.clone()));
            assert_eq!(nevra.debian_version(), parts[2]);
            assert!(inventory.find(&nevra).is_some_and(|p| p.installed_at.is_some()), "{nevra}");
            count += 1;
        }
        assert!(count > 50);
        assert_eq!(inventory.packages().iter().filter(|p| p.state == PackageState::Installed).count(), count);
    }
}
