//! What happens on a host is printed as it happens.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::console::Console;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::Host;

/// The namespace of subscriptions.
const INTEROP: &str = "root/interop";

#[test]
fn events_are_pulled_and_printed_until_there_are_enough() {
    hear(&[]);
}

#[test]
fn events_are_delivered_to_whoever_listens() {
    hear(&["--listen", "127.0.0.1:0"]);
    hear(&["--listen", "127.0.0.1:0", "--listen-unencrypted"]);
}

#[test]
fn deliveries_come_by_a_certificate_that_the_host_trusts() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    // What a host made for itself is of 127.0.0.1, too.
    let server = host.serve();
    let files = [server.certificate(), server.certificate_key()].map(|file| file.to_str().unwrap().to_owned());
    server.stop();
    let host = host.with_settings(&format!("[events]\ntrust_file = {:?}\n", files[0]));
    let how = ["--listen", "127.0.0.1:0", "--listen-certificate", &files[0], "--listen-key", &files[1]];
    hear_of(&root, &host, &how);
}

#[test]
fn jobs_are_told_of_where_the_host_can_reach_the_console_and_pulled_where_not() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let install = |name: &str, how: &[&str]| {
        let file = Deb::new(name, "1.0-1").build(&root.scratch());
        let said = console.at(&server, &[&["install", file.to_str().unwrap()], how].concat());
        assert!(said.code == 0 && said.out.contains("\tcompleted\t"), "{said:#?}");
        said.err
    };
    console.good(&server, &["list"]);
    assert_eq!(install("alpha", &["--listen", "127.0.0.1:0"]), "");
    let told = install("beta", &["--listen", "127.0.0.1:0", "-v"]);
    assert!(told.ends_with(": it tells what happens here\n"), "{told}");
    // The host may not call everybody.
    let metadata = ["--listen", "127.0.0.1:0", "--listen-as", "169.254.169.254:80", "-v"];
    let pulled = install("gamma", &metadata);
    assert!(
        pulled.contains("it does not tell what happens here, which is pulled") && pulled.contains("169.254"),
        "{pulled}"
    );
    // It may call, and nobody is there: nothing is waited for that does not come.
    install("delta", &["--listen", "127.0.0.1:0", "--listen-as", "127.0.0.1:1"]);

    // A file that wishes for a listener which cannot be had stops nobody; a command line does.
    console.file("quartermaster/hosts.toml", "[listener]\naddress = \"192.0.2.1:1\"\n", 0o644);
    let unheard = install("epsilon", &["-v"]);
    assert!(unheard.contains("nobody can listen on 192.0.2.1:1"), "{unheard}");
    let refused = console.at(&server, &["watch", "--listen", "192.0.2.1:1"]);
    assert!(refused.code == 2 && refused.err.contains("nobody can listen on 192.0.2.1:1"), "{refused:#?}");
    console.file("quartermaster/hosts.toml", "[listener]\naddress = \"127.0.0.1:0\"\n", 0o644);
    let told = install("zeta", &["-v"]);
    assert!(told.ends_with(": it tells what happens here\n"), "{told}");
}

#[test]
fn a_subscription_that_a_host_has_ended_is_made_anew() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let place = format!("127.0.0.1:{}", server.port);
    let query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity";
    let mut listening = console
        .command(&["subscribe", query, "--max", "1", "--host", &place])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(listening.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(said.next().unwrap(), format!("quartermaster: {place}: listening"));
    let class = "CIM_IndicationSubscription";
    let found = console.good(&server, &["enumerate", class, "--references", "--json", "--namespace", INTEROP]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let (filter, handler) = found[0]["@reference"].as_str().unwrap().split_once(",Handler=").unwrap();
    let key = |name: &str, path: &str| {
        let path = path.trim_start_matches('"').strip_suffix('"').unwrap();
        format!("{name}={}", path.replace("\\\"", "\""))
    };
    let keys = [key("Filter", filter.split_once("Filter=").unwrap().1), key("Handler", handler)];
    console.good(&server, &["delete", class, "--namespace", INTEROP, "-k", &keys[0], "-k", &keys[1]]);
    assert!(said.next().unwrap().ends_with("; trying again until it works"));
    assert_eq!(said.next().unwrap(), format!("quartermaster: {place}: listening again"));
    let file = Deb::new("alpha", "1.0-1").build(&root.scratch());
    console.good(&server, &["install", file.to_str().unwrap()]);
    let output = listening.wait_with_output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
}

/// Listens until a package was installed.
fn hear(how: &[&str]) {
    let root = DebRoot::new();
    hear_of(&root, &Host::new(&root.path(), "deb"), how);
}

fn hear_of(root: &DebRoot, host: &Host, how: &[&str]) {
    let file = Deb::new("alpha", "1.0-1").build(&root.scratch());
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let place = format!("127.0.0.1:{}", server.port);
    let query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity";
    let mut listening = console
        .command(&[&["subscribe", query, "--json", "--max", "1", "--host", &place], how].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(listening.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, format!("quartermaster: {place}: listening\n"));
    console.good(&server, &["install", file.to_str().unwrap()]);
    let output = listening.wait_with_output().unwrap();
    assert!(output.status.success());
    let heard: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&heard["host"], &heard["event"]["@class"]), (&place.into(), &"LMI_SoftwareInstCreation".into()));
    let link = heard["event"]["SourceInstance"]["InstalledSoftware"].as_str().unwrap();
    assert!(link.contains("alpha-0:1.0-1.all"), "{heard}");
}
