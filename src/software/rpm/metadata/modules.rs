//! Which streams of modules are active, and so which packages are offered (`modularity(7)` of dnf).
//!
//! A stream is active that is enabled on the host, or that is the default of its module where none is enabled and the module
//! is not disabled. dnf has a solver choose among the contexts of a stream; here those count whose needs are met by active
//! streams. Where dnf 5 keeps what is enabled is not read, so there nothing is hidden: a stream that is offered in vain is found
//! out when it is asked for, and one that is hidden in error could not be asked for.

mod active;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::Source;
use super::modulemd::{Documents, Stream};
use super::primary::Told;
use crate::software::rpm::configuration::{Configuration, Ini, content};
use crate::software::rpm::relations::Relation;
use crate::software::rpm::release;

/// Where a host says which streams it has enabled and which modules disabled, and which streams are its own defaults, under
/// the root.
const STATES: (&str, &str) = ("etc/dnf/modules.d", "module");
const DEFAULTS: (&str, &str) = ("etc/dnf/modules.defaults.d", "yaml");

/// Architectures of packages that are not installed.
const SOURCES: [&str; 2] = [".src", ".nosrc"];

/// The modules of the enabled repositories on one host.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// By module and stream the contexts that are active.
    active: HashMap<[String; 2], HashSet<String>>,
    /// The packages of active streams.
    active_builds: HashSet<String>,
    /// The names of those: other packages that are called so, or provide one of them, are not offered.
    active_names: HashSet<String>,
    /// The packages of all other streams.
    inactive_builds: HashSet<String>,
    /// By the number of the repository: whether its packages are offered whatever is active.
    hotfixes: Vec<bool>,
}

/// What a host says of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Enabled(String),
    Disabled,
}

/// The files of a host that say which streams are active.
pub(super) fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = release::os_release(root);
    files.extend([STATES, DEFAULTS].into_iter().flat_map(|place| listed(root, place)));
    files
}

impl Modules {
    /// Reads the modules of these repositories; none where it is not known what dnf 5 has enabled. What cannot be read is logged
    /// and left out.
    pub(super) fn read(configuration: &Configuration, sources: &[Source<'_>]) -> Self {
        if configuration.is_for_dnf5 {
            return Self::default();
        }
        let mut documents = Documents::default();
        for (repository, fetched) in sources {
            let Some(list) = fetched.as_ref().and_then(super::cache::Fetched::modules) else { continue };
            let read = list.and_then(|text| documents.read(&text));
            if let Err(error) = read {
                warn!(repository = &*repository.id, %error, "the modules of this repository cannot be read to their end");
            }
        }
        if documents.streams.is_empty() {
            return Self::default();
        }
        let root = &configuration.root;
        let wanted = wanted(&documents, own_defaults(root), states(root));
        let hotfixes = sources.iter().map(|(repository, _)| repository.module_hotfixes).collect();
        let platform = release::platform(root, configuration.main.platform.as_deref());
        Self::of(documents.streams, wanted, platform.as_deref(), hotfixes)
    }

    fn of(streams: Vec<Stream>, wanted: HashMap<String, State>, platform: Option<&str>, hotfixes: Vec<bool>) -> Self {
        let active = active::active(&streams, wanted, platform);
        let mut modules = Self { hotfixes, ..Self::default() };
        for (number, stream) in streams.into_iter().enumerate() {
            if active.contains(&number) {
                let binaries = stream.builds.iter().filter(|b| !SOURCES.iter().any(|source| b.ends_with(source)));
                modules.active_names.extend(binaries.filter_map(|build| Some(name_of(build)?.to_owned())));
                modules.active_builds.extend(stream.builds);
                modules.active.entry([stream.module, stream.stream]).or_default().insert(stream.context);
            } else {
                modules.inactive_builds.extend(stream.builds);
            }
        }
        modules
    }

    /// Whether packages have to tell what they provide for [`Self::offers`].
    pub(super) fn hides_by_names(&self) -> bool {
        !self.active_names.is_empty()
    }

    /// Whether a package of this repository is offered (`setModuleExcludes` of libdnf).
    pub(super) fn offers(&self, repository: usize, told: &Told) -> bool {
        if self.is_empty() || self.hotfixes.get(repository).is_some_and(|is_hotfix| *is_hotfix) {
            return true;
        }
        let Told { name, epoch, version, release, architecture, .. } = told;
        let build = format!("{name}-{epoch}:{version}-{release}.{architecture}");
        self.active_builds.contains(&build)
            || !(self.inactive_builds.contains(&build)
                || self.active_names.contains(name)
                || self.provides_active(told))
    }

    /// Whether a package provides the name of one of an active stream, in whatever version.
    fn provides_active(&self, told: &Told) -> bool {
        let provided = told.relations.iter().filter(|(relation, _)| *relation == Relation::Provides);
        provided.filter_map(|(_, text)| text.split(' ').next()).any(|name| self.active_names.contains(name))
    }

    /// Whether a stream is known not to be active.
    pub(super) fn is_inactive(&self, module: &str, stream: &str, context: Option<&str>) -> bool {
        let active = self.active.get(&[module.to_owned(), stream.to_owned()]);
        let is_active = active.is_some_and(|contexts| context.is_none_or(|context| contexts.contains(context)));
        !self.is_empty() && !is_active
    }

    #[cfg(test)]
    pub(super) fn with_active([module, stream, context]: [&str; 3]) -> Self {
        let contexts = HashSet::from([context.to_owned()]);
        let inactive_builds = HashSet::from(["other-0:1-1.noarch".to_owned()]);
        Self {
            active: HashMap::from([([module, stream].map(str::to_owned), contexts)]),
            inactive_builds,
            ..Self::default()
        }
    }

    fn is_empty(&self) -> bool {
        self.active_builds.is_empty() && self.inactive_builds.is_empty()
    }
}

/// Which stream of each module is to be active, by what the host says and else by the defaults: its own, or those of the
/// repositories as far as they agree.
fn wanted(
    documents: &Documents,
    own_defaults: HashMap<String, Option<String>>,
    states: HashMap<String, State>,
) -> HashMap<String, State> {
    let mut defaults: HashMap<&str, Option<&str>> = HashMap::new();
    for default in &documents.defaults {
        let stream = default.stream.as_deref();
        let known = defaults.entry(&default.module).or_insert(stream);
        if *known != stream {
            *known = None;
        }
    }
    let mut wanted: HashMap<String, State> = HashMap::new();
    for (module, stream) in defaults {
        wanted.extend(stream.map(|stream| (module.to_owned(), State::Enabled(stream.to_owned()))));
    }
    for (module, stream) in own_defaults {
        match stream {
            Some(stream) => drop(wanted.insert(module, State::Enabled(stream))),
            None => drop(wanted.remove(&module)),
        }
    }
    wanted.extend(states);
    wanted
}

/// What the host says of modules.
fn states(root: &Path) -> HashMap<String, State> {
    let mut states = HashMap::new();
    for file in listed(root, STATES) {
        let ini = content(&file).map_err(|error| error.to_string());
        match ini.and_then(|bytes| Ini::parse(&bytes).map_err(|error| error.to_string())) {
            Ok(ini) => states.extend(ini.sections().into_iter().filter_map(|module| {
                let stream = ini.value(module, "stream").unwrap_or_default();
                let state = match ini.value(module, "state")? {
                    "enabled" => State::Enabled(stream.to_owned()),
                    "disabled" => State::Disabled,
                    _ => return None,
                };
                Some((module.to_owned(), state))
            })),
            Err(error) => warn!(file = %file.display(), error, "the state of a module cannot be read and is left out"),
        }
    }
    states
}

/// The default streams that the host has put in place of those of the repositories.
fn own_defaults(root: &Path) -> HashMap<String, Option<String>> {
    let mut documents = Documents::default();
    for file in listed(root, DEFAULTS) {
        let read = content(&file).and_then(|bytes| documents.read(&String::from_utf8_lossy(&bytes)));
        if let Err(error) = read {
            warn!(file = %file.display(), %error, "default streams of modules cannot be read and are left out");
        }
    }
    documents.defaults.into_iter().map(|default| (default.module, default.stream)).collect()
}

/// The files of a folder with this ending, by their names.
fn listed(root: &Path, (folder, ending): (&str, &str)) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let has_ending = |path: &PathBuf| path.extension().is_some_and(|x| x == ending) && path.is_file();
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(has_ending).collect();
    files.sort();
    files
}

