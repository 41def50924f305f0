//! What the packages hold, as the families' own tools tell it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::build;

fn said(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn both_packages_hold_what_a_host_needs() {
    let folder = TempDir::new().unwrap();
    let packages = build(folder.path(), None);
    let deb = said("dpkg-deb", &["--contents"], &packages.deb);
    let rpm = said("rpm", &["--query", "--list", "--verbose", "--package"], &packages.rpm);
    for path in [
        "/usr/bin/quartermaster",
        "/etc/quartermaster/quartermaster.toml",
        "/usr/lib/systemd/system/quartermaster.service",
        "/usr/lib/systemd/system/quartermaster-worker.socket",
        "/usr/lib/systemd/system/quartermaster-worker.service",
        "/usr/lib/sysusers.d/quartermaster.conf",
        "/usr/lib/tmpfiles.d/quartermaster.conf",
        "/usr/share/man/man1/quartermaster.1.gz",
        "/usr/share/man/man1/quartermaster-serve.1.gz",
        "/usr/share/bash-completion/completions/quartermaster",
        "/usr/share/fish/vendor_completions.d/quartermaster.fish",
        "/usr/share/doc/quartermaster/README.md",
    ] {
        for (list, what) in [(&deb, "the .deb"), (&rpm, "the .rpm")] {
            let found = list.lines().find(|line| line.ends_with(path));
            let line = found.unwrap_or_else(|| panic!("{what} lacks {path}:\n{list}"));
            assert!(line.contains("root") && !line.contains("rwxrwx"), "{what}: {line}");
        }
    }
    // The settings may name secrets.
    let settings =
        |list: &str| list.lines().find(|line| line.ends_with("quartermaster.toml")).unwrap()[..10].to_owned();
    assert_eq!([settings(&deb), settings(&rpm)], ["-rw-r-----", "-rw-r-----"]);
    let requires = said("rpm", &["--query", "--requires", "--package"], &packages.rpm);
    assert!(requires.contains("libssl.so.3"), "{requires}");
    let depends = said("dpkg-deb", &["--field"], &packages.deb);
    assert!(depends.contains("libssl3") && depends.contains("adduser"), "{depends}");
    // A program that takes Kerberos tickets needs what does it.
    let is_needed = cfg!(feature = "kerberos");
    assert_eq!([requires.contains("libgssapi_krb5.so.2"), depends.contains("libgssapi-krb5")], [is_needed; 2]);
}
