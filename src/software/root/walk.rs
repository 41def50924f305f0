//! Finds a path step by step, where the kernel cannot do it at one go.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;

use super::LastLink;

/// How many links are followed, as many as the kernel does (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Finds what a path names inside of `root`. Every step goes from an opened folder to a name in it without following
/// a link, and `..` goes back by the folders that were passed, so that nothing leads out of the root.
pub(super) fn find(root: &OwnedFd, path: &str, last: LastLink) -> Result<OwnedFd, Errno> {
    let mut passed: Vec<OwnedFd> = Vec::new();
    let mut rest = Vec::new();
    push_steps(&mut rest, path.as_bytes());
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == b".." {
            passed.pop();
            continue;
        }
        let found = step(passed.last().unwrap_or(root).as_fd(), &name)?;
        let is_link = FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Symlink;
        if !is_link || (rest.is_empty() && last == LastLink::Kept) {
            passed.push(found);
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        let target = readlinkat(&found, "", Vec::new())?;
        if target.as_bytes().starts_with(b"/") {
            passed.clear();
        }
        push_steps(&mut rest, target.as_bytes());
    }
    match passed.pop() {
        Some(found) => Ok(found),
        None => step(root.as_fd(), b"."),
    }
}

fn step(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Puts the names of a path before those that are left, the last of which comes first.
fn push_steps(rest: &mut Vec<Vec<u8>>, path: &[u8]) {
    let names = path.split(|b| *b == b'/').filter(|name| !name.is_empty() && *name != b".");
    rest.extend(names.rev().map(<[u8]>::to_vec));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;
    use crate::software::root::Root;

    fn inode(found: Result<OwnedFd, Errno>) -> Result<(u64, u64), Errno> {
        found.and_then(|found| fstat(&found)).map(|stat| (stat.st_dev, stat.st_ino))
    }

    fn tree(root: &Path) {
        fs::create_dir_all(root.join("usr/lib/deep")).unwrap();
        fs::write(root.join("usr/lib/deep/file"), "").unwrap();
        for (target, link) in [
            ("usr/lib", "lib"),
            ("/usr/lib", "absolute"),
            ("../../..", "usr/lib/up"),
            ("/etc", "outside"),
            ("loop", "loop"),
            ("deep/file", "usr/lib/to-file"),
            ("nowhere", "dangling"),
            ("/", "slash"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
    }

    #[test]
    fn it_finds_what_the_kernel_finds() {
        let dir = tempfile::tempdir().unwrap();
        tree(dir.path());
        let root = Root::open(dir.path()).unwrap();
        for path in [
            "/",
            "/.",
            "/..",
            "/usr/lib/deep/file",
            "/usr/lib/deep/file/below",
            "/lib/deep/file",
            "/absolute/deep/../deep/./file",
            "/usr/lib/up",
            "/usr/lib/up/usr",
            "/outside",
            "/outside/passwd",
            "/loop",
            "/loop/x",
            "/lib/to-file",
            "/lib/to-file/x",
            "/dangling",
            "/slash/slash/lib",
            "/../../../etc/passwd",
            "/none",
        ] {
            for last in [LastLink::Kept, LastLink::Followed] {
                assert_eq!(inode(find(&root.0, path, last)), inode(root.resolve(path, last)), "{path} {last:?}");
            }
        }
    }
}
