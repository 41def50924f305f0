//! The transport, as clients on the wire see it: a real server on a port of its own, requests as raw octets over TLS.
//!
//! What the service behind the transport answers is not looked at here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test"
)]

#[path = "server_http/admission.rs"]
mod admission;
mod raw_client;
#[path = "server_http/watching.rs"]
mod watching;

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslSessionCacheMode, SslVersion};
use quartermaster::access::{RequestId, Role, Users};
use quartermaster::app::Application;
use quartermaster::config::{Config, Engine};
use raw_client::{Client, IDENTIFY, basic, tcp};
use tokio::sync::oneshot;

const SOAP: &str = "Content-Type: application/soap+xml;charset=UTF-8\r\n";

struct TestServer {
    address: SocketAddr,
    certificate: PathBuf,
    watched_at: Option<SocketAddr>,
    users: Arc<Users>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _state: tempfile::TempDir,
}

impl TestServer {
    fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A server with short limits and the user `ann`, whose password is `right`.
    fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut config = Config { state_dir: state.path().join("state"), engine: Engine::None, ..Config::default() };
        config.listen.set_port(0);
        config.root = state.path().to_owned();
        config.auth.bcrypt_cost = 4;
        config.limits.body_octets = 64 * 1024;
        config.limits.body_time = Duration::from_secs(1);
        config.limits.head_time = Duration::from_secs(1);
        adjust(&mut config);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let application = {
            let _inside = runtime.enter();
            Application::build(config).unwrap()
        };
        let (stop, stopped) = oneshot::channel();
        let (address, users) = (application.address(), application.users().clone());
        let certificate = application.own_certificate().unwrap().to_owned();
        let watched_at = application.watched_at();
        users.add("ann", Role::Viewer, b"right").unwrap();
        let thread = std::thread::spawn(move || {
            let stopped = async {
                let _ = stopped.await;
            };
            runtime.block_on(application.run_until(stopped)).unwrap();
        });
        Self { address, certificate, watched_at, users, stop: Some(stop), thread: Some(thread), _state: state }
    }

    fn client(&self) -> Client {
        Client::connect(self.address, &self.certificate)
    }

    /// Stops the server and waits for its end.
    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ann() -> String {
    basic("ann", "right")
}

#[test]
fn only_post_and_only_the_paths_of_the_service() {
    let server = TestServer::start();
    let mut client = server.client();
    for path in ["/wsman", "/wsman/", "/wsman-anon/identify"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            client.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", ann()));
            let response = client.response();
            assert_eq!((response.status, response.header("allow")), (405, Some("POST")), "{method} {path}");
        }
    }
    for path in ["/wsmanx", "/wsman/x", "/wsman-anon", "/wsman-anon/other", "/WSMAN"] {
        assert_eq!(server.client().identify(path, &ann()).status, 404, "{path}");
    }
}

#[test]
fn a_user_is_known_by_name_and_password_alone() {
    let server = TestServer::start();
    let mut client = server.client();
    let mutual = "Authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual\r\n";
    for headers in [
        "",
        mutual,
        "Authorization: Negotiate YWJj\r\n",
        "Authorization: Basic ***\r\n",
        "WSMANIDENTIFY: authenticated\r\n",
        &basic("ann", "wrong"),
        &basic("bob", "right"),
        &basic("ann", ""),
    ] {
        let response = client.identify("/wsman", headers);
        assert_eq!(response.status, 401, "{headers}");
        assert_eq!(response.header("www-authenticate"), Some("Basic realm=\"quartermaster\""));
    }
    // The same connection: who was asked for a password may give it.
    for path in ["/wsman", "/wsman/"] {
        let response = client.identify(path, &ann());
        assert!(response.came_through(), "{response:?}");
    }
    assert_eq!(server.users.hashes_done(), 3);
}

#[test]
fn identify_needs_no_credentials_where_the_client_says_so() {
    let server = TestServer::start();
    let mut client = server.client();
    assert!(client.identify("/wsman-anon/identify", "").came_through());
    assert!(client.identify("/wsman-anon/identify", &basic("ann", "wrong")).came_through());
    assert!(client.identify("/wsman", "WSMANIDENTIFY: unauthenticated\r\n").came_through());
    assert_eq!(server.users.hashes_done(), 0);
    // Credentials go before the header.
    let both = format!("WSMANIDENTIFY: unauthenticated\r\n{}", basic("ann", "wrong"));
    assert_eq!(client.identify("/wsman", &both).status, 401);
}

#[test]
fn the_media_type_is_soap_or_left_out() {
    let server = TestServer::start();
    let mut client = server.client();
    for accepted in [
        "",
        "Content-Type: application/soap+xml\r\n",
        "Content-Type: Application/Soap+XML; Charset=\"utf-8\"\r\n",
        "Content-Type: text/xml;charset=UTF-8\r\n",
        "Content-Encoding: identity\r\n",
    ] {
        let response = client.post("/wsman", &format!("{accepted}{}", ann()), IDENTIFY);
        assert!(response.came_through(), "{accepted} {response:?}");
    }
    for refused in [
        "Content-Type: application/json\r\n",
        "Content-Type: multipart/encrypted;boundary=\"Encrypted Boundary\"\r\n",
        "Content-Type: application/soap+xml\r\nContent-Encoding: gzip\r\n",
    ] {
        assert_eq!(client.post("/wsman", &format!("{refused}{}", ann()), IDENTIFY).status, 415, "{refused}");
    }
}

