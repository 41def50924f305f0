//! A scan in figures.

use serde::{Deserialize, Serialize};

use super::result::{BulletinState, BulletinStatus, HostFacts, ScanResult};
use chrono::{DateTime, Utc};

/// How many bulletins of each severity stand how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The host as it was.
    pub host: HostFacts,
    /// When it was scanned.
    pub scanned_at: DateTime<Utc>,
    /// The counts, the severest first. Severities that no bulletin has are left out.
    pub severities: Vec<SeverityCount>,
}

/// The bulletins of one severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCount {
    /// The severity in small letters; `general` where a bulletin tells none.
    pub severity: Box<str>,
    /// Those that are missing.
    pub missing: u32,
    /// Those of the missing ones that another bulletin supersedes.
    pub missing_superseded: u32,
    /// Those that are installed and wait for a reboot.
    pub pending_reboot: u32,
    /// Those that are installed.
    pub installed: u32,
    /// Those that the host has newer versions of.
    pub superseded: u32,
    /// Those that are not for the host.
    pub not_applicable: u32,
}

impl SeverityCount {
    fn count(&mut self, bulletin: &BulletinStatus) {
        let counter = match bulletin.state {
            BulletinState::Missing => &mut self.missing,
            BulletinState::PendingReboot => &mut self.pending_reboot,
            BulletinState::Installed => &mut self.installed,
            BulletinState::Superseded => &mut self.superseded,
            BulletinState::NotApplicable => &mut self.not_applicable,
        };
        *counter += 1;
        if bulletin.state == BulletinState::Missing && !bulletin.is_wanted() {
            self.missing_superseded += 1;
        }
    }
}

/// The severities that are known, the severest first; others come behind them.
const SEVERITIES: [&str; 5] = ["critical", "important", "moderate", "low", "general"];

impl Assessment {
    /// The figures of a scan.
    pub fn of(scan: &ScanResult) -> Self {
        let mut severities: Vec<SeverityCount> = Vec::new();
        for bulletin in &scan.bulletins {
            let severity = severity(bulletin);
            let place = severities.iter().position(|count| *count.severity == *severity).unwrap_or_else(|| {
                severities.push(SeverityCount { severity: severity.into(), ..SeverityCount::default() });
                severities.len() - 1
            });
            if let Some(count) = severities.get_mut(place) {
                count.count(bulletin);
            }
        }
        severities.sort_by_key(|count| {
            let known = SEVERITIES.iter().position(|known| **known == *count.severity);
            (known.unwrap_or(SEVERITIES.len()), count.severity.clone())
        });
        Self { host: scan.host.clone(), scanned_at: scan.scanned_at, severities }
    }

    /// How many bulletins are missing that no other supersedes.
    pub fn wanted(&self) -> u32 {
        self.severities.iter().map(|count| count.missing - count.missing_superseded).sum()
    }
}

fn severity(bulletin: &BulletinStatus) -> String {
    let severity = bulletin.severity.trim().to_lowercase();
    if severity.is_empty() { "general".to_owned() } else { severity }
}
