//! What an operator or other packages decided on a package's files: where they are, and whose they are.

use std::collections::HashMap;

use super::info::texts;
use super::read_database;
use crate::software::accounts::Accounts;
use crate::software::root::Root;
use crate::software::{FileKind, FileRecord, ManagerError};

/// The diversions and overrides that concern one package.
#[derive(Debug)]
pub(super) struct Placement {
    /// Where its files are that another package or the operator diverted, by their paths in the package.
    diverted: HashMap<String, String>,
    /// Owners and modes that were set for good, by the paths that they were set for.
    overrides: HashMap<String, Override>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Override {
    user: Option<u32>,
    group: Option<u32>,
    mode: Option<u32>,
}

impl Placement {
    /// Reads dpkg's `diversions` and `statoverride` for the files of a package.
    pub(super) fn read(root: &Root, package: &str, accounts: &Accounts) -> Result<Self, ManagerError> {
        let diversions = read_database(root, "diversions")?.unwrap_or_default();
        let overrides = read_database(root, "statoverride")?.unwrap_or_default();
        Ok(Self { diverted: diversions_from(&diversions, package), overrides: overrides_in(&overrides, accounts) })
    }

    /// The record as it is on this host. An override is of the path in the package also where that is diverted.
    pub(super) fn place(&self, record: FileRecord) -> FileRecord {
        let record = match self.overrides.get(&record.path) {
            None => record,
            Some(set) => FileRecord {
                user: set.user,
                group: set.group,
                mode: if record.kind == Some(FileKind::Link) { record.mode } else { set.mode },
                ..record
            },
        };
        match self.diverted.get(&record.path) {
            None => record,
            Some(place) => FileRecord { path: place.clone(), ..record },
        }
    }
}

/// Three lines each: the path, its other place, and the package that has the path; `:` stands for the operator.
fn diversions_from(text: &[u8], package: &str) -> HashMap<String, String> {
    let lines: Vec<&str> = texts(text).collect();
    let diversions = lines.chunks_exact(3).filter_map(|lines| match lines {
        [path, place, by] if *by != package && path.starts_with('/') && place.starts_with('/') => {
            Some(((*path).to_owned(), (*place).to_owned()))
        }
        _ => None,
    });
    diversions.collect()
}

/// Lines of `user group mode path`; the owners are names, or numbers after `#`.
fn overrides_in(text: &[u8], accounts: &Accounts) -> HashMap<String, Override> {
    let of = |line: &str| {
        let mut fields = line.splitn(4, ' ');
        let (user, group, mode, path) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
        let set =
            Override { user: number(user, |u| accounts.user(u)), group: number(group, |g| accounts.group(g)), mode };
        Some((path.to_owned(), set))
    };
    texts(text).filter_map(of).collect()
}

fn number(owner: &str, named: impl Fn(&str) -> Option<u32>) -> Option<u32> {
    match owner.strip_prefix('#') {
        Some(number) => number.parse().ok(),
        None => named(owner),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn diversions_of_others_move_a_file() {
        let text = b"/bin/sh\n/bin/sh.distrib\ndash\n/bin/a\n/bin/a.mine\n:\n/bin/cut\n/bin/off";
        let of = |package| {
            let mut moved: Vec<(String, String)> = diversions_from(text, package).into_iter().collect();
            moved.sort();
            moved.into_iter().map(|(path, place)| format!("{path} {place}")).collect::<Vec<_>>()
        };
        assert_eq!(of("bash"), ["/bin/a /bin/a.mine", "/bin/sh /bin/sh.distrib"]);
        assert_eq!(of("dash"), ["/bin/a /bin/a.mine"]);
    }

    #[test]
    fn overrides_replace_owners_and_mode() {
        let text = b"root #99 4711 /usr/bin/a b\nnobody nogroup 9 /usr/bin/c\nshort\nroot root 755 /link\n";
        let overrides = overrides_in(text, &Accounts::default());
        let placement =
            Placement { overrides, diverted: HashMap::from([("/usr/bin/a b".to_owned(), "/else".to_owned())]) };
        let placed = placement.place(FileRecord::at("/usr/bin/a b".to_owned()));
        assert_eq!((placed.user, placed.group, placed.mode), (Some(0), Some(99), Some(0o4711)));
        assert_eq!(placed.path, "/else");
        let known = FileRecord { user: Some(1), mode: Some(0o644), ..FileRecord::at("/usr/bin/c".to_owned()) };
        let placed = placement.place(known);
        assert_eq!((placed.user, placed.group, placed.mode), (None, None, None));
        let link = FileRecord { kind: Some(FileKind::Link), ..FileRecord::at("/link".to_owned()) };
        assert_eq!(placement.place(link).mode, None);
        let other = FileRecord::at("/usr/bin/other".to_owned());
        assert_eq!(placement.place(other.clone()), other);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            diversions_from(&bytes, "a");
            overrides_in(&bytes, &Accounts::default());
        }
    }
}
