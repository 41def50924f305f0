//! Runs a tool that changes the system, and hears what it says while it works.
//!
//! The tool writes into files, not pipes: if this process dies, the tool goes on and is not killed by its next line.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::CancelToken;
use super::login::without_logins;
use super::tool::{kill_group, wait_for_end};

/// How often the tool's files are looked at while it works.
const PACE: Duration = Duration::from_millis(50);

/// How long a tool that is asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How many lines from the beginning, and as many from the end, of what a tool says are kept.
const KEPT_LINES: usize = 200;

/// Of longer lines only the beginning is kept.
const LONGEST_LINE: usize = 2048;

/// A file of output that has grown to this size is emptied as soon as it was read.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// A file of output that has grown to this size is emptied at once.
const FLOOD: u64 = 64 * 1024 * 1024;

/// Hears a tool at work.
pub(super) trait Listener {
    /// It was started; the start time is field 22 of `/proc/PID/stat`.
    fn started(&mut self, _pid: u32, _start_ticks: u64) {}
    /// It said a line on its standard output or error.
    fn said(&mut self, _line: &str) {}
    /// It wrote a line to its status descriptor.
    fn status(&mut self, _line: &str) {}
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; it may lie.
    pub status: ExitStatus,
    /// What it said: the first and the last lines.
    pub said: Said,
}

/// The first and the last lines of a tool's output and error.
#[derive(Debug, Default)]
pub(super) struct Said {
    first: Vec<String>,
    last: VecDeque<String>,
}

impl Said {
    /// The kept lines, in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.first.iter().chain(&self.last).map(String::as_str)
    }

    fn push(&mut self, line: &str) {
        if self.first.len() < KEPT_LINES {
            self.first.push(line.to_owned());
            return;
        }
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }
}

#[cfg(test)]
impl<'l> FromIterator<&'l str> for Said {
    fn from_iter<T: IntoIterator<Item = &'l str>>(lines: T) -> Self {
        let mut said = Self::default();
        lines.into_iter().for_each(|line| said.push(line));
        said
    }
}

/// The files that a tool writes into.
#[derive(Debug)]
pub(super) struct Stage {
    output: Tail,
    status: Tail,
}

impl Stage {
    /// Makes the files in `scratch`, a folder of the operation's own.
    pub(super) fn new(scratch: &Path) -> io::Result<Self> {
        Ok(Self { output: Tail::create(&scratch.join("output"))?, status: Tail::create(&scratch.join("status"))? })
    }

    /// The number of a descriptor that the tool inherits, for its status lines.
    pub(super) fn status_fd(&self) -> io::Result<RawFd> {
        rustix::io::fcntl_setfd(&self.status.file, rustix::io::FdFlags::empty())?;
        Ok(self.status.file.as_raw_fd())
    }

    /// Runs the tool to its end. With a token, the tool and its children are stopped as soon as it is cancelled: for
    /// tools that have not changed anything.
    pub(super) fn run(
        mut self,
        command: &mut Command,
        listener: &mut dyn Listener,
        cancel: Option<&CancelToken>,
    ) -> io::Result<Ended> {
        let (out, err) = (self.output.file.try_clone()?, self.output.file.try_clone()?);
        let mut child = command.stdout(out).stderr(err).spawn()?;
        listener.started(child.id(), start_ticks(child.id()).unwrap_or(0));
        let mut said = Said::default();
        let mut stop = Stop::default();
        let mut is_deaf = false;
        loop {
            // Without a paced wait the end is waited for at one go.
            let has_ended = wait_for_end(&child, PACE).unwrap_or(true);
            // The tool goes on changing packages whether it is heard or not, so its end is waited for all the same.
            if !is_deaf && let Err(error) = self.hear(listener, &mut said) {
                tracing::error!(%error, "what a package tool says cannot be read any more");
                is_deaf = true;
            }
            if has_ended {
                break;
            }
            if cancel.is_some_and(CancelToken::is_cancelled) {
                stop.ask(&child);
            }
        }
        if stop.asked.is_some() {
            // What it started may not have heard, or not heeded, that it should end.
            kill_group(&child);
        }
        let status = child.wait()?;
        self.hear_rest(listener, &mut said);
        Ok(Ended { status, said })
    }

    fn hear(&mut self, listener: &mut dyn Listener, said: &mut Said) -> io::Result<()> {
        self.status.read_lines(|line| listener.status(line))?;
        self.output.read_lines(|line| {
            let line = &without_logins(line);
            said.push(line);
            listener.said(line);
        })
    }

    /// A last line may have no end.
    fn hear_rest(&mut self, listener: &mut dyn Listener, said: &mut Said) {
        self.status.finish(|line| listener.status(line));
        self.output.finish(|line| {
            let line = &without_logins(line);
            said.push(line);
            listener.said(line);
        });
    }
}

/// Stops a tool's process group: asks first, and kills it when it takes too long.
#[derive(Debug, Default)]
struct Stop {
    asked: Option<Instant>,
}

