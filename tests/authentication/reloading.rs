//! Authorities of clients that are exchanged while the service runs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode};

use super::authority::{Authority, ClientFiles};
use super::curl::{IDENTIFY, identify};
use super::support::eventually;
use super::support::server::{ADMIN, Host, PATIENCE, Server};
use super::support::wsman::{Stream, read_reply};

const READ: &str = "the settings, certificates and trust files were read again";

/// A host that trusts the first of two authorities, in a file of its own; `ann` is who has the subject `CN=laptop`.
fn host() -> (Host, [Authority; 2]) {
    let host = Host::bare(&["--engine", "none"]);
    let authorities = ["one", "two"].map(|name| Authority::new(&host.scratch().join(name)));
    let trusted = host.scratch().join("trusted.pem");
    fs::copy(authorities[0].file(), &trusted).unwrap();
    let host = host.with_settings(&settings(&trusted, true));
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    host.add_user("ann", "a password", "viewer");
    let (status, said) = host.run(&["user", "certificate", "add", "ann", "--subject", "CN=laptop"]);
    assert!(status.success(), "{said}");
    (host, authorities)
}

fn settings(trusted: &Path, are_asked: bool) -> String {
    let tls =
        if are_asked { format!("client_certificates = true\nclient_ca_file = {trusted:?}\n") } else { String::new() };
    format!("user = \"root\"\n[auth]\nhash_mebibytes = 1\n[tls]\n{tls}")
}

fn reload(server: &Server) {
    let before = server.log().len();
    assert!(Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap().success());
    eventually("the settings to be read", PATIENCE, || server.log().get(before..)?.contains(READ).then_some(()));
}

/// A connection that shows this certificate.
fn connect(server: &Server, files: &ClientFiles) -> Box<dyn Stream> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_certificate_file(&files.certificate, SslFiletype::PEM).unwrap();
    builder.set_private_key_file(&files.key, SslFiletype::PEM).unwrap();
    let stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    Box::new(builder.build().connect("localhost", stream).unwrap())
}

fn request(connection: &str) -> String {
    format!(
        "POST /wsman HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n\
         Connection: {connection}\r\nContent-Length: {}\r\n\r\n{IDENTIFY}",
        IDENTIFY.len()
    )
}

/// The status of Identify on a connection that goes on afterwards.
fn ask(stream: &mut dyn Stream) -> u16 {
    stream.write_all(request("keep-alive").as_bytes()).unwrap();
    read_reply(stream).unwrap().status
}

/// Whether OpenSSL's client resumed the session that it kept, and the status that it got.
fn resume(server: &Server, files: &ClientFiles, session: &Path, option: &str) -> (bool, String) {
    let address = format!("127.0.0.1:{}", server.port);
    let mut client = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-ign_eof", "-connect", &address, option])
        .arg(session)
        .arg("-cert")
        .arg(&files.certificate)
        .arg("-key")
        .arg(&files.key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(request("close").as_bytes()).unwrap();
    let said = String::from_utf8_lossy(&client.wait_with_output().unwrap().stdout).into_owned();
    let status = said.lines().find_map(|line| line.strip_prefix("HTTP/1.1 ")).unwrap_or_else(|| panic!("{said}"));
    (said.contains("\nReused, "), status[..3].to_owned())
}

#[test]
fn new_connections_are_judged_by_the_new_authorities_and_open_ones_go_on() {
    let (host, [one, two]) = host();
    let of_one = one.issue("laptop", "/CN=laptop", "DNS:laptop");
    let of_two = two.issue("laptop", "/CN=laptop", "DNS:laptop");
    let server = host.serve();
    let mut open = connect(&server, &of_one);
    assert_eq!((ask(&mut *open), ask(&mut *connect(&server, &of_two))), (200, 401));
    let session = host.scratch().join("session");
    assert_eq!(resume(&server, &of_one, &session, "-sess_out"), (false, "200".to_owned()));
    assert_eq!(resume(&server, &of_one, &session, "-sess_in"), (true, "200".to_owned()));

    fs::copy(two.file(), host.scratch().join("trusted.pem")).unwrap();
    reload(&server);
    assert_eq!(ask(&mut *open), 200, "it goes on with what it began with");
    assert_eq!((ask(&mut *connect(&server, &of_one)), ask(&mut *connect(&server, &of_two))), (401, 200));
    // What was proven to the authorities before is not resumed.
    assert_eq!(resume(&server, &of_one, &session, "-sess_in"), (false, "401".to_owned()));
    assert_eq!(ask(&mut *open), 200);
}

#[test]
fn clients_are_asked_from_the_next_connection_on() {
    let (mut host, [one, _]) = host();
    let laptop = one.issue("laptop", "/CN=laptop", "DNS:laptop");
    let trusted = host.scratch().join("trusted.pem");
    host.set_settings(&settings(&trusted, false));
    let server = host.serve();
    let tells = || identify(&server, &["--user", "ann:a password"]).said.contains("https/mutual");
    assert_eq!((ask(&mut *connect(&server, &laptop)), tells()), (401, false));
    fs::write(host.scratch().join("quartermaster.toml"), settings(&trusted, true)).unwrap();
    reload(&server);
    assert_eq!((ask(&mut *connect(&server, &laptop)), tells()), (200, true));
    fs::write(host.scratch().join("quartermaster.toml"), settings(&trusted, false)).unwrap();
    reload(&server);
    assert_eq!((ask(&mut *connect(&server, &laptop)), tells()), (401, false));
}

#[test]
fn certificates_that_let_nobody_in_are_told_in_the_audit_log() {
    let (host, [one, two]) = host();
    let stranger = one.issue("stranger", "/CN=stranger", "DNS:stranger");
    let not_trusted = two.issue("laptop", "/CN=laptop", "DNS:laptop");
    let server = host.serve();
    let mut open = connect(&server, &stranger);
    assert_eq!((ask(&mut *open), ask(&mut *open)), (401, 401));
    assert_eq!(ask(&mut *connect(&server, &not_trusted)), 401);
    assert!(server.stop().success());
    let (status, said) = host.run(&["audit", "show", "--event", "wrong_login", "--json"]);
    assert!(status.success(), "{said}");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |line: &serde_json::Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
    assert_eq!(lines.len(), 2, "one for each connection: {said}");
    for (line, [name, why]) in lines
        .iter()
        .zip([["CN=stranger", "it means no user, or several"], ["CN=laptop", "no authority that is trusted"]])
    {
        assert!(told(line, "details").contains(name) && told(line, "result").starts_with(why), "{line}");
        assert_eq!((told(line, "scheme"), told(line, "address")), ("certificate".to_owned(), "127.0.0.1".to_owned()));
    }
}
