//! A Debian system in a folder, with processes and mounts of its own, which end with the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use tempfile::TempDir;

use crate::control_group::ControlGroup;
use crate::support::eventually;
use crate::support::server::PATIENCE;

/// The archive that `make test-needs` makes.
fn archive() -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    target.join("debian-root.tar")
}

/// The archive's system in a folder.
fn unpacked() -> TempDir {
    let root = TempDir::new().unwrap();
    let archive = File::open(archive()).expect("make test-needs makes target/debian-root.tar");
    let mut unpacking = Command::new("tar");
    unpacking.args(["--extract", "--numeric-owner", "--directory"]).arg(root.path()).stdin(archive);
    assert!(unpacking.status().unwrap().success());
    root
}

fn child_of(process: &Child) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", process.id())).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// The system.
#[derive(Debug)]
pub(crate) struct Debian {
    root: TempDir,
    holder: Child,
    /// Closed, it ends the system's first process, and every other one with it.
    _stdin: Option<ChildStdin>,
    inside: u32,
    /// Given up after the system's processes have ended.
    _group: Option<ControlGroup>,
}

impl Debian {
    /// One without an init system.
    pub(crate) fn new() -> Self {
        let root = unpacked();
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
        let inside = child_of(&holder).unwrap();
        let stdin = holder.stdin.take();
        Self { root, holder, _stdin: stdin, inside, _group: None }
    }

    /// One whose first process is systemd; an error says why this machine cannot run one.
    pub(crate) fn booted() -> Result<Self, String> {
        let root = unpacked();
        let packages = "dpkg --install /var/cache/apt/archives/*.deb";
        let installed = Command::new("chroot").arg(root.path()).args(["/bin/sh", "-c", packages]).output().unwrap();
        let said = [installed.stdout, installed.stderr].concat();
        assert!(installed.status.success(), "make test-needs: {}", String::from_utf8_lossy(&said));
        let group = ControlGroup::new()?;
        let log = File::create(root.path().join("boot.log")).unwrap();
        let mut holder = Command::new("/bin/sh")
            .args(["-c", "echo $$ >\"$1\" && shift && exec unshare \"$@\"", "sh"])
            .arg(group.processes())
            .args(["--mount", "--pid", "--cgroup", "--uts", "--ipc", "--fork", "--kill-child", "/bin/sh"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package_walk/boot.sh"))
            .arg(root.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let inside = eventually("the system's first process", PATIENCE, || {
            let ended = holder.try_wait().unwrap().map(|_| 0);
            child_of(&holder).or(ended)
        });
        let debian = Self { root, holder, _stdin: None, inside, _group: Some(group) };
        debian
            .has_booted()
            .then_some(())
            .ok_or_else(|| format!("systemd does not start: {}", debian.read("boot.log")))?;
        Ok(debian)
    }

    /// Waits until systemd has started what belongs to a boot, or has ended.
    fn has_booted(&self) -> bool {
        eventually("systemd to answer or to end", PATIENCE, || {
            if !Path::new(&format!("/proc/{}", self.inside)).exists() {
                return Some(false);
            }
            let output = self.command(&["systemctl", "is-system-running", "--wait"]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            matches!(said.trim(), "running" | "degraded").then_some(true)
        })
    }

    /// The system's folder, from outside.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// A command inside.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--mount", "--pid", "--uts", "--root", "--wd", "--target"])
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