impl Stop {
    fn ask(&mut self, child: &Child) {
        let signal = match self.asked {
            None => Signal::TERM,
            Some(at) if at.elapsed() > GRACE => Signal::KILL,
            Some(_) => return,
        };
        self.asked.get_or_insert_with(Instant::now);
        // The error does not matter: the group may have ended by itself.
        let _ = kill_process_group(Pid::from_child(child), signal);
    }
}

/// When the process was started, in clock ticks since boot: field 22 of its `stat`, counted after the name, which may
/// hold blanks and brackets.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// A file that grows at its end while it is read.
#[derive(Debug)]
struct Tail {
    file: File,
    at: u64,
    partial: Vec<u8>,
}

impl Tail {
    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.set_len(0)?;
        Ok(Self { file, at: 0, partial: Vec::new() })
    }

    /// Hands over the lines that were added. A carriage return ends a line too, and so does the tool's silence: some
    /// write the end of a line only when they have more to say.
    fn read_lines(&mut self, mut line: impl FnMut(&str)) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let from = self.at;
        loop {
            let n = self.file.read_at(&mut buffer, self.at)?;
            self.at += n as u64;
            for byte in buffer.iter().take(n) {
                match byte {
                    b'\n' | b'\r' => self.end_line(&mut line),
                    _ if self.partial.len() < LONGEST_LINE => self.partial.push(*byte),
                    _ => {}
                }
            }
            // The writer appends, so it goes on at the new end. A flood that outruns the reading loses its middle.
            if self.at >= FLOOD || (n == 0 && self.at >= LARGEST_FILE) {
                self.file.set_len(0)?;
                self.at = 0;
                return Ok(());
            }
            if n == 0 {
                if self.at == from {
                    self.end_line(&mut line);
                }
                return Ok(());
            }
        }
    }

    fn finish(&mut self, mut line: impl FnMut(&str)) {
        self.end_line(&mut line);
    }

    fn end_line(&mut self, line: &mut impl FnMut(&str)) {
        if !self.partial.is_empty() {
            line(&String::from_utf8_lossy(&self.partial));
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::tool::command;
    use crate::software::tool::tests::wait_until_gone;

    #[derive(Default)]
    struct Heard {
        pid: u32,
        ticks: u64,
        status: Vec<String>,
        cancel_at: Option<(&'static str, CancelToken)>,
    }

    impl Listener for Heard {
        fn started(&mut self, pid: u32, start_ticks: u64) {
            (self.pid, self.ticks) = (pid, start_ticks);
        }

        fn said(&mut self, line: &str) {
            if let Some((text, token)) = &self.cancel_at
                && line == *text
            {
                token.cancel();
            }
        }

        fn status(&mut self, line: &str) {
            self.status.push(line.to_owned());
        }
    }

    fn shell(script: &str, heard: &mut Heard, cancel: Option<&CancelToken>) -> Ended {
        let dir = tempfile::tempdir().unwrap();
        let stage = Stage::new(dir.path()).unwrap();
        let fd = stage.status_fd().unwrap();
        stage.run(command("sh").args(["-c", script, "sh", &fd.to_string()]), heard, cancel).unwrap()
    }

    #[test]
    fn hears_output_and_status_apart() {
        let mut heard = Heard::default();
        // Debian's sh knows descriptors by number up to 9 only.
        let ended = shell("echo one; echo status >> /dev/fd/$1; echo two >&2; printf three; exit 4", &mut heard, None);
        assert_eq!(ended.said.lines().collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(heard.status, ["status"]);
        assert!(heard.pid > 0 && heard.ticks > 0);
        assert_eq!(ended.status.code(), Some(4));
    }

    #[test]
    fn a_line_without_end_is_heard_when_the_tool_falls_silent() {
        let token = CancelToken::default();
        let mut heard = Heard { cancel_at: Some(("waiting...", token.clone())), ..Heard::default() };
        let ended = shell("printf waiting...; sleep 600", &mut heard, Some(&token));
        assert!(!ended.status.success());
    }

    #[test]
    fn a_cancelled_tool_is_stopped_with_its_children() {
        let token = CancelToken::default();
        let mut heard = Heard { cancel_at: Some(("ready", token.clone())), ..Heard::default() };
        let ended = shell("sleep 600 & echo ready; wait", &mut heard, Some(&token));
        assert!(!ended.status.success());
    }

    #[test]
    fn what_does_not_heed_the_stop_is_killed_when_the_tool_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let file = pid.display();
        let script = format!(
            "sh -c 'trap \"\" TERM; echo $$ >{file}; exec sleep 600' & until test -s {file}; do :; done; echo ready; wait"
        );
        let token = CancelToken::default();
        let mut heard = Heard { cancel_at: Some(("ready", token.clone())), ..Heard::default() };
        let ended = shell(&script, &mut heard, Some(&token));
        assert!(!ended.status.success());
        wait_until_gone(&pid);
    }

    #[test]
    fn floods_are_bounded() {
        let mut heard = Heard::default();
        let ended = shell("head -c 20000000 /dev/zero | tr '\\0' x; yes | head -n 3000000", &mut heard, None);
        let lines: Vec<&str> = ended.said.lines().collect();
        assert_eq!(lines.len(), 2 * KEPT_LINES);
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
    }
}
