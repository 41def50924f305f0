//! How files were installed, as the package files of archives on this host tell it.

use std::fs;

use quartermaster::software::{FileRecord, Manager};

use super::engine;
use super::support::operations::nevra;
use super::support::packages::{Deb, DebRoot};

/// Whether more is known of the files than dpkg knows.
fn knows_modes(engine: &dyn Manager) -> bool {
    let files = engine.files(&nevra("alpha-0:1.all")).unwrap();
    assert!(!files.is_empty());
    files.iter().any(|file| file.mode.is_some())
}

#[test]
fn a_list_without_strong_sums_is_not_trusted() {
    let root = DebRoot::new();
    let file = Deb::new("alpha", "1").file("usr/share/alpha/data", "data").build(&root.scratch());
    let root = root.with_repository(std::slice::from_ref(&file));
    root.install_by_hand(&file);
    let engine = engine(&root);
    assert!(knows_modes(&*engine));
    let source = fs::read_to_string(root.path().join("etc/apt/sources.list")).unwrap();
    let archive = source.split_once("file:").unwrap().1.trim_end().trim_end_matches(" ./");
    let list = std::path::Path::new(archive).join("Packages");
    let text = fs::read_to_string(&list).unwrap();
    let weak: String =
        text.lines().filter(|line| !line.starts_with("SHA256:")).map(|line| format!("{line}\n")).collect();
    assert!(weak.len() < text.len() && weak.contains("MD5sum:"), "{weak}");
    fs::write(&list, weak).unwrap();
    root.update_by_hand();
    assert_eq!(engine.catalog().unwrap().len(), 1);
    assert!(!knows_modes(&*engine));
}

#[test]
fn paths_are_those_of_the_files() {
    let root = DebRoot::new();
    let alpha = Deb::new("alpha", "1").file("usr/share/alpha/data", "data").conffile("etc/alpha.conf", "a=1\n");
    root.install_by_hand(&alpha.build(&root.scratch()));
    let divert = std::process::Command::new("dpkg-divert")
        .arg("--root")
        .arg(root.path())
        .args(["--local", "--divert", "/usr/share/alpha/mine", "--rename", "/usr/share/alpha/data"])
        .output()
        .unwrap();
    assert!(divert.status.success(), "{divert:?}");
    let engine = engine(&root);
    let of_files = |files: Vec<FileRecord>| files.into_iter().map(|file| file.path).collect::<Vec<String>>();
    let paths = engine.paths(&nevra("alpha-0:1.all")).unwrap();
    assert_eq!(paths, of_files(engine.files(&nevra("alpha-0:1.all")).unwrap()));
    assert!(paths.contains(&"/usr/share/alpha/mine".to_owned()) && paths.contains(&"/etc/alpha.conf".to_owned()));
    assert!(engine.paths(&nevra("alpha-0:2.all")).unwrap().is_empty());
}
