//! What apt's own configuration in a root says (`apt.conf(5)`), read by apt's own tool.
//!
//! The files are found and read here, so that no link of a root leads out of it; the tool only understands them.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::software::root::Root;
use crate::software::tool::{ask, command};

/// The file that is read last, and the folder of those that are read before it.
const MAIN: &str = "/etc/apt/apt.conf";
const PARTS: &str = "/etc/apt/apt.conf.d";

/// The largest file that is read; real ones have some lines.
const LARGEST_FILE: u64 = 1024 * 1024;

/// How many files are read.
const MOST_FILES: usize = 1000;

/// The tool answers some words.
const LONGEST_ANSWER: usize = 4096;

/// How long the tool may take.
const LONGEST_QUESTION: Duration = Duration::from_secs(60);

/// Keeps the tool from reading files of its own after those that it is given.
const NOTHING_ELSE: &str = "\nDir::Etc::main \"/dev/null\";\nDir::Etc::parts \"/dev/null\";\n";

/// Whether apt takes the lists of every repository, also of one without a good signature. What else allows to install from
/// such a repository (`APT::Get::AllowUnauthenticated`) does not make apt take its lists, and is never used here.
pub(super) fn takes_unsigned_lists(root: &Root) -> io::Result<bool> {
    let text = configuration(root)?;
    if text.is_empty() {
        return Ok(false);
    }
    let mut file: File = memfd_create("apt.conf", MemfdFlags::CLOEXEC)?.into();
    file.write_all(&text)?;
    file.write_all(NOTHING_ELSE.as_bytes())?;
    let mut tool = command("apt-config");
    tool.args(["shell", "ANSWER", "Acquire::AllowInsecureRepositories/b"]);
    tool.env("APT_CONFIG", "/proc/self/fd/0").stdin(file);
    let answer = ask(&mut tool, LONGEST_ANSWER, LONGEST_QUESTION)?;
    if !answer.status.success() {
        return Err(io::Error::other(answer.stderr.trim().to_owned()));
    }
    Ok(answer.stdout.starts_with(b"ANSWER='true'"))
}

/// Whether apt reads files of this name in its folders of configuration: it passes over hidden ones and other characters.
pub(super) fn is_read(name: &str) -> bool {
    !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// All files one behind the other, in apt's order. Included files are left out: they are named by their paths on the host.
fn configuration(root: &Root) -> io::Result<Vec<u8>> {
    let is_part = |name: &String| is_read(name) && (!name.contains('.') || name.ends_with(".conf"));
    let parts = root.names(PARTS)?.into_iter().filter(is_part).map(|name| format!("{PARTS}/{name}"));
    let mut text = Vec::new();
    for path in parts.take(MOST_FILES).chain([MAIN.to_owned()]) {
        match root.read(&path, LARGEST_FILE) {
            Ok(contents) => {
                let contents = contents.unwrap_or_default();
                let lines =
                    contents.split(|b| *b == b'\n').filter(|line| !line.trim_ascii_start().starts_with(b"#include"));
                lines.for_each(|line| text.extend(line.iter().chain(b"\n")));
            }
            Err(error) => tracing::warn!(file = path, %error, "left out unreadable settings of apt"),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn takes_unsigned(files: &[(&str, &str)]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/apt/apt.conf.d")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join("etc/apt").join(name), text).unwrap();
        }
        takes_unsigned_lists(&Root::open(dir.path()).unwrap()).unwrap()
    }

    const YES: &str = "Acquire::AllowInsecureRepositories \"yes\";\n";
    const NO: &str = "Acquire::AllowInsecureRepositories \"no\";\n";

    #[test]
    fn the_last_word_counts() {
        for (files, expected) in [
            (vec![], false),
            (vec![("apt.conf", YES)], true),
            (vec![("apt.conf.d/50local", "# why\nacquire { allowinsecurerepositories \"1\"; }; // so\n")], true),
            (vec![("apt.conf.d/50.conf", YES), ("apt.conf.d/60.conf", NO)], false),
            (vec![("apt.conf.d/50.conf", NO), ("apt.conf", YES)], true),
            (vec![("apt.conf.d/50.conf", YES), ("apt.conf", "#clear Acquire::AllowInsecureRepositories;\n")], false),
            (vec![("apt.conf.d/50.bak", YES), ("apt.conf.d/.hidden", YES)], false),
            (vec![("apt.conf", "APT::Get::AllowUnauthenticated \"true\";\n")], false),
            (vec![("apt.conf", "junk {")], false),
        ] {
            assert_eq!(takes_unsigned(&files), expected, "{files:?}");
        }
    }

    #[test]
    fn links_and_includes_lead_nowhere_outside_of_the_root() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), YES).unwrap();
        assert!(!takes_unsigned(&[("apt.conf", &format!("#include \"{}\";\n", outside.path().display()))]));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/apt")).unwrap();
        symlink(outside.path(), dir.path().join("etc/apt/apt.conf")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(!takes_unsigned_lists(&root).unwrap());
        fs::write(dir.path().join("inside"), YES).unwrap();
        fs::remove_file(dir.path().join("etc/apt/apt.conf")).unwrap();
        symlink("/inside", dir.path().join("etc/apt/apt.conf")).unwrap();
        assert!(takes_unsigned_lists(&root).unwrap());
    }
}
