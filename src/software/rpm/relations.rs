//! What RPM packages need and provide, as rpm and the metadata of repositories write it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::query;
use crate::software::relations::{RelationsBuilder, RelationsFull, Told};
use crate::software::{Dependency, DependencyKind, Family, ManagerError, Nevra, Relations, Requirement};

/// Packages begin with a group separator, their relations end with a record separator: neither occurs in a text.
const FORMAT: &str = "\x1d%{NAME}\x1f%{EPOCHNUM}\x1f%{VERSION}\x1f%{RELEASE}\x1f%{ARCH}\x1e\
    [r%{REQUIREFLAGS:deptype}\x1f%{REQUIRENEVRS}\x1e][w%{RECOMMENDNEVRS}\x1e][s%{SUGGESTNEVRS}\x1e][p%{PROVIDENEVRS}\x1e]";

const FILES_FORMAT: &str = "\x1d%{NAME}\x1f%{EPOCHNUM}\x1f%{VERSION}\x1f%{RELEASE}\x1f%{ARCH}\x1e[%{FILENAMES}\x1e]";

/// What rpm itself must be able to do, and what ties a package to its own configuration: no software meets these.
const NO_SOFTWARE: [&str; 2] = ["rpmlib(", "config("];

/// How a package relates to what is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It provides it.
    Provides,
    /// Its scriptlets need it.
    PreRequires,
    /// It needs it.
    Requires,
    /// It is better with it.
    Recommends,
    /// It may be of more use with it.
    Suggests,
}

/// What the packages of the database in `dbpath` need and provide.
pub(super) fn installed(dbpath: &Path) -> Result<Relations, ManagerError> {
    let text = query::all(dbpath, FORMAT)?;
    let mut packages: Vec<(Nevra, Told)> =
        packages(&text).map(|(nevra, relations)| (nevra, told(relations.filter_map(relation)))).collect();
    add_files(dbpath, &mut packages)?;
    let mut builder = RelationsBuilder::new(Family::Rpm);
    let too_much = |full: RelationsFull| ManagerError::Tool { tool: "rpm", message: full.to_string() };
    packages.iter().try_for_each(|(nevra, told)| builder.add(nevra, told)).map_err(too_much)?;
    Ok(builder.finish())
}

/// Adds those files to what packages provide that somebody requires and that no package names among what it provides.
fn add_files(dbpath: &Path, packages: &mut [(Nevra, Told)]) -> Result<(), ManagerError> {
    let provided: HashSet<&str> =
        packages.iter().flat_map(|(_, told)| &told.provides).map(|provided| &*provided.name).collect();
    let needed = packages.iter().flat_map(|(_, told)| &told.dependencies).flat_map(|of| &of.alternatives);
    let files = needed.map(|required| &*required.name).filter(|name| name.starts_with('/'));
    let missing: HashSet<String> = files.filter(|file| !provided.contains(file)).map(str::to_owned).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let text = query::all(dbpath, FILES_FORMAT)?;
    let mut owners: HashMap<Nevra, Vec<Requirement>> = HashMap::new();
    for (nevra, files) in self::packages(&text) {
        let wanted = files.filter(|file| missing.contains(*file)).map(Requirement::named).collect::<Vec<_>>();
        owners.entry(nevra).or_default().extend(wanted);
    }
    for (nevra, told) in packages {
        told.provides.extend(owners.remove(nevra).unwrap_or_default());
    }
    Ok(())
}

/// The packages in an answer, each with the records behind it. Trusted keys, which rpm keeps as packages, are no software.
fn packages(text: &str) -> impl Iterator<Item = (Nevra, std::str::Split<'_, char>)> {
    text.split('\x1d').filter_map(|package| {
        let mut records = package.split('\x1e');
        let parts: Vec<&str> = records.next()?.split('\x1f').collect();
        let [name, epoch, version, release, architecture] = *parts else { return None };
        let nevra = Nevra {
            name: name.into(),
            epoch: epoch.parse().ok()?,
            version: version.into(),
            release: Some(release.into()),
            architecture: architecture.into(),
        };
        (name != "gpg-pubkey").then_some((nevra, records))
    })
}

