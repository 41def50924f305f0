//! What would be installed afterwards, by the tools' own dry runs.

use std::sync::Arc;

use super::report;
use super::table::{Coming, Table};
use crate::software::change::{outcome, replaces};
use crate::software::{Change, Family, Inventory, Lookup, Nevra, Package, PackageState};

/// What would be installed after an operation.
#[derive(Debug)]
pub(super) struct Forecast {
    /// What would change.
    pub changes: Vec<Change>,
    /// What would be removed, and not because something that comes takes its place.
    pub removed: Vec<Nevra>,
}

impl Forecast {
    /// What dnf's table says of what is installed.
    pub(super) fn of_dnf(before: &Inventory, table: &Table) -> Self {
        // What is put in place again leaves the builds beside it alone.
        let new = |c: &&Coming| c.replaces && before.find(&c.nevra).is_none();
        let is_replaced = |p: &Nevra, by: &Nevra| by.name == p.name && replaces(&by.architecture, &p.architecture);
        let goes = |p: &Nevra| {
            table.removed.contains(p)
                || table.obsoleted.contains(p)
                || table.coming.iter().filter(new).any(|c| is_replaced(p, &c.nevra))
        };
        let coming = table.coming.iter().map(|c| &c.nevra);
        Self { changes: changes(before, goes, coming), removed: table.removed.clone() }
    }

    /// What rpm's order of work says of what is installed, and of the package in the file.
    pub(super) fn of_rpm<'l>(
        before: &Inventory,
        lines: impl IntoIterator<Item = &'l str>,
        coming: Option<&Nevra>,
    ) -> Self {
        let mut gone: Vec<Nevra> = Vec::new();
        for (_, text) in lines.into_iter().filter_map(report::ordered).filter(|(comes, _)| !comes) {
            match before.find_text(text) {
                Lookup::Found(package) => gone.push(package.nevra.clone()),
                // Names that can be read in several ways: at most one of them is meant, and it is not known which.
                Lookup::Ambiguous(_) | Lookup::NotFound => {
                    tracing::warn!("rpm told of the package {text}, which cannot be found")
                }
            }
        }
        let changes = changes(before, |p| gone.contains(p), coming);
        // Beside something that comes, only what it replaces or obsoletes goes.
        let removed = if coming.is_some() { Vec::new() } else { gone };
        Self { changes, removed }
    }

    /// Whether exactly this build would come.
    pub(super) fn brings(&self, nevra: &Nevra) -> bool {
        self.changes.iter().any(|change| change.after.as_ref() == Some(nevra))
    }
}

/// What differs if some packages go and others come. What is put in place again goes and comes.
fn changes<'n>(
    before: &Inventory,
    goes: impl Fn(&Nevra) -> bool,
    coming: impl IntoIterator<Item = &'n Nevra> + Clone,
) -> Vec<Change> {
    let stays = |p: &&Arc<Package>| !goes(&p.nevra) && coming.clone().into_iter().all(|c| *c != p.nevra);
    let staying = before.packages().iter().filter(stays).map(|p| Package::clone(p));
    let after = Inventory::new(staying.chain(coming.clone().into_iter().map(not_yet_installed)));
    outcome(before, &after, Family::Rpm).changes
}

/// A build that is there without a time of installation, and so is told from the same one that is installed.
fn not_yet_installed(nevra: &Nevra) -> Package {
    Package::bare(nevra.clone(), PackageState::Installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nevra(text: &str) -> Nevra {
        text.parse().unwrap()
    }

    fn inventory(texts: &[&str]) -> Inventory {
        let installed_at = chrono::DateTime::from_timestamp(1_700_000_000, 0);
        Inventory::new(texts.iter().map(|text| Package { installed_at, ..not_yet_installed(&nevra(text)) }))
    }

    fn told(forecast: &Forecast) -> Vec<String> {
        let text = |n: &Option<Nevra>| n.as_ref().map_or("-".to_owned(), ToString::to_string);
        forecast.changes.iter().map(|c| format!("{:?} {} {}", c.kind, text(&c.before), text(&c.after))).collect()
    }

    #[test]
    fn a_table_changes_what_is_installed() {
        let before =
            inventory(&["a-0:1-1.noarch", "b-0:1-1.noarch", "k-0:1-1.noarch", "r-0:1-1.noarch", "x-0:1-1.i686"]);
        let coming = |text: &str, replaces| Coming { nevra: nevra(text), replaces };
        let table = Table {
            coming: vec![
                coming("a-1:0-1.noarch", true),
                coming("k-0:2-1.noarch", false),
                coming("n-0:1-1.noarch", false),
                coming("r-0:1-1.noarch", true),
                coming("x-0:2-1.x86_64", true),
            ],
            removed: Vec::new(),
            obsoleted: vec![nevra("b-0:1-1.noarch")],
        };
        assert_eq!(
            told(&Forecast::of_dnf(&before, &table)),
            [
                "Updated a-0:1-1.noarch a-1:0-1.noarch",
                "Installed - k-0:2-1.noarch",
                "Installed - n-0:1-1.noarch",
                "Reinstalled r-0:1-1.noarch r-0:1-1.noarch",
                "Installed - x-0:2-1.x86_64",
                "Removed b-0:1-1.noarch -",
            ]
        );
    }

    #[test]
    fn the_order_of_rpm_changes_what_is_installed() {
        let before = inventory(&["a-3:1-1.noarch", "b-0:1-1.noarch"]);
        let lines = [
            "D:     0    0    0    1   +a-3:2-1.noarch",
            "D:     1    0    0    1   -a-3:1-1.noarch",
            "D:     1    0    0    1   -b-1-1.noarch",
        ];
        let forecast = Forecast::of_rpm(&before, lines, Some(&nevra("a-3:2-1.noarch")));
        assert_eq!(told(&forecast), ["Updated a-3:1-1.noarch a-3:2-1.noarch", "Removed b-0:1-1.noarch -"]);
        assert!(forecast.removed.is_empty());
        let lines = ["D:     1    0    0    1   -b-1-1.noarch"];
        assert_eq!(Forecast::of_rpm(&before, lines, None).removed, [nevra("b-0:1-1.noarch")]);
        assert!(forecast.brings(&nevra("a-3:2-1.noarch")) && !forecast.brings(&nevra("a-3:1-1.noarch")));
    }
}
