//! What a package needs of others: requirements, and which package or provision meets one.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Family;
use super::version::{debian_order, rpm_order};

/// The longest requirement that is looked at, in octets; conditions of rpm reach some hundred.
const LONGEST_TEXT: usize = 1024;

/// How much a package needs what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyKind {
    /// It must be there before the package's files or scripts are (Debian's Pre-Depends, rpm's `Requires(pre)` and
    /// `Requires(post)`).
    PreDepends,
    /// The package does not work without it (Depends, Requires).
    Depends,
    /// It is installed along unless somebody does not want it (Recommends).
    Recommends,
    /// It makes the package more useful (Suggests).
    Suggests,
}

impl DependencyKind {
    /// All kinds, the strictest first.
    pub const ALL: [Self; 4] = [Self::PreDepends, Self::Depends, Self::Recommends, Self::Suggests];
}

/// How a version must compare to the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Comparison {
    /// Older.
    Less,
    /// Not newer.
    LessOrEqual,
    /// The same.
    Equal,
    /// Not older.
    GreaterOrEqual,
    /// Newer.
    Greater,
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" | "<<" => Self::Less,
            "<=" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            ">=" => Self::GreaterOrEqual,
            ">" | ">>" => Self::Greater,
            _ => return None,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    fn takes_less(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    fn takes_greater(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    fn takes_equal(self) -> bool {
        matches!(self, Self::LessOrEqual | Self::Equal | Self::GreaterOrEqual)
    }
}

/// One thing that is needed, or that is provided: `name`, `name:architecture`, `name >= version`. What rpm requires under
/// a condition, `(a if b)`, is a name as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Requirement {
    /// The name of a package or of what packages provide; with rpm also the path of a file.
    pub name: Arc<str>,
    /// Debian's qualifier: an architecture, `any` or `native`.
    pub architecture: Option<Arc<str>>,
    /// Which versions will do; `None` for every one.
    pub version: Option<(Comparison, Arc<str>)>,
}

/// A text that is no requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a requirement is written as name or as name >= version")]
pub struct RequirementError;

impl Requirement {
    /// What is needed by its name alone.
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), architecture: None, version: None }
    }

    /// Whether it is a condition (`(a if b)`), which no single package meets.
    pub fn is_condition(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Whether what a package provides under the same name is what is required (`dpkg`: Debian policy 7.5; rpm:
    /// `rpmdsCompare`, where what is provided without a version is provided in all).
    pub(super) fn is_met_by(&self, provided: &Self, family: Family) -> bool {
        let (wanted, offered) = match (&self.version, &provided.version) {
            (None, _) => return true,
            (Some(_), None) => return family == Family::Rpm,
            (Some(wanted), Some(offered)) => (wanted, offered),
        };
        match evr_order(&offered.1, &wanted.1, family) {
            Ordering::Less => offered.0.takes_greater() || wanted.0.takes_less(),
            Ordering::Greater => offered.0.takes_less() || wanted.0.takes_greater(),
            Ordering::Equal => {
                (offered.0.takes_equal() && wanted.0.takes_equal())
                    || (offered.0.takes_less() && wanted.0.takes_less())
                    || (offered.0.takes_greater() && wanted.0.takes_greater())
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(architecture) = &self.architecture {
            write!(f, ":{architecture}")?;
        }
        if let Some((comparison, version)) = &self.version {
            write!(f, " {} {version}", comparison.text())?;
        }
        Ok(())
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        if text.len() > LONGEST_TEXT || text.contains(char::is_control) {
            return Err(RequirementError);
        }
        let text = text.trim();
        if text.starts_with('(') {
            return Ok(Self::named(text));
        }
        let mut words = text.split_ascii_whitespace();
        let name = words.next().ok_or(RequirementError)?;
        let version = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some(comparison), Some(version), None) => {
                Some((Comparison::parse(comparison).ok_or(RequirementError)?, version.into()))
            }
            _ => return Err(RequirementError),
        };
        let (name, architecture) = split_architecture(name);
        Ok(Self { name: name.into(), architecture: architecture.map(Into::into), version })
    }
}

/// Debian's architecture qualifier behind a name; names of rpm hold colons in brackets only (`perl(A::B)`).
fn split_architecture(name: &str) -> (&str, Option<&str>) {
    let is_qualifier = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match name.split_once(':') {
        Some((bare, qualifier)) if !bare.is_empty() && !bare.contains('(') && is_qualifier(qualifier) => {
            (bare, Some(qualifier))
        }
        _ => (name, None),
    }
}

/// What a package needs, in one way or in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// How much.
    pub kind: DependencyKind,
    /// Any one of these will do; the preferred one first.
    pub alternatives: Vec<Requirement>,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, alternative) in self.alternatives.iter().enumerate() {
            if place > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{alternative}")?;
        }
        Ok(())
    }
}

