//! The certificates of hosts that were met before, in a file of lines: `HOST:PORT sha256:DIGITS`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::client::Thumbprint;

/// The largest file that is read, in octets: some 10,000 hosts.
const LARGEST: u64 = 1024 * 1024;
/// What stands before a thumbprint.
const KIND: &str = "sha256:";

/// The file. It is read anew each time, since others write it too.
#[derive(Clone, Debug)]
pub struct KnownHosts {
    path: PathBuf,
}

/// A host and the certificate it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// Host and port.
    pub peer: String,
    /// The certificate's.
    pub thumbprint: Thumbprint,
}

/// Why the file is of no use. The message names it.
#[derive(Debug, thiserror::Error)]
pub enum KnownHostsError {
    /// It can be neither read nor written.
    #[error("the file of known hosts {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could have put hosts into it.
    #[error(
        "the file of known hosts {0} may be written by others than its owner; run chmod 600 on it and check its lines"
    )]
    Writable(PathBuf),
    /// It is too large.
    #[error("the file of known hosts {0} is larger than {LARGEST} octets; remove lines that nobody needs")]
    TooLarge(PathBuf),
    /// A line of it is none.
    #[error("{path}:{line}: a line is HOST:PORT {KIND}, followed by 64 hexadecimal digits")]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line.
        line: usize,
    },
}

impl KnownHosts {
    /// Those of that file, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where they are kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate that a host had.
    pub fn find(&self, peer: &str) -> Result<Option<Thumbprint>, KnownHostsError> {
        match File::open(&self.path) {
            Ok(mut file) => Ok(found(&self.read(&mut file)?, peer)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(error)),
        }
    }

    /// Remembers the certificate of a host that is met for the first time. If somebody else did so meanwhile, his counts and
    /// is given back.
    pub fn remember(&self, host: &KnownHost) -> Result<Thumbprint, KnownHostsError> {
        let mut file = self.open_to_write().map_err(|error| self.unusable(error))?;
        // The lock goes with the file.
        file.lock().map_err(|error| self.unusable(error))?;
        let known = self.read(&mut file)?;
        if let Some(thumbprint) = found(&known, &host.peer) {
            return Ok(thumbprint);
        }
        self.append(&mut file, host).map_err(|error| self.unusable(error))?;
        Ok(host.thumbprint)
    }

    fn open_to_write(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        File::options().read(true).append(true).create(true).mode(0o600).open(&self.path)
    }

    fn append(&self, file: &mut File, host: &KnownHost) -> io::Result<()> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut line = format!("{} {KIND}{}\n", host.peer, host.thumbprint);
        // Somebody may have edited it with an editor that ends no last line.
        if length > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                line.insert(0, '\n');
            }
        }
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }

    fn read(&self, file: &mut File) -> Result<Vec<KnownHost>, KnownHostsError> {
        let mut text = String::new();
        let metadata = file.metadata().map_err(|error| self.unusable(error))?;
        if metadata.permissions().mode() & 0o022 != 0 {
            return Err(KnownHostsError::Writable(self.path.clone()));
        }
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| self.unusable(error))?;
        if u64::try_from(text.len()).is_ok_and(|octets| octets > LARGEST) {
            return Err(KnownHostsError::TooLarge(self.path.clone()));
        }
        let lines =
            text.lines().enumerate().filter(|(_, line)| !matches!(line.trim_start().chars().next(), None | Some('#')));
        lines
            .map(|(number, line)| {
                parse(line).ok_or_else(|| KnownHostsError::Line { path: self.path.clone(), line: number + 1 })
            })
            .collect()
    }

    fn unusable(&self, source: io::Error) -> KnownHostsError {
        KnownHostsError::Io { path: self.path.clone(), source }
    }
}

fn found(known: &[KnownHost], peer: &str) -> Option<Thumbprint> {
    known.iter().find(|host| host.peer == peer).map(|host| host.thumbprint)
}

