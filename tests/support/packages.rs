//! Real packages, built with the families' own tools, and private roots to install them in.
//!
//! ```ignore
//! let root = DebRoot::new();
//! let file = Deb::new("alpha", "1.0-1").field("Depends", "beta").file("usr/share/alpha/data", "1").build(root.scratch());
//! ```
//!
//! Everything here panics with what the tool said when a tool is missing or fails: a test that needs it must fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A Debian package to build; architecture `all` unless a field says otherwise.
#[derive(Clone, Debug)]
pub struct Deb {
    name: String,
    version: String,
    fields: Vec<(String, String)>,
    files: Vec<(String, String)>,
    copies: Vec<(String, PathBuf)>,
    links: Vec<(String, String)>,
    modes: Vec<(String, u32)>,
    conffiles: Vec<String>,
    scripts: Vec<(String, String)>,
}

impl Deb {
    /// A package that holds nothing yet; `version` is `[epoch:]upstream[-revision]`.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            fields: Vec::new(),
            files: Vec::new(),
            copies: Vec::new(),
            links: Vec::new(),
            modes: Vec::new(),
            conffiles: Vec::new(),
            scripts: Vec::new(),
        }
    }

    /// Adds or replaces a control field, such as `Depends` or `Architecture`.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a file; the path is below the root, without a leading slash.
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }

    /// Adds a copy of a file with its permission bits; the path is below the root, without a leading slash.
    pub fn copy_of(mut self, path: &str, file: &Path) -> Self {
        self.copies.push((path.into(), file.into()));
        self
    }

    /// Adds a symbolic link; its path is below the root, without a leading slash.
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.links.push((path.into(), target.into()));
        self
    }

    /// Sets the permission bits of a file or folder of the package.
    pub fn mode(mut self, path: &str, mode: u32) -> Self {
        self.modes.push((path.into(), mode));
        self
    }

    /// Adds a configuration file; the path is below the root, without a leading slash.
    pub fn conffile(mut self, path: &str, content: &str) -> Self {
        self.conffiles.push(path.into());
        self.file(path, content)
    }

    /// Adds a maintainer script (`preinst`, `postinst`, …). A private root has a shell after [`DebRoot::with_shell`].
    pub fn script(mut self, name: &str, body: &str) -> Self {
        self.scripts.push((name.into(), format!("#!/bin/sh\n{body}\n")));
        self
    }

    /// Builds `NAME_VERSION_ARCH.deb` in `dir` and tells its path.
    pub fn build(&self, dir: &Path) -> PathBuf {
        let tree = TempDir::new_in(dir).unwrap();
        let control = tree.path().join("DEBIAN");
        fs::create_dir_all(&control).unwrap();
        fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut fields = vec![
            ("Package".to_owned(), self.name.clone()),
            ("Version".to_owned(), self.version.clone()),
            ("Architecture".to_owned(), "all".to_owned()),
            ("Maintainer".to_owned(), "Test Maker <maker@example.org>".to_owned()),
            (
                "Description".to_owned(),
                format!("test package {}\n It holds nothing of use.\n .\n A second part.", self.name),
            ),
        ];
        for (name, value) in &self.fields {
            fields.retain(|(n, _)| n != name);
            fields.push((name.clone(), value.clone()));
        }
        let architecture = fields.iter().find(|(n, _)| n == "Architecture").unwrap().1.clone();
        let text: String = fields.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
        fs::write(control.join("control"), text).unwrap();
        if !self.conffiles.is_empty() {
            let list: String = self.conffiles.iter().map(|c| format!("/{c}\n")).collect();
            fs::write(control.join("conffiles"), list).unwrap();
        }
        for (name, body) in &self.scripts {
            let path = control.join(name);
            fs::write(&path, body).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (path, content) in &self.files {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        for (path, file) in &self.copies {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(file, path).unwrap();
        }
        for (path, target) in &self.links {
            std::os::unix::fs::symlink(target, tree.path().join(path)).unwrap();
        }
        for (path, mode) in &self.modes {
            fs::set_permissions(tree.path().join(path), fs::Permissions::from_mode(*mode)).unwrap();
        }
        let version = self.version.rsplit(':').next().unwrap();
        let file = dir.join(format!("{}_{version}_{architecture}.deb", self.name));
        run(Command::new("dpkg-deb").args(["--root-owner-group", "-Znone", "--build"]).arg(tree.path()).arg(&file));
        file
    }
}

/// Builds a Debian package with these control fields and one file, `usr/share/NAME/version`.
pub fn build_deb(dir: &Path, name: &str, version: &str, fields: &[(&str, &str)]) -> PathBuf {
    let deb = Deb::new(name, version).file(&format!("usr/share/{name}/version"), version);
    fields.iter().fold(deb, |deb, (field, value)| deb.field(field, value)).build(dir)
}

/// A private root with an empty dpkg database and apt's folders, and a scratch folder beside it.
#[derive(Debug)]
pub struct DebRoot {
    dir: TempDir,
}

impl DebRoot {
    /// An empty root; both go when it is dropped.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = Self { dir };
        for folder in [
            "var/lib/dpkg/updates",
            "var/lib/dpkg/info",
            "var/lib/dpkg/triggers",
            "var/lib/dpkg/parts",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/log/apt",
            "etc/apt/apt.conf.d",
            "etc/apt/sources.list.d",
            "etc/apt/preferences.d",
            "etc/apt/trusted.gpg.d",
            "tmp",
        ] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::create_dir(root.scratch()).unwrap();
        fs::write(root.path().join("var/lib/dpkg/status"), "").unwrap();
        fs::write(root.path().join("var/lib/dpkg/available"), "").unwrap();
        root
    }

    /// The root itself.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// A folder for package files, outside the root.
    pub fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    /// Puts `/bin/sh` and the tools in `tools` (such as `/bin/sleep`) with their libraries into the root, so that
    /// maintainer scripts run.
    pub fn with_shell(self, tools: &[&str]) -> Self {
        copy_programs(&self.path(), tools);
        self
    }

    /// Installs by hand with dpkg, as an operator would.
    pub fn install_by_hand(&self, file: &Path) {
        run(self.dpkg().arg("--install").arg("--").arg(file));
    }

    /// Removes by hand with dpkg, keeping configuration files.
    pub fn remove_by_hand(&self, name: &str) {
        run(self.dpkg().arg("--remove").arg("--").arg(name));
    }

    /// A dpkg on this root that leaves the host's log alone.
    pub fn dpkg(&self) -> Command {
        let mut command = Command::new("dpkg");
        let root = self.path();
        command.arg(format!("--root={}", root.display()));
        command.arg(format!("--log={}", root.join("var/log/dpkg.log").display()));
        command.args(["--force-not-root", "--force-confdef", "--force-confold"]);
        command
    }

    /// Makes `packages` an apt repository that this root uses.
    pub fn with_repository(self, packages: &[PathBuf]) -> Self {
        let repository = self.dir.path().join("repository");
        fs::create_dir_all(&repository).unwrap();
        for package in packages {
            fs::copy(package, repository.join(package.file_name().unwrap())).unwrap();
        }
        let index = run(Command::new("dpkg-scanpackages").args(["-m", "."]).current_dir(&repository));
        fs::write(repository.join("Packages"), &index.stdout).unwrap();
        self.use_sources(&format!("deb [trusted=yes] file:{} ./\n", repository.display()));
        self.update_by_hand();
        self
    }

    /// Makes these lines of `sources.list` the root's repositories; what they offer is not fetched yet.
    pub fn use_sources(&self, lines: &str) {
        fs::write(self.path().join("etc/apt/sources.list"), lines).unwrap();
        // The folders of a test are their owner's alone, and one try is enough.
        let settings = "APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::Retries \"0\";\n";
        fs::write(self.path().join("etc/apt/apt.conf.d/test.conf"), settings).unwrap();
    }

    /// Fetches what the repositories offer with apt-get, as an operator would.
    pub fn update_by_hand(&self) {
        let configuration = self.dir.path().join("update.conf");
        let root = self.path();
        let root = root.display();
        let text = format!(
            "Dir \"{root}/\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\n"
        );
        fs::write(&configuration, text).unwrap();
        run(Command::new("apt-get").arg("update").env("APT_CONFIG", &configuration));
    }

    /// Lets every user of the host look into the root, and write into the scratch folder.
    pub fn open_to_all(&self) {
        fs::set_permissions(self.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(self.scratch(), fs::Permissions::from_mode(0o1777)).unwrap();
    }

    /// Writes `count` further packages, `filler-0000` and so on, into the database without any tool.
    pub fn fill(&self, count: usize) {
        use std::fmt::Write as _;
        let database = self.path().join("var/lib/dpkg");
        let mut status = fs::read_to_string(database.join("status")).unwrap();
        for i in 0..count {
            write!(
                status,
                "Package: filler-{i:04}\nStatus: install ok installed\nPriority: optional\nSection: misc\n\
                 Installed-Size: {}\nMaintainer: Test Maker <maker@example.org>\nArchitecture: amd64\n\
                 Version: 1.{i}-1\nDescription: filler package number {i}\n It takes room in the database, as much as\n \
                 a real package would: its description has\n some lines of text, and says nothing.\n\n",
                i + 10
            )
            .unwrap();
            fs::write(database.join(format!("info/filler-{i:04}.list")), "/.\n").unwrap();
        }
        fs::write(database.join("status"), status).unwrap();
    }
}

/// An apt repository with one suite, `stable`, signed with a key of its own.
#[derive(Debug)]
pub struct Repository {
    dir: TempDir,
}

impl Repository {
    /// A repository that has these packages.
    pub fn new(packages: &[PathBuf]) -> Self {
        let dir = TempDir::new().unwrap();
        let repository = Self { dir };
        for folder in ["gpg", "files/pool", "files/dists/stable/main/binary-amd64"] {
            fs::create_dir_all(repository.dir.path().join(folder)).unwrap();
        }
        fs::set_permissions(repository.dir.path().join("gpg"), fs::Permissions::from_mode(0o700)).unwrap();
        let maker = "Test Repository <repository@example.org>";
        run(repository.gpg().args(["--passphrase", "", "--quick-generate-key", maker, "default", "sign", "never"]));
        let key = run(repository.gpg().args(["--armor", "--export"]));
        fs::write(repository.key(), key.stdout).unwrap();
        repository.add(packages);
        repository
    }

    /// Its folder of files, as it is published.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// Its public key.
    pub fn key(&self) -> PathBuf {
        self.dir.path().join("key.asc")
    }

    /// A line of `sources.list` for it at this address, `file:` or `http:`.
    pub fn source(&self, address: &str) -> String {
        format!("deb [signed-by={}] {address} stable main\n", self.key().display())
    }

    /// The address of its files on this host.
    pub fn address(&self) -> String {
        format!("file:{}", self.path().display())
    }

    /// Adds packages and signs anew.
    pub fn add(&self, packages: &[PathBuf]) {
        for package in packages {
            fs::copy(package, self.path().join("pool").join(package.file_name().unwrap())).unwrap();
        }
        self.publish();
    }

    /// Takes a package out and signs anew.
    pub fn withdraw(&self, package: &Path) {
        fs::remove_file(self.path().join("pool").join(package.file_name().unwrap())).unwrap();
        self.publish();
    }

    /// Writes the index of what is there, and signs it.
    pub fn publish(&self) {
        let suite = self.path().join("dists/stable");
        let index = run(Command::new("apt-ftparchive").args(["packages", "pool"]).current_dir(self.path()));
        fs::write(suite.join("main/binary-amd64/Packages"), index.stdout).unwrap();
        for old in ["Release", "InRelease"] {
            let _ = fs::remove_file(suite.join(old));
        }
        let mut release = Command::new("apt-ftparchive");
        for setting in ["Suite=stable", "Codename=stable", "Components=main", "Architectures=amd64 all"] {
            release.args(["-o", &format!("APT::FTPArchive::Release::{setting}")]);
        }
        let release = run(release.args(["release", "dists/stable"]).current_dir(self.path()));
        fs::write(suite.join("Release"), release.stdout).unwrap();
        run(self.gpg().args(["--yes", "--clearsign", "-o"]).args([suite.join("InRelease"), suite.join("Release")]));
    }

    fn gpg(&self) -> Command {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.dir.path().join("gpg")).args(["--batch", "--quiet"]);
        command
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ =
            Command::new("gpgconf").arg("--homedir").arg(self.dir.path().join("gpg")).args(["--kill", "all"]).output();
    }
}

