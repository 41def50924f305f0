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

fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) * 1024.0 / 1e6
}
