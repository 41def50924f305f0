//! Writing nothing but its own: what systemd sees to for the process that faces the network (`ProtectSystem=strict`), Landlock does
//! where root's process started it.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};

use crate::config::Config;

/// What the newest kernels that are known here can refuse.
const KNOWN: ABI = ABI::V5;

/// From now on this thread, and all threads and processes that come of it, write below the state directory, into the folder of the
/// audit log, and nowhere else. To be called before there are further threads. What the kernel cannot refuse is told in the log.
pub fn confine(config: &Config) {
    let audit = config.audit_file().parent().map(Path::to_owned);
    let folders: Vec<PathBuf> = [Some(config.state_dir.clone()), audit].into_iter().flatten().collect();
    match write_only_to(&folders) {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => tracing::debug!("the kernel knows a part of Landlock"),
        Ok(RulesetStatus::NotEnforced) => tracing::warn!(
            "the kernel has no Landlock: the process that faces the network may write wherever its user may"
        ),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "Landlock cannot be used: the process that faces the network may write wherever its user may"
        ),
    }
}

/// Folders that are not there allow nothing.
fn write_only_to(folders: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    let writing = AccessFs::from_write(KNOWN);
    let to_a_file: BitFlags<AccessFs> = AccessFs::from_file(KNOWN) & writing;
    let rules = folders.iter().filter_map(|folder| Some(PathBeneath::new(PathFd::new(folder).ok()?, writing)));
    // What tools get as their standard input and output.
    let nowhere = PathFd::new("/dev/null").ok().map(|file| PathBeneath::new(file, to_a_file));
    let ruleset = Ruleset::default().handle_access(writing)?.create()?;
    let ruleset = ruleset.add_rules(rules.chain(nowhere).map(Ok::<_, RulesetError>))?;
    Ok(ruleset.restrict_self()?.ruleset)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io;
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_written_elsewhere_and_everything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let [own, other] = ["own", "other"].map(|name| folder.path().join(name));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("there"), "before").unwrap();
        let confined = move || {
            if write_only_to(std::slice::from_ref(&own)).unwrap() == RulesetStatus::NotEnforced {
                return;
            }
            fs::create_dir(own.join("inner")).unwrap();
            fs::write(own.join("inner/file"), "").unwrap();
            fs::rename(own.join("inner/file"), own.join("file")).unwrap();
            assert_eq!(fs::read_to_string(other.join("there")).unwrap(), "before");
            let denied =
                |result: io::Result<()>| assert_eq!(result.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            denied(fs::write(other.join("new"), ""));
            denied(File::options().write(true).open(other.join("there")).map(drop));
            denied(fs::remove_file(other.join("there")));
            denied(fs::create_dir(other.join("new")));
            assert!(Command::new("sh").args(["-c", "echo nothing >/dev/null"]).status().unwrap().success());
            let mut tool = Command::new("sh");
            assert!(
                !tool.args(["-c", "echo x 2>/dev/null >\"$0\""]).arg(other.join("new")).status().unwrap().success()
            );
        };
        thread::spawn(confined).join().unwrap();
    }
}
