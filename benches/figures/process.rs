//! What the server's processes take, and how soon it is ready.

use std::fs;
use std::time::Instant;

use super::figure::median;
use super::load::elapsed_ms;
use super::support::server::{Host, Server, workers_of};

const STARTS: usize = 11;

/// The median time from the start of the process to the line that tells its address, in milliseconds.
pub(crate) fn ready(host: &Host) -> f64 {
    let times = (0..STARTS).map(|_| {
        let start = Instant::now();
        let server = host.serve();
        let time = elapsed_ms(start);
        server.stop();
        time
    });
    median(times.collect())
}

/// The resident memory of the server in megabytes.
pub(crate) fn memory(server: &Server) -> f64 {
    resident(server.pid())
}

/// The resident memory of the workers; they share their code with the server, and it is counted twice.
pub(crate) fn workers_memory(host: &Host) -> f64 {
    workers_of(&host.state_dir()).into_iter().map(resident).sum()
}

/// The resident memory of a process in megabytes.
pub(crate) fn resident(pid: u32) -> f64 {
    let size = status(pid, "VmRSS").unwrap_or_default();
    size.trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) * 1024.0 / 1e6
}

/// A process, and those that it started itself.
pub(crate) fn with_children(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = pid.to_string();
    let children = numbers.filter(|&child| status(child, "PPid").as_ref() == Some(&parent));
    std::iter::once(pid).chain(children).collect()
}

/// What the kernel tells of a process, as proc_pid_status(5) has it.
fn status(pid: u32, key: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
}
