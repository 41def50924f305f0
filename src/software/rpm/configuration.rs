//! How dnf is configured on a root: its main options and its repositories (`dnf.conf(5)`).

mod ini;
mod options;
mod overrides;
mod variables;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::warn;

pub(super) use ini::Ini;
use options::Options;
pub(super) use options::boolean;
use overrides::{Override, Overrides};
pub(super) use variables::FOLDERS as VARIABLE_FOLDERS;
use variables::Variables;

use super::tools::REPOSITORY_FOLDERS;
use crate::software::{ManagerError, RepositoryError};

/// Where the main options are, under the root: the first that is there.
const MAIN_FILES: [&str; 2] = ["etc/dnf/dnf.conf", "etc/yum.conf"];

/// The main options of a root other than `/` that has no such file: dnf alone would check no signatures there, however its host
/// is configured.
pub(super) const MADE_MAIN_FILE: &str = "[main]\ngpgcheck=1\n";

/// The section of the main options; every other one is a repository.
const MAIN: &str = "main";

/// The largest file that is read.
pub(super) const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// A folder of the configuration that is there and cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    folder: PathBuf,
    source: io::Error,
}

impl From<Unreadable> for ManagerError {
    fn from(Unreadable { folder, source }: Unreadable) -> Self {
        Self::Read { path: folder, source }
    }
}

impl From<Unreadable> for RepositoryError {
    fn from(Unreadable { folder, source }: Unreadable) -> Self {
        Self::Configuration { file: folder, source }
    }
}

/// dnf's configuration on one root.
#[derive(Debug)]
pub(super) struct Configuration {
    /// The managed root.
    pub root: PathBuf,
    /// Whether it is read as dnf 5 understands it.
    pub is_for_dnf5: bool,
    /// The options that do not belong to one repository.
    pub main: Main,
    /// The repositories, in the order of their ids.
    pub repositories: Vec<Configured>,
    /// The files that all of this was read from.
    pub files: Vec<PathBuf>,
}

/// The main options that matter for repositories.
#[derive(Debug)]
pub(super) struct Main {
    /// Where metadata is kept, if not where it usually is; a path inside the root.
    pub cache: Option<String>,
    /// Patterns of packages that no repository offers.
    pub excludes: Vec<String>,
    /// Patterns of the only packages that are offered, unless empty.
    pub includes: Vec<String>,
    /// The id of the platform that the modules are for, where it is configured: `platform:el9`.
    pub platform: Option<String>,
    /// Whose patterns do not count: ids of repositories, `main`, or `all`.
    pub disabled_excludes: Vec<String>,
    enabled: bool,
    checks_packages: bool,
    checks_metadata: bool,
}

/// A repository as its section tells of it.
#[derive(Debug)]
pub(super) struct Configured {
    /// Its id.
    pub id: Arc<str>,
    /// The file of its section.
    pub file: PathBuf,
    /// Where it is said whether it is enabled.
    pub switch: Switch,
    /// Its name for a person.
    pub name: String,
    /// Whether packages are taken from it.
    pub enabled: bool,
    /// The URLs that its contents lie below.
    pub base_urls: Vec<String>,
    /// The URL of a list of such URLs.
    pub mirror_list: Option<String>,
    /// The URL of such a list in the Metalink format.
    pub metalink: Option<String>,
    /// Whether a variable has a part in one of its URLs.
    pub has_variables: bool,
    /// Lower is preferred.
    pub cost: i32,
    /// Whether signatures of packages are checked.
    pub checks_packages: bool,
    /// Whether the signature of the metadata is checked.
    pub checks_metadata: bool,
    /// Whether its packages are offered whatever streams of modules are active.
    pub module_hotfixes: bool,
    /// Patterns of packages that it does not offer.
    pub excludes: Vec<String>,
    /// Patterns of the only packages that it offers, unless empty.
    pub includes: Vec<String>,
}

impl Configuration {
    /// Reads the configuration of a root where `$releasever` stands for `release`. A file that dnf would not read is left
    /// out, and of several repositories with one id all but the first.
    pub(super) fn read(root: &Path, release: Option<&str>) -> Result<Self, Unreadable> {
        Self::read_under(root, release, false)
    }

