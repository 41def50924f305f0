//! A client that sends exactly what it is told, over a real TLS connection.
#![allow(dead_code, reason = "each test program uses its part")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream};

pub(crate) const IDENTIFY: &str = concat!(
    r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" "#,
    r#"xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">"#,
    r#"<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"#
);

pub(crate) struct Client {
    stream: BufReader<SslStream<TcpStream>>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether the request came through to the service: the transport by itself answers with none of these.
    pub(crate) fn came_through(&self) -> bool {
        matches!(self.status, 200 | 400 | 500)
    }
}

pub(crate) fn connector(certificate: &Path) -> SslConnector {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_ca_file(certificate).unwrap();
    builder.build()
}

pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // So that a server that never answers fails the test instead of holding it.
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, certificate: &Path) -> Self {
        Self::over(connector(certificate).connect("localhost", tcp(address)).unwrap())
    }

    /// The same with a certificate of the client's.
    pub(crate) fn showing(address: SocketAddr, authority: &Path, certificate: &Path, key: &Path) -> Self {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_ca_file(authority).unwrap();
        builder.set_certificate_file(certificate, SslFiletype::PEM).unwrap();
        builder.set_private_key_file(key, SslFiletype::PEM).unwrap();
        Self::over(builder.build().connect("localhost", tcp(address)).unwrap())
    }

    pub(crate) fn over(stream: SslStream<TcpStream>) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends as long as the server takes it.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends a whole POST; `headers` are lines that end with CRLF.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &str) -> Response {
        let length = body.len();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ));
        self.response()
    }

    /// Posts Identify, as SOAP.
    pub(crate) fn identify(&mut self, path: &str, headers: &str) -> Response {
        self.post(path, &format!("Content-Type: application/soap+xml;charset=UTF-8\r\n{headers}"), IDENTIFY)
    }

    pub(crate) fn response(&mut self) -> Response {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.stream.read_line(&mut head).unwrap(), 0, "the connection ended in {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        if status != 100 {
            response.body.resize(length, 0);
            self.stream.read_exact(&mut response.body).unwrap();
        }
        response
    }

    /// Waits until the server ends the connection; what it still sends is returned.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            let in_time = !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            assert!(in_time, "the server holds the connection");
        }
        rest
    }

    pub(crate) fn tls(&self) -> &SslStream<TcpStream> {
        self.stream.get_ref()
    }
}

pub(crate) fn basic(name: &str, password: &str) -> String {
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {token}\r\n")
}
