//! What the tests of other rooms need of this one.

use std::sync::{Arc, Mutex};

/// Takes what is logged as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines of the audit log that are written meanwhile, from the user on.
pub(crate) fn audit_lines(work: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || written.clone());
    tracing::subscriber::with_default(subscriber.finish(), work);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().filter_map(|line| Some(line.split_once(" audit: ")?.1.to_owned())).collect()
}
