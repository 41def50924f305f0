//! An image: updated by the real server and its worker, which are killed in the middle of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::installation::{ended, get_job, install, installed_names, start, start_by, start_twice_by};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{ADMIN, Host, PATIENCE, Server, binary, kill, workers_of};
use crate::support::vib::release::{GOLDEN_INSTALLED, GOLDEN_REMOVED};
use crate::support::vib::{Bundle, Vib};
use crate::support::wsman::{CIM, Client, Message, descendants, property, text_of};

/// JobStatus of an update that a reboot follows.
const NEEDS_REBOOT: &str =
    "The update completed successfully, but the system needs to be rebooted for the changes to be effective.";

/// The classes of the installation service and of the system, of the image and of the host's packages.
const IMAGE: [&str; 2] = ["VMware_SoftwareInstallationService", "OMC_UnitaryComputerSystem"];
const PACKAGES: [&str; 2] = ["LMI_SoftwareInstallationService", "PG_ComputerSystem"];

/// Large enough for a worker to be caught while it stages.
const LARGE: usize = 24 << 20;

#[test]
fn an_offline_bundle_updates_the_image_after_the_next_boot_and_can_be_gone_back_from() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let patch = folder.esxi_5_5_u1a(1000);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &patch);
    let done = ended(&mut client, &job);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some(NEEDS_REBOOT), "{done:?}");
    assert_eq!(property(&done, "JobState").as_deref(), Some("7"));

    let [running, pending, previous] = images(&folder);
    assert!(running.contains(&GOLDEN_REMOVED[0].to_owned()) && previous.is_empty(), "{running:?} {previous:?}");
    assert!(GOLDEN_INSTALLED.iter().all(|vib| pending.contains(&(*vib).to_owned())), "{pending:?}");
    let [new, old] = ["0.255.03.01-2vmw.550.1.16.1746018", "0.255.03.01-1vmw.550.0.0.1331820"].map(str::to_owned);
    let shown = versions(&mut client);
    assert!(shown.contains(&new) && shown.contains(&old), "the driver that runs and the one that waits: {shown:?}");

    assert_eq!(folder.run(&["boot"], &[]), "booted: the image that waited runs now\n");
    eventually("the server to see that the host was booted", PATIENCE, || {
        (!versions(&mut client).contains(&old)).then_some(())
    });
    let [running, pending, previous] = images(&folder);
    assert!(GOLDEN_INSTALLED.iter().all(|vib| running.contains(&(*vib).to_owned())) && pending.is_empty());
    assert!(GOLDEN_REMOVED.iter().all(|vib| previous.contains(&(*vib).to_owned())), "{previous:?}");

    let again = start(&mut client, &patch);
    let done = ended(&mut client, &again);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some("Host is not changed."), "{done:?}");

    folder.run(&["roll-back"], &[]);
    folder.run(&["boot"], &[]);
    assert!(GOLDEN_REMOVED.iter().all(|vib| images(&folder)[0].contains(&(*vib).to_owned())));
}

#[test]
fn an_update_outlives_the_server() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let patch = folder.esxi_5_5_u1a(LARGE);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let first = host.serve();
    let job = start(&mut first.admin(), &patch);
    let worker = caught_staging(&folder, &host);
    first.kill();
    signal(worker, "CONT");
    let second = host.serve();
    let done = ended(&mut second.admin(), &job);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some(NEEDS_REBOOT), "{done:?}");
    assert_eq!(images(&folder)[1].len(), 15);
}

