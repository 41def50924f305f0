//! Understands what apt-get says of repositories and packages that it did not get.

use crate::software::ApplyError;
use crate::software::drive::Said;

/// apt tries every compression of a list of a local repository, and reports each that is not there in these words.
const NO_FAILURE: &str = "Method gave a blank filename";

/// What apt-get cannot tell apart.
const NO_RELEASE: &str = "it has no Release file: it is gone, or unsigned";

/// Words in reasons that mean that something is not what was signed, or is not signed by a key that is trusted.
const DISTRUST: [&str; 12] = [
    "signature",
    "BADSIG",
    "NO_PUBKEY",
    "KEYSIG",
    "NODATA",
    "Clearsigned file",
    "public key",
    "Hash Sum mismatch",
    "unexpected size",
    "it is not signed",
    "expired",
    "not valid yet",
];

/// Something that apt-get did not get, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software::deb) struct Unfetched {
    /// The repository, or the repository and its package.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Everything that apt-get did not get:
///
/// ```text
/// Err:1 http://127.0.0.1:1 stable InRelease
///   Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)
/// E: The repository 'http://127.0.0.1:2 stable Release' is not signed.
/// ```
pub(in crate::software::deb) fn unfetched(said: &Said) -> Vec<Unfetched> {
    let mut all: Vec<Unfetched> = Vec::new();
    let mut lines = said.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().filter(|l| l.starts_with(' ')).map(str::trim);
        let Some(found) = tried(line, next).or_else(|| repository(line)) else { continue };
        match all.iter_mut().find(|u| u.what == found.what) {
            Some(known) if found.why == NO_RELEASE => known.why = format!("{} ({NO_RELEASE})", known.why),
            None if found.why != NO_FAILURE => all.push(found),
            _ => {}
        }
    }
    if all.is_empty() {
        all.extend(said.lines().filter_map(failed));
    }
    all
}

/// A fetch that ended in an error; its reason is in the next line.
fn tried(line: &str, next: Option<&str>) -> Option<Unfetched> {
    let (_, what) = line.strip_prefix("Err:")?.split_once(' ')?;
    Some(Unfetched { what: place(what), why: next.unwrap_or("it gave no reason").to_owned() })
}

/// A repository that is not used for what it lacks.
fn repository(line: &str) -> Option<Unfetched> {
    if let Some((what, why)) = line.strip_prefix("E: The repository '").and_then(|rest| rest.split_once("' ")) {
        let why = match why {
            "does not have a Release file." => NO_RELEASE,
            _ => "it is not signed",
        };
        return Some(Unfetched { what: place(what), why: why.to_owned() });
    }
    let (what, why) = line.strip_prefix("E: Release file for ")?.split_once(" is ")?;
    Some(Unfetched { what: what.to_owned(), why: format!("its Release file is {}", why.trim_end_matches('.')) })
}

/// The older way of telling.
fn failed(line: &str) -> Option<Unfetched> {
    let rest = line.strip_prefix("E: Failed to fetch ").or_else(|| line.strip_prefix("W: Failed to fetch "))?;
    let (what, why) = rest.split_once(' ')?;
    Some(Unfetched { what: what.to_owned(), why: why.trim().to_owned() })
}

/// A repository, whichever of its files failed.
fn place(what: &str) -> String {
    let what = what.trim();
    ["InRelease", "Release.gpg", "Release"]
        .iter()
        .find_map(|file| what.strip_suffix(file))
        .unwrap_or(what)
        .trim_end()
        .to_owned()
}

/// The error for what was not fetched; distrust counts more than distance.
pub(in crate::software::deb) fn failure(not_done: &str, unfetched: &[Unfetched]) -> ApplyError {
    let each: Vec<String> = unfetched.iter().map(|u| format!("{}: {}", u.what, u.why)).collect();
    let each = each.join("; ");
    if unfetched.iter().any(|u| u.why.contains("No space left on device")) {
        return ApplyError::NoSpace(format!("{not_done}: there is not enough room on the disk"));
    }
    if unfetched.iter().any(|u| DISTRUST.iter().any(|words| u.why.contains(words))) {
        ApplyError::Untrusted(format!("{not_done}, for not everything can be trusted: {each}"))
    } else {
        ApplyError::Unreachable(format!("{not_done}, for not everything can be fetched: {each}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(lines: &[&'static str]) -> String {
        let said: Said = lines.iter().copied().collect();
        format!("{:?}", failure("it was not done", &unfetched(&said)))
    }

    #[test]
    fn repositories_are_named() {
        assert_eq!(
            judged(&[
                "Ign:1 http://127.0.0.1:1 stable InRelease",
                "Err:1 http://127.0.0.1:1 stable InRelease",
                "  Could not connect to 127.0.0.1:1",
                "E: Failed to fetch http://127.0.0.1:1/dists/stable/InRelease  Could not connect to 127.0.0.1:1",
                "E: Some index files failed to download. They have been ignored, or old ones used instead.",
            ]),
            r#"Unreachable("it was not done, for not everything can be fetched: http://127.0.0.1:1 stable: Could not connect to 127.0.0.1:1")"#
        );
        assert_eq!(
            judged(&[
                "Err:2 http://h stable Release",
                "  404  File not found [IP: 127.0.0.1 8931]",
                "E: The repository 'http://h stable Release' does not have a Release file.",
                "E: The repository 'http://i ./ Release' is not signed.",
            ]),
            "Untrusted(\"it was not done, for not everything can be trusted: http://h stable: 404  File not found \
             [IP: 127.0.0.1 8931] (it has no Release file: it is gone, or unsigned); http://i ./: it is not signed\")"
        );
        assert!(
            judged(&["Err:1 http://h stable InRelease", "  The following signatures were invalid: BADSIG 55AA x"])
                .starts_with("Untrusted")
        );
        assert!(
            judged(&["Err:1 http://h stable/main amd64 alpha all 2.0", "  Hash Sum mismatch"]).starts_with("Untrusted")
        );
        assert!(judged(&["W: Failed to fetch http://h/x  404 not found"]).contains("http://h/x: 404 not found"));
    }

    #[test]
    fn missing_compressions_are_no_failure() {
        let said: Said = ["Err:3 file:/r ./ Packages", "  Method gave a blank filename", "Get:3 file:/r ./ Packages"]
            .into_iter()
            .collect();
        assert_eq!(unfetched(&said), []);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "(Err:|E: The repository '|E: Release file for |W: Failed to fetch )?.{0,40}") {
            let _ = (tried(&line, None), repository(&line), failed(&line));
        }
    }
}
