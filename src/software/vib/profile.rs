//! Image profiles: the VIBs that make an image.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::descriptor::VibId;
use super::level::AcceptanceLevel;

/// An image profile, of a depot or of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageProfile {
    /// Its name, such as `ESXi-5.5.0-20140404001-standard`; `(Updated) …` once VIBs were changed.
    pub name: Box<str>,
    /// Who made it.
    pub creator: Box<str>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was changed last.
    pub modified_at: Option<DateTime<Utc>>,
    /// Its own id.
    pub profile_id: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// The lowest acceptance level that its VIBs may have.
    pub acceptance_level: AcceptanceLevel,
    /// Its VIBs.
    pub vibs: Vec<ProfileVib>,
}

/// A VIB of an image profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileVib {
    /// The VIB.
    pub id: VibId,
    /// The names of its payloads, each with the name of its file in a boot bank.
    pub payloads: Vec<(Box<str>, Box<str>)>,
}
