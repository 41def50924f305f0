//! What dnf 5 takes in place of the options of repositories: files in `repos.override.d` (`dnf5.conf(5)`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ini::Ini;
use super::variables::Variables;
use super::{Unreadable, load};
use crate::software::rpm::glob::Glob;

/// Where they are, under the root: a file of the first folder hides one of the same name in the second.
const FOLDERS: [&str; 2] = ["etc/dnf/repos.override.d", "usr/share/dnf5/repos.override.d"];

/// The files in the order in which they are read; what is read later counts.
#[derive(Debug, Default)]
pub(super) struct Overrides(Vec<(PathBuf, Ini)>);

/// A section that says something of a repository.
#[derive(Clone, Copy, Debug)]
pub(super) struct Override<'a> {
    /// The file.
    pub file: &'a Path,
    /// What it holds.
    pub ini: &'a Ini,
    /// The name of the section: a pattern of ids.
    pub section: &'a str,
}

impl Overrides {
    /// Reads the files of a root; they are added to `files`.
    pub(super) fn read(root: &Path, files: &mut Vec<PathBuf>) -> Result<Self, Unreadable> {
        let mut found: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for folder in FOLDERS.map(|folder| root.join(folder)) {
            let entries = match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Unreadable { folder, source }),
            };
            for entry in entries {
                let path = entry.path();
                if path.extension().is_some_and(|ending| ending == "repo") && path.is_file() {
                    found.entry(entry.file_name()).or_insert(path);
                }
            }
        }
        Ok(Self(found.into_values().filter_map(|file| load(file, files)).collect()))
    }

    /// The sections that say something of the repository with this id; what stands first counts.
    pub(super) fn of(&self, id: &str, variables: &Variables) -> Vec<Override<'_>> {
        let sections = self
            .0
            .iter()
            .flat_map(|(file, ini)| ini.sections().into_iter().map(move |section| Override { file, ini, section }));
        let mut of_it: Vec<Override<'_>> =
            sections.filter(|told| Glob::new(&variables.substitute(told.section)).matches(id)).collect();
        of_it.reverse();
        of_it
    }
}
