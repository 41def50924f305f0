//! What is asked of the tools, worked out from an operation and from what is installed.

use std::cmp::Ordering;
use std::path::Path;

use super::install_only;
use super::tools::Tools;
use crate::software::change::check_newer;
use crate::software::{ApplyError, Family, Inventory, Nevra, Operation};

/// What rpm and dnf allow in names and versions. None of it stands for something else in dnf's package arguments, where
/// `*`, `?` and brackets are patterns, `/` makes a file and `@` a group.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-~^%{}".contains(&b))
}

/// How the package is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is installed, or takes the place of an older build.
    Install,
    /// It is put beside the builds that are there, as kernels are.
    InstallBeside,
    /// The same build is put in place again.
    Reinstall,
    /// It takes the place of a newer build.
    Downgrade,
    /// The newest build takes the place of the installed one.
    Update,
    /// It is taken away.
    Remove,
}

/// How the tools are told which package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// By its file.
    File(&'a Path),
    /// By all its name parts.
    Build,
    /// By its name, with its architecture where there are several.
    Name(String),
}

/// A change of one package, and of what that brings along.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    /// How it is changed.
    pub verb: Verb,
    /// How the tools are told which.
    pub target: Target<'a>,
    /// The package: the build that is to be there, or the one that is.
    pub nevra: &'a Nevra,
    /// Of a removal: whether what depends on it goes too.
    pub force: bool,
    /// What goes too when rpm alone removes.
    pub along: Vec<Nevra>,
}

impl<'a> Request<'a> {
    /// What an operation asks, where `before` is installed; fails if that says already that it cannot be done.
    pub(super) fn new(operation: &'a Operation, before: &Inventory, tools: &Tools<'_>) -> Result<Self, ApplyError> {
        let request = |verb, target, nevra, force| Self { verb, target, nevra, force, along: Vec::new() };
        Ok(match operation {
            Operation::InstallFile { file, nevra, force } => {
                let verb = installing(before, nevra, *force, || install_only::in_file(file))?;
                request(verb, Target::File(file), nevra, *force)
            }
            Operation::Install { nevra, force } => {
                if !is_name(nevra) {
                    return Err(ApplyError::NotFound(format!("no RPM package can be called {nevra}")));
                }
                let stands_beside = || install_only::installed(&tools.database_folder(), &nevra.name);
                let verb = installing(before, nevra, *force, stands_beside)?;
                let request = request(verb, Target::Build, nevra, *force);
                request.need_repositories(tools)?;
                request
            }
            Operation::Update { nevra } => {
                check_installed(before, nevra)?;
                let request = request(Verb::Update, Target::Name(by_name(before, nevra)), nevra, false);
                request.need_repositories(tools)?;
                request
            }
            Operation::Repair { nevra } => {
                check_installed(before, nevra)?;
                let request = request(Verb::Reinstall, Target::Build, nevra, true);
                request.need_repositories(tools)?;
                request
            }
            Operation::Remove { nevra, force } => {
                check_installed(before, nevra)?;
                request(Verb::Remove, Target::Build, nevra, *force)
            }
            Operation::Verify { .. } | Operation::RefreshRepositories => {
                return Err(ApplyError::Failed("this operation changes no package".to_owned()));
            }
        })
    }

    /// That the change was not made, as the beginning of a sentence.
    pub(super) fn undone(&self) -> String {
        let done = match self.verb {
            Verb::Install | Verb::InstallBeside | Verb::Downgrade => "installed",
            Verb::Reinstall => "put in place again",
            Verb::Update => "updated",
            Verb::Remove => "removed",
        };
        format!("{} was not {done}", self.nevra.name)
    }

    /// That no repository has what is asked for.
    fn not_offered(&self) -> ApplyError {
        let nevra = self.nevra;
        ApplyError::NotFound(match self.verb {
            Verb::Reinstall => format!(
                "no repository of this host offers {nevra} any more, so it cannot be put in place again: update it, or \
                 install it from a file"
            ),
            _ => format!("no repository of this host offers {nevra}"),
        })
    }

    /// That dnf knows no such package.
    pub(super) fn unknown(&self) -> ApplyError {
        match self.verb {
            Verb::Update | Verb::Remove => self.nothing_to_do(),
            Verb::Install | Verb::InstallBeside | Verb::Reinstall | Verb::Downgrade => self.not_offered(),
        }
    }

    /// That there is nothing to do.
    pub(super) fn nothing_to_do(&self) -> ApplyError {
        let (name, evr) = (&self.nevra.name, self.nevra.evr());
        match self.verb {
            Verb::Update => ApplyError::NotNewer(format!(
                "{name} is up to date: the repositories of this host offer nothing newer than {evr}"
            )),
            Verb::Remove => not_installed(self.nevra),
            Verb::Install | Verb::InstallBeside | Verb::Reinstall | Verb::Downgrade => {
                ApplyError::Failed(format!("{}: dnf sees nothing to do for {evr}", self.undone()))
            }
        }
    }

    fn need_repositories(&self, tools: &Tools<'_>) -> Result<(), ApplyError> {
        if tools.has_dnf() {
            return Ok(());
        }
        Err(ApplyError::NotFound(format!(
            "{}: this host has no repositories to take it from; configure one, or install the package from a file",
            self.undone()
        )))
    }
}

