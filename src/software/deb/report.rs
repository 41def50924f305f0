//! Understands what apt-get and dpkg say, in `C.UTF-8` words.

use crate::software::ApplyError;
use crate::software::change::no_right;
use crate::software::drive::Said;

/// A line of `APT::Status-Fd`: `kind:item:percent:text` (apt's `README.progress-reporting`), or an error of dpkg's
/// own `--status-fd`: `status: item : error : text` (`dpkg(1)`).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Status<'a> {
    /// Packages are being fetched; percent of the fetching.
    Download(f32),
    /// dpkg is at work on a package; percent of dpkg's work.
    Package(f32, &'a str),
    /// dpkg failed on a package (or a file): what it is, and why.
    Error(&'a str, &'a str),
}

impl<'a> Status<'a> {
    /// Reads a line; `None` for kinds and forms that mean nothing here.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (kind, rest) = line.split_once(':')?;
        if kind == "status" {
            let (item, text) = rest.split_once(" : error : ")?;
            return Some(Self::Error(item.trim(), text));
        }
        // The item may hold colons (`libc6:amd64`), so the percentage is the first part that is a number.
        let (item, percent, text) = rest.match_indices(':').find_map(|(at, _)| {
            let (number, text) = rest.get(at + 1..)?.split_once(':')?;
            let percent: f32 = number.parse().ok()?;
            percent.is_finite().then_some((rest.get(..at)?, percent.clamp(0.0, 100.0), text))
        })?;
        match kind {
            "dlstatus" => Some(Self::Download(percent)),
            "pmstatus" => Some(Self::Package(percent, text)),
            "pmerror" => Some(Self::Error(item, text)),
            _ => None,
        }
    }
}

/// Whether dpkg's words on a package are about its configuration and no longer about its files.
pub(super) fn is_configuring(text: &str) -> bool {
    ["Configuring", "Preparing to configure", "Installed", "Running post-installation"]
        .iter()
        .any(|w| text.starts_with(w))
}

/// Whether the simulation says that other packages come along; they may have to be fetched.
pub(super) fn needs_others(said: &Said) -> bool {
    said.lines().filter(|line| line.starts_with("Inst ")).count() > 1
}

/// What the operator should know of configuration files that stay as they are.
pub(super) fn kept_configuration(line: &str, file: &mut Option<String>) -> Option<String> {
    if let Some((path, _)) = line.strip_prefix("Configuration file '").and_then(|rest| rest.split_once('\'')) {
        *file = Some(path.to_owned());
        return None;
    }
    if !line.contains("Keeping old config file as default") {
        return None;
    }
    file.take()
        .map(|path| format!("{path} was changed on this host and is kept; the package's own is {path}.dpkg-dist"))
}

/// A sign that apt-get waits for another package tool.
pub(super) fn is_waiting(line: &str) -> bool {
    line.starts_with("Waiting for cache lock")
}

/// Why a run of apt-get failed, for the person who asked for `name`. `errors` are the status lines' errors: what they
/// tell of is dpkg's work, and apt-get's own reasons lie before it.
pub(super) fn failure(name: &str, said: &Said, errors: &[(String, String)]) -> ApplyError {
    let has = |text: &str| said.lines().any(|line| line.contains(text));
    if has("No space left on device") || has("enough free space") {
        return ApplyError::NoSpace(format!("{name} was not installed: there is not enough room on the disk"));
    }
    if let Some((item, why)) = errors.first() {
        return ApplyError::Failed(script_failure(name, item, why, said));
    }
    if has("unmet dependencies") || has("remove is disabled") {
        return ApplyError::Dependencies(dependencies(name, said));
    }
    let of_ours = |line: &&str| line.starts_with("E: ") || line.starts_with("dpkg: error");
    if said.lines().filter(of_ours).any(|line| line.contains("are you root?") || line.contains("Permission denied")) {
        return ApplyError::Failed(no_right(name));
    }
    if has("E: Could not get lock") || has("lock was locked by another process") || has("E: Unable to acquire the dpkg")
    {
        return ApplyError::Busy(format!(
            "{name} was not installed: another package tool is at work on this host; try again when it has finished"
        ));
    }
    if has("dpkg was interrupted") {
        return ApplyError::Failed(format!(
            "{name} was not installed: an earlier installation was interrupted; run dpkg --configure -a on the host and try again"
        ));
    }
    ApplyError::Failed(format!("{name} was not installed: {}", complaints(said)))
}

