//! The jobs of an image beside the host's.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::software::vib::{ImageErrorClass, ImageOperation, SeenBundles};
use crate::worker::testing::image_worker_thread;

/// The jobs of an image in the store of a host's.
struct Images {
    host: Fixture,
    jobs: Jobs,
    teller: Teller,
}

impl Images {
    fn new(adjust: impl FnOnce(&mut crate::worker::Settings)) -> Self {
        let host = Fixture::new();
        let mut settings = crate::worker::Settings::new(folder(&host.state));
        adjust(&mut settings);
        let teller = image_worker_thread(settings, Arc::clone(&host.clock) as Arc<dyn Clock>);
        let jobs = open_image(&host);
        Self { host, jobs, teller }
    }

    fn bundle(&self, name: &str, content: &str) -> PathBuf {
        let file = self.host.files.path().join(name);
        fs::write(&file, content).unwrap();
        file
    }

    /// Asks for the update to a bundle that nobody looked at before.
    fn update(&self, bundle: &Path) -> JobId {
        self.jobs.submit(update(bundle, SeenBundles::new()), &operator()).unwrap().id
    }

    /// Asks for the update to a bundle as the providers do: the worker looks at it first.
    fn update_seen(&self, bundle: &Path) -> JobId {
        let seen = SeenBundles::from([(bundle.to_owned(), self.jobs.check_bundle(bundle, &operator()).unwrap())]);
        self.jobs.submit(update(bundle, seen), &operator()).unwrap().id
    }

    fn step_until(&self, id: JobId, is_so: impl Fn(&Job) -> bool) -> Arc<Job> {
        for _ in 0..200 {
            let pause = self.jobs.step();
            let job = self.jobs.job(id).unwrap();
            if is_so(&job) {
                return job;
            }
            self.jobs.wake.wait(pause.min(Duration::from_millis(500)));
        }
        panic!("it never was: {:?}", self.jobs.job(id));
    }

    fn ended(&self, id: JobId) -> Arc<Job> {
        self.step_until(id, |job| job.state.is_final())
    }

    fn tell(&self, step: Step) {
        self.teller.step.send(step).unwrap();
    }