/// How a build gets there; without force neither over the same build nor over a newer one. `stands_beside` tells whether
/// several builds of the package may be there, which is asked only if another one is.
fn installing(
    before: &Inventory,
    nevra: &Nevra,
    force: bool,
    stands_beside: impl FnOnce() -> Result<bool, ApplyError>,
) -> Result<Verb, ApplyError> {
    let allowed = check_newer(before, nevra, Family::Rpm);
    if !force {
        allowed.clone()?;
    }
    let named = before.named(&nevra.name).iter();
    let there: Vec<_> = named.filter(|p| p.nevra.architecture == nevra.architecture).collect();
    let is_newer_there = there.iter().any(|p| p.nevra.version_order(nevra, Family::Rpm) == Ordering::Greater);
    Ok(match there.len() {
        _ if before.find(nevra).is_some() => Verb::Reinstall,
        1.. if stands_beside()? => Verb::InstallBeside,
        _ if allowed.is_err() && is_newer_there => Verb::Downgrade,
        _ => Verb::Install,
    })
}

fn check_installed(before: &Inventory, nevra: &Nevra) -> Result<(), ApplyError> {
    // A name that dnf would take for a pattern is treated as if it were not there.
    if before.find(nevra).is_some() && is_name(nevra) { Ok(()) } else { Err(not_installed(nevra)) }
}

fn not_installed(nevra: &Nevra) -> ApplyError {
    ApplyError::NotFound(format!("{nevra} is not installed"))
}

fn is_name(nevra: &Nevra) -> bool {
    let parts = [&nevra.name, &nevra.version, &nevra.architecture];
    // dnf takes what ends in `.rpm` for a file.
    parts.into_iter().all(|part| is_plain(part))
        && nevra.release.as_deref().is_some_and(is_plain)
        && &*nevra.architecture != "rpm"
}

fn by_name(before: &Inventory, nevra: &Nevra) -> String {
    let alone = before.named(&nevra.name).iter().all(|p| p.nevra.architecture == nevra.architecture);
    if alone { nevra.name.to_string() } else { format!("{}.{}", nevra.name, nevra.architecture) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::{Package, PackageState};

    fn nevra(text: &str) -> Nevra {
        text.parse().unwrap()
    }

    fn inventory(texts: &[&str]) -> Inventory {
        Inventory::new(texts.iter().map(|text| Package::bare(nevra(text), PackageState::Installed)))
    }

    #[test]
    fn what_is_there_tells_how_a_build_gets_there() {
        let before =
            inventory(&["a-0:2-1.noarch", "k-0:1-1.noarch", "k-0:3-1.noarch", "l-0:2-1.noarch", "l-0:3-1.noarch"]);
        let told = |text: &str, force| {
            let nevra = nevra(text);
            installing(&before, &nevra, force, || Ok(&*nevra.name == "k"))
        };
        let verb = |text: &str| told(text, true).unwrap();
        assert_eq!(verb("new-0:1-1.noarch"), Verb::Install);
        assert_eq!(verb("a-0:3-1.noarch"), Verb::Install);
        assert_eq!(verb("a-0:2-1.noarch"), Verb::Reinstall);
        assert_eq!(verb("a-0:1-1.noarch"), Verb::Downgrade);
        assert_eq!(verb("k-0:2-1.noarch"), Verb::InstallBeside);
        assert_eq!(verb("k-0:1-1.noarch"), Verb::Reinstall);
        // Builds that an interrupted update left are no reason to leave yet another.
        assert_eq!(verb("l-0:4-1.noarch"), Verb::Install);
        assert_eq!(verb("l-0:1-1.noarch"), Verb::Downgrade);
        for text in ["a-0:2-1.noarch", "a-0:1-1.noarch"] {
            assert!(matches!(told(text, false), Err(ApplyError::NotNewer(_))), "{text}");
        }
        assert_eq!(told("k-0:4-1.noarch", false), Ok(Verb::InstallBeside));
        let unreadable = || Err(ApplyError::Failed("rpm is gone".to_owned()));
        assert!(installing(&before, &nevra("k-0:4-1.noarch"), false, unreadable).is_err());
    }

    #[test]
    fn what_dnf_would_take_for_something_else_is_no_name() {
        for text in ["a-0:1.0~rc1^x-2.el9_3.noarch", "c++-2:1-1.x86_64", "perl(x)-0:1-1.noarch", "a*-0:1-1.noarch"] {
            assert_eq!(is_name(&nevra(text)), !text.contains(['(', '*']), "{text}");
        }
        for text in
            ["@g-0:1-1.noarch", "/a-0:1-1.noarch", "a-0:1-1.rpm", "a-0:1.noarch", "[a]-0:1-1.noarch", "a b-0:1-1.x"]
        {
            assert!(!is_name(&nevra(text)), "{text}");
        }
    }

    #[test]
    fn a_name_is_enough_where_there_is_one_architecture() {
        let before = inventory(&["a-0:2-1.i686", "a-0:2-1.x86_64", "k-0:1-1.noarch", "k-0:3-1.noarch"]);
        assert_eq!(by_name(&before, &nevra("a-0:2-1.i686")), "a.i686");
        assert_eq!(by_name(&before, &nevra("k-0:1-1.noarch")), "k");
    }
}
