//! Certificates of clients.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use super::authority::{Authority, ClientFiles};
use super::curl::{Got, identify};
use super::pypsrp::pypsrp;
use super::support::eventually;
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host, PATIENCE, Server, binary};

const MUTUAL: &str = "Authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

/// A host without packages, with the users of all hosts and `ann`.
fn host(settings: impl Fn(&Authority) -> String) -> (Host, Authority) {
    let host = Host::bare(&["--engine", "none"]);
    let authority = Authority::new(&host.scratch().join("authority"));
    let host = host.with_settings(&format!("[auth]\nbcrypt_cost = 4\n{}", settings(&authority)));
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    host.add_user("ann", "a password", "viewer");
    (host, authority)
}

fn with_authority(authority: &Authority) -> String {
    format!("[tls]\nclient_certificates = true\nclient_ca_file = {:?}\n", authority.file())
}

fn certificate(host: &Host, arguments: &[&str]) -> String {
    let (status, said) = host.run(&[&["user", "certificate"], arguments].concat());
    assert!(status.success(), "{arguments:?}: {said}");
    said
}

fn show(server: &Server, files: &ClientFiles, further: &[&str]) -> Got {
    let (certificate, key) = (files.certificate.to_str().unwrap(), files.key.to_str().unwrap());
    identify(server, &[&["--cert", certificate, "--key", key], further].concat())
}

#[test]
fn subjects_alternative_names_and_thumbprints_mean_users() {
    let (host, authority) = host(with_authority);
    let laptop = authority.issue("laptop", "/O=Example/CN=laptop", "DNS:Laptop.example.org,email:ann@example.org");
    let domain = authority.issue("domain", "/CN=domain", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:Ann@CORP.example");
    let server = host.serve();
    // Nobody's certificate is no harm: the other schemes are offered, and a password counts.
    let unknown = show(&server, &laptop, &[]);
    assert_eq!((unknown.status, unknown.schemes()), (401, vec!["Basic realm=\"quartermaster\""]), "{unknown:?}");
    assert!(show(&server, &laptop, &["--user", "ann:a password"]).is_known());

    let file = laptop.certificate.to_str().unwrap();
    for which in [
        ["--subject", "CN=laptop,O=Example"],
        ["--san", "dns:laptop.example.org"],
        ["--san", "email:ann@EXAMPLE.org"],
        ["--file", file],
    ] {
        certificate(&host, &[&["add", "ann"], &which[..]].concat());
        let known = eventually(&format!("{which:?} is added"), PATIENCE, || {
            Some(show(&server, &laptop, &[])).filter(Got::is_known)
        });
        assert!(known.said.contains("secprofile/https/mutual"), "{known:?}");
        assert!(show(&server, &laptop, &["--header", MUTUAL]).is_known(), "{which:?}");
        assert_eq!(show(&server, &domain, &["--header", MUTUAL]).status, 401, "{which:?}");
        // Credentials in the request go before the certificate.
        assert_eq!(show(&server, &laptop, &["--user", "ann:wrong"]).status, 401);
        certificate(&host, &[&["remove", "ann"], &which[..]].concat());
        eventually(&format!("{which:?} is removed"), PATIENCE, || {
            Some(show(&server, &laptop, &[])).filter(|got| got.status == 401)
        });
    }
    certificate(&host, &["add", "ann", "--san", "upn:ann@corp.example"]);
    eventually("the UPN counts", PATIENCE, || Some(show(&server, &domain, &[])).filter(Got::is_known));
    assert_eq!(identify(&server, &["--header", MUTUAL]).status, 401);
    // A page of another site gets nothing, whatever the browser shows on its behalf.
    assert_eq!(show(&server, &domain, &["--header", "Origin: https://evil.example"]).status, 403);
}

#[test]
fn a_thumbprint_needs_no_authority_and_names_do() {
    let (host, authority) = host(|_| "[tls]\nclient_certificates = true\n".to_owned());
    let pinned = authority.self_signed("pinned", "/CN=pinned");
    let forged = authority.self_signed("forged", "/CN=pinned");
    let mut show_file = binary();
    show_file.args(["user", "certificate", "show"]).arg(&pinned.certificate);
    let shown = String::from_utf8(show_file.output().unwrap().stdout).unwrap();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert_eq!(lines[2], "subject:CN=pinned");
    certificate(&host, &["add", "ann", "--subject", "CN=pinned"]);
    // Windows' form of a thumbprint: SHA-1, in capitals.
    let sha1 = lines[1].strip_prefix("thumbprint:").unwrap().to_uppercase();
    certificate(&host, &["add", "ann", "--thumbprint", &sha1]);
    let server = host.serve();
    assert!(show(&server, &pinned, &[]).is_known());
    assert!(show(&server, &pinned, &["--tls-max", "1.2"]).is_known());
    assert_eq!(show(&server, &forged, &[]).status, 401);
    let listed = certificate(&host, &["list"]);
    assert!(listed.contains("ann\tsubject:CN=pinned\t") && listed.contains(&sha1.to_lowercase()), "{listed}");
    assert_eq!(certificate(&host, &["list", "nobody"]), "");
}

#[test]
fn a_revoked_certificate_ends_the_handshake_and_an_overdue_list_lets_nobody_in_by_name() {
    let (host, authority) = host(|authority| {
        let list = authority.revoke(None);
        format!("{}client_revocation_file = {list:?}\n", with_authority(authority))
    });
    let (kept, revoked) =
        (authority.issue("kept", "/CN=kept", "DNS:kept"), authority.issue("revoked", "/CN=revoked", "DNS:revoked"));
    certificate(&host, &["add", "ann", "--subject", "CN=kept"]);
    certificate(&host, &["add", "ann", "--file", revoked.certificate.to_str().unwrap()]);
    {
        let server = host.serve();
        assert!(show(&server, &kept, &[]).is_known() && show(&server, &revoked, &[]).is_known());
    }
    authority.revoke(Some(&revoked));
    let server = host.serve();
    assert!(show(&server, &kept, &[]).is_known());
    let refused = show(&server, &revoked, &["--tls-max", "1.2"]);
    assert_eq!(refused.status, 0, "{refused:?}");
    assert!(refused.notes.contains("revoked"), "{refused:?}");
    assert!(identify(&server, &["--user", "ann:a password"]).is_known());
}

#[test]
fn pypsrp_shows_its_certificate() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let authority = Authority::new(&host.scratch().join("authority"));
    let host = host.with_settings(&with_authority(&authority));
    let laptop = authority.issue("laptop", "/CN=laptop", "DNS:laptop");
    let server = host.serve();
    let how = json!({
        "auth": "certificate", "certificate_pem": laptop.certificate, "certificate_key_pem": laptop.key,
    });
    assert!(!pypsrp(&host, &server, &how));
    certificate(&host, &["add", ADMIN.0, "--subject", "CN=laptop"]);
    eventually("the certificate counts", PATIENCE, || pypsrp(&host, &server, &how).then_some(()));
}

