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

/// A proxy that makes tunnels to where it is asked to, if it is told this of who asks; tells its address.
fn tunneling(authorization: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut near in listener.incoming().flatten() {
            let mut lines = BufReader::new(near.try_clone().unwrap());
            let mut request = String::new();
            lines.read_line(&mut request).unwrap();
            let (mut line, mut told) = (String::new(), None);
            while lines.read_line(&mut line).unwrap() > 2 {
                told = line.trim_end().strip_prefix("Proxy-Authorization: ").map(str::to_owned).or(told);
                line.clear();
            }
            if told.as_deref() != authorization {
                near.write_all(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"p\"\r\n\r\n").unwrap();
                continue;
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
        proxy: Some(tunneling(None).parse().unwrap()),
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

fn login(password: &str) -> Login {
    Login::new(Scheme::Basic, "quartermaster", password.to_owned()).unwrap()
}

/// `quartermaster:o pen: sesame`, as Basic has it.
const TOLD: &str = "Basic cXVhcnRlcm1hc3RlcjpvIHBlbjogc2VzYW1l";

#[test]
fn a_proxy_is_told_who_asks_and_the_server_behind_it_is_not() {
    let identity = Identity::new();
    let server = Sink::https(&identity, |asked| Reply::Answer(200, asked.path.clone()));
    let proxy: Proxy = tunneling(Some(TOLD)).parse().unwrap();
    let through = |proxy: Proxy| {
        let trust_file = Some(identity.trust_file.clone());
        let client = client(Settings { proxy: Some(proxy), trust_file, ..Settings::default() });
        arrive(&client, &server.url(), None)
    };
    let (head, _, error) = through(proxy.clone().with_login(login("o pen: sesame")));
    assert!(error.is_none() && head.status == 200, "{error:?}");
    assert_eq!(server.next().header("proxy-authorization"), None);
    for (proxy, says) in [
        (proxy.clone(), "wants a user name and a password, and none is set"),
        (proxy.with_login(login("wrong")), "does not take the user name and the password that it was told"),
    ] {
        let said = through(proxy).2.unwrap().to_string();
        assert!(said.contains(says) && !said.contains("wrong"), "{said}");
    }
}

#[test]
fn a_proxy_is_told_who_asks_for_what_is_not_encrypted() {
    let sink = Sink::http(|asked| match asked.header("proxy-authorization") {
        Some(TOLD) => Reply::Answer(200, asked.path.clone()),
        _ => Reply::Answer(407, String::new()),
    });
    let proxy: Proxy = sink.url().trim_end_matches("/sink").parse().unwrap();
    let through = |proxy: Proxy| {
        arrive(&client(Settings { proxy: Some(proxy), ..Settings::default() }), "http://depot.invalid/a", None)
    };
    let (head, octets, error) = through(proxy.clone().with_login(login("o pen: sesame")));
    assert!(error.is_none(), "{error:?}");
    assert_eq!((head.status, octets.as_slice()), (200, &b"http://depot.invalid/a"[..]));
    let said = through(proxy).2.unwrap().to_string();
    assert!(said.contains("the proxy http://127.0.0.1") && said.contains("wants a user name"), "{said}");
}

#[test]
fn some_hosts_are_reached_without_the_proxy_which_they_hear_nothing_of() {
    let plain = Sink::http(|asked| Reply::Answer(200, asked.path.clone()));
    let proxy = Sink::http(|asked| Reply::Answer(200, asked.path.clone()));
    let address: Proxy = proxy.url().trim_end_matches("/sink").parse().unwrap();
    let around = vec!["127.0.0.0/8".parse().unwrap(), ".example.invalid".parse().unwrap()];
    let client = client(Settings {
        proxy: Some(address.with_login(login("o pen: sesame")).except(around)),
        ..Settings::default()
    });
    let (_, octets, error) = arrive(&client, &plain.url(), None);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(octets, b"/sink");
    assert_eq!(plain.next().header("proxy-authorization"), None);
    let (.., error) = arrive(&client, "http://depot.example.invalid/a", None);
    assert!(matches!(error, Some(ClientError::Unresolved { .. })), "{error:?}");
    let (_, octets, _) = arrive(&client, "http://depot.invalid/a", None);
    assert_eq!(octets, b"http://depot.invalid/a");
}

#[test]
fn a_proxy_is_no_way_around_the_address_rules() {
    let settings = Settings { proxy: Some(tunneling(None).parse().unwrap()), ..Settings::default() };
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
