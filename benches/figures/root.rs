//! The measured host: a private root with a dpkg database as a grown server has it.

use std::fmt::Write as _;
use std::fs;

use super::PACKAGES;
use super::support::packages::DebRoot;

const WORDS: [&str; 32] = [
    "library",
    "daemon",
    "shared",
    "runtime",
    "development",
    "files",
    "headers",
    "common",
    "utilities",
    "interface",
    "protocol",
    "network",
    "graphical",
    "terminal",
    "database",
    "compression",
    "encryption",
    "documentation",
    "module",
    "framework",
    "support",
    "configuration",
    "language",
    "bindings",
    "transition",
    "package",
    "debugging",
    "symbols",
    "server",
    "client",
    "plugin",
    "system",
];
const SECTIONS: [&str; 6] = ["libs", "utils", "net", "devel", "python", "admin"];

/// Writes `count` installed packages; about as much text for each as Debian's packages have.
pub(crate) fn fill(root: &DebRoot, count: usize) {
    let database = root.path().join("var/lib/dpkg");
    let mut status = String::new();
    for i in 0..count {
        let (name, version) = (name(i), version(i));
        write!(
            status,
            "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: {}\nInstalled-Size: {}\n\
             Maintainer: Debian {} Team <team+{}@tracker.example.org>\nArchitecture: {}\nMulti-Arch: same\n\
             Source: {name} ({version})\nVersion: {version}\nDepends: libc6 (>= 2.34), libgcc-s1 (>= 3.0)\n\
             Description: {}\n{}Homepage: https://www.example.org/{name}\n\n",
            SECTIONS[i % SECTIONS.len()],
            40 + i * 7 % 9000,
            WORDS[i % WORDS.len()],
            SECTIONS[i % SECTIONS.len()],
            architecture(i),
            text(i, 7),
            description(i),
        )
        .unwrap();
        fs::write(database.join(format!("info/{name}.list")), format!("/.\n/usr\n/usr/share/doc/{name}\n")).unwrap();
    }
    fs::write(database.join("status"), status).unwrap();
}

/// Lets a repository of the root offer `count` packages besides, as apt would have fetched its lists.
pub(crate) fn offer(root: &DebRoot, count: usize) {
    let (apt, lists) = (root.path().join("etc/apt"), root.path().join("var/lib/apt/lists"));
    fs::create_dir_all(&apt).unwrap();
    fs::create_dir_all(&lists).unwrap();
    fs::write(apt.join("sources.list"), "deb http://archive.example.org/debian stable main\n").unwrap();
    let place = "archive.example.org_debian_dists_stable";
    let release = "Origin: Example\nCodename: stable\nDate: Sat, 28 Nov 2026 10:00:00 UTC\n";
    fs::write(lists.join(format!("{place}_Release")), release).unwrap();
    let mut packages = String::new();
    for i in PACKAGES..PACKAGES + count {
        let (name, version) = (name(i), version(i));
        write!(
            packages,
            "Package: {name}\nVersion: {version}\nInstalled-Size: {}\n\
             Maintainer: Debian {} Team <team+{}@tracker.example.org>\nArchitecture: {}\n\
             Depends: libc6 (>= 2.34), libgcc-s1 (>= 3.0), libstdc++6 (>= 5)\nDescription: {}\n{}\
             Homepage: https://www.example.org/{name}\nSection: {}\nPriority: optional\n\
             Filename: pool/main/l/{name}/{name}_{version}.deb\nSize: {}\nMD5sum: {i:032x}\nSHA256: {i:064x}\n\n",
            40 + i * 7 % 9000,
            WORDS[i % WORDS.len()],
            SECTIONS[i % SECTIONS.len()],
            architecture(i),
            text(i, 7),
            description(i),
            SECTIONS[i % SECTIONS.len()],
            1000 + i * 13 % 900_000,
        )
        .unwrap();
    }
    fs::write(lists.join(format!("{place}_main_binary-amd64_Packages")), packages).unwrap();
}

/// The InstanceIDs of some packages, spread over all of them.
pub(crate) fn identities(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| i * 29 % PACKAGES).map(|i| {
        let version = version(i);
        let version = if version.contains(':') { version } else { format!("0:{version}") };
        format!("LMI:LMI_SoftwareIdentity:{}-{version}.{}", name(i), architecture(i))
    })
}

fn name(i: usize) -> String {
    format!("lib{}-{}{}", WORDS[i % WORDS.len()], WORDS[(i * 7 + 3) % WORDS.len()], i)
}

fn version(i: usize) -> String {
    let epoch = if i.is_multiple_of(17) { "1:" } else { "" };
    format!("{epoch}{}.{}.{}+dfsg-{}", i % 9, i % 23, i % 41, 1 + i % 5)
}

fn architecture(i: usize) -> &'static str {
    if i.is_multiple_of(3) { "all" } else { "amd64" }
}

fn text(seed: usize, words: usize) -> String {
    let words: Vec<&str> = (0..words).map(|w| WORDS[(seed * 13 + w * 5 + w * w) % WORDS.len()]).collect();
    words.join(" ")
}

/// Two to nine lines, as long descriptions have them.
fn description(i: usize) -> String {
    (0..2 + i % 8).map(|line| format!(" {}.\n", text(i + line * 3, 9))).collect()
}
