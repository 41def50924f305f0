//! The files of installed packages, as dpkg's database knows them.
//!
//! dpkg knows the paths of a package and the MD5 sums of its regular files, and of a few files what an operator set
//! (`dpkg-statoverride(1)`). Everything else is known only where the package file that was installed is still to be had:
//! in apt's cache, in an archive on this host, or, for verifications, in any repository. What nobody knows stays `None`.
//!
//! The path of a record is where the file really is: one that is diverted by another package or by the operator
//! (`dpkg-divert(1)`) is known by the place that it was diverted to.

mod conffiles;
mod data;
mod fetch;
mod info;
mod placement;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use self::conffiles::{Conffile, Fate};
use self::placement::Placement;
use super::lists::{self, Lists, OfferedFile};
use super::{Deb, FOLDER, cache};
use crate::software::accounts::Accounts;
use crate::software::change::unreadable;
use crate::software::root::Root;
use crate::software::{
    ApplyError, CancelToken, ChecksumKind, FailedCheck, FileKind, FileRecord, ManagerError, Nevra, Phase, Progress,
};

/// How large a file of dpkg's database may be that is read at one go.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// MD5 sums of files by their paths, in lower-case hexadecimal.
type Sums = HashMap<String, String>;

/// The files of a package file by their paths, without their contents' sums.
type Shipped = HashMap<String, FileRecord>;

/// The files of an installed package, in dpkg's order; none if exactly this build is not installed. Nothing is fetched.
pub(super) fn read(deb: &Deb, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
    let Some(installed) = Installed::read(deb, nevra)? else { return Ok(Vec::new()) };
    let shipped = match installed.in_cache() {
        Some(shipped) => Some(shipped),
        None => installed.in_archives(&installed.offers_here()),
    };
    installed.records(shipped.unwrap_or_default())
}

/// The paths of the same files. No package file is looked for.
pub(super) fn paths(deb: &Deb, nevra: &Nevra) -> Result<Vec<String>, ManagerError> {
    let Some(installed) = Installed::read(deb, nevra)? else { return Ok(Vec::new()) };
    Ok(installed.records(Shipped::new())?.into_iter().map(|record| record.path).collect())
}

/// The same as [`read`], where the package file may also be fetched from a repository.
pub(super) fn read_or_fetch(
    deb: &Deb,
    nevra: &Nevra,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Vec<FileRecord>, ApplyError> {
    let read = Installed::read(deb, nevra).map_err(|error| unreadable(&error))?;
    let Some(installed) = read else { return Ok(Vec::new()) };
    let shipped = match installed.in_cache() {
        Some(shipped) => Some(shipped),
        None => {
            let offers = installed.offers();
            match installed.in_archives(&offers) {
                Some(shipped) => Some(shipped),
                None => installed.elsewhere(&offers, progress, cancel)?,
            }
        }
    };
    installed.records(shipped.unwrap_or_default()).map_err(|error| unreadable(&error))
}

/// What dpkg knows of the files of an installed build.
struct Installed<'a> {
    deb: &'a Deb,
    nevra: &'a Nevra,
    root: Root,
    accounts: Accounts,
    /// Its list of paths.
    list: Vec<u8>,
    sums: Sums,
    conffiles: HashMap<String, Conffile>,
}

impl<'a> Installed<'a> {
    /// `None` if exactly this build is not installed.
    fn read(deb: &'a Deb, nevra: &'a Nevra) -> Result<Option<Self>, ManagerError> {
        let Some(conffiles) = conffiles::read(&deb.root.join(FOLDER), nevra)? else { return Ok(None) };
        let cannot = |source| ManagerError::Read { path: deb.root.clone(), source };
        let root = Root::open(&deb.root).map_err(cannot)?;
        let accounts = Accounts::read(&root).map_err(cannot)?;
        let Some(list) = info::read(&root, nevra, "list")? else { return Ok(None) };
        let sums = sums(&info::read(&root, nevra, "md5sums")?.unwrap_or_default(), &conffiles);
        Ok(Some(Self { deb, nevra, root, accounts, list, sums, conffiles }))
    }

