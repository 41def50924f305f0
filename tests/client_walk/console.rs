//! A person at a console, who knows no host yet: runs commands of the real binary and sees what they say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::server::{ADMIN, Server, binary};

/// A person's settings and passwords.
#[derive(Debug)]
pub(crate) struct Console {
    dir: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What a command said, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Console {
    /// Of the user of most tests.
    pub(crate) fn new() -> Self {
        let console = Self { dir: TempDir::new().unwrap(), variables: Vec::new() };
        console.with("QUARTERMASTER_USER", ADMIN.0).with("QUARTERMASTER_PASSWORD", ADMIN.1)
    }

    /// The same with another variable.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The same without a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self
    }

    /// A file of the person's own, with these permissions.
    pub(crate) fn file(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Where hosts are remembered.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.dir.path().join("quartermaster/known_hosts")
    }

    /// The SHA-256 by which a host is remembered.
    pub(crate) fn digits(&self, server: &Server) -> String {
        let known = fs::read_to_string(self.known_hosts()).unwrap();
        let peer = format!("127.0.0.1:{} sha256:", server.port);
        known.lines().find_map(|line| line.strip_prefix(&peer)).unwrap().to_owned()
    }

    /// A command without a host.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.args(arguments).env("XDG_CONFIG_HOME", self.dir.path()).stdin(Stdio::null());
        for name in ["QUARTERMASTER_USER", "QUARTERMASTER_PASSWORD"] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command on a host that is trusted at first sight.
    pub(crate) fn at(&self, server: &Server, arguments: &[&str]) -> Said {
        let host = format!("127.0.0.1:{}", server.port);
        self.run(&[arguments, &["--host", &host, "--accept-new-certificate"]].concat())
    }

    /// The same; it must go well. Gives what it wrote to the standard output.
    #[track_caller]
    pub(crate) fn good(&self, server: &Server, arguments: &[&str]) -> String {
        let said = self.at(server, arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:#?}");
        said.out
    }
}