/// The complaints of apt-get and dpkg themselves, the first few.
fn complaints(said: &Said) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("E: ").or_else(|| line.strip_prefix("dpkg: error: ")))
        .filter(|line| !line.starts_with("Sub-process"))
        .take(3)
        .collect();
    if lines.is_empty() { "apt-get gave no reason".to_owned() } else { lines.join("; ") }
}

/// dpkg failed on one package: the reason, and what its script said before.
fn script_failure(name: &str, item: &str, why: &str, said: &Said) -> String {
    let item = item.rsplit('/').next().unwrap_or(item);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines.iter().position(|l| l.starts_with("dpkg: error")).unwrap_or(lines.len());
    let before = lines.get(..end).unwrap_or_default();
    let begin = before.iter().rposition(|l| is_dpkg_step(l)).map_or(end, |at| at + 1);
    let script: Vec<&str> = before.get(begin..).unwrap_or_default().iter().rev().take(5).rev().copied().collect();
    let what = if item == name || item.starts_with("package") { name.to_owned() } else { format!("{name}: {item}") };
    let mut text = format!("{what} failed: {}", why.trim());
    if !script.is_empty() {
        text.push_str(&format!("; its script said: {}", script.join(" / ")));
    }
    text
}

fn is_dpkg_step(line: &str) -> bool {
    ["Setting up ", "Unpacking ", "Preparing to unpack ", "Processing triggers ", "(Reading database", "Selecting "]
        .iter()
        .any(|step| line.starts_with(step))
}