    fn begun(&self) {
        self.teller.begun.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}

fn folder(state: &TempDir) -> PathBuf {
    state.path().join("image")
}

fn open_image(host: &Fixture) -> Jobs {
    let program = WorkerProgram { program: "/no such program".into(), ..WorkerProgram::default() };
    let settings = Settings { system: System::Image, ..Settings::new(folder(&host.state), program) };
    Jobs::open(Arc::clone(&host.store), Arc::clone(&host.clock) as Arc<dyn Clock>, settings).unwrap()
}

fn update(bundle: &Path, seen: SeenBundles) -> JobRequest {
    let operation = ImageOperation::Install { bundles: vec![bundle.to_owned()], bulletins: None };
    let uri = format!("file://{}", bundle.display());
    JobRequest::Image(ImageRequest::Update { uri, operation, seen, given: None })
}

#[test]
fn an_image_and_the_host_have_queues_subjects_and_histories_of_their_own() {
    let f = Images::new(|_| {});
    let package = f.host.submit("hello");
    let update = f.update(&f.bundle("one.zip", "one"));
    assert_ne!(package, update, "numbers are unique over both");
    f.host.tell(Step::Finish);
    f.tell(Step::Finish);
    // The host's job is none of the image's and does not wait for it.
    let done = f.ended(update);
    assert_eq!(f.host.step_until_final(package).state, JobState::Completed);
    assert_eq!((done.state, done.name.as_str()), (JobState::Completed, format!("UpdateImage-{update}").as_str()));
    assert_eq!(done.outcome.as_ref().unwrap().image.as_ref().unwrap().installed[0].as_str(), "one");
    assert!(f.jobs.job(package).is_none() && f.host.jobs.job(update).is_none());

    let subjects = |id: JobId| -> Vec<String> {
        let records = f.host.store.read(|c| changes::after(c, 0, 1000)).unwrap();
        let is_of = |record: &changes::ChangeRecord| {
            serde_json::from_str::<Job>(record.after.as_deref().unwrap()).unwrap().id == id
        };
        records.into_iter().filter(is_of).map(|record| record.subject).collect()
    };
    assert!(subjects(update).len() >= 3 && subjects(update).iter().all(|subject| subject == "image_job"));
    assert!(subjects(package).len() >= 3 && subjects(package).iter().all(|subject| subject == "job"));
    let ids = |jobs: &Jobs| -> Vec<JobId> {
        jobs.history_after(0, 10).unwrap().into_iter().map(|record| record.job.id).collect()
    };
    assert_eq!((ids(&f.jobs), ids(&f.host.jobs)), (vec![update], vec![package]));
    assert_eq!((f.jobs.history_count().unwrap(), f.host.jobs.history_count().unwrap()), (1, 1));
    let number = f.jobs.history_after(0, 1).unwrap()[0].number;
    assert!(f.jobs.history_record(number).unwrap().is_some() && f.host.jobs.history_record(number).unwrap().is_none());

    let Images { host, jobs, .. } = f;
    drop(jobs);
    assert_eq!(open_image(&host).jobs(), [done], "after a restart each finds its own");
}

#[test]
fn an_image_job_speaks_as_clients_of_vmwares_provider_know_it() {
    let f = Images::new(|_| {});
    let id = f.update(&f.bundle("one.zip", "one"));
    assert_eq!(f.jobs.job(id).unwrap().status(), "Enqueued");
    f.tell(Step::Phase(Phase::Scanning, 10));
    let scanning = f.step_until(id, |job| job.percent == 10);
    assert_eq!(scanning.status(), "Scanning URI for installable packages");
    f.tell(Step::Phase(Phase::Updating, 30));
    let updating = f.step_until(id, |job| job.percent == 30);
    assert_eq!(updating.status(), "Scan of URI Complete and installable packages found. Starting Update.");
    f.tell(Step::Finish);
    let done = f.ended(id);
    assert_eq!((done.percent, done.status().as_str()), (100, "Operation finished successfully."));

    for (content, words) in [
        (
            "reboot",
            "The update completed successfully, but the system needs to be rebooted for the changes to be effective.",
        ),
        ("known", "Host is not changed."),
    ] {
        let id = f.update(&f.bundle("two.zip", content));
        f.tell(Step::Finish);
        assert_eq!(f.ended(id).status(), words);
    }
}

#[test]
fn a_bundle_is_the_one_that_was_opened_and_errors_name_it_as_it_was_named() {
    let f = Images::new(|_| {});
    let file = f.bundle("one.zip", "one");
    let id = f.update(&file);
    f.step_until(id, |job| job.state == JobState::Running);
    f.begun();
    fs::rename(f.bundle("other", "another"), &file).unwrap();
    f.tell(Step::Finish);
    assert_eq!(f.ended(id).outcome.as_ref().unwrap().image.as_ref().unwrap().installed[0].as_str(), "one");

    let file = f.bundle("bad.zip", "broken");
    let id = f.update(&file);
    f.tell(Step::Finish);
    let failed = f.ended(id);
    let error = failed.error.as_ref().unwrap();
    assert_eq!(error.cause, JobFailure::Image(ImageErrorClass::BundleFormatError));
    let name = file.display();
    assert_eq!(error.message, format!("[BundleFormatError] {name} is broken url = zip:{name}?index.xml"));
    assert_eq!((failed.percent, failed.outcome.as_ref()), (100, None));
}

#[test]
fn a_bundle_that_is_not_the_one_that_was_asked_for_is_refused() {
    let f = Images::new(|_| {});
    let file = f.bundle("one.zip", "PK one");
    let same = f.update_seen(&file);
    f.tell(Step::Finish);
    assert_eq!(f.ended(same).state, JobState::Completed);

    let exchanged = f.update_seen(&file);
    fs::rename(f.bundle("other", "PK two"), &file).unwrap();
    let folder = f.host.files.path().join("depot");
    fs::create_dir_all(folder.join("vib20")).unwrap();
    fs::write(folder.join("index.xml"), "index").unwrap();
    fs::write(folder.join("vib20/a.vib"), "a").unwrap();
    let changed = f.update_seen(&folder);
    fs::write(folder.join("vib20/a.vib"), "another").unwrap();
    for (id, path, what) in [(exchanged, &file, "was exchanged for another one"), (changed, &folder, "was changed")] {
        let failed = f.ended(id);
        let error = failed.error.as_ref().unwrap();
        assert_eq!(error.cause, JobFailure::Image(ImageErrorClass::BundleIOError));
        let expected = format!(
            "[BundleIOError] The bundle {} {what} after the job was asked for. Look at what lies there now, and submit the \
             job again if that is to be installed.",
            path.display()
        );
        assert_eq!(error.message, expected);
    }
}

#[test]
fn what_is_no_readable_bundle_is_told_at_once_and_fails_its_job() {
    let allowed = tempfile::tempdir().unwrap();
    let f = Images::new(|settings| settings.readable_folders = Some(vec![allowed.path().to_owned()]));
    let file = allowed.path().join("one.zip");
    fs::write(&file, "one").unwrap();
    assert!(matches!(f.jobs.check_bundle(&file, &operator()), Err(StageError::NotAPackage(_))));
    fs::write(&file, "PK\x03\x04").unwrap();
    assert!(f.jobs.check_bundle(&file, &operator()).is_ok());
    let no_bundle = f.jobs.check_bundle(allowed.path(), &operator());
    assert!(
        matches!(no_bundle, Err(StageError::NotAPackage(_))),
        "nothing is told of a folder that is none: {no_bundle:?}"
    );
    fs::write(allowed.path().join("index.xml"), "index").unwrap();
    assert!(f.jobs.check_bundle(allowed.path(), &operator()).is_ok(), "a folder may be a bundle");
    assert_eq!(f.jobs.check_bundle(&f.bundle("two.zip", "two"), &operator()), Err(StageError::NotAllowed));
    let link = allowed.path().join("link.zip");
    symlink(&file, &link).unwrap();
    let not_readable = |message: &str| Err(StageError::NotReadable(message.to_owned()));
    assert_eq!(f.jobs.check_bundle(&link, &operator()), not_readable("it is a symbolic link: name the file itself"));
    let folder_link = allowed.path().join("folder");
    symlink(f.host.files.path(), &folder_link).unwrap();
    for path in [folder_link.clone(), folder_link.join("")] {
        assert_eq!(
            f.jobs.check_bundle(&path, &operator()),
            not_readable("it is a symbolic link: name the file itself"),
            "{path:?}"
        );
    }
    let missing = allowed.path().join("missing.zip");
    assert_eq!(f.jobs.check_bundle(&missing, &operator()), not_readable("there is no such file"));

    let failed = f.ended(f.update(&missing));
    let error = failed.error.as_ref().unwrap();
    assert_eq!(error.cause, JobFailure::Image(ImageErrorClass::BundleIOError));
    let said = format!("[BundleIOError] Could not read the bundle {}: there is no such file. ", missing.display());
    assert!(error.message.starts_with(&said), "{}", error.message);
}

#[test]
fn a_worker_of_an_image_changes_no_packages_and_one_of_packages_no_image() {
    let f = Images::new(|_| {});
    let package = f.jobs.submit(request(staged()), &operator()).unwrap().id;
    let image = f.host.jobs.submit(update(&f.bundle("x.zip", "x"), SeenBundles::new()), &operator()).unwrap().id;
    for failed in [f.ended(package), f.host.step_until_final(image)] {
        assert_eq!(failed.error.as_ref().unwrap().cause, JobFailure::Refused);
    }
    assert!(matches!(
        f.jobs.stage(&f.bundle("a.deb", "package a"), &operator()),
        Err(StageError::WorkerUnavailable(_))
    ));
}

#[test]
fn after_a_fault_nothing_is_said_that_may_be_untrue() {
    let f = Images::new(|_| {});
    let id = f.update(&f.bundle("x.zip", "x"));
    f.tell(Step::Panic);
    let failed = f.ended(id);
    let error = &failed.error.as_ref().unwrap().message;
    assert!(error.contains("it is the one from before the job, or the new one"), "{error}");
}

#[test]
fn jobs_that_wait_are_given_up_and_the_one_at_work_is_not() {
    let f = Images::new(|_| {});
    let at_work = f.update(&f.bundle("x.zip", "x"));
    f.step_until(at_work, |job| job.state == JobState::Running);
    f.begun();
    let waiting = f.update(&f.bundle("y.zip", "y"));
    assert_eq!(f.jobs.give_up_waiting("It is not there.").unwrap(), 1);
    let given_up = f.jobs.job(waiting).unwrap();
    assert_eq!(
        (given_up.state, given_up.error.as_ref().unwrap().message.as_str()),
        (JobState::Failed, "It is not there.")
    );
    f.tell(Step::Finish);
    assert_eq!(f.ended(at_work).state, JobState::Completed);
}

#[test]
fn a_cancelled_image_job_is_terminated_and_one_whose_worker_died_says_what_is_left() {
    let f = Images::new(|_| {});
    let id = f.update(&f.bundle("x.zip", "x"));
    f.step_until(id, |job| job.state == JobState::Running);
    f.begun();
    f.jobs.cancel(id, &operator()).unwrap();
    f.tell(Step::Finish);
    assert_eq!(f.ended(id).status(), "Terminated");

    // Its journal was begun, and nobody holds it.
    let job = f.jobs.submit(update(&f.bundle("y.zip", "y"), SeenBundles::new()), &operator()).unwrap();
    let trail = Trail { dispatched: true, offset: 0 };
    f.jobs.put(&mut f.jobs.lock(), vec![Job::clone(&job)], trail).unwrap();
    fs::create_dir_all(journal::folder(&folder(&f.host.state), job.id.0)).unwrap();
    let lines = concat!(
        r#"{"at":"2026-01-01T00:00:00Z","entry":"accepted"}"#,
        "\n",
        r#"{"at":"2026-01-01T00:00:01Z","entry":{"phase":{"phase":"updating","percent":40}}}"#,
        "\n"
    );
    fs::write(journal::path(&folder(&f.host.state), job.id.0), lines).unwrap();
    let failed = f.ended(job.id);
    let error = failed.error.as_ref().unwrap();
    assert_eq!(error.cause, JobFailure::WorkerDied);
    assert!(error.message.contains("The image is whole") && !error.message.contains("dpkg"), "{}", error.message);
}
