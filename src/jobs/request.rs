//! What a job is to do, as it was asked for.

use serde::{Deserialize, Serialize};

use super::id::JobId;
use crate::software::patch::PatchOperation;
use crate::software::vib::{ImageOperation, SeenBundles};
use crate::software::{Nevra, Operation};
use crate::worker::{Staged, Work};

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobRequest {
    /// Compare the system with what was published for it, or have it patched.
    Patch(PatchOperation),
    /// Do something with the image; only in the jobs of [`System::Image`](super::System::Image).
    Image(ImageRequest),
    /// Do something with packages; only in the jobs of [`System::Host`](super::System::Host). It is stored as what it is.
    #[serde(untagged)]
    Packages(PackageRequest),
}

/// What a job of a host with packages is to do, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageRequest {
    /// Install the package that a URI names, or update to it.
    InstallFromUri {
        /// The URI as the caller wrote it.
        uri: String,
        /// The package, as the worker copied it from there; `None` if the worker is to fetch it.
        staged: Option<Staged>,
        /// How.
        #[serde(default)]
        options: InstallOptions,
    },
    /// Install the package whose octets came with the request, or update to it.
    InstallFromByteStream {
        /// The package, as the worker copied it.
        staged: Staged,
        /// How.
        options: InstallOptions,
    },
    /// Install, update, put in place again or remove a package that has a software identity.
    ChangeIdentity {
        /// The package.
        nevra: Nevra,
        /// What to do with it.
        options: InstallOptions,
        /// How it was asked for.
        asked: Asked,
    },
    /// Compare the files of an installed package with how they were installed.
    Verify {
        /// The package.
        nevra: Nevra,
    },
    /// Fetch the metadata of all enabled repositories anew.
    RefreshRepositories,
}

/// What a job of an image is to do, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageRequest {
    /// Install what the offline bundle has that a URI names, or update to it.
    Update {
        /// The URI as the caller wrote it.
        uri: String,
        /// What it comes to.
        operation: ImageOperation,
        /// The bundle as it was when it was named; the job takes no other one.
        #[serde(default)]
        seen: SeenBundles,
        /// The numbers of the install options that were given and are ignored; `None` if none were.
        #[serde(default)]
        given: Option<Vec<u16>>,
    },
}

/// What is done with a package, as DSP1025's InstallOptions say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallOptions {
    /// What is done.
    pub action: InstallAction,
    /// Whether the same or an older build replaces what is installed, and what depends on a removed package goes too. It adds
    /// nothing to an update.
    pub force: bool,
    /// The numbers that were given; `None` if none were.
    #[serde(default)]
    pub given: Option<Vec<u16>>,
}

/// What is done with a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallAction {
    /// Install exactly this build, or update to it.
    #[default]
    Install,
    /// Update the installed build to the newest.
    Update,
    /// Update another installed build of the package to this one.
    UpdateTo,
    /// Put the installed build in place again.
    Repair,
    /// Remove the installed build.
    Uninstall,
}

/// How a change was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// By InstallFromSoftwareIdentity with the system as Target.
    OfSystem,
    /// By InstallFromSoftwareIdentity with the system's Collection.
    OfCollection,
    /// By creating or deleting the link between the package and the system.
    ByLink,
}

impl JobRequest {
    /// What the worker is asked to do.
    pub fn work(&self) -> Work {
        match self {
            Self::Packages(request) => request.work(),
            Self::Patch(operation) => Work::Patch(operation.clone()),
            Self::Image(ImageRequest::Update { operation, seen, .. }) => {
                Work::Image { operation: operation.clone(), seen: seen.clone() }
            }
        }
    }

    /// What is asked of packages, if it is that.
    pub fn of_packages(&self) -> Option<&PackageRequest> {
        match self {
            Self::Packages(request) => Some(request),
            Self::Patch(_) | Self::Image(_) => None,
        }
    }

    /// The staged file that the job needs.
    pub(super) fn staged(&self) -> Option<&Staged> {
        self.of_packages()?.staged()
    }

    /// The package that it is about, if that is known before it runs.
    pub fn nevra(&self) -> Option<&Nevra> {
        self.of_packages()?.nevra()
    }

    /// What it is about, for people, if that is known before it runs: the package, the bundle, the VIBs or the bulletins.
    pub(super) fn about(&self) -> Option<String> {
        match self {
            Self::Packages(request) => request.nevra().map(Nevra::to_string),
            Self::Patch(PatchOperation::Deploy { bulletins, .. }) => Some(bulletins.join(", ")),
            Self::Patch(PatchOperation::Remove { vibs, .. }) => Some(vibs.join(", ")),
            Self::Patch(_) => None,
            Self::Image(ImageRequest::Update { uri, .. }) => Some(uri.clone()),
        }
    }

    /// The name of the job, as OpenLMI's jobs are named, such as `InstallPackageFromURI-<number>`.
    pub(super) fn job_name(&self, id: JobId) -> String {
        let what = match self {
            Self::Packages(request) => request.word(),
            Self::Patch(operation) => operation.word(),
            Self::Image(ImageRequest::Update { .. }) => "UpdateImage",
        };
        format!("{what}-{id}")
    }
}

