//! Which operating system packages are for, in the numbers of `CIM_SoftwareIdentity.TargetOSTypes`.

use std::fs;
use std::path::Path;

/// LINUX, and the same with 64 bits, where the distribution has no number of its own.
const LINUX: u16 = 36;
const LINUX_64_BIT: u16 = 101;

/// Distributions by the ID of their `os-release(5)`; each number plus one is the one for 64 bits.
const DISTRIBUTIONS: [(&str, u16); 7] =
    [("rhel", 79), ("suse", 82), ("sles", 84), ("ubuntu", 93), ("debian", 95), ("centos", 106), ("ol", 108)];

/// Of the system that lies below the root.
pub(super) fn of(root: &Path) -> u16 {
    let text =
        ["etc/os-release", "usr/lib/os-release"].iter().find_map(|file| fs::read_to_string(root.join(file)).ok());
    number(&text.unwrap_or_default(), cfg!(target_pointer_width = "64"))
}

fn number(release: &str, is_64_bit: bool) -> u16 {
    let value = |key: &str| {
        let lines = release.lines().filter_map(|line| line.split_once('='));
        lines.filter(|(k, _)| *k == key).map(|(_, v)| v.trim_matches(['"', '\'']).to_ascii_lowercase()).next()
    };
    let known = |id: &str| {
        let id = if id.starts_with("opensuse") { "suse" } else { id };
        DISTRIBUTIONS.iter().find(|(name, _)| *name == id).map(|(_, number)| *number)
    };
    match value("ID").and_then(|id| known(&id)) {
        Some(number) => number + u16::from(is_64_bit),
        None if is_64_bit => LINUX_64_BIT,
        None => LINUX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_known_by_their_ids() {
        assert_eq!(number("PRETTY_NAME=\"Debian\"\nID=debian\n", true), 96);
        assert_eq!(number("ID=\"rhel\"", false), 79);
        assert_eq!(number("ID=opensuse-leap", true), 83);
        assert_eq!(number("ID=fedora\nID_LIKE=rhel", true), LINUX_64_BIT);
        assert_eq!(number("", false), LINUX);
    }
}