/// An RPM package to build; architecture `noarch`.
#[derive(Clone, Debug)]
pub struct Rpm {
    name: String,
    version: String,
    release: String,
    tags: Vec<(String, String)>,
    files: Vec<(String, String, bool)>,
    entries: Vec<(String, String)>,
    sections: Vec<String>,
}

impl Rpm {
    /// A package that holds nothing yet.
    pub fn new(name: &str, version: &str, release: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            release: release.into(),
            tags: Vec::new(),
            files: Vec::new(),
            entries: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// Adds a tag of the preamble, such as `Requires`, `Epoch` or `Vendor`.
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push((name.into(), value.into()));
        self
    }

    /// Adds a file; the path is below the root, without a leading slash.
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.files.push((path.into(), content.into(), false));
        self
    }

    /// Adds a configuration file (`%config(noreplace)`).
    pub fn config(mut self, path: &str, content: &str) -> Self {
        self.files.push((path.into(), content.into(), true));
        self
    }

    /// Adds a line of `%install` and one of `%files`, as a spec file has them.
    pub fn entry(mut self, install: &str, files: &str) -> Self {
        self.entries.push((install.into(), files.into()));
        self
    }

    /// Adds a scriptlet in lua, which needs no shell in the root: `pre`, `post`, …
    pub fn lua(mut self, scriptlet: &str, body: &str) -> Self {
        self.sections.push(format!("%{scriptlet} -p <lua>\n{body}\n"));
        self
    }

    /// Builds `NAME-VERSION-RELEASE.noarch.rpm` in `dir` and tells its path.
    pub fn build(&self, dir: &Path) -> PathBuf {
        let work = TempDir::new_in(dir).unwrap();
        let mut spec = format!(
            "Name: {}\nVersion: {}\nRelease: {}\nSummary: test package {0}\nLicense: MIT\nBuildArch: noarch\n",
            self.name, self.version, self.release
        );
        for (name, value) in &self.tags {
            spec.push_str(&format!("{name}: {value}\n"));
        }
        spec.push_str("\n%description\nIt holds nothing of use.\n\nA second part.\n\n%install\n");
        for (i, (path, content, _)) in self.files.iter().enumerate() {
            let source = work.path().join(format!("file{i}"));
            fs::write(&source, content).unwrap();
            spec.push_str(&format!("install -D -m 644 {} %{{buildroot}}/{path}\n", source.display()));
        }
        for (install, _) in &self.entries {
            spec.push_str(&format!("{install}\n"));
        }
        for section in &self.sections {
            spec.push_str(&format!("\n{section}"));
        }
        spec.push_str("\n%files\n");
        for (path, _, config) in &self.files {
            let kind = if *config { "%config(noreplace) " } else { "" };
            spec.push_str(&format!("{kind}/{path}\n"));
        }
        for (_, files) in &self.entries {
            spec.push_str(&format!("{files}\n"));
        }
        let file = work.path().join("package.spec");
        fs::write(&file, spec).unwrap();
        run(Command::new("rpmbuild")
            .env("HOME", work.path())
            .args(["-bb", "--quiet", "--target", "noarch"])
            .args(["--define", &format!("_topdir {}", work.path().join("top").display())])
            .args(["--define", &format!("_rpmdir {}", dir.display())])
            .args(["--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"])
            .args(["--define", "_binary_payload w0.gzdio"])
            .arg(&file));
        dir.join(format!("{}-{}-{}.noarch.rpm", self.name, self.version, self.release))
    }
}