#[test]
fn who_reads_soap_is_told_in_soap() {
    let server = TestServer::start();
    let large = "x".repeat(64 * 1024 + 1);
    for (headers, body, status, detail) in [
        ("Content-Type: application/xml\r\n", IDENTIFY, 415, Some("EncodingType")),
        ("Content-Type: image/png\r\nAccept: text/html, application/soap+xml\r\n", IDENTIFY, 415, Some("EncodingType")),
        ("Content-Type: image/png\r\n", IDENTIFY, 415, None),
        (SOAP, large.as_str(), 413, Some("ServiceEnvelopeLimit")),
    ] {
        let response = server.client().post("/wsman", &format!("{headers}{}", ann()), body);
        assert_eq!(response.status, status, "{headers}");
        let content_type = response.header("content-type").unwrap();
        assert_eq!(content_type.starts_with("application/soap+xml"), detail.is_some(), "{headers} {content_type}");
        let text = String::from_utf8(response.body.clone()).unwrap();
        assert!(detail.is_none_or(|detail| text.contains(&format!("faultDetail/{detail}<"))), "{text}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = TestServer::start();
    let fits = "x".repeat(64 * 1024);
    assert!(server.client().post("/wsman", &format!("{SOAP}{}", ann()), &fits).came_through());

    let mut announced = server.client();
    announced.send(format!("POST /wsman HTTP/1.1\r\nHost: h\r\n{SOAP}{}Content-Length: 65537\r\n\r\n", ann()));
    assert_eq!(announced.response().status, 413);
    announced.rest();

    let mut chunked = server.client();
    chunked.send(format!("POST /wsman HTTP/1.1\r\nHost: h\r\n{SOAP}{}Transfer-Encoding: chunked\r\n\r\n", ann()));
    chunked.send(format!("10001\r\n{}", "x".repeat(0x10001)));
    assert_eq!(chunked.response().status, 413);
    chunked.rest();

    let mut anonymous = server.client();
    let large = "x".repeat(16 * 1024 + 1);
    assert_eq!(anonymous.post("/wsman-anon/identify", SOAP, &large).status, 413);
}

#[test]
fn a_body_that_stalls_is_cut_off_whoever_sends_it() {
    let server = TestServer::start();
    let mut clients = Vec::new();
    for credentials in [ann(), String::new()] {
        for (length, start) in [("Content-Length: 100", "<s:"), ("Transfer-Encoding: chunked", "3\r\n<s:\r\n")] {
            let mut client = server.client();
            client.send(format!("POST /wsman HTTP/1.1\r\nHost: h\r\n{SOAP}{credentials}{length}\r\n\r\n{start}"));
            clients.push(client);
        }
    }
    for mut client in clients {
        let response = client.response();
        assert_eq!((response.status, response.header("connection")), (408, Some("close")), "{response:?}");
        client.rest();
    }
}

#[test]
fn a_head_that_stalls_is_cut_off_also_on_a_connection_that_was_used() {
    let server = TestServer::start_with(|config| config.limits.keep_alive = Duration::from_secs(1));
    let mut first = server.client();
    first.send("POST /wsman HTTP/1.1\r\nHos");
    let mut later = server.client();
    assert_eq!(later.identify("/wsman", "").status, 401);
    later.send("POST /wsman HTTP/1.1\r\nHos");
    let idle = server.client();
    let mut silent = tcp(server.address);

    assert_eq!(first.response().status, 408);
    first.rest();
    later.rest();
    idle.rest();
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0, "a handshake that does not begin");
}

#[test]
fn a_client_that_takes_no_reply_is_cut_off() {
    let server = TestServer::start_with(|config| config.limits.keep_alive = Duration::from_secs(1));
    let mut client = server.client();
    client.tls().get_ref().set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let requests = "POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n".repeat(200);
    // Requests are sent and no reply is read until both directions are full; then only the server can end it.
    let error = loop {
        if let Err(error) = client.try_send(&requests) {
            break error;
        }
    };
    assert!(!matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{error}");
}

#[test]
fn a_garbled_head_is_answered_with_400() {
    let server = TestServer::start();
    for garbage in ["\x16\x03\x01\r\n\r\n", "POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n"] {
        let mut client = server.client();
        client.send(garbage);
        assert_eq!(client.response().status, 400, "{garbage:?}");
        client.rest();
    }
}

#[test]
fn a_connection_is_used_again_and_heads_may_come_in_pieces() {
    let server = TestServer::start();
    let mut client = server.client();
    let request = format!(
        "POST /wsman HTTP/1.1\r\nHost: h\r\n{SOAP}{}Content-Length: {}\r\n\r\n{IDENTIFY}",
        ann(),
        IDENTIFY.len()
    );
    for size in [request.len(), 7, 100] {
        for piece in request.as_bytes().chunks(size) {
            client.send(piece);
        }
        assert!(client.response().came_through());
    }
    client.send(format!("{request}{request}"));
    assert!(client.response().came_through() && client.response().came_through());
}

#[test]
fn who_expects_100_continue_gets_it() {
    let server = TestServer::start();
    let mut client = server.client();
    let length = IDENTIFY.len();
    client.send(format!(
        "POST /wsman HTTP/1.1\r\nHost: h\r\n{SOAP}{}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n",
        ann()
    ));
    assert_eq!(client.response().status, 100);
    client.send(IDENTIFY);
    assert!(client.response().came_through());
}

#[test]
fn a_thousand_wrong_passwords_cost_a_few_hashes_and_a_known_client_is_served() {
    let server = TestServer::start();
    let mut good = server.client();
    assert!(good.identify("/wsman", &ann()).came_through());
    assert_eq!(server.users.hashes_done(), 1);

    let attackers: Vec<_> = (0..8)
        .map(|attacker| {
            let mut client = server.client();
            std::thread::spawn(move || {
                // Half of them guess one user's password, half of them guess names too.
                let name = |n: usize| if attacker % 2 == 0 { "ann".to_owned() } else { format!("user{attacker}-{n}") };
                let guess = |n: usize| basic(&name(n), &format!("wrong {attacker} {n}"));
                (0..125).map(|n| client.identify("/wsman", &guess(n)).status).collect::<Vec<_>>()
            })
        })
        .collect();
    // The attack and the good client run at the same time; neither waits for the other.
    for _ in 0..200 {
        let response = good.identify("/wsman", &ann());
        assert!(response.came_through(), "{response:?}");
    }
    let statuses: Vec<_> = attackers.into_iter().flat_map(|attacker| attacker.join().unwrap()).collect();
    assert_eq!(statuses.len(), 1000);
    assert!(statuses.iter().all(|status| [401, 429, 503].contains(status)), "{statuses:?}");
    // 30 attempts are free for one address, then a few as the wait grows.
    assert!(statuses.iter().filter(|&&status| status == 401).count() <= 60, "{statuses:?}");
    assert!(server.users.hashes_done() <= 61, "{}", server.users.hashes_done());
    assert!(good.identify("/wsman", &ann()).came_through());
}

#[test]
fn too_many_wrong_passwords_are_told_when_to_come_back() {
    let server = TestServer::start();
    let mut client = server.client();
    let response = (0..10).map(|n| client.identify("/wsman", &basic("ann", &format!("wrong {n}")))).last().unwrap();
    assert_eq!(response.status, 429);
    assert!(response.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
}

#[test]
fn a_user_who_was_removed_gets_in_no_more() {
    let server = TestServer::start();
    let mut client = server.client();
    assert!(client.identify("/wsman", &ann()).came_through());
    server.users.remove("ann").unwrap();
    assert_eq!(client.identify("/wsman", &ann()).status, 401);
}

#[test]
fn tls_is_1_2_or_later() {
    let server = TestServer::start();
    let connect = |version| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_ca_file(&server.certificate).unwrap();
        builder.set_security_level(0);
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.build().connect("localhost", tcp(server.address)).map(|stream| stream.ssl().version_str())
    };
    assert!(connect(SslVersion::TLS1_1).is_err());
    assert_eq!(connect(SslVersion::TLS1_2).unwrap(), "TLSv1.2");
    assert_eq!(connect(SslVersion::TLS1_3).unwrap(), "TLSv1.3");
}

#[test]
fn a_session_ticket_is_given_for_the_next_handshake() {
    let server = TestServer::start();
    let tickets = Arc::new(AtomicBool::new(false));
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_ca_file(&server.certificate).unwrap();
    builder.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    let given = tickets.clone();
    builder.set_new_session_callback(move |_, _| given.store(true, Ordering::SeqCst));
    let stream = builder.build().connect("localhost", tcp(server.address)).unwrap();
    // Tickets come before the first reply.
    assert_eq!(Client::over(stream).identify("/wsman", "").status, 401);
    assert!(tickets.load(Ordering::SeqCst));
}

#[test]
fn a_stop_does_not_wait_for_idle_connections() {
    let mut server = TestServer::start();
    let mut client = server.client();
    assert!(client.identify("/wsman", &ann()).came_through());
    server.stop();
    client.rest();
}

#[test]
fn every_reply_tells_what_the_request_is_called_and_no_client_names_it() {
    let server = TestServer::start();
    let mut client = server.client();
    let mut names = Vec::new();
    for (method, path, credentials, status) in
        [("POST", "/wsman", String::new(), 401), ("GET", "/wsman", ann(), 405), ("GET", "/nothing", ann(), 404)]
    {
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine\r\n{credentials}Content-Length: 0\r\n\r\n"));
        let response = client.response();
        assert_eq!(response.status, status, "{path}");
        names.push(response.header("x-request-id").unwrap().to_owned());
    }
    names.push(server.client().identify("/wsman", &ann()).header("x-request-id").unwrap().to_owned());
    assert!(names.iter().all(|name| name.parse::<RequestId>().is_ok()), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}
