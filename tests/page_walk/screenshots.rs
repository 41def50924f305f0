//! The pictures of README.md, made by `make screenshots`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::hosts::{DebianHost, OPERATOR, page_of};
use crate::support::chromium::{Chromium, Looks};
use crate::support::gate::Gate;
use crate::support::packages::Deb;
use crate::support::server::PATIENCE;

/// What is installed on the host of the pictures: name, version, summary.
const INSTALLED: [(&str, &str, &str); 26] = [
    ("adduser", "3.134", "add and remove users and groups"),
    ("apt", "2.6.1", "commandline package manager"),
    ("base-files", "12.4+deb12u11", "Debian base system miscellaneous files"),
    ("bash", "5.2.15-2+b8", "GNU Bourne Again SHell"),
    ("ca-certificates", "20230311", "Common CA certificates"),
    ("coreutils", "9.1-1", "GNU core utilities"),
    ("cron", "3.0pl1-162", "process scheduling daemon"),
    ("curl", "7.88.1-10", "command line tool for transferring data with URL syntax"),
    ("dash", "0.5.12-2", "POSIX-compliant shell"),
    ("debconf", "1.5.82", "Debian configuration management system"),
    ("diffutils", "1:3.8-4", "File comparison utilities"),
    ("dpkg", "1.21.22", "Debian package management system"),
    ("findutils", "4.9.0-4", "utilities for finding files: find, xargs"),
    ("grep", "3.8-5", "GNU grep, egrep and fgrep"),
    ("gzip", "1.12-1", "GNU compression utilities"),
    ("hostname", "3.23+nmu1", "utility to set or show the host name or domain name"),
    ("less", "590-2", "pager program similar to more"),
    ("login", "1:4.13+dfsg1-1", "system login tools"),
    ("nginx", "1.22.1-9", "small, powerful, scalable web/proxy server"),
    ("openssh-server", "1:9.2p1-2", "secure shell (SSH) server, for secure access from remote machines"),
    ("openssl", "3.0.15-1", "Secure Sockets Layer toolkit - cryptographic utility"),
    ("passwd", "1:4.13+dfsg1-1", "change and administer password and group data"),
    ("postgresql-15", "15.8-0", "The World's Most Advanced Open Source Relational Database"),
    ("rsync", "3.2.7-1", "fast, versatile, remote (and local) file-copying tool"),
    ("tar", "1.34+dfsg-1", "GNU version of the tar archiving utility"),
    ("tzdata", "2024a-0", "time zone and daylight-saving time data"),
];

/// What the repository has that is newer.
const NEWER: [(&str, &str); 5] = [
    ("curl", "7.88.1-12"),
    ("nginx", "1.22.1-10"),
    ("openssh-server", "1:9.2p1-5"),
    ("openssl", "3.0.17-1"),
    ("postgresql-15", "15.13-0"),
];

/// The host of the pictures, with so many packages in all.
pub(crate) fn host(count: usize) -> (DebianHost, Gate) {
    let summary = |name: &str| INSTALLED.iter().find(|(known, ..)| *known == name).map(|(_, _, summary)| *summary);
    let newer = NEWER.iter().map(|(name, version)| {
        let package =
            Deb::new(name, version).field("Architecture", "amd64").field("Description", summary(name).unwrap());
        if *name == "nginx" {
            package.script("postinst", &format!("#!/bin/sh\n{}\n", Gate::in_shell()))
        } else {
            package
        }
    });
    let broken = Deb::new("broken", "1.0-1")
        .field("Architecture", "amd64")
        .field("Depends", "libssl9 (>= 9.0)")
        .field("Description", "needs what nothing has");
    let newer: Vec<Deb> = newer.chain([broken]).collect();
    let on = DebianHost::bare(&newer, "system_name = \"web-1.example.org\"\n", |root| {
        let mut status = String::new();
        for (name, version, summary) in INSTALLED {
            write!(
                status,
                "Package: {name}\nStatus: install ok installed\nMaintainer: Debian <debian@example.org>\n\
                 Architecture: amd64\nVersion: {version}\nDescription: {summary}\n\n"
            )
            .unwrap();
            fs::write(root.path().join(format!("var/lib/dpkg/info/{name}.list")), "/.\n").unwrap();
        }
        fs::write(root.path().join("var/lib/dpkg/status"), status).unwrap();
        root.fill(count.saturating_sub(INSTALLED.len()));
    });
    let gate = Gate::new(&on.root.path());
    (on, gate)
}

#[test]
#[ignore = "makes the pictures of README.md"]
fn pictures() {
    let (on, gate) = host(0);
    let reached = gate.reached();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    fs::create_dir_all(&folder).unwrap();
    let browser = Chromium::new(&on.server);
    let desktop = Looks { width: 1000, height: 560, dark: false };
    let phone = Looks { width: 390, height: 640, dark: false };
    let take = |name: &str| fs::write(folder.join(format!("{name}.png")), browser.picture()).unwrap();

    browser.look(desktop);
    browser.log_in(OPERATOR);
    browser.go("/software");
    browser.look(Looks { dark: true, ..desktop });
    take("installed-dark");
    browser.look(phone);
    take("installed-phone");
    browser.look(desktop);
    browser.go(&page_of("nginx-0:1.22.1-10.amd64"));
    browser.press("button[value=update]");
    browser.wait_for("the plan", |browser| browser.text("h1").starts_with("Update "));
    take("plan");
    browser.press("form[action='/change'] button");
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    browser.go("/");
    browser.wait_for("the job to run", |browser| browser.text("[data-part=status]").starts_with("Running: "));
    take("overview");
    waiting.go_on();
}
