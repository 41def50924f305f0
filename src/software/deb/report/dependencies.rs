//! Understands what apt-get says of packages that are missing or in the way.

use crate::software::drive::Said;

/// Which packages are missing or in the way, from apt's list of unmet dependencies:
///
/// ```text
///  beta : Depends: one (>= 2) but it is not installable
///         Depends: two but it is not installable or
///                  three but it is not installable
/// ```
pub(super) fn dependencies(name: &str, not_done: &str, said: &Said) -> String {
    let removed = listed_under(said, "will be REMOVED");
    if !removed.is_empty() && said.lines().any(|l| l.starts_with("Correcting dependencies")) {
        return format!(
            "{not_done}: installed packages lack what they need: {}. Install that first, or remove them",
            removed.join(", ")
        );
    }
    if !removed.is_empty() {
        return format!(
            "{name} conflicts with installed packages: {}. Remove them first, if that is wanted",
            removed.join(", ")
        );
    }
    let unmet = unmet(said);
    if said.lines().any(|l| l.contains("--fix-broken")) {
        let lacking: Vec<String> = unmet.iter().map(Unmet::of_another).collect();
        return format!(
            "{not_done}: packages of this host lack what they need: {}. Install that first",
            lacking.join("; ")
        );
    }
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    for unmet in unmet {
        match unmet.needs() {
            Some(what) if unmet.of == name => missing.push(what.to_owned()),
            None if unmet.of == name => others.push(unmet.relation),
            _ => others.push(unmet.of_another()),
        }
    }
    let mut text = String::new();
    if !missing.is_empty() {
        text.push_str(&format!(
            "{name} needs packages that are neither installed nor in a repository of this host: {}. Install them first, \
             or add a repository that has them",
            missing.join("; ")
        ));
    }
    if !others.is_empty() {
        let lead = if text.is_empty() { format!("{not_done}: ") } else { ". Moreover: ".to_owned() };
        text.push_str(&lead);
        text.push_str(&others.join("; "));
    }
    if text.is_empty() { format!("{name} has dependencies that cannot be met") } else { text }
}

/// The names that apt-get lists, indented, under a line with these words.
pub(super) fn listed_under<'a>(said: &'a Said, words: &str) -> Vec<&'a str> {
    let lines = said.lines().skip_while(|l| !l.contains(words)).skip(1);
    lines.take_while(|l| l.starts_with(' ')).flat_map(str::split_whitespace).collect()
}

/// A relation that is not met.
struct Unmet {
    of: String,
    relation: String,
}

impl Unmet {
    /// What is needed and not there.
    fn needs(&self) -> Option<&str> {
        match self.relation.split_once(": ")? {
            ("Depends" | "PreDepends", what) => Some(what),
            _ => None,
        }
    }

    /// What a package other than that of the operation lacks.
    fn of_another(&self) -> String {
        match self.needs() {
            Some(what) => format!("{} needs {what}", self.of),
            None => format!("{}: {}", self.of, self.relation),
        }
    }
}

/// The unmet relations, one each, alternatives joined, without apt's words for "there is none".
fn unmet(said: &Said) -> Vec<Unmet> {
    let mut all: Vec<Unmet> = Vec::new();
    let lines = said.lines().skip_while(|l| !l.contains("unmet dependencies")).skip(1);
    for line in lines.take_while(|l| l.starts_with(' ')) {
        let (of, line) = match line.split_once(" : ") {
            Some((of, relation)) => (of.trim().to_owned(), relation),
            None => (all.last().map_or_else(String::new, |last| last.of.clone()), line),
        };
        let line = line.trim();
        let (line, goes_on) = line.strip_suffix(" or").map_or((line, false), |l| (l, true));
        let line = plain(line);
        match all.last_mut() {
            Some(last) if last.relation.ends_with(" or ") => last.relation.push_str(&line),
            _ => all.push(Unmet { of, relation: line }),
        }
        if let Some(last) = all.last_mut().filter(|_| goes_on) {
            last.relation.push_str(" or ");
        }
    }
    all
}

fn plain(relation: &str) -> String {
    match relation.split_once(" but ") {
        Some((what, "it is not installable" | "it is not installed" | "it is not going to be installed")) => {
            what.to_owned()
        }
        Some((what, there)) => format!("{what} ({there})"),
        None => relation.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, lines: &[&'static str]) -> String {
        dependencies(name, &format!("{name} was not installed"), &lines.iter().copied().collect())
    }

    #[test]
    fn missing_packages_are_named() {
        assert_eq!(
            told(
                "beta",
                &[
                    "Reading package lists...",
                    "The following packages have unmet dependencies:",
                    " beta : Depends: one (>= 2) but it is not installable",
                    "        Depends: two but it is not installable or",
                    "                 three but it is not installable",
                    "        Depends: four (>= 2) but 1.0 is to be installed",
                    "        Conflicts: five but 5 is to be installed",
                    " six : Depends: beta (< 2) but 2 is to be installed",
                    "E: Unable to correct problems, you have held broken packages.",
                ]
            ),
            "beta needs packages that are neither installed nor in a repository of this host: one (>= 2); two or three; \
             four (>= 2) (1.0 is to be installed). Install them first, or add a repository that has them. Moreover: \
             Conflicts: five (5 is to be installed); six needs beta (< 2) (2 is to be installed)"
        );
    }

    #[test]
    fn a_host_that_is_broken_before_is_told() {
        assert_eq!(
            told(
                "new",
                &[
                    "You might want to run 'apt --fix-broken install' to correct these.",
                    "The following packages have unmet dependencies:",
                    " beta : Depends: alpha but it is not going to be installed",
                    "E: Unmet dependencies. Try 'apt --fix-broken install' with no packages (or specify a solution).",
                ]
            ),
            "new was not installed: packages of this host lack what they need: beta needs alpha. Install that first"
        );
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        assert_eq!(
            told("new", &["Correcting dependencies... Done", "The following packages will be REMOVED:", "  beta"]),
            "new was not installed: installed packages lack what they need: beta. Install that first, or remove them"
        );
        assert_eq!(
            told("eps", &["The following packages will be REMOVED:", "  alpha beta", "E: Packages need to be removed"]),
            "eps conflicts with installed packages: alpha, beta. Remove them first, if that is wanted"
        );
    }
}
