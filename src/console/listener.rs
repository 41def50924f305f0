//! Where hosts deliver events to, if they can reach us: an HTTP server of ours, with a path for each subscription that nobody
//! can guess.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use openssl::error::ErrorStack;
use tokio::sync::mpsc;
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::{Identity, Thumbprint, TlsError};
use crate::soap::{Encoding, Envelope};
use crate::wire::delivery::{Delivered, wants_ack, write_ack};
use crate::xml::Limits;

/// The largest delivery, in octets.
const LARGEST: usize = 4 * 1024 * 1024;
/// How many deliveries may wait for whoever takes them; then their senders wait.
const WAITING: usize = 256;
/// How many connections there are at a time; further ones wait.
const CONNECTIONS: usize = 256;
/// How long a sender may take for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long it may take for the delivery.
const BODY_TIME: Duration = Duration::from_secs(30);
const SOAP: &str = "application/soap+xml;charset=UTF-8";

/// How deliveries are encrypted.
#[derive(Debug)]
pub enum Encryption {
    /// Not at all.
    None,
    /// By a certificate that each host is told the thumbprint of (DSP0226 R12.3-2), so that it need trust nobody.
    Named(Identity),
    /// By a certificate that the hosts have a reason of their own to trust.
    Vouched(Identity),
}

/// Why nobody can listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address cannot be listened on.
    #[error("nobody can listen on {0}: {1}")]
    Address(SocketAddr, #[source] io::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// OpenSSL fails.
    #[error("deliveries cannot be encrypted: {0}")]
    Tls(#[from] ErrorStack),
}

/// The server; it ends with the last of its copies.
#[derive(Clone, Debug)]
pub struct Listener {
    address: SocketAddr,
    /// What hosts call it, if not by an address.
    name: Option<String>,
    is_tls: bool,
    /// The certificate that hosts are told of.
    named: Option<Thumbprint>,
    inlets: Inlets,
    _running: Arc<Running>,
}

/// Where the events of one subscription come in. With it its path goes.
#[derive(Debug)]
pub struct Inlet {
    path: String,
    inlets: Inlets,
    told: mpsc::Receiver<Vec<Delivered>>,
}

type Inlets = Arc<Mutex<HashMap<String, mpsc::Sender<Vec<Delivered>>>>>;

#[derive(Debug)]
struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // Asked for at once; how it ends nobody waits for.
        drop(self.0.stop(false));
    }
}

impl Listener {
    /// Listens from now on, within the runtime that this is called in; port 0 takes a free one. The hosts call it by `name`, a
    /// host with or without a port, or by the address that they have for us.
    pub fn bind(address: SocketAddr, name: Option<String>, encryption: Encryption) -> Result<Self, ListenerError> {
        let inlets = Inlets::default();
        let shared = Arc::clone(&inlets);
        let app = move || {
            let inlets = Arc::clone(&shared);
            let deliveries = web::post().to(move |request, body| take(Arc::clone(&inlets), request, body));
            App::new().default_service(deliveries)
        };
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(CONNECTIONS)
            .client_request_timeout(HEAD_TIME)
            .disable_signals();
        let (bound, named) = match &encryption {
            Encryption::None => (server.bind(address), None),
            Encryption::Named(identity) => {
                (server.bind_openssl(address, identity.acceptor()?), Some(identity.thumbprint()?))
            }
            Encryption::Vouched(identity) => (server.bind_openssl(address, identity.acceptor()?), None),
        };
        let server = bound.map_err(|error| ListenerError::Address(address, error))?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server = server.run();
        let running = Arc::new(Running(server.handle()));
        tokio::spawn(server);
        let is_tls = !matches!(encryption, Encryption::None);
        // An address of IPv6 stands in brackets where a port may follow.
        let name = name.map(|name| name.parse().map_or(name, |address: Ipv6Addr| format!("[{address}]")));
        Ok(Self { address, name, is_tls, named, inlets, _running: running })
    }

    /// The address to deliver to at this path, for a host that has this address for us.
    pub(super) fn url(&self, own: IpAddr, path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        let ip = if self.address.ip().is_unspecified() { own } else { self.address.ip() };
        let place = match &self.name {
            None => SocketAddr::new(ip, self.address.port()).to_string(),
            Some(name) if has_port(name) => name.clone(),
            Some(name) => format!("{name}:{}", self.address.port()),
        };
        format!("{scheme}://{place}{path}")
    }

    /// The certificate that a host is to be told of.
    pub(super) fn named(&self) -> Option<Thumbprint> {
        self.named
    }

    /// A new way in.
    pub fn inlet(&self) -> Inlet {
        let (sender, told) = mpsc::channel(WAITING);
        let path = format!("/events/{}", Uuid::new_v4());
        self.inlets.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), sender);
        Inlet { path, inlets: Arc::clone(&self.inlets), told }
    }
}

