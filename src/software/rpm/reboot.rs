//! Whether the host must be rebooted for what was changed to be effective.

use std::path::Path;
use std::time::Duration;

use super::name_lists;
use super::tools::Tools;
use crate::software::Change;
use crate::software::tool::ask;

/// The packages that dnf's plugin counts (`NEED_REBOOT` in `needs_restarting.py` of dnf-plugins-core 4).
const NEED_REBOOT: [&str; 10] = [
    "kernel",
    "kernel-core",
    "kernel-rt",
    "glibc",
    "linux-firmware",
    "systemd",
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "microcode_ctl",
];

/// Where the host names further ones for the plugin, one a line in files ending in `.conf`.
const FOLDER: &str = "etc/dnf/plugins/needs-restarting.d";

/// How much the plugin may say, and how long it may take.
const LARGEST_ANSWER: usize = 1024 * 1024;
const LONGEST_QUESTION: Duration = Duration::from_secs(120);

/// Asked after something was changed: dnf's plugin where the root is the running system, else the list of the plugin.
pub(super) fn is_needed(root: &Path, changes: &[Change]) -> bool {
    if changes.is_empty() {
        return false;
    }
    let asked = if root == Path::new("/") { verdict() } else { None };
    asked.unwrap_or_else(|| is_expected(root, changes))
}

/// Whether it will be, by the list of dnf's plugin.
pub(super) fn is_expected(root: &Path, changes: &[Change]) -> bool {
    let further = name_lists::read(&root.join(FOLDER));
    let counts = |name: &str| NEED_REBOOT.contains(&name) || further.iter().any(|f| f == name);
    changes.iter().filter_map(|change| change.after.as_ref()).any(|after| counts(&after.name))
}

/// What the plugin says; `None` without it. Not tried with dnf 5, which says the same words.
fn verdict() -> Option<bool> {
    let answer = ask(&mut Tools::dnf_needs_restarting(), LARGEST_ANSWER, LONGEST_QUESTION).ok()?;
    let said = String::from_utf8_lossy(&answer.stdout);
    match answer.status.code() {
        Some(0) => Some(false),
        // Without the plugin dnf ends so too.
        Some(1) if said.contains("Reboot is required") => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::software::ChangeKind;

    fn change(before: Option<&str>, after: Option<&str>) -> Change {
        let nevra = |text: &str| text.parse().unwrap();
        Change { kind: ChangeKind::Updated, before: before.map(nevra), after: after.map(nevra) }
    }

    #[test]
    fn what_came_counts_and_what_went_does_not() {
        let root = tempfile::tempdir().unwrap();
        let glibc = "glibc-0:2-1.x86_64";
        assert!(is_needed(root.path(), &[change(None, Some(glibc))]));
        assert!(!is_needed(root.path(), &[change(Some(glibc), None)]));
        let ours = [change(None, Some("ours-0:1-1.noarch"))];
        assert!(!is_needed(root.path(), &ours));
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(root.path().join(FOLDER).join("a.conf"), "other\nours\n").unwrap();
        assert!(is_needed(root.path(), &ours));
    }
}
