//! The audit log of a real server: what it tells of an installation, and what becomes of changes that it cannot tell of.

use std::fs;
use std::path::PathBuf;

use crate::support::installation::{ended, install, install_message, installed_names, job_of};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{ADMIN, Host};

fn log_file(host: &Host) -> PathBuf {
    host.state_dir().join("audit/audit.jsonl")
}

fn events(host: &Host) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(log_file(host)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_installation_is_told_from_the_request_to_the_end_of_the_job() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let package = build_deb(&root.scratch(), "good", "1.0-1", &[]);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut client = server.admin();
    let uri = format!("file://{}", package.display());
    let job = job_of(&install(&mut client, &uri));
    ended(&mut client, &job);
    assert_eq!(server.client("mallory", "a secret of mallory's").post("").status, 401);
    assert!(server.stop().success());

    let all = events(&host);
    let told: Vec<_> = all.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let expected = ["asked", "done", "opened", "asked", "queued", "done", "ended", "wrong_login"];
    assert_eq!(told, expected, "{all:#?}");
    let [add, .., asked, queued, done, end, wrong] = &all[..] else { panic!("{all:#?}") };
    assert_eq!((add["method"].as_str(), add["object"].as_str()), (Some("AddUser"), Some(ADMIN.0)));
    assert_eq!((asked["user"].as_str(), asked["role"].as_str()), (Some(ADMIN.0), Some("admin")));
    assert_eq!((asked["method"].as_str(), asked["address"].as_str()), (Some("InstallFromURI"), Some("127.0.0.1")));
    assert!(asked["details"].as_str().unwrap().contains(&uri), "{asked}");
    assert!(asked["request"].is_string() && asked["scheme"] == "basic", "{asked}");
    for line in [queued, done, end] {
        assert_eq!(line["request"], asked["request"], "{line}");
    }
    assert_eq!(done["result"], "returned 4096");
    assert_eq!((&queued["job"], queued["object"].as_str()), (&end["job"], Some("good-0:1.0-1.all")));
    assert_eq!(end["result"], "Completed successfully");
    assert_eq!((wrong["user"].as_str(), wrong["address"].as_str()), (Some("mallory"), Some("127.0.0.1")));
    let text = fs::read_to_string(log_file(&host)).unwrap();
    assert!(!text.contains("secret") && !text.contains(ADMIN.1), "{text}");

    let (status, said) = host.run(&["audit", "verify"]);
    assert!(status.success() && said.starts_with("8 lines from 1 to 8 belong together"), "{said}");
    let (status, said) = host.run(&["audit", "show", "--last", "5"]);
    assert!(status.success() && said.contains("\tasked: InstallFromURI of ") && said.lines().count() == 5, "{said}");
    fs::write(log_file(&host), text.replace(&uri, "file:///nothing.deb")).unwrap();
    let (status, said) = host.run(&["audit", "verify"]);
    assert!(!status.success() && said.contains("audit.jsonl, line 4: "), "{said}");
}

#[test]
fn what_the_audit_log_cannot_tell_of_is_not_done() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let package = build_deb(&root.scratch(), "good", "1.0-1", &[]);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut client = server.admin();
    let uri = format!("file://{}", package.display());
    let request = install_message(&mut client, &uri);

    // Nothing can be written to a folder; so it is with a disk that is full.
    let aside = log_file(&host).with_extension("aside");
    fs::rename(log_file(&host), &aside).unwrap();
    fs::create_dir(log_file(&host)).unwrap();
    let reply = client.post(&request.envelope());
    assert_eq!(reply.fault().0, "InternalError", "{}", reply.body);
    assert!(reply.body.contains("the audit log cannot tell of it"), "{}", reply.body);
    let (status, said) = host.run(&["user", "remove", ADMIN.0]);
    assert!(!status.success() && said.contains("audit log"), "{said}");
    assert_eq!(installed_names(&mut client), ["alpha"], "what is there can be looked at");

    fs::remove_dir(log_file(&host)).unwrap();
    fs::rename(&aside, log_file(&host)).unwrap();
    let job = job_of(&install(&mut client, &uri));
    ended(&mut client, &job);
    assert!(server.stop().success());
    let (status, said) = host.run(&["audit", "verify"]);
    assert!(status.success() && said.contains("could not be written"), "{said}");
}
