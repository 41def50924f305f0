//! How the C library's allocator keeps memory. It is told so in the environment of a process that begins, and nowhere else.

use std::env;
use std::thread::available_parallelism;

use super::anew;

/// As many arenas as processors and no more than a few, so that threads neither wait for each other nor each keep what they once
/// needed.
const ARENAS: &str = "MALLOC_ARENA_MAX";
const MOST_ARENAS: usize = 4;

/// What is free at a heap's end goes back to the system, in octets. With it large blocks are never taken from a heap, whatever was
/// freed before (mallopt(3), `M_MMAP_THRESHOLD`).
const TRIM: (&str, &str) = ("MALLOC_TRIM_THRESHOLD_", "131072");

/// Where whoever starts the service may say it otherwise.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Begins this program anew, as the same process, with an allocator that keeps little. Comes back where that is so already, or
/// was said otherwise, or is not possible: the service does without it.
pub fn keep_little_memory() {
    if [ARENAS, TRIM.0, TUNABLES].iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    let arenas = available_parallelism().map_or(1, usize::from).min(MOST_ARENAS).to_string();
    // It comes back only with what went wrong.
    let _ = anew::start([(ARENAS, arenas.as_str()), TRIM]);
}
