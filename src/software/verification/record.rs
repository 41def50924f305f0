//! How files of packages were installed, and what is found where they are otherwise now.

use rustix::fs::FileType;
use serde::{Deserialize, Serialize};

use super::ChecksumKind;

/// What kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// Something else, such as a socket.
    Other,
}

impl FileKind {
    /// The kind in the upper bits of a mode (`inode(7)`).
    pub fn of_mode(mode: u32) -> Self {
        match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Self::Regular,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Pipe,
            FileType::CharacterDevice => Self::CharacterDevice,
            FileType::BlockDevice => Self::BlockDevice,
            _ => Self::Other,
        }
    }

    /// Whether it is a device, which has a major and a minor number.
    pub fn is_device(self) -> bool {
        matches!(self, Self::CharacterDevice | Self::BlockDevice)
    }
}

/// A file of a package, as its package manager knows that it was installed. What it does not know is `None` and is not
/// judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its absolute path, as seen inside the managed root.
    pub path: String,
    /// What it is.
    pub kind: Option<FileKind>,
    /// Its size in octets.
    pub size: Option<u64>,
    /// Its permission bits, with set-user-id, set-group-id and sticky.
    pub mode: Option<u32>,
    /// The number of its owner.
    pub user: Option<u32>,
    /// The number of its group.
    pub group: Option<u32>,
    /// Where a link leads.
    pub link_target: Option<String>,
    /// Its checksum, in lower-case hexadecimal.
    pub checksum: Option<(ChecksumKind, String)>,
    /// When it was last modified, in seconds since 1970.
    pub modified: Option<u64>,
    /// Of a device: its major and minor number.
    pub device: Option<(u32, u32)>,
    /// Whether it is a configuration file, which an operator may change.
    pub is_configuration: bool,
    /// What is not judged although it is known: an rpm exempts attributes of its files (`%verify`, `%ghost`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<FailedCheck>,
}

impl FileRecord {
    /// A file of which no more than its place is known.
    pub fn at(path: String) -> Self {
        Self {
            path,
            kind: None,
            size: None,
            mode: None,
            user: None,
            group: None,
            link_target: None,
            checksum: None,
            modified: None,
            device: None,
            is_configuration: false,
            exempt: Vec::new(),
        }
    }

    /// Whether a check of it may fail.
    pub fn is_judged(&self, check: FailedCheck) -> bool {
        !self.exempt.contains(&check)
    }
}

/// In what a file differs from how it was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedCheck {
    /// It is not there.
    Existence,
    /// Its size.
    Size,
    /// Its permission bits or its kind.
    Mode,
    /// Its contents.
    Checksum,
    /// The device's numbers.
    Device,
    /// Where the link leads.
    LinkTarget,
    /// Its owner.
    User,
    /// Its group.
    Group,
    /// When it was last modified.
    Modified,
}

impl FailedCheck {
    /// All of them, in the order in which a finding names them.
    pub const ALL: [Self; 9] = [
        Self::Existence,
        Self::Size,
        Self::Mode,
        Self::Checksum,
        Self::Device,
        Self::LinkTarget,
        Self::User,
        Self::Group,
        Self::Modified,
    ];
}

/// A file that is not as it was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its path, as seen inside the managed root.
    pub path: String,
    /// Whether it is a configuration file, which an operator may change.
    pub is_configuration: bool,
    /// In what it differs; there is at least one.
    pub failed: Vec<FailedCheck>,
    /// How it was installed, as the verification knew it, be it from a package file that is not at hand any more. `None`
    /// in findings of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<FileRecord>,
}
