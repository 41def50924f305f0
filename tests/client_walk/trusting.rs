//! Whom the client takes for the host that is meant.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::console::{Console, Said};
use crate::support::certificate::Certificate;
use crate::support::packages::DebRoot;
use crate::support::server::{ADMIN, Host, Server};
use crate::support::sink::{Reply, Sink};
use crate::terminal::{CTRL_C, Terminal};

fn list(console: &Console, server: &Server, more: &[&str]) -> Said {
    let host = format!("127.0.0.1:{}", server.port);
    console.run(&[&["list", "--host", &host], more].concat())
}

/// As the server's own operator is told it.
fn fingerprint(server: &mut Server) -> String {
    let said = server.said();
    said.lines().find_map(|line| line.strip_prefix("its certificate: SHA-256 ")).unwrap().to_owned()
}

/// As openssl tells it.
fn with_colons(server: &Server) -> String {
    let told = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(server.certificate())
        .output()
        .unwrap();
    String::from_utf8(told.stdout).unwrap().split_once('=').unwrap().1.trim().to_owned()
}

#[test]
fn a_host_is_trusted_once_somebody_said_so_and_for_as_long_as_it_is_the_same() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (mut server, console) = (host.serve(), Console::new());
    let digits = fingerprint(&mut server);
    assert_eq!(digits, with_colons(&server).replace(':', "").to_lowercase());

    let unknown = list(&console, &server, &[]);
    assert!(
        unknown.code == 3 && unknown.err.contains("is not known yet") && unknown.err.contains(&digits),
        "{unknown:#?}"
    );
    assert!(!console.known_hosts().exists());

    let met = list(&console, &server, &["--accept-new-certificate"]);
    assert!(met.code == 0 && met.err.contains("is trusted from now on"), "{met:#?}");
    let known = fs::read_to_string(console.known_hosts()).unwrap();
    assert_eq!(known, format!("127.0.0.1:{} sha256:{digits}\n", server.port));
    let again = list(&console, &server, &[]);
    assert!(again.code == 0 && again.err.is_empty(), "{again:#?}");

    let other = "ab".repeat(32);
    fs::write(console.known_hosts(), known.replace(&digits, &other)).unwrap();
    let changed = list(&console, &server, &["--accept-new-certificate"]);
    assert_eq!(changed.code, 3, "{changed:#?}");
    for words in ["another certificate than before", &digits, &other, "known_hosts"] {
        assert!(changed.err.contains(words), "{words} is missing: {}", changed.err);
    }
}

#[test]
fn nobody_says_who_he_is_to_a_host_that_is_not_trusted() {
    let folder = TempDir::new().unwrap();
    let stranger = Sink::encrypted(&Certificate::new(folder.path()), |_, _| Reply::status("401 Unauthorized"));
    let peer = stranger.url("").trim_start_matches("https://").to_owned();
    let console = Console::new();
    let other = "ab".repeat(32);
    for how in [&[][..], &["--fingerprint", &other], &["--digest"]] {
        let refused = console.run(&[&["list", "--host", &peer], how].concat());
        assert_eq!(refused.code, 3, "{refused:#?}");
    }
    console.file("quartermaster/known_hosts", &format!("{peer} sha256:{other}\n"), 0o600);
    let changed = console.run(&["list", "--host", &peer]);
    assert!(changed.code == 3 && changed.err.contains("another certificate than before"), "{changed:#?}");
    assert_eq!(stranger.events().len(), 0, "a request came to a host that is not trusted");
    // It would have been seen.
    console.file("quartermaster/known_hosts", "", 0o600);
    console.run(&["list", "--host", &peer, "--accept-new-certificate"]);
    assert!(stranger.events().iter().any(|event| event.authorization.starts_with("Basic ")));
}

#[test]
fn whoever_sits_at_a_terminal_is_asked() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new().without("QUARTERMASTER_PASSWORD"));
    let place = format!("127.0.0.1:{}", server.port);
    let question = "Is it the right host, to be remembered (yes or no)? ";

    let mut refused = Terminal::run(&console, 80, &["list", "--host", &place]);
    refused.expect(question);
    refused.press("no\r");
    let (code, seen) = refused.end();
    assert!(code == 3 && !seen.contains("Password of") && !console.known_hosts().exists(), "{code} {seen}");

    let mut interrupted = Terminal::run(&console, 80, &["list", "--host", &place]);
    interrupted.expect(question);
    interrupted.press(CTRL_C);
    let (code, seen) = interrupted.end();
    assert!(code == 130 && !console.known_hosts().exists(), "{code} {seen}");

    let mut trusted = Terminal::run(&console, 80, &["list", "--host", &place]);
    trusted.expect(question);
    trusted.press("yes\r");
    trusted.expect(&format!("Password of {} at {place}: ", ADMIN.0));
    trusted.press(&format!("{}\r", ADMIN.1));
    let (code, seen) = trusted.end();
    assert!(code == 0 && seen.contains("NAME  VERSION  ARCHITECTURE") && !seen.contains(ADMIN.1), "{code} {seen}");
    assert!(console.known_hosts().exists());
}

