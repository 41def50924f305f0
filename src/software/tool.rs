//! Runs a package family's tools for an answer: cleaned environment, no input, bounded output, bounded time.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid};

/// Where tools and their scripts find programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of the standard error of a query is kept.
const STDERR_KEPT: usize = 16 * 1024;

/// How often a child is looked at where the kernel does not tell of its end.
const PACE: Duration = Duration::from_millis(50);

/// How long a tool that was killed may take to end before it is left to itself: one that waits for a broken disk never does.
const LONGEST_DEATH: Duration = Duration::from_secs(5);

/// What a tool answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, whole.
    pub stdout: Vec<u8>,
    /// The beginning of its standard error.
    pub stderr: String,
}

/// A tool with a cleaned environment, in a process group of its own, without input.
pub(super) fn command(tool: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(tool);
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/root")
        .current_dir("/")
        .stdin(Stdio::null())
        .process_group(0);
    command
}

/// Whether a tool is installed where tools are looked for.
pub(super) fn is_there(tool: &str) -> bool {
    place_of(tool).is_some()
}

/// Where a tool is installed.
pub(super) fn place_of(tool: &str) -> Option<PathBuf> {
    PATH.split(':').map(|folder| Path::new(folder).join(tool)).find(|file| file.is_file())
}

/// Runs a tool that changes nothing and takes its answer; one that answers more than `most` bytes or takes longer
/// than `limit` is killed, and with it what it has started. What it leaves behind is not waited for.
pub(super) fn ask(command: &mut Command, most: usize, limit: Duration) -> io::Result<Answer> {
    let deadline = Instant::now() + limit;
    let mut tool = Tool(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let (stdout, stderr) = collect(&mut tool.0, most, deadline)?;
    let status = tool.end(deadline)?;
    Ok(Answer { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// A tool that changes nothing, at work. Killed with all of its process group when it is dropped.
#[derive(Debug)]
struct Tool(Child);

impl Tool {
    /// Waits for the end.
    fn end(&mut self, deadline: Instant) -> io::Result<ExitStatus> {
        while !wait_for_end(&self.0, deadline.saturating_duration_since(Instant::now()))? {
            if Instant::now() >= deadline {
                return Err(late());
            }
        }
        kill_group(&self.0);
        self.0.wait()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Of one whose end was taken the number may be another's by now.
        if has_ended(&self.0).is_err() {
            return;
        }
        kill_group(&self.0);
        let deadline = Instant::now() + LONGEST_DEATH;
        while Instant::now() < deadline {
            match wait_for_end(&self.0, deadline.saturating_duration_since(Instant::now())) {
                Ok(false) => {}
                Ok(true) => {
                    // Its end does not matter any more.
                    let _ = self.0.wait();
                    return;
                }
                Err(_) => return,
            }
        }
        tracing::error!(pid = self.0.id(), "a tool does not end although it was killed");
    }
}

/// Kills a child and everything in its process group. Only of use as long as its end was not taken: then its number could be
/// another's.
pub(super) fn kill_group(child: &Child) {
    // The error does not matter: the group may have ended by itself.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Whether a child has ended, without taking its end.
fn has_ended(child: &Child) -> io::Result<bool> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), look)?.is_some())
}

/// Waits for the end of a child, for `limit` or less, and tells whether it has ended. Its end is not taken.
pub(super) fn wait_for_end(child: &Child, limit: Duration) -> io::Result<bool> {
    if has_ended(child)? {
        return Ok(true);
    }
    match descriptor(child) {
        Some(end) => wait(&mut [PollFd::new(&end, PollFlags::IN)], limit)?,
        None => wait(&mut [], limit.min(PACE))?,
    }
    has_ended(child)
}

/// What becomes readable when a child ends; kernels before 5.3 have none.
fn descriptor(child: &Child) -> Option<OwnedFd> {
    pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok()
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the tool did not answer in time")
}

/// A tool whose answer is too large to be kept: read while it comes. It is killed when it takes longer than its limit,
/// or when nobody reads on.
#[derive(Debug)]
pub(super) struct Stream {
    tool: Tool,
    out: Option<ChildStdout>,
    end: Option<OwnedFd>,
    deadline: Instant,
}

impl Stream {
    /// Runs a tool that changes nothing; what it complains of is not heard.
    pub(super) fn start(command: &mut Command, limit: Duration) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (out, end) = (child.stdout.take(), descriptor(&child));
        Ok(Self { tool: Tool(child), out, end, deadline: Instant::now() + limit })
    }

    /// Reads the rest of the answer and tells how the tool ended.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        io::copy(&mut self, &mut io::sink())?;
        self.end()
    }

    /// How the tool ended, after its answer was read to the end.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        self.tool.end(self.deadline)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(out) = &mut self.out else { return Ok(0) };
        let left = self.deadline.saturating_duration_since(Instant::now());
        let ready = Ready::wait(Some(&*out), None::<&ChildStdout>, self.end.as_ref(), left)?;
        if ready.out {
            return out.read(buffer);
        }
        if ready.end {
            self.out = None;
            return Ok(0);
        }
        Err(if left.is_zero() { late() } else { io::ErrorKind::Interrupted.into() })
    }
}

fn collect(child: &mut Child, most: usize, deadline: Instant) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err, end) = (child.stdout.take(), child.stderr.take(), descriptor(child));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while out.is_some() || err.is_some() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        let ready = Ready::wait(out.as_ref(), err.as_ref(), end.as_ref(), left)?;
        if ready.out {
            read_some(&mut out, &mut stdout)?;
            if stdout.len() > most {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the tool answered too much"));
            }
        }
        if ready.err {
            read_some(&mut err, &mut stderr)?;
            stderr.truncate(STDERR_KEPT);
        }
        if ready.end && !ready.out && !ready.err {
            // All that it wrote was read; what it started may hold the pipes for ever.
            break;
        }
    }
    Ok((stdout, stderr))
}

