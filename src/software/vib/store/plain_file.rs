//! Opening the store's files: plain ones only, since a pipe, a device or a link in their place is somebody's mistake or trick.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// What keeps an opening from waiting for a pipe's other end, and from following a link in the last component.
const FLAGS: OFlags = OFlags::NONBLOCK.union(OFlags::NOFOLLOW);

/// Opens a plain file for reading.
pub(super) fn open(file: &Path) -> io::Result<File> {
    open_with(file, OpenOptions::new().read(true))
}

/// Opens a plain file in another way.
pub(super) fn open_with(file: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = i32::try_from(FLAGS.bits()).map_err(io::Error::other)?;
    let opened = options.custom_flags(flags).open(file)?;
    match opened.metadata()?.is_file() {
        true => Ok(opened),
        false => Err(io::Error::other("it is not a plain file")),
    }
}

/// The content of a plain file of at most so many octets.
pub(super) fn read(file: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(file)?.take(longest.saturating_add(1)).read_to_end(&mut content)?;
    match content.len() as u64 > longest {
        true => Err(io::Error::other(format!("it has more than {longest} octets"))),
        false => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_pipes_and_what_is_too_long_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert_eq!(read(&file, 4).unwrap_err().to_string(), "it has more than 4 octets");
        let link = dir.path().join("link");
        symlink(&file, &link).unwrap();
        assert_eq!(open(&link).unwrap_err().raw_os_error(), Some(rustix::io::Errno::LOOP.raw_os_error()));
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
        assert_eq!(open(&pipe).unwrap_err().to_string(), "it is not a plain file");
        assert_eq!(open(dir.path()).unwrap_err().to_string(), "it is not a plain file");
    }
}
