//! Software that is meant to be installed together: groups, tasks, metapackages, and the updates of an advisory.

mod known;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Nevra;

pub use known::Bundles;

/// How many parts one bundle has at most; the advisories of a large source package have some thousand.
const MOST_PARTS: usize = 5_000;

/// What holds a bundle together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BundleKind {
    /// A package group of a dnf repository.
    Group,
    /// A task of Debian's tasksel.
    Task,
    /// A Debian package that holds nothing and depends on others.
    Metapackage,
    /// An advisory of a dnf repository: packages that put something right.
    Advisory,
}

impl BundleKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Group, Self::Task, Self::Metapackage, Self::Advisory];
}

impl fmt::Display for BundleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Group => "group",
            Self::Task => "task",
            Self::Metapackage => "metapackage",
            Self::Advisory => "advisory",
        })
    }
}

/// What an advisory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvisoryKind {
    /// Something else, or nothing is said.
    Other,
    /// A hole is closed.
    Security,
    /// A fault is put right.
    BugFix,
    /// Something is better than before.
    Enhancement,
    /// A package is new.
    NewPackage,
}

/// How bad it is what an advisory puts right, in the words of Red Hat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Hard to exploit, or of little effect.
    Low,
    /// Exploited under conditions.
    Moderate,
    /// Data or availability are easily lost.
    Important,
    /// Others can take over the system without its user.
    Critical,
}

/// A part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A package by its name, in whichever version.
    Package {
        /// Any of these will do; the preferred one first.
        names: Vec<Arc<str>>,
        /// Whether the bundle is complete without it.
        is_optional: bool,
    },
    /// Exactly this build.
    Build(Nevra),
}

/// How much of a bundle is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleState {
    /// All that belongs to it, as far as it can be had; of an advisory, all of it that this host needs.
    Installed,
    /// Some of it.
    InPart,
    /// Nothing of it.
    NotInstalled,
    /// No package that the advisory is about is installed in any version.
    NotApplicable,
}

/// A bundle as a repository or the host tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What holds it together.
    pub kind: BundleKind,
    /// What names it among those of its kind.
    pub id: Arc<str>,
    /// Its name for a person; may be empty.
    pub name: String,
    /// More about it; may have several lines, and may be empty.
    pub description: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// What an advisory is about.
    pub advisory: Option<AdvisoryKind>,
    /// How bad it is what an advisory puts right.
    pub severity: Option<Severity>,
    /// The CVE numbers of what an advisory puts right.
    pub cves: Vec<String>,
    /// Where more can be read, as URLs; an advisory's own page first.
    pub references: Vec<String>,
    /// When an advisory was issued.
    pub released_at: Option<DateTime<Utc>>,
    /// Whether an advisory says that the host is to be rebooted once its packages are installed.
    pub needs_reboot: bool,
    /// What it consists of.
    pub parts: Vec<Part>,
}

impl Bundle {
    /// A bundle of which nothing is told yet.
    pub fn new(kind: BundleKind, id: &str) -> Self {
        Self {
            kind,
            id: id.into(),
            name: String::new(),
            description: String::new(),
            version: None,
            advisory: None,
            severity: None,
            cves: Vec::new(),
            references: Vec::new(),
            released_at: None,
            needs_reboot: false,
            parts: Vec::new(),
        }
    }

    /// Adds a part unless it is there; what is there as optional may become needed.
    pub fn add(&mut self, part: Part) {
        let same = |known: &Part| match (known, &part) {
            (Part::Package { names, .. }, Part::Package { names: others, .. }) => names == others,
            (known, part) => known == part,
        };
        let Some(place) = self.parts.iter().position(same) else {
            if self.parts.len() < MOST_PARTS {
                self.parts.push(part);
            }
            return;
        };
        if let (Some(Part::Package { is_optional, .. }), Part::Package { is_optional: new, .. }) =
            (self.parts.get_mut(place), part)
        {
            *is_optional &= new;
        }
    }

    /// Adds what another source tells of the same bundle: its parts, and texts that are missing here.
    fn merge(&mut self, other: Self) {
        let texts = [(&mut self.name, other.name), (&mut self.description, other.description)];
        for (text, other) in texts {
            if text.is_empty() {
                *text = other;
            }
        }
        for part in other.parts {
            self.add(part);
        }
    }
}

#[cfg(test)]
mod tests;
