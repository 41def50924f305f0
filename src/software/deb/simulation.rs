//! Understands apt-get's dry run: what would be installed, configured and removed.

use chrono::{DateTime, Utc};

use crate::software::change::replaces;
use crate::software::drive::Listener;
use crate::software::{Inventory, Nevra, Package, PackageState};

/// How many steps are kept; whole upgrades of Debian have some thousand.
const MOST_STEPS: usize = 100_000;

/// One line of the dry run that says that something would change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// This build would be put in place.
    Install {
        build: Nevra,
        /// Whether a repository offers it, be it beside a file that was given.
        is_offered: bool,
    },
    /// This build would be configured.
    Configure { build: Nevra },
    /// This package would be taken away.
    Remove { name: String, architecture: Option<String>, version: String },
}

impl Step {
    /// Reads a line, such as
    ///
    /// ```text
    /// Inst libx:i386 [1.0] (1:1.1-2 Debian:12.1/stable, local-deb [i386]) []
    /// Conf libx:i386 (1:1.1-2 Debian:12.1/stable [i386])
    /// Remv beta [1.0]
    /// ```
    fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        let (name, architecture) = match name.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (name, None),
        };
        match kind {
            "Inst" | "Conf" => {
                let (_, new) = rest.split_once('(')?;
                let (new, _) = new.split_once("])")?;
                let (new, architecture) = new.rsplit_once('[')?;
                let (version, origins) = new.split_once(' ')?;
                let build = Nevra::from_debian(name, version, architecture)?;
                let is_offered = origins.split(',').any(|origin| !matches!(origin.trim(), "" | "local-deb"));
                Some(if kind == "Inst" { Self::Install { build, is_offered } } else { Self::Configure { build } })
            }
            "Remv" | "Purg" => {
                let version = rest.strip_prefix('[')?.split_once(']')?.0.to_owned();
                Some(Self::Remove { name: name.to_owned(), architecture: architecture.map(str::to_owned), version })
            }
            _ => None,
        }
    }
}

/// What apt-get would do. It hears apt-get itself, for a long list is more than is kept of what a tool says.
#[derive(Debug, Default)]
pub(super) struct Simulation {
    steps: Vec<Step>,
}

impl Listener for Simulation {
    fn said(&mut self, line: &str) {
        if self.steps.len() < MOST_STEPS {
            self.steps.extend(Step::parse(line));
        }
    }
}

impl Simulation {
    /// Whether exactly this build would be put in place.
    pub(super) fn installs(&self, wanted: &Nevra) -> bool {
        self.installed().any(|(build, _)| build == wanted)
    }

    /// Whether this build would be put in place and a repository offers one of the same version.
    pub(super) fn is_offered(&self, wanted: &Nevra) -> bool {
        self.installed().any(|(build, is_offered)| build == wanted && is_offered)
    }

    /// Whether exactly this build would be configured.
    pub(super) fn configures(&self, wanted: &Nevra) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Configure { build } if build == wanted))
    }

    /// Whether packages other than this one would be put in place.
    pub(super) fn installs_others(&self, wanted: &Nevra) -> bool {
        self.installed().any(|(build, _)| build != wanted)
    }

    /// The build that would take the place of this installed one.
    pub(super) fn successor(&self, installed: &Nevra) -> Option<&Nevra> {
        let takes_place =
            |build: &&Nevra| build.name == installed.name && replaces(&build.architecture, &installed.architecture);
        self.installed().map(|(build, _)| build).find(takes_place)
    }

    /// What would be installed afterwards. A build that is put in place again has another time of installation.
    /// `native` is the architecture that apt-get does not write behind names.
    pub(super) fn applied_to(&self, before: &Inventory, native: &str) -> Inventory {
        let mut packages: Vec<Package> = before.packages().iter().map(|p| Package::clone(p)).collect();
        for step in &self.steps {
            match step {
                Step::Install { build, .. } => {
                    packages.retain(|p| {
                        p.nevra.name != build.name || !replaces(&p.nevra.architecture, &build.architecture)
                    });
                    packages.push(put_in_place(build));
                }
                Step::Configure { build } => {
                    packages.iter_mut().filter(|p| p.nevra == *build).for_each(|p| p.state = PackageState::Installed)
                }
                Step::Remove { name, architecture, version } => {
                    let is_meant = |of: &str| match architecture {
                        Some(architecture) => of == architecture,
                        None => of == native || of == "all",
                    };
                    packages.retain(|p| {
                        *p.nevra.name != **name
                            || p.nevra.debian_version() != *version
                            || !is_meant(&p.nevra.architecture)
                    });
                }
            }
        }
        Inventory::new(packages)
    }

    fn installed(&self) -> impl Iterator<Item = (&Nevra, bool)> {
        self.steps.iter().filter_map(|step| match step {
            Step::Install { build, is_offered } => Some((build, *is_offered)),
            _ => None,
        })
    }
}