/// Builds an RPM package with these preamble tags and one file, `/usr/share/NAME/version`.
pub fn build_rpm(dir: &Path, name: &str, version: &str, release: &str, tags: &[(&str, &str)]) -> PathBuf {
    let rpm = Rpm::new(name, version, release).file(&format!("usr/share/{name}/version"), version);
    tags.iter().fold(rpm, |rpm, (tag, value)| rpm.tag(tag, value)).build(dir)
}

/// A private root with an empty rpm database in `/var/lib/rpm`, and a scratch folder beside it.
#[derive(Debug)]
pub struct RpmRoot {
    dir: TempDir,
}

impl RpmRoot {
    /// An empty root; both go when it is dropped.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = Self { dir };
        for folder in ["var/lib/rpm", "var/tmp", "tmp"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::create_dir(root.scratch()).unwrap();
        run(root.rpm().arg("--initdb"));
        root
    }

    /// The root itself.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// A folder for package files, outside the root.
    pub fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    /// Installs by hand with rpm, as an operator would.
    pub fn install_by_hand(&self, file: &Path) {
        run(self.rpm().arg("-U").arg("--").arg(file));
    }

    /// Puts a build by hand beside those that are there.
    pub fn add_by_hand(&self, file: &Path) {
        run(self.rpm().arg("-i").arg("--").arg(file));
    }

