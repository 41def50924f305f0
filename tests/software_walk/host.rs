//! The hosts that are walked through: a private root of either family with two repositories, and what the host's own tools
//! tell of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::dnf::ask_dnf;
use crate::support::packages::{DebRoot, RpmRoot, run};
use crate::support::repositories::{ask_apt, make_flat};

/// A comment in the files that configure the repositories.
pub(crate) const COMMENT: &str = "# This comment stays where it is.";

/// A family of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Deb,
    Rpm,
}

impl Family {
    /// The name of its engine.
    pub(crate) fn engine(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
        }
    }

    /// The architecture of packages that fit all.
    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Deb => "all",
            Self::Rpm => "noarch",
        }
    }

    /// `name-epoch:version-release.architecture` of a build.
    pub(crate) fn nevra(self, name: &str, version: &str) -> String {
        let (epoch, version) = version.split_once(':').unwrap_or(("0", version));
        format!("{name}-{epoch}:{version}.{}", self.architecture())
    }
}

/// A private root.
#[derive(Debug)]
pub(crate) enum Root {
    Deb(DebRoot),
    Rpm(RpmRoot),
}

impl Root {
    /// An empty one, with the repositories `standard` and `extras`, of which the second one is disabled.
    pub(crate) fn new(family: Family) -> Self {
        let root = match family {
            Family::Deb => Self::Deb(DebRoot::new()),
            Family::Rpm => Self::Rpm(RpmRoot::new()),
        };
        let url = |repository: &str| format!("file://{}", root.repository(repository).display());
        match &root {
            Self::Deb(root) => root.use_sources(&format!(
                "{COMMENT}\ndeb [trusted=yes] {} ./\n# deb [trusted=yes] {} ./\n",
                url("standard"),
                url("extras")
            )),
            Self::Rpm(root) => {
                root.add_repository("standard", &url("standard"), &format!("{COMMENT}\ngpgcheck=0"));
                root.add_repository("extras", &url("extras"), &format!("{COMMENT}\nenabled=0\ngpgcheck=0"));
            }
        }
        root
    }

    /// The root itself.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Deb(root) => root.path(),
            Self::Rpm(root) => root.path(),
        }
    }

    fn scratch(&self) -> PathBuf {
        match self {
            Self::Deb(root) => root.scratch(),
            Self::Rpm(root) => root.scratch(),
        }
    }

    /// A file of it, by its path from the root.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// The folder of a repository.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        self.scratch().join(name)
    }

    /// The file that configures a repository.
    pub(crate) fn configuration(&self, repository: &str) -> PathBuf {
        match self {
            Self::Deb(_) => self.file("etc/apt/sources.list"),
            Self::Rpm(_) => self.file(&format!("etc/yum.repos.d/{repository}.repo")),
        }
    }

    /// Adds packages to a repository; the host does not know of it before it refreshes.
    pub(crate) fn publish(&self, repository: &str, packages: &[PathBuf]) {
        let folder = self.repository(repository);
        match self {
            Self::Deb(_) => make_flat(&folder, packages),
            Self::Rpm(_) => {
                fs::create_dir_all(&folder).unwrap();
                for package in packages {
                    fs::copy(package, folder.join(package.file_name().unwrap())).unwrap();
                }
                run(Command::new("createrepo_c").arg("--quiet").arg(&folder));
            }
        }
    }

    /// Installs by hand, as an operator would.
    pub(crate) fn install_by_hand(&self, file: &Path) {
        match self {
            Self::Deb(root) => root.install_by_hand(file),
            Self::Rpm(root) => root.install_by_hand(file),
        }
    }

    /// Removes by hand.
    pub(crate) fn remove_by_hand(&self, name: &str) {
        match self {
            Self::Deb(root) => root.remove_by_hand(name),
            Self::Rpm(root) => root.remove_by_hand(name),
        }
    }

    /// What is installed, as the host's own tools tell it.
    pub(crate) fn installed(&self) -> Vec<String> {
        match self {
            Self::Deb(root) => {
                let database = format!("--admindir={}", root.path().join("var/lib/dpkg").display());
                let format = "--showformat=${db:Status-Status} ${Package} ${Version} ${Architecture}\n";
                let told = run(Command::new("dpkg-query").args([&database, "--show", format]));
                let lines = String::from_utf8(told.stdout).unwrap();
                lines.lines().filter_map(|line| line.strip_prefix("installed ")).map(debian).collect()
            }
            Self::Rpm(root) => {
                let told = run(root.rpm().args(["-qa", "--queryformat", "%{nevra}\\n"]));
                sorted(String::from_utf8(told.stdout).unwrap().lines().map(with_epoch).collect())
            }
        }
    }

    /// What the repositories offer, as the host's own tools tell it.
    pub(crate) fn offered(&self) -> Vec<String> {
        match self {
            Self::Deb(root) => {
                let names = ask_apt(root, "apt-cache", &["pkgnames"]);
                let names: Vec<&str> = names.lines().collect();
                let shown = ask_apt(root, "apt-cache", &[&["show", "--all-versions"], &names[..]].concat());
                let stanzas = shown.split("\n\n").filter(|stanza| stanza.contains("\nFilename: "));
                sorted(stanzas.map(|stanza| debian(&stanza_words(stanza))).collect())
            }
            Self::Rpm(root) => {
                let told =
                    ask_dnf(root, &["repoquery", "--queryformat", "%{name}-%{epoch}:%{version}-%{release}.%{arch}"]);
                sorted(told.lines().map(str::to_owned).collect())
            }
        }
    }

    /// When a package was installed, in seconds since 1970, as the host's own database tells it.
    pub(crate) fn install_time(&self, name: &str) -> i64 {
        match self {
            Self::Deb(root) => {
                let list = root.path().join(format!("var/lib/dpkg/info/{name}.list"));
                let modified = fs::metadata(list).unwrap().modified().unwrap();
                i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
            }
            Self::Rpm(root) => {
                let told = run(root.rpm().args(["-q", "--queryformat", "%{installtime}", name]));
                String::from_utf8(told.stdout).unwrap().parse().unwrap()
            }
        }
    }

    /// Holds the lock of the package database, as another tool at work would, until the file is dropped.
    pub(crate) fn lock(&self) -> File {
        let path = match self {
            Self::Deb(_) => self.file("var/lib/dpkg/lock-frontend"),
            Self::Rpm(_) => self.file("var/lib/rpm/.rpm.lock"),
        };
        let lock = File::options().write(true).create(true).truncate(false).open(path).unwrap();
        rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
        lock
    }
}

/// This process as one that holds a lock is told to a person.
pub(crate) fn this_process() -> String {
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    format!("{} (process {})", name.trim(), std::process::id())
}

pub(crate) fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Package, version and architecture as an identity has them.
fn debian(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (epoch, version) = words[1].split_once(':').unwrap_or(("0", words[1]));
    format!("{}-{epoch}:{version}.{}", words[0], words[2])
}

fn stanza_words(stanza: &str) -> String {
    let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    [field("Package:"), field("Version:"), field("Architecture:")].join(" ")
}

/// rpm leaves an epoch of 0 out.
fn with_epoch(nevra: &str) -> String {
    if nevra.contains(':') {
        return nevra.to_owned();
    }
    let mut parts: Vec<&str> = nevra.rsplitn(3, '-').collect();
    parts.reverse();
    format!("{}-0:{}-{}", parts[0], parts[1], parts[2])
}
