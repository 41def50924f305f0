//! Resolve, check, connect: the address that is connected to is the one that was checked, so a name whose addresses
//! change between check and connection gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use actix_web::dev::{Service, always_ready};
use awc::http::Uri;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::encrypted::Encrypted;
use super::tls::Tls;
use super::url::bare_host;
use super::{AddressRules, ClientError, Forbidden, Proxy, proxy};

/// What the HTTP client opens its connections with. The client bounds its time.
#[derive(Clone)]
pub(super) struct Connector {
    rules: Rc<AddressRules>,
    proxy: Option<Proxy>,
    /// Whether what goes over them will be encrypted.
    is_tls: bool,
}

impl Connector {
    pub(super) fn new(rules: Rc<AddressRules>) -> Self {
        Self { rules, proxy: None, is_tls: false }
    }

    /// The same through a proxy, which its operator named and the rules are not asked about.
    pub(super) fn through(rules: Rc<AddressRules>, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..Self::new(rules) }
    }

    /// The same, encrypted like this; the time is the longest to find and reach a peer, and to greet it.
    pub(super) fn encrypted(self, tls: Tls, patience: Duration) -> TlsConnector {
        TlsConnector { tcp: Self { is_tls: true, ..self }, tls, patience }
    }
}

impl Service<ConnectInfo<Uri>> for Connector {
    type Response = Connection<Uri, TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>>>>;

    always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let Self { rules, proxy, is_tls } = self.clone();
        Box::pin(async move {
            let host = bare_host(info.request());
            let stream = match proxy.filter(|proxy| proxy.serves(host)) {
                None => direct(&rules, host, info.port()).await?,
                Some(proxy) => by_proxy(&rules, &proxy, &info, is_tls).await?,
            };
            stream.set_nodelay(true).map_err(ConnectError::Io)?;
            Ok(Connection::new(info.request().clone(), stream))
        })
    }
}

/// The same with encryption. A peer that is not who it should be is not connected to.
#[derive(Clone)]
pub(super) struct TlsConnector {
    tcp: Connector,
    tls: Tls,
    patience: Duration,
}

impl Service<ConnectInfo<Uri>> for TlsConnector {
    type Response = Connection<Uri, Encrypted>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>>>>;

    always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let Self { tcp, tls, patience } = self.clone();
        Box::pin(async move {
            let late = |_| failed(ClientError::Connect("no connection in time".to_owned()));
            let (stream, uri) = timeout(patience, tcp.call(info)).await.map_err(late)??.into_parts();
            let ssl = tls.with(bare_host(&uri));
            let ssl =
                ssl.map_err(|error| failed(ClientError::Connect(format!("OpenSSL cannot be set up: {error}"))))?;
            let greeted = timeout(patience, Encrypted::begin(ssl, stream)).await.map_err(late)?;
            Ok(Connection::new(uri, greeted.map_err(failed)?))
        })
    }
}

fn failed(error: ClientError) -> ConnectError {
    ConnectError::Resolver(Box::new(error))
}

async fn direct(rules: &AddressRules, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let addresses = permitted(rules, host, port).await.map_err(failed)?;
    first_reached(&addresses).await.map_err(ConnectError::Io)
}

/// A connection that the proxy makes, or that it will take a request on. A name that has no address here may have one there.
async fn by_proxy(
    rules: &AddressRules,
    proxy: &Proxy,
    info: &ConnectInfo<Uri>,
    is_tls: bool,
) -> Result<TcpStream, ConnectError> {
    let host = bare_host(info.request());
    match permitted(rules, host, info.port()).await {
        Ok(_) | Err(ClientError::Unresolved { .. }) => {}
        Err(forbidden) => return Err(failed(forbidden)),
    }
    let unhelpful = |why: String| failed(ClientError::Connect(format!("the proxy {proxy} {why}")));
    let addresses = resolve(proxy.host(), proxy.port()).await;
    let mut stream =
        first_reached(&addresses).await.map_err(|error| unhelpful(format!("cannot be reached: {error}")))?;
    if is_tls {
        let named = info.request().host().unwrap_or(host);
        proxy::tunnel(&mut stream, proxy, named, info.port()).await.map_err(unhelpful)?;
    }
    Ok(stream)
}

/// The addresses of a host that the rules permit; at least one.
pub(super) async fn permitted(rules: &AddressRules, host: &str, port: u16) -> Result<Vec<SocketAddr>, ClientError> {
    let mut permitted = Vec::new();
    let mut forbidden: Option<Forbidden> = None;
    for address in resolve(host, port).await {
        match rules.check(host, address.ip()) {
            Ok(()) => permitted.push(address),
            Err(reason) => forbidden = Some(reason),
        }
    }
    match (permitted.is_empty(), forbidden) {
        (false, _) => Ok(permitted),
        (true, Some(reason)) => Err(reason.into()),
        (true, None) => Err(ClientError::Unresolved { host: host.to_owned() }),
    }
}

async fn resolve(host: &str, port: u16) -> Vec<SocketAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return vec![SocketAddr::new(address, port)];
    }
    let name = host.to_owned();
    let found =
        tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs().map(Iterator::collect)).await;
    found.ok().and_then(Result::ok).unwrap_or_default()
}

async fn first_reached(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
