//! The life of a package on a system: installed, used, upgraded, removed, installed again, purged.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::build;
use crate::debian::Debian;
use crate::service::{Service, install, installed};
use crate::support::eventually;
use crate::support::packages::build_deb;
use crate::support::server::PATIENCE;
use crate::support::wsman::{CIM, Client, Message, child, descendants, text_of};

const STATE: &str = "var/lib/quartermaster";

#[test]
fn what_the_service_knows_outlives_upgrades_and_removal_and_goes_with_a_purge() {
    let folder = TempDir::new().unwrap();
    let (now, later) = (build(folder.path(), None), build(folder.path(), Some("99.0.0")));
    let debian = Debian::new();
    let bring = |file: &Path| {
        let inside = format!("root/{}", file.file_name().unwrap().to_str().unwrap());
        fs::copy(file, debian.path().join(&inside)).unwrap();
        format!("/{inside}")
    };
    let (now, later) = (bring(&now.deb), bring(&later.deb));
    let tool = bring(&build_deb(folder.path(), "tool", "1.0-1", &[]));

    let said = debian.run(&["dpkg", "--install", &now]);
    assert!(said.contains("/var/lib/quartermaster/initial-password"), "{said}");
    let user = debian.read("/etc/passwd").lines().find(|line| line.starts_with("quartermaster:")).unwrap().to_owned();
    assert!(user.ends_with("/nologin"), "{user}");
    // What an admin sets is the admin's.
    let settings = debian.path().join("etc/quartermaster/quartermaster.toml");
    let set = debian
        .read("/etc/quartermaster/quartermaster.toml")
        .replace("#history_records = 10000", "history_records = 500");
    fs::write(&settings, &set).unwrap();

    let service = Service::start(&debian);
    let mut client = service.admin();
    assert_eq!(version_of_quartermaster(&mut client), env!("CARGO_PKG_VERSION"));
    let job = install(&mut client, &tool);
    assert_eq!(child(&job, "JobState").map(text_of).as_deref(), Some("7"), "{job:?}");
    assert!(debian.run(&["dpkg-query", "--show", "tool"]).contains("1.0-1"));
    let history = records(&mut client);
    assert!(!history.is_empty());

    // The files are exchanged under a service that runs; it is started again as an init system would do it.
    debian.run(&["dpkg", "--install", &later]);
    // A service notices what others install when dpkg has been quiet for a moment.
    eventually("the new version to be seen", PATIENCE, || {
        (version_of_quartermaster(&mut client) == "99.0.0").then_some(())
    });
    service.stop();
    let service = Service::start(&debian);
    let mut client = service.admin();
    assert_eq!(records(&mut client), history);
    assert_eq!(fs::read_to_string(&settings).unwrap(), set);
    service.stop();

    debian.run(&["dpkg", "--remove", "quartermaster"]);
    assert!(!debian.path().join("usr/bin/quartermaster").exists());
    assert!(debian.path().join(STATE).join("quartermaster.db").exists());
    debian.run(&["dpkg", "--install", &later]);
    let service = Service::start(&debian);
    assert_eq!(records(&mut service.admin()), history);
    service.stop();

    debian.run(&["dpkg", "--purge", "quartermaster"]);
    for gone in [STATE, "var/lib/quartermaster-worker", "etc/quartermaster"] {
        assert!(!debian.path().join(gone).exists(), "{gone} is still there");
    }
}

#[test]
fn the_rpm_is_installed_upgraded_and_removed_by_rpm_and_the_state_stays() {
    let folder = TempDir::new().unwrap();
    let (now, later) = (build(folder.path(), None).rpm, build(folder.path(), Some("99.0.0")).rpm);
    let system = Debian::new();
    // The libraries are Debian's, which rpm knows nothing of.
    let said = rpm(&system, &["--install", "--nodeps"], now.to_str().unwrap());
    assert!(said.contains("systemctl enable --now quartermaster-worker.socket quartermaster.service"), "{said}");
    assert!(said.contains("/var/lib/quartermaster/initial-password"), "{said}");
    let of = |path: &str| system.run(&["stat", "--format", "%U:%G %a", path]);
    assert_eq!(of("/etc/quartermaster").trim(), "root:quartermaster 750");
    assert_eq!(of("/etc/quartermaster/quartermaster.toml").trim(), "root:quartermaster 640");
    let settings = system.path().join("etc/quartermaster/quartermaster.toml");
    let set = fs::read_to_string(&settings).unwrap() + "\n# An admin's.\n";
    fs::write(&settings, &set).unwrap();

    let service = Service::start(&system);
    assert!(!installed(&mut service.admin()).is_empty());
    service.stop();
    rpm(&system, &["--upgrade", "--nodeps"], later.to_str().unwrap());
    assert_eq!(
        system.run(&["quartermaster", "--version"]).trim(),
        concat!("quartermaster ", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(rpm(&system, &["--query", "--queryformat", "%{VERSION}"], "quartermaster"), "99.0.0");
    assert_eq!(fs::read_to_string(&settings).unwrap(), set);
    let service = Service::start(&system);
    assert!(!installed(&mut service.admin()).is_empty(), "the first user's password holds");
    service.stop();
    rpm(&system, &["--erase"], "quartermaster");
    assert!(!system.path().join("usr/bin/quartermaster").exists());
    assert!(system.path().join(STATE).join("quartermaster.db").exists());
    assert_eq!(fs::read_to_string(settings.with_extension("toml.rpmsave")).unwrap(), set);
}

/// What the rpm outside does to the system inside; tells what it said.
fn rpm(system: &Debian, options: &[&str], what: &str) -> String {
    let output = Command::new("rpm").arg("--root").arg(system.path()).args(options).arg(what).output().unwrap();
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn version_of_quartermaster(client: &mut Client) -> String {
    let installed = installed(client);
    let found = installed.iter().find_map(|id| id.strip_prefix("LMI:LMI_SoftwareIdentity:quartermaster-0:"));
    let (version, _) = found.unwrap_or_else(|| panic!("{installed:?}")).rsplit_once('.').unwrap();
    version.to_owned()
}

/// What the history has of jobs that were asked for.
fn records(client: &mut Client) -> Vec<String> {
    let reply = client.ask(&Message::enumerate(&format!("{CIM}/CIM_LogEntry"), "<w:OptimizeEnumeration/>"));
    descendants(&reply, "RecordData").into_iter().map(text_of).collect()
}