#[test]
fn a_worker_that_dies_leaves_the_image_whole_and_the_next_job_changes_it() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let patch = folder.esxi_5_5_u1a(LARGE);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();
    let before = folder.run(&["show"], &[]);
    let job = start(&mut client, &patch);
    let worker = caught_staging(&folder, &host);
    // The worker may be further than the server has read.
    eventually("the job at work", PATIENCE, || {
        (property(&get_job(&mut client, &job), "JobState").as_deref() == Some("4")).then_some(())
    });
    kill(worker);
    let failed = ended(&mut client, &job);
    assert_eq!(property(&failed, "JobState").as_deref(), Some("10"), "{failed:?}");
    let why = property(&failed, "ErrorDescription").unwrap();
    assert!(why.contains("The worker process ended") && why.contains("The image is whole"), "{why}");
    // Nobody needs to ask for another job or look at the image: the server has it swept away.
    eventually("what the worker left behind to be gone", PATIENCE, || folder.stagings().is_empty().then_some(()));
    assert_eq!(folder.run(&["show"], &[]), before);

    let again = start(&mut client, &patch);
    let done = ended(&mut client, &again);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some(NEEDS_REBOOT), "{done:?}");
    assert_eq!(folder.stagings(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn jobs_of_the_image_and_of_the_host_do_not_wait_for_each_other_and_waiting_ones_can_be_cancelled() {
    let root = DebRoot::new().with_shell(&[]);
    let package = build_deb(&root.scratch(), "hello", "1.0-1", &[]);
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let patch = folder.esxi_5_5_u1a(LARGE);
    let image = folder.image();
    let (root_dir, image_dir) = (root.path(), image.to_str().unwrap());
    let host = Host::bare(&["--root", root_dir.to_str().unwrap(), "--engine", "deb", "--image", image_dir]);
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    let host = host.with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();

    let [update, waiting] = start_twice_by(&mut client, IMAGE, &patch);
    let worker = caught_staging(&folder, &host);
    let installed = start_by(&mut client, PACKAGES, &package);
    let done = ended(&mut client, &installed);
    assert_eq!(property(&done, "JobState").as_deref(), Some("7"), "{done:?}");
    assert!(installed_names(&mut client).contains(&"hello".to_owned()));

    let cancel = Message::invoke(&format!("{CIM}/CIM_ConcreteJob"), "RequestStateChange", &[("RequestedState", "4")]);
    let output = client.ask(&cancel.selector("InstanceID", &waiting));
    assert_eq!(property(&output, "ReturnValue").as_deref(), Some("0"), "{output:?}");
    let cancelled = get_job(&mut client, &waiting);
    assert_eq!(property(&cancelled, "JobState").as_deref(), Some("8"), "{cancelled:?}");

    // The one at work is cancelled unless it was faster; the image is the one or the other.
    let canceller = cancel_in_background(&server, &update);
    signal(worker, "CONT");
    let code = canceller.join().unwrap();
    let ended = ended(&mut client, &update);
    let pending = &images(&folder)[1];
    match property(&ended, "JobState").as_deref() {
        Some("8") => assert!(pending.is_empty() && code == "4096", "{pending:?} {code}"),
        // It was asked too late, or while the update was being made valid.
        Some("7") => assert!(pending.len() == 15 && ["4096", "4097"].contains(&&*code), "{pending:?} {code}"),
        other => panic!("{other:?}: {ended:?}"),
    }
}

#[test]
fn what_does_not_reach_the_acceptance_level_is_refused_and_the_command_line_lowers_it() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let tool = Vib { live_install: true, live_remove: true, ..Vib::new("tool", "1.0-1") };
    let bundle = folder.bundle("tool.zip", &Bundle::of(vec![tool]));
    let before = folder.run(&["show"], &[]);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &bundle);
    let failed = ended(&mut client, &job);
    assert_eq!(property(&failed, "JobState").as_deref(), Some("10"), "{failed:?}");
    let why = property(&failed, "ErrorDescription").unwrap();
    assert!(why.starts_with("[AcceptanceConfigError] VIB "), "{why}");
    assert!(why.contains("acceptance level is community, which is not compliant"), "{why}");
    assert_eq!(folder.run(&["show"], &[]), before, "nothing was changed");
    server.kill();

    // The worker of before still waits for work, and would go by what it was told.
    let workers = workers_of(&host.image_state_dir());
    let host = host.with_settings("acceptance_level = \"community\"\n");
    let server = host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &bundle);
    let done = ended(&mut client, &job);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some("Operation finished successfully."), "{done:?}");
    assert!(images(&folder)[0].iter().any(|vib| vib.ends_with("_tool_1.0-1")), "installed live");
    assert_ne!(workers_of(&host.image_state_dir()), workers);
}

#[test]
fn what_waited_for_one_image_is_not_done_to_another() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let patch = folder.esxi_5_5_u1a(LARGE);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let [at_work, waiting] = start_twice_by(&mut server.admin(), IMAGE, &patch);
    let worker = caught_staging(&folder, &host);
    server.kill();

    let other = ImageFolder::esxi_5_5_u1(1000);
    let before = other.run(&["show"], &[]);
    let host = host.with_arguments(&["--engine", "none", "--image", other.image().to_str().unwrap()]);
    let server = host.serve();
    let mut client = server.admin();
    let given_up = get_job(&mut client, &waiting);
    assert_eq!(property(&given_up, "JobState").as_deref(), Some("10"), "{given_up:?}");
    let why = property(&given_up, "ErrorDescription").unwrap();
    assert!(why.contains(folder.image().to_str().unwrap()) && why.contains(other.image().to_str().unwrap()), "{why}");

    // What was at work ends where it began, and what comes now is for the other image.
    signal(worker, "CONT");
    let done = ended(&mut client, &at_work);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some(NEEDS_REBOOT), "{done:?}");
    assert_eq!((images(&folder)[1].len(), other.run(&["show"], &[])), (15, before));
    let job = start(&mut client, &patch);
    let done = ended(&mut client, &job);
    assert_eq!(property(&done, "JobStatus").as_deref(), Some(NEEDS_REBOOT), "{done:?}");
    assert_eq!(images(&other)[1].len(), 15);
}

