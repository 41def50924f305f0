//! Whatever octets come over a worker's socket, it does no more than the role of a caller allows: what somebody can do who took
//! over the process that faces the network.

mod kinds;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use quartermaster::access::{Caller, Role};
use quartermaster::worker::Staged;
use serde_json::{Value, json};

use self::kinds::{Aim, Of, of_each_kind, served_by};
use crate::separation::{
    NETWORK_USER, PartedImage, answers, completes, is_root, strangers_are_not_greeted,
    the_network_process_cannot_write_what_is_the_workers,
};
use crate::support::eventually;
use crate::support::installation::start;
use crate::support::packages::{Deb, build_deb};
use crate::support::server::PATIENCE;

/// The worker of a folder, as a process of the network's user meets it.
struct Worker<'d>(&'d Path);

impl Worker<'_> {
    fn answers(&self, octets: &[u8]) -> Vec<String> {
        answers(self.0, NETWORK_USER, octets)
    }

    /// What it answers to one request.
    fn answer(&self, request: &Value) -> Value {
        let answers = self.answers(format!("{request}\n").as_bytes());
        let [_hello, answer] = &answers[..] else { panic!("{request}: {answers:?}") };
        serde_json::from_str(answer.strip_prefix("reply: ").unwrap()).unwrap()
    }

    fn refusal(&self, request: &Value) -> String {
        let answer = self.answer(request);
        answer["refused"]["kind"].as_str().unwrap_or_else(|| panic!("{request}: {answer}")).to_owned()
    }

    /// How a job ended, as its journal has it, once it has.
    fn end_of(&self, job: u64) -> Value {
        let journal = self.0.join("jobs").join(job.to_string()).join("journal");
        eventually("the job's end", PATIENCE, || {
            let text = fs::read_to_string(&journal).ok()?;
            let last: Value = serde_json::from_str(text.lines().last()?).ok()?;
            Some(last["entry"].clone()).filter(|entry| entry.get("failed").is_some() || entry.get("finished").is_some())
        })
    }

    /// The only job of which anything is kept.
    fn only_job(&self) -> u64 {
        let names = fs::read_dir(self.0.join("jobs")).unwrap().map(|entry| entry.unwrap().file_name());
        let jobs: Vec<u64> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        let [job] = jobs[..] else { panic!("{jobs:?}") };
        job
    }

    /// Asks for everything with a role that may only look, and for what is another worker's; nothing comes of it.
    fn refuses_all_kinds(&self, other: Of, aim: &Aim) {
        let before = tree(self.0);
        let viewer = Caller::new("v", Role::Viewer);
        for request in of_each_kind(aim, &viewer).filter(|request| request.caller().is_some()) {
            assert_eq!(self.refusal(&json!(request)), "not_permitted", "{request:?}");
        }
        let operator = Caller::new("o", Role::Operator);
        for request in of_each_kind(aim, &operator).filter(|request| served_by(request) == other) {
            assert_eq!(self.refusal(&json!(request)), "malformed", "{request:?}");
        }
        assert_eq!(tree(self.0), before);
    }

    /// What is asked without a caller leads to nothing either.
    fn greets_and_retires(&self, aim: &Aim) {
        let viewer = Caller::new("v", Role::Viewer);
        for request in of_each_kind(aim, &viewer).filter(|request| request.caller().is_none()) {
            let answer = self.answer(&json!(request));
            assert!(
                answer == json!("watching") || answer == json!({"retiring": {"busy": false}}),
                "{request:?}: {answer}"
            );
        }
    }

    /// What is no request, or one that cannot be meant.
    fn answers_rubbish(&self, aim: &Aim) {
        let rubbish = self.answers(b"{\"dance\":{}}\n\xff\xfe\x00\n[]\nnull\n\n");
        assert_eq!(rubbish.len(), 6, "{rubbish:?}");
        assert!(rubbish[1..].iter().all(|line| line.contains("malformed")), "{rubbish:?}");
        let endless = self.answers(&vec![b'['; 9 * 1024 * 1024]);
        assert_eq!(endless.len(), 1, "{endless:?}");
        let deep = self.answers(format!("{}\n", "[".repeat(100_000)).as_bytes());
        assert!(deep.len() == 2 && deep[1].contains("malformed"), "{deep:?}");
        let operator = json!({"name": "o", "role": "operator"});
        for request in [
            json!({"run": {"job": 901, "operation": {"execute": {"command": "/bin/sh"}}, "caller": operator}}),
            json!({"cancel": {"job": aim.job}}),
            json!({"forget": {"jobs": [aim.job], "lowest": aim.job + 1}}),
            json!({"cancel": {"job": u64::MAX, "caller": operator}}),
            json!({"forget": {"jobs": [aim.job], "lowest": u64::MAX, "caller": operator}}),
            json!({"discard": {"staged": "../worker.lock", "caller": operator}}),
            json!({"stage": {"path": "/etc/passwd", "caller": {"name": "o", "role": "root"}}}),
        ] {
            assert_eq!(self.refusal(&request), "malformed", "{request}");
        }
    }

    /// A job that is over is neither done nor cancelled again, whatever is forgotten of it.
    fn runs_no_number_twice(&self, aim: &Aim) {
        let operator = json!({"name": "o", "role": "operator"});
        let run = json!({"run": {"job": aim.job, "operation": {"change": "refresh_repositories"}, "caller": operator}});
        let cancel = json!({"cancel": {"job": aim.job, "caller": operator}});
        assert_eq!(self.refusal(&run), "already_accepted");
        let forget = json!({"forget": {"jobs": [aim.job], "lowest": aim.job + 1, "caller": operator}});
        assert_eq!(self.answer(&forget), json!("forgotten"));
        assert_eq!(self.refusal(&run), "number_is_over");
        assert_eq!(self.answer(&cancel), json!("ended"));
    }
}

