//! pypsrp, python-dracclient and pywinrm as their users have them: `tests/python/clients.py`.

use std::fs;

use serde_json::json;

use crate::support::certificate::Certificate;
use crate::support::eventually;
use crate::support::installation::start;
use crate::support::packages::{DebRoot, build_deb};
use crate::support::python;
use crate::support::server::{ADMIN, Host, PATIENCE};
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