#[test]
fn what_is_no_bundle_is_told_at_once() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();
    let text = folder.file("image.toml");
    for (uri, code) in [
        ("file:///nowhere/bundle.zip".to_owned(), "4107"),
        (format!("file://{}", text.display()), "4106"),
        ("https://depot.example.org/index.xml".to_owned(), "2"),
    ] {
        let output = install(&mut client, &uri);
        assert_eq!(property(&output, "ReturnValue").as_deref(), Some(code), "{uri}: {output:?}");
    }
}

#[test]
fn the_store_is_told_of_and_set_by_the_command_line() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let shown = folder.run(&["show"], &[]);
    for line in ["version:\t5.5.0", "build:\t1623387", "maintenance mode:\toff"] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert_eq!(folder.run(&["maintenance-mode"], &["on"]), "the host is in maintenance mode\n");
    assert!(folder.run(&["show"], &[]).contains("maintenance mode:\ton\n"));
    assert_eq!(folder.run(&["accept"], &["community"]), "the acceptance level is community\n");
    assert!(folder.run(&["show"], &[]).contains("(CommunitySupported)"));
    assert_eq!(folder.run(&["boot"], &[]), "booted: the same image runs\n");
    let (succeeded, said) = folder.try_run(&["roll-back"], &[]);
    assert!(!succeeded && said.starts_with("quartermaster: [NoMatchError] "), "{said}");
    assert_eq!(listed_by_the_line_to_paste(&folder), 15);
    let (succeeded, said) = folder.try_run(&["create"], &[]);
    assert!(!succeeded && said.contains("There is an image store in "), "{said}");
}

/// Starts a server as a person does who tries it, with the store's folder named from where it is started, pastes the line that
/// it prints, and counts what that lists.
fn listed_by_the_line_to_paste(folder: &ImageFolder) -> usize {
    let state = folder.file("state");
    let mut command = binary();
    command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0", "--engine", "none"]);
    command.args(["--image", "image", "--state-dir", state.to_str().unwrap()]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("curl ")).expect("a line to paste");
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().count()
}

#[test]
fn the_command_line_installs_bundles_and_removes_vibs_as_jobs_do() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let tool = Vib { live_install: true, live_remove: true, ..Vib::new("tool", "1.0-1") };
    let bundle = folder.bundle("tool.zip", &Bundle::of(vec![tool]));
    let bundle = bundle.to_str().unwrap();
    let (succeeded, said) = folder.try_run(&["install"], &[bundle]);
    assert!(!succeeded && said.starts_with("quartermaster: [AcceptanceConfigError] VIB "), "{said}");
    folder.run(&["accept"], &["community"]);
    let installed = folder.run(&["install"], &[bundle]);
    assert!(installed.starts_with("installed\t") && installed.ends_with("_tool_1.0-1\n"), "{installed}");
    assert!(images(&folder)[0].iter().any(|vib| vib.ends_with("_tool_1.0-1")), "installed live");
    assert_eq!(folder.run(&["install"], &[bundle]), "the image has it all\n");
    let removed = folder.run(&["remove"], &["tool"]);
    assert_eq!(removed, installed.replace("installed", "removed"));
    assert!(!images(&folder)[0].iter().any(|vib| vib.ends_with("_tool_1.0-1")));
}

#[test]
fn the_command_line_tells_what_somebody_should_know_of_a_change() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    folder.run(&["accept"], &["community"]);
    let compatible_with = vec!["esx-base >= 6.0".to_owned()];
    let tool = Vib {
        live_install: true,
        live_remove: true,
        cimom_restart: true,
        compatible_with,
        ..Vib::new("tool", "1.0-1")
    };
    let bundle = folder.bundle("tool.zip", &Bundle::of(vec![tool]));
    let told = folder.run(&["install"], &[bundle.to_str().unwrap()]);
    let [installed, restart, unlike] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    assert!(installed.starts_with("installed\t"), "{installed}");
    assert!(restart.starts_with("note\tRestart the host's CIM server: "), "{restart}");
    assert!(unlike.starts_with("note\tVIB ") && unlike.contains("it goes with esx-base >= 6.0, "), "{unlike}");
    let gone = folder.run(&["remove"], &["tool"]);
    assert!(gone.contains("\nnote\tRestart the host's CIM server: "), "{gone}");
}