/// All files below a folder and when they were changed, without what tells who asked for what and who was at work.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let (path, metadata) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
            if metadata.is_dir() {
                folders.push(path);
            } else if !["record.jsonl", "worker.log", "image.lock"]
                .map(Path::new)
                .iter()
                .any(|name| path.ends_with(name))
            {
                found.insert(path, (metadata.len(), metadata.mtime(), metadata.mtime_nsec()));
            }
        }
    }
    found
}

#[test]
fn a_compromised_network_process_can_do_no_more_than_operators_may() {
    let parted = crate::separation::Parted::new();
    let worker_dir = parted.worker_dir();
    let worker = Worker(&worker_dir);
    let scratch = parted.root.scratch();
    let mark = scratch.join("marked");
    let server = parted.host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &build_deb(&scratch, "before", "1.0-1", &[]));
    completes(&mut client, &job);
    let database = parted.root.path().join("var/lib/dpkg/status");
    let before = fs::read(&database).unwrap();

    let operator = json!({"name": "o", "role": "operator"});
    let nevra = |name: &str| json!({"name": name, "epoch": 0, "version": "1.0", "release": "1", "architecture": "all"});
    let evil =
        Deb::new("evil", "1.0-1").script("preinst", &format!("#!/bin/sh\ntouch {}\n", mark.display())).build(&scratch);
    let staged = worker.answer(&json!({"stage": {"path": evil, "caller": operator}}))["staged"].clone();
    let staged: Staged = serde_json::from_value(staged).unwrap();
    let copy = worker_dir.join("spool").join(format!("{}.deb", staged.id));
    let aim = Aim { package: evil.clone(), staged: staged.clone(), bundle: "/etc".into(), job: worker.only_job() };

    worker.refuses_all_kinds(Of::Image, &aim);
    assert_eq!(
        worker.answer(&json!({"sweep": {"keep": [], "older_than_seconds": 0, "caller": operator}})),
        "discarded"
    );
    assert!(copy.exists(), "it is young");

    // What is no package operation, or of no package.
    let run = |operation: Value| json!({"run": {"job": 901, "operation": operation, "caller": operator}});
    let lie = |staged: Value| run(json!({"install_staged": {"force": true, "staged": staged}}));
    let other = |key: &str, value: Value| {
        let mut other = json!(staged);
        other[key] = value;
        lie(other)
    };
    let option = "--root=/tmp";
    for (request, kind) in [
        (run(json!({"change": {"install_file": {"file": evil, "nevra": nevra("evil"), "force": true}}})), "malformed"),
        (run(json!({"install_remote": {"url": "file:///etc/shadow", "force": true}})), "malformed"),
        (run(json!({"install_remote": {"url": "--output=/etc/passwd", "force": true}})), "malformed"),
        (run(json!({"change": {"install": {"nevra": nevra(option), "force": true}}})), "malformed"),
        (
            run(json!({"change": {"remove": {"nevra": nevra("-oDPkg::Pre-Invoke::=touch"), "force": true}}})),
            "malformed",
        ),
        (run(json!({"change": {"update": {"nevra": nevra("../../etc/passwd")}}})), "malformed"),
        (run(json!({"change": {"verify": {"nevra": nevra("a b")}}})), "malformed"),
        (other("nevra", nevra("before")), "staged_changed"),
        (other("nevra", nevra("--root=/tmp\n2026 INFO forged")), "staged_changed"),
        (other("sha256", json!("00")), "staged_changed"),
        (other("id", json!("6f8a1d0e-57a5-4f0d-8f3e-000000000001")), "staged_changed"),
        (other("id", json!("../../../etc/passwd")), "malformed"),
        (json!({"stage_upload": {"caller": operator}}), "malformed"),
        (
            json!({"set_repository": {"id": "../../../etc/passwd", "enabled": false, "caller": operator}}),
            "no_repository",
        ),
        (json!({"set_repository": {"id": "--enable", "enabled": true, "caller": operator}}), "no_repository"),
    ] {
        assert_eq!(worker.refusal(&request), kind, "{request}");
    }

    // Files: none is told but packages, and no link or relative path leads to one.
    symlink(&evil, scratch.join("link.deb")).unwrap();
    for path in ["/etc/shadow", "/proc/self/mem", "/dev/sda", "/dev/null", "scratch/evil.deb", "..", "/"]
        .into_iter()
        .map(PathBuf::from)
        .chain([scratch.join("link.deb"), scratch.join("missing")])
    {
        let kind = worker.refusal(&json!({"stage": {"path": path, "caller": operator}}));
        assert!(["not_readable", "not_a_package"].contains(&kind.as_str()), "{path:?}: {kind}");
    }

    // Addresses that the settings do not allow are judged in the job.
    for (job, url) in [(902, "http://169.254.169.254/latest/meta-data/a.deb"), (903, "http://[fe80::1]/a.deb")] {
        let request = json!({"run": {"job": job, "operation": {"install_remote": {"url": url, "force": true}}, "caller": operator}});
        assert_eq!(worker.answer(&request), json!("accepted"), "{request}");
        let end = worker.end_of(job);
        assert!(end["failed"]["error"].to_string().contains("allow"), "{url}: {end}");
    }
    worker.answers_rubbish(&aim);
    worker.runs_no_number_twice(&aim);
    assert_eq!(worker.answer(&json!({"discard": {"staged": staged.id, "caller": operator}})), "discarded");
    assert!(!copy.exists(), "operators may");

    // What was asked for stands where only root reads it.
    let record = fs::read_to_string(worker_dir.join("jobs/record.jsonl")).unwrap();
    assert!(record.lines().any(|line| line.contains("\"asked\"") && line.contains("InstallRemote")), "{record}");
    assert!(record.lines().any(|line| line.contains("\"refused\"") && line.contains("\"v\"")), "{record}");

    // Nothing of all this changed anything, and whoever may still can.
    worker.greets_and_retires(&aim);
    assert_eq!(fs::read(&database).unwrap(), before);
    assert!(!mark.exists());
    let job = start(&mut client, &build_deb(&scratch, "after", "1.0-1", &[]));
    completes(&mut client, &job);

    if is_root() {
        strangers_are_not_greeted(&parted);
        the_network_process_cannot_write_what_is_the_workers(&parted);
    }
}

