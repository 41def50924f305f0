//! What the process itself takes, as the kernel tells it (proc(5)).

use std::fs;

use super::{Exposition, Kind};

/// Writes the figures of this process by the names that Prometheus' clients give them. What the kernel does not tell is left
/// out. Blocks.
pub fn write_process(exposition: &mut Exposition) {
    if let Some(Stat { cpu_ticks, threads, start_ticks, resident_pages }) = Stat::read() {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as u64;
        exposition
            .family("process_cpu_seconds", Kind::Counter, "Processor time.")
            .sample(&[], cpu_ticks as f64 / ticks);
        exposition.family("process_threads", Kind::Gauge, "Threads.").sample(&[], threads);
        let help = "Memory that is not swapped out.";
        exposition.family("process_resident_memory_bytes", Kind::Gauge, help).sample(&[], resident_pages * page);
        if let Some(boot) = boot_time() {
            let start = boot as f64 + start_ticks as f64 / ticks;
            let help = "When it was started, since 1970.";
            exposition.family("process_start_time_seconds", Kind::Gauge, help).sample(&[], start);
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder that is being read.
        let open = open.count().saturating_sub(1);
        exposition.family("process_open_fds", Kind::Gauge, "Open file descriptors.").sample(&[], open);
    }
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        exposition.family("process_max_fds", Kind::Gauge, "As many may be open.").sample(&[], most);
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    resident_pages: u64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The fields behind the name, which may hold blanks and brackets; the third one of proc(5) is the first here.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            resident_pages: field(24)?,
        })
    }
}

/// When the host was started, in seconds since 1970.
fn boot_time() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 11 22 0 0 20 0 5 0 333 1000000 444 1844 1 1";
        let wanted = Stat { cpu_ticks: 33, threads: 5, start_ticks: 333, resident_pages: 444 };
        assert_eq!(Stat::parse(text), Some(wanted));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_figures() {
        let mut exposition = Exposition::default();
        write_process(&mut exposition);
        let text = exposition.finish();
        for name in
            ["cpu_seconds_total", "threads", "resident_memory_bytes", "start_time_seconds", "open_fds", "max_fds"]
        {
            assert!(text.contains(&format!("\nprocess_{name} ")), "{text}");
        }
    }
}
