//! The measured host: a private root with a dpkg database as a grown server has it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use openssl::sha::sha256;

use super::PACKAGES;
use super::support::packages::{DebRoot, RpmRoot};

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
    list(root, (PACKAGES..PACKAGES + count).map(|i| (i, version(i))));
}

/// The same with a newer version of each of the first `count` packages.
pub(crate) fn offer_updates(root: &DebRoot, count: usize) {
    list(root, (0..count).map(|i| (i, version(i) + "+u1")));
}

/// Lists what a repository has: numbers of packages, and their versions.
fn list(root: &DebRoot, offered: impl Iterator<Item = (usize, String)>) {
    let (apt, lists) = (root.path().join("etc/apt"), root.path().join("var/lib/apt/lists"));
    fs::create_dir_all(&apt).unwrap();
    fs::create_dir_all(&lists).unwrap();
    fs::write(apt.join("sources.list"), "deb http://archive.example.org/debian stable main\n").unwrap();
    let place = "archive.example.org_debian_dists_stable";
    let release = "Origin: Example\nCodename: stable\nDate: Sat, 28 Nov 2026 10:00:00 UTC\n";
    fs::write(lists.join(format!("{place}_Release")), release).unwrap();
    let mut packages = String::new();
    for (i, version) in offered {
        let name = name(i);
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

/// The same on an RPM host, with as much about each package as Fedora's lists have: what it needs, provides and holds.
pub(crate) fn offer_rpms(root: &RpmRoot, count: usize) {
    let url = "http://archive.example.org/rpm/";
    let configuration = root.path().join("etc/yum.repos.d");
    fs::create_dir_all(&configuration).unwrap();
    let text = format!("[example]\nname=Example\nbaseurl={url}\nenabled=1\ngpgcheck=0\n");
    fs::write(configuration.join("example.repo"), text).unwrap();
    let digest: String = sha256(url.as_bytes()).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    let repodata = root.path().join(format!("var/cache/dnf/example-{digest}/repodata"));
    fs::create_dir_all(&repodata).unwrap();
    let mut list = GzEncoder::new(Vec::new(), Compression::default());
    write!(list, "<metadata xmlns=\"c\" xmlns:rpm=\"r\" packages=\"{count}\">").unwrap();
    (0..count).for_each(|i| list.write_all(rpm(i).as_bytes()).unwrap());
    write!(list, "</metadata>").unwrap();
    let list = list.finish().unwrap();
    let sum: String = sha256(&list).iter().map(|octet| format!("{octet:02x}")).collect();
    fs::write(repodata.join("primary.xml.gz"), list).unwrap();
    let index = format!(
        "<repomd><revision>1</revision><data type=\"primary\"><checksum type=\"sha256\">{sum}</checksum>\
         <location href=\"repodata/primary.xml.gz\"/><timestamp>1800000000</timestamp></data></repomd>"
    );
    fs::write(repodata.join("repomd.xml"), index).unwrap();
}

fn rpm(i: usize) -> String {
    let (name, entry) =
        (name(i), |what: &str| format!("<rpm:entry name=\"{what}\" flags=\"EQ\" epoch=\"0\" ver=\"1\"/>"));
    let needs: String =
        (0..12).map(|n| entry(&format!("lib{}.so.{n}()(64bit)", WORDS[(i + n) % WORDS.len()]))).collect();
    let provides: String = (0..4).map(|n| entry(&format!("{name}-{n}"))).collect();
    let files: String = (0..3).map(|n| format!("<file>/usr/bin/{name}-{n}</file>")).collect();
    format!(
        "<package type=\"rpm\"><name>{name}</name><arch>noarch</arch><version epoch=\"0\" ver=\"{}.{}\" rel=\"{}.fc41\"/>\
         <checksum type=\"sha256\" pkgid=\"YES\">{i:064x}</checksum><summary>{}</summary><description>{}</description>\
         <packager>Example Project</packager><url>https://www.example.org/{name}</url><time file=\"1\" build=\"2\"/>\
         <size package=\"{}\" installed=\"{}\" archive=\"5\"/><location href=\"Packages/{name}.rpm\"/><format>\
         <rpm:license>MIT</rpm:license><rpm:vendor>Example</rpm:vendor><rpm:group>Unspecified</rpm:group>\
         <rpm:provides>{provides}</rpm:provides><rpm:requires>{needs}</rpm:requires>{files}</format></package>",
        i % 9,
        i % 41,
        1 + i % 5,
        text(i, 7),
        description(i),
        1000 + i * 13 % 900_000,
        40 + i * 7 % 9000,
    )
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
