//! A Debian system in a folder, with processes and mounts of its own, which end with the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use tempfile::TempDir;

/// The archive that `make test-needs` makes.
fn archive() -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    target.join("debian-root.tar")
}

/// The system.
#[derive(Debug)]
pub(crate) struct Debian {
    root: TempDir,
    holder: Child,
    /// Closed, it ends the system's first process, and every other one with it.
    _stdin: Option<ChildStdin>,
    inside: u32,
}

impl Debian {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        let archive = File::open(archive()).expect("make test-needs makes target/debian-root.tar");
        let mut unpacking = Command::new("tar");
        unpacking.args(["--extract", "--numeric-owner", "--directory"]).arg(root.path()).stdin(archive);
        assert!(unpacking.status().unwrap().success());
        let mut holder = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "chroot"])
            .arg(root.path())
            .args(["/bin/sh", "-c", "mount -t proc proc /proc && echo ready && read end"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n", "no system of its own: the test needs root");
        let children = format!("/proc/{0}/task/{0}/children", holder.id());
        let inside = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
        let stdin = holder.stdin.take();
        Self { root, holder, _stdin: stdin, inside }
    }

    /// The system's folder, from outside.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// A command inside.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--mount", "--pid", "--root", "--wd", "--target"])
            .arg(self.inside.to_string())
            .arg("--")
            .args(words);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        command
    }

    /// Runs a command inside that must succeed; tells what it said.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(words).output().unwrap();
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        assert!(status.success(), "{words:?} ended with {status}\n{said}");
        said
    }

    /// A file inside.
    pub(crate) fn read(&self, path: &str) -> String {
        let mut text = String::new();
        let path = self.path().join(path.trim_start_matches('/'));
        File::open(&path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .unwrap_or_else(|e| panic!("{path:?}: {e}"));
        text
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
