//! What an assessment says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{InstallState, PartChange, PatchReason, PatchState};
use crate::software::vib::Component;

/// Metadata that a host was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataSource {
    /// Where it came from.
    pub uri: String,
    /// The SHA-256 of its octets, in lower-case hexadecimal; empty where there is no one file.
    pub sha256: String,
    /// How many octets it has.
    pub octets: u64,
    /// When it was last known to be what is there.
    pub checked_at: DateTime<Utc>,
}

/// The host, as it was when it was assessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchHost {
    /// The product line, such as `embeddedEsx`, or the operating system's id, such as `rocky`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Its build.
    pub build: Option<u64>,
    /// The folder of the image store, where there is one; an earlier version did not tell it.
    #[serde(default)]
    pub image: Option<String>,
    /// The image profile that runs.
    pub profile: Option<String>,
    /// The lowest acceptance level of what may be installed.
    pub acceptance_level: Option<String>,
    /// Whether it is in maintenance mode, where there is such a thing.
    pub maintenance_mode: Option<bool>,
    /// Whether a change waits for a reboot.
    pub reboot_pending: bool,
}

/// A VIB or a package of a bulletin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchPart {
    /// Its id: a VIB's id, or `name-epoch:version-release.arch`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who made it.
    pub vendor: String,
    /// What it is.
    pub summary: String,
    /// What installing the bulletin does to it.
    pub change: PartChange,
    /// The ids of what goes for it, or stands in its place: an older or newer version, or what replaces it.
    pub on_host: Vec<String>,
}

/// A bulletin, and how the host stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchStatus {
    /// Its id.
    pub id: String,
    /// Its vendor.
    pub vendor: String,
    /// Its title.
    pub summary: String,
    /// What it is.
    pub description: String,
    /// How severe what it mends is, in small letters: `critical`, `important`, `moderate`, `low`, `general`, or another word.
    pub severity: String,
    /// What it is as a component, from ESXi 7.0 on.
    #[serde(default)]
    pub component: Option<Component>,
    /// What it is for, in small letters: `security`, `bugfix`, `enhancement`, or another word.
    pub category: String,
    /// How it is released, in small letters: `patch`, `rollup`, `update` …
    pub release_type: String,
    /// When it was released.
    pub release_date: Option<DateTime<Utc>>,
    /// Where more can be read.
    pub kb_url: String,
    /// The CVE numbers of what it mends, as far as they are told.
    pub cves: Vec<String>,
    /// How the host stands to it.
    pub state: PatchState,
    /// Whether it is for this host.
    pub applicable: bool,
    /// What speaks against it.
    pub reasons: Vec<PatchReason>,
    /// Whether installing it would change nothing: everything of it is there, or newer.
    pub installed: bool,
    /// How far it took effect, if it is installed.
    pub install_states: Vec<InstallState>,
    /// What it needs that nothing has.
    pub missing_requirements: Vec<String>,
    /// What is installed and excludes it.
    pub conflicts_with: Vec<String>,
    /// The bulletins that have something newer of all that it has.
    pub superseded_by: Vec<String>,
    /// The bulletins that must be installed before or with it.
    pub prerequisites: Vec<String>,
    /// Whether its installation is effective only once the host was rebooted; `None` where that is not told.
    pub needs_reboot: Option<bool>,
    /// Whether the host must be in maintenance mode for it.
    pub needs_maintenance_mode: bool,
    /// What it consists of.
    pub parts: Vec<PatchPart>,
}

/// How many bulletins there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchCounts {
    /// In each state, in the order of [`PatchState::ALL`].
    pub by_state: [u32; 5],
    /// Of those that are missing, by severity: critical, important, moderate, low, and all others.
    pub missing_by_severity: [u32; 5],
}

/// The severities that are counted by themselves.
const SEVERITIES: [&str; 4] = ["critical", "important", "moderate", "low"];

/// How many bulletins are told of each kind, so that an instance and an event stay smaller than what clients take (150 KiB
/// with many).
const MOST_TOLD: usize = 500;

/// What an assessment says in short; this is told as an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchSummary {
    /// The number of the job that made it.
    pub job: u64,
    /// What was asked for, such as `Scan`.
    pub operation: String,
    /// When the host was compared.
    pub at: DateTime<Utc>,
    /// The host.
    pub host: PatchHost,
    /// What it was compared with.
    pub metadata: Vec<MetadataSource>,
    /// How many bulletins there are of each kind.
    pub counts: PatchCounts,
    /// The ids of the missing bulletins, the most severe first; of these and the others no more than 500.
    pub missing: Vec<String>,
    /// The ids of those that wait for a reboot.
    pub reboot_pending: Vec<String>,
    /// The ids of those that are installed.
    pub installed: Vec<String>,
}