    /// The paths that the package file must have: a configuration file may be left over from an earlier build.
    fn shipped_paths(&self) -> impl Iterator<Item = &str> {
        info::paths(&self.list).filter(|path| !self.conffiles.contains_key(*path))
    }

    /// What the package file in apt's cache tells.
    fn in_cache(&self) -> Option<Shipped> {
        let file = cache::open(&self.root, self.nevra).transpose()?;
        file.and_then(|file| data::read(file, self)).map_or_else(|error| self.unused("apt's cache", &error), Some)
    }

    /// The files of this build that repositories offer. That this cannot be told is logged.
    fn offers(&self) -> Vec<OfferedFile> {
        self.or_none(lists::files_of(&self.deb.root, self.nevra))
    }

    /// Those of them that lie on this host, for which the lists are read once for all packages.
    fn offers_here(&self) -> Vec<OfferedFile> {
        let files = self.deb.files_here();
        self.or_none(files.map(|files| files.get(self.nevra).cloned().unwrap_or_default()))
    }

    fn or_none(&self, offers: Result<Vec<OfferedFile>, ManagerError>) -> Vec<OfferedFile> {
        offers.unwrap_or_else(|error| {
            tracing::warn!(package = %self.nevra, "what repositories offer cannot be told: {error}");
            Vec::new()
        })
    }

    /// What a package file tells that lies in an archive on this host.
    fn in_archives(&self, offers: &[OfferedFile]) -> Option<Shipped> {
        let here: Vec<&OfferedFile> = offers.iter().filter(|offer| offer.is_here()).collect();
        if here.is_empty() {
            return None;
        }
        let lists =
            Lists::open(&self.deb.root).inspect_err(|error| tracing::warn!("apt's lists cannot be read: {error}"));
        let lists = lists.ok()?;
        here.into_iter().find_map(|offer| {
            let file = offer.open(&lists).transpose()?;
            let read = file.and_then(|file| offer.check(file)).and_then(|file| data::read(file, self));
            read.map_or_else(|error| self.unused("an archive on this host", &error), Some)
        })
    }

    /// What the package file tells that a repository elsewhere has, which is fetched. That it cannot be had or is another
    /// is only noted.
    fn elsewhere(
        &self,
        offers: &[OfferedFile],
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Option<Shipped>, ApplyError> {
        let elsewhere: Vec<&OfferedFile> = offers.iter().filter(|offer| !offer.is_here()).collect();
        if elsewhere.is_empty() {
            return Ok(None);
        }
        progress.phase(Phase::Downloading, 0);
        let fetched = fetch::fetch(self.deb, self.nevra, &elsewhere, cancel);
        progress.phase(Phase::Verifying, 0);
        let why = match fetched {
            Err(ApplyError::Cancelled) => return Err(ApplyError::Cancelled),
            Err(error) => error.to_string(),
            Ok(file) => match data::read(file, self) {
                Ok(shipped) => return Ok(Some(shipped)),
                Err(error) => {
                    format!("the package file that a repository offers is not the one that was installed: {error}")
                }
            },
        };
        progress.note(&why);
        Ok(None)
    }

    fn unused(&self, place: &str, error: &io::Error) -> Option<Shipped> {
        tracing::warn!(package = %self.nevra, "the package file in {place} is not used: {error}");
        None
    }

    fn records(self, shipped: Shipped) -> Result<Vec<FileRecord>, ManagerError> {
        let placement = Placement::read(&self.root, &self.nevra.name, &self.accounts)?;
        Ok(info::paths(&self.list).map(|path| placement.place(self.record(path, &shipped))).collect())
    }

    fn record(&self, path: &str, shipped: &Shipped) -> FileRecord {
        let shipped = shipped.get(path).cloned().unwrap_or_else(|| FileRecord::at(path.to_owned()));
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
            let paths = paths(&deb, &package.nevra).unwrap();
            assert!(records.iter().map(|record| &record.path).eq(&paths), "{}", package.nevra);
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
