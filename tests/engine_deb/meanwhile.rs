//! Others change packages while an operation fetches what it needs, for which no lock holds them off.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use quartermaster::software::{
    ApplyError, CancelToken, EngineChoice, EngineSettings, Operation, Outcome, Phase, Progress, open_with,
};

use super::engine;
use super::support::operations::{Kept, installed, nevra, told};
use super::support::packages::{DebRoot, build_deb, run};

/// Installs one of the files by hand each time that a download begins.
struct ByHand<'a> {
    root: &'a DebRoot,
    files: std::vec::IntoIter<PathBuf>,
    kept: Kept,
}

impl<'a> ByHand<'a> {
    fn new(root: &'a DebRoot, files: impl Into<Vec<PathBuf>>) -> Self {
        Self { root, files: files.into().into_iter(), kept: Kept::default() }
    }
}

impl Progress for ByHand<'_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.kept.started(pid, start_ticks);
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        let begins = phase == Phase::Downloading && self.kept.phase_order().last() != Some(&phase);
        if begins && let Some(file) = self.files.next() {
            self.root.install_by_hand(&file);
        }
        self.kept.phase(phase, percent);
    }

    fn note(&mut self, text: &str) {
        self.kept.note(text);
    }
}

fn root() -> DebRoot {
    let root = DebRoot::new();
    let alpha = build_deb(&root.scratch(), "alpha", "2", &[]);
    let beta = build_deb(&root.scratch(), "beta", "1", &[("Depends", "alpha")]);
    root.with_repository(&[alpha, beta])
}

fn apply(root: &DebRoot, operation: &Operation, meanwhile: &mut ByHand<'_>) -> Result<Outcome, ApplyError> {
    engine(root).apply(operation, meanwhile, &CancelToken::default())
}

fn install_beta() -> Operation {
    Operation::Install { nevra: nevra("beta-0:1.all"), force: false }
}

#[test]
fn what_others_changed_during_a_download_is_not_of_the_operation() {
    let root = root();
    let mut meanwhile = ByHand::new(&root, [build_deb(&root.scratch(), "other", "1", &[])]);
    let outcome = apply(&root, &install_beta(), &mut meanwhile).unwrap();
    assert_eq!(told(&outcome), ["Installed - alpha-0:2.all", "Installed - beta-0:1.all"]);
    assert_eq!(installed(&*engine(&root)), ["alpha-0:2.all", "beta-0:1.all", "other-0:1.all"]);
    let phases = [
        Phase::Checking,
        Phase::Downloading,
        Phase::Checking,
        Phase::Downloading,
        Phase::Unpacking,
        Phase::Configuring,
        Phase::Verifying,
    ];
    assert_eq!(meanwhile.kept.phase_order(), phases);
    assert!(meanwhile.kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", meanwhile.kept.phases);
}

#[test]
fn what_others_did_first_is_not_claimed() {
    let root = root();
    let [old, new] = ["1", "2"].map(|version| build_deb(&root.scratch(), "alpha", version, &[]));
    let build = nevra("alpha-0:2.all");
    let mut meanwhile = ByHand::new(&root, [new]);
    let result = apply(&root, &Operation::Install { nevra: build.clone(), force: false }, &mut meanwhile);
    assert!(matches!(result, Err(ApplyError::NotNewer(_))), "{result:?}");
    assert!(meanwhile.kept.started.is_empty());
    // What is to be repaired is not there any more.
    let mut meanwhile = ByHand::new(&root, [old]);
    let result = apply(&root, &Operation::Repair { nevra: build }, &mut meanwhile);
    assert!(matches!(result, Err(ApplyError::NotFound(_))), "{result:?}");
    assert!(meanwhile.kept.started.is_empty());
}

#[test]
fn what_others_made_impossible_is_refused_before_anything_is_changed() {
    let root = root();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1", &[]));
    let needs_the_old = build_deb(&root.scratch(), "gamma", "1", &[("Depends", "alpha (<< 2)")]);
    let mut meanwhile = ByHand::new(&root, [needs_the_old]);
    let result = apply(&root, &Operation::Update { nevra: nevra("alpha-0:1.all") }, &mut meanwhile);
    assert!(matches!(&result, Err(ApplyError::Dependencies(why)) if why.contains("gamma")), "{result:?}");
    assert!(meanwhile.kept.started.is_empty());
    assert_eq!(installed(&*engine(&root)), ["alpha-0:1.all", "gamma-0:1.all"]);
}

#[test]
fn what_was_finished_before_others_came_is_of_the_operation() {
    let root = root();
    let [beta, third, other] = [("beta", "alpha"), ("third", ""), ("other", "")].map(|(name, needs)| {
        build_deb(&root.scratch(), name, "1", &[("Depends", needs)][usize::from(needs.is_empty())..])
    });
    assert!(!root.dpkg().arg("--install").arg(&beta).output().unwrap().status.success());
    run(root.dpkg().arg("--unpack").arg(&third));
    // A run of dpkg that was killed leaves its journal.
    let database = root.path().join("var/lib/dpkg");
    fs::copy(database.join("status"), database.join("updates/0000")).unwrap();
    let mut meanwhile = ByHand::new(&root, [other]);
    let outcome = apply(&root, &Operation::Repair { nevra: nevra("beta-0:1.all") }, &mut meanwhile).unwrap();
    assert_eq!(
        told(&outcome),
        [
            "Reinstalled third-0:1.all third-0:1.all",
            "Installed - alpha-0:2.all",
            "Reinstalled beta-0:1.all beta-0:1.all"
        ]
    );
}

#[test]
fn others_who_never_end_are_told() {
    let root = root();
    let settings = EngineSettings { lock_timeout: Duration::ZERO, ..EngineSettings::default() };
    let engine = open_with(EngineChoice::Deb, &root.path(), settings).unwrap().unwrap();
    let files: Vec<PathBuf> =
        (0..20).map(|number| build_deb(&root.scratch(), &format!("other{number}"), "1", &[])).collect();
    let mut meanwhile = ByHand::new(&root, files);
    let result = engine.apply(&install_beta(), &mut meanwhile, &CancelToken::default());
    let Err(ApplyError::Busy(why)) = result else { panic!("{result:?}") };
    assert!(why.starts_with("beta was not installed: ") && why.contains("at work on this host's packages"), "{why}");
    assert!(meanwhile.kept.started.is_empty());
    assert!(installed(&*engine).iter().all(|name| name.starts_with("other")));
}
