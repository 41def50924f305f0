//! wsl, a WS-Management client made of shell scripts around curl, as Debian ships it.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::support::eventually;
use crate::support::installation::{installed_names, jobs};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE, Server};
use crate::support::wsman::{CIM, Message, property};

/// wsl hands its arguments to a shell: no spaces.
const USER: (&str, &str) = ("whistle", "whistles-a-tune");
const ALPHA: &str = "InstanceID=LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";

fn host(role: &str) -> (DebRoot, Host, Server) {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    root.install_by_hand(&build_deb(&root.scratch(), "beta", "2.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    host.add_user(USER.0, USER.1, role);
    let server = host.serve();
    (root, host, server)
}

#[test]
fn wsl_identifies_enumerates_and_gets() {
    let (_root, host, server) = host("viewer");
    let identified = wsl(&host, &server, &["identify", "check"]);
    assert!(identified.contains("ProtocolVersion"), "{identified}");
    let listed = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity"]);
    assert!(listed.contains("alpha") && listed.contains("beta"), "{listed}");
    // One at a time, so that it pulls.
    let listed = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity", "-opti", "1"]);
    assert!(listed.contains("alpha") && listed.contains("beta") && listed.contains("PullResponse"), "{listed}");
    let got = wsl(&host, &server, &["get", "CIM_SoftwareIdentity", ALPHA]);
    assert!(got.contains("alpha") && !got.contains("beta"), "{got}");
}

#[test]
fn wsl_filters_with_cql_and_with_selectors_and_follows_associations() {
    let (_root, host, server) = host("viewer");
    let query = "select * from CIM_SoftwareIdentity where Name = 'beta'";
    let listed = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity", "-filter", query]);
    assert!(listed.contains(">beta<") && !listed.contains("alpha"), "{listed}");
    let dialect = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
    let listed = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity", "-filter", "Name=beta", "-dialect", dialect]);
    assert!(listed.contains(">beta<") && !listed.contains("alpha"), "{listed}");
    // The two options are mixed up in wsl: each asks for what the other is called after.
    let systems = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity", ALPHA, "-references"]);
    assert!(systems.contains("PG_ComputerSystem>"), "{systems}");
    let links = wsl(&host, &server, &["enum", "CIM_SoftwareIdentity", ALPHA, "-associators", "-mode", "objepr"]);
    assert!(links.contains("LMI_InstalledSoftwareIdentity>") && links.contains("EndpointReference>"), "{links}");
}

/// It takes the keys of the service, and of the system from a file that an earlier reply was kept in, out of the lines of
/// the XML, with the prefixes that stand there.
#[test]
fn wsl_invokes_a_method_and_puts_a_fragment() {
    let (root, host, server) = host("operator");
    fs::create_dir_all(root.path().join("etc/apt")).unwrap();
    let source = "deb http://archive.example.org/debian stable main\n";
    fs::write(root.path().join("etc/apt/sources.list"), source).unwrap();
    let mut client = server.admin();
    wsl(&host, &server, &["enum", "CIM_ComputerSystem", "-mode", "epr"]);
    let package = root.scratch().join("made.deb");
    fs::rename(build_deb(&root.scratch(), "gamma", "3.0-1", &[]), &package).unwrap();
    let uri = format!("URI=file://{}", package.display());
    let service = "CIM_SoftwareInstallationService";
    let invoked = wsl(&host, &server, &["invoke", service, "InstallFromURI", &uri, "Target=FILE:enum-response.xml"]);
    assert!(invoked.contains("InstallFromURI_OUTPUT") && invoked.contains("ReturnValue>4096<"), "{invoked}");
    let job = jobs(&mut client).pop().unwrap();
    let get = Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", &job);
    eventually("the job's end", PATIENCE, || {
        (property(&client.ask(&get), "JobState").as_deref() == Some("7")).then_some(())
    });
    assert!(installed_names(&mut client).contains(&"gamma".to_owned()));

    // It looks for the reply to a method call, finds none, and ends as if it had failed.
    let put = run(&host, &server, &["put", "LMI_SoftwareIdentityResource", "EnabledState=3", "-fragment"]);
    let said = String::from_utf8_lossy(&put.stdout);
    assert!(said.contains("PutResponse") && said.contains(">3</n0:EnabledState>"), "{said}");
    let sources = fs::read_to_string(root.path().join("etc/apt/sources.list")).unwrap();
    assert_eq!(sources, "# deb http://archive.example.org/debian stable main\n");
}

fn wsl(host: &Host, server: &Server, arguments: &[&str]) -> String {
    let output = run(host, server, arguments);
    assert!(output.status.success(), "wsl {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(host: &Host, server: &Server, arguments: &[&str]) -> Output {
    Command::new("wsl")
        .args(arguments)
        .current_dir(host.scratch())
        .env("HOME", host.scratch())
        .env("SHELL", "/bin/bash")
        .env("WSENDPOINT", format!("127.0.0.1:{}", server.port))
        .env("WSUSER", USER.0)
        .env("WSPASS", USER.1)
        .env("RTFILEPREFIX", arguments[0])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
