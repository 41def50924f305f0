//! A sink for tests: a real HTTP(S) server on a port of its own that does what the test tells it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Name};

use crate::hexadecimal;

/// Long enough for the slowest machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a sink got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The body as it came, for those that are not in UTF-8.
    pub(crate) octets: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What a sink does with a message.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with status and body.
    Answer(u16, String),
    /// Asks who the sender is, with these `WWW-Authenticate` headers.
    Challenge(Vec<String>),
    /// Sends the sender elsewhere.
    Redirect(String),
    /// Keeps silent until the sink is dropped.
    Hang,
    /// Closes the connection.
    Close,
    /// Sends these octets and closes the connection.
    Cut(Vec<u8>),
    /// Sends these octets and no more until the sink is dropped.
    Stall(Vec<u8>),
    /// Sends these octets, and others behind them for as long as they are taken.
    Endless(Vec<u8>),
}

impl Reply {
    pub(crate) fn challenge(header: &str) -> Self {
        Self::Challenge(vec![header.to_owned()])
    }
}

/// A server that lives until the process ends; what hangs goes on when this value is dropped.
pub(crate) struct Sink {
    address: SocketAddr,
    scheme: &'static str,
    received: Receiver<Received>,
    _alive: Sender<()>,
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

impl Sink {
    pub(crate) fn http(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", None, handler)
    }

    pub(crate) fn https(identity: &Identity, handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("https", Some(identity.acceptor().build()), handler)
    }

    /// The same on an address of IPv6.
    pub(super) fn https_on_ipv6(
        identity: &Identity,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("[::1]:0", "https", Some(identity.acceptor().build()), handler)
    }

    /// A sink that lets in who shows the certificate of `client`.
    pub(crate) fn https_for(
        identity: &Identity,
        client: &Identity,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let mut acceptor = identity.acceptor();
        let mut trusted = X509StoreBuilder::new().unwrap();
        trusted.add_cert(client.certificate.clone()).unwrap();
        acceptor.set_cert_store(trusted.build());
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        Self::start("https", Some(acceptor.build()), handler)
    }

    fn start(
        scheme: &'static str,
        tls: Option<SslAcceptor>,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", scheme, tls, handler)
    }

    fn start_at(
        address: &str,
        scheme: &'static str,
        tls: Option<SslAcceptor>,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, received) = channel();
        let (alive, dead) = channel();
        let dead = Arc::new(Mutex::new(dead));
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                stream.set_nodelay(true).unwrap();
                let (tls, tell, dead, handler) = (tls.clone(), tell.clone(), dead.clone(), handler.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &tell, &dead, &*handler),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream) {
                            serve(stream, &tell, &dead, &*handler);
                        }
                    }
                });
            }
        });
        Self { address, scheme, received, _alive: alive }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/sink", self.scheme, self.address)
    }

    /// The same sink by its name.
    pub(crate) fn named_url(&self) -> String {
        format!("{}://localhost:{}/sink", self.scheme, self.address.port())
    }

    /// The next message.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).expect("the sink waits for a message")
    }

    /// What has come and was not taken yet.
    pub(crate) fn rest(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

/// A port that nobody listens on.
pub(crate) fn dead_url() -> String {
    // No port that was free a moment ago: a server of another test may get it meanwhile. This one is never given out.
    "http://127.0.0.1:1/".to_owned()
}

/// A self-signed certificate for 127.0.0.1 and ::1 with its key, and the files of both. The certificate's is to trust it with.
pub(crate) struct Identity {
    certificate: X509,
    key: PKey<Private>,
    pub(crate) trust_file: PathBuf,
    pub(crate) key_file: PathBuf,
    folder: tempfile::TempDir,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "sink of a test").unwrap();
        let name = name.build();
        let mut certificate = X509::builder().unwrap();
        certificate.set_version(2).unwrap();
        certificate.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
        certificate.set_subject_name(&name).unwrap();
        certificate.set_issuer_name(&name).unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        certificate.append_extension(BasicConstraints::new().ca().build().unwrap()).unwrap();
        let mut names = SubjectAlternativeName::new();
        let names = names.ip("127.0.0.1").ip("::1").build(&certificate.x509v3_context(None, None)).unwrap();
        certificate.append_extension(names).unwrap();
        certificate.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = certificate.build();

        let folder = tempfile::tempdir().unwrap();
        let trust_file = folder.path().join("trusted.pem");
        std::fs::write(&trust_file, certificate.to_pem().unwrap()).unwrap();
        let key_file = folder.path().join("key.pem");
        std::fs::write(&key_file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        Self { certificate, key, trust_file, key_file, folder }
    }

    pub(super) fn acceptor(&self) -> SslAcceptorBuilder {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor
    }

    /// The certificate's digest as hexadecimal digits.
    pub(crate) fn thumbprint(&self, digest: MessageDigest) -> String {
        hexadecimal::written(&self.certificate.digest(digest).unwrap())
    }

    /// A file with another's certificate and this one behind it.
    pub(crate) fn file_behind(&self, first: &Self) -> PathBuf {
        let file = self.folder.path().join("chain.pem");
        let both = [first.certificate.to_pem().unwrap(), self.certificate.to_pem().unwrap()].concat();
        std::fs::write(&file, both).unwrap();
        file
    }
}

fn serve(stream: impl Read + Write, tell: &Sender<Received>, dead: &Mutex<Receiver<()>>, handler: &Handler) {
    let mut stream = BufReader::new(stream);
    while let Some(message) = read(&mut stream) {
        let reply = handler(&message);
        let _ = tell.send(message);
        let (status, extra, body) = match reply {
            Reply::Answer(status, body) => (status, String::new(), body),
            Reply::Challenge(headers) => {
                let headers: Vec<_> = headers.iter().map(|h| format!("WWW-Authenticate: {h}\r\n")).collect();
                (401, headers.concat(), "who are you?".to_owned())
            }
            Reply::Redirect(target) => (307, format!("Location: {target}\r\n"), String::new()),
            Reply::Close => return,
            Reply::Cut(octets) => {
                let _ = stream.get_mut().write_all(&octets);
                return;
            }
            Reply::Stall(octets) => {
                let _ = stream.get_mut().write_all(&octets);
                let _ = dead.lock().unwrap().recv();
                return;
            }
            Reply::Endless(octets) => {
                let mut sent = stream.get_mut().write_all(&octets);
                while sent.is_ok() {
                    sent = stream.get_mut().write_all(&[b'x'; 8192]);
                }
                return;
            }
            Reply::Hang => {
                let _ = dead.lock().unwrap().recv();
                return;
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{extra}\r\n", body.len());
        if stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut impl BufRead) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let mut message = Received { path, headers, body: String::new(), octets: Vec::new() };
    let length: u64 = message.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    stream.take(length).read_to_end(&mut message.octets).ok()?;
    message.body = String::from_utf8_lossy(&message.octets).into_owned();
    Some(message)
}
