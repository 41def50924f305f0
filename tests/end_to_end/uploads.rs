//! Packages inside of requests: InstallFromByteStream.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;

use openssl::base64::encode_block;
use xmltree::Element;

use crate::support::eventually;
use crate::support::installation::{byte_stream_message, ended, installed_names, job_of};
use crate::support::packages::{Deb, DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE, Server};
use crate::support::wsman::{CIM, Client, Message, descendants, property, read_reply, text_of};

const SOAP: (&str, &str) = ("Content-Type", "application/soap+xml;charset=UTF-8");

/// A package of some three megabytes, as base64.
fn large(root: &DebRoot, name: &str) -> String {
    let file = Deb::new(name, "1.0-1")
        .file(&format!("usr/share/{name}"), &"0123456789abcdef".repeat(200_000))
        .build(&root.scratch());
    encode_block(&fs::read(file).unwrap())
}

/// As Java's and Windows' encoders write it.
fn in_lines(base64: &str) -> String {
    let mut text = String::new();
    for line in base64.as_bytes().chunks(76) {
        writeln!(text, "{}&#xD;", std::str::from_utf8(line).unwrap()).unwrap();
    }
    text
}

fn completed(client: &mut Client, job: &str) -> Element {
    let job = ended(client, job);
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
    job
}

fn files_in(host: &Host, folder: &str) -> usize {
    fs::read_dir(host.state_dir().join(folder)).map_or(0, Iterator::count)
}

#[test]
fn packages_come_inside_of_requests() {
    let root = DebRoot::new();
    // What comes in a request is no file that the folders are about.
    let host = Host::new(&root.path(), "deb").with_settings("[jobs]\nreadable_folders = [\"/nowhere\"]\n");
    let server = host.serve();
    let mut client = server.admin();
    assert!(asynchronous_actions(&mut client).contains(&"4".to_owned()));

    let one = large(&root, "one");
    let message = byte_stream_message(&mut client, &in_lines(&one));
    let job = job_of(&client.ask(&message));
    let job = completed(&mut client, &job);
    assert!(property(&job, "Name").unwrap().starts_with("InstallPackageFromByteStream-"), "{job:?}");
    assert_eq!(property(&job, "MethodName").as_deref(), Some("InstallFromByteStream"));

    let chunked = byte_stream_message(&mut client, &large(&root, "two")).envelope();
    let reply = client.exchange(&in_chunks(&client, &chunked)).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    completed(&mut client, &job_of(&reply.content()));

    let small = encode_block(&fs::read(build_deb(&root.scratch(), "small", "1.0-1", &[])).unwrap());
    assert!(small.len() < 64 * 1024, "small enough to stay in its message");
    let message = byte_stream_message(&mut client, &small);
    let job = job_of(&client.ask(&message));
    completed(&mut client, &job);

    let mut names = installed_names(&mut client);
    names.sort();
    assert_eq!(names, ["one", "small", "two"]);
    assert_eq!((files_in(&host, "uploads"), files_in(&host, "spool")), (0, 0));
}

#[test]
fn what_is_no_package_or_comes_from_the_wrong_hands_is_refused() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings("[limits]\nmax_upload = 1000000\n");
    host.add_user("reader", "reads only", "viewer");
    let server = host.serve();
    let mut client = server.admin();
    let code = |client: &mut Client, image: &str| {
        let message = byte_stream_message(client, image);
        property(&client.ask(&message), "ReturnValue").unwrap()
    };
    assert_eq!(code(&mut client, &"A".repeat(400_000)), "4106");
    assert_eq!(code(&mut client, "AAAA"), "4106");
    assert_eq!(code(&mut client, ""), "2");

    for wrong in [
        "A".repeat(400_001),
        ["A".repeat(400_000), "*".into()].concat(),
        ["A".repeat(400_000), "&amp;".into()].concat(),
    ] {
        let message = byte_stream_message(&mut client, &wrong);
        let (kind, reason) = client.post(&message.envelope()).fault();
        assert_eq!(kind, "InvalidParameter", "{reason}");
        assert!(reason.contains("parameter Image of method InstallFromByteStream: it is not base64"), "{reason}");
    }
    let message = byte_stream_message(&mut client, &"A".repeat(1_000_004));
    assert_eq!(client.post(&message.envelope()).status, 413);
    let message = byte_stream_message(&mut client, &"A".repeat(600_000));
    assert_eq!(server.client("reader", "reads only").post(&message.envelope()).status, 413);
    let other = message.envelope().replace("InstallFromByteStream_INPUT", "InstallFromURI_INPUT");
    assert_eq!(client.post(&other).status, 413, "only this method may be so large");
    assert_eq!(files_in(&host, "uploads"), 0);
}

#[test]
fn a_user_sends_one_package_at_a_time() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut client = server.admin();
    let envelope = byte_stream_message(&mut client, &large(&root, "one")).envelope();
    let mut first = client.raw();
    first.write_all(head(&client, &format!("Content-Length: {}", envelope.len())).as_bytes()).unwrap();
    first.write_all(&envelope.as_bytes()[..envelope.len() / 2]).unwrap();
    first.flush().unwrap();
    eventually("the first package to be on its way", PATIENCE, || (files_in(&host, "uploads") == 1).then_some(()));
    let reply = client.post(&envelope);
    assert_eq!((reply.status, reply.fault().0), (503, "QuotaLimit".to_owned()), "{}", reply.body);

    // Whoever goes away gives up its place.
    drop(first);
    eventually("the place to be free", PATIENCE, || (files_in(&host, "uploads") == 0).then_some(()));
    let mut first = client.raw();
    first.write_all(head(&client, &format!("Content-Length: {}", envelope.len())).as_bytes()).unwrap();
    first.write_all(envelope.as_bytes()).unwrap();
    let reply = read_reply(&mut *first).unwrap();
    completed(&mut client, &job_of(&reply.content()));
}

#[test]
fn byte_streams_can_be_switched_off() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings("[limits]\nmax_upload = 0\n");
    let server: Server = host.serve();
    let mut client = server.admin();
    assert!(!asynchronous_actions(&mut client).contains(&"4".to_owned()));
    let message = byte_stream_message(&mut client, "AAAA");
    assert_eq!(property(&client.ask(&message), "ReturnValue").as_deref(), Some("1"));
    let message = byte_stream_message(&mut client, &"A".repeat(600_000));
    assert_eq!(client.post(&message.envelope()).status, 413);
    assert!(!Path::new(&host.state_dir().join("uploads")).exists());
}

fn asynchronous_actions(client: &mut Client) -> Vec<String> {
    let class = format!("{CIM}/CIM_SoftwareInstallationServiceCapabilities");
    let found = client.ask(&Message::enumerate(&class, "<w:OptimizeEnumeration/>"));
    descendants(&found, "SupportedAsynchronousActions").into_iter().map(text_of).collect()
}

fn head(client: &Client, length: &str) -> String {
    let (name, value) = SOAP;
    let authorization = client.authorization();
    format!("POST /wsman HTTP/1.1\r\nHost: h\r\n{name}: {value}\r\nAuthorization: {authorization}\r\n{length}\r\n\r\n")
}

fn in_chunks(client: &Client, envelope: &str) -> Vec<u8> {
    let mut request = head(client, "Transfer-Encoding: chunked").into_bytes();
    for chunk in envelope.as_bytes().chunks(100_003) {
        write!(request, "{:x}\r\n", chunk.len()).unwrap();
        request.extend([chunk, b"\r\n"].concat());
    }
    request.extend(b"0\r\n\r\n");
    request
}