/// OpenSSL's own client resumes a session, without showing its certificate again.
#[test]
fn a_resumed_session_keeps_who_is_at_the_other_end() {
    let (host, authority) = host(with_authority);
    let laptop = authority.issue("laptop", "/CN=laptop", "DNS:laptop");
    certificate(&host, &["add", "ann", "--subject", "CN=laptop"]);
    let server = host.serve();
    for version in ["-tls1_2", "-tls1_3"] {
        let session = host.scratch().join(format!("session{version}"));
        let session = session.to_str().unwrap();
        let files = ["-cert", laptop.certificate.to_str().unwrap(), "-key", laptop.key.to_str().unwrap()];
        let first = s_client(&server, &[&[version, "-sess_out", session][..], &files].concat());
        assert!(first.contains("New, TLS") && first.contains("ProductVendor"), "{first}");
        let resumed = s_client(&server, &[version, "-sess_in", session]);
        assert!(resumed.contains("Reused, TLS") && resumed.contains("ProductVendor"), "{resumed}");
    }
}

fn s_client(server: &Server, arguments: &[&str]) -> String {
    let body = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body><i:Identify \
        xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"/></s:Body></s:Envelope>";
    let mut command = Command::new("openssl");
    command.args(["s_client", "-ign_eof", "-connect", &format!("127.0.0.1:{}", server.port)]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let length = body.len();
    let request = format!(
        "POST /wsman HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/soap+xml\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    );
    child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}
