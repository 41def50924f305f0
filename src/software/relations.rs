//! What many packages need and provide: an immutable snapshot, compact enough to be kept while it is needed.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::intern::Interner;
use super::{Comparison, Dependency, DependencyKind, Family, Nevra, Requirement};

/// How many dependencies and how many provisions of one package are kept; a kernel's provide some ten thousand.
const MOST_OF_ONE: usize = 50_000;

/// Between the alternatives of one dependency, which stand on one line.
const ALTERNATIVE: char = '|';

/// What the packages of one place need and provide: the installed ones, or those that repositories offer.
#[derive(Debug)]
pub struct Relations {
    family: Family,
    /// Sorted by name parts.
    rows: Vec<Row>,
    /// What is provided beside the packages' own names, sorted by its name.
    provisions: Vec<Provision>,
    /// Dependencies, one a line, and provisions.
    texts: String,
}

#[derive(Clone, Debug)]
struct Row {
    nevra: Nevra,
    /// By kind, the strictest first.
    dependencies: [Stored; DependencyKind::ALL.len()],
    /// Whether it serves packages of every architecture (Debian's `Multi-Arch: foreign`).
    for_all_architectures: bool,
}

#[derive(Clone, Copy, Debug)]
struct Provision {
    /// The whole text, and how much of it is the name.
    text: Stored,
    name: u32,
    row: u32,
}

/// A part of the texts.
#[derive(Clone, Copy, Debug, Default)]
struct Stored {
    at: u32,
    length: u32,
}

/// There is more text than can be kept, which is 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packages need and provide more than can be kept")]
pub(super) struct RelationsFull;

/// What one package needs and provides, as an engine read it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// What it needs.
    pub dependencies: Vec<Dependency>,
    /// What it provides; its own name may be left out.
    pub provides: Vec<Requirement>,
    /// Whether it serves packages of every architecture.
    pub for_all_architectures: bool,
}

/// Relations that are being read.
#[derive(Debug)]
pub(super) struct RelationsBuilder {
    relations: Relations,
    names: Interner,
    known: HashSet<Nevra>,
}

impl RelationsBuilder {
    pub(super) fn new(family: Family) -> Self {
        Self { relations: Relations::empty(family), names: Interner::default(), known: HashSet::new() }
    }

    /// Adds a package; of two with the same name parts the first stays.
    pub(super) fn add(&mut self, nevra: &Nevra, told: &Told) -> Result<(), RelationsFull> {
        let nevra = self.names.nevra(nevra);
        if !self.known.insert(nevra.clone()) {
            return Ok(());
        }
        let relations = &mut self.relations;
        let number = u32::try_from(relations.rows.len()).map_err(|_| RelationsFull)?;
        let mut dependencies = [Stored::default(); DependencyKind::ALL.len()];
        for (kind, stored) in DependencyKind::ALL.into_iter().zip(&mut dependencies) {
            let of_kind = told.dependencies.iter().filter(|dependency| dependency.kind == kind).take(MOST_OF_ONE);
            let lines: String = of_kind.map(|dependency| format!("{dependency}\n")).collect();
            *stored = relations.store(&lines)?;
        }
        for provided in told.provides.iter().take(MOST_OF_ONE).filter(|provided| !is_itself(provided, &nevra)) {
            let text = relations.store(&provided.to_string())?;
            let name = u32::try_from(provided.name.len()).map_err(|_| RelationsFull)?;
            relations.provisions.push(Provision { text, name, row: number });
        }
        relations.rows.push(Row { nevra, dependencies, for_all_architectures: told.for_all_architectures });
        Ok(())
    }

    pub(super) fn finish(self) -> Relations {
        let Relations { family, rows, mut provisions, texts } = self.relations;
        let mut order: Vec<u32> = (0..).take(rows.len()).collect();
        order.sort_by(|&a, &b| {
            rows.get(a as usize).map(|row| &row.nevra).cmp(&rows.get(b as usize).map(|row| &row.nevra))
        });
        let mut places = vec![0_u32; rows.len()];
        for (place, &read) in (0..).zip(&order) {
            if let Some(of_read) = places.get_mut(read as usize) {
                *of_read = place;
            }
        }
        for provision in &mut provisions {
            provision.row = places.get(provision.row as usize).copied().unwrap_or_default();
        }
        let rows: Vec<Row> = order.iter().filter_map(|&read| rows.get(read as usize).cloned()).collect();
        provisions.sort_by(|a, b| a.name(&texts).cmp(b.name(&texts)).then(a.row.cmp(&b.row)));
        Relations { family, rows, provisions, texts }
    }
}

/// Whether a package provides no more than its own name and version.
fn is_itself(provided: &Requirement, nevra: &Nevra) -> bool {
    let is_own = |version: &Arc<str>| version.trim_start_matches("0:") == nevra.evr();
    let is_whole = |(comparison, version): &(Comparison, Arc<str>)| *comparison == Comparison::Equal && is_own(version);
    *provided.name == *nevra.name && provided.version.as_ref().is_some_and(is_whole)
}

impl Stored {
    fn of(self, texts: &str) -> &str {
        let at = self.at as usize;
        texts.get(at..at + self.length as usize).unwrap_or_default()
    }
}

