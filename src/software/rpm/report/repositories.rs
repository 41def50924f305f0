//! What dnf says of repositories that it cannot use.

use crate::software::ApplyError;
use crate::software::drive::Said;

/// A repository whose metadata could not be fetched, or is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software::rpm) struct RepositoryFailure {
    /// Its id.
    pub id: String,
    /// Why, in dnf's words.
    pub why: String,
}

impl RepositoryFailure {
    /// Whether the metadata was there and is not what it should be.
    fn is_untrusted(&self) -> bool {
        ["GPG", "OpenPGP", "checksum"].iter().any(|word| self.why.contains(word))
    }

    /// One sentence about it.
    pub(in crate::software::rpm) fn sentence(&self) -> String {
        let what = if self.is_untrusted() { "is not trusted" } else { "cannot be read" };
        format!("the repository {} {what}: {}", self.id, self.why)
    }

    /// The error of an operation that these kept from being done.
    pub(in crate::software::rpm) fn error(undone: &str, failures: &[Self]) -> ApplyError {
        let sentences: Vec<String> = failures.iter().map(Self::sentence).collect();
        let text = format!("{undone}: {}", sentences.join("; "));
        if failures.iter().all(Self::is_untrusted) {
            ApplyError::Untrusted(text)
        } else {
            ApplyError::Unreachable(text)
        }
    }
}

/// The repositories that dnf could not use, each once.
///
/// dnf 4 gives reasons below `Errors during downloading metadata for repository 'x':`, and then or instead says
/// `Error: Failed to download metadata for repo 'x': …`; the words of dnf 5 are like the latter.
pub(in crate::software::rpm) fn failed_repositories(said: &Said) -> Vec<RepositoryFailure> {
    let mut found: Vec<RepositoryFailure> = Vec::new();
    let mut reasons_of: Option<String> = None;
    for line in said.lines() {
        let reason = line.strip_prefix("  - ").or_else(|| line.strip_prefix(">>> ")).map(str::trim);
        if let (Some(id), Some(reason)) = (&reasons_of, reason) {
            keep(&mut found, id, reason);
        } else if line.starts_with("Errors during downloading metadata for repository") {
            reasons_of = quoted(line).map(|(id, _)| id.to_owned());
        } else {
            reasons_of = None;
            let failed =
                line.split_once("Failed to download metadata").and_then(|(_, rest)| rest.split_once(" for repo"));
            if let Some((id, why)) = failed.and_then(|(_, rest)| quoted(rest)) {
                keep(&mut found, id, why.trim_start_matches([':', ' ']));
            }
        }
    }
    found
}

/// The first reason tells most.
fn keep(found: &mut Vec<RepositoryFailure>, id: &str, why: &str) {
    if found.iter().all(|f| f.id != id) {
        found.push(RepositoryFailure { id: id.to_owned(), why: why.to_owned() });
    }
}

/// The first part in quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let rest = text.split_once(['\'', '"'])?.1;
    rest.split_once(['\'', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repository_is_named_with_its_first_reason() {
        let said: Said = [
            "Down                                            0.0  B/s |   0  B     00:00    ",
            "Errors during downloading metadata for repository 'down':",
            "  - Curl error (7): Couldn't connect to server for http://127.0.0.1:9/x/repodata/repomd.xml []",
            "Error: Failed to download metadata for repo 'down': Cannot download repomd.xml: All mirrors were tried",
            "Error: Failed to download metadata for repo 'odd': repomd.xml GPG signature verification error: Bad GPG signature",
            "Ignoring repositories: down, odd",
        ]
        .into_iter()
        .collect();
        let failures = failed_repositories(&said);
        assert_eq!(
            RepositoryFailure::error("a was not installed", &failures),
            ApplyError::Unreachable(
                "a was not installed: the repository down cannot be read: Curl error (7): Couldn't connect to server for \
                 http://127.0.0.1:9/x/repodata/repomd.xml []; the repository odd is not trusted: repomd.xml GPG signature \
                 verification error: Bad GPG signature"
                    .to_owned()
            )
        );
        assert!(matches!(RepositoryFailure::error("a", &failures[1..]), ApplyError::Untrusted(_)));
    }
}
