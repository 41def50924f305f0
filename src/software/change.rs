//! What both engines share about changes: what may be installed over what, and what an operation did.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{
    ApplyError, CancelToken, Change, ChangeKind, Family, Inventory, ManagerError, Nevra, Outcome, Package, PackageState,
};

/// Refuses an installation over the same or a newer build, which nobody asked to repeat or to undo.
///
/// A build whose configuration has not finished may be installed again: that is how it is repaired.
pub(super) fn check_newer(inventory: &Inventory, wanted: &Nevra, family: Family) -> Result<(), ApplyError> {
    let there = inventory.named(&wanted.name).iter().filter(|p| replaces(&p.nevra.architecture, &wanted.architecture));
    let Some(newest) = there.max_by(|a, b| a.nevra.version_order(&b.nevra, family)) else { return Ok(()) };
    let message = match newest.nevra.version_order(wanted, family) {
        Ordering::Less => return Ok(()),
        Ordering::Equal if newest.state != PackageState::Installed => return Ok(()),
        Ordering::Equal => format!("{} {} is already installed", wanted.name, wanted.evr()),
        Ordering::Greater => format!(
            "{} {} is older than {}, which is installed: going back to an older version is not done by a plain installation",
            wanted.name,
            wanted.evr(),
            newest.nevra.evr()
        ),
    };
    Err(ApplyError::NotNewer(message))
}

/// Whether a package of one architecture takes the place of one of the other, and does not stand beside it.
pub(super) fn replaces(a: &str, b: &str) -> bool {
    let any = |architecture| matches!(architecture, "all" | "noarch");
    a == b || any(a) || any(b)
}

/// Fails if the operation was cancelled; asked as long as nothing was changed.
pub(super) fn check_cancelled(cancel: &CancelToken) -> Result<(), ApplyError> {
    if cancel.is_cancelled() { Err(ApplyError::Cancelled) } else { Ok(()) }
}

/// The database could not be read during an operation.
pub(super) fn unreadable(error: &ManagerError) -> ApplyError {
    tracing::error!("the package database cannot be read: {error:?}");
    ApplyError::Failed("the package database cannot be read; the service's log tells more".to_owned())
}

/// A tool could not be started or watched.
pub(super) fn unusable(tool: &str, error: &std::io::Error) -> ApplyError {
    tracing::error!("{tool} cannot be run: {error}");
    ApplyError::Failed(format!("{tool} cannot be run on the managed host; the service's log tells more"))
}

/// Every package that is not as it was, paired by name and, where there are several, by architecture.
pub fn outcome(before: &Inventory, after: &Inventory, family: Family) -> Outcome {
    let mut gone: Vec<&Arc<Package>> = missing_in(after, before).collect();
    let mut changes = Vec::new();
    for new in after.packages() {
        match before.find(&new.nevra) {
            Some(old) if is_same(old, new) => {}
            Some(old) => changes.push(Change {
                kind: ChangeKind::Reinstalled,
                before: Some(old.nevra.clone()),
                after: Some(new.nevra.clone()),
            }),
            None => changes.push(arrival(&mut gone, new, family)),
        }
    }
    let removed = |p: &Arc<Package>| Change { kind: ChangeKind::Removed, before: Some(p.nevra.clone()), after: None };
    changes.extend(gone.into_iter().map(removed));
    Outcome { changes, ..Outcome::default() }
}

/// A package was put in place again if its state or its time of installation is another.
fn is_same(old: &Package, new: &Package) -> bool {
    old.state == new.state && old.installed_at == new.installed_at
}

fn missing_in<'a>(inventory: &'a Inventory, from: &'a Inventory) -> impl Iterator<Item = &'a Arc<Package>> {
    from.packages().iter().filter(|p| inventory.find(&p.nevra).is_none())
}

/// A package that was not there before, and the one that it took the place of.
fn arrival(gone: &mut Vec<&Arc<Package>>, new: &Package, family: Family) -> Change {
    let same_name = |p: &&Arc<Package>| p.nevra.name == new.nevra.name;
    let at = gone
        .iter()
        .position(|p| same_name(p) && p.nevra.architecture == new.nevra.architecture)
        .or_else(|| gone.iter().position(|p| same_name(p) && replaces(&p.nevra.architecture, &new.nevra.architecture)));
    let old = at.map(|at| gone.remove(at));
    let kind = match old.map(|old| old.nevra.version_order(&new.nevra, family)) {
        None => ChangeKind::Installed,
        Some(Ordering::Less) => ChangeKind::Updated,
        Some(Ordering::Equal) => ChangeKind::Reinstalled,
        Some(Ordering::Greater) => ChangeKind::Downgraded,
    };
    Change { kind, before: old.map(|p| p.nevra.clone()), after: Some(new.nevra.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, architecture: &str) -> Package {
        Package::bare(Nevra::from_debian(name, version, architecture).unwrap(), PackageState::Installed)
    }

    fn nevra(name: &str, version: &str, architecture: &str) -> Nevra {
        package(name, version, architecture).nevra
    }

    #[test]
    fn only_newer_builds_are_installed() {
        let unfinished = Package { state: PackageState::Unfinished, ..package("broken", "1", "all") };
        let inventory = Inventory::new([package("a", "1.10", "amd64"), package("a", "1.2", "i386"), unfinished]);
        let check = |n: Nevra| check_newer(&inventory, &n, Family::Deb);
        assert_eq!(check(nevra("a", "1.11", "amd64")), Ok(()));
        assert_eq!(check(nevra("a", "1:0", "all")), Ok(()));
        assert_eq!(check(nevra("a", "1.3", "i386")), Ok(()));
        assert_eq!(check(nevra("new", "1", "all")), Ok(()));
        assert_eq!(check(nevra("broken", "1", "all")), Ok(()));
        let said = |n: Nevra| check(n).unwrap_err().to_string();
        assert_eq!(said(nevra("a", "1.10", "amd64")), "a 1.10 is already installed");
        assert!(said(nevra("a", "1.9", "amd64")).starts_with("a 1.9 is older than 1.10, which is installed"));
        assert!(said(nevra("a", "1.9", "all")).starts_with("a 1.9 is older than 1.10"));
    }

    #[test]
    fn an_outcome_pairs_what_came_with_what_went() {
        let before = Inventory::new([
            package("up", "1", "amd64"),
            package("up", "1", "i386"),
            package("down", "2", "all"),
            package("crossed", "1", "all"),
            package("gone", "1", "all"),
            package("same", "1", "all"),
            Package { state: PackageState::Unfinished, ..package("mended", "1", "all") },
        ]);
        let after = Inventory::new([
            package("up", "2", "amd64"),
            package("up", "1", "i386"),
            package("down", "1", "all"),
            package("crossed", "2", "amd64"),
            package("new", "1", "all"),
            package("same", "1", "all"),
            package("mended", "1", "all"),
        ]);
        let seen: Vec<String> = outcome(&before, &after, Family::Deb)
            .changes
            .iter()
            .map(|c| {
                let text = |n: &Option<Nevra>| n.as_ref().map_or("-".to_owned(), ToString::to_string);
                format!("{:?} {} {}", c.kind, text(&c.before), text(&c.after))
            })
            .collect();
        assert_eq!(
            seen,
            [
                "Updated crossed-0:1.all crossed-0:2.amd64",
                "Downgraded down-0:2.all down-0:1.all",
                "Reinstalled mended-0:1.all mended-0:1.all",
                "Installed - new-0:1.all",
                "Updated up-0:1.amd64 up-0:2.amd64",
                "Removed gone-0:1.all -",
            ]
        );
    }
}