/// Orders two versions as requirements name them, `[epoch:]version[-release]`. With rpm a release counts only where both
/// have one.
fn evr_order(a: &str, b: &str, family: Family) -> Ordering {
    let parts = |text: &str| -> (u64, String, Option<String>) {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, text),
        };
        match rest.rsplit_once('-') {
            Some((version, release)) => (epoch, version.to_owned(), Some(release.to_owned())),
            None => (epoch, rest.to_owned(), None),
        }
    };
    let (a, b) = (parts(a), parts(b));
    match family {
        Family::Deb => {
            a.0.cmp(&b.0)
                .then_with(|| debian_order(&a.1, &b.1))
                .then_with(|| debian_order(a.2.as_deref().unwrap_or_default(), b.2.as_deref().unwrap_or_default()))
        }
        Family::Rpm => a.0.cmp(&b.0).then_with(|| rpm_order(&a.1, &b.1)).then_with(|| match (&a.2, &b.2) {
            (Some(a), Some(b)) => rpm_order(a, b),
            _ => Ordering::Equal,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    fn requirement(text: &str) -> Requirement {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_read_and_written_the_same() {
        for text in [
            "libc6",
            "libc6:any >= 2.36-9",
            "a < 1:2~rc1-3",
            "perl(A::B) = 3",
            "libc.so.6(GLIBC_2.4)(64bit)",
            "/bin/sh",
            "(a if b >= 3)",
            "module(platform:el9)",
        ] {
            assert_eq!(requirement(text).to_string(), text);
        }
        assert_eq!(requirement("a:i386 << 2").to_string(), "a:i386 < 2");
        assert_eq!(requirement("perl(A::B)").architecture, None);
        for text in ["", " ", "a >=", "a ~ 1", "a >= 1 2", "a\n", &"x".repeat(2000)] {
            assert_eq!(text.parse::<Requirement>(), Err(RequirementError), "{text}");
        }
    }

    #[test]
    fn versions_decide_by_the_rules_of_the_family() {
        let met = |wanted: &str, provided: &str, family| requirement(wanted).is_met_by(&requirement(provided), family);
        for (wanted, provided, deb, rpm) in [
            ("a", "a = 1", true, true),
            ("a", "a", true, true),
            ("a >= 2", "a = 1", false, false),
            ("a >= 2", "a = 2-1", true, true),
            ("a = 2", "a = 2-1", false, true),
            ("a <= 2", "a = 2-1", false, true),
            ("a < 2-1", "a = 2", true, false),
            ("a > 1:1", "a = 2", false, false),
            ("a > 1", "a = 1:0", true, true),
            ("a = 1", "a", false, true),
            ("a < 3", "a >= 2", true, true),
            ("a > 3", "a < 2", false, false),
        ] {
            assert_eq!(met(wanted, provided, Family::Deb), deb, "{wanted} {provided}");
            assert_eq!(met(wanted, provided, Family::Rpm), rpm, "{wanted} {provided}");
        }
    }

    #[test]
    fn debian_versions_meet_what_dpkg_says_that_they_meet() {
        let version = "([0-9]:)?[0-9][0-9a-b.~]{0,3}(-[0-9~]{1,2})?";
        let mut runner = TestRunner::new(Config::with_cases(150));
        runner
            .run(&(version, version, 0..5_usize), |(wanted, provided, comparison)| {
                let (ours, theirs) = [("<", "lt"), ("<=", "le"), ("=", "eq"), (">=", "ge"), (">", "gt")][comparison];
                let status = Command::new("dpkg").args(["--compare-versions", &provided, theirs, &wanted]).status();
                let wanted = requirement(&format!("a {ours} {wanted}"));
                let is_met = wanted.is_met_by(&requirement(&format!("a = {provided}")), Family::Deb);
                prop_assert_eq!(is_met, status.unwrap().success());
                Ok(())
            })
            .unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_for_good(text in "[a-z:()<>=.0-9 \\PC]{0,30}") {
            if let Ok(read) = text.parse::<Requirement>() {
                prop_assert_eq!(read.to_string().parse::<Requirement>(), Ok(read));
            }
        }
    }
}
