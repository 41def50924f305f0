//! How apt's repositories are configured: `sources.list` and `sources.list.d` (`sources.list(5)`).

mod one_line;
mod source;
mod stanzas;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::lists::Lists;
use super::{open_root, settings};
use crate::software::rewrite::replace;
use crate::software::root::Root;
use crate::software::{ManagerError, Repository, RepositoryError};

pub(super) use source::{ARCHITECTURE, Source, Uri};

/// apt's folder of configuration in a root.
const FOLDER: &str = "/etc/apt";

/// The largest file that is read; real ones have some lines.
const LARGEST_FILE: u64 = 1024 * 1024;

/// How many entries are accepted; real hosts have some ten.
const MOST_ENTRIES: usize = 2000;

/// The configured repositories, in the order of their ids. What cannot be read is logged and left out.
pub(super) fn read(root: &Path) -> Result<Vec<Repository>, ManagerError> {
    let sources = Sources::read(root)?;
    sources.log_damages();
    let lists = Lists::open(root)?;
    let takes_unsigned = settings::takes_unsigned_lists(&open_root(root)?)
        .inspect_err(|error| tracing::warn!(%error, "whether apt takes unsigned repositories cannot be told"));
    let repository = |entry| {
        let repository = sources.repository(entry, &lists)?;
        // What an entry allows is allowed whatever apt's settings are.
        let checks_metadata = match (repository.checks_metadata, &takes_unsigned) {
            (Some(true), Ok(takes_unsigned)) => Some(!takes_unsigned),
            (Some(true), Err(_)) => None,
            (by_entry, _) => by_entry,
        };
        Some(Repository { checks_metadata, ..repository })
    };
    let mut repositories: Vec<Repository> = sources.entries.iter().filter_map(repository).collect();
    repositories.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(repositories)
}

/// Enables or disables one in its file, and leaves every other byte of it as it is.
pub(super) fn set_enabled(root: &Path, id: &str, enabled: bool) -> Result<(), RepositoryError> {
    let not_found = || RepositoryError::NotFound(id.to_owned());
    let sources = Sources::read(root).map_err(unreadable)?;
    let entry = sources.entries.iter().find(|entry| &*entry.id == id).ok_or_else(not_found)?;
    if entry.enabled == enabled {
        return Ok(());
    }
    let file = sources.files.get(entry.file).ok_or_else(not_found)?;
    let bytes = file.style.switched(&file.bytes, &entry.place, enabled);
    Root::open(root)
        .and_then(|root| replace(&root, &file.path, &bytes))
        .map_err(|source| RepositoryError::Configuration { file: below(root, &file.path), source })
}

fn unreadable(error: ManagerError) -> RepositoryError {
    match error {
        ManagerError::Read { path, source } => RepositoryError::Configuration { file: path, source },
        other => RepositoryError::Configuration { file: FOLDER.into(), source: io::Error::other(other) },
    }
}

/// The files that configure repositories, by their paths in the root and in the order in which apt reads them. It ignores
/// names with other characters.
pub(super) fn files(root: &Root) -> Result<Vec<String>, ManagerError> {
    let parts = format!("{FOLDER}/sources.list.d");
    let names = root.names(&parts).map_err(|source| ManagerError::Read { path: parts.clone().into(), source })?;
    let names = names.into_iter().filter(|name| settings::is_read(name)).map(|name| format!("{parts}/{name}"));
    let mut files = vec![format!("{FOLDER}/sources.list")];
    files.extend(names.filter(|path| Style::of(path).is_some()));
    Ok(files)
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    OneLine,
    Stanzas,
}

impl Style {
    fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "list" => Some(Self::OneLine),
            "sources" => Some(Self::Stanzas),
            _ => None,
        }
    }

    fn parse(self, bytes: &[u8]) -> Parsed {
        match self {
            Self::OneLine => one_line::parse(bytes),
            Self::Stanzas => stanzas::parse(bytes),
        }
    }

    /// The file with the entry at this place enabled or disabled.
    fn switched(self, bytes: &[u8], place: &Range<usize>, enabled: bool) -> Vec<u8> {
        match self {
            Self::OneLine => one_line::switched(bytes, place, enabled),
            Self::Stanzas => stanzas::switched(bytes, place, enabled),
        }
    }
}

/// What a file says.
#[derive(Debug, Default)]
struct Parsed {
    written: Vec<Written>,
    damages: Vec<Damage>,
}

