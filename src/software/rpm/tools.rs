//! Commands of rpm and dnf for one operation on one root.
//!
//! Tried with rpm 4.18 and dnf 4.14. The options are those that dnf 5 documents too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::check::PROTECTED_FOLDERS;
use super::configuration::{MADE_MAIN_FILE, VARIABLE_FOLDERS, main_file, names_protected_packages};
use super::request::{Request, Target, Verb};
use crate::software::Nevra;
use crate::software::tool::{command, is_there, place_of};

/// Where repositories are configured, under the root.
pub(super) const REPOSITORY_FOLDERS: [&str; 2] = ["etc/yum.repos.d", "etc/distro.repos.d"];

/// What dnf tells of packages that it can fetch: name parts, size of the file, size of the files in it.
const SIZES: &str = "%{name} %{epoch} %{version} %{release} %{arch} %{downloadsize} %{installsize}\n";

/// How far a tool goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// It tells what it would do.
    Tell,
    /// It fetches what is needed, checks signatures, and lets rpm look for conflicts and for room.
    Fetch,
    /// It changes the system, with what was fetched and by the metadata that was known then.
    Change,
}

/// rpm and dnf for one operation; the package's link and a private home lie in a scratch folder.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    root: &'a Path,
    dbpath: &'a str,
    home: PathBuf,
    /// The main options of a root other than `/`: its own file, or one with what counts without it.
    main_file: PathBuf,
    package: PathBuf,
}

/// Whether a root is changed with dnf: it is there and the root has repositories.
pub(super) fn uses_dnf(root: &Path) -> bool {
    let has_repository = |folder: &str| {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { return false };
        entries.flatten().any(|e| e.path().extension().is_some_and(|x| x == "repo"))
    };
    is_there("dnf") && REPOSITORY_FOLDERS.iter().any(|folder| has_repository(folder))
}

/// Whether the host's dnf is dnf 5, which goes by both names.
pub(super) fn is_dnf5() -> bool {
    let program = place_of("dnf").and_then(|file| file.canonicalize().ok());
    program.is_some_and(|program| program.file_name().is_some_and(|name| name == "dnf5"))
}

impl<'a> Tools<'a> {
    /// Prepares the tools for `root`. The private home holds the database's place: on hosts of another family rpm would
    /// look for it below the home of whoever calls.
    pub(super) fn new(root: &'a Path, dbpath: &'a str, scratch: &Path) -> io::Result<Self> {
        let home = scratch.join("home");
        fs::create_dir(&home)?;
        fs::write(home.join(".rpmmacros"), format!("%_dbpath {dbpath}\n"))?;
        let main_file = match main_file(root) {
            Some(file) => file,
            None => {
                let made = home.join("dnf.conf");
                fs::write(&made, MADE_MAIN_FILE)?;
                made
            }
        };
        Ok(Self { root, dbpath, home, main_file, package: scratch.join("package.rpm") })
    }

    /// Gives a package file the name that the tools find it by: dnf looks at the ending, and rpm takes a path for a
    /// pattern. This name has neither surprise.
    pub(super) fn link(&self, file: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(std::path::absolute(file)?, &self.package)
    }

    /// The folder of rpm's database on the host.
    pub(super) fn database_folder(&self) -> PathBuf {
        self.root.join(self.dbpath.trim_start_matches('/'))
    }

    /// Whether the root is changed with dnf.
    pub(super) fn has_dnf(&self) -> bool {
        uses_dnf(self.root)
    }

    /// dnf for what is asked.
    pub(super) fn dnf(&self, request: &Request<'_>, extent: Extent) -> Command {
        let mut command = self.dnf_alone(extent != Extent::Tell);
        command.args(match extent {
            Extent::Tell => [].as_slice(),
            // Newer metadata could mean another change than the one that was told.
            Extent::Fetch => &["--setopt=tsflags=test", "--setopt=*.metadata_expire=-1"],
            Extent::Change => &["--cacheonly"],
        });
        command.args(match request.verb {
            Verb::Install | Verb::InstallBeside => ["install"].as_slice(),
            Verb::Reinstall => &["reinstall"],
            Verb::Downgrade => &["downgrade"],
            // Else dnf passes over a newest build that cannot be installed, and calls the package up to date.
            Verb::Update => &["upgrade", "--best"],
            Verb::Remove => &["remove", "--setopt=clean_requirements_on_remove=False"],
        });
        command.arg("--");
        match &request.target {
            Target::File(_) => command.arg(&self.package),
            Target::Build => command.arg(request.nevra.to_string()),
            Target::Name(name) => command.arg(name),
        };
        command
    }

    /// dnf reads the metadata of the repositories, and takes the keys that they name for it.
    pub(super) fn dnf_read_metadata(&self) -> Command {
        let mut command = self.dnf_alone(true);
        command.arg("makecache");
        command
    }

    /// dnf fetches the metadata of all enabled repositories anew; one that fails does not keep it from the others.
    pub(super) fn dnf_refresh(&self) -> Command {
        let mut command = self.dnf_alone(true);
        command.args(["--setopt=*.skip_if_unavailable=True", "--refresh", "makecache"]);
        command
    }

