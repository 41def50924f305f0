//! Configured sources of packages.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A source of packages as the host's package tool is configured to use it, or not to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// What names it among all of the host: dnf's repository id; for apt its entry in one line, as
    /// `deb http://deb.example.org/debian stable main contrib`.
    pub id: Arc<str>,
    /// Its name for a person.
    pub name: String,
    /// The file that configures it.
    pub file: PathBuf,
    /// Whether packages are taken from it.
    pub enabled: bool,
    /// The URLs that its metadata and packages lie below.
    pub base_urls: Vec<String>,
    /// The URL of a list of such URLs (dnf's mirrorlist or metalink).
    pub mirror_list: Option<String>,
    /// Lower is preferred; `None` where the tool knows no cost.
    pub cost: Option<i32>,
    /// Whether each package's own signature is checked; `None` where the tool has no such check.
    pub checks_packages: Option<bool>,
    /// Whether the signature of the repository's metadata is checked; `None` if the tool's settings do not let that be told.
    pub checks_metadata: Option<bool>,
    /// What is known of its contents; `None` if no metadata of it can be read.
    pub metadata: Option<RepositoryMetadata>,
    /// When its configuration file was last changed.
    pub changed_at: Option<DateTime<Utc>>,
}

/// The state of a repository's contents as the host last fetched it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryMetadata {
    /// The number of this state, as the repository counts (repomd's revision).
    pub revision: Option<u64>,
    /// When the repository's maker made this state (repomd's timestamp, Release's Date).
    pub updated_at: Option<DateTime<Utc>>,
}

/// A repository's state was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// No repository is named so.
    #[error("there is no repository {0:?}")]
    NotFound(String),
    /// What it is configured with is overridden, for others too or by the distribution.
    #[error("{0}")]
    Overridden(String),
    /// Its configuration cannot be read or written.
    #[error("the configuration {file} cannot be changed")]
    Configuration {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The address of a repository as everybody may see it: without a user's name and password.
pub fn without_password(uri: &str) -> String {
    let Ok(mut shown) = url::Url::parse(uri) else { return uri.to_owned() };
    if shown.username().is_empty() && shown.password().is_none() {
        return uri.to_owned();
    }
    // Only what has a host has a password.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_repositories_are_not_told() {
        assert_eq!(without_password("https://me:secret@h/repo/$basearch"), "https://h/repo/$basearch");
        assert_eq!(without_password("https://token@h/repo"), "https://h/repo");
        for plain in ["https://h/repo/$basearch", "file:///srv/repo", "no address"] {
            assert_eq!(without_password(plain), plain);
        }
    }
}