    /// The same as dnf 5 understands it, which has files that override options of repositories.
    pub(super) fn read_for_dnf5(root: &Path, release: Option<&str>) -> Result<Self, Unreadable> {
        Self::read_under(root, release, true)
    }

    fn read_under(root: &Path, release: Option<&str>, is_for_dnf5: bool) -> Result<Self, Unreadable> {
        let mut files = Vec::new();
        let variables = Variables::read(root, release, &mut files);
        let mut sources: Vec<(PathBuf, Ini)> =
            main_file(root).into_iter().filter_map(|file| load(file, &mut files)).collect();
        let made = if main_file(root).is_none() && root != Path::new("/") { MADE_MAIN_FILE } else { "" };
        let made = Ini::parse(made.as_bytes()).unwrap_or_default();
        let main = Main::of(&Options::new(sources.first().map_or(&made, |(_, ini)| ini), MAIN, &variables));
        sources.extend(repository_files(root)?.into_iter().filter_map(|file| load(file, &mut files)));
        let overrides = if is_for_dnf5 { Overrides::read(root, &mut files)? } else { Overrides::default() };
        let mut repositories: Vec<Configured> = Vec::new();
        for (file, ini) in &sources {
            for section in ini.sections().into_iter().filter(|section| *section != MAIN) {
                let id = variables.substitute(section);
                let overrides = overrides.of(&id, &variables);
                let options = Options::new(ini, section, &variables);
                let options = options.below(overrides.iter().map(|told| (told.ini, told.section)));
                if !is_id(&id) {
                    warn!(file = %file.display(), id, "a repository whose id has characters that dnf does not take");
                } else if repositories.iter().any(|known| *known.id == *id) {
                    warn!(file = %file.display(), id, "a repository is configured twice; the first is taken");
                } else {
                    let switch = Switch::of(&overrides, file, section);
                    repositories.push(Configured::of(&options, file, switch, &id, &main));
                }
            }
        }
        repositories.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { root: root.to_owned(), is_for_dnf5, main, repositories, files })
    }
}

/// The section that says whether a repository is enabled: its own, or what overrides it.
#[derive(Debug)]
pub(super) struct Switch {
    /// The file of the section.
    pub file: PathBuf,
    /// The name of the section, with variables and patterns as they are written.
    pub section: String,
    /// Whether it overrides the repository's own section.
    pub overrides: bool,
}

impl Switch {
    fn of(overrides: &[Override<'_>], file: &Path, section: &str) -> Self {
        let says = |told: &&Override<'_>| told.ini.value(told.section, "enabled").is_some_and(|v| boolean(v).is_some());
        match overrides.iter().find(says) {
            Some(told) => Self { file: told.file.to_owned(), section: told.section.to_owned(), overrides: true },
            None => Self { file: file.to_owned(), section: section.to_owned(), overrides: false },
        }
    }
}

impl Main {
    fn of(options: &Options<'_>) -> Self {
        Self {
            cache: options.text("cachedir").or_else(|| options.text("system_cachedir")),
            excludes: [options.list("excludepkgs"), options.list("exclude")].concat(),
            includes: options.list("includepkgs"),
            platform: options.text("module_platform_id"),
            disabled_excludes: options.list("disable_excludes"),
            enabled: options.boolean("enabled").unwrap_or(true),
            checks_packages: options.boolean("gpgcheck").unwrap_or(false),
            checks_metadata: options.boolean("repo_gpgcheck").unwrap_or(false),
        }
    }
}

impl Configured {
    fn of(options: &Options<'_>, file: &Path, switch: Switch, id: &str, main: &Main) -> Self {
        let base_urls = options.list("baseurl").into_iter();
        Self {
            id: id.into(),
            file: file.to_owned(),
            switch,
            name: options.text("name").unwrap_or_else(|| id.to_owned()),
            enabled: options.boolean("enabled").unwrap_or(main.enabled),
            base_urls: base_urls.map(|url| if url.starts_with('/') { format!("file://{url}") } else { url }).collect(),
            mirror_list: options.text("mirrorlist"),
            metalink: options.text("metalink"),
            has_variables: ["baseurl", "mirrorlist", "metalink"].iter().any(|key| options.has_variables(key)),
            cost: options.number("cost").unwrap_or(1000),
            checks_packages: options.boolean("gpgcheck").unwrap_or(main.checks_packages),
            checks_metadata: options.boolean("repo_gpgcheck").unwrap_or(main.checks_metadata),
            module_hotfixes: options.boolean("module_hotfixes").unwrap_or(false),
            excludes: [options.list("excludepkgs"), options.list("exclude")].concat(),
            includes: options.list("includepkgs"),
        }
    }

