//! What VIBs need, exclude, replace and provide.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::version::VibVersion;

/// How a version is compared with the one of a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `<<`: strictly less.
    #[serde(rename = "<<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `=`
    #[serde(rename = "=")]
    Equal,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `>>`: strictly greater.
    #[serde(rename = ">>")]
    Greater,
}

impl Comparison {
    /// All, by their operators.
    pub const ALL: [Self; 5] = [Self::Less, Self::LessOrEqual, Self::Equal, Self::GreaterOrEqual, Self::Greater];

    /// The operator of descriptors.
    pub fn operator(self) -> &'static str {
        match self {
            Self::Less => "<<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">>",
        }
    }
}

/// A name and perhaps the versions that are meant; it matches a VIB by its name and by what it provides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Constraint {
    /// The name.
    pub name: Box<str>,
    /// Which versions; `None` is any.
    pub version: Option<(Comparison, VibVersion)>,
}

impl fmt::Display for Constraint {
    /// As VMware's tools write it: `esx-base >= 5.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some((comparison, version)) => write!(f, "{} {} {version}", self.name, comparison.operator()),
            None => f.write_str(&self.name),
        }
    }
}

/// A name that a VIB provides beside its own, perhaps in a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Provide {
    /// The name, such as `vmkapi_2_2_0_0`.
    pub name: Box<str>,
    /// The version.
    pub version: Option<VibVersion>,
}

impl fmt::Display for Provide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{} = {version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
