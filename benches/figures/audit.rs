//! What it costs to have a line of the audit log on disk.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use quartermaster::audit::{Entry, Event, Log, Settings, verify};
use quartermaster::clock::SystemClock;

use super::figure::median;
use super::load::elapsed_ms;

/// How many lines are written one after the other.
const LINES: usize = 500;
/// How many threads write at once.
const THREADS: usize = 16;

fn entry() -> Entry {
    let text = |text: &str| Some(text.to_owned());
    Entry {
        user: text("ann"),
        role: text("operator"),
        method: text("InstallFromURI"),
        object: text("root/cimv2:LMI_SoftwareInstallationService.Name=\"LMI:LMI_SoftwareInstallationService\""),
        details: text("URI=\"file:///srv/hello.deb\""),
        ..Entry::new(Event::Asked)
    }
}

/// The median time until a line is on disk, in milliseconds, and lines a second if many write at once.
pub(crate) fn written() -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let settings = Settings { file: file.clone(), rotate_octets: 1 << 30, kept_files: 1 };
    let log = Log::open(settings, Arc::new(SystemClock)).unwrap();
    let times = (0..LINES).map(|_| {
        let start = Instant::now();
        log.commit(entry()).unwrap();
        elapsed_ms(start)
    });
    let alone = median(times.collect());
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..LINES).for_each(|_| assert!(log.commit(entry()).is_ok())));
        }
    });
    let together = (THREADS * LINES) as f64 / start.elapsed().as_secs_f64();
    drop(log);
    let start = Instant::now();
    let report = verify(&file, None).unwrap();
    assert!(report.broken.is_none());
    println!("  {} lines verified in {:.0} ms", report.lines, elapsed_ms(start));
    (alone, together)
}
