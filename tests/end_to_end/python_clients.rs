//! pypsrp, python-dracclient and pywinrm as their users have them: `tests/python/clients.py` and `tests/python/pull.py`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::certificate::Certificate;
use crate::support::eventually;
use crate::support::installation::{ended, start};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::python;
use crate::support::server::{ADMIN, Host, PATIENCE, Server};
use crate::support::wsman::{CIM, Message, property};

/// More than two pages of python-dracclient.
const FILLERS: usize = 230;
const VIEWER: (&str, &str) = ("onlooker", "looks and does nothing");

#[test]
fn clients_that_were_written_for_others_work_here() {
    let root = DebRoot::new();
    let dir = root.scratch();
    for (name, version) in [("alpha", "1.0-1"), ("beta", "2.0-1")] {
        root.install_by_hand(&build_deb(&dir, name, version, &[]));
    }
    root.fill(FILLERS);
    let certificate = Certificate::new(&dir);
    let settings = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", certificate.certificate, certificate.key);
    let host = Host::new(&root.path(), "deb").with_settings(&settings);
    host.add_user(VIEWER.0, VIEWER.1, "viewer");
    let server = host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &build_deb(&dir, "gamma", "3.0-1", &[]));
    let get = Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", &job);
    eventually("the job's end", PATIENCE, || {
        (property(&client.ask(&get), "JobState").as_deref() == Some("7")).then_some(())
    });
    let context = json!({
        "host": "127.0.0.1", "port": server.port, "ca": certificate.authority,
        "user": ADMIN.0, "password": ADMIN.1, "viewer": VIEWER.0, "viewers_password": VIEWER.1,
        "alpha": "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all", "packages": FILLERS + 3, "job": job,
    });
    let file = dir.join("context.json");
    fs::write(&file, context.to_string()).unwrap();
    let output = python::run("clients.py", [file]);
    let said = [output.stdout, output.stderr].concat();
    println!("{}", String::from_utf8_lossy(&said));
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&said));
}

/// A subscriber that fetches its events finds them behind its context also after the server died and came back.
#[test]
fn pypsrp_goes_on_fetching_after_a_restart() {
    let root = DebRoot::new();
    let dir = root.scratch();
    let certificate = Certificate::new(&dir);
    let settings = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", certificate.certificate, certificate.key);
    let host = Host::new(&root.path(), "deb").with_settings(&settings);
    let first = host.serve();
    step(&dir, &certificate, &first, "", "subscribe");
    let install = |server: &Server, package: &str| {
        let mut client = server.admin();
        let job = start(&mut client, &build_deb(&dir, package, "1.0-1", &[]));
        ended(&mut client, &job);
        job
    };
    let job = install(&first, "alpha");
    step(&dir, &certificate, &first, &job, "fetch");
    first.kill();

    let second = host.serve();
    let job = install(&second, "beta");
    step(&dir, &certificate, &second, &job, "fetch");
    step(&dir, &certificate, &second, "", "end");
}

fn step(dir: &Path, certificate: &Certificate, server: &Server, job: &str, name: &str) {
    let context = json!({
        "host": "127.0.0.1", "port": server.port, "ca": certificate.authority,
        "user": ADMIN.0, "password": ADMIN.1, "job": job,
    });
    let [context_file, state] = ["pull-context.json", "pull-state.json"].map(|file| dir.join(file));
    fs::write(&context_file, context.to_string()).unwrap();
    let output = python::run("pull.py", [context_file.as_path(), state.as_path(), Path::new(name)]);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{name}: {}: {}", output.status, String::from_utf8_lossy(&said));
}
