//! Threads that the service is no good without.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` on a thread of its own. Should it break down, the process ends, so that whoever supervises it starts it
/// anew: a service whose jobs or inventory stand still looks healthy and is not. Jobs go on in the worker meanwhile.
pub(super) fn spawn(name: &'static str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!(thread = name, "an essential thread broke down; the service ends, start it again");
            std::process::exit(1);
        }
    })?;
    Ok(())
}
