//! The walk of a third-party client, pypsrp, on a Debian and on an RPM root: `tests/python/walk.py`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::certificate::Certificate;
use crate::support::gate::Gate;
use crate::support::packages::{Deb, DebRoot, Rpm, RpmRoot, build_deb, build_rpm};
use crate::support::python;
use crate::support::server::{ADMIN, Host};

#[test]
fn pypsrp_walks_through_a_debian_host() {
    let root = DebRoot::new().with_shell(&[]);
    let dir = root.scratch();
    for (name, version) in [("alpha", "1:2.0-1"), ("beta", "1.0~rc1+dfsg-3"), ("native", "7"), ("leaving", "1.0-1")] {
        root.install_by_hand(&build_deb(&dir, name, version, &[]));
    }
    let leftover = Deb::new("leaving", "1.0-2").conffile("etc/leaving.conf", "kept = yes\n").build(&dir);
    root.install_by_hand(&leftover);
    root.remove_by_hand("leaving");
    let gate = Gate::new(&root.path());
    let packages = json!({
        "good": { "name": "good", "file": build_deb(&dir, "good", "1.0-1", &[]) },
        "second": { "name": "second", "file": build_deb(&dir, "second", "2.0-1", &[]) },
        "broken": {
            "name": "broken", "missing": "nowhere-to-be-found",
            "file": build_deb(&dir, "broken", "1.0-1", &[("Depends", "nowhere-to-be-found")]),
        },
        "gated": {
            "name": "gated",
            "file": Deb::new("gated", "1.0-1").script("postinst", &Gate::in_shell()).build(&dir),
        },
    });
    walk("deb", &root.path(), &dir, &gate, packages);
}

#[test]
fn pypsrp_walks_through_an_rpm_host() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    for (name, version, epoch) in [("alpha", "2.0", "1"), ("beta", "1.0~rc1", "0"), ("gamma", "3.0^git1", "0")] {
        root.install_by_hand(&build_rpm(&dir, name, version, "1.el9", &[("Epoch", epoch)]));
    }
    let gate = Gate::new(&root.path());
    let packages = json!({
        "good": { "name": "good", "file": build_rpm(&dir, "good", "1.0", "1", &[]) },
        "second": { "name": "second", "file": build_rpm(&dir, "second", "2.0", "1", &[]) },
        "broken": {
            "name": "broken", "missing": "nowhere-to-be-found",
            "file": build_rpm(&dir, "broken", "1.0", "1", &[("Requires", "nowhere-to-be-found")]),
        },
        "gated": { "name": "gated", "file": Rpm::new("gated", "1.0", "1").lua("post", &Gate::in_lua()).build(&dir) },
    });
    walk("rpm", &root.path(), &dir, &gate, packages);
}

fn walk(family: &str, root: &Path, dir: &Path, gate: &Gate, packages: Value) {
    let certificate = Certificate::new(dir);
    // One certificate serves the service and the sink: both are on localhost.
    let settings = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n\n[events]\ntrust_file = {:?}\n\n[jobs]\ntime_before_removal_seconds = 5\n",
        certificate.certificate, certificate.key, certificate.authority
    );
    let host = Host::new(root, family).with_settings(&settings);
    let server = host.serve();
    let not_a_package = dir.join("notes.txt");
    fs::write(&not_a_package, "no package at all\n").unwrap();
    let context = json!({
        "host": "127.0.0.1", "port": server.port, "ca": certificate.authority,
        "user": ADMIN.0, "password": ADMIN.1,
        "family": family, "root": root, "gate": gate.path(),
        "packages": packages, "not_a_package": not_a_package,
        "sink_certificate": certificate.certificate, "sink_key": certificate.key,
    });
    let file = dir.join("context.json");
    fs::write(&file, context.to_string()).unwrap();
    let output = python::run("walk.py", [file]);
    let said = [output.stdout, output.stderr].concat();
    println!("{}", String::from_utf8_lossy(&said));
    assert!(output.status.success(), "the walk ended with {}: {}", output.status, String::from_utf8_lossy(&said));
}
