//! What goes wrong with images, in the classes and the shape of VMware's esximage.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::descriptor::VibId;

/// The class of a failure, with the names that esximage and `esxcli` print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ImageErrorClass {
    /// Somebody else is changing the image.
    LockingError,
    /// Metadata cannot be had.
    MetadataDownloadError,
    /// Metadata is not written as it should be.
    MetadataFormatError,
    /// A VIB cannot be had.
    VibDownloadError,
    /// A VIB is not written as it should be.
    VibFormatError,
    /// A VIB cannot be read or written.
    VibIOError,
    /// A file cannot be made, read or written.
    FileIOError,
    /// The image's database is not written as it should be.
    DatabaseFormatError,
    /// The image's database cannot be read or written.
    DatabaseIOError,
    /// Nothing is called so.
    NoMatchError,
    /// VIBs lack what they need, or exclude each other.
    DependencyError,
    /// The installation failed; the image is as it was.
    InstallationError,
    /// The host must be in maintenance mode.
    MaintenanceModeError,
    /// A VIB that must be signed is not.
    VibSigMissingError,
    /// A signature is not written as it should be.
    VibSigFormatError,
    /// A signature is wrong, or nobody who is trusted made it.
    VibSigInvalidError,
    /// A signature is of another descriptor.
    VibSigDigestError,
    /// A VIB breaks a rule for VIBs.
    VibValidationError,
    /// A bundle cannot be had.
    BundleDownloadError,
    /// A bundle is not written as it should be.
    BundleFormatError,
    /// A bundle cannot be read.
    BundleIOError,
    /// A VIB's acceptance level is lower than the host's.
    AcceptanceConfigError,
    /// A VIB is for other hardware.
    HardwareError,
    /// An image profile breaks a rule.
    ProfileValidationError,
    /// A bulletin breaks a rule.
    BulletinValidationError,
    /// A value has a form that is not taken.
    ValueError,
}

impl ImageErrorClass {
    /// esxupdate's exit code for it, where it has one (VMware KB 1039063); 99 for what it does not expect.
    pub fn code(self) -> u16 {
        match self {
            Self::LockingError => 3,
            Self::MetadataDownloadError => 4,
            Self::MetadataFormatError => 5,
            Self::VibDownloadError => 7,
            Self::VibFormatError => 8,
            Self::VibIOError => 9,
            Self::FileIOError => 10,
            Self::DatabaseFormatError => 11,
            Self::DatabaseIOError => 12,
            Self::NoMatchError => 13,
            Self::DependencyError => 14,
            Self::InstallationError => 15,
            Self::MaintenanceModeError => 18,
            Self::VibSigMissingError => 20,
            Self::VibSigInvalidError => 22,
            Self::VibSigFormatError => 23,
            Self::VibSigDigestError => 24,
            Self::BundleDownloadError => 26,
            Self::BundleFormatError => 27,
            Self::BundleIOError => 28,
            Self::VibValidationError
            | Self::AcceptanceConfigError
            | Self::HardwareError
            | Self::ProfileValidationError
            | Self::BulletinValidationError
            | Self::ValueError => 99,
        }
    }
}

impl ImageErrorClass {
    /// What to do next, for a person.
    pub fn advice(self) -> &'static str {
        match self {
            Self::LockingError => "Try again when the other change of the image has ended.",
            Self::MetadataDownloadError | Self::VibDownloadError | Self::BundleDownloadError => {
                "See that the address is right and that the host can read what is there, and submit the job again."
            }
            Self::MetadataFormatError
            | Self::VibFormatError
            | Self::BundleFormatError
            | Self::VibValidationError
            | Self::BulletinValidationError
            | Self::ProfileValidationError => "Get the file again from its vendor; if it stays so, tell the vendor.",
            Self::VibIOError | Self::FileIOError | Self::BundleIOError => {
                "See that the file can be read and that there is room for the image, and submit the job again."
            }
            Self::DatabaseFormatError | Self::DatabaseIOError => {
                "The image's database is damaged: bring its folder back from a backup, or set the image up anew."
            }
            Self::NoMatchError => "Look at what the bundle or the image has, and use the names that stand there.",
            Self::DependencyError => {
                "Add a bundle that has what is missing, or remove the VIBs that the message names."
            }
            Self::InstallationError => "Correct what the message tells of and submit the job again.",
            Self::MaintenanceModeError => "Put the host into maintenance mode and submit the job again.",
            Self::VibSigMissingError | Self::VibSigFormatError | Self::VibSigInvalidError | Self::VibSigDigestError => {
                "Get the VIB from its vendor, and see that the trust files of the settings hold the vendor's root."
            }
            Self::AcceptanceConfigError => "Lower the host's acceptance level, or get a VIB of a higher one.",
            Self::HardwareError => "Get the VIB that is made for this host's hardware.",
            Self::ValueError => "Name the bundle in a form that is taken, such as file:///depots/bundle.zip.",
        }
    }
}

impl fmt::Display for ImageErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Their names are esximage's.
        fmt::Debug::fmt(self, f)
    }
}

/// A failure. The text is for the person who asked: what is wrong, and in its last sentence what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageError {
    /// Its class.
    pub class: ImageErrorClass,
    /// What is wrong and what to do.
    pub text: String,
    /// The address that it is about.
    #[serde(default)]
    pub url: Option<String>,
    /// The VIBs that it is about.
    #[serde(default)]
    pub vibs: Vec<VibId>,
}

impl ImageError {
    /// A failure of this class.
    pub fn new(class: ImageErrorClass, text: impl Into<String>) -> Self {
        Self { class, text: text.into(), url: None, vibs: Vec::new() }
    }

    /// The same with another text.
    #[must_use]
    pub fn map_text(self, change: impl FnOnce(String) -> String) -> Self {
        Self { text: change(self.text), ..self }
    }

    /// The same about an address.
    #[must_use]
    pub fn at(self, url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..self }
    }

    /// The same about VIBs.
    #[must_use]
    pub fn of(self, vibs: impl IntoIterator<Item = VibId>) -> Self {
        Self { vibs: vibs.into_iter().collect(), ..self }
    }
}

impl std::error::Error for ImageError {}

impl fmt::Display for ImageError {
    /// In one line: `[DependencyError] VIB … requires …, vibs = …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.class, self.text)?;
        if let Some(url) = &self.url {
            write!(f, " url = {url}")?;
        }
        for (at, vib) in self.vibs.iter().enumerate() {
            write!(f, "{}{vib}", if at == 0 { " vibs = " } else { ", " })?;
        }
        Ok(())
    }
}
