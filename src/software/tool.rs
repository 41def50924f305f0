//! Runs a package family's tools for an answer: cleaned environment, no input, bounded output, bounded time.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Where tools and their scripts find programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of the standard error of a query is kept.
const STDERR_KEPT: usize = 16 * 1024;

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
    PATH.split(':').any(|folder| Path::new(folder).join(tool).is_file())
}

/// Runs a tool that changes nothing and takes its answer; one that answers more than `most` bytes or takes longer
/// than `limit` is killed.
pub(super) fn ask(command: &mut Command, most: usize, limit: Duration) -> io::Result<Answer> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let result = collect(&mut child, most, limit);
    if result.is_err() {
        // The error of the kill does not matter: the child may have ended by itself.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (stdout, stderr) = result?;
    Ok(Answer { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// A tool whose answer is too large to be kept: read while it comes. It is killed when it takes longer than its limit,
/// or when nobody reads on.
#[derive(Debug)]
pub(super) struct Stream {
    child: Child,
    out: Option<ChildStdout>,
    deadline: Instant,
}

impl Stream {
    /// Runs a tool that changes nothing; what it complains of is not heard.
    pub(super) fn start(command: &mut Command, limit: Duration) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        Ok(Self { out: child.stdout.take(), child, deadline: Instant::now() + limit })
    }

    /// Reads the rest of the answer and tells how the tool ended.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        io::copy(&mut self, &mut io::sink())?;
        self.end()
    }

    /// How the tool ended, after its answer was read to the end.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(out) = &mut self.out else { return Ok(0) };
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&*out, PollFlags::IN)];
        wait(&mut fds, left)?;
        if fds.iter().all(|fd| fd.revents().is_empty()) {
            let kind = if left.is_zero() { io::ErrorKind::TimedOut } else { io::ErrorKind::Interrupted };
            return Err(io::Error::new(kind, "the tool did not answer in time"));
        }
        out.read(buffer)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The errors do not matter: the child may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(child: &mut Child, most: usize, limit: Duration) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let deadline = Instant::now() + limit;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while out.is_some() || err.is_some() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the tool did not answer in time"));
        }
        let (out_ready, err_ready) = ready(out.as_ref(), err.as_ref(), left)?;
        if out_ready {
            read_some(&mut out, &mut stdout)?;
            if stdout.len() > most {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the tool answered too much"));
            }
        }
        if err_ready {
            read_some(&mut err, &mut stderr)?;
            stderr.truncate(STDERR_KEPT);
        }
    }
    Ok((stdout, stderr))
}

/// Waits until one of the pipes has bytes or its end.
fn ready(out: Option<&impl AsFd>, err: Option<&impl AsFd>, limit: Duration) -> io::Result<(bool, bool)> {
    let mut fds = Vec::with_capacity(2);
    fds.extend(out.map(|fd| PollFd::new(fd, PollFlags::IN)));
    fds.extend(err.map(|fd| PollFd::new(fd, PollFlags::IN)));
    wait(&mut fds, limit)?;
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
    let out_ready = out.is_some() && ready.next().unwrap_or(false);
    let err_ready = err.is_some() && ready.next().unwrap_or(false);
    Ok((out_ready, err_ready))
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
mod tests {
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
