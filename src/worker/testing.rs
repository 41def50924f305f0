//! A package engine whose operations do what a test tells them, step by step.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Settings, WorkerError, run, run_image, socket_path};
use crate::clock::SharedClock;
use crate::software::vib::{
    ImageError, ImageErrorClass, ImageManager, ImageOperation, ImageOutcome, ImageSnapshot, VibId,
};
use crate::software::{
    Abilities, ApplyError, CancelToken, Change, ChangeKind, Family, FileRecord, InspectError, Inventory, Manager,
    ManagerError, Nevra, Operation, Outcome, Package, PackageState, Phase, Plan, Progress,
};

/// What an operation does next.
#[derive(Debug)]
pub(crate) enum Step {
    Phase(Phase, u8),
    Note(&'static str),
    /// Ends, as cancelled if that was asked for.
    Finish,
    Fail(ApplyError),
    Panic,
}

/// Whoever does what a test tells.
#[derive(Debug)]
struct Told {
    steps: Mutex<Receiver<Step>>,
    begun: Mutex<Sender<String>>,
}

#[derive(Debug)]
pub(crate) struct ToldManager(Told);

/// The test's end of a [`ToldManager`] or a [`ToldImage`].
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) step: Sender<Step>,
    /// The name of each package whose installation begins.
    pub(crate) begun: Receiver<String>,
}

impl Told {
    fn new() -> (Self, Teller) {
        let (step, steps) = channel();
        let (tell, begun) = channel();
        (Self { steps: Mutex::new(steps), begun: Mutex::new(tell) }, Teller { step, begun })
    }

    fn tell(&self, text: &str) {
        self.begun.lock().unwrap().send(text.to_owned()).unwrap();
    }

    /// Does one step after the other until one of them is the last.
    fn follow(&self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<(), ApplyError> {
        let steps = self.steps.lock().unwrap();
        loop {
            match steps.recv_timeout(Duration::from_secs(60)).unwrap() {
                Step::Phase(phase, percent) => progress.phase(phase, percent),
                Step::Note(text) => progress.note(text),
                Step::Finish if cancel.is_cancelled() => return Err(ApplyError::Cancelled),
                Step::Finish => return Ok(()),
                Step::Fail(error) => return Err(error),
                Step::Panic => {
                    // The lock must not be poisoned for the jobs that follow.
                    drop(steps);
                    panic!("as the test told");
                }
            }
        }
    }
}

impl ToldManager {
    pub(crate) fn new() -> (Arc<Self>, Teller) {
        let (told, teller) = Told::new();
        (Arc::new(Self(told)), teller)
    }
}

impl Manager for ToldManager {
    fn family(&self) -> Family {
        Family::Deb
    }

    fn abilities(&self) -> Abilities {
        Abilities { changes: true, repositories: true }
    }

    fn inventory(&self) -> Arc<Inventory> {
        Arc::default()
    }

    fn refresh(&self) -> Result<bool, ManagerError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    /// A file whose first line is `package NAME` is the package NAME.
    fn inspect(&self, file: &Path) -> Result<Package, InspectError> {
        let text = fs::read_to_string(file)?;
        let first = text.lines().next().unwrap_or_default();
        let name = first.strip_prefix("package ").ok_or_else(|| InspectError::NotAPackage("no header".to_owned()))?;
        let nevra =
            Nevra { name: name.into(), epoch: 0, version: "1.0".into(), release: None, architecture: "all".into() };
        Ok(Package::bare(nevra, PackageState::NotInstalled))
    }

    /// The plan of the update of `endless` is made until it is given up.
    fn plan(&self, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
        let is_endless = matches!(operation, Operation::Update { nevra } if &*nevra.name == "endless");
        if !is_endless {
            return Ok(Plan::default());
        }
        self.0.tell("a plan");
        while !cancel.is_cancelled() {
            thread::yield_now();
        }
        self.0.tell("given up");
        Err(ApplyError::Cancelled)
    }

    fn files(&self, _: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
        Ok(Vec::new())
    }

    fn root(&self) -> &Path {
        Path::new("/")
    }

    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let nevra = match operation {
            Operation::InstallFile { nevra, .. }
            | Operation::Install { nevra, .. }
            | Operation::Update { nevra }
            | Operation::Repair { nevra }
            | Operation::Remove { nevra, .. }
            | Operation::Verify { nevra } => nevra.clone(),
            Operation::RefreshRepositories => Nevra::from_debian("repositories", "1", "all").unwrap(),
        };
        self.0.tell(&nevra.name);
        self.0.follow(progress, cancel).map(|()| installed(&nevra))
    }
}

/// An image whose changes do what a test tells them.
#[derive(Debug)]
pub(crate) struct ToldImage(Told);

impl ImageManager for ToldImage {
    fn folder(&self) -> &Path {
        Path::new("/image")
    }

    fn snapshot(&self) -> Arc<ImageSnapshot> {
        panic!("no test asks for it")
    }

    fn refresh(&self) -> Result<bool, ImageError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    /// What is installed is called as its bundles' content; the content `broken` makes an error that names the bundle,
    /// `reboot` needs one, and `known` changes nothing.
    fn apply(
        &self,
        operation: &ImageOperation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError> {
        self.0.tell("a change");
        self.0.follow(progress, cancel)?;
        match operation {
            ImageOperation::Install { bundles, .. } => {
                let contents: Vec<String> = bundles.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
                if let Some(at) = contents.iter().position(|content| content == "broken") {
                    let name = bundles[at].display();
                    let error = ImageError::new(ImageErrorClass::BundleFormatError, format!("{name} is broken"));
                    return Err(ApplyError::Image(error.at(format!("zip:{name}?index.xml"))));
                }
                Ok(ImageOutcome {
                    installed: contents
                        .iter()
                        .filter(|content| *content != "known")
                        .map(|content| VibId::new(content))
                        .collect(),
                    needs_reboot: contents.contains(&"reboot".to_owned()),
                    ..ImageOutcome::default()
                })
            }
            other => panic!("no test asks for {other:?}"),
        }
    }
}

pub(crate) fn installed(nevra: &Nevra) -> Outcome {
    Outcome {
        changes: vec![Change { kind: ChangeKind::Installed, before: None, after: Some(nevra.clone()) }],
        ..Outcome::default()
    }
}

/// Writes a file that a [`ToldManager`] takes for a package.
pub(crate) fn package(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(format!("{name}.deb"));
    fs::write(&file, format!("package {name}")).unwrap();
    file
}

/// Runs a worker on threads of this process; it listens when this returns.
pub(crate) fn worker_thread(settings: Settings, clock: SharedClock) -> Teller {
    let (manager, teller) = ToldManager::new();
    listening(settings.worker_dir.clone(), move || run(manager, settings, clock));
    teller
}

/// The same with the worker of an image.
pub(crate) fn image_worker_thread(settings: Settings, clock: SharedClock) -> Teller {
    let (told, teller) = Told::new();
    listening(settings.worker_dir.clone(), move || run_image(Arc::new(ToldImage(told)), settings, clock));
    teller
}

fn listening(worker_dir: PathBuf, serve: impl FnOnce() -> Result<(), WorkerError> + Send + 'static) {
    let worker = thread::spawn(serve);
    while std::os::unix::net::UnixStream::connect(socket_path(&worker_dir)).is_err() {
        assert!(!worker.is_finished(), "the worker did not start: {:?}", worker.join());
        thread::yield_now();
    }
}
