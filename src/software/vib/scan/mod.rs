//! Which bulletins a host has and which it lacks.

mod judgement;
mod offer;
mod result;
mod standing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use result::{BulletinStatus, BulletinVib, HostFacts, Prerequisite, ScanResult};

use super::catalogue::Catalogue;
use super::image::ImageSnapshot;
use super::level::AcceptanceLevel;
use super::stop::{Stop, check_cancelled};
use crate::software::CancelToken;
use judgement::Judge;
use offer::Offer;

/// Judges every bulletin of a catalogue for a host whose acceptance level is told, by the image that the next change is made
/// to; what waits for a reboot is told apart by the image that runs. `at` is the time of the scan. Nothing is changed.
pub fn scan(
    snapshot: &ImageSnapshot,
    catalogue: &Catalogue<'_>,
    level: AcceptanceLevel,
    at: DateTime<Utc>,
    cancel: &CancelToken,
) -> Result<ScanResult, Stop> {
    let offer = Offer::new(catalogue, &snapshot.host);
    let judge = Judge::new(snapshot, level, &offer);
    let judged = offer.bulletins.iter().enumerate().map(|(place, offered)| {
        check_cancelled(cancel)?;
        Ok(judge.status(place, offered))
    });
    let bulletins = judged.collect::<Result<_, Stop>>()?;
    Ok(ScanResult { host: HostFacts::of(snapshot, level), scanned_at: at, bulletins })
}
