//! Opens lists; those that apt keeps compressed come through its own tool.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use crate::software::tool::{Stream, command};

/// apt's tool for files that it has compressed (`apt-helper(1)`).
const TOOL: &str = "/usr/lib/apt/apt-helper";

/// The endings of compressed files' names that apt knows.
pub(super) const ENDINGS: &[&str] = &[".zst", ".lz4", ".gz", ".xz", ".bz2", ".lzma"];

/// The largest list that is read, unpacked; Debian's largest has some 60 MB.
const LARGEST_LIST: u64 = 512 * 1024 * 1024;

/// How long the unpacking of a list may take.
const LONGEST_UNPACKING: Duration = Duration::from_secs(300);

/// Opens a list, plain or compressed. The end of one that is damaged, too large or too slow is an error.
pub(super) fn open(file: &Path) -> io::Result<BufReader<impl Read>> {
    // Asked before opening: opening a pipe would wait for its writer.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let is_compressed = file.to_str().is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)));
    let source = if is_compressed { Source::Packed(unpacking(file)?) } else { Source::Plain(File::open(file)?) };
    Ok(BufReader::with_capacity(64 * 1024, Bounded { source, left: LARGEST_LIST }))
}

fn unpacking(file: &Path) -> io::Result<Stream> {
    Stream::start(command(TOOL).args(["cat-file", "--"]).arg(file), LONGEST_UNPACKING)
}

/// A reader that fails after some bytes instead of ending.
#[derive(Debug)]
struct Bounded {
    source: Source,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.source {
            Source::Plain(file) => file.read(buffer)?,
            Source::Packed(unpacking) => {
                let n = unpacking.read(buffer)?;
                if n == 0 && !buffer.is_empty() && !unpacking.end()?.success() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "it cannot be unpacked"));
                }
                n
            }
        };
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is too large");
        self.left = self.left.checked_sub(n as u64).ok_or_else(too_large)?;
        Ok(n)
    }
}

#[derive(Debug)]
enum Source {
    Plain(File),
    Packed(Stream),
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_compression_of_apt_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("a_Packages");
        let text = "Package: alpha\n".repeat(20_000);
        fs::write(&plain, &text).unwrap();
        let read = |file: &Path| {
            let mut read = String::new();
            open(file).unwrap().read_to_string(&mut read).map(|_| read)
        };
        assert_eq!(read(&plain).unwrap(), text);
        for (tool, ending) in [("gzip", ".gz"), ("xz", ".xz"), ("bzip2", ".bz2")] {
            let output = Command::new(tool).arg("-c").arg(&plain).output().unwrap();
            let packed = dir.path().join(format!("a_Packages{ending}"));
            fs::write(&packed, &output.stdout).unwrap();
            assert_eq!(read(&packed).unwrap(), text, "{ending}");
            // Of gzip's format the tool does not notice it.
            fs::write(&packed, &output.stdout[..output.stdout.len() / 2]).unwrap();
            assert!(
                ending == ".gz" || read(&packed).is_err_and(|e| e.kind() == io::ErrorKind::InvalidData),
                "{ending}"
            );
        }
        assert!(open(dir.path()).is_err());
    }
}
