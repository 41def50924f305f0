//! The names that payloads have as files of a bank.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::banks::BOOT_CONFIG;
use super::database;
use crate::software::vib::{Descriptor, Payload, VibType};

/// The folder of a bank in which VIBs of the locker lie.
pub(super) const LOCKER: &str = "locker";

/// How long the parts before and after the dot are at most: names are those of FAT.
const LONGEST_STEM: usize = 8;
const LONGEST_KIND: usize = 3;

/// Where a payload lies in its bank; `None` if the VIB has no content.
pub(super) fn path(vib: &Descriptor, file: &str) -> Option<PathBuf> {
    match vib.vib_type {
        VibType::Bootbank => Some(PathBuf::from(file)),
        VibType::Locker => Some(Path::new(LOCKER).join(&*vib.name).join(file)),
        VibType::Meta => None,
    }
}

/// The names that files of a bank have already, in small letters: FAT does not tell small letters from capital ones.
#[derive(Debug)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// The names of a bank without payloads, but with these files.
    pub(super) fn new(own: &[&str]) -> Self {
        let reserved = [BOOT_CONFIG, database::FILE, LOCKER, "boot.new", "imgdb.new", "staging"];
        Self(reserved.iter().chain(own).map(|name| name.to_lowercase()).collect())
    }

    /// Notes the name of a payload that stays.
    pub(super) fn keep(&mut self, vib: &Descriptor, file: &str) {
        if vib.vib_type == VibType::Bootbank {
            self.0.insert(file.to_lowercase());
        }
    }

    /// A name for a payload: the one that is told, if it is free, or else one that is made of its own name.
    pub(super) fn give(&mut self, vib: &Descriptor, payload: &Payload, told: Option<&str>) -> Box<str> {
        if vib.vib_type != VibType::Bootbank {
            // It lies in a folder of its own VIB, where no other payload has its name.
            return payload.name.clone();
        }
        if let Some(told) = told.filter(|name| is_plain(name) && self.0.insert(name.to_lowercase())) {
            return told.into();
        }
        let stem = stem(&payload.name);
        let kind = match &*payload.payload_type {
            "boot" => 'b',
            "tgz" => 't',
            _ => 'v',
        };
        let names = (0_u32..).map(|number| format!("{stem}.{kind}{number:02}"));
        // So many names are never taken: there are fewer payloads.
        let mut free = names.filter(|name| self.0.insert(name.clone()));
        free.next().unwrap_or_default().into()
    }
}

/// The part before the dot, of what may stand in it.
fn stem(name: &str) -> String {
    let stem: String = name.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_STEM).collect();
    if stem.is_empty() { "payload".to_owned() } else { stem.to_ascii_lowercase() }
}

/// Whether it is the name of a file as FAT has it, and leads nowhere else.
pub(super) fn is_plain(name: &str) -> bool {
    let (stem, kind) = name.split_once('.').unwrap_or((name, ""));
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || "_-$~".contains(c);
    let is_short = (1..=LONGEST_STEM).contains(&stem.len()) && kind.len() <= LONGEST_KIND;
    is_short && stem.chars().chain(kind.chars()).all(is_of_names)
}