    /// The sizes of these builds, by the metadata that was read last.
    pub(super) fn dnf_sizes(&self, builds: &[&Nevra]) -> Command {
        let mut command = self.dnf_alone(false);
        command.args(["--cacheonly", "repoquery", "--available", "--queryformat", SIZES, "--"]);
        command.args(builds.iter().map(ToString::to_string));
        command
    }

    /// Whether the host must be rebooted, by dnf's own plugin: ends 1 if so, and without the plugin.
    pub(super) fn dnf_needs_restarting() -> Command {
        let mut command = command("dnf");
        command.args(["needs-restarting", "--reboothint"]);
        command
    }

    /// rpm for what is asked. It tells the order of its work; only told, it changes nothing.
    pub(super) fn rpm(&self, request: &Request<'_>, extent: Extent) -> Command {
        let mut command = command("rpm");
        command.env("HOME", &self.home);
        if self.root != Path::new("/") {
            command.arg("--root").arg(self.root);
        }
        command.args(["--dbpath", self.dbpath]);
        command.args(match request.verb {
            Verb::Install | Verb::Update => ["-U"].as_slice(),
            Verb::InstallBeside => &["-i", "--oldpackage"],
            // An update would take the builds away that stand beside it.
            Verb::Reinstall => &["--reinstall", "--oldpackage"],
            Verb::Downgrade => &["-U", "--oldpackage"],
            Verb::Remove => &["-e"],
        });
        command.args(match extent {
            Extent::Tell | Extent::Fetch => ["--test", "-vv", "--"],
            Extent::Change => ["-v", "--percent", "--"],
        });
        match &request.target {
            Target::File(_) => command.arg(&self.package),
            Target::Build | Target::Name(_) => command.arg(request.nevra.to_string()),
        };
        command.args(request.along.iter().map(ToString::to_string));
        command
    }

    /// dnf that answers its questions with yes, or with no.
    fn dnf_alone(&self, yes: bool) -> Command {
        let mut command = command("dnf");
        // Written through at once, so that its lines are heard while it works.
        command.env("HOME", &self.home).env("PYTHONUNBUFFERED", "1");
        // Else a host could have words of dnf mean something else.
        command.env("DNF_DISABLE_ALIASES", "1");
        command.arg(if yes { "--assumeyes" } else { "--assumeno" });
        // What it is to do is read from its table, which a lower level would leave out.
        command.args(["--setopt=exit_on_lock=True", "--setopt=debuglevel=2", "--setopt=color=never"]);
        if self.root != Path::new("/") {
            command.args(self.of_another_root());
        }
        command
    }

    /// The options with which dnf takes everything from a root that is not the host's own, and nothing from the host.
    fn of_another_root(&self) -> Vec<String> {
        let places = |folders: &[&str], written: &dyn Fn(String) -> String, between: &str| {
            let places = folders.iter().map(|folder| written(self.root.join(folder).display().to_string()));
            places.collect::<Vec<_>>().join(between)
        };
        let mut options = vec![
            "--noplugins".to_owned(),
            format!("--installroot={}", self.root.display()),
            format!("--config={}", self.main_file.display()),
            format!("--setopt=reposdir={}", places(&REPOSITORY_FOLDERS, &|place| place, ",")),
            format!("--setopt=varsdir={}", places(&VARIABLE_FOLDERS, &|place| place, ",")),
        ];
        if !names_protected_packages(&self.main_file) {
            let files = places(&PROTECTED_FOLDERS, &|place| format!("glob:{place}/*.conf"), ",");
            options.push(format!("--setopt=protected_packages=dnf,{files}"));
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(root: &Path) -> Vec<String> {
        let scratch = tempfile::tempdir().unwrap();
        let tools = Tools::new(root, "/var/lib/rpm", scratch.path()).unwrap();
        let command = tools.dnf_alone(false);
        let text = |argument: &std::ffi::OsStr| {
            argument.to_str().unwrap().replace(&*scratch.path().to_string_lossy(), "SCRATCH")
        };
        let root = root.display().to_string();
        command.get_args().map(|argument| text(argument).replace(&root, "ROOT")).collect()
    }

    #[test]
    fn dnf_takes_nothing_of_the_host_for_another_root() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(
            options(root.path())[4..],
            [
                "--noplugins",
                "--installroot=ROOT",
                "--config=SCRATCH/home/dnf.conf",
                "--setopt=reposdir=ROOT/etc/yum.repos.d,ROOT/etc/distro.repos.d",
                "--setopt=varsdir=ROOT/etc/yum/vars,ROOT/etc/dnf/vars",
                "--setopt=protected_packages=dnf,glob:ROOT/etc/dnf/protected.d/*.conf,glob:ROOT/etc/yum/protected.d/*.conf",
            ]
        );
        fs::create_dir_all(root.path().join("etc/dnf")).unwrap();
        fs::write(root.path().join("etc/dnf/dnf.conf"), "[main]\nprotected_packages=a\n").unwrap();
        let own = options(root.path());
        assert!(own.iter().any(|option| option == "--config=ROOT/etc/dnf/dnf.conf"), "{own:?}");
        assert!(!own.iter().any(|option| option.contains("protected_packages")), "{own:?}");
        let scratch = tempfile::tempdir().unwrap();
        let host = Tools::new(Path::new("/"), "/var/lib/rpm", scratch.path()).unwrap();
        assert_eq!(host.dnf_alone(false).get_args().count(), 4);
    }
}
