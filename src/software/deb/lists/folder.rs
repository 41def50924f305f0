//! apt's folder of fetched lists, and which of them are of which entry.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::sources::{ARCHITECTURE, Source, Uri};
use super::names::{base, escaped};
use super::release::Release;
use super::unpack::ENDINGS;
use crate::software::tool::{ask, command};
use crate::software::{ManagerError, RepositoryMetadata};

/// The longest list of architectures that is accepted.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How long dpkg may take to tell an architecture.
const LONGEST_QUESTION: Duration = Duration::from_secs(60);

/// The folder under a root.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join("var/lib/apt/lists")
}

/// Where dpkg keeps the architectures beside its own (`dpkg(1)`, --add-architecture).
pub(super) fn architecture_file(root: &Path) -> PathBuf {
    root.join("var/lib/dpkg/arch")
}

/// The names in the folder, and the host's architectures.
#[derive(Debug)]
pub(in crate::software::deb) struct Lists {
    root: PathBuf,
    folder: PathBuf,
    names: BTreeSet<String>,
    /// The host's own first; asked for when they are needed.
    architectures: OnceCell<Vec<String>>,
}

/// What is known of the contents of an entry's archives.
#[derive(Debug, Default)]
pub(in crate::software::deb) struct Contents {
    /// What the archives say of themselves.
    pub releases: Vec<Release>,
    /// Whether any list of packages is there.
    has_packages: bool,
}

impl Contents {
    /// The state of the contents; `None` if no list of packages is there.
    pub(in crate::software::deb) fn metadata(&self) -> Option<RepositoryMetadata> {
        let updated_at = self.releases.iter().filter_map(|release| release.date).max();
        self.has_packages.then_some(RepositoryMetadata { revision: None, updated_at })
    }
}

impl Lists {
    /// Reads which lists there are.
    pub(in crate::software::deb) fn open(root: &Path) -> Result<Self, ManagerError> {
        let folder = path(root);
        let names = match fs::read_dir(&folder) {
            Ok(entries) => entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(source) => return Err(ManagerError::Read { path: folder, source }),
        };
        Ok(Self { root: root.to_owned(), folder, names, architectures: OnceCell::new() })
    }

    /// All lists of packages and of descriptions.
    pub(super) fn indexes(&self) -> impl Iterator<Item = PathBuf> {
        let is_index = |name: &&String| {
            let name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
            ["_Packages", "_Translation-en", "_en"].iter().any(|ending| name.ends_with(ending))
        };
        self.names.iter().filter(is_index).map(|name| self.folder.join(name))
    }

    /// The lists of packages of an entry, for the architectures that it is used for.
    pub(super) fn packages(&self, source: &Source) -> Vec<PathBuf> {
        self.packages_of_archives(source).into_iter().map(|(_, list)| list).collect()
    }

    /// The same, each with the archive that it is of.
    pub(super) fn packages_of_archives(&self, source: &Source) -> Vec<(Uri, PathBuf)> {
        let architectures = source.architectures.of(self.architectures());
        let lists = |component: &str| -> Vec<String> {
            architectures.iter().map(|architecture| format!("{component}/binary-{architecture}/Packages")).collect()
        };
        self.indexes_of(source, "Packages", lists)
    }

    /// The lists of English descriptions of an entry.
    pub(super) fn descriptions(&self, source: &Source) -> Vec<PathBuf> {
        let lists = |component: &str| vec![format!("{component}/i18n/Translation-en")];
        self.indexes_of(source, "en", lists).into_iter().map(|(_, list)| list).collect()
    }

    /// What is known of the contents of an entry's archives.
    pub(in crate::software::deb) fn contents(&self, source: &Source) -> Contents {
        let mut contents = Contents::default();
        for (_, base) in self.bases(source) {
            contents.releases.extend(self.release(&base));
            contents.has_packages |= source.components.iter().any(|component| {
                let start = format!("{base}{}", escaped(&format!("{component}/binary-")));
                self.indexes_that_start(&start).any(|list| list.is_file())
            });
            contents.has_packages |= source.components.is_empty()
                && self.find(&format!("{base}Packages")).is_some_and(|list| list.is_file());
        }
        contents
    }

    fn indexes_that_start(&self, start: &str) -> impl Iterator<Item = PathBuf> {
        let names = self.names.range(start.to_owned()..).take_while(move |name| name.starts_with(start));
        names.filter(|name| name.contains("_Packages")).map(|name| self.folder.join(name))
    }

    /// The lists of an entry that are there: in a folder of its own it has the one key, else those of its components.
    fn indexes_of(&self, source: &Source, key: &str, keys: impl Fn(&str) -> Vec<String>) -> Vec<(Uri, PathBuf)> {
        let keys: Vec<String> = match source.components.as_slice() {
            [] => vec![key.to_owned()],
            components => components.iter().flat_map(|component| keys(component)).collect(),
        };
        let lists = self.bases(source).into_iter().flat_map(|(archive, base)| {
            let lists = keys.iter().filter_map(|key| self.find(&format!("{base}{}", escaped(key))));
            lists.map(|list| (archive.clone(), list)).collect::<Vec<_>>()
        });
        lists.collect()
    }

    /// The list of this name, compressed or not.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let names = [""].iter().chain(ENDINGS).map(|ending| format!("{name}{ending}"));
        names.into_iter().find(|name| self.names.contains(name)).map(|name| self.folder.join(name))
    }

    fn release(&self, base: &str) -> Option<Release> {
        let file = ["InRelease", "Release"].iter().find_map(|name| self.find(&format!("{base}{name}")))?;
        Release::read(&file)
            .inspect_err(|error| tracing::warn!(file = %file.display(), %error, "left out an unreadable list of apt"))
            .ok()
    }

    /// The archives of an entry, and what the names of the lists of each of their suites begin with.
    fn bases(&self, source: &Source) -> Vec<(Uri, String)> {
        let places = source.places().filter_map(|(uri, suite)| {
            let uri = if uri.has_variable() { uri.with_architecture(self.native())? } else { uri.clone() };
            let is_variable = suite.contains(ARCHITECTURE);
            let suite = if is_variable { &suite.replace(ARCHITECTURE, self.native()) } else { suite };
            let base = base(&uri, suite);
            Some((uri, base))
        });
        places.collect()
    }

    /// The host's own architecture.
    pub(in crate::software::deb) fn native(&self) -> &str {
        self.architectures().first().map_or("", String::as_str)
    }

    fn architectures(&self) -> &[String] {
        self.architectures.get_or_init(|| architectures(&self.root))
    }
}

/// The architectures of a root: dpkg's own, and those that were added there.
fn architectures(root: &Path) -> Vec<String> {
    let mut architectures = Vec::new();
    for question in ["--print-architecture", "--print-foreign-architectures"] {
        let mut dpkg = command("dpkg");
        dpkg.arg(format!("--root={}", root.display())).arg(question);
        match ask(&mut dpkg, LONGEST_ANSWER, LONGEST_QUESTION) {
            Ok(answer) if answer.status.success() => {
                let text = String::from_utf8_lossy(&answer.stdout);
                architectures.extend(text.split_ascii_whitespace().map(str::to_owned));
            }
            Ok(answer) => tracing::warn!(question, "dpkg does not tell its architectures: {}", answer.stderr.trim()),
            Err(error) => tracing::warn!(question, %error, "dpkg does not tell its architectures"),
        }
    }
    if architectures.is_empty() {
        let text = fs::read_to_string(architecture_file(root)).unwrap_or_default();
        architectures.extend(text.split_ascii_whitespace().map(str::to_owned));
    }
    architectures
}