    /// Removes by hand with rpm.
    pub fn remove_by_hand(&self, name: &str) {
        run(self.rpm().arg("-e").arg("--").arg(name));
    }

    /// An rpm on this root.
    pub fn rpm(&self) -> Command {
        let mut command = Command::new("rpm");
        command.arg("--root").arg(self.path()).args(["--dbpath", "/var/lib/rpm"]);
        command
    }

    /// Makes `packages` a dnf repository that this root uses.
    pub fn with_repository(self, packages: &[PathBuf]) -> Self {
        self.publish(packages);
        self.configure_repository("gpgcheck=0");
        self
    }

    /// The folder of the repository.
    pub fn repository(&self) -> PathBuf {
        self.dir.path().join("repository")
    }

    /// Makes these the packages of the repository, and no others.
    pub fn publish(&self, packages: &[PathBuf]) {
        let repository = self.repository();
        fs::remove_dir_all(&repository).ok();
        fs::create_dir_all(&repository).unwrap();
        for package in packages {
            fs::copy(package, repository.join(package.file_name().unwrap())).unwrap();
        }
        run(Command::new("createrepo_c").arg("--quiet").arg(&repository));
    }

    /// Configures the repository `test` with these lines.
    pub fn configure_repository(&self, lines: &str) {
        let url = format!("file://{}", self.repository().display());
        self.add_repository("test", &url, lines);
    }

