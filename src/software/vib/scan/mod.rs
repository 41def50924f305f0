//! Which bulletins a host has and which it lacks.

mod assessment;
mod judgement;
mod offer;
mod result;
mod standing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use assessment::{Assessment, SeverityCount};
pub use result::{
    BulletinState, BulletinStatus, BulletinVib, HostFacts, InstallState, Prerequisite, Reason, ScanResult, VibChange,
};

use super::catalogue::Catalogue;
use super::image::ImageSnapshot;
use super::level::AcceptanceLevel;
use judgement::Judge;
use offer::Offer;

/// Judges every bulletin of a catalogue for a host whose acceptance level is told, by the image that the next change is made
/// to; what waits for a reboot is told apart by the image that runs. `at` is the time of the scan. Nothing is changed.
pub fn scan(
    snapshot: &ImageSnapshot,
    catalogue: &Catalogue<'_>,
    level: AcceptanceLevel,
    at: DateTime<Utc>,
) -> ScanResult {
    let offer = Offer::new(catalogue, &snapshot.host);
    let judge = Judge::new(snapshot, level, &offer);
    let bulletins = offer.bulletins.iter().enumerate().map(|(place, offered)| judge.status(place, offered)).collect();
    ScanResult { host: HostFacts::of(snapshot, level), scanned_at: at, bulletins }
}
