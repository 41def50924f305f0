//! The configuration files of an installed package, from the field `Conffiles` of dpkg's `status`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::info::is_md5;
use crate::software::deb::database::{journal, state};
use crate::software::deb::stanza::{Met, Stanza, Stanzas};
use crate::software::{ManagerError, Nevra};

const FIELDS: &[&str] = &["Package", "Status", "Version", "Architecture", "Conffiles"];

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conffile {
    /// The MD5 sum of the package's own; `None` while dpkg has not decided which is in place.
    pub md5: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, be it that the installed build no longer has it (`obsolete`).
    Stays,
    /// dpkg removes it.
    RemoveOnUpgrade,
}

/// The configuration files of exactly this build by their paths; `None` if it is not installed. Reads `status` and the
/// newer stanzas in `updates/`, of which the last of the package counts.
pub(super) fn read(folder: &Path, nevra: &Nevra) -> Result<Option<HashMap<String, Conffile>>, ManagerError> {
    let mut found = None;
    let status = folder.join("status");
    look(&status, nevra, &mut found).map_err(|source| ManagerError::Read { path: status, source })?;
    for path in journal(folder)? {
        match look(&path, nevra, &mut found) {
            // dpkg has moved it into `status`, which will be seen the next time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            looked => looked.map_err(|source| ManagerError::Read { path: PathBuf::from(&path), source })?,
        }
    }
    Ok(found)
}

fn look(path: &Path, nevra: &Nevra, found: &mut Option<HashMap<String, Conffile>>) -> io::Result<()> {
    let mut stanzas = Stanzas::new(BufReader::new(File::open(path)?), FIELDS);
    while let Some(met) = stanzas.next()? {
        // Damaged stanzas are told of where the whole database is read.
        let Met::Stanza(stanza) = met else { continue };
        let is_other = stanza.get("Architecture").is_some_and(|architecture| *architecture != *nevra.architecture);
        if stanza.get("Package") != Some(&nevra.name) || is_other {
            continue;
        }
        *found = is_installed(&stanza, nevra).then(|| conffiles(stanza.get("Conffiles").unwrap_or_default()));
    }
    Ok(())
}

fn is_installed(stanza: &Stanza, nevra: &Nevra) -> bool {
    let has_files = stanza.get("Status").is_some_and(|status| state(status).is_ok_and(|state| state.has_files()));
    let build = stanza
        .get("Version")
        .and_then(|version| Nevra::from_debian(&nevra.name, version, stanza.get("Architecture").unwrap_or_default()));
    has_files && build.as_ref() == Some(nevra)
}

/// Lines of `path md5 [obsolete|remove-on-upgrade]`; a path may have blanks.
fn conffiles(field: &str) -> HashMap<String, Conffile> {
    field.lines().filter_map(|line| conffile(line.trim())).collect()
}

fn conffile(line: &str) -> Option<(String, Conffile)> {
    let (line, fate) = match line.rsplit_once(' ') {
        Some((line, "remove-on-upgrade")) => (line, Fate::RemoveOnUpgrade),
        Some((line, "obsolete")) => (line, Fate::Stays),
        _ => (line, Fate::Stays),
    };
    let (path, md5) = line.rsplit_once(' ')?;
    // dpkg writes `newconffile` in place of a sum that it does not have yet.
    let md5 = is_md5(md5).then(|| md5.to_owned());
    path.starts_with('/').then(|| (path.to_owned(), Conffile { md5, fate }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    #[test]
    fn entries_are_read() {
        let text = format!(
            "\n /etc/a b {MD5}\n /etc/old {MD5} obsolete\n /etc/gone {MD5} remove-on-upgrade\n /etc/new newconffile\n x {MD5}\n /short"
        );
        let read = conffiles(&text);
        let of = |path: &str| read.get(path).map(|c| (c.md5.is_some(), c.fate));
        assert_eq!(of("/etc/a b"), Some((true, Fate::Stays)));
        assert_eq!(of("/etc/old"), Some((true, Fate::Stays)));
        assert_eq!(of("/etc/gone"), Some((true, Fate::RemoveOnUpgrade)));
        assert_eq!(of("/etc/new"), Some((false, Fate::Stays)));
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn the_last_word_on_exactly_one_build_counts() {
        let dir = tempfile::tempdir().unwrap();
        let stanza = |version: &str, state: &str, architecture: &str| {
            format!(
                "Package: a\nStatus: install ok {state}\nVersion: {version}\nArchitecture: {architecture}\n\
                 Conffiles:\n /etc/{version} {MD5}\n\n"
            )
        };
        let text = stanza("1", "installed", "amd64") + &stanza("2", "installed", "i386");
        fs::write(dir.path().join("status"), text).unwrap();
        let paths = |version, architecture| {
            let nevra = Nevra::from_debian("a", version, architecture).unwrap();
            read(dir.path(), &nevra).unwrap().map(|found| found.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(paths("1", "amd64"), Some(vec!["/etc/1".to_owned()]));
        assert_eq!((paths("2", "amd64"), paths("1", "i386")), (None, None));
        fs::create_dir(dir.path().join("updates")).unwrap();
        fs::write(dir.path().join("updates/0000"), stanza("2", "unpacked", "amd64")).unwrap();
        assert_eq!((paths("1", "amd64"), paths("2", "amd64")), (None, Some(vec!["/etc/2".to_owned()])));
        fs::write(dir.path().join("updates/0001"), "Package: a\nStatus: purge ok not-installed\n").unwrap();
        assert_eq!(paths("2", "amd64"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}") {
            prop_assert!(conffiles(&text).keys().all(|path| path.starts_with('/')));
        }
    }
}
