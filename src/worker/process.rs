//! This process among others, and whether another still runs.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::fs::Mode;

/// Gives this process a session of its own: what ends the server's process group or its terminal leaves the worker alone,
/// and no script of a package finds a terminal to ask questions on. What it and its tools write gets the rights that packages and
/// their scripts expect, whoever started it.
pub fn detach() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    take_name();
    // It fails where a shell has made this process the leader of a group, that is, when a person starts it.
    match rustix::process::setsid() {
        Err(error) if !leads_session() => tracing::warn!(%error, "the worker stays in the session it was started in"),
        // systemd has given it one.
        _ => {}
    }
}

/// Whether this process has a session of its own. The kernel says 0 for one that began in another PID namespace, which
/// `rustix::process::getsid` does not expect.
fn leads_session() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name may hold anything, also blanks and brackets; behind it are the state, the parent, the group and the session.
    let session = stat.rsplit(')').next().and_then(|fields| fields.split_ascii_whitespace().nth(3));
    session == Some(&*std::process::id().to_string())
}

/// Has lists of processes show this one by the program's name, whatever path it was started by.
pub fn take_name() {
    if let Err(error) = fs::write("/proc/self/comm", env!("CARGO_PKG_NAME")) {
        tracing::debug!(%error, "the process keeps the name it was started with");
    }
}

/// The file that this process's program was started from, by its device and inode. As long as it runs no other file has
/// these, and they stay the same when another file takes its place in the folder, as an upgrade does. Empty if the system
/// does not tell.
pub fn program_file() -> String {
    fs::metadata("/proc/self/exe").map_or_else(|_| String::new(), |file| format!("{}:{}", file.dev(), file.ino()))
}

/// Whether the process with this number, started at this many clock ticks, still runs. One that ended and was not
/// fetched by its parent yet (a zombie) does not.
pub fn is_running(pid: u32, start_ticks: u64) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    state_and_start(&stat).is_some_and(|(state, start)| start == start_ticks && !matches!(state, "Z" | "X"))
}

/// Fields 3 and 22 of proc_pid_stat(5). Field 2, the name, may hold blanks and parentheses.
fn state_and_start(stat: &str) -> Option<(&str, u64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((state, start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_known_by_its_start() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let (_, start) = state_and_start(&stat).unwrap();
        assert!(is_running(child.id(), start));
        assert!(!is_running(child.id(), start + 1), "another process with this number");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_running(child.id(), start));
    }

    #[test]
    fn names_may_hold_anything() {
        let fields = "4 (a) S (b)) Z 1 1 1 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4242 99";
        assert_eq!(state_and_start(fields), Some(("Z", 4242)));
    }
}
