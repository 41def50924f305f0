//! This project's own client with tickets.

use std::fs;
use std::process::Output;

use super::realm::{Principal, Realm};
use super::single_sign_on::{host, namesakes, serve};
use super::support::server::{Host, Server, binary};

/// What a command of the client says to a server, with the tickets of this caller.
fn asked(host: &Host, server: &Server, caller: Option<&Principal<'_>>, realm: &Realm, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.args(arguments).args(["--host", &format!("https://localhost:{}", server.port)]);
    command.env("XDG_CONFIG_HOME", host.scratch()).env_remove("QUARTERMASTER_USER");
    match caller {
        Some(caller) => caller.lends_to(&mut command),
        None => realm.introduce(&mut command),
    };
    command.output().unwrap()
}

#[test]
fn the_client_shows_a_ticket_that_is_bound_to_the_hosts_certificate() {
    let realm = Realm::new();
    let bound = namesakes() + "kerberos_channel_bindings = \"required\"\n";
    let host = host(&realm, &["HTTP"], &bound);
    let (ann, eve, server) = (realm.principal("ann"), realm.principal("eve"), serve(&host));
    let ca = server.certificate();
    let by_ticket = ["enumerate", "CIM_ComputerSystem", "--negotiate", "--cacert", ca.to_str().unwrap()];
    let said = asked(&host, &server, Some(&ann), &realm, &by_ticket);
    assert!(said.status.success(), "{said:?}\n{}", server.log());
    // As somebody does it who says so once.
    let settings = format!("[default]\nnegotiate = true\ncacert = {ca:?}\n");
    fs::create_dir_all(host.scratch().join("quartermaster")).unwrap();
    fs::write(host.scratch().join("quartermaster/hosts.toml"), settings).unwrap();
    let enumerate = ["enumerate", "CIM_ComputerSystem"];
    assert!(asked(&host, &server, Some(&ann), &realm, &enumerate).status.success());
    for (caller, why) in
        [(Some(&eve), "it does not accept your Kerberos ticket"), (None, "there is no Kerberos ticket")]
    {
        let said = asked(&host, &server, caller, &realm, &enumerate);
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && words.contains(why), "{words}");
    }
    drop(server);
    // A host that takes none says so.
    let plain = Host::bare(&["--engine", "none"]);
    let server = plain.serve();
    let ca = server.certificate();
    let said = asked(
        &plain,
        &server,
        Some(&ann),
        &realm,
        &["get", "CIM_ComputerSystem", "--negotiate", "--cacert", ca.to_str().unwrap()],
    );
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && words.contains("it takes no Kerberos tickets"), "{words}");
}