fn put_in_place(build: &Nevra) -> Package {
    let installed_at = Some(DateTime::<Utc>::MAX_UTC);
    Package { installed_at, ..Package::bare(build.clone(), PackageState::Installed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::software::Family;
    use crate::software::change::outcome;

    fn build(name: &str, version: &str, architecture: &str) -> Nevra {
        Nevra::from_debian(name, version, architecture).unwrap()
    }

    fn simulation(lines: &[&str]) -> Simulation {
        let mut simulation = Simulation::default();
        lines.iter().for_each(|line| simulation.said(line));
        simulation
    }

    #[test]
    fn reads_the_lines_of_apt_get() {
        assert_eq!(
            Step::parse("Inst libx:i386 [1.0] (1:1.1-2 Debian:12.1/stable, Debian-Security:12/x [i386]) [beta:i386 ]"),
            Some(Step::Install { build: build("libx", "1:1.1-2", "i386"), is_offered: true })
        );
        assert_eq!(
            Step::parse("Inst prerm (1 local-deb [all])"),
            Some(Step::Install { build: build("prerm", "1", "all"), is_offered: false })
        );
        assert_eq!(Step::parse("Conf post (1  [all])"), Some(Step::Configure { build: build("post", "1", "all") }));
        assert_eq!(
            Step::parse("Remv alpha:i386 [2.0] [beta:i386 ]"),
            Some(Step::Remove { name: "alpha".into(), architecture: Some("i386".into()), version: "2.0".into() })
        );
        for other in ["", "Inst", "Inst a", "Inst a (1", "Remv a 1", "Inst a (1 [all]", "The following NEW packages"] {
            assert_eq!(Step::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_would_be_installed_pairs_with_what_is() {
        let installed = |name: &str, version: &str, architecture: &str| Package {
            installed_at: None,
            ..put_in_place(&build(name, version, architecture))
        };
        let before = Inventory::new([
            installed("up", "1", "amd64"),
            installed("up", "1", "i386"),
            installed("gone", "1", "amd64"),
            installed("gone", "1", "i386"),
            installed("same", "1", "all"),
            Package { state: PackageState::Unfinished, ..installed("mended", "1", "all") },
        ]);
        let simulation = simulation(&[
            "Remv gone [1]",
            "Inst up [1] (2 stable [amd64])",
            "Inst same [1] (1 stable [all])",
            "Conf mended (1  [all])",
        ]);
        let changes = outcome(&before, &simulation.applied_to(&before, "amd64"), Family::Deb).changes;
        let seen: Vec<String> =
            changes.iter().map(|c| format!("{:?} {}", c.kind, c.before.as_ref().unwrap())).collect();
        assert_eq!(
            seen,
            [
                "Reinstalled mended-0:1.all",
                "Reinstalled same-0:1.all",
                "Updated up-0:1.amd64",
                "Removed gone-0:1.amd64"
            ]
        );
        assert_eq!(simulation.successor(&build("up", "1", "amd64")), Some(&build("up", "2", "amd64")));
        assert_eq!(simulation.successor(&build("up", "1", "i386")), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "(Inst|Conf|Remv|Purg) [a-z]{0,3}:?[a-z]? ?[\\[(]?[0-9: ]{0,4}[\\])]?.{0,20}") {
            let _ = Step::parse(&line);
        }

        #[test]
        fn builds_come_back(name in "[a-z][a-z0-9+.-]{1,8}", version in "([1-9]:)?[0-9][0-9.+~]{0,5}(-[0-9a-z]{1,3})?") {
            let wanted = build(&name, &version, "amd64");
            let line = format!("Inst {name} [0] ({version} Some, Label:1/x [amd64]) []");
            prop_assert!(simulation(&[&line]).installs(&wanted));
        }
    }
}
