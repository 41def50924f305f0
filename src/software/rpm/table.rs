//! The table in which dnf tells what it would do.

use crate::software::Nevra;

/// What becomes of the packages of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Installing,
    Replacing,
    Removing,
    /// Of no matter: skipped packages, groups, module streams.
    Other,
}

impl Section {
    /// The section that a line begins, in the words of dnf 4 and dnf 5.
    fn titled(line: &str) -> Option<Self> {
        let title = line.trim_end().strip_suffix(':').filter(|_| !line.starts_with(' '))?;
        Some(match title {
            "Installing"
            | "Installing dependencies"
            | "Installing weak dependencies"
            | "Installing group packages"
            | "Installing group/module packages" => Self::Installing,
            "Upgrading" | "Downgrading" | "Reinstalling" => Self::Replacing,
            "Removing" | "Removing dependent packages" | "Removing unused dependencies" => Self::Removing,
            _ => Self::Other,
        })
    }
}

/// A build that would come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coming {
    /// The build.
    pub nevra: Nevra,
    /// Whether it takes the place of the installed builds of its name.
    pub replaces: bool,
}

/// What dnf would do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// What would come.
    pub coming: Vec<Coming>,
    /// What would be removed.
    pub removed: Vec<Nevra>,
    /// What would go because something that comes obsoletes it.
    pub obsoleted: Vec<Nevra>,
}

impl Table {
    /// Reads the table among what dnf says; empty if there is none.
    ///
    /// A row begins after one blank; dnf before 4.9 goes on in the next line where a column is too long. dnf 5 has its
    /// rows and sections alike, and names below a row everything that it replaces; that was not tried.
    pub(super) fn parse<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut table = Self::default();
        let mut section = Section::Other;
        let mut row: Vec<&str> = Vec::new();
        for line in lines {
            let begun = Section::titled(line);
            let is_row = line.starts_with(' ') && !line.trim().is_empty();
            if begun.is_some() || !is_row || !line.starts_with("  ") || is_replacing(line) {
                table.add(section, &row);
                row.clear();
            }
            if let Some(begun) = begun {
                section = begun;
            } else if !is_row {
                section = Section::Other;
            } else if is_replacing(line) {
                table.obsoleted.extend(replaced(line).filter(|_| section != Section::Other));
            } else if section != Section::Other {
                row.extend(line.split_whitespace());
            }
        }
        table.add(section, &row);
        table
    }

    /// Whether dnf told of nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.coming.is_empty() && self.removed.is_empty()
    }

    fn add(&mut self, section: Section, row: &[&str]) {
        let [name, architecture, evr, ..] = *row else { return };
        let Some(nevra) = Nevra::from_debian(name, evr, architecture) else {
            tracing::warn!("dnf told of a package that cannot be understood: {row:?}");
            return;
        };
        match section {
            Section::Installing => self.coming.push(Coming { nevra, replaces: false }),
            Section::Replacing => self.coming.push(Coming { nevra, replaces: true }),
            Section::Removing => self.removed.push(nevra),
            Section::Other => {}
        }
    }
}

fn is_replacing(line: &str) -> bool {
    line.trim_start().starts_with("replacing ")
}

/// `     replacing  beta.noarch 1-1` of dnf 4, `   replacing beta noarch 0:1-1 …` of dnf 5.
fn replaced(line: &str) -> Option<Nevra> {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    match *words {
        [name, evr] => {
            let (name, architecture) = name.rsplit_once('.')?;
            Nevra::from_debian(name, evr, architecture)
        }
        [name, architecture, evr, ..] => Nevra::from_debian(name, evr, architecture),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAID: &str = "\
Test                                            1.6 MB/s | 2.1 kB     00:00
Dependencies resolved.
================================================================================
 Package           Architecture       Version            Repository        Size
================================================================================
Installing:
 alpha             noarch             1:2-1              test             6.1 k
     replacing  beta.noarch 1-1
Upgrading:
 a-package-with-a-very-long-name-indeed
                   noarch             1.2.3.4-99.el8     test               1
Installing weak dependencies:
 delta             x86_64             1-1                test             6.1 k
Removing dependent packages:
 eps               noarch             1-1                @test              1
Skipping packages with conflicts:
(add '--best --allowerasing' to command line to force their upgrade):
 zeta              noarch             9-1                test             6.1 k

Transaction Summary
================================================================================
Install  2 Packages

Total size: 12 k
";

    fn texts<'a>(nevras: impl IntoIterator<Item = &'a Nevra>) -> Vec<String> {
        nevras.into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sections_say_what_becomes_of_their_packages() {
        let table = Table::parse(SAID.lines());
        assert_eq!(
            texts(table.coming.iter().map(|c| &c.nevra)),
            [
                "alpha-1:2-1.noarch",
                "a-package-with-a-very-long-name-indeed-0:1.2.3.4-99.el8.noarch",
                "delta-0:1-1.x86_64"
            ]
        );
        assert_eq!(table.coming.iter().map(|c| c.replaces).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(texts(&table.removed), ["eps-0:1-1.noarch"]);
        assert_eq!(texts(&table.obsoleted), ["beta-0:1-1.noarch"]);
    }

    #[test]
    fn the_rows_of_dnf_5_are_understood() {
        let table = Table::parse([
            "Package  Arch   Version Repository     Size",
            "Upgrading:",
            " alpha   noarch 0:2-1   test      1.0   B",
            "   replacing alpha noarch 0:1-1 test 1.0 B",
            "",
            "Transaction Summary:",
            " Upgrading:         1 package",
        ]);
        assert_eq!(texts(table.coming.iter().map(|c| &c.nevra)), ["alpha-0:2-1.noarch"]);
        assert_eq!(texts(&table.obsoleted), ["alpha-0:1-1.noarch"]);
        assert!(table.removed.is_empty());
    }

    #[test]
    fn nothing_to_do_is_no_table() {
        assert!(Table::parse(["Dependencies resolved.", "Nothing to do.", "Complete!"]).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "( |\n|:|Installing|Removing|replacing|[a-z.:-]){0,60}") {
            Table::parse(text.lines());
        }

        #[test]
        fn rows_of_any_width_are_read(
            names in proptest::collection::vec("[a-z][a-z0-9+_-]{0,50}", 1..6),
            epoch in 0u32..3,
            wrap in any::<bool>(),
        ) {
            let between = if wrap { "\n      " } else { " " };
            let rows: String =
                names.iter().map(|name| format!(" {name}{between}noarch {epoch}:1~a-2  test  6.1 k \n")).collect();
            let said = format!("Reinstalling:\n{rows}\nTransaction Summary\n");
            let expected: Vec<String> = names.iter().map(|name| format!("{name}-{epoch}:1~a-2.noarch")).collect();
            prop_assert_eq!(texts(Table::parse(said.lines()).coming.iter().map(|c| &c.nevra)), expected);
        }
    }
}
