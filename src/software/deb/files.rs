//! The files of installed packages, as dpkg's database knows them.
//!
//! dpkg knows the paths of a package and the MD5 sums of its regular files, and of a few files what an operator set
//! (`dpkg-statoverride(1)`). Everything else is known only where the package file that was installed is still in apt's
//! cache. What nobody knows stays `None`.
//!
//! The path of a record is where the file really is: one that is diverted by another package or by the operator
//! (`dpkg-divert(1)`) is known by the place that it was diverted to.

mod conffiles;
mod data;
mod info;
mod placement;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use self::conffiles::{Conffile, Fate};
use self::placement::Placement;
use super::{Deb, FOLDER};
use crate::software::accounts::Accounts;
use crate::software::root::Root;
use crate::software::{ChecksumKind, FailedCheck, FileKind, FileRecord, ManagerError, Nevra};

/// How large a file of dpkg's database may be that is read at one go.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// MD5 sums of files by their paths, in lower-case hexadecimal.
type Sums = HashMap<String, String>;

/// The files of an installed package, in dpkg's order; none if exactly this build is not installed.
pub(super) fn read(deb: &Deb, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
    let Some(conffiles) = conffiles::read(&deb.root.join(FOLDER), nevra)? else { return Ok(Vec::new()) };
    let cannot = |source| ManagerError::Read { path: deb.root.clone(), source };
    let root = Root::open(&deb.root).map_err(cannot)?;
    let accounts = Accounts::read(&root).map_err(cannot)?;
    let Some(list) = info::read(&root, nevra, "list")? else { return Ok(Vec::new()) };
    let sums = sums(&info::read(&root, nevra, "md5sums")?.unwrap_or_default(), &conffiles);
    let shipped = data::read(&root, nevra, &sums, &accounts).unwrap_or_else(|error| {
        tracing::warn!(package = %nevra, "the package file in apt's cache is not used: {error}");
        None
    });
    let originals = Originals { sums, conffiles, shipped: shipped.unwrap_or_default() };
    let placement = Placement::read(&root, &nevra.name, &accounts)?;
    Ok(info::paths(&list).map(|path| placement.place(originals.record(path))).collect())
}

/// One of dpkg's files; `None` if it is not there.
fn read_database(root: &Root, file: &str) -> Result<Option<Vec<u8>>, ManagerError> {
    let path = format!("/{FOLDER}/{file}");
    root.read(&path, LARGEST_FILE).map_err(|source: io::Error| ManagerError::Read { path: PathBuf::from(path), source })
}

/// The sums that dpkg knows. Those of the package's list come first, as `dpkg --verify` has it; configuration files
/// may be only in the other.
fn sums(list: &[u8], conffiles: &HashMap<String, Conffile>) -> Sums {
    let mut sums: Sums =
        conffiles.iter().filter_map(|(path, conffile)| Some((path.clone(), conffile.md5.clone()?))).collect();
    sums.extend(info::sums(list));
    sums
}

/// What is known of how a package's files were installed, by their paths in the package.
struct Originals {
    sums: Sums,
    conffiles: HashMap<String, Conffile>,
    shipped: HashMap<String, FileRecord>,
}

impl Originals {
    fn record(&self, path: &str) -> FileRecord {
        let shipped = self.shipped.get(path).cloned().unwrap_or_else(|| FileRecord::at(path.to_owned()));
        let checksum = self.sums.get(path).map(|sum| (ChecksumKind::Md5, sum.clone()));
        let conffile = self.conffiles.get(path);
        // dpkg will remove it, or has done so.
        let may_go = conffile.is_some_and(|conffile| conffile.fate == Fate::RemoveOnUpgrade);
        FileRecord {
            // Only regular files have sums.
            kind: shipped.kind.or(checksum.is_some().then_some(FileKind::Regular)),
            checksum,
            is_configuration: conffile.is_some(),
            exempt: if may_go { vec![FailedCheck::Existence] } else { Vec::new() },
            ..shipped
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::software::{EngineSettings, Manager};

    #[test]
    fn every_path_of_every_package_of_this_system_is_there() {
        let deb = Deb::open("/".into(), EngineSettings::default()).unwrap();
        let (mut packages, mut files, mut with_sum) = (0, 0, 0);
        for package in deb.inventory().packages() {
            let records = read(&deb, &package.nevra).unwrap();
            let name = format!("{}:{}", package.nevra.name, package.nevra.architecture);
            let told = Command::new("dpkg-query").args(["-L", "--", &name]).env("LC_ALL", "C").output().unwrap();
            let told = String::from_utf8(told.stdout).unwrap();
            let lines = told.lines().filter(|line| line.starts_with('/') && *line != "/.");
            assert_eq!(records.len(), lines.count(), "{name}");
            packages += 1;
            files += records.len();
            with_sum += records.iter().filter(|record| record.checksum.is_some()).count();
        }
        assert!(packages > 50 && files > 1000 && with_sum > 500, "{packages} {files} {with_sum}");
    }

    #[test]
    fn a_build_that_is_not_installed_has_no_files() {
        let deb = Deb::open("/".into(), EngineSettings::default()).unwrap();
        let installed = deb.inventory().named("dpkg")[0].nevra.clone();
        assert!(!read(&deb, &installed).unwrap().is_empty());
        for other in [
            Nevra { version: "0".into(), ..installed.clone() },
            Nevra { architecture: "hurd-i386".into(), ..installed.clone() },
            Nevra { name: "../dpkg".into(), ..installed },
        ] {
            assert_eq!(read(&deb, &other).unwrap(), [], "{other}");
        }
        assert!(Path::new("/var/lib/dpkg/info/dpkg.list").exists());
    }
}