/// The name in `name-epoch:version-release.architecture`.
fn name_of(build: &str) -> Option<&str> {
    let (name_and_version, _) = build.rsplit_once('-')?;
    Some(name_and_version.rsplit_once('-')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dnf_5_has_enabled_is_not_known() {
        let root = tempfile::tempdir().unwrap();
        let fetched = root.path().join("var/cache/dnf/a-0123456789abcdef");
        for folder in [root.path().join("etc/yum.repos.d"), fetched.join("repodata")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(root.path().join("etc/yum.repos.d/a.repo"), "[a]\nbaseurl=$unknown\n").unwrap();
        let index = "<repomd><data type=\"modules\"><location href=\"modules.yaml\"/></data></repomd>";
        fs::write(fetched.join("repodata/repomd.xml"), index).unwrap();
        let text = "document: modulemd\ndata: {name: m, stream: 1, artifacts: {rpms: [a-0:1-1.noarch]}}\n";
        fs::write(fetched.join("modules.yaml"), text).unwrap();
        let is_inactive = |configuration: Configuration| {
            let sources = super::super::sources(&configuration);
            Modules::read(&configuration, &sources).is_inactive("m", "1", None)
        };
        assert!(is_inactive(Configuration::read(root.path(), None).unwrap()));
        assert!(!is_inactive(Configuration::read_for_dnf5(root.path(), None).unwrap()));
    }

    #[test]
    fn repositories_that_disagree_have_no_default() {
        let default = |stream: Option<&str>| super::super::modulemd::DefaultStream {
            module: "a".to_owned(),
            stream: stream.map(str::to_owned),
        };
        let of = |defaults: &[Option<&str>], own: Option<Option<&str>>, state: Option<State>| {
            let mut documents = Documents::default();
            documents.defaults.extend(defaults.iter().copied().map(default));
            let own = own.map(|stream| ("a".to_owned(), stream.map(str::to_owned)));
            let states = state.map(|state| ("a".to_owned(), state));
            wanted(&documents, own.into_iter().collect(), states.into_iter().collect()).remove("a")
        };
        let enabled = |stream: &str| Some(State::Enabled(stream.to_owned()));
        assert_eq!(of(&[Some("1"), Some("1")], None, None), enabled("1"));
        assert_eq!(of(&[Some("1"), Some("2")], None, None), None);
        assert_eq!(of(&[Some("1")], Some(Some("3")), None), enabled("3"));
        assert_eq!(of(&[Some("1")], Some(None), None), None);
        assert_eq!(of(&[Some("1")], Some(Some("3")), Some(State::Disabled)), Some(State::Disabled));
        assert_eq!(of(&[], None, enabled("2")), enabled("2"));
    }

    #[test]
    fn names_are_before_versions() {
        assert_eq!(name_of("perl-DBI-debuginfo-0:1.641-2.module+el8.x86_64"), Some("perl-DBI-debuginfo"));
        assert_eq!(name_of("odd"), None);
    }
}