impl Provision {
    fn name<'a>(&self, texts: &'a str) -> &'a str {
        self.text.of(texts).get(..self.name as usize).unwrap_or_default()
    }
}

impl Relations {
    /// What no packages need and provide.
    pub fn empty(family: Family) -> Self {
        Self { family, rows: Vec::new(), provisions: Vec::new(), texts: String::new() }
    }

    /// How many packages there are; they are numbered from 0, in the order of their name parts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The name parts of the package with this number.
    pub fn nevra(&self, number: usize) -> Option<&Nevra> {
        self.rows.get(number).map(|row| &row.nevra)
    }

    /// The number of the package with exactly these name parts.
    pub fn find(&self, nevra: &Nevra) -> Option<usize> {
        self.rows.binary_search_by(|row| row.nevra.cmp(nevra)).ok()
    }

    /// What the package with this number needs: the strictest kind first, and those of a kind in the order in which the
    /// package has them.
    pub fn dependencies(&self, number: usize) -> Vec<Dependency> {
        let Some(row) = self.rows.get(number) else { return Vec::new() };
        let kinds = DependencyKind::ALL.into_iter().zip(row.dependencies);
        let lines = kinds.flat_map(|(kind, stored)| stored.of(&self.texts).lines().map(move |line| (kind, line)));
        lines.map(|(kind, line)| Dependency { kind, alternatives: alternatives(line) }).collect()
    }

    /// The numbers of the packages that meet what `dependent` requires, the best first: those of that name before those
    /// that only provide it, those of the same architecture before others, newer ones before older ones.
    pub fn meeting(&self, required: &Requirement, dependent: &Nevra) -> Vec<usize> {
        if required.is_condition() {
            return Vec::new();
        }
        let suits = |row: &Row| self.suits(row, required.architecture.as_deref(), dependent);
        let mut named: Vec<usize> = self
            .named(&required.name)
            .filter(|&number| {
                self.rows
                    .get(number)
                    .is_some_and(|row| suits(row) && required.is_met_by(&itself(&row.nevra), self.family))
            })
            .collect();
        let mut providing: Vec<usize> = self
            .provisions_of(&required.name)
            .filter_map(|provision| {
                let row = self.rows.get(provision.row as usize)?;
                let provided: Requirement = provision.text.of(&self.texts).parse().ok()?;
                (suits(row) && required.is_met_by(&provided, self.family)).then_some(provision.row as usize)
            })
            .collect();
        for found in [&mut named, &mut providing] {
            found.sort_by(|&a, &b| self.preference(a, b, dependent));
        }
        providing.retain(|number| !named.contains(number));
        providing.dedup();
        named.extend(providing);
        named
    }

    /// Whether a package serves one of the dependent's architecture (`deb-control(5)`; rpm writes architectures into the
    /// names of what is required).
    fn suits(&self, row: &Row, qualifier: Option<&str>, dependent: &Nevra) -> bool {
        let (own, wanted) = (&*row.nevra.architecture, &*dependent.architecture);
        if self.family == Family::Rpm || row.for_all_architectures || own == "all" {
            return true;
        }
        match qualifier {
            None => own == wanted || wanted == "all",
            Some("any" | "native") => true,
            Some(named) => own == named,
        }
    }

    /// Which of two packages serves the dependent better.
    fn preference(&self, a: usize, b: usize, dependent: &Nevra) -> Ordering {
        let (Some(a), Some(b)) = (self.nevra(a), self.nevra(b)) else { return Ordering::Equal };
        let distance = |nevra: &Nevra| match &*nevra.architecture {
            own if *own == *dependent.architecture => 0,
            "all" | "noarch" => 1,
            _ => 2,
        };
        a.name.cmp(&b.name).then_with(|| distance(a).cmp(&distance(b))).then_with(|| b.version_order(a, self.family))
    }

    fn named(&self, name: &str) -> std::ops::Range<usize> {
        let from = self.rows.partition_point(|row| &*row.nevra.name < name);
        let to = self.rows.partition_point(|row| &*row.nevra.name <= name);
        from..to
    }

    fn provisions_of(&self, name: &str) -> impl Iterator<Item = &Provision> {
        let from = self.provisions.partition_point(|provision| provision.name(&self.texts) < name);
        let behind = self.provisions.get(from..).unwrap_or_default();
        behind.iter().take_while(move |provision| provision.name(&self.texts) == name)
    }

    fn store(&mut self, text: &str) -> Result<Stored, RelationsFull> {
        let at = u32::try_from(self.texts.len()).map_err(|_| RelationsFull)?;
        let length = u32::try_from(text.len()).map_err(|_| RelationsFull)?;
        self.texts.push_str(text);
        Ok(Stored { at, length })
    }
}

/// A package under its own name and version.
fn itself(nevra: &Nevra) -> Requirement {
    let version = Some((Comparison::Equal, nevra.evr().into()));
    Requirement { name: nevra.name.clone(), architecture: None, version }
}

/// The alternatives that a line holds. A condition is one, whatever is in it.
fn alternatives(line: &str) -> Vec<Requirement> {
    if line.starts_with('(') {
        return line.parse().into_iter().collect();
    }
    line.split(ALTERNATIVE).filter_map(|alternative| alternative.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
