//! How the C library's allocator keeps memory. It is told so in the environment of a process that begins, and nowhere else.

use std::env;

use super::anew;

/// One arena, so that threads do not each keep what they once needed; what is free at the heap's end goes back to the system.
/// With the second, large blocks are never taken from the heap, whatever was freed before (mallopt(3), `M_MMAP_THRESHOLD`).
const THRIFT: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Where whoever starts the service may say it otherwise.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Begins this program anew, as the same process, with an allocator that keeps little. Comes back where that is so already, or
/// was said otherwise, or is not possible: the service does without it.
pub fn keep_little_memory() {
    let said = THRIFT.iter().map(|(name, _)| *name).chain([TUNABLES]).any(|name| env::var_os(name).is_some());
    if said {
        return;
    }
    // It comes back only with what went wrong.
    let _ = anew::start(THRIFT);
}
