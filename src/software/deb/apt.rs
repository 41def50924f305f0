//! Commands of apt-get for one operation on one root.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::software::EngineSettings;
use crate::software::tool::command;

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
            let text = apt.configure()?;
            let path = scratch.join("apt.conf");
            fs::write(&path, text)?;
            apt.configuration = Some(path);
        }
        Ok(apt)
    }

    /// A name for the package that apt-get takes for a file: it looks at the ending.
    pub(super) fn link(&self, file: &Path) -> io::Result<PathBuf> {
        let link = self.scratch.join("package.deb");
        std::os::unix::fs::symlink(file, &link)?;
        Ok(link)
    }

    /// What the installation of `package` would do, or why it cannot be done. Changes nothing.
    pub(super) fn simulate(&self, package: &Path) -> Command {
        let mut command = self.install();
        command.arg("--simulate").arg("--").arg(package);
        command
    }

    /// Fetches what the installation needs from repositories. Changes no package.
    pub(super) fn download(&self, package: &Path, status_fd: RawFd) -> Command {
        let mut command = self.install();
        command.arg("--download-only").arg("-o").arg(format!("APT::Status-Fd={status_fd}")).arg("--").arg(package);
        command
    }

    /// The installation itself.
    pub(super) fn change(&self, package: &Path, status_fd: RawFd) -> Command {
        let mut command = self.install();
        command.arg("-o").arg(format!("APT::Status-Fd={status_fd}")).arg("--").arg(package);
        command
    }

    /// Puts a build in place once more whose configuration did not finish: apt-get would only configure the files
    /// that are there, and refuses to put others of the same version in their place.
    pub(super) fn mend(&self, package: &Path, status_fd: RawFd) -> Command {
        let mut command = self.dpkg();
        questionless(&mut command);
        command.args(["--force-confdef", "--force-confold"]);
        if self.root != Path::new("/") {
            command.arg(format!("--log={}", self.root.join("var/log/dpkg.log").display()));
            if self.settings.chrootless {
                command.arg("--force-script-chrootless");
            }
        }
        command.arg(format!("--status-fd={status_fd}")).arg("--install").arg("--").arg(package);
        command
    }

    /// A dpkg that answers for the root.
    pub(super) fn dpkg(&self) -> Command {
        let mut command = command("dpkg");
        command.arg(format!("--root={}", self.root.display()));
        command
    }

    /// `apt-get install` that asks nothing, removes nothing and keeps the operator's configuration files.
    fn install(&self) -> Command {
        let mut command = command("apt-get");
        questionless(&mut command);
        if let Some(configuration) = &self.configuration {
            command.env("APT_CONFIG", configuration);
        }
        command.args(["--quiet", "--assume-yes", "--no-remove"]);
        for option in [
            "DPkg::Options::=--force-confdef",
            "DPkg::Options::=--force-confold",
            "DPkg::Use-Pty=false",
            "Dpkg::Progress-Fancy=false",
            "APT::Get::AutomaticRemove=false",
            "APT::Color=false",
        ] {
            command.args(["-o", option]);
        }
        command.arg("-o").arg(format!("DPkg::Lock::Timeout={}", self.settings.lock_timeout.as_secs()));
        command.arg("install");
        command
    }

    /// The configuration of a root that is not the host's (`apt.conf(5)`).
    fn configure(&self) -> io::Result<String> {
        let root = quotable(self.root)?;
        let mut text = format!(
            "Dir \"{root}/\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n\
             DPkg::Options {{ \"--root={root}\"; \"--log={root}/var/log/dpkg.log\"; }};\n"
        );
        if self.settings.chrootless {
            text.push_str("DPkg::Options { \"--force-script-chrootless\"; };\n");
        }
        let own = self.root.join("etc/apt").is_dir();
        let state = if own { self.root.to_owned() } else { self.scratch.join("apt") };
        for folder in ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt", "etc/apt"] {
            fs::create_dir_all(state.join(folder))?;
        }
        fs::create_dir_all(self.root.join("var/log"))?;
        if !own {
            // A root without apt has no repositories: dependencies come from what is installed.
            let state = quotable(&state)?;
            text.push_str(&format!(
                "Dir::State \"{state}/var/lib/apt/\";\nDir::Cache \"{state}/var/cache/apt/\";\n\
                 Dir::Log \"{state}/var/log/apt/\";\nDir::Etc \"{state}/etc/apt/\";\n"
            ));
        }
        Ok(text)
    }
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