/// A relation as [`FORMAT`] has it.
fn relation(record: &str) -> Option<(Relation, &str)> {
    let text = record.get(1..)?;
    Some(match record.as_bytes().first()? {
        b'r' => {
            let (kinds, text) = text.split_once('\x1f')?;
            let is_pre = kinds.split(',').any(|kind| matches!(kind, "pre" | "post" | "prereq"));
            (if is_pre { Relation::PreRequires } else { Relation::Requires }, text)
        }
        b'w' => (Relation::Recommends, text),
        b's' => (Relation::Suggests, text),
        b'p' => (Relation::Provides, text),
        _ => return None,
    })
}

/// What a package needs and provides. What is damaged is left out, and what no software could meet.
pub(super) fn told<'a>(relations: impl Iterator<Item = (Relation, &'a str)>) -> Told {
    let mut told = Told::default();
    for (relation, text) in relations.filter(|(_, text)| !NO_SOFTWARE.iter().any(|start| text.starts_with(start))) {
        let kind = match relation {
            Relation::Provides => {
                told.provides.extend(requirement(text));
                continue;
            }
            Relation::PreRequires => DependencyKind::PreDepends,
            Relation::Requires => DependencyKind::Depends,
            Relation::Recommends => DependencyKind::Recommends,
            Relation::Suggests => DependencyKind::Suggests,
        };
        let alternatives = alternatives(text);
        if !alternatives.is_empty() {
            told.dependencies.push(Dependency { kind, alternatives });
        }
    }
    told
}

fn requirement(text: &str) -> Option<Requirement> {
    // rpm's word for what is not there.
    if text == "(none)" {
        return None;
    }
    let mut requirement: Requirement = text.parse().ok()?;
    // Written or not, no epoch is 0.
    if let Some((_, version)) = &mut requirement.version
        && let Some(rest) = version.strip_prefix("0:")
    {
        *version = rest.into();
    }
    Some(requirement)
}

/// What is required: one of several in `(a or b)` (`rpm-boolean-dependencies`), and every other condition as a whole.
fn alternatives(text: &str) -> Vec<Requirement> {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|text| text.contains(" or "));
    let parts: Option<Vec<Requirement>> = inside.and_then(|inside| {
        let parts = inside.split(" or ").map(str::trim);
        parts.map(|part| requirement(part).filter(|of| !of.is_condition())).collect()
    });
    parts.unwrap_or_else(|| requirement(text).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn relations_are_read_as_rpm_writes_them() {
        let text = "\x1da\x1f1\x1f2\x1f3\x1fnoarch\x1ermanual\x1fb >= 0:1-2\x1erpost,interp\x1f/bin/sh\x1errpmlib\x1frpmlib(X) <= 1\x1e\
                    rmanual\x1f(c or d < 2 or e(x))\x1ermanual\x1f(c if (d or e))\x1ermanual\x1f(f or (g and h))\x1ew(none)\x1ess\x1e\
                    pa = 1:2-3\x1epconfig(a) = 1\x1epv\x1e\x1dgpg-pubkey\x1f0\x1f1\x1f1\x1f(none)\x1e\x1dodd\x1e";
        let told: Vec<(Nevra, Told)> =
            packages(text).map(|(nevra, records)| (nevra, told(records.filter_map(relation)))).collect();
        let [(nevra, told)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(nevra.to_string(), "a-1:2-3.noarch");
        let needs: Vec<String> = told.dependencies.iter().map(|of| format!("{:?} {of}", of.kind)).collect();
        assert_eq!(
            needs,
            [
                "Depends b >= 1-2",
                "PreDepends /bin/sh",
                "Depends c | d < 2 | e(x)",
                "Depends (c if (d or e))",
                "Depends (f or (g and h))",
                "Suggests s",
            ]
        );
        let provides: Vec<String> = told.provides.iter().map(ToString::to_string).collect();
        assert_eq!(provides, ["a = 1:2-3", "v"]);
    }

    proptest! {
        #[test]
        fn any_answer_is_read(text in "([\x1d\x1e\x1f]|[rwsp]|manual|\\(a or b\\)|>= 1|\\PC){0,40}") {
            for (_, records) in packages(&text) {
                for dependency in told(records.filter_map(relation)).dependencies {
                    prop_assert!(!dependency.alternatives.is_empty());
                }
            }
        }
    }
}