#[test]
fn an_image_that_is_gone_is_told_by_its_system_and_once_in_the_log() {
    let folder = ImageFolder::esxi_5_5_u1(1000);
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let server = host.serve();
    let mut client = server.admin();
    assert_eq!(states(&mut client), ["2", "5"]);
    for _ in 0..2 {
        fs::rename(folder.image(), folder.file("elsewhere")).unwrap();
        eventually("the system to tell it", PATIENCE, || (states(&mut client) == ["6", "20"]).then_some(()));
        assert_eq!(versions(&mut client).len(), 16, "what was there is still shown");
        fs::rename(folder.file("elsewhere"), folder.image()).unwrap();
        eventually("the system to tell it", PATIENCE, || (states(&mut client) == ["2", "5"]).then_some(()));
    }
    let log = server.log();
    assert_eq!(log.matches("the image store cannot be read").count(), 2, "{log}");
    assert_eq!(log.matches("the image store can be read again").count(), 2, "{log}");
}

/// OperationalStatus and HealthState of the system.
fn states(client: &mut Client) -> [String; 2] {
    let request = Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>");
    let response = client.ask(&request);
    ["OperationalStatus", "HealthState"].map(|name| text_of(descendants(&response, name)[0]))
}

#[test]
fn settings_for_an_image_that_is_nowhere_are_refused() {
    let state = tempfile::tempdir().unwrap();
    let serve =
        ["serve", "--engine", "none", "--listen", "127.0.0.1:0", "--acceptance-level", "community", "--state-dir"];
    let output = binary().args(serve).arg(state.path()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("nothing says where the image is: set dir there, or give --image\n"), "{said}");
}

#[test]
fn where_there_is_no_image_store_it_is_said_how_to_make_one() {
    let nowhere = tempfile::tempdir().unwrap();
    let dir = nowhere.path().to_str().unwrap();
    let said =
        format!("quartermaster: there is no image store in {dir}: `quartermaster image create {dir}` makes one\n");
    let state = nowhere.path().join("state");
    let serve = ["serve", "--engine", "none", "--listen", "127.0.0.1:0", "--image", dir, "--state-dir"];
    for arguments in [&["image", "show", dir][..], &[&serve[..], &[state.to_str().unwrap()]].concat()] {
        let output = binary().args(arguments).output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8(output.stderr).unwrap().ends_with(&said), "{arguments:?}");
    }
}

/// Waits until the worker puts a new image together, and stops it there.
fn caught_staging(folder: &ImageFolder, host: &Host) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if !folder.stagings().is_empty() {
            // Whoever stages is there.
            let worker = workers_of(&host.image_state_dir())[0];
            signal(worker, "STOP");
            // It may have finished before it stopped.
            assert!(!folder.stagings().is_empty(), "the update was too fast to be caught: make it larger");
            return worker;
        }
        assert!(Instant::now() < deadline, "no worker ever began to stage");
        thread::yield_now();
    }
}

fn signal(process: u32, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap().success());
}

/// Asks for the end of a job from another thread; gives the return value.
fn cancel_in_background(server: &Server, job: &str) -> thread::JoinHandle<String> {
    let (port, job) = (server.port, job.to_owned());
    thread::spawn(move || {
        let mut client = Client::new(port, ADMIN.0, ADMIN.1);
        let class = format!("{CIM}/CIM_ConcreteJob");
        let cancel = Message::invoke(&class, "RequestStateChange", &[("RequestedState", "4")]);
        property(&client.ask(&cancel.selector("InstanceID", &job)), "ReturnValue").unwrap()
    })
}

/// The VIBs of the images that `quartermaster image show` tells: the one that runs, the next one, the one before.
fn images(folder: &ImageFolder) -> [Vec<String>; 3] {
    let shown = folder.run(&["show"], &[]);
    let of = |heading: &str| -> Vec<String> {
        let lines = shown.lines().skip_while(|line| !line.starts_with(&format!("{heading}:"))).skip(1);
        let vib = |line: &str| {
            let words: Vec<&str> = line.split('\t').collect();
            let kind = if words[0] == "tools-light" { "locker" } else { "bootbank" };
            format!("{}_{kind}_{}_{}", words[2], words[0], words[1])
        };
        lines.take_while(|line| !line.is_empty()).map(vib).collect()
    };
    [of("the image that runs"), of("the image that runs after the next boot"), of("the image that can be gone back to")]
}

/// The versions of all software identities.
fn versions(client: &mut Client) -> Vec<String> {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let response = client.ask(&Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), options));
    descendants(&response, "VersionString").into_iter().map(text_of).collect()
}
