//! wsl, a WS-Management client made of shell scripts around curl, as Debian ships it.

use std::process::{Command, Stdio};

use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, Server};

/// wsl hands its arguments to a shell: no spaces.
const USER: (&str, &str) = ("whistle", "whistles-a-tune");

#[test]
fn wsl_identifies_enumerates_and_gets() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    root.install_by_hand(&build_deb(&root.scratch(), "beta", "2.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    host.add_user(USER.0, USER.1, "viewer");
    let server = host.serve();
    let identified = wsl(&host, &server, &["identify", "check"]);
    assert!(identified.contains("ProtocolVersion"), "{identified}");
    let listed = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity"]);
    assert!(listed.contains("alpha") && listed.contains("beta"), "{listed}");
    let got =
        wsl(&host, &server, &["get", "CIM_SoftwareIdentity", "InstanceID=LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all"]);
    assert!(got.contains("alpha") && !got.contains("beta"), "{got}");
}

fn wsl(host: &Host, server: &Server, arguments: &[&str]) -> String {
    let output = Command::new("wsl")
        .args(arguments)
        .current_dir(host.scratch())
        .env("HOME", host.scratch())
        .env("WSENDPOINT", format!("127.0.0.1:{}", server.port))
        .env("WSUSER", USER.0)
        .env("WSPASS", USER.1)
        .env("RTFILEPREFIX", arguments[0])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "wsl {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