    /// What its metadata is fetched by, and kept under (libdnf's `Repo::Impl::getHash`).
    pub(super) fn location(&self) -> &str {
        let lists = self.metalink.as_ref().or(self.mirror_list.as_ref());
        lists.or(self.base_urls.first()).map_or(&self.id, |url| url)
    }
}

/// The file of the main options of a root, if it has one.
pub(super) fn main_file(root: &Path) -> Option<PathBuf> {
    MAIN_FILES.iter().map(|file| root.join(file)).find(|file| file.is_file())
}

/// Whether the main options in a file name the packages that must not be removed.
pub(super) fn names_protected_packages(main_file: &Path) -> bool {
    let ini = content(main_file).ok().and_then(|bytes| Ini::parse(&bytes).ok());
    ini.is_some_and(|ini| ini.value(MAIN, "protected_packages").is_some())
}

/// The files that configure repositories, in the order in which dnf reads them.
fn repository_files(root: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let mut files = Vec::new();
    for folder in REPOSITORY_FOLDERS.map(|folder| root.join(folder)) {
        let entries = match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Unreadable { folder, source }),
        };
        let is_repository = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "repo") && path.is_file();
        files.extend(entries.into_iter().map(|entry| entry.path()).filter(is_repository));
    }
    files.sort_by_key(|file| file.with_extension(""));
    Ok(files)
}

/// Reads one file, which is added to `files` whether it can be read or not.
fn load(file: PathBuf, files: &mut Vec<PathBuf>) -> Option<(PathBuf, Ini)> {
    files.push(file.clone());
    let read = content(&file).map_err(|error| error.to_string());
    match read.and_then(|bytes| Ini::parse(&bytes).map_err(|error| error.to_string())) {
        Ok(ini) => Some((file, ini)),
        Err(error) => {
            warn!(file = %file.display(), error, "a file of dnf's configuration cannot be read and is left out");
            None
        }
    }
}

/// All bytes of a file of the configuration.
pub(super) fn content(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than any configuration"));
    }
    Ok(bytes)
}

