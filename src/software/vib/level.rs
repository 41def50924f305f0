//! How far whoever made a VIB vouches for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An acceptance level, of a VIB or of what a host takes; a greater one asks for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceptanceLevel {
    /// By anybody; need not be signed.
    Community,
    /// By a partner, signed. What hosts ask for unless set otherwise.
    #[default]
    Partner,
    /// Tested by a partner and accepted by VMware, signed.
    Accepted,
    /// Tested and certified by VMware, signed.
    Certified,
}

impl AcceptanceLevel {
    /// All, the lowest first.
    pub const ALL: [Self; 4] = [Self::Community, Self::Partner, Self::Accepted, Self::Certified];

    /// The word that descriptors and settings have for it, such as `partner`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Partner => "partner",
            Self::Accepted => "accepted",
            Self::Certified => "certified",
        }
    }

    /// The name that it is shown by, such as `PartnerSupported`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Community => "CommunitySupported",
            Self::Partner => "PartnerSupported",
            Self::Accepted => "VMwareAccepted",
            Self::Certified => "VMwareCertified",
        }
    }
}

impl fmt::Display for AcceptanceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no acceptance level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the acceptance level is community, partner, accepted or certified")]
pub struct AcceptanceLevelError;

impl FromStr for AcceptanceLevel {
    type Err = AcceptanceLevelError;

    /// Takes the words and the names, in any case.
    fn from_str(text: &str) -> Result<Self, AcceptanceLevelError> {
        let is = |level: &Self| text.eq_ignore_ascii_case(level.word()) || text.eq_ignore_ascii_case(level.name());
        Self::ALL.into_iter().find(is).ok_or(AcceptanceLevelError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_are_levels_and_greater_asks_for_more() {
        for level in AcceptanceLevel::ALL {
            assert_eq!(level.word().parse(), Ok(level));
            assert_eq!(level.name().to_uppercase().parse(), Ok(level));
        }
        assert_eq!("vmware".parse::<AcceptanceLevel>(), Err(AcceptanceLevelError));
        assert!(AcceptanceLevel::ALL.is_sorted());
        assert_eq!(serde_json::to_string(&AcceptanceLevel::Partner).unwrap(), "\"partner\"");
    }
}
