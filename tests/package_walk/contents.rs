//! What the packages hold, as the families' own tools tell it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::build;

fn said(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a page of ours links to beside itself.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links: Vec<String> = targets.filter(|to| !to.is_empty() && !to.contains("://")).map(str::to_owned).collect();
    assert!(!links.is_empty());
    links
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
        "/usr/lib/systemd/system/quartermaster.socket",
        "/usr/lib/systemd/system/quartermaster-worker.socket",
        "/usr/lib/systemd/system/quartermaster-worker.service",
        "/usr/lib/sysusers.d/quartermaster.conf",
        "/usr/lib/tmpfiles.d/quartermaster.conf",
        "/usr/share/man/man1/quartermaster.1.gz",
        "/usr/share/man/man1/quartermaster-serve.1.gz",
        "/usr/share/bash-completion/completions/quartermaster",
        "/usr/share/fish/vendor_completions.d/quartermaster.fish",
        "/usr/share/doc/quartermaster/README.md",
        "/usr/share/doc/quartermaster/docs/quartermaster.sample.toml",
    ] {
        for (list, what) in [(&deb, "the .deb"), (&rpm, "the .rpm")] {
            let found = list.lines().find(|line| line.ends_with(path));
            let line = found.unwrap_or_else(|| panic!("{what} lacks {path}:\n{list}"));
            assert!(line.contains("root") && !line.contains("rwxrwx"), "{what}: {line}");
        }
    }
    for page in ["README.md", "docs/guides/operating.md"] {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for link in links(&fs::read_to_string(here.join(page)).unwrap()) {
            let led = here.join(page).with_file_name(&link).canonicalize().unwrap_or_else(|_| panic!("{page}: {link}"));
            let packed = Path::new("/usr/share/doc/quartermaster").join(led.strip_prefix(here).unwrap());
            for list in [&deb, &rpm] {
                assert!(list.contains(packed.to_str().unwrap()), "{page} leads to {packed:?}, which is not packed");
            }
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
