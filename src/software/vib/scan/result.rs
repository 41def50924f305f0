//! What a scan finds.

use chrono::{DateTime, Utc};

use super::super::bulletin::Component;
use super::super::descriptor::{HardwarePlatform, VibId};
use super::super::image::ImageSnapshot;
use super::super::level::AcceptanceLevel;
use crate::software::patch_state::{InstallState, PartChange, PatchReason, PatchState};

/// What a scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanResult {
    /// The host as it was.
    pub host: HostFacts,
    /// When it was scanned.
    pub scanned_at: DateTime<Utc>,
    /// The bulletins, those that were released last first, then by id.
    pub bulletins: Vec<BulletinStatus>,
}

impl ScanResult {
    /// The bulletin of this id.
    pub fn bulletin(&self, id: &str) -> Option<&BulletinStatus> {
        self.bulletins.iter().find(|bulletin| &*bulletin.id == id)
    }
}

/// A host as a scan finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// The product line.
    pub product_line: Box<str>,
    /// The version.
    pub version: Box<str>,
    /// The build, if it is known.
    pub build: Option<u64>,
    /// The locale; empty where there is none.
    pub locale: Box<str>,
    /// The hardware, if it is known.
    pub hardware: Option<HardwarePlatform>,
    /// The name of the image profile that the next change is made to.
    pub image_profile: Box<str>,
    /// The acceptance level.
    pub acceptance_level: AcceptanceLevel,
    /// Whether the host is in maintenance mode.
    pub maintenance_mode: bool,
    /// Whether another image waits for a reboot.
    pub reboot_pending: bool,
    /// When the host was booted last, as far as that is known.
    pub booted_at: Option<DateTime<Utc>>,
}

impl HostFacts {
    /// Those of a host whose acceptance level is told.
    pub fn of(snapshot: &ImageSnapshot, level: AcceptanceLevel) -> Self {
        let host = &snapshot.host;
        Self {
            product_line: host.product_line.clone(),
            version: host.version.clone(),
            build: host.build,
            locale: host.locale.clone(),
            hardware: host.hardware.clone(),
            image_profile: snapshot.next().profile.name.clone(),
            acceptance_level: level,
            maintenance_mode: host.maintenance_mode,
            reboot_pending: snapshot.pending.is_some(),
            booted_at: host.booted_at,
        }
    }
}

/// A bulletin and how a host stands to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulletinStatus {
    /// Its id.
    pub id: Box<str>,
    /// Its vendor.
    pub vendor: Box<str>,
    /// Its title.
    pub summary: Box<str>,
    /// How severe what it mends is, in the vendor's word.
    pub severity: Box<str>,
    /// What it is for, in the vendor's word.
    pub category: Box<str>,
    /// How urgent it is, in the vendor's word.
    pub urgency: Box<str>,
    /// How it is released, in the vendor's word.
    pub release_type: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// When it was released.
    pub release_date: Option<DateTime<Utc>>,
    /// The article about it.
    pub kb_url: Box<str>,
    /// What it is as a component, from 7.0 on.
    pub component: Option<Component>,
    /// How the host stands to it.
    pub state: PatchState,
    /// Whether it is for the host's product, and at least one of its VIBs is for the host.
    pub applicable: bool,
    /// Whether everything of it is there, or in a newer version or replaced by something else: then installing it changes
    /// nothing.
    pub installed: bool,
    /// How far it took effect, if it is installed.
    pub install_states: Vec<InstallState>,
    /// What speaks against installing it now, or against removing it; each once.
    pub reasons: Vec<PatchReason>,
    /// What its VIBs need that neither the host nor any bulletin has: constraints such as `esx-base >= 6.0`.
    pub missing_requirements: Vec<Box<str>>,
    /// The bulletins that have what it needs and the host lacks.
    pub prerequisites: Vec<Prerequisite>,
    /// The bulletins with the newest versions of its VIBs, if each of these stands in a newer version or replaced in a
    /// bulletin that is for the host; those that were released last first.
    pub superseded_by: Vec<Box<str>>,
    /// The installed VIBs and the bulletin's own that exclude each other.
    pub conflicts_with: Vec<VibId>,
    /// Whether its change is effective only once the host was rebooted.
    pub restart_required: bool,
    /// Whether the host must be in maintenance mode while it is installed.
    pub maintenance_mode_required: bool,
    /// Whether the CIM server is started again, so that consoles must connect anew.
    pub reconnect_required: bool,
    /// Its VIBs.
    pub vibs: Vec<BulletinVib>,
}

impl BulletinStatus {
    /// Whether it can be installed now: it is missing, and what speaks against it can be had from other bulletins.
    pub fn is_installable(&self) -> bool {
        self.state == PatchState::Missing && self.reasons.iter().all(|reason| *reason == PatchReason::MissingPatch)
    }
}

/// A bulletin that has what another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// Its id.
    pub id: Box<str>,
    /// How far it took effect, if it is installed.
    pub install_states: Vec<InstallState>,
}

/// A VIB of a bulletin and what the bulletin does to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulletinVib {
    /// The VIB.
    pub id: VibId,
    /// What installing the bulletin does to it.
    pub change: PartChange,
    /// The VIBs that go for it, or that stand in its place: an older or newer version, or what replaces it.
    pub on_host: Vec<VibId>,
}
