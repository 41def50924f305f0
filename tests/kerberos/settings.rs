//! What an administrator is told whose settings are not right.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use super::realm::Realm;
use super::single_sign_on::{host, identify, namesakes, serve};
use super::support::eventually;
use super::support::server::{Host, PATIENCE, binary};
use super::support::wsman::connect;

/// What a server says that does not start.
fn refusal(host: &Host) -> String {
    let (status, said) =
        host.run(&["serve", "--listen", "127.0.0.1:0", "--engine", "none", "--config", &configuration(host)]);
    assert!(!status.success(), "{said}");
    said
}

fn configuration(host: &Host) -> String {
    host.scratch().join("quartermaster.toml").to_str().unwrap().to_owned()
}

#[test]
fn a_keytab_that_cannot_be_used_is_told_with_its_setting() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], "");
    let keytab = realm.keytab(&["HTTP"]);
    let with_mode = |mode| fs::set_permissions(&keytab, fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o644, 0o620] {
        with_mode(mode);
        let said = refusal(&host);
        assert!(said.contains("[auth] kerberos_keytab: ") && said.contains("chmod 640"), "{said}");
    }
    with_mode(0o640);
    drop(serve(&host));
    fs::write(&keytab, "no keytab").unwrap();
    let said = refusal(&host);
    assert!(said.contains("[auth] kerberos_keytab: ") && said.contains("cannot be used"), "{said}");
    fs::remove_file(&keytab).unwrap();
    let said = refusal(&host);
    assert!(said.contains("[auth] kerberos_keytab: cannot read") && said.contains("No such file"), "{said}");
}

#[test]
fn realms_without_a_keytab_are_told() {
    let host = Host::bare(&[]);
    fs::write(configuration(&host), format!("user = \"root\"\n[auth]\n{}", namesakes())).unwrap();
    let said = refusal(&host);
    assert!(said.contains("kerberos_realms") && said.contains("nothing without kerberos_keytab"), "{said}");
}

#[test]
fn a_certificate_without_channel_bindings_cannot_be_demanded_to_have_them() {
    let realm = Realm::new();
    let mut host = host(&realm, &["HTTP"], "");
    let (tls, keytab) = (without_bindings(&host), realm.keytab(&["HTTP"]));
    let auth = |bindings: &str| {
        format!("{tls}[auth]\nkerberos_keytab = {keytab:?}\nkerberos_channel_bindings = {bindings:?}\n")
    };
    host.set_settings(&auth("checked"));
    drop(serve(&host));
    host.set_settings(&auth("required"));
    let ended = host.begin(binary()).wait_with_output().unwrap();
    let log = fs::read_to_string(host.scratch().join("server.log")).unwrap();
    assert!(!ended.status.success() && log.contains("[auth] kerberos_channel_bindings: "), "{log}");
}

/// The settings of a certificate that has none.
fn without_bindings(host: &Host) -> String {
    let (certificate, key) = (host.scratch().join("own.pem"), host.scratch().join("own.key"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost", "-days", "1"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n")
}

#[test]
fn a_certificate_without_channel_bindings_does_not_take_the_place_of_one_that_must_have_them() {
    let realm = Realm::new();
    let mut host = host(&realm, &["HTTP"], "");
    let (tls, keytab) = (without_bindings(&host), realm.keytab(&["HTTP"]));
    let auth = format!("[auth]\nkerberos_keytab = {keytab:?}\nkerberos_channel_bindings = \"required\"\n");
    host.set_settings(&auth);
    let server = serve(&host);
    host.set_settings(&format!("{tls}{auth}"));
    host.write_settings();
    assert!(Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap().success());
    let told = "the settings stay as they were";
    let log = eventually(told, PATIENCE, || Some(server.log()).filter(|log| log.contains(told)));
    assert!(log.contains("[auth] kerberos_channel_bindings: "), "{log}");
    let presented = connect(server.port).unwrap().ssl().peer_certificate().unwrap();
    assert_eq!(presented.to_pem().unwrap(), fs::read(server.certificate()).unwrap());
}

/// As systemd starts what has a socket: the third descriptor listens, and belongs to this process (`sd_listen_fds(3)`).
const GIVEN: &str = r#"exec 3<&"$GIVEN"; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@""#;

#[test]
fn a_port_that_was_given_is_still_there_once_the_keytab_is_named() {
    let realm = Realm::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    let host = host(&realm, &["HTTP"], &namesakes()).listening_on(address.to_string().leak());
    let given = port.try_clone().unwrap();
    fcntl_setfd(&given, FdFlags::empty()).unwrap();
    let mut program = Command::new("bash");
    program.args(["-c", GIVEN]).arg(binary().get_program()).env("GIVEN", given.as_raw_fd().to_string());
    program.env("LC_ALL", "C.UTF-8").env("KRB5_CONFIG", "/dev/null").env_remove("KRB5_KTNAME").env_remove("RUST_LOG");
    // The port stays taken: a service that was not given it could not take it.
    let (ann, server) = (realm.principal("ann"), host.serve_by(program));
    assert_eq!(server.port, address.port());
    assert!(identify(&server, &ann, &[]).is_known(), "{}", server.log());
}

#[test]
fn the_process_keeps_its_name_and_what_it_was_told() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], "");
    let mut program = binary();
    program.env("KRB5_KTNAME", "FILE:/etc/krb5.keytab").env("QUARTERMASTER_TEST", "kept");
    let server = host.serve_by(program);
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", server.pid())).unwrap();
    let arguments = read("cmdline");
    assert!(
        arguments.starts_with(env!("CARGO_BIN_EXE_quartermaster")) && arguments.contains("\0serve\0"),
        "{arguments}"
    );
    let environment = read("environ");
    assert!(
        environment.contains(&format!("KRB5_KTNAME=FILE:{}\0", realm.keytab(&["HTTP"]).display())),
        "{environment}"
    );
    assert!(environment.contains("QUARTERMASTER_TEST=kept\0"), "{environment}");
    assert!(server.stop().success());
    // Whoever has no keytab is not started anew.
    let plain = Host::bare(&["--engine", "none"]);
    let server = plain.serve();
    let environment = fs::read(format!("/proc/{}/environ", server.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("KRB5_KTNAME"));
}