#[test]
fn hosts_that_are_met_for_the_first_time_show_themselves_at_once() {
    let roots = [DebRoot::new(), DebRoot::new()];
    let hosts = roots.each_ref().map(|root| Host::new(&root.path(), "deb"));
    let servers = hosts.each_ref().map(Host::serve);
    let console = Console::new();
    let places = servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port));
    let all = format!("127.0.0.1:1,{},{}", places[0], places[1]);
    let mut terminal = Terminal::run(&console, 80, &["list", "--host", &all]);
    for place in &places {
        terminal.expect(&format!("{place} is not known yet"));
        terminal.expect("(yes or no)? ");
        terminal.press("yes\r");
    }
    let (code, seen) = terminal.end();
    assert_eq!((code, seen.matches("cannot be reached").count()), (5, 1), "{seen}");
    assert_eq!(fs::read_to_string(console.known_hosts()).unwrap().lines().count(), 2);
}

#[test]
fn a_host_is_known_by_what_is_said_of_it() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let right = with_colons(&server);
    assert_eq!(list(&console, &server, &["--fingerprint", &right]).code, 0);
    let wrong = list(&console, &server, &["--fingerprint", &"ab".repeat(32)]);
    assert!(wrong.code == 3 && wrong.err.contains("than the one that was named"), "{wrong:#?}");
    let authority = server.certificate();
    let vouched = list(&console, &server, &["--cacert", authority.to_str().unwrap()]);
    assert_eq!(vouched.code, 0, "{vouched:#?}");
    let stranger = Host::new(&root.path(), "deb").serve();
    let unvouched = list(&console, &stranger, &["--cacert", authority.to_str().unwrap()]);
    assert!(unvouched.code == 3 && unvouched.err.contains("vouched for by none"), "{unvouched:#?}");
    assert!(!console.known_hosts().exists(), "what is said of a host is not remembered");
}

#[test]
fn who_shows_a_certificate_needs_no_password() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings("[tls]\nclient_certificates = true\n");
    let [certificate, key] = ["ann.pem", "ann-key.pem"].map(|name| host.scratch().join(name).display().to_string());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ann", "-out", &certificate])
        .args(["-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let (added, said) = host.run(&["user", "certificate", "add", ADMIN.0, "--file", &certificate]);
    assert!(added.success(), "{said}");
    let console = Console::new().without("QUARTERMASTER_USER").without("QUARTERMASTER_PASSWORD");
    let server = host.serve();
    let shown = ["--accept-new-certificate", "--certificate", &certificate, "--key", &key];
    let known = list(&console, &server, &shown);
    assert_eq!(known.code, 0, "{known:#?}");
    let wrong =
        list(&console, &server, &["--certificate", &certificate, "--key", server.certificate().to_str().unwrap()]);
    assert!(wrong.code == 2 && wrong.err.contains("must hold a private key"), "{wrong:#?}");
    let shown = [&shown[1..], &["--cacert", "/no/such.pem"]].concat();
    let nowhere = list(&console, &server, &shown);
    assert!(nowhere.code == 2 && nowhere.err.contains("/no/such.pem cannot be read: No such"), "{nowhere:#?}");
}

#[test]
fn a_bare_address_of_ipv6_is_a_host_like_others() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").listening_on("[::1]:0");
    let (server, console) = (host.serve(), Console::new());
    let place = format!("[::1]:{}", server.port);
    let met = console.run(&["list", "--host", &place, "--accept-new-certificate"]);
    assert_eq!(met.code, 0, "{met:#?}");
    assert!(fs::read_to_string(console.known_hosts()).unwrap().starts_with(&format!("{place} sha256:")));
    let file = console.file("hosts", &format!("{place} # this machine\n"), 0o644);
    assert_eq!(console.run(&["list", "--hosts", file.to_str().unwrap()]).code, 0);

    // An authority's word is for the addresses that the certificate is of.
    let vouched = console.run(&["list", "--host", &place, "--cacert", server.certificate().to_str().unwrap()]);
    assert_eq!(vouched.code, 0, "{vouched:#?}");
    let [certificate, key] = ["other.pem", "other.key"].map(|name| host.scratch().join(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=other", "-addext", "subjectAltName=IP:fd00::1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    server.stop();
    let host = host.with_settings(&format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"));
    let server = host.serve();
    let place = format!("[::1]:{}", server.port);
    let wrong = console.run(&["list", "--host", &place, "--cacert", certificate.to_str().unwrap()]);
    assert!(wrong.code == 3 && wrong.err.contains("is not of that host"), "{wrong:#?}");
}
