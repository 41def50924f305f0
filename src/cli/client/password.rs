//! Where a password comes from: a file, the environment or a person; never from the command line, which others can read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::hidden_line;
use super::outcome::Failed;

/// The variable that may hold it.
pub(super) const VARIABLE: &str = "QUARTERMASTER_PASSWORD";
/// More than the longest password, so that a longer one is told from it.
const MOST: u64 = 4096;

/// The password of a file, without the line end that an editor puts behind it. One that others may read is none.
pub(super) fn of_file(path: &Path) -> Result<Zeroizing<String>, Failed> {
    let unusable = |error: io::Error| Failed::Usage(format!("the password file {}: {error}", path.display()));
    let mut file = File::open(path).map_err(unusable)?;
    let mode = file.metadata().map_err(unusable)?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = format!("the password file {0} may be used by others; run chmod 600 {0}", path.display());
        return Err(Failed::Usage(why));
    }
    let mut text = Zeroizing::new(String::new());
    (&mut file).take(MOST).read_to_string(&mut text).map_err(unusable)?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Zeroizing::new(line.to_owned())),
        None => Err(Failed::Usage(format!("the first line of the password file {} is empty", path.display()))),
    }
}

/// The password of the environment, if there is one.
pub(super) fn of_environment() -> Option<Zeroizing<String>> {
    std::env::var(VARIABLE).ok().map(Zeroizing::new)
}

/// Asks whoever sits at the terminal, without showing what he types.
pub(super) fn of_person(user: &str, host: &str) -> Result<Zeroizing<String>, Failed> {
    if !io::stdin().is_terminal() {
        return Err(Failed::Usage(format!(
            "there is no password for {user} at {host}: give --password-file FILE or set {VARIABLE}"
        )));
    }
    Ok(hidden_line::ask(&format!("Password of {user} at {host}: "))?)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_password_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "secret words \r\nmore\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            match of_file(&file) {
                Ok(password) => assert!(good && *password == "secret words ", "{mode:o}"),
                Err(error) => assert!(!good && error.to_string().contains("chmod 600"), "{mode:o} {error}"),
            }
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        for nothing in ["", "\nsecret\n"] {
            fs::write(&file, nothing).unwrap();
            assert!(of_file(&file).unwrap_err().to_string().ends_with("password is empty"), "{nothing:?}");
        }
        let missing = of_file(&folder.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("none: No such file"), "{missing}");
    }
}