impl From<PackageRequest> for JobRequest {
    fn from(request: PackageRequest) -> Self {
        Self::Packages(request)
    }
}

impl PackageRequest {
    fn work(&self) -> Work {
        match self {
            Self::InstallFromUri { staged: Some(staged), options, .. }
            | Self::InstallFromByteStream { staged, options } => {
                Work::InstallStaged { staged: staged.clone(), force: options.force }
            }
            Self::InstallFromUri { uri, staged: None, options } => {
                Work::InstallRemote { url: uri.clone(), force: options.force }
            }
            Self::ChangeIdentity { nevra, options, .. } => Work::Change(options.operation(nevra)),
            Self::Verify { nevra } => Work::Change(Operation::Verify { nevra: nevra.clone() }),
            Self::RefreshRepositories => Work::Change(Operation::RefreshRepositories),
        }
    }

    fn staged(&self) -> Option<&Staged> {
        match self {
            Self::InstallFromUri { staged, .. } => staged.as_ref(),
            Self::InstallFromByteStream { staged, .. } => Some(staged),
            Self::ChangeIdentity { .. } | Self::Verify { .. } | Self::RefreshRepositories => None,
        }
    }

    /// The package that it is about, if that is known before it runs.
    pub fn nevra(&self) -> Option<&Nevra> {
        match self {
            Self::InstallFromUri { .. } | Self::InstallFromByteStream { .. } => {
                self.staged().map(|staged| &staged.nevra)
            }
            Self::ChangeIdentity { nevra, .. } | Self::Verify { nevra } => Some(nevra),
            Self::RefreshRepositories => None,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::InstallFromUri { .. } => "InstallPackageFromURI",
            Self::InstallFromByteStream { .. } => "InstallPackageFromByteStream",
            Self::ChangeIdentity { options, .. } => match options.action {
                InstallAction::Install | InstallAction::Repair => "InstallPackage",
                InstallAction::Update => "UpdatePackage",
                InstallAction::UpdateTo => "UpdateToPackage",
                InstallAction::Uninstall => "RemovePackage",
            },
            Self::Verify { .. } => "CheckPackage",
            Self::RefreshRepositories => "RefreshRepositories",
        }
    }
}

impl InstallOptions {
    /// What the package engine is asked to do.
    pub fn operation(&self, nevra: &Nevra) -> Operation {
        let (nevra, force) = (nevra.clone(), self.force);
        match self.action {
            InstallAction::Install | InstallAction::UpdateTo => Operation::Install { nevra, force },
            InstallAction::Update => Operation::Update { nevra },
            InstallAction::Repair => Operation::Repair { nevra },
            InstallAction::Uninstall => Operation::Remove { nevra, force },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_stored_is_read() {
        let text = r#"{"install_from_uri":{"uri":"file:///a.deb","staged":{"id":"6f8a1d0e-57a5-4f0d-8f3e-000000000001",
            "file_name":"a.deb","nevra":{"name":"a","epoch":0,"version":"1","release":null,"architecture":"all"},
            "size":5,"sha256":"00"}}}"#;
        let request: JobRequest = serde_json::from_str(text).unwrap();
        let JobRequest::Packages(PackageRequest::InstallFromUri { staged: Some(_), options, .. }) = request else {
            panic!("{request:?}")
        };
        assert_eq!(options, InstallOptions::default());

        let text = r#"{"image":{"update":{"uri":"file:///a.zip","operation":{"install":{"bundles":["/a.zip"],"bulletins":null}},
            "given":[4]}}}"#;
        let request: JobRequest = serde_json::from_str(text).unwrap();
        let JobRequest::Image(ImageRequest::Update { seen, given, .. }) = request else { panic!("{request:?}") };
        assert_eq!((seen, given), (SeenBundles::new(), Some(vec![4])), "nothing is known of the bundle");
    }

    #[test]
    fn requests_are_stored_by_the_names_that_they_always_had() {
        let nevra: Nevra = "a-0:1-1.noarch".parse().unwrap();
        for (request, begin) in [
            (JobRequest::from(PackageRequest::RefreshRepositories), r#""refresh_repositories""#),
            (JobRequest::from(PackageRequest::Verify { nevra }), r#"{"verify":{"nevra":{"#),
            (JobRequest::Patch(PatchOperation::Scan { metadata: Vec::new() }), r#"{"patch":{"scan":{"metadata":[]}}}"#),
        ] {
            let text = serde_json::to_string(&request).unwrap();
            assert!(text.starts_with(begin), "{text}");
            assert_eq!(serde_json::from_str::<JobRequest>(&text).unwrap(), request);
        }
        let unknown = serde_json::from_str::<JobRequest>(r#"{"dance":{}}"#);
        assert!(unknown.is_err(), "{unknown:?}");
    }
}