/// Which packages are missing or in the way, from apt's list of unmet dependencies:
///
/// ```text
///  beta : Depends: one (>= 2) but it is not installable
///         Depends: two but it is not installable or
///                  three but it is not installable
/// ```
fn dependencies(name: &str, said: &Said) -> String {
    let mut removed = said.lines().skip_while(|l| !l.contains("will be REMOVED"));
    if removed.next().is_some() {
        let names: Vec<&str> = removed.take_while(|l| l.starts_with(' ')).flat_map(str::split_whitespace).collect();
        return format!(
            "{name} conflicts with installed packages: {}. Remove them first, if that is wanted",
            names.join(", ")
        );
    }
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    for relation in unmet(said) {
        match relation.split_once(": ") {
            Some(("Depends" | "PreDepends", what)) => missing.push(what.to_owned()),
            _ => others.push(relation),
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
        let lead = if text.is_empty() { format!("{name} cannot be installed: ") } else { ". Moreover: ".to_owned() };
        text.push_str(&lead);
        text.push_str(&others.join("; "));
    }
    if text.is_empty() { format!("{name} has dependencies that cannot be met") } else { text }
}

/// The unmet relations, one each, alternatives joined, without apt's words for "there is none".
fn unmet(said: &Said) -> Vec<String> {
    let mut relations: Vec<String> = Vec::new();
    let lines = said.lines().skip_while(|l| !l.contains("unmet dependencies")).skip(1);
    for line in lines.take_while(|l| l.starts_with(' ')) {
        let line = line.split_once(" : ").map_or(line, |(_, relation)| relation).trim();
        let (line, goes_on) = line.strip_suffix(" or").map_or((line, false), |l| (l, true));
        let line = plain(line);
        match relations.last_mut() {
            Some(last) if last.ends_with(" or ") => last.push_str(&line),
            _ => relations.push(line),
        }
        if let Some(last) = relations.last_mut().filter(|_| goes_on) {
            last.push_str(" or ");
        }
    }
    relations
}

fn plain(relation: &str) -> String {
    match relation.split_once(" but ") {
        Some((what, "it is not installable" | "it is not going to be installed")) => what.to_owned(),
        Some((what, there)) => format!("{what} ({there})"),
        None => relation.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        assert_eq!(Status::parse("dlstatus:1:49.1:Retrieving file 1 of 2"), Some(Status::Download(49.1)));
        assert_eq!(
            Status::parse("pmstatus:libc6:amd64:11.1111:Unpacking libc6 (amd64)"),
            Some(Status::Package(11.1111, "Unpacking libc6 (amd64)"))
        );
        assert_eq!(
            Status::parse("pmerror:/tmp/a:b.deb:0.0:odd: thing"),
            Some(Status::Error("/tmp/a:b.deb", "odd: thing"))
        );
        assert_eq!(
            Status::parse("status: /tmp/a.deb : error : odd: thing"),
            Some(Status::Error("/tmp/a.deb", "odd: thing"))
        );
        for other in ["", "status: a: unpacked", "pmstatus", "pmstatus:a:nan:b", "pmconffile:/etc/a:40.0:'a' 'b' 1 1"] {
            assert_eq!(Status::parse(other), None, "{other}");
        }
    }

    #[test]
    fn missing_packages_are_named() {
        let said: Said = [
            "Reading package lists...",
            "The following packages have unmet dependencies:",
            " beta : Depends: one (>= 2) but it is not installable",
            "        Depends: two but it is not installable or",
            "                 three but it is not installable",
            "        Depends: four (>= 2) but 1.0 is to be installed",
            "        Conflicts: five but 5 is to be installed",
            "E: Unable to correct problems, you have held broken packages.",
        ]
        .into_iter()
        .collect();
        let error = failure("beta", &said, &[]);
        assert_eq!(
            error,
            ApplyError::Dependencies(
                "beta needs packages that are neither installed nor in a repository of this host: one (>= 2); two or three; \
                 four (>= 2) (1.0 is to be installed). Install them first, or add a repository that has them. Moreover: \
                 Conflicts: five (5 is to be installed)"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_failing_script_is_quoted() {
        let said: Said = [
            "Setting up alpha (1.0) ...",
            "no licence found",
            "dpkg: error processing package alpha (--configure):",
            " installed alpha package post-installation script subprocess returned error exit status 3",
            "E: Sub-process /usr/bin/dpkg returned an error code (1)",
        ]
        .into_iter()
        .collect();
        let errors = [(
            "alpha".to_owned(),
            "installed alpha package post-installation script subprocess returned error exit status 3".to_owned(),
        )];
        assert_eq!(
            failure("alpha", &said, &errors).to_string(),
            "alpha failed: installed alpha package post-installation script subprocess returned error exit status 3; \
             its script said: no licence found"
        );
    }

    #[test]
    fn other_failures() {
        let kind = |line: &'static str| failure("a", &[line].into_iter().collect(), &[]);
        assert!(matches!(kind("E: Could not get lock /x/lock-frontend. It is held by process 5"), ApplyError::Busy(_)));
        assert!(matches!(kind("failed to write (No space left on device)"), ApplyError::NoSpace(_)));
        assert_eq!(
            kind("E: Unable to acquire the dpkg frontend lock (/x/lock-frontend), are you root?").to_string(),
            "a was not installed: the service may not change this host's packages; let it run as root"
        );
        assert_eq!(
            kind("E: Held packages were changed").to_string(),
            "a was not installed: Held packages were changed"
        );
        assert_eq!(kind("silence").to_string(), "a was not installed: apt-get gave no reason");
    }

    #[test]
    fn a_lock_that_was_waited_for_is_no_reason() {
        let said: Said = ["Waiting for cache lock: Could not get lock /x. It is held by process 5", "E: Other"]
            .into_iter()
            .collect();
        assert_eq!(failure("a", &said, &[]).to_string(), "a was not installed: Other");
        assert!(said.lines().any(is_waiting));
    }

    #[test]
    fn kept_files_are_noted() {
        let mut file = None;
        assert_eq!(kept_configuration("Configuration file '/etc/a.conf' (actually '/r/etc/a.conf')", &mut file), None);
        let note = kept_configuration(" ==> Keeping old config file as default.", &mut file).unwrap();
        assert!(note.starts_with("/etc/a.conf was changed on this host and is kept"));
        assert_eq!(kept_configuration(" ==> Keeping old config file as default.", &mut file), None);
    }
}
