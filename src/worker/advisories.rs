//! Hosts whose repositories have advisories, compared with these.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::craft::Task;
use super::patching;
use super::protocol::Refusal;
use crate::clock::SharedClock;
use crate::software::patch::{MetadataSource, PatchHost, PatchOperation, assess_advisories};
use crate::software::{
    ApplyError, CancelToken, Family, Manager, ManagerError, Operation, Outcome, Phase, Progress, Repository,
    without_password,
};

/// How far a scan is when the metadata is fresh, in percent.
const METADATA_SHARE: u8 = 60;

/// The job, if a server may ask for it.
pub(super) fn task(
    manager: Arc<dyn Manager>,
    operation: &PatchOperation,
    folder: &Path,
    clock: SharedClock,
) -> Result<Box<dyn Task>, Refusal> {
    // Debian's repositories have no advisories, and bulletins are installed into images only.
    if manager.family() != Family::Rpm || !operation.only_looks() {
        return Err(Refusal::Malformed);
    }
    let refreshes = matches!(operation, PatchOperation::Scan { .. });
    Ok(Box::new(AdvisoryTask { manager, refreshes, folder: folder.to_owned(), clock }))
}

/// A job that compares a host with advisories.
struct AdvisoryTask {
    manager: Arc<dyn Manager>,
    /// Whether the metadata is fetched anew before.
    refreshes: bool,
    folder: PathBuf,
    clock: SharedClock,
}

impl Task for AdvisoryTask {
    fn carry_out(&mut self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        if self.refreshes && self.manager.abilities().repositories {
            self.manager.apply(&Operation::RefreshRepositories, progress, cancel)?;
        }
        progress.phase(Phase::Scanning, METADATA_SHARE);
        let unreadable = |error: ManagerError| {
            tracing::error!(error = &error as &dyn std::error::Error, "advisories cannot be read");
            ApplyError::Failed("the host's advisories cannot be read; the service's log tells more".to_owned())
        };
        self.manager.doubt();
        self.manager.refresh().map_err(unreadable)?;
        let bundles = self.manager.bundles().map_err(unreadable)?;
        let metadata = self.sources().map_err(unreadable)?;
        if cancel.is_cancelled() {
            return Err(ApplyError::Cancelled);
        }
        let inventory = self.manager.inventory();
        let assessment = assess_advisories(&inventory, &bundles, self.host(), metadata, self.clock.now());
        let file = patching::write(&self.folder, &assessment, progress)?;
        Ok(Outcome { assessment: Some(file), ..Outcome::default() })
    }

    fn after_a_fault(&self) -> &'static str {
        "Nothing was changed."
    }
}

impl AdvisoryTask {
    /// The enabled repositories.
    fn sources(&self) -> Result<Vec<MetadataSource>, ManagerError> {
        let enabled = self.manager.repositories()?.into_iter().filter(|repository| repository.enabled);
        let source = |repository: Repository| MetadataSource {
            uri: repository
                .base_urls
                .first()
                .cloned()
                .or(repository.mirror_list)
                .map_or_else(|| repository.id.to_string(), |uri| without_password(&uri)),
            sha256: String::new(),
            octets: 0,
            checked_at: repository
                .metadata
                .and_then(|metadata| metadata.updated_at)
                .unwrap_or_else(|| self.clock.now()),
        };
        Ok(enabled.map(source).collect())
    }

    /// The operating system, as it tells of itself (os-release(5)).
    fn host(&self) -> PatchHost {
        let root = self.manager.root();
        let text =
            ["etc/os-release", "usr/lib/os-release"].iter().find_map(|file| fs::read_to_string(root.join(file)).ok());
        let text = text.unwrap_or_default();
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            lines.find(|(k, _)| *k == key).map(|(_, v)| v.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
        };
        PatchHost { product: value("ID"), version: value("VERSION_ID"), ..PatchHost::default() }
    }
}
