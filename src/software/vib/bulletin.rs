//! Bulletins: what a vendor publishes VIBs by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::descriptor::{SoftwarePlatform, VibId};

/// A bulletin, as metadata describes it. Words such as the severity stand as they were written; they are compared without
/// regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Its id, such as `ESXi550-201404401-SG`.
    pub id: Box<str>,
    /// Its vendor.
    pub vendor: Box<str>,
    /// Its title.
    pub summary: Box<str>,
    /// How severe what it mends is: `critical`, `important`, `moderate`, `low`, `general`.
    pub severity: Box<str>,
    /// What it is for: `security`, `bugfix`, `enhancement`.
    pub category: Box<str>,
    /// How urgent it is.
    pub urgency: Box<str>,
    /// How it is released: `patch`, `rollup`, `update`, `extension`, `notification`, `upgrade`.
    pub release_type: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// The article about it.
    pub kb_url: Box<str>,
    /// Whom to ask.
    pub contact: Box<str>,
    /// When it was released.
    pub release_date: Option<DateTime<Utc>>,
    /// The products it is for; empty is any.
    pub platforms: Vec<SoftwarePlatform>,
    /// Its VIBs.
    pub vibs: Vec<VibId>,
    /// What it is as a component, from 7.0 on.
    pub component: Option<Component>,
}

/// The name and version of a component, each as tools and as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: Box<str>,
    /// Its name for people.
    pub ui_name: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its version for people.
    pub ui_version: Box<str>,
}
