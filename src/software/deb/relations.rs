//! What Debian packages need and provide (`deb-control(5)`; Debian policy 7): by dpkg's database and by apt's lists.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::lists::{self, Refused};
use super::stanza::Stanza;
use super::{FOLDER, database};
use crate::software::relations::{RelationsBuilder, RelationsFull, Told};
use crate::software::{Comparison, Dependency, DependencyKind, Family, ManagerError, Nevra, Relations, Requirement};

const FIELDS: &[&str] = &[
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Multi-Arch",
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Suggests",
    "Provides",
];

/// What is told of packages, by name and architecture; nothing of those whose files are not there.
type Packages = HashMap<(Arc<str>, Arc<str>), Option<(Nevra, Told)>>;

/// What the packages in dpkg's database in `folder` need and provide.
pub(super) fn installed(folder: &Path) -> Result<Relations, ManagerError> {
    // Later stanzas are those of the journal, and newer.
    let mut packages = Packages::new();
    database::each(folder, FIELDS, |stanza| {
        let field = |name| stanza.get(name).ok_or("a field is missing");
        let (name, has_files) = (field("Package")?, database::state(field("Status")?)?.has_files());
        match stanza.get("Architecture") {
            Some(architecture) => {
                let package = if has_files { Some((nevra(stanza)?, told(stanza))) } else { None };
                packages.insert((name.into(), architecture.into()), package);
            }
            // dpkg has forgotten all of it.
            None => packages.retain(|(known, _), _| **known != *name),
        }
        Ok(())
    })?;
    let mut builder = RelationsBuilder::new(Family::Deb);
    packages
        .into_values()
        .flatten()
        .try_for_each(|(nevra, told)| builder.add(&nevra, &told))
        .map_err(|full| too_much(folder, full))?;
    Ok(builder.finish())
}

/// What the packages that the enabled repositories offer need and provide.
pub(super) fn offered(root: &Path) -> Result<Relations, ManagerError> {
    let mut builder = RelationsBuilder::new(Family::Deb);
    lists::each_package(root, FIELDS, |stanza| {
        builder.add(&nevra(stanza).map_err(Refused::Damage)?, &told(stanza))?;
        Ok(())
    })?
    .map_err(|full| too_much(&root.join(FOLDER), full))?;
    Ok(builder.finish())
}

fn too_much(path: &Path, full: RelationsFull) -> ManagerError {
    ManagerError::Malformed { path: path.to_owned(), line: 1, message: full.to_string() }
}

fn nevra(stanza: &Stanza) -> Result<Nevra, &'static str> {
    let field = |name| stanza.get(name).ok_or("the name, version or architecture is missing");
    Nevra::from_debian(field("Package")?, field("Version")?, field("Architecture")?)
        .ok_or("the name, version or architecture is none")
}

fn told(stanza: &Stanza) -> Told {
    let kinds = [
        (DependencyKind::PreDepends, "Pre-Depends"),
        (DependencyKind::Depends, "Depends"),
        (DependencyKind::Recommends, "Recommends"),
        (DependencyKind::Suggests, "Suggests"),
    ];
    let of_kind = |(kind, field)| dependencies(kind, stanza.get(field).unwrap_or_default());
    Told {
        dependencies: kinds.into_iter().flat_map(of_kind).collect(),
        provides: stanza.get("Provides").unwrap_or_default().split(',').filter_map(requirement).collect(),
        for_all_architectures: stanza.get("Multi-Arch") == Some("foreign"),
    }
}

/// The dependencies in a field. What is damaged is left out.
pub(super) fn dependencies(kind: DependencyKind, field: &str) -> impl Iterator<Item = Dependency> {
    let all = field.split(',').map(|text| text.split('|').filter_map(requirement).collect::<Vec<_>>());
    all.filter(|alternatives| !alternatives.is_empty()).map(move |alternatives| Dependency { kind, alternatives })
}

/// `name[:architecture] [(comparison version)]`; restrictions of architectures and build profiles, which only source
/// packages have, are passed over.
fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let end = text.find(|c: char| c == '(' || c.is_whitespace() || c == '[').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut requirement: Requirement = name.parse().ok()?;
    if let Some((_, bracket)) = rest.split_once('(') {
        let (inside, _) = bracket.split_once(')')?;
        let inside = inside.trim();
        let (comparison, version) = inside.split_at(inside.find(|c| !"<>=".contains(c))?);
        let version = version.trim();
        let is_version = !version.is_empty() && !version.contains(|c: char| c.is_whitespace() || c.is_control());
        requirement.version = Some((parse(comparison)?, is_version.then(|| version.into())?));
    }
    Some(requirement)
}

