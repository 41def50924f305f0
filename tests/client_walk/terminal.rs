//! A terminal at which a person runs a command: sees what it writes, types, and presses Ctrl-C.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::console::Console;
use crate::support::server::PATIENCE;

/// What a keyboard sends for Ctrl-C.
pub(crate) const CTRL_C: &str = "\u{3}";

/// A command at a terminal of its own.
#[derive(Debug)]
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    /// Runs a command on a terminal of so many columns.
    pub(crate) fn run(console: &Console, columns: u16, arguments: &[&str]) -> Self {
        let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&own).unwrap();
        unlockpt(&own).unwrap();
        tcsetwinsize(&own, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&own, Vec::new()).unwrap();
        let other: File = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap().into();
        let keyboard = File::from(own);
        let mut screen = keyboard.try_clone().unwrap();
        let child = in_session(&console.command(arguments), other);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It ends with an error when nobody has the terminal open any more.
            while let Ok(count) = screen.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen: receiver, seen: Vec::new() }
    }

    /// Waits until this was written.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        while !self.seen().contains(text) {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(octets) => self.seen.extend(octets),
                Err(why) => panic!("{text:?} was not written ({why}): {}", self.seen()),
            }
        }
    }

    /// Types keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end: the exit code, as a shell tells it, and all that was written.
    pub(crate) fn end(mut self) -> (i32, String) {
        while let Ok(octets) = self.screen.recv_timeout(PATIENCE) {
            self.seen.extend(octets);
        }
        let status = self.child.wait().unwrap();
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap();
        (code, self.seen())
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

/// A session that has the terminal for its own, so that Ctrl-C reaches whoever runs in it.
fn in_session(command: &Command, terminal: File) -> Child {
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(command.get_program()).args(command.get_args()).env("TERM", "xterm");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    session.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap()).stderr(terminal).spawn().unwrap()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
