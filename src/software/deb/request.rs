//! What an operation on one package asks for, and whether that makes sense for what is installed.

use std::path::Path;

use super::apt::Demand;
use crate::software::change::check_newer;
use crate::software::{ApplyError, Family, Inventory, Nevra, Operation, PackageState};

/// A change of one package that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    /// The build that is wanted; of an update, a repair and a removal the installed one.
    pub nevra: &'a Nevra,
    /// What is to be done with it.
    pub deed: Deed<'a>,
}

/// What is to be done with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed<'a> {
    /// Put a build in place, from a file or from a repository.
    Install { file: Option<&'a Path>, force: bool },
    /// Put the newest build in its place.
    Update,
    /// Put the same build in place again.
    Repair,
    /// Configure a build that is unpacked, after what it lacks for that.
    Complete,
    /// Take it away; with force also what depends on it.
    Remove { force: bool },
}

impl<'a> Request<'a> {
    /// What an operation asks for; `None` if it changes no package.
    /// Whether what an operator changed or deleted may be put back.
    pub(super) fn forces(&self) -> bool {
        matches!(self.deed, Deed::Install { force: true, .. } | Deed::Repair)
    }

    pub(super) fn of(operation: &'a Operation) -> Option<Self> {
        let (nevra, deed) = match operation {
            Operation::InstallFile { file, nevra, force } => (nevra, Deed::Install { file: Some(file), force: *force }),
            Operation::Install { nevra, force } => (nevra, Deed::Install { file: None, force: *force }),
            Operation::Update { nevra } => (nevra, Deed::Update),
            Operation::Repair { nevra } => (nevra, Deed::Repair),
            Operation::Remove { nevra, force } => (nevra, Deed::Remove { force: *force }),
            Operation::Verify { .. } | Operation::RefreshRepositories => return None,
        };
        Some(Self { nevra, deed })
    }

    /// Refuses what needs no tool to be refused: a build that is installed already, or one that is not.
    pub(super) fn check(&self, inventory: &Inventory) -> Result<(), ApplyError> {
        if !is_debian(self.nevra) {
            return Err(ApplyError::NotFound(format!("no Debian package can be named {}", self.nevra)));
        }
        match self.deed {
            Deed::Install { force: true, .. } => Ok(()),
            Deed::Install { force: false, .. } => check_newer(inventory, self.nevra, Family::Deb),
            _ if inventory.find(self.nevra).is_some() => Ok(()),
            _ => Err(ApplyError::NotFound(self.not_installed(inventory))),
        }
    }

    /// How apt-get is asked for it. Every architecture is written, also `all`: without one apt-get would take the host's
    /// own, which another package of this name may have.
    pub(super) fn demand(&self) -> Demand {
        match self.deed {
            Deed::Install { file: Some(file), force } => Demand::install(file, force),
            Deed::Install { file: None, force } => Demand::install(build(self.nevra), force),
            Deed::Complete => Demand::complete(),
            Deed::Update => Demand::update(name(self.nevra)),
            Deed::Repair => Demand::repair(build(self.nevra)),
            Deed::Remove { .. } => Demand::remove(name(self.nevra)),
        }
    }

    /// Whether it has to be exactly this build that apt-get puts in place. One that is there unfinished is configured.
    pub(super) fn needs_this_build(&self, inventory: &Inventory) -> bool {
        let is_unfinished = self.state_in(inventory) == Some(PackageState::Unfinished);
        match self.deed {
            Deed::Install { file, .. } => file.is_none() && !is_unfinished,
            Deed::Repair => true,
            Deed::Update | Deed::Complete | Deed::Remove { .. } => false,
        }
    }

    /// How far this build is installed.
    pub(super) fn state_in(&self, inventory: &Inventory) -> Option<PackageState> {
        inventory.find(self.nevra).map(|p| p.state)
    }

    /// The beginning of an answer that it was not done: `alpha was not installed`.
    pub(super) fn not_done(&self) -> String {
        let done = match self.deed {
            Deed::Install { .. } => "installed",
            Deed::Update => "updated",
            Deed::Repair | Deed::Complete => "repaired",
            Deed::Remove { .. } => "removed",
        };
        format!("{} was not {done}", self.nevra.name)
    }