    /// Configures a repository in a file of its own.
    pub fn add_repository(&self, id: &str, url: &str, lines: &str) {
        let folder = self.path().join("etc/yum.repos.d");
        fs::create_dir_all(&folder).unwrap();
        let text = format!("[{id}]\nname=Repository {id}\nbaseurl={url}\nmetadata_expire=0\n{lines}\n");
        fs::write(folder.join(format!("{id}.repo")), text).unwrap();
    }
}

/// A key that signs packages and repositories.
#[derive(Debug)]
pub struct SigningKey {
    home: TempDir,
}

impl SigningKey {
    /// A new one.
    pub fn new() -> Self {
        let home = TempDir::new().unwrap();
        let key = Self { home };
        let who = "Test Maker <maker@example.org>";
        run(key.gpg().args(["--passphrase", "", "--quick-generate-key", who, "rsa2048", "sign", "never"]));
        run(key.gpg().args(["--armor", "--output"]).arg(key.public()).arg("--export"));
        key
    }

    /// The file of the public key.
    pub fn public(&self) -> PathBuf {
        self.home.path().join("public.asc")
    }

    /// Signs a package file.
    pub fn sign_rpm(&self, package: &Path) {
        let mut command = Command::new("rpmsign");
        command.args(["--define", "_gpg_name maker@example.org", "--define", "__gpg /usr/bin/gpg", "--addsign"]);
        run(command.arg(package).env("GNUPGHOME", self.home.path()));
    }

    /// Signs the metadata of an rpm repository.
    pub fn sign_repository(&self, repository: &Path) {
        run(self.gpg().args(["--armor", "--detach-sign"]).arg(repository.join("repodata/repomd.xml")));
    }

    fn gpg(&self) -> Command {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--yes", "--quiet"]).env("GNUPGHOME", self.home.path());
        command
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        // Else the agent that gpg started stays.
        Command::new("gpgconf").env("GNUPGHOME", self.home.path()).args(["--kill", "gpg-agent"]).status().ok();
    }
}

/// A small file system of its own in a folder, gone when it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts `kilobytes` at `folder`, which is made.
    pub fn new(folder: &Path, kilobytes: u32) -> Self {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={kilobytes}k");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder));
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().ok();
    }
}

/// Copies `/bin/sh` and `tools` with the libraries that `ldd` names into `root`.
fn copy_programs(root: &Path, tools: &[&str]) {
    for tool in ["/bin/sh"].iter().chain(tools) {
        copy_into(root, Path::new(tool));
        let libraries = run(Command::new("ldd").arg(tool));
        for word in String::from_utf8_lossy(&libraries.stdout).split_whitespace().filter(|w| w.starts_with('/')) {
            copy_into(root, Path::new(word));
        }
    }
}

fn copy_into(root: &Path, file: &Path) {
    let target = root.join(file.strip_prefix("/").unwrap());
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(file, target).unwrap();
}

/// Runs a tool to its end; panics with what it said if it is missing or fails.
pub fn run(command: &mut Command) -> Output {
    command.env("LC_ALL", "C.UTF-8").env_remove("DPKG_ROOT");
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
