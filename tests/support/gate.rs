//! A gate that a package's script waits at, so that a test decides how long an installation takes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

const NAME: &str = "gate";
/// Linux's `O_NONBLOCK`: opening does not wait for a reader.
const O_NONBLOCK: i32 = 0o4000;

/// A named pipe in a root; opened when dropped, so that no script waits for ever.
#[derive(Debug)]
pub struct Gate(PathBuf);

impl Gate {
    /// Makes the gate of a root.
    pub fn new(root: &Path) -> Self {
        let gate = root.join(NAME);
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        Self(gate)
    }

    /// The pipe.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A shell script that waits at the gate, in a chroot and outside of one.
    pub fn in_shell() -> String {
        format!("read -r line < \"${{DPKG_ROOT:-}}/{NAME}\"")
    }

    /// The same in lua, which rpm runs inside the root.
    pub fn in_lua() -> String {
        format!("local gate = io.open('/{NAME}', 'r')\ngate:read('*l')\ngate:close()")
    }

    /// Opens the gate as soon as a script stands there; tells when it went on.
    pub fn open_when_reached(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        let reached = self.reached();
        thread::spawn(move || {
            if let Ok(waiting) = reached.recv() {
                waiting.go_on();
                let _ = sender.send(());
            }
        });
        receiver
    }

    /// Tells when a script stands at the gate, which stays closed.
    pub fn reached(&self) -> mpsc::Receiver<Waiting> {
        let (sender, receiver) = mpsc::channel();
        let gate = self.0.clone();
        thread::spawn(move || {
            // Opening waits for a reader, and the reader waits for a line.
            if let Ok(gate) = OpenOptions::new().write(true).open(gate) {
                let _ = sender.send(Waiting(gate));
            }
        });
        receiver
    }
}

/// A script that stands at the gate.
#[derive(Debug)]
pub struct Waiting(File);

impl Waiting {
    /// Lets the script go on.
    pub fn go_on(mut self) {
        let _ = writeln!(self.0, "go").and_then(|()| self.0.flush());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Ok(mut gate) = OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&self.0) {
            let _ = writeln!(gate, "go");
        }
    }
}