#[test]
fn nor_can_it_do_more_to_an_image() {
    let image = PartedImage::new();
    let worker_dir = image.worker_dir();
    let worker = Worker(&worker_dir);
    let server = image.host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &image.patch);
    completes(&mut client, &job);
    let before = tree(&image.folder.image());

    let operator = json!({"name": "o", "role": "operator"});
    let staged = json!({
        "id": "6f8a1d0e-57a5-4f0d-8f3e-000000000001", "file_name": "x", "size": 1, "sha256": "00",
        "nevra": {"name": "evil", "epoch": 0, "version": "1.0", "release": "1", "architecture": "all"},
    });
    let staged = serde_json::from_value(staged).unwrap();
    let aim = Aim { package: image.patch.clone(), staged, bundle: "/etc".into(), job: worker.only_job() };
    worker.refuses_all_kinds(Of::Packages, &aim);

    // Nothing is told of what is no bundle, as a folder of root's.
    let link = image.folder.path().join("link.zip");
    symlink(&image.patch, &link).unwrap();
    for path in ["/root", "/etc", "/etc/shadow", "/proc/self/mem", "/dev/null", "..", "/"]
        .into_iter()
        .map(PathBuf::from)
        .chain([link, image.folder.path().join("missing")])
    {
        let kind = worker.refusal(&json!({"check_bundle": {"path": path, "caller": operator}}));
        assert!(["not_readable", "not_a_package"].contains(&kind.as_str()), "{path:?}: {kind}");
    }

    // What only the job can judge.
    let install =
        |path: &str| json!({"image": {"operation": {"install": {"bundles": [path], "bulletins": null}}, "seen": {}}});
    let scan = |uri: &str| json!({"patch": {"scan": {"metadata": [uri]}}});
    for (job, operation) in [
        (901, install("/etc/shadow")),
        (902, install("/etc")),
        (903, scan("file:///etc/shadow")),
        (904, scan("http://169.254.169.254/latest/meta-data/a.zip")),
        (905, scan("--output=/etc/passwd")),
    ] {
        let request = json!({"run": {"job": job, "operation": operation, "caller": operator}});
        let accepted = eventually("the worker to be free", PATIENCE, || {
            Some(worker.answer(&request)).filter(|answer| answer["refused"]["kind"] != "busy")
        });
        assert_eq!(accepted, json!("accepted"), "{request}");
        let end = worker.end_of(job);
        assert!(end.get("failed").is_some() && !end.to_string().contains("root:"), "{request}: {end}");
    }
    worker.answers_rubbish(&aim);
    worker.runs_no_number_twice(&aim);
    worker.greets_and_retires(&aim);

    assert_eq!(tree(&image.folder.image()), before);
    let job = start(&mut client, &image.patch);
    completes(&mut client, &job);
}