/// A host compared with metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchAssessment {
    /// When.
    pub at: DateTime<Utc>,
    /// The host.
    pub host: PatchHost,
    /// What it was compared with.
    pub metadata: Vec<MetadataSource>,
    /// Every bulletin of the metadata, in the order of their ids.
    pub bulletins: Vec<PatchStatus>,
}

impl PatchAssessment {
    /// What it says in short.
    pub fn summary(&self, job: u64, operation: &str) -> PatchSummary {
        let of = |state| self.bulletins.iter().filter(move |bulletin| bulletin.state == state);
        let ids = |state| of(state).take(MOST_TOLD).map(|bulletin| bulletin.id.clone()).collect();
        let mut missing: Vec<&PatchStatus> = of(PatchState::Missing).collect();
        missing.sort_by_key(|bulletin| severity_place(&bulletin.severity));
        let mut missing_by_severity = [0; 5];
        for bulletin in &missing {
            if let Some(count) = missing_by_severity.get_mut(severity_place(&bulletin.severity)) {
                *count += 1;
            }
        }
        let count = |state| u32::try_from(of(state).count()).unwrap_or(u32::MAX);
        PatchSummary {
            job,
            operation: operation.to_owned(),
            at: self.at,
            host: self.host.clone(),
            metadata: self.metadata.clone(),
            counts: PatchCounts { by_state: PatchState::ALL.map(count), missing_by_severity },
            missing: missing.into_iter().take(MOST_TOLD).map(|bulletin| bulletin.id.clone()).collect(),
            reboot_pending: ids(PatchState::RebootPending),
            installed: ids(PatchState::Installed),
        }
    }
}

fn severity_place(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| severity.eq_ignore_ascii_case(known)).unwrap_or(SEVERITIES.len())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A bulletin of which little is told.
    pub(crate) fn bulletin(id: &str, severity: &str) -> PatchStatus {
        PatchStatus {
            id: id.to_owned(),
            vendor: "VMware".to_owned(),
            summary: format!("Updates {id}"),
            description: String::new(),
            severity: severity.to_owned(),
            component: None,
            category: "security".to_owned(),
            release_type: "patch".to_owned(),
            release_date: None,
            kb_url: String::new(),
            cves: Vec::new(),
            state: PatchState::Missing,
            applicable: true,
            reasons: Vec::new(),
            installed: false,
            install_states: Vec::new(),
            missing_requirements: Vec::new(),
            conflicts_with: Vec::new(),
            superseded_by: Vec::new(),
            prerequisites: Vec::new(),
            needs_reboot: Some(true),
            needs_maintenance_mode: false,
            parts: Vec::new(),
        }
    }

    #[test]
    fn all_count_and_some_are_told() {
        let mut bulletins: Vec<PatchStatus> = (0..MOST_TOLD).map(|n| bulletin(&format!("A-{n:04}"), "low")).collect();
        bulletins.push(bulletin("B", "critical"));
        let (host, metadata) = (PatchHost::default(), Vec::new());
        let summary = PatchAssessment { at: DateTime::UNIX_EPOCH, host, metadata, bulletins }.summary(7, "Scan");
        assert_eq!((summary.counts.by_state[0], summary.missing.len()), (501, MOST_TOLD));
        assert_eq!(summary.missing[0], "B");
    }

    #[test]
    fn the_most_severe_is_told_first_and_every_bulletin_counts_once() {
        let of = |id, severity, state| PatchStatus { state, ..bulletin(id, severity) };
        let assessment = PatchAssessment {
            at: DateTime::UNIX_EPOCH,
            host: PatchHost::default(),
            metadata: Vec::new(),
            bulletins: vec![
                bulletin("A", "Moderate"),
                bulletin("B", "critical"),
                of("C", "critical", PatchState::RebootPending),
                of("D", "low", PatchState::Installed),
                of("E", "low", PatchState::NotApplicable),
                bulletin("F", "odd"),
            ],
        };
        let summary = assessment.summary(7, "Scan");
        assert_eq!(summary.missing, ["B", "A", "F"]);
        assert_eq!((summary.reboot_pending, summary.installed), (vec!["C".to_owned()], vec!["D".to_owned()]));
        assert_eq!(summary.counts, PatchCounts { by_state: [3, 1, 1, 0, 1], missing_by_severity: [1, 0, 1, 0, 1] });
    }
}
