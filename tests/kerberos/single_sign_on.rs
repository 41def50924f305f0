//! curl and pypsrp, as somebody who has logged in to the realm uses them.

use std::fs;

use serde_json::json;

use super::curl::{Got, command, run};
use super::realm::{Principal, REALM, Realm};
use super::support::server::{ADMIN, Host, PATIENCE, Server, binary};
use super::support::{eventually, python};

/// A host without packages that takes tickets, with the users of all hosts and the viewer `ann`.
pub(crate) fn host(realm: &Realm, services: &[&str], more: &str) -> Host {
    let keytab = realm.keytab(services);
    let settings = format!("[auth]\nhash_mebibytes = 1\nkerberos_keytab = {keytab:?}\n{more}");
    let host = Host::bare(&["--engine", "none"]).with_settings(&settings);
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    host.add_user("ann", "a password", "viewer");
    host
}

/// Serves it. The process knows nothing of the realm but its keytab.
pub(crate) fn serve(host: &Host) -> Server {
    let mut program = binary();
    program.env("KRB5_CONFIG", "/dev/null").env_remove("KRB5_KTNAME");
    host.serve_by(program)
}

/// The settings by which the realm's principals are the users of the same names.
pub(crate) fn namesakes() -> String {
    format!("kerberos_realms = [\"OTHER.TEST\", {REALM:?}]\n")
}

/// curl asks who the service is, with a ticket of this caller.
pub(crate) fn identify(server: &Server, caller: &Principal<'_>, further: &[&str]) -> Got {
    let mut curl = command(server, &[&["--negotiate", "--user", ":"], further].concat());
    run(caller.lends_to(&mut curl))
}

#[test]
fn curl_is_known_by_a_ticket_and_knows_the_service() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    let got = identify(&server, &ann, &[]);
    assert!(got.is_known(), "{got:?}\n{}", server.log());
    assert!(got.said.contains("secprofile/https/spnego-kerberos"), "{got:?}");
    let [answer] = got.schemes()[..] else { panic!("{got:?}") };
    assert!(answer.starts_with("Negotiate "), "{got:?}");
    assert!(got.said.to_lowercase().contains("persistent-auth: false"), "{got:?}");
    // Whoever has none is told what there is, in a header each, and may send a password.
    let mut nobody = command(&server, &[]);
    let refused = run(realm.introduce(&mut nobody));
    assert_eq!(
        (refused.status, refused.schemes()),
        (401, vec!["Negotiate", "Kerberos", "Basic realm=\"quartermaster\""]),
        "{refused:?}"
    );
    let mut by_password = command(&server, &["--user", "ann:a password"]);
    assert!(run(realm.introduce(&mut by_password)).is_known());
    let mut without_ticket = command(&server, &["--negotiate", "--user", ":"]);
    assert_eq!(run(realm.introduce(&mut without_ticket)).status, 401);
    // A page of another site gets nothing, whatever the browser shows on its behalf.
    assert_eq!(identify(&server, &ann, &["--header", "Origin: https://evil.example"]).status, 403);
}

#[test]
fn principals_mean_those_whom_the_settings_and_the_administrator_say() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], &namesakes());
    let server = serve(&host);
    let (ann, eve, admin) = (realm.principal("ann"), realm.principal("eve"), realm.principal("ann/admin"));
    assert!(identify(&server, &ann, &[]).is_known());
    // There is no user of this name; and another name of ann's is not ann.
    for stranger in [&eve, &admin] {
        let refused = identify(&server, stranger, &[]);
        assert_eq!((refused.status, refused.schemes().len()), (401, 3), "{refused:?}");
    }
    let change = |action: &str, user: &str, principal: &str| {
        let (status, said) = host.run(&["user", "principal", action, user, principal]);
        assert!(status.success(), "{said}");
        said
    };
    let principal = format!("ann/admin@{REALM}");
    assert!(change("add", ADMIN.0, &principal).starts_with(&format!("{principal} means {}\n", ADMIN.0)));
    eventually("the principal means somebody", PATIENCE, || Some(identify(&server, &admin, &[])).filter(Got::is_known));
    let list = host.run(&["user", "principal", "list"]).1;
    assert!(list.starts_with(&format!("{}\t{principal}\t20", ADMIN.0)), "{list}");
    assert_eq!(host.run(&["user", "certificate", "list"]).1, "");
    let (status, said) = host.run(&["user", "principal", "add", "ann", "ann"]);
    assert!(!status.success() && said.contains("no Kerberos principal"), "{said}");
    change("remove", ADMIN.0, &principal);
    eventually("the principal means nobody", PATIENCE, || {
        Some(identify(&server, &admin, &[])).filter(|got| got.status == 401)
    });
    assert!(server.stop().success());
    let log = fs::read_to_string(host.state_dir().join("audit/audit.jsonl")).unwrap();
    let wrong: Vec<_> = log.lines().filter(|line| line.contains("wrong_login")).collect();
    assert!(wrong.len() >= 2 && wrong[0].contains(&format!("\"user\":\"eve@{REALM}\"")), "{log}");
}

#[test]
fn without_realms_a_principal_is_nobody_until_it_was_said_who_it_is() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], "");
    let (ann, server) = (realm.principal("ann"), serve(&host));
    assert_eq!(identify(&server, &ann, &[]).status, 401);
    let (status, said) = host.run(&["user", "principal", "add", "ann", &format!("ann@{REALM}")]);
    assert!(status.success(), "{said}");
    eventually("the principal means somebody", PATIENCE, || Some(identify(&server, &ann, &[])).filter(Got::is_known));
}

/// Whether the service takes pypsrp, told `how` to call, for somebody.
fn pypsrp(host: &Host, server: &Server, caller: &Principal<'_>, how: &serde_json::Value) -> bool {
    let context = json!({ "host": "localhost", "port": server.port, "ca": server.certificate(), "how": how });
    let file = host.scratch().join("context.json");
    fs::write(&file, context.to_string()).unwrap();
    let output = caller.lends_to(&mut python::command("authenticated.py")).arg(file).output().unwrap();
    match output.status.code() {
        Some(0) => true,
        Some(1) if output.stderr.starts_with(b"refused") => false,
        _ => panic!("{}\n{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()), server.log()),
    }
}

#[test]
fn pypsrp_is_known_by_a_ticket_that_is_bound_to_its_connection() {
    let realm = Realm::new();
    let bound = namesakes() + "kerberos_channel_bindings = \"required\"\n";
    let host = host(&realm, &["HTTP", "WSMAN", "host"], &bound);
    let (ann, eve, server) = (realm.principal("ann"), realm.principal("eve"), serve(&host));
    for how in [
        json!({ "auth": "kerberos" }),
        json!({ "auth": "kerberos", "negotiate_service": "WSMAN" }),
        json!({ "auth": "negotiate", "encryption": "never" }),
        json!({ "auth": "kerberos", "negotiate_service": "HTTP" }),
    ] {
        assert!(pypsrp(&host, &server, &ann, &how), "{how}\n{}", server.log());
        assert!(!pypsrp(&host, &server, &eve, &how), "{how}");
    }
    assert!(!pypsrp(&host, &server, &ann, &json!({ "auth": "kerberos", "negotiate_send_cbt": false })));
    // The curl of Debian 12 cannot bind its tokens.
    assert_eq!(identify(&server, &ann, &[]).status, 401);
}
