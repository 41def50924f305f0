//! The files of a package, as they are and as they were installed.

use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;
use crate::wire::{PlainInstance, PlainItem};

/// The class of files, and their link to the package.
const CHECK: &str = "LMI_SoftwareIdentityFileCheck";
const CHECKS: &str = "LMI_SoftwareIdentityChecks";

/// What kinds of files there are, by the number of FileType.
const KINDS: [&str; 7] = ["", "file", "folder", "link", "fifo", "character device", "block device"];
/// What may differ, by the number of FailedFlags.
const FLAWS: [&str; 9] = ["missing", "size", "mode", "content", "device", "target", "user", "group", "time"];

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Its path.
    pub path: String,
    /// What kind of file it is, in a word; empty if that is not known.
    pub kind: String,
    /// Whether it is a configuration file, if that was told.
    pub is_configuration: Option<bool>,
    /// In what it differs from how it was installed, in a word each.
    pub flaws: Vec<String>,
}

impl PackageFile {
    fn of(instance: &PlainInstance) -> Option<Self> {
        let kind = |name: &str| instance.text(name).and_then(|number| named(&KINDS, number));
        Some(Self {
            path: instance.text("Name").or_else(|| instance.text("FileName"))?.to_owned(),
            kind: kind("FileType").or_else(|| kind("FileTypeOriginal")).unwrap_or_default().to_owned(),
            is_configuration: instance.text("ConfigurationFile").map(|truth| truth.eq_ignore_ascii_case("true")),
            flaws: instance.texts("FailedFlags").map(|flaw| named(&FLAWS, flaw).unwrap_or(flaw).to_owned()).collect(),
        })
    }

    /// The files among the items of an enumeration, in order.
    pub(super) fn all_of(items: &[PlainItem]) -> Vec<Self> {
        let mut files: Vec<Self> = items.iter().filter_map(|item| Self::of(item.instance.as_ref()?)).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }
}

fn named(words: &'static [&'static str], number: &str) -> Option<&'static str> {
    words.get(number.trim().parse::<usize>().ok()?).copied()
}

impl Session {
    /// The files of an installed package.
    pub async fn files(&self, software: &EndpointReference) -> Result<Vec<PackageFile>, ConsoleError> {
        Ok(PackageFile::all_of(&self.associated(software, Some(CHECKS), CHECK).await?))
    }

    /// The files that a job of a verification found to differ.
    pub async fn differing(&self, job: &EndpointReference) -> Result<Vec<PackageFile>, ConsoleError> {
        Ok(PackageFile::all_of(&self.affected(job, CHECK).await?))
    }
}