/// Whether a host is named with its port.
fn has_port(name: &str) -> bool {
    name.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'))
}

impl Inlet {
    /// Its path at the listener.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The next delivery.
    pub async fn next(&mut self) -> Vec<Delivered> {
        self.told.recv().await.unwrap_or_default()
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.inlets.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

/// What is taken is acknowledged once somebody has room for it, so that nothing that was is lost.
async fn take(inlets: Inlets, request: HttpRequest, body: web::Payload) -> HttpResponse {
    // Of senders who do not know a path nothing but the head is read.
    let inlet = inlets.lock().unwrap_or_else(PoisonError::into_inner).get(request.path()).cloned();
    let Some(inlet) = inlet else { return HttpResponse::NotFound().finish() };
    let body = match receive(body).await {
        Ok(body) => body,
        Err(status) => return HttpResponse::new(status),
    };
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(message) = read(&body, content_type) else { return HttpResponse::BadRequest().finish() };
    let Ok(told) = Delivered::all_of(&message) else { return HttpResponse::BadRequest().finish() };
    if !told.is_empty() && inlet.send(told).await.is_err() {
        return HttpResponse::NotFound().finish();
    }
    if wants_ack(&message) {
        return HttpResponse::Ok().content_type(SOAP).body(write_ack(&message.addressing));
    }
    HttpResponse::NoContent().finish()
}

/// The whole body, bounded in size and time.
async fn receive(body: web::Payload) -> Result<web::Bytes, StatusCode> {
    match timeout(BODY_TIME, body.to_bytes_limited(LARGEST)).await {
        Ok(Ok(Ok(octets))) => Ok(octets),
        Ok(Ok(Err(_))) => Err(StatusCode::BAD_REQUEST),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn read(body: &[u8], content_type: Option<&str>) -> Option<Envelope> {
    let encoding = Encoding::detect(body, content_type.and_then(super::session::charset)).ok()?;
    Envelope::read(&encoding.decode(body).ok()?, &Limits::default()).ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpStream;

    use super::*;

    /// The first line of the answer to a delivery of which only this much is sent.
    async fn answer(listener: &Listener, path: &str, announced: usize, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(listener.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: desk\r\nContent-Length: {announced}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut line = String::new();
        let read = timeout(BODY_TIME / 2, BufReader::new(stream).read_line(&mut line)).await;
        read.expect("an answer to what was sent").unwrap();
        line
    }

    #[tokio::test]
    async fn a_delivery_is_read_only_at_a_path_that_there_is() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, Encryption::None).unwrap();
        let inlet = listener.inlet();
        assert_eq!(answer(&listener, "/events/guessed", LARGEST, b"").await, "HTTP/1.1 404 Not Found\r\n");
        assert_eq!(answer(&listener, inlet.path(), 4, b"text").await, "HTTP/1.1 400 Bad Request\r\n");
        let large = vec![b' '; LARGEST + 1];
        let refused = answer(&listener, inlet.path(), large.len(), &large).await;
        assert_eq!(refused, "HTTP/1.1 413 Payload Too Large\r\n");
    }

    #[tokio::test]
    async fn hosts_call_a_listener_by_what_they_can_reach() {
        let listener = |address: &str, name: Option<&str>, encryption| {
            Listener::bind(address.parse().unwrap(), name.map(str::to_owned), encryption).unwrap()
        };
        let own: IpAddr = "192.0.2.7".parse().unwrap();
        let everywhere = listener("0.0.0.0:0", None, Encryption::None);
        let port = everywhere.address.port();
        assert_eq!(everywhere.url(own, "/a"), format!("http://192.0.2.7:{port}/a"));
        assert_eq!(everywhere.url("fd00::7".parse().unwrap(), "/a"), format!("http://[fd00::7]:{port}/a"));
        let here = listener("127.0.0.1:0", None, Encryption::None);
        assert_eq!(here.url(own, "/a"), format!("http://127.0.0.1:{}/a", here.address.port()));
        for (name, host) in
            [("desk.example.com", "desk.example.com"), ("fd00::1", "[fd00::1]"), ("[fd00::1]", "[fd00::1]")]
        {
            let named = listener("127.0.0.1:0", Some(name), Encryption::None);
            assert_eq!(named.url(own, "/a"), format!("http://{host}:{}/a", named.address.port()));
        }
        let named = listener("127.0.0.1:0", Some("desk:9000"), Encryption::None);
        assert_eq!(named.url(own, "/a"), "http://desk:9000/a");
        let identity = Identity::made(chrono::DateTime::UNIX_EPOCH).unwrap();
        let thumbprint = identity.thumbprint().unwrap();
        let secret = listener("127.0.0.1:0", None, Encryption::Named(identity));
        assert!(secret.url(own, "/a").starts_with("https://127.0.0.1:") && secret.named() == Some(thumbprint));
    }
}
