//! pypsrp as a client.

use std::fs;

use serde_json::{Value, json};

use super::support::python;
use super::support::server::{Host, Server};

/// Whether the service takes pypsrp for a user, who is told `how` to call.
pub(crate) fn pypsrp(host: &Host, server: &Server, how: &Value) -> bool {
    let context = json!({ "host": "localhost", "port": server.port, "ca": server.certificate(), "how": how });
    let file = host.scratch().join("context.json");
    fs::write(&file, context.to_string()).unwrap();
    let output = python::run("authenticated.py", [file]);
    match output.status.code() {
        Some(0) => true,
        Some(1) if output.stderr.starts_with(b"refused") => false,
        _ => panic!("{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat())),
    }
}
