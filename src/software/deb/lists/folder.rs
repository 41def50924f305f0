//! apt's folder of fetched lists, and which of them are of which entry.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::super::sources::{ARCHITECTURE, Source, Uri};
use super::super::{architectures, open_root};
use super::names::{base, escaped};
use super::release::Release;
use super::unpack::ENDINGS;
use crate::software::root::Root;
use crate::software::{ManagerError, RepositoryMetadata};

/// The folder in a root.
pub(super) const FOLDER: &str = "/var/lib/apt/lists";

/// dpkg's list of architectures is no longer than this.
const LARGEST_FILE: u64 = 64 * 1024;

/// The names in the folder, and the host's architectures.
#[derive(Debug)]
pub(in crate::software::deb) struct Lists {
    path: PathBuf,
    root: Root,
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
        let path = root.to_owned();
        let root = open_root(root)?;
        let names = root.names(FOLDER).map_err(|source| ManagerError::Read { path: FOLDER.into(), source })?;
        Ok(Self { path, root, names: names.into_iter().collect(), architectures: OnceCell::new() })
    }

    /// Where all lists of packages and of descriptions are, to see whether they are still the same. Of a link that leads
    /// nowhere in the root this is the link: apt makes such to archives on its host.
    pub(super) fn indexes(&self) -> io::Result<Vec<PathBuf>> {
        let Some(folder) = self.root.locate(FOLDER)? else { return Ok(Vec::new()) };
        let is_index = |name: &&String| {
            let name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
            ["_Packages", "_Translation-en", "_en"].iter().any(|ending| name.ends_with(ending))
        };
        let place =
            |name: &String| Ok(self.root.locate(&format!("{FOLDER}/{name}"))?.unwrap_or_else(|| folder.join(name)));
        self.names.iter().filter(is_index).map(place).collect()
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
        for (archive, base) in self.bases(source) {
            contents.releases.extend(self.release(&archive, &base));
            contents.has_packages |= source.components.iter().any(|component| {
                let start = format!("{base}{}", escaped(&format!("{component}/binary-")));
                self.indexes_that_start(&archive, &start).any(|list| list.is_file())
            });
            contents.has_packages |= source.components.is_empty()
                && self.find(&archive, &format!("{base}Packages")).is_some_and(|list| list.is_file());
        }
        contents
    }

    fn indexes_that_start(&self, archive: &Uri, start: &str) -> impl Iterator<Item = PathBuf> {
        let names = self.names.range(start.to_owned()..).take_while(move |name| name.starts_with(start));
        names.filter(|name| name.contains("_Packages")).filter_map(|name| self.place(archive, name))
    }

    /// The lists of an entry that are there: in a folder of its own it has the one key, else those of its components.
    fn indexes_of(&self, source: &Source, key: &str, keys: impl Fn(&str) -> Vec<String>) -> Vec<(Uri, PathBuf)> {
        let keys: Vec<String> = match source.components.as_slice() {
            [] => vec![key.to_owned()],
            components => components.iter().flat_map(|component| keys(component)).collect(),
        };
        let lists = self.bases(source).into_iter().flat_map(|(archive, base)| {
            let lists = keys.iter().filter_map(|key| self.find(&archive, &format!("{base}{}", escaped(key))));
            lists.map(|list| (archive.clone(), list)).collect::<Vec<_>>()
        });
        lists.collect()
    }

    /// The list of this name of an archive, compressed or not.
    fn find(&self, archive: &Uri, name: &str) -> Option<PathBuf> {
        let names = [""].iter().chain(ENDINGS).map(|ending| format!("{name}{ending}"));
        names.into_iter().find(|name| self.names.contains(name)).and_then(|name| self.place(archive, &name))
    }

    /// Where the list of an archive is: in the root, or behind a link that apt has made to the archive's own file.
    fn place(&self, archive: &Uri, name: &str) -> Option<PathBuf> {
        let path = format!("{FOLDER}/{name}");
        let place = self.root.locate(&path).and_then(|place| match place {
            Some(place) => Ok(Some(place)),
            None => self.behind_link(archive, &path),
        });
        place.inspect_err(|error| tracing::warn!(file = path, %error, "left out an unreadable list of apt")).ok()?
    }

    fn behind_link(&self, archive: &Uri, link: &str) -> io::Result<Option<PathBuf>> {
        let target = self.root.link_target(link)?;
        let name = archive
            .folder()
            .zip(target)
            .and_then(|(folder, target)| Some(target.strip_prefix(folder).ok()?.to_owned()));
        match name.as_deref().and_then(Path::to_str) {
            Some(name) => self.in_archive(archive, |archive| archive.locate(name)),
            None => Ok(None),
        }
    }

    /// Looks for something in the folder of an archive on this host: in the root, and then where apt has it, for which
    /// `file:` is always the host that it runs on. `None` also for archives elsewhere.
    pub(in crate::software::deb) fn in_archive<T>(
        &self,
        archive: &Uri,
        look: impl Fn(&Root) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let Some(folder) = archive.folder() else { return Ok(None) };
        let inside = folder.to_str().map(|folder| self.root.locate(folder)).transpose()?.flatten();
        for folder in inside.into_iter().chain([folder]) {
            let found = match Root::open(&folder) {
                Ok(archive) => look(&archive)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn release(&self, archive: &Uri, base: &str) -> Option<Release> {
        let file = ["InRelease", "Release"].iter().find_map(|name| self.find(archive, &format!("{base}{name}")))?;
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
        self.architectures.get_or_init(|| {
            architectures::ask_dpkg(&self.path).unwrap_or_else(|error| {
                tracing::warn!("dpkg does not tell its architectures: {error}");
                let text = self.root.read(architectures::FILE, LARGEST_FILE).ok().flatten().unwrap_or_default();
                String::from_utf8_lossy(&text).split_ascii_whitespace().map(str::to_owned).collect()
            })
        })
    }
}
