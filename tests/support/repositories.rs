//! Repositories of Debian packages, and apt on a private root that uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::packages::{DebRoot, run};

/// An apt tool that works on the root: with its own sources and lists, which it keeps compressed.
pub fn apt(root: &DebRoot, tool: &str) -> Command {
    let configuration = root.scratch().join("apt.conf");
    let text = format!(
        "Dir \"{root}/\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\nDir::Bin::methods \"/usr/lib/apt/methods\";\n\
         APT::Sandbox::User \"root\";\nAcquire::Languages {{ \"en\"; }};\nAcquire::GzipIndexes \"true\";\n",
        root = root.path().display()
    );
    fs::write(&configuration, text).unwrap();
    let mut command = Command::new(tool);
    command.env("APT_CONFIG", configuration).env("LC_ALL", "C.UTF-8");
    command
}

/// Fetches the lists of the root's sources, as an operator would.
pub fn update(root: &DebRoot) {
    run(apt(root, "apt-get").args(["--error-on=any", "update"]));
}

/// What an apt tool answers for the root.
pub fn ask_apt(root: &DebRoot, tool: &str, arguments: &[&str]) -> String {
    String::from_utf8(run(apt(root, tool).args(arguments)).stdout).unwrap()
}

/// Makes a folder an archive without distributions, in place of the one that may be there.
pub fn make_flat(folder: &Path, packages: &[PathBuf]) {
    copy_all(folder, packages);
    let index = run(Command::new("dpkg-scanpackages").args(["--multiversion", "."]).current_dir(folder));
    fs::write(folder.join("Packages"), index.stdout).unwrap();
}

/// Makes a folder a signed archive with the distribution `stable` of one component, `main`; long descriptions lie apart
/// from the packages. Tells the key that it is signed with, which is written to `key`.
pub fn make_signed(folder: &Path, packages: &[PathBuf], key: &Path) {
    copy_all(&folder.join("pool"), packages);
    let release = folder.join("dists/stable");
    fs::create_dir_all(release.join("main/binary-amd64")).unwrap();
    fs::create_dir_all(release.join("main/i18n")).unwrap();
    let work = TempDir::new().unwrap();
    let configuration = work.path().join("archive.conf");
    let text = format!(
        "Dir {{ ArchiveDir \"{}\"; CacheDir \"{}\"; }};\nDefault {{ Packages::Compress \". xz\"; Translation::Compress \". xz\"; }};\n\
         Tree \"dists/stable\" {{ Directory \"pool\"; Sections \"main\"; Architectures \"amd64\"; LongDescription \"false\"; }};\n",
        folder.display(),
        work.path().display()
    );
    fs::write(&configuration, text).unwrap();
    run(Command::new("apt-ftparchive").arg("generate").arg(&configuration));
    let mut command = Command::new("apt-ftparchive");
    for (field, value) in
        [("Label", "Test archive"), ("Codename", "stable"), ("Components", "main"), ("Architectures", "amd64")]
    {
        command.args(["-o", &format!("APT::FTPArchive::Release::{field}={value}")]);
    }
    let text = run(command.arg("release").arg(&release)).stdout;
    let plain = work.path().join("Release");
    fs::write(&plain, text).unwrap();
    sign(work.path(), &plain, &release.join("InRelease"), key);
}

/// Signs a file with a new key.
fn sign(home: &Path, file: &Path, signed: &Path, key: &Path) {
    let gpg = || {
        let mut command = Command::new("gpg");
        command.args(["--homedir", home.to_str().unwrap(), "--batch", "--yes"]);
        command
    };
    run(gpg().args([
        "--passphrase",
        "",
        "--quick-generate-key",
        "Test <test@example.org>",
        "rsa2048",
        "sign",
        "never",
    ]));
    run(gpg().arg("--clearsign").arg("--output").arg(signed).arg(file));
    let exported = run(gpg().args(["--armor", "--export", "test@example.org"]));
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::write(key, exported.stdout).unwrap();
    run(Command::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "gpg-agent"]));
}

fn copy_all(folder: &Path, packages: &[PathBuf]) {
    fs::create_dir_all(folder).unwrap();
    for package in packages {
        fs::copy(package, folder.join(package.file_name().unwrap())).unwrap();
    }
}
