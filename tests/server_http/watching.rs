//! `/metrics` and `/healthz`.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;

use super::raw_client::tcp;
use super::{TestServer, ann};

fn server() -> TestServer {
    TestServer::start_with(|config| config.metrics.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0))))
}

/// The head of the answer, and its body.
fn get(server: &TestServer, path: &str) -> (String, String) {
    let mut stream = tcp(server.watched_at.unwrap());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

/// The text holds to OpenMetrics 1.0: families one after the other, each with its type before its samples, and the end.
fn check(text: &str) {
    let (mut families, mut family, mut kind) = (HashSet::new(), "", "");
    let mut samples = HashSet::new();
    let text = text.strip_suffix("# EOF\n").expect("the end");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            (family, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(family), "{family} is there twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ").or(line.strip_prefix("# UNIT ")) {
            assert!(rest.starts_with(&format!("{family} ")), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            assert!(samples.insert(name), "{name} is there twice");
            let suffix = name.split('{').next().unwrap().strip_prefix(family).expect(line);
            let expected: &[&str] = match kind {
                "counter" => &["_total"],
                "gauge" => &[""],
                "info" => &["_info"],
                "histogram" => &["_bucket", "_sum", "_count"],
                other => panic!("{other}"),
            };
            assert!(expected.contains(&suffix), "{line}");
        }
    }
    assert!(families.len() > 20, "{families:?}");
    let documented = include_str!("../../docs/watching.md");
    for family in families {
        assert!(documented.contains(family), "docs/watching.md tells nothing of {family}");
    }
}

#[test]
fn what_happens_is_counted() {
    let server = server();
    let mut client = server.client();
    assert!(client.identify("/wsman", &ann()).came_through());
    assert_eq!(client.identify("/wsman", "").status, 401);
    assert_eq!(server.client().identify("/nowhere", "").status, 404);
    let (head, text) = get(&server, "/metrics");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let content_type = "\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(content_type), "{head}");
    check(&text);
    for line in [
        "quartermaster_requests_total{operation=\"identify\",status=\"200\"} 1",
        "quartermaster_requests_total{operation=\"none\",status=\"401\"} 1",
        "quartermaster_requests_total{operation=\"none\",status=\"404\"} 1",
        "quartermaster_request_seconds_count 3",
        "quartermaster_connections{peer=\"known\"} 1",
        "quartermaster_password_hashes_total 1",
        "quartermaster_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn what_is_not_well_is_told_in_words() {
    let server = server();
    let (head, body) = get(&server, "/healthz");
    assert!(head.starts_with("http/1.1 200") && body == "well\n", "{head}\n{body}");
    let log = server.users.audit().log().unwrap().file().to_owned();
    fs::rename(&log, log.with_extension("aside")).unwrap();
    fs::create_dir(&log).unwrap();
    server.users.audit().opened("a test").unwrap_err();
    let (head, body) = get(&server, "/healthz");
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert!(body.starts_with("audit: ") && body.lines().count() == 1, "{body}");
    let (head, _) = get(&server, "/");
    assert!(head.starts_with("http/1.1 404"), "{head}");
}
