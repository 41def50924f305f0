//! Other package tools at work.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use quartermaster::software::{
    ApplyError, CancelToken, EngineChoice, EngineSettings, Operation, Phase, Progress, open_with,
};

use super::engine;
use super::support::operations::{Kept, apply, install, installed};
use super::support::packages::{DebRoot, build_deb};

/// Not a test by itself: the process that holds a lock in the tests below.
#[test]
fn process_that_holds_a_lock() {
    let (Some(lock), Some(ready)) = (std::env::var_os("HELD_LOCK"), std::env::var_os("HELD_READY")) else { return };
    let lock = File::create(lock).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    fs::write(ready, "held").unwrap();
    let mut end = Vec::new();
    std::io::stdin().read_to_end(&mut end).unwrap();
}

/// Another process that holds a lock until it is let go.
struct Holder(Child);

impl Holder {
    fn of(root: &DebRoot, lock: &str) -> Self {
        let ready = root.scratch().join("ready");
        let _ = fs::remove_file(&ready);
        assert!(Command::new("mkfifo").arg(&ready).status().unwrap().success());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "locks::process_that_holds_a_lock"])
            .env("HELD_LOCK", root.path().join(lock))
            .env("HELD_READY", &ready)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert_eq!(fs::read_to_string(&ready).unwrap(), "held");
        Self(child)
    }

    /// As an operation names it.
    fn title(&self) -> String {
        let pid = self.0.id();
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
        format!("{} (process {pid})", name.trim_end())
    }

    fn let_go(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn install_alpha(root: &DebRoot) -> (Operation, PathBuf) {
    let file = build_deb(&root.scratch(), "alpha", "1.0", &[]);
    let nevra = engine(root).inspect(&file).unwrap().nevra;
    (Operation::InstallFile { file: file.clone(), nevra, force: false }, file)
}

const LOCKS: [&str; 3] = ["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/cache/apt/archives/lock"];

#[test]
fn another_tool_at_work_is_told_with_its_name() {
    let root = DebRoot::new();
    let settings = EngineSettings { lock_timeout: Duration::ZERO, ..EngineSettings::default() };
    let engine = open_with(EngineChoice::Auto, &root.path(), settings).unwrap().unwrap();
    let (operation, file) = install_alpha(&root);
    for lock in LOCKS {
        let holder = Holder::of(&root, lock);
        let (result, kept) = apply(&*engine, &operation);
        let said = format!(
            "alpha was not installed: {} is at work on this host's packages; try again when it has finished",
            holder.title()
        );
        assert_eq!(result, Err(ApplyError::Busy(said)), "{lock}");
        assert!(kept.started.is_empty());
    }
    let holder = Holder::of(&root, "var/lib/apt/lists/lock");
    let (result, _) = apply(&*engine, &Operation::RefreshRepositories);
    let said = format!(
        "not all repositories were refreshed: {} is at work on this host's packages; try again when it has finished",
        holder.title()
    );
    assert_eq!(result, Err(ApplyError::Busy(said)));
    install(&*engine, &file).0.unwrap();
}

#[test]
fn another_tool_at_work_is_waited_for() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let (operation, _) = install_alpha(&root);
    let holder = Holder::of(&root, LOCKS[0]);
    let title = holder.title();
    let mut listener = UntilWaiting { holder: Some(holder), kept: Kept::default() };
    let outcome = engine.apply(&operation, &mut listener, &CancelToken::default()).unwrap();
    assert_eq!(outcome.changes.len(), 1, "{outcome:?}");
    let order = listener.kept.phase_order();
    let waiting = Phase::Waiting { holder: title };
    assert_eq!(
        order,
        [Phase::Checking, waiting, Phase::Checking, Phase::Unpacking, Phase::Configuring, Phase::Verifying]
    );
}

#[test]
fn a_wait_can_be_cancelled() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let (operation, _) = install_alpha(&root);
    for (operation, lock) in [(operation, LOCKS[1]), (Operation::RefreshRepositories, "var/lib/apt/lists/lock")] {
        let holder = Holder::of(&root, lock);
        let token = CancelToken::default();
        let waiting = Phase::Waiting { holder: holder.title() };
        let mut kept = Kept { cancel_at: Some((waiting, token.clone())), ..Kept::default() };
        assert_eq!(engine.apply(&operation, &mut kept, &token), Err(ApplyError::Cancelled));
        assert!(kept.started.is_empty());
    }
    assert!(installed(&*engine).is_empty());
}

#[test]
fn what_the_holder_changed_is_not_of_the_operation() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let (operation, file) = install_alpha(&root);
    let holder = Holder::of(&root, LOCKS[2]);
    let mut listener = MeanwhileByHand { holder: Some(holder), root: &root, file: &file };
    assert!(matches!(engine.apply(&operation, &mut listener, &CancelToken::default()), Err(ApplyError::NotNewer(_))));
}

#[test]
fn an_ordinary_user_plans_while_somebody_else_is_at_work() {
    let root = DebRoot::new();
    root.open_to_all();
    let (operation, _) = install_alpha(&root);
    let _holder = Holder::of(&root, LOCKS[0]);
    let answer = root.scratch().join("answer");
    let status = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "locks::process_that_plans"])
        .env("PLAN_ROOT", root.path())
        .env("PLAN_OPERATION", serde_json::to_string(&operation).unwrap())
        .env("PLAN_ANSWER", &answer)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(&answer).unwrap(), "alpha-0:1.0.all");
}

/// Not a test by itself: the ordinary user's process of the test above.
#[test]
fn process_that_plans() {
    let (Some(root), Ok(operation), Some(answer)) =
        (std::env::var_os("PLAN_ROOT"), std::env::var("PLAN_OPERATION"), std::env::var_os("PLAN_ANSWER"))
    else {
        return;
    };
    assert_ne!(rustix::process::getuid().as_raw(), 0);
    let engine = open_with(EngineChoice::Deb, Path::new(&root), EngineSettings::default()).unwrap().unwrap();
    let operation: Operation = serde_json::from_str(&operation).unwrap();
    let plan = engine.plan(&operation, &CancelToken::default()).unwrap();
    let builds: Vec<String> = plan.changes.iter().map(|c| c.change.after.as_ref().unwrap().to_string()).collect();
    fs::write(answer, builds.join(" ")).unwrap();
}

/// Lets go as soon as the operation tells that it waits.
struct UntilWaiting {
    holder: Option<Holder>,
    kept: Kept,
}

impl Progress for UntilWaiting {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.kept.started(pid, start_ticks);
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        if matches!(phase, Phase::Waiting { .. }) {
            self.holder = None;
        }
        self.kept.phase(phase, percent);
    }

    fn note(&mut self, text: &str) {
        self.kept.note(text);
    }
}

/// Installs the package itself while it is waited for.
struct MeanwhileByHand<'a> {
    holder: Option<Holder>,
    root: &'a DebRoot,
    file: &'a Path,
}

impl Progress for MeanwhileByHand<'_> {
    fn started(&mut self, _pid: u32, _start_ticks: u64) {}

    fn phase(&mut self, phase: Phase, _percent: u8) {
        if matches!(phase, Phase::Waiting { .. }) {
            self.root.install_by_hand(self.file);
            self.holder = None;
        }
    }

    fn note(&mut self, _text: &str) {}
}