/// An entry that offers binary packages, as it is written in a file.
#[derive(Debug)]
struct Written {
    /// Its bytes: a line without its end, or the lines of a stanza.
    place: Range<usize>,
    enabled: bool,
    source: Source,
}

/// A part of a file that says nothing.
#[derive(Debug, PartialEq, Eq)]
struct Damage {
    /// Counted from 1.
    line: usize,
    why: &'static str,
}

/// The configured entries that offer binary packages.
#[derive(Debug, Default)]
pub(super) struct Sources {
    root: PathBuf,
    files: Vec<SourcesFile>,
    /// In the order in which apt reads them.
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
struct SourcesFile {
    /// In the root.
    path: String,
    style: Style,
    bytes: Vec<u8>,
    changed_at: Option<DateTime<Utc>>,
    damages: Vec<Damage>,
}

/// An entry that offers binary packages.
#[derive(Debug)]
pub(super) struct Entry {
    /// What names it among all entries of the host.
    pub id: Arc<str>,
    /// Whether apt uses it.
    pub enabled: bool,
    /// What it says.
    pub source: Source,
    file: usize,
    place: Range<usize>,
}

impl Sources {
    /// Reads all files under the root.
    pub(super) fn read(root: &Path) -> Result<Self, ManagerError> {
        let mut sources = Self { root: root.to_owned(), ..Self::default() };
        let mut taken = HashSet::new();
        let root = open_root(root)?;
        for path in files(&root)? {
            match root.open_file(&path).and_then(|file| file.map(read_file).transpose()) {
                Ok(Some((bytes, changed_at))) => sources.add(path, bytes, changed_at, &mut taken),
                Ok(None) => {}
                Err(error) => tracing::warn!(file = path, %error, "left out unreadable sources of apt"),
            }
        }
        Ok(sources)
    }

    fn add(&mut self, path: String, bytes: Vec<u8>, changed_at: Option<DateTime<Utc>>, taken: &mut HashSet<Arc<str>>) {
        let Some(style) = Style::of(&path) else { return };
        let Parsed { written, damages } = style.parse(&bytes);
        let file = self.files.len();
        let free = MOST_ENTRIES.saturating_sub(self.entries.len());
        if written.len() > free {
            tracing::warn!(file = path, "left out sources of apt: there are more than {MOST_ENTRIES}");
        }
        for Written { place, enabled, source } in written.into_iter().take(free) {
            let id = unique(source.to_string(), &path, taken);
            self.entries.push(Entry { id, enabled, source, file, place });
        }
        self.files.push(SourcesFile { path, style, bytes, changed_at, damages });
    }

    fn log_damages(&self) {
        for file in &self.files {
            for Damage { line, why } in &file.damages {
                tracing::warn!(file = file.path, line, "left out a damaged entry of apt's sources: {why}");
            }
        }
    }

    fn repository(&self, entry: &Entry, lists: &Lists) -> Option<Repository> {
        let file = self.files.get(entry.file)?;
        let contents = lists.contents(&entry.source);
        let (mirror_lists, base_urls): (Vec<_>, Vec<_>) =
            entry.source.uris.iter().partition(|uri| uri.is_mirror_list());
        Some(Repository {
            id: entry.id.clone(),
            name: entry.source.name(&contents.releases),
            file: below(&self.root, &file.path),
            enabled: entry.enabled,
            base_urls: base_urls.into_iter().map(Uri::to_string).collect(),
            mirror_list: mirror_lists.first().map(ToString::to_string),
            cost: None,
            checks_packages: None,
            checks_metadata: Some(entry.source.is_checked),
            metadata: contents.metadata(),
            changed_at: file.changed_at,
        })
    }
}

fn read_file(file: File) -> io::Result<(Vec<u8>, Option<DateTime<Utc>>)> {
    let changed_at = file.metadata()?.modified().ok().map(DateTime::from);
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok((bytes, changed_at))
}

/// A path in the root as seen from outside.
fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// An id that no earlier entry has: the same entry may be written in several places.
fn unique(id: String, file: &str, taken: &mut HashSet<Arc<str>>) -> Arc<str> {
    let mut candidate: Arc<str> = id.as_str().into();
    let mut number = 1;
    while !taken.insert(candidate.clone()) {
        candidate = if number == 1 { format!("{id} ({file})") } else { format!("{id} ({file}, {number})") }.into();
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests;
