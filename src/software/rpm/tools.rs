//! Commands of rpm and dnf for one operation on one root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::software::tool::{command, is_there};

/// Where repositories are configured, under the root.
const REPOSITORY_FOLDERS: [&str; 2] = ["etc/yum.repos.d", "etc/distro.repos.d"];

/// rpm and dnf for one operation; the package's link and a private home lie in a scratch folder.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    root: &'a Path,
    dbpath: &'a str,
    home: PathBuf,
    package: PathBuf,
}

impl<'a> Tools<'a> {
    /// Prepares the tools for `root` and `file`. The private home holds the database's place: on hosts of another
    /// family rpm would look for it below the home of whoever calls.
    pub(super) fn new(root: &'a Path, dbpath: &'a str, file: &Path, scratch: &Path) -> io::Result<Self> {
        let home = scratch.join("home");
        fs::create_dir(&home)?;
        fs::write(home.join(".rpmmacros"), format!("%_dbpath {dbpath}\n"))?;
        // dnf looks at the ending, and rpm takes a path for a pattern: this one has neither surprise.
        let package = scratch.join("package.rpm");
        std::os::unix::fs::symlink(std::path::absolute(file)?, &package)?;
        Ok(Self { root, dbpath, home, package })
    }

    /// Whether dnf can be used: it is there and the root has repositories.
    pub(super) fn has_dnf(&self) -> bool {
        let has_repository = |folder: &str| {
            let Ok(entries) = fs::read_dir(self.root.join(folder)) else { return false };
            entries.flatten().any(|e| e.path().extension().is_some_and(|x| x == "repo"))
        };
        is_there("dnf") && REPOSITORY_FOLDERS.iter().any(|folder| has_repository(folder))
    }

    /// What rpm says to the installation. Changes nothing.
    pub(super) fn rpm_test(&self, beside: bool) -> Command {
        let mut command = self.rpm(beside);
        command.arg("--test").arg("--").arg(&self.package);
        command
    }

    /// The installation with rpm.
    pub(super) fn rpm_change(&self, beside: bool) -> Command {
        let mut command = self.rpm(beside);
        command.args(["-v", "--percent", "--"]).arg(&self.package);
        command
    }

    /// Finds and fetches what the installation needs. Changes no package.
    pub(super) fn dnf_download(&self) -> Command {
        let mut command = self.dnf();
        command.args(["install", "--downloadonly", "--"]).arg(&self.package);
        command
    }

    /// The installation with dnf.
    pub(super) fn dnf_change(&self) -> Command {
        let mut command = self.dnf();
        command.args(["install", "--"]).arg(&self.package);
        command
    }

    /// rpm updates to a package, or puts it beside the builds that are there: for packages of which several builds
    /// are installed, such as kernels.
    fn rpm(&self, beside: bool) -> Command {
        let mut command = command("rpm");
        command.env("HOME", &self.home);
        if self.root != Path::new("/") {
            command.arg("--root").arg(self.root);
        }
        command.args(["--dbpath", self.dbpath]).arg(if beside { "-i" } else { "-U" });
        command
    }

    fn dnf(&self) -> Command {
        let mut command = command("dnf");
        // Written through at once, so that its lines are heard while it works.
        command.env("HOME", &self.home).env("PYTHONUNBUFFERED", "1");
        command.args(["--assumeyes", "--setopt=exit_on_lock=True", "--color=never"]);
        if self.root != Path::new("/") {
            let folders: Vec<String> =
                REPOSITORY_FOLDERS.iter().map(|folder| self.root.join(folder).display().to_string()).collect();
            command
                .arg("--noplugins")
                .arg(format!("--installroot={}", self.root.display()))
                .arg(format!("--setopt=reposdir={}", folders.join(",")))
                .arg(format!("--setopt=varsdir={}", self.root.join("etc/dnf/vars").display()));
        }
        command
    }
}
