//! The architectures of a root, as its dpkg tells them.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::software::tool::{ask, command};

/// The longest list that is accepted.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How long dpkg may take to tell one.
const LONGEST_QUESTION: Duration = Duration::from_secs(60);

/// Where dpkg keeps those beside its own, in a root (`dpkg(1)`, --add-architecture).
pub(super) const FILE: &str = "/var/lib/dpkg/arch";

/// The architectures whose packages dpkg installs under the root, its own first.
pub(super) fn ask_dpkg(root: &Path) -> io::Result<Vec<String>> {
    let mut known = Vec::new();
    for question in ["--print-architecture", "--print-foreign-architectures"] {
        let mut dpkg = command("dpkg");
        let answer =
            ask(dpkg.arg(format!("--root={}", root.display())).arg(question), LONGEST_ANSWER, LONGEST_QUESTION)?;
        if !answer.status.success() {
            return Err(io::Error::other(answer.stderr.trim().to_owned()));
        }
        known.extend(String::from_utf8_lossy(&answer.stdout).split_ascii_whitespace().map(str::to_owned));
    }
    Ok(known)
}
