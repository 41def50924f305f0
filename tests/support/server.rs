//! The real binary as a child process: started, killed, started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::wsman::Client;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The user of most tests; every [`Host`] has it, with the role admin.
pub const ADMIN: (&str, &str) = ("walker", "a password of the tests");

/// A host to be served: state, settings and what is managed. Servers on it come and go.
#[derive(Debug)]
pub struct Host {
    dir: TempDir,
    arguments: Vec<String>,
    settings: String,
    listen: &'static str,
}

impl Host {
    /// A host whose packages are those of `root`, handled by `engine` (`deb`, `rpm`).
    pub fn new(root: &Path, engine: &str) -> Self {
        let host = Self::bare(&["--root", root.to_str().unwrap(), "--engine", engine]);
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        host
    }

    /// A host whose image is in this folder, without packages.
    pub fn of_image(dir: &Path) -> Self {
        let host = Self::bare(&["--engine", "none", "--image", dir.to_str().unwrap()]);
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        host
    }

    /// A host without users, served with these further arguments.
    pub fn bare(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&a| a.to_owned()).collect();
        Self { dir: TempDir::new().unwrap(), arguments, settings: String::new(), listen: "127.0.0.1:0" }
    }

    /// Adds lines to the configuration file.
    pub fn with_settings(mut self, settings: &str) -> Self {
        self.settings.push_str(settings);
        self
    }

    /// The same served on another address than that of IPv4's loopback.
    pub fn listening_on(mut self, listen: &'static str) -> Self {
        self.listen = listen;
        self
    }

    /// From now on it is served with other settings.
    pub fn set_settings(&mut self, settings: &str) {
        settings.clone_into(&mut self.settings);
    }

    /// The same host served with other arguments.
    pub fn with_arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&a| a.to_owned()).collect();
        self
    }

    /// A folder for the test's own files.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// The state directory.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The folder of it that the jobs of an image have.
    pub fn image_state_dir(&self) -> PathBuf {
        self.state_dir().join("image")
    }

    /// Adds a user with the binary's own command.
    pub fn add_user(&self, name: &str, password: &str, role: &str) {
        let configuration = self.configuration();
        let arguments = ["user", "add", name, "--role", role, "--password-stdin", "--config"];
        let output = self.run_with_input(&[&arguments[..], &[configuration.to_str().unwrap()]].concat(), password);
        assert!(output.0.success(), "user add {name}: {}\n{}", output.0, output.1);
    }

    /// Runs a command of the binary on this host's state; tells how it ended and all it said.
    pub fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        self.run_with_input(arguments, "")
    }

    /// The same, with a line of input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> (ExitStatus, String) {
        let mut child = binary()
            .args(arguments)
            .arg("--state-dir")
            .arg(self.state_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing may have ended already.
        let _ = writeln!(stdin, "{input}");
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status, String::from_utf8_lossy(&said).into_owned())
    }

    /// Writes the settings where a server that is started by hand is told to find them: `quartermaster.toml` in [`Self::scratch`].
    pub fn write_settings(&self) {
        self.configuration();
    }

    /// Writes the configuration file.
    fn configuration(&self) -> PathBuf {
        let file = self.dir.path().join("quartermaster.toml");
        // Whether the service is parted in two does not depend on what users this host has.
        let user = if self.settings.contains("user = ") { "" } else { "user = \"root\"\n" };
        fs::write(&file, [user, &self.settings].concat()).unwrap();
        file
    }

    /// Starts a server on a free port of loopback and waits until it is ready.
    pub fn serve(&self) -> Server {
        self.serve_by(binary())
    }

    /// The same with a program of the test's own choice, without arguments.
    pub fn serve_by(&self, program: Command) -> Server {
        self.when_ready(self.begin(program))
    }

    /// Starts a server and does not wait.
    pub fn begin(&self, mut program: Command) -> Child {
        let configuration = self.configuration();
        program
            .args(["serve", "--listen", self.listen])
            .arg("--config")
            .arg(&configuration)
            .arg("--state-dir")
            .arg(self.state_dir())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(self.log()).unwrap())
            .spawn()
            .unwrap()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    fn when_ready(&self, mut child: Child) -> Server {
        let log = self.log();
        let lines = lines_of(&mut child);
        let mut said = Vec::new();
        let port = loop {
            let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                let _ = child.kill();
                let log = fs::read_to_string(&log).unwrap_or_default();
                panic!("the server did not become ready; it said: {said:?}\n{log}")
            });
            let address = line.strip_prefix("listening on https://").map(|rest| rest.trim_end_matches("/wsman"));
            let port = address.and_then(|address| address.rsplit_once(':')).map(|(_, port)| port);
            said.push(line.clone());
            if let Some(port) = port {
                break port.parse().unwrap_or_else(|_| panic!("no port in {line:?}"));
            }
        };
        Server { child, port, state_dir: self.state_dir(), log, said, lines }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A worker outlives its server by design; it must not outlive the test.
        for state_dir in [self.state_dir(), self.image_state_dir()] {
            workers_of(&state_dir).into_iter().for_each(kill);
        }
    }
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The port it listens on.
    pub port: u16,
    state_dir: PathBuf,
    log: PathBuf,
    said: Vec<String>,
    lines: mpsc::Receiver<String>,
}

impl Server {
    /// The address that clients use.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/wsman", self.port)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output, up to now.
    pub fn said(&mut self) -> String {
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(200)) {
            self.said.push(line);
        }
        self.said.join("\n")
    }

    /// The certificate it made for itself.
    pub fn certificate(&self) -> PathBuf {
        self.state_dir.join("tls/certificate.pem")
    }

    /// That certificate's key.
    pub fn certificate_key(&self) -> PathBuf {
        self.state_dir.join("tls/key.pem")
    }

    /// A connection as [`ADMIN`].
    pub fn admin(&self) -> Client {
        self.client(ADMIN.0, ADMIN.1)
    }

    /// A connection as some user.
    pub fn client(&self, user: &str, password: &str) -> Client {
        Client::new(self.port, user, password)
    }

    /// Ends it as a crash does: SIGKILL, no time to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same for its whole process group, of which it must be the leader.
    pub fn kill_group(mut self) {
        let group = format!("-{}", self.child.id());
        assert!(Command::new("kill").args(["-9", "--", &group]).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it did.
    pub fn stop(mut self) -> ExitStatus {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its log, for messages to a person.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// The binary under test, in a language of its own.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartermaster"));
    command.env("LC_ALL", "C.UTF-8").env_remove("RUST_LOG");
    command
}

/// The worker processes of a state directory. That of the image beside the host has the folder `image` in it.
pub fn workers_of(state_dir: &Path) -> Vec<u32> {
    let state_dir = state_dir.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|&b| b == 0).collect();
            words.get(1) == Some(&b"worker".as_slice()) && words.contains(&state_dir.as_bytes())
        })
        .collect()
}

/// SIGKILL to one process.
pub fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
}

fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