fn parse(line: &str) -> Option<KnownHost> {
    let mut words = line.split_whitespace();
    let (Some(peer), Some(thumbprint), None) = (words.next(), words.next(), words.next()) else { return None };
    let thumbprint = thumbprint.strip_prefix(KIND)?.parse().ok()?;
    matches!(thumbprint, Thumbprint::Sha256(_)).then(|| KnownHost { peer: peer.to_ascii_lowercase(), thumbprint })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn host(peer: &str, octet: u8) -> KnownHost {
        KnownHost { peer: peer.to_owned(), thumbprint: Thumbprint::Sha256([octet; 32]) }
    }

    fn in_folder() -> (TempDir, KnownHosts) {
        let folder = TempDir::new().unwrap();
        let known = KnownHosts::new(folder.path().join("new/known_hosts"));
        (folder, known)
    }

    #[test]
    fn what_is_remembered_is_found_and_the_first_counts() {
        let (_folder, known) = in_folder();
        assert_eq!(known.find("web1:5986").unwrap(), None);
        assert_eq!(known.remember(&host("web1:5986", 1)).unwrap(), host("", 1).thumbprint);
        assert_eq!(known.remember(&host("web2:5986", 2)).unwrap(), host("", 2).thumbprint);
        assert_eq!(known.remember(&host("web1:5986", 3)).unwrap(), host("", 1).thumbprint);
        assert_eq!(known.find("web1:5986").unwrap(), Some(host("", 1).thumbprint));
        assert_eq!(known.find("web1:5987").unwrap(), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(known.path()), mode(known.path().parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_to_string(known.path()).unwrap().lines().count(), 2);
    }

    #[test]
    fn many_that_meet_hosts_at_once_lose_none() {
        let (_folder, known) = in_folder();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let known = &known;
                scope.spawn(move || known.remember(&host(&format!("web{number}:5986"), number)).unwrap());
            }
        });
        for number in 0..16 {
            assert_eq!(known.find(&format!("web{number}:5986")).unwrap(), Some(host("", number).thumbprint));
        }
    }

    #[test]
    fn a_person_may_edit_the_file() {
        let (_folder, known) = in_folder();
        known.remember(&host("web1:5986", 1)).unwrap();
        let kept = fs::read_to_string(known.path()).unwrap();
        fs::write(known.path(), format!("# ours\n\n  {}", kept.trim_end().replace("web1", "Web9"))).unwrap();
        known.remember(&host("web2:5986", 2)).unwrap();
        assert_eq!(known.find("web9:5986").unwrap(), Some(host("", 1).thumbprint));
        assert_eq!(known.find("web2:5986").unwrap(), Some(host("", 2).thumbprint));
    }

    #[test]
    fn a_file_that_cannot_be_relied_on_is_refused_with_its_name() {
        let (_folder, known) = in_folder();
        known.remember(&host("web1:5986", 1)).unwrap();
        let mut lines = fs::read_to_string(known.path()).unwrap();
        for wrong in ["web2:5986", "web2:5986 sha256:12", "web2:5986 sha1:12", "a b c"] {
            fs::write(known.path(), [&lines, wrong].concat()).unwrap();
            let refused = known.find("web1:5986").unwrap_err().to_string();
            assert!(refused.contains("known_hosts:2: a line is"), "{refused}");
        }
        fs::set_permissions(known.path(), fs::Permissions::from_mode(0o620)).unwrap();
        let refused = known.find("web1:5986").unwrap_err();
        assert!(matches!(refused, KnownHostsError::Writable(_)), "{refused}");
        fs::set_permissions(known.path(), fs::Permissions::from_mode(0o600)).unwrap();
        while lines.len() <= 1024 * 1024 {
            lines = lines.repeat(100);
        }
        fs::write(known.path(), &lines).unwrap();
        assert!(matches!(known.remember(&host("web2:5986", 2)), Err(KnownHostsError::TooLarge(_))));
    }
}