/// A single `<` or `>` is the obsolete way to write `<=` and `>=`.
fn parse(comparison: &str) -> Option<Comparison> {
    Some(match comparison {
        "<<" => Comparison::Less,
        "<" | "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        ">" | ">=" => Comparison::GreaterOrEqual,
        ">>" => Comparison::Greater,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn read(field: &str) -> Vec<String> {
        dependencies(DependencyKind::Depends, field).map(|dependency| dependency.to_string()).collect()
    }

    #[test]
    fn a_field_is_read() {
        assert_eq!(
            read("libc6 (>= 2.36), a:any | b(<<1:2~rc1-3)|c [linux-any] <!nocheck>,\n d ( = 1 ) ,, e (> 2), f (< 3)"),
            ["libc6 >= 2.36", "a:any | b < 1:2~rc1-3 | c", "d = 1", "e >= 2", "f <= 3"]
        );
        assert_eq!(read("a (>= 1, b | (= 2), c (~ 1), d (>=), e"), ["b", "e"]);
        assert!(read("").is_empty());
    }

    fn status(text: &str) -> (tempfile::TempDir, Relations) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("status"), text).unwrap();
        let relations = installed(dir.path()).unwrap();
        (dir, relations)
    }

    #[test]
    fn only_what_is_installed_counts_and_the_journal_is_newer() {
        let stanza = |name: &str, state: &str, rest: &str| {
            format!("Package: {name}\nStatus: install ok {state}\nArchitecture: amd64\nVersion: 1\n{rest}\n\n")
        };
        let text = stanza("a", "installed", "Depends: old")
            + &stanza("b", "config-files", "Depends: x")
            + &stanza("c", "half-configured", "Pre-Depends: p\nProvides: v (= 2), w\nMulti-Arch: foreign")
            + "Package: broken\n\n"
            + &stanza("d", "installed", "Depends: x");
        let (dir, _) = status(&text);
        fs::create_dir(dir.path().join("updates")).unwrap();
        fs::write(
            dir.path().join("updates/0000"),
            stanza("a", "installed", "Depends: new") + "Package: d\nStatus: purge ok not-installed\n",
        )
        .unwrap();
        let relations = installed(dir.path()).unwrap();
        let all: Vec<String> = (0..relations.len())
            .flat_map(|number| relations.dependencies(number).into_iter().map(move |of| format!("{number} {of}")))
            .collect();
        assert_eq!((relations.len(), all), (2, vec!["0 new".to_owned(), "1 p".to_owned()]));
        let foreign: Nevra = "x-0:1.i386".parse().unwrap();
        assert_eq!(relations.meeting(&"v >= 2".parse().unwrap(), &foreign), [1]);
        assert!(relations.meeting(&"a".parse().unwrap(), &foreign).is_empty());
    }

    #[test]
    fn every_dependency_of_this_system_is_the_one_that_dpkg_has() {
        let relations = installed(Path::new("/var/lib/dpkg")).unwrap();
        let format = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${Pre-Depends}\t${Depends}\t\
                      ${Recommends}\t${Suggests}\n";
        let answer = Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
        let (mut count, mut unmet) = (0, BTreeSet::new());
        for line in String::from_utf8(answer.stdout).unwrap().lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            if parts[0].as_bytes()[1] != b'i' {
                continue;
            }
            let nevra = Nevra::from_debian(parts[1], parts[2], parts[3]).unwrap();
            let ours = relations.dependencies(relations.find(&nevra).unwrap());
            for (kind, field) in DependencyKind::ALL.into_iter().zip(&parts[4..]) {
                let of_kind = ours.iter().filter(|dependency| dependency.kind == kind);
                let ours: Vec<String> = of_kind.map(|dependency| plain(&dependency.to_string())).collect();
                let theirs: Vec<String> = field.split(", ").filter(|text| !text.is_empty()).map(plain).collect();
                assert_eq!(ours, theirs, "{nevra} {kind:?}");
                count += theirs.len();
            }
            let needed = ours.iter().filter(|dependency| dependency.kind <= DependencyKind::Depends);
            let is_met = |of: &Dependency| of.alternatives.iter().any(|r| !relations.meeting(r, &nevra).is_empty());
            unmet.extend(needed.filter(|dependency| !is_met(dependency)).map(|of| format!("{nevra} {of}")));
        }
        assert!(count > 100, "{count}");
        // dpkg installs nothing whose dependencies are not met.
        assert_eq!(unmet, BTreeSet::new());
    }

    /// Without brackets, and with comparisons in the words of both.
    fn plain(text: &str) -> String {
        text.replace(['(', ')'], "").replace("<<", "<").replace(">>", ">").replace("  ", " ")
    }

    proptest! {
        #[test]
        fn any_field_is_read(field in "([a-c:]{1,3}|[ (),|<>=\\[\\]\n]|[0-9.~-]{1,3}|\\PC){0,30}") {
            for dependency in dependencies(DependencyKind::Depends, &field) {
                for alternative in &dependency.alternatives {
                    prop_assert_eq!(&alternative.to_string().parse::<Requirement>().unwrap(), alternative);
                }
            }
        }
    }
}
