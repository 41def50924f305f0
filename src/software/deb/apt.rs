//! Commands of apt-get and dpkg for one operation on one root.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::software::EngineSettings;
use crate::software::tool::command;

/// The locks that a change of packages takes, in apt's order, relative to the root.
const CHANGE_LOCKS: [&str; 3] = ["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/cache/apt/archives/lock"];

/// The lock that fetching the lists takes.
const LISTS_LOCK: &str = "var/lib/apt/lists/lock";

/// Which locks an operation needs, below `root`.
pub(super) fn locks(root: &Path, changes_packages: bool) -> Vec<PathBuf> {
    let names: &[&str] = if changes_packages { &CHANGE_LOCKS } else { &[LISTS_LOCK] };
    names.iter().map(|name| root.join(name)).collect()
}

/// What apt-get is asked to do with one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    verb: &'static str,
    options: &'static [&'static str],
    /// `None` for whatever is not as it should be.
    subject: Option<OsString>,
}

/// An installation removes nothing to make room: what is in its way is told instead. On a host where a package lacks
/// something, apt-get would refuse any installation, also the one of what is lacking, unless it may mend that.
const INSTALL: &[&str] = &["--no-remove", "--fix-broken"];
const UPDATE: &[&str] = &["--no-remove", "--fix-broken", "--only-upgrade"];
/// Files are put back, and so are configuration files that are missing; those that the operator changed stay.
const REPAIR: &[&str] = &["--no-remove", "--fix-broken", "--reinstall", "-o", "DPkg::Options::=--force-confmiss"];
const FORCED: &[&str] =
    &["--no-remove", "--fix-broken", "--reinstall", "--allow-downgrades", "-o", "DPkg::Options::=--force-confmiss"];

impl Demand {
    /// Installs a build, or the package in a file; with force in place of the same or of a newer build.
    pub(super) fn install(subject: impl Into<OsString>, force: bool) -> Self {
        Self { verb: "install", options: if force { FORCED } else { INSTALL }, subject: Some(subject.into()) }
    }

    /// Updates an installed package.
    pub(super) fn update(subject: impl Into<OsString>) -> Self {
        Self { verb: "install", options: UPDATE, subject: Some(subject.into()) }
    }

    /// Puts the same build in place again.
    pub(super) fn repair(subject: impl Into<OsString>) -> Self {
        Self { verb: "install", options: REPAIR, subject: Some(subject.into()) }
    }

    /// Installs what unpacked packages lack, and configures them. With a package's name apt-get would not: to it one that
    /// is unpacked is there already.
    pub(super) fn complete() -> Self {
        Self { verb: "install", options: INSTALL, subject: None }
    }

    /// Removes an installed package and keeps its configuration files.
    pub(super) fn remove(subject: impl Into<OsString>) -> Self {
        Self { verb: "remove", options: &[], subject: Some(subject.into()) }
    }

    /// The same with another subject.
    pub(super) fn with(self, subject: impl Into<OsString>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}

/// How far apt-get goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// It tells what it would do. Takes no lock and needs no rights.
    Simulate,
    /// It tells what it would fetch and how much room is needed. Takes no lock and needs no rights.
    PrintUris,
    /// It fetches what is needed and changes no package; status lines go to this descriptor.
    Download(RawFd),
    /// It does what it is asked; status lines go to this descriptor.
    Change(RawFd),
}

/// apt-get for one operation: its configuration and the package's link lie in a scratch folder.
#[derive(Debug)]
pub(super) struct Apt<'a> {
    root: &'a Path,
    settings: &'a EngineSettings,
    scratch: &'a Path,
    configuration: Option<PathBuf>,
}

impl<'a> Apt<'a> {
    /// Prepares apt-get for `root`. The host's own root uses the host's configuration; any other root uses its own
    /// `etc/apt` where it has one and never the host's, whose hooks and repositories are not meant for it.
    pub(super) fn new(root: &'a Path, settings: &'a EngineSettings, scratch: &'a Path) -> io::Result<Self> {
        let mut apt = Self { root, settings, scratch, configuration: None };
        if root != Path::new("/") {
            let text = apt.configuration()?;
            let path = scratch.join("apt.conf");
            fs::write(&path, text)?;
            apt.configuration = Some(path);
        }
        Ok(apt)
    }

