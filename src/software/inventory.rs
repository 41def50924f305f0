//! What is installed: an immutable, indexed snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Nevra, Package};

/// A snapshot of the installed packages, sorted by name parts. A new one replaces it when the database changes.
#[derive(Debug, Default)]
pub struct Inventory {
    packages: Vec<Arc<Package>>,
    index: HashMap<Nevra, usize>,
}

/// What a text that names a package stands for in an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Exactly this package.
    Found(Arc<Package>),
    /// No package that is here.
    NotFound,
    /// Each of these packages: the text lacks its epoch, and its dashes may be read in several ways.
    Ambiguous(Vec<Arc<Package>>),
}

impl Lookup {
    /// What a text stands for that may mean each of these.
    pub(super) fn of(found: impl Iterator<Item = Arc<Package>>) -> Self {
        let mut found: Vec<Arc<Package>> = found.collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Self::NotFound,
            (Some(only), true) => Self::Found(only),
            (Some(last), false) => {
                found.push(last);
                Self::Ambiguous(found)
            }
        }
    }
}

impl Inventory {
    /// A snapshot of those packages whose files are there; of two with the same name parts the first stays.
    pub fn new(packages: impl IntoIterator<Item = Package>) -> Self {
        let mut packages: Vec<Arc<Package>> =
            packages.into_iter().filter(|p| p.state.has_files()).map(Arc::new).collect();
        packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
        packages.dedup_by(|later, earlier| later.nevra == earlier.nevra);
        packages.shrink_to_fit();
        let index = packages.iter().enumerate().map(|(i, p)| (p.nevra.clone(), i)).collect();
        Self { packages, index }
    }

    /// All packages whose files are there, sorted by name parts.
    pub fn packages(&self) -> &[Arc<Package>] {
        &self.packages
    }

    /// The package with exactly these name parts.
    pub fn find(&self, nevra: &Nevra) -> Option<&Arc<Package>> {
        self.index.get(nevra).and_then(|&i| self.packages.get(i))
    }

    /// The package that `name-[epoch:]version[-release].arch` names; without an epoch the one with epoch 0.
    pub fn find_text(&self, text: &str) -> Lookup {
        Lookup::of(Nevra::readings(text).iter().filter_map(|nevra| self.find(nevra)).cloned())
    }

    /// All packages of this name, whatever their versions and architectures.
    pub fn named(&self, name: &str) -> &[Arc<Package>] {
        let from = self.packages.partition_point(|p| &*p.nevra.name < name);
        let to = self.packages.partition_point(|p| &*p.nevra.name <= name);
        self.packages.get(from..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::PackageState;

    fn package(name: &str, version: &str, state: PackageState) -> Package {
        Package::bare(Nevra::from_debian(name, version, "all").unwrap(), state)
    }

    #[test]
    fn finds_by_text_with_and_without_epoch() {
        let inventory = Inventory::new([
            package("a-b", "1.0-2", PackageState::Installed),
            package("a", "1:1.0", PackageState::Unfinished),
            package("gone", "1", PackageState::NotInstalled),
        ]);
        assert_eq!(inventory.packages().len(), 2);
        let found = |text: &str| match inventory.find_text(text) {
            Lookup::Found(p) => p.nevra.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found("a-b-1.0-2.all"), "a-b-0:1.0-2.all");
        assert_eq!(found("a-b-0:1.0-2.all"), "a-b-0:1.0-2.all");
        assert_eq!(found("a-1:1.0.all"), "a-1:1.0.all");
        for missing in ["a-1.0.all", "a-0:1.0.all", "gone-0:1.all", "", "a-b-1:1.0-2.all"] {
            assert_eq!(inventory.find_text(missing), Lookup::NotFound, "{missing}");
        }
        assert_eq!(inventory.named("a").len(), 1);
        assert_eq!(inventory.named("zz").len(), 0);
    }

    #[test]
    fn never_guesses_between_two() {
        let inventory = Inventory::new([
            package("a", "b-1", PackageState::Installed),
            package("a-b", "1", PackageState::Installed),
        ]);
        let Lookup::Ambiguous(both) = inventory.find_text("a-b-1.all") else { panic!("it guessed") };
        assert_eq!(both.len(), 2);
    }
}