/// What there is to be done with a tool.
#[derive(Debug)]
struct Ready {
    /// The pipe of its output has bytes or its end.
    out: bool,
    /// The pipe of its errors has.
    err: bool,
    /// It has ended.
    end: bool,
}

impl Ready {
    /// Waits for something to do, at most `limit`.
    fn wait(
        out: Option<&impl AsFd>,
        err: Option<&impl AsFd>,
        end: Option<&impl AsFd>,
        limit: Duration,
    ) -> io::Result<Self> {
        // They are looked at in this order: what a tool wrote before its end is seen with its end.
        let mut fds = Vec::with_capacity(3);
        fds.extend(end.map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(out.map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(err.map(|fd| PollFd::new(fd, PollFlags::IN)));
        wait(&mut fds, limit)?;
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut of = |is_there: bool| is_there && ready.next().unwrap_or(false);
        Ok(Self { end: of(end.is_some()), out: of(out.is_some()), err: of(err.is_some()) })
    }
}

/// One read that does not block, because the pipe is ready; a pipe at its end is taken away.
fn read_some(pipe: &mut Option<impl Read>, to: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let Some(reader) = pipe else { return Ok(()) };
    let n = reader.read(&mut buffer)?;
    to.extend_from_slice(buffer.get(..n).unwrap_or_default());
    if n == 0 {
        *pipe = None;
    }
    Ok(())
}

/// Waits for an event on `fds`, at most `limit`; a signal in between only ends the wait early.
pub(super) fn wait(fds: &mut [PollFd<'_>], limit: Duration) -> io::Result<()> {
    let limit = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
    match poll(fds, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn takes_both_outputs_and_the_status() {
        let answer = ask(command("sh").args(["-c", "echo out; echo err >&2; exit 3"]), 100, LONG).unwrap();
        assert_eq!((answer.stdout.as_slice(), answer.stderr.as_str()), (b"out\n".as_slice(), "err\n"));
        assert_eq!(answer.status.code(), Some(3));
    }

    #[test]
    fn the_environment_is_clean_and_there_is_no_input() {
        let answer = ask(command("sh").args(["-c", "cat; echo $CARGO_PKG_NAME.$LC_ALL"]), 100, LONG).unwrap();
        assert_eq!(answer.stdout, b".C.UTF-8\n");
    }

    #[test]
    fn endless_answers_and_endless_waits_are_cut_off() {
        let error = ask(&mut command("yes"), 100_000, LONG).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let error = ask(command("sleep").arg("600"), 100, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(ask(&mut command("/nonexistent/tool"), 1, LONG).is_err());
    }

    /// What holds the pipes of a tool when the tool itself is gone, and a file that tells its number.
    const LEAVES_A_CHILD: &str = "sleep 600 & echo $! >\"$0\"; echo out; echo err >&2";

    /// Whether the process whose number is in the file is gone, or dead and only not taken notice of.
    fn is_gone(file: &Path) -> bool {
        let pid = std::fs::read_to_string(file).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    }

    /// The kill is asked for when the tool is let go, and done soon after.
    pub(in crate::software) fn wait_until_gone(file: &Path) {
        let patience = Instant::now() + LONG;
        while !is_gone(file) {
            assert!(Instant::now() < patience, "what a tool left behind was not killed");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_a_tool_leaves_behind_is_killed_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        // With a limit that no test waits for: the answer is there when the tool has ended.
        let answer = ask(command("sh").args(["-c", LEAVES_A_CHILD]).arg(&pid), 100, Duration::from_secs(500)).unwrap();
        assert_eq!((answer.stdout.as_slice(), answer.stderr.as_str()), (b"out\n".as_slice(), "err\n"));
        wait_until_gone(&pid);
        let script = format!("{LEAVES_A_CHILD}; exit 3");
        let stream = Stream::start(command("sh").args(["-c", &script]).arg(&pid), Duration::from_secs(500)).unwrap();
        assert_eq!(stream.finish().unwrap().code(), Some(3));
        wait_until_gone(&pid);
    }

    #[test]
    fn a_tool_that_is_killed_takes_with_it_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!("{LEAVES_A_CHILD}; exec yes");
        let error = ask(command("sh").args(["-c", &script]).arg(&pid), 100_000, LONG).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        wait_until_gone(&pid);
        let mut stream = Stream::start(command("sh").args(["-c", &script]).arg(&pid), LONG).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        drop(stream);
        wait_until_gone(&pid);
    }

    #[test]
    fn a_tool_that_closes_its_pipes_is_not_waited_for_longer() {
        let silent = "exec >&- 2>&-; exec sleep 600";
        let error = ask(command("sh").args(["-c", silent]), 100, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let stream = Stream::start(command("sh").args(["-c", silent]), Duration::from_millis(200)).unwrap();
        assert_eq!(stream.finish().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_stream_is_read_while_it_comes_and_ends_with_its_reader() {
        let mut stream = Stream::start(command("sh").args(["-c", "echo abc; exit 3"]), LONG).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), stream.finish().unwrap().code()), ("abc\n", Some(3)));
        let mut endless = Stream::start(&mut command("yes"), LONG).unwrap();
        assert_eq!(endless.read(&mut [0; 100]).unwrap(), 100);
        drop(endless);
        let silent = Stream::start(command("sleep").arg("600"), Duration::from_millis(1)).unwrap();
        assert_eq!(silent.finish().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