    /// Makes the folders that apt-get writes into, where a root lacks them.
    pub(super) fn make_folders(&self) -> io::Result<()> {
        if self.root == Path::new("/") {
            return Ok(());
        }
        let state = self.state();
        for folder in ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt"] {
            fs::create_dir_all(state.join(folder))?;
        }
        fs::create_dir_all(self.root.join("var/log"))
    }

    /// A name for a package file that apt-get takes for a file: it looks at the ending.
    pub(super) fn link(&self, file: &Path) -> io::Result<PathBuf> {
        let link = self.scratch.join("package.deb");
        std::os::unix::fs::symlink(std::path::absolute(file)?, &link)?;
        Ok(link)
    }

    /// apt-get with a demand.
    pub(super) fn get(&self, demand: &Demand, extent: Extent) -> Command {
        let mut command = self.apt_get();
        match extent {
            Extent::Simulate => command.arg("--simulate"),
            Extent::PrintUris => command.arg("--print-uris"),
            Extent::Download(fd) => command.arg("--download-only").args(status_fd(fd)),
            Extent::Change(fd) => command.args(status_fd(fd)),
        };
        command.args(demand.options).arg(demand.verb).arg("--").args(&demand.subject);
        command
    }

    /// Fetches the package file of this build into a folder, by the name that apt's cache would give it. Takes no lock.
    pub(super) fn download(&self, build: &str, folder: &Path, fd: RawFd) -> Command {
        let mut command = self.apt_get();
        command.args(status_fd(fd)).args(["download", "--", build]).current_dir(folder);
        command
    }

    /// Fetches the lists of all repositories; one that cannot be had is an error (`--error-on=any`, in the spelling
    /// that apt before 2.1 passes over).
    pub(super) fn update(&self, fd: RawFd) -> Command {
        let mut command = self.apt_get();
        command.args(status_fd(fd)).args(["-o", "APT::Update::Error-Mode=any", "update"]);
        command
    }

    /// Puts the package in a file in place, this very file: apt-get only configures a build that is there unfinished,
    /// and prefers a repository's file to one of the same version that it is given.
    /// Configuration files that an operator deleted come back only if that is asked for.
    pub(super) fn put(&self, file: &Path, force: bool, fd: RawFd) -> Command {
        let mut command = self.dpkg_that_changes(fd);
        if force {
            command.arg("--force-confmiss");
        }
        command.args(["--install", "--"]).arg(file);
        command
    }

    /// Finishes what an earlier run of dpkg left unfinished.
    pub(super) fn finish(&self, fd: RawFd) -> Command {
        let mut command = self.dpkg_that_changes(fd);
        command.args(["--configure", "--pending"]);
        command
    }

    /// A dpkg that answers for the root.
    pub(super) fn dpkg(&self) -> Command {
        let mut command = command("dpkg");
        command.arg(format!("--root={}", self.root.display()));
        command
    }

    fn dpkg_that_changes(&self, fd: RawFd) -> Command {
        let mut command = self.dpkg();
        questionless(&mut command);
        command.args(["--force-confdef", "--force-confold"]);
        if self.root != Path::new("/") {
            command.arg(format!("--log={}", self.root.join("var/log/dpkg.log").display()));
            if self.settings.chrootless {
                command.arg("--force-script-chrootless");
            }
        }
        command.arg(format!("--status-fd={fd}"));
        command
    }

    /// An apt-get that asks nothing, trusts only what is signed, waits for no lock, removes nothing of itself and keeps
    /// the operator's configuration files.
    fn apt_get(&self) -> Command {
        let mut command = command("apt-get");
        questionless(&mut command);
        if let Some(configuration) = &self.configuration {
            command.env("APT_CONFIG", configuration);
        }
        command.args(["--quiet", "--assume-yes"]);
        for option in [
            "DPkg::Options::=--force-confdef",
            "DPkg::Options::=--force-confold",
            "DPkg::Use-Pty=false",
            "DPkg::Lock::Timeout=0",
            "Dpkg::Progress-Fancy=false",
            "APT::Get::AllowUnauthenticated=false",
            "APT::Get::AutomaticRemove=false",
            "APT::Get::Purge=false",
            "APT::Color=false",
        ] {
            command.args(["-o", option]);
        }
        command
    }

    /// The configuration of a root that is not the host's (`apt.conf(5)`).
    fn configuration(&self) -> io::Result<String> {
        let root = quotable(self.root)?;
        let mut text = format!(
            "Dir \"{root}/\";\nDir::Etc::main \"/dev/null\";\nDir::Etc::parts \"/dev/null\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n\
             DPkg::Options {{ \"--root={root}\"; \"--log={root}/var/log/dpkg.log\"; }};\n"
        );
        if self.settings.chrootless {
            text.push_str("DPkg::Options { \"--force-script-chrootless\"; };\n");
        }
        let state = self.state();
        if state != self.root {
            fs::create_dir_all(state.join("etc/apt"))?;
            let state = quotable(&state)?;
            text.push_str(&format!(
                "Dir::State \"{state}/var/lib/apt/\";\nDir::Cache \"{state}/var/cache/apt/\";\n\
                 Dir::Log \"{state}/var/log/apt/\";\nDir::Etc \"{state}/etc/apt/\";\n"
            ));
        }
        Ok(text)
    }

    /// Below which folder apt keeps its own files. A root without apt has no repositories: its dependencies come from
    /// what is installed.
    fn state(&self) -> PathBuf {
        let has_apt = self.root == Path::new("/") || self.root.join("etc/apt").is_dir();
        if has_apt { self.root.to_owned() } else { self.scratch.join("apt") }
    }
}

fn status_fd(fd: RawFd) -> [String; 2] {
    ["-o".to_owned(), format!("APT::Status-Fd={fd}")]
}

/// Keeps debconf, ucf and apt's hooks from asking anything.
fn questionless(command: &mut Command) {
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        .env("NEEDRESTART_MODE", "l")
        .env("UCF_FORCE_CONFFOLD", "1");
}

/// apt's configuration has no way to write a quotation mark inside a text.
fn quotable(path: &Path) -> io::Result<&str> {
    path.to_str().filter(|text| !text.contains(['"', '\n', '\\'])).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidFilename, "apt's configuration cannot hold the path of the managed root")
    })
}
