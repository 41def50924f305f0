//! Fetches through a proxy, and of files that are there already.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::sink::{Identity, PATIENCE, Reply, Sink};
use super::*;

fn client(settings: Settings) -> Client {
    Client::start(settings, AddressRules::new(true)).unwrap()
}

fn arrive(client: &Client, url: &str, known: Option<Validators>) -> (Head, Vec<u8>, Option<ClientError>) {
    let arrival = client.fetch(Fetch { url: Url::parse(url).unwrap(), rest: None, known }).unwrap();
    let (mut head, mut octets) = (Head::default(), Vec::new());
    loop {
        match arrival.next(PATIENCE) {
            Ok(Some(Part::Head(came))) => head = came,
            Ok(Some(Part::Octets(came))) => octets.extend_from_slice(&came),
            Ok(Some(Part::End)) => return (head, octets, None),
            Ok(None) => panic!("nothing comes"),
            Err(error) => return (head, octets, Some(error)),
        }
    }
}

/// A proxy that makes tunnels to where it is asked to; tells its address.
fn tunneling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut near in listener.incoming().flatten() {
            let mut lines = BufReader::new(near.try_clone().unwrap());
            let mut request = String::new();
            lines.read_line(&mut request).unwrap();
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let Some(to) = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else { continue };
            if to.starts_with("forbidden") {
                near.write_all(b"HTTP/1.1 403 No\r\n\r\n").unwrap();
                continue;
            }
            let mut far = TcpStream::connect(to.replace("proxied.test", "127.0.0.1")).unwrap();
            near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let (mut up, mut down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut up, &mut far));
            thread::spawn(move || std::io::copy(&mut down, &mut near));
        }
    });
    address
}

#[test]
fn a_proxy_gets_the_whole_address_of_what_is_not_encrypted() {
    let sink = Sink::http(|asked| Reply::Answer(200, asked.path.clone()));
    let proxy = sink.url().trim_end_matches("/sink").parse().unwrap();
    let settings = Settings { proxy: Some(proxy), ..Settings::default() };
    // Nobody but the proxy would find this host.
    let (head, octets, error) = arrive(&client(settings), "http://depot.invalid:8080/a/metadata.zip?b=c", None);
    assert!(error.is_none(), "{error:?}");
    assert_eq!((head.status, octets.as_slice()), (200, &b"http://depot.invalid:8080/a/metadata.zip?b=c"[..]));
    assert_eq!(sink.next().header("host"), Some("depot.invalid:8080"));
}

#[test]
fn a_proxy_makes_a_tunnel_to_what_is_encrypted() {
    let identity = Identity::new();
    let sink = Sink::https(&identity, |asked| Reply::Answer(200, asked.path.clone()));
    let settings = Settings {
        proxy: Some(tunneling().parse().unwrap()),
        trust_file: Some(identity.trust_file.clone()),
        ..Settings::default()
    };
    let client = client(settings);
    let (head, octets, error) = arrive(&client, &sink.url(), None);
    assert!(error.is_none(), "{error:?}");
    assert_eq!((head.status, octets.as_slice()), (200, &b"/sink"[..]));
    // The certificate must be of the server that was asked for.
    let (.., error) = arrive(&client, &sink.url().replace("127.0.0.1", "proxied.test"), None);
    assert!(matches!(error, Some(ClientError::Untrusted)), "{error:?}");
    let (.., error) = arrive(&client, "https://forbidden.test/a", None);
    let said = error.unwrap().to_string();
    assert!(said.contains("the proxy http://127.0.0.1") && said.contains("answered 403"), "{said}");
}

#[test]
fn a_proxy_is_no_way_around_the_address_rules() {
    let settings = Settings { proxy: Some(tunneling().parse().unwrap()), ..Settings::default() };
    let (.., error) = arrive(&client(settings), "http://169.254.169.254/latest", None);
    assert!(matches!(error, Some(ClientError::Forbidden(_))), "{error:?}");
}

#[test]
fn what_is_known_already_is_asked_for_on_that_condition() {
    let sink = Sink::http(|asked| match asked.header("if-none-match") {
        Some("W/\"1\"") => Reply::Cut(b"HTTP/1.1 304 Not Modified\r\nETag: W/\"1\"\r\n\r\n".to_vec()),
        _ => Reply::Cut(
            b"HTTP/1.1 200 OK\r\nETag: W/\"1\"\r\nLast-Modified: then\r\nContent-Length: 1\r\n\r\na".to_vec(),
        ),
    });
    let client = client(Settings::default());
    let (head, octets, _) = arrive(&client, &sink.url(), None);
    let known = Validators { entity_tag: Some("W/\"1\"".into()), last_modified: Some("then".into()) };
    assert_eq!((octets.as_slice(), &head.validators, head.entity_tag), (&b"a"[..], &known, None));
    let (head, octets, error) = arrive(&client, &sink.url(), Some(known));
    assert_eq!((head.status, octets.len(), error.is_none()), (304, 0, true));
    sink.next();
    assert_eq!(sink.next().header("if-modified-since"), Some("then"));
}