    /// What is to be done once more after a failure.
    pub(super) fn again(&self) -> &'static str {
        match self.deed {
            Deed::Install { .. } => "install it again",
            Deed::Update | Deed::Repair | Deed::Complete => "repair it",
            Deed::Remove { .. } => "remove it again",
        }
    }

    /// The answer when the build is nowhere to be had.
    pub(super) fn not_offered(&self) -> ApplyError {
        let build = title(self.nevra);
        ApplyError::NotFound(match self.deed {
            Deed::Repair => format!(
                "{build} is installed, but neither a repository of this host nor its cache has this build any more: \
                 update the package, or install it again from a file"
            ),
            _ => {
                format!("no repository of this host offers {build}: refresh the repositories, or choose another build")
            }
        })
    }

    fn not_installed(&self, inventory: &Inventory) -> String {
        let others: Vec<String> = inventory.named(&self.nevra.name).iter().map(|p| title(&p.nevra)).collect();
        let build = title(self.nevra);
        if others.is_empty() {
            format!("{build} is not installed")
        } else {
            format!("{build} is not installed; there is {}", others.join(" and "))
        }
    }
}

/// A package as apt-get is told of it.
fn name(nevra: &Nevra) -> String {
    format!("{}:{}", nevra.name, nevra.architecture)
}

/// Exactly one build as apt-get is told of it.
pub(super) fn build(nevra: &Nevra) -> String {
    format!("{}={}", name(nevra), nevra.debian_version())
}

/// A build as a person reads it.
fn title(nevra: &Nevra) -> String {
    format!("{} {} ({})", nevra.name, nevra.evr(), nevra.architecture)
}

/// Whether the parts have only the characters that Debian's have (policy 5.6), none of which means anything to apt-get
/// where the architecture follows the name.
pub(super) fn is_debian(nevra: &Nevra) -> bool {
    let has_only = |text: &str, others: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    has_only(&nevra.name, "+.-_")
        && has_only(&nevra.version, ".+~:-")
        && nevra.release.as_deref().is_none_or(|release| has_only(release, ".+~"))
        && has_only(&nevra.architecture, "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::testing::package;

    fn check(operation: &Operation) -> Result<(), ApplyError> {
        let inventory = Inventory::new([package("a", "2", "")]);
        Request::of(operation).unwrap().check(&inventory)
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let build = |version| Nevra::from_debian("a", version, "all").unwrap();
        let said = |operation| check(&operation).unwrap_err().to_string();
        assert_eq!(said(Operation::Update { nevra: build("1") }), "a 1 (all) is not installed; there is a 2 (all)");
        let other = Nevra::from_debian("b", "1", "all").unwrap();
        assert_eq!(said(Operation::Remove { nevra: other.clone(), force: true }), "b 1 (all) is not installed");
        assert_eq!(check(&Operation::Repair { nevra: build("2") }), Ok(()));
        assert!(matches!(check(&Operation::Install { nevra: build("2"), force: false }), Err(ApplyError::NotNewer(_))));
        assert_eq!(check(&Operation::Install { nevra: build("1"), force: true }), Ok(()));
        assert_eq!(check(&Operation::Install { nevra: other, force: false }), Ok(()));
        assert!(Request::of(&Operation::RefreshRepositories).is_none());
    }

    #[test]
    fn patterns_are_no_names() {
        for (name, version) in
            [("?installed", "1"), ("~nfoo", "1"), ("a*", "1"), ("a", "1 b"), ("-x", "1"), ("a/b", "1")]
        {
            let nevra = Nevra::from_debian(name, version, "all").unwrap();
            assert!(
                matches!(check(&Operation::Install { nevra, force: true }), Err(ApplyError::NotFound(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn the_architecture_is_always_written() {
        let nevra = Nevra::from_debian("g++", "4:12.2.0-3", "amd64").unwrap();
        let demand = |operation| Request::of(&operation).unwrap().demand();
        assert_eq!(
            demand(Operation::Install { nevra: nevra.clone(), force: false }),
            Demand::install("g++:amd64=4:12.2.0-3", false)
        );
        assert_eq!(demand(Operation::Remove { nevra, force: false }), Demand::remove("g++:amd64"));
    }
}
