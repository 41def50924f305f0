//! Packages that the host fetches over HTTP.

use std::fs;
use std::path::Path;

use xmltree::Element;

use crate::support::eventually;
use crate::support::files::{Answer, Files};
use crate::support::installation::{ended, get_job, installed_names, start_from};
use crate::support::packages::{DebRoot, Rpm, RpmRoot, build_deb};
use crate::support::server::{Host, PATIENCE};
use crate::support::wsman::{CIM, Client, Message, property};

const LIMIT: &str = "[jobs]\nmax_package_octets = 100000\n";

#[test]
fn debian_packages_come_over_http_or_the_job_says_why_not() {
    let root = DebRoot::new();
    let dir = root.scratch();
    let file = |name: &str, breaks| {
        let octets = fs::read(build_deb(&dir, name, "1.0-1", &[])).unwrap();
        Answer::File { octets, breaks }
    };
    let half = fs::read(build_deb(&dir, "never", "1.0-1", &[])).unwrap();
    let files = Files::serve([
        ("/good.deb", file("good", false)),
        ("/broken.deb", file("resumed", true)),
        ("/moved.deb", Answer::Redirect("/good.deb".into())),
        ("/notes.txt", Answer::File { octets: b"no package at all\n".to_vec(), breaks: false }),
        ("/large.deb", Answer::Announced(100_001)),
        ("/secrets.deb", Answer::Redirect("http://169.254.169.254/latest/meta-data".into())),
        ("/half.deb", Answer::Half(half)),
    ]);
    let host = Host::new(&root.path(), "deb").with_settings(LIMIT);
    let server = host.serve();
    let mut client = server.admin();

    let job = run(&mut client, &files.url("/broken.deb"));
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
    assert!(installed_names(&mut client).contains(&"resumed".to_owned()));
    let ranges = files.ranges("/broken.deb");
    assert!(ranges.len() == 2 && ranges[1].as_deref().is_some_and(|range| range != "bytes=0-"), "{ranges:?}");

    for (path, code, words) in [
        ("/nothing.deb", "4107", "the server has no such file"),
        ("/notes.txt", "4106", "is no package of this system"),
        ("/large.deb", "4", "larger than the 100000 octets"),
        ("/secrets.deb", "4107", "address of a metadata service"),
    ] {
        let job = run(&mut client, &files.url(path));
        assert_eq!(property(&job, "JobState").as_deref(), Some("10"), "{path}: {job:?}");
        assert_eq!(property(&job, "ErrorCode").as_deref(), Some(code), "{path}: {job:?}");
        let told = property(&job, "ErrorDescription").unwrap();
        assert!(told.contains(words), "{path}: {told}");
    }

    cancel_while_downloading(&mut client, &files.url("/half.deb"));
    assert_eq!(property(&run(&mut client, &files.url("/moved.deb")), "JobState").as_deref(), Some("7"));
    let mut names = installed_names(&mut client);
    names.sort();
    assert_eq!(names, ["good", "resumed"]);
    assert_eq!(spooled(&host.state_dir()), 0, "what was fetched is deleted");
}

#[test]
fn an_rpm_package_comes_over_http() {
    let root = RpmRoot::new();
    let octets = fs::read(Rpm::new("good", "1.0", "1").build(&root.scratch())).unwrap();
    let files = Files::serve([("/good.rpm", Answer::File { octets, breaks: false })]);
    let host = Host::new(&root.path(), "rpm");
    let server = host.serve();
    let mut client = server.admin();
    let job = run(&mut client, &files.url("/good.rpm"));
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
    assert_eq!(installed_names(&mut client), ["good"]);
}

fn cancel_while_downloading(client: &mut Client, url: &str) {
    let id = start_from(client, url);
    let is_half_there = |job: &Element| {
        property(job, "JobStatus").as_deref() == Some("Running: downloading packages")
            && property(job, "PercentComplete").as_deref() == Some("15")
    };
    eventually("half of the file to come", PATIENCE, || is_half_there(&get_job(client, &id)).then_some(()));
    let terminate =
        Message::invoke(&format!("{CIM}/CIM_ConcreteJob"), "RequestStateChange", &[("RequestedState", "4")]);
    client.ask(&terminate.selector("InstanceID", id.as_str()));
    assert_eq!(property(&ended(client, &id), "JobState").as_deref(), Some("8"));
}

/// Starts an installation and waits for its end.
fn run(client: &mut Client, uri: &str) -> Element {
    let id = start_from(client, uri);
    ended(client, &id)
}

fn spooled(state_dir: &Path) -> usize {
    fs::read_dir(state_dir.join("spool")).unwrap().count()
}
