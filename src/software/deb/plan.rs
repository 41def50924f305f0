//! What an operation would change, fetch and take of the disk, as apt-get tells without a lock and without rights.

use super::apt::{Apt, Extent};
use super::preparation::{Preparation, Preparing};
use super::request::{Deed, Request};
use super::{Deb, report};
use crate::software::change::{check_cancelled, outcome, unreadable, unusable};
use crate::software::drive::{Listener, Stage};
use crate::software::{
    ApplyError, CancelToken, Change, Family, Inventory, Manager, Nevra, Operation, Package, PackageState, Plan,
    PlannedChange,
};

/// How many files to be fetched are kept.
const MOST_FILES: usize = 100_000;

/// What the names of kernels begin with.
const KERNEL: &str = "linux-image-";

/// What every running process uses, or what cannot be started anew while the host is up.
const NEED_REBOOT: [&str; 2] = ["dbus", "libc6"];

/// What an operation would do; of one that changes no package, nothing.
pub(super) fn plan(deb: &Deb, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
    let Some(request) = Request::of(operation) else { return Ok(Plan::default()) };
    check_cancelled(cancel)?;
    deb.refresh().map_err(|e| unreadable(&e))?;
    let before = deb.inventory();
    request.check(&before)?;
    let scratch = deb.settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
    let apt = Apt::new(&deb.root, &deb.settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
    let preparing = Preparing { deb, apt: &apt, scratch: scratch.path(), cancel };
    let is_unfinished = request.state_in(&before) == Some(PackageState::Unfinished);
    let request = match request.deed {
        Deed::Repair if is_unfinished => match preparing.completion(&request, &before)? {
            Some(completion) => completion,
            None => return Ok(finishing(&before)),
        },
        _ => request,
    };
    let Preparation { demand, changes, .. } = preparing.prepare(&request, &before)?;
    let mut needs = Needs::default();
    let mut command = apt.get(&demand, Extent::PrintUris);
    let ended = Stage::new(scratch.path())
        .and_then(|stage| stage.run(&mut command, &mut needs, Some(cancel)))
        .map_err(|e| unusable("apt-get", &e))?;
    check_cancelled(cancel)?;
    if !ended.status.success() {
        let of = report::Failing { name: &request.nevra.name, not_done: &request.not_done() };
        return Err(report::failure(of, &ended.said, &[]));
    }
    Ok(needs.plan(changes))
}

/// Everything that is unpacked would be configured.
fn finishing(before: &Inventory) -> Plan {
    let finished = |p: &std::sync::Arc<Package>| Package { state: PackageState::Installed, ..Package::clone(p) };
    let after = Inventory::new(before.packages().iter().map(finished));
    let changes = outcome(before, &after, Family::Deb).changes;
    let needs_reboot = needs_reboot(&changes);
    let planned = |change| PlannedChange { change, download_octets: None };
    let changes = changes.into_iter().map(planned).collect();
    Plan { changes, download_octets: 0, disk_octets: Some(0), needs_reboot }
}

/// Whether the host would have to be rebooted: told of what is known to need it. Any other package may ask for it in its
/// scripts, which nobody can tell beforehand.
fn needs_reboot(changes: &[Change]) -> Option<bool> {
    let asks = |name: &str| name.starts_with(KERNEL) || NEED_REBOOT.contains(&name);
    let comes = |change: &Change| change.after.as_ref().is_some_and(|after| asks(&after.name));
    changes.iter().any(comes).then_some(true)
}

/// What apt-get says that it needs.
#[derive(Debug, Default)]
struct Needs {
    files: Vec<File>,
    disk: Option<i64>,
}

/// A package file that would be fetched.
#[derive(Debug, PartialEq, Eq)]
struct File {
    /// As apt calls it in its cache: `NAME_VERSION_ARCHITECTURE.deb`.
    name: String,
    octets: u64,
}

impl Listener for Needs {
    fn said(&mut self, line: &str) {
        if let Some(disk) = disk(line) {
            self.disk = Some(disk);
        }
        if self.files.len() < MOST_FILES {
            self.files.extend(File::parse(line));
        }
    }
}

impl Needs {
    fn plan(&self, changes: Vec<Change>) -> Plan {
        let planned = |change: Change| {
            let download_octets = change.after.as_ref().and_then(|build| self.octets_of(build));
            PlannedChange { change, download_octets }
        };
        Plan {
            needs_reboot: needs_reboot(&changes),
            changes: changes.into_iter().map(planned).collect(),
            download_octets: self.files.iter().fold(0, |sum, file| sum.saturating_add(file.octets)),
            disk_octets: self.disk,
        }
    }

    fn octets_of(&self, build: &Nevra) -> Option<u64> {
        let name = format!("{}_{}_{}.deb", build.name, build.debian_version(), build.architecture);
        self.files.iter().find(|file| file.name == name).map(|file| file.octets)
    }
}

impl File {
    /// Reads a line; `None` also for files of this host, which are not fetched:
    ///
    /// ```text
    /// 'http://127.0.0.1:8931/pool/beta_1.0-1_amd64.deb' beta_1%3a1.0-1_amd64.deb 51392 MD5Sum:0d94a26d
    /// ```
    fn parse(line: &str) -> Option<Self> {
        let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        if uri.starts_with("file:") {
            return None;
        }
        let (name, rest) = rest.split_once(' ')?;
        let octets = rest.split(' ').next()?.parse().ok()?;
        Some(Self { name: name.replace("%3a", ":"), octets })
    }
}

/// Reads how much room is needed, which apt-get rounds to three digits or more:
///
/// ```text
/// After this operation, 31.7 kB of additional disk space will be used.
/// After this operation, 31.7 kB disk space will be freed.
/// ```
fn disk(line: &str) -> Option<i64> {
    let (amount, rest) = line.strip_prefix("After this operation, ")?.split_once(' ')?;
    let (unit, rest) = rest.split_once(' ')?;
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    };
    let amount: f64 = amount.replace(',', "").parse().ok()?;
    let octets = amount * factor;
    if !(0.0..1e18).contains(&octets) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is in range")]
    let octets = octets.round() as i64;
    if rest.contains("will be freed") { Some(-octets) } else { Some(octets) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::software::ChangeKind;

    #[test]
    fn room_is_read_with_its_unit() {
        let disk = |text: &str| disk(&format!("After this operation, {text}"));
        assert_eq!(disk("31.7 kB of additional disk space will be used."), Some(31_700));
        assert_eq!(disk("1234 MB disk space will be freed."), Some(-1_234_000_000));
        assert_eq!(disk("0 B of additional disk space will be used."), Some(0));
        for odd in ["", "x kB will be used", "1 QB will be used", "-5 kB will be used", "1e300 kB will be used"] {
            assert_eq!(disk(odd), None, "{odd}");
        }
    }

    #[test]
    fn files_of_this_host_are_not_fetched() {
        let line = "'http://127.0.0.1:8931/pool/beta_1.0-1_amd64.deb' beta_1%3a1.0-1_amd64.deb 51392 MD5Sum:0d94a2";
        assert_eq!(File::parse(line), Some(File { name: "beta_1:1.0-1_amd64.deb".into(), octets: 51_392 }));
        assert_eq!(File::parse("'file:/r/./gamma_1_all.deb' gamma_1_all.deb 5 MD5Sum:3"), None);
        let mut needs = Needs::default();
        needs.said(line);
        let build = Nevra::from_debian("beta", "1:1.0-1", "amd64").unwrap();
        assert_eq!(needs.octets_of(&build), Some(51_392));
    }

    #[test]
    fn only_a_need_for_a_reboot_is_known_beforehand() {
        let change = |name: &str, comes: bool| {
            let build = Nevra::from_debian(name, "1", "amd64");
            let (before, after) = if comes { (None, build) } else { (build, None) };
            Change { kind: ChangeKind::Installed, before, after }
        };
        for name in ["linux-image-6.1.0-18-amd64", "libc6", "dbus"] {
            assert_eq!(needs_reboot(&[change("alpha", true), change(name, true)]), Some(true));
            assert_eq!(needs_reboot(&[change(name, false)]), None);
        }
        assert_eq!(needs_reboot(&[change("alpha", true), change("libc6-dev", true)]), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "('|After this operation, )?.{0,40}") {
            let _ = (File::parse(&line), disk(&line));
        }
    }
}
