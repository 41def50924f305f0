//! How a worker process is started.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A log longer than this is put aside when the next worker starts.
const MAX_LOG: u64 = 1024 * 1024;

/// How the worker process is started when none listens.
#[derive(Clone, Debug, Default)]
pub struct WorkerProgram {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// A program and its arguments that the whole is given to, so that the worker is not ended with the service; it becomes
    /// the worker. Empty for none. If the worker does not start so, it is started without.
    pub launcher: Vec<OsString>,
    /// What such a worker greets with, to be known from those that were told something else.
    pub orders: String,
}

impl WorkerProgram {
    /// Starts a worker that outlives this process, with these words before it. Its log is a file in its folder.
    pub fn launch(&self, launcher: &[OsString], worker_dir: &Path, input: Stdio) -> io::Result<Child> {
        let log = worker_dir.join("worker.log");
        if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > MAX_LOG) {
            fs::rename(&log, worker_dir.join("worker.log.old"))?;
        }
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
        let program = self.program.clone().into_os_string();
        let mut words = launcher.iter().chain([&program]).chain(&self.arguments);
        Command::new(words.next().unwrap_or(&program))
            .args(words)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
    }
}