/// Whether dnf takes a text for an id (libdnf's `REPOID_CHARS`).
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(files: &[(&str, &str)]) -> Configuration {
        Configuration::read(root_with(files).path(), Some("9")).unwrap()
    }

    fn root_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    #[test]
    fn a_root_without_configuration_has_no_repositories() {
        let configuration = configured(&[("etc/x", "")]);
        assert!(configuration.repositories.is_empty());
        assert!(configuration.files.is_empty());
    }

    #[test]
    fn repositories_take_their_options_or_those_of_main() {
        let configuration = configured(&[
            ("etc/dnf/dnf.conf", "[main]\ngpgcheck=True\nexclude=a*, b\nexcludepkgs=c\n[extra]\nbaseurl=/srv/r\n"),
            (
                "etc/yum.repos.d/b.repo",
                "[base]\nname=Base $releasever\nbaseurl=http://a/$releasever\n  http://b,http://c\nmetalink=http://m\n\
                 cost=7\ngpgcheck=off\nrepo_gpgcheck=YES\nenabled=0\nincludepkgs=x y\n",
            ),
            ("etc/distro.repos.d/a.repo", "[zoo]\nmirrorlist=http://l\nenabled=perhaps\ncost=much\n"),
        ]);
        assert_eq!(configuration.main.excludes, ["c", "a*", "b"]);
        let [base, extra, zoo] = &*configuration.repositories else { panic!("{configuration:?}") };
        assert_eq!((&*base.id, base.name.as_str(), base.enabled, base.cost), ("base", "Base 9", false, 7));
        assert_eq!(base.base_urls, ["http://a/9", "http://b", "http://c"]);
        assert_eq!((base.checks_packages, base.checks_metadata, base.has_variables), (false, true, true));
        assert_eq!(
            (base.location(), base.includes.as_slice()),
            ("http://m", ["x".to_owned(), "y".to_owned()].as_slice())
        );
        assert_eq!((extra.name.as_str(), extra.enabled, extra.checks_packages), ("extra", true, true));
        assert_eq!((extra.location(), extra.has_variables), ("file:///srv/r", false));
        assert_eq!((zoo.enabled, zoo.cost, zoo.location()), (true, 1000, "http://l"));
        assert_eq!(configuration.files.len(), 3);
    }

    #[test]
    fn without_main_options_signatures_are_checked() {
        let repositories = "[a]\nname=A\n[b]\ngpgcheck=0\n";
        for (main, expected) in [
            (None, [true, false]),
            (Some("[main]\ngpgcheck=1\n"), [true, false]),
            // Here dnf goes by its own default.
            (Some("[main]\n"), [false, false]),
            (Some("[main]\ngpgcheck\n"), [false, false]),
        ] {
            let main = main.map(|text| ("etc/dnf/dnf.conf", text));
            let files: Vec<_> = main.into_iter().chain([("etc/yum.repos.d/a.repo", repositories)]).collect();
            let checks: Vec<bool> = configured(&files).repositories.iter().map(|r| r.checks_packages).collect();
            assert_eq!(checks, expected, "{main:?}");
        }
    }

    #[test]
    fn what_dnf_leaves_out_is_left_out() {
        let configuration = configured(&[
            ("etc/yum.conf", "[main]\nenabled=0\n"),
            ("etc/yum.repos.d/1.repo", "[a]\nname=first\n[b c]\nname=odd\n[$releasever]\nname=nine\n"),
            ("etc/yum.repos.d/2.repo", "[a]\nname=second\n"),
            ("etc/yum.repos.d/3.repo", "[d]\nname\n"),
            ("etc/yum.repos.d/4.conf", "[e]\nname=e\n"),
        ]);
        let names: Vec<_> = configuration.repositories.iter().map(|r| (&*r.id, &*r.name, r.enabled)).collect();
        assert_eq!(names, [("9", "nine", false), ("a", "first", false)]);
    }

    #[test]
    fn dnf_5_overrides_options() {
        let root = root_with(&[
            ("etc/yum.repos.d/a.repo", "[a]\nname=A\nenabled=1\ncost=5\n[a-debug]\nenabled=1\n[b]\nenabled=0\n"),
            ("usr/share/dnf5/repos.override.d/10.repo", "[a]\ncost=6\n[b]\nenabled=1\n"),
            ("usr/share/dnf5/repos.override.d/20.repo", "[*]\nenabled=0\n"),
            ("etc/dnf/repos.override.d/20.repo", "[a*]\nenabled=0\ncost=7\nname=over\n"),
            ("etc/dnf/repos.override.d/30.repo", "[a]\nenabled=yes\ncost=much\n"),
            ("etc/dnf/repos.override.d/40.txt", "[a]\nenabled=0\n"),
        ]);
        let told = |configuration: &Configuration| -> Vec<(String, bool, i32)> {
            let told = |r: &Configured| (r.name.clone(), r.enabled, r.cost);
            configuration.repositories.iter().map(told).collect()
        };
        let text = |name: &str, enabled, cost| (name.to_owned(), enabled, cost);
        let plain = Configuration::read(root.path(), None).unwrap();
        assert_eq!(told(&plain), [text("A", true, 5), text("a-debug", true, 1000), text("b", false, 1000)]);
        let overridden = Configuration::read_for_dnf5(root.path(), None).unwrap();
        assert_eq!(told(&overridden), [text("over", true, 7), text("over", false, 7), text("b", true, 1000)]);
        let switches: Vec<&str> = overridden.repositories.iter().map(|r| &*r.switch.section).collect();
        assert_eq!(switches, ["a", "a*", "b"]);
        assert_eq!((plain.files.len(), overridden.files.len()), (1, 4));
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST_FILE).unwrap();
        assert!(content(file.path()).is_ok());
        file.as_file().set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(content(file.path()).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
