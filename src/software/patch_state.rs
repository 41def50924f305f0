//! The words for how a host stands to what was published for it. Assessments are stored with them, so their names stay.

use serde::{Deserialize, Serialize};

/// How a host stands to a bulletin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PatchState {
    /// It is for this host and not installed.
    Missing,
    /// It is installed and waits for a reboot.
    RebootPending,
    /// It is installed.
    Installed,
    /// Everything of it is on the host in newer versions, or replaced.
    Superseded,
    /// It is not for this host.
    NotApplicable,
}

impl PatchState {
    /// All, what asks for most first.
    pub const ALL: [Self; 5] =
        [Self::Missing, Self::RebootPending, Self::Installed, Self::Superseded, Self::NotApplicable];
}

/// What speaks against a bulletin: vSphere's words from [`PatchReason::Obsoleted`] to [`PatchReason::ConflictLib`], and
/// others for what these have none for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PatchReason {
    /// The host has everything of it in newer versions or replaced.
    Obsoleted,
    /// It needs other bulletins, which the metadata has.
    MissingPatch,
    /// It needs what nothing has.
    MissingLib,
    /// It is installed and cannot be removed: what is outside of it needs it.
    HasDependentPatch,
    /// It conflicts with what a bulletin brought.
    ConflictPatch,
    /// It conflicts with what no bulletin brought.
    ConflictLib,
    /// It is for another product, version or locale.
    Platform,
    /// It is for other hardware.
    Hardware,
    /// What it has is below the host's acceptance level.
    AcceptanceLevel,
    /// It has nothing to install.
    NoContent,
    /// The metadata lacks something of it.
    MetadataIncomplete,
    /// Nothing that it is about is installed.
    NotInstalled,
}

/// What installing a bulletin does to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartChange {
    /// It comes; nothing goes for it.
    New,
    /// It comes in place of what is on the host.
    Update,
    /// It is there.
    Installed,
    /// A newer version is there, or what replaces it.
    Obsoleted,
    /// It is not for this host.
    NotApplicable,
    /// The metadata lacks it.
    Unknown,
}

/// How far what was installed took effect, in the words of vSphere's `HostPatchManager`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InstallState {
    /// The host was rebooted since.
    HostRestarted,
    /// The image that has it runs.
    ImageActive,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    fn are_stored_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(words: &[(T, &str)]) {
        for (word, name) in words {
            assert_eq!(serde_json::to_value(word).unwrap(), *name);
            assert_eq!(serde_json::from_value::<T>((*name).into()).unwrap(), *word);
        }
    }

    #[test]
    fn words_are_stored_by_the_names_that_they_always_had() {
        are_stored_as(&[
            (PatchState::Missing, "missing"),
            (PatchState::RebootPending, "rebootPending"),
            (PatchState::Installed, "installed"),
            (PatchState::Superseded, "superseded"),
            (PatchState::NotApplicable, "notApplicable"),
        ]);
        are_stored_as(&[
            (PatchReason::Obsoleted, "obsoleted"),
            (PatchReason::MissingPatch, "missingPatch"),
            (PatchReason::MissingLib, "missingLib"),
            (PatchReason::HasDependentPatch, "hasDependentPatch"),
            (PatchReason::ConflictPatch, "conflictPatch"),
            (PatchReason::ConflictLib, "conflictLib"),
            (PatchReason::Platform, "platform"),
            (PatchReason::Hardware, "hardware"),
            (PatchReason::AcceptanceLevel, "acceptanceLevel"),
            (PatchReason::NoContent, "noContent"),
            (PatchReason::MetadataIncomplete, "metadataIncomplete"),
            (PatchReason::NotInstalled, "notInstalled"),
        ]);
        are_stored_as(&[
            (PartChange::New, "new"),
            (PartChange::Update, "update"),
            (PartChange::Installed, "installed"),
            (PartChange::Obsoleted, "obsoleted"),
            (PartChange::NotApplicable, "notApplicable"),
            (PartChange::Unknown, "unknown"),
        ]);
        are_stored_as(&[(InstallState::HostRestarted, "hostRestarted"), (InstallState::ImageActive, "imageActive")]);
    }
}
