//! The measured host: a private root with a dpkg database as a grown server has it.

use std::fmt::Write as _;
use std::fs;

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

/// The InstanceIDs of some packages, spread over all of them.
pub(crate) fn identities(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| i * 29 % super::PACKAGES).map(|i| {
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
