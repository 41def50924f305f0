//! HTTP(S) out: posts messages to sinks and fetches files, under address rules, with bounds on time and size.
//!
//! The HTTP client's parts cannot move between threads, so one thread of its own runs them all; [`Client`] is a handle to it.
//! A post follows no redirect; a fetch follows a few, and every address on the way is held to the rules. A post may show
//! who this service is, to one peer and no other.

mod address;
mod certificate;
mod channel_bindings;
mod connect;
mod credentials;
mod digest;
mod encrypted;
mod failure;
mod fetch;
pub mod header;
mod peer;
mod place;
mod pools;
mod post;
mod proxy;
mod self_signed;
mod thread;
mod ticket;
mod tls;
mod unproxied;
mod url;

#[cfg(test)]
mod authentication_tests;
#[cfg(test)]
mod proxy_tests;
#[cfg(test)]
pub(crate) mod sink;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use actix_web::web::Bytes;
use tokio::sync::{mpsc, oneshot};

pub use address::{AddressRuleError, AddressRules, Forbidden};
pub use certificate::{Identity, IdentityFiles, Thumbprint, ThumbprintError};
pub use channel_bindings::server_end_point;
pub use credentials::{Login, LoginError, Scheme, SinkCredentials};
pub use fetch::{Arrival, ContentRange, Fetch, Head, Part, Rest, Validators};
pub use peer::PeerCertificate;
pub use place::Place;
pub use proxy::{Proxy, ProxyError};
pub use self_signed::self_signed;
#[cfg(feature = "kerberos")]
pub(crate) use ticket::words;
pub use tls::TlsError;
pub use unproxied::{Unproxied, UnproxiedError};
pub use url::{Url, UrlError};

/// How the client behaves towards every peer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest time to find, reach and greet (TLS) a peer, each.
    pub connect_timeout: Duration,
    /// The longest time for everything of a post, from the first look-up to the last byte of the response.
    pub request_timeout: Duration,
    /// The longest time that a peer may send nothing of a file that is fetched.
    pub longest_silence: Duration,
    /// The longest response body to a post, in octets.
    pub max_response: usize,
    /// The most requests under way at once; others wait. Where one sender has one request under way, as each
    /// subscription has, a number not below that of the senders lets a dead peer delay nobody else.
    pub max_in_flight: usize,
    /// How long an idle connection is kept for the next request.
    pub keep_alive: Duration,
    /// Whether certificates are trusted that the system trusts.
    pub trusts_system: bool,
    /// Certificates (PEM) that are trusted too.
    pub trust_file: Option<PathBuf>,
    /// The proxy that files are fetched through. Messages are posted without it.
    pub proxy: Option<Proxy>,
    /// The certificate by which this service shows peers who it is, where [`SinkCredentials`] say so. Read at the start.
    pub identity: Option<IdentityFiles>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            longest_silence: Duration::from_secs(60),
            max_response: 64 * 1024,
            max_in_flight: 2048,
            keep_alive: Duration::from_secs(30),
            trusts_system: true,
            trust_file: None,
            proxy: None,
            identity: None,
        }
    }
}

/// A message to be posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// The Content-Type header.
    pub content_type: String,
    /// The body. Cloning it copies nothing.
    pub body: Bytes,
}

/// What the peer answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type header, if it was one line of ASCII.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The name has no address.
    #[error("the name {host} has no address")]
    Unresolved {
        /// The host as the URL names it.
        host: String,
    },
    /// The rules forbid the address that the name has now.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The peer was not reached.
    #[error("no connection: {0}")]
    Connect(String),
    /// The peer was reached and is not who it should be.
    #[error(
        "no connection: the peer's certificate is not trusted, is not of that host, or is not the one it was said to be"
    )]
    Untrusted,
    /// The peer was reached, but the exchange broke off.
    #[error("the exchange broke off: {0}")]
    Exchange(String),
    /// The peer took too long.
    #[error("no complete response in time")]
    TimedOut,
    /// The response is longer than allowed.
    #[error("the response is longer than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The peer does not accept who this service is.
    #[error("the peer does not let this service in: {0}")]
    Unauthorized(String),
    /// The peer sends on to where is not followed.
    #[error("a redirect is not followed: {0}")]
    Redirect(String),
    /// The client was stopped.
    #[error("the client was stopped")]
    Stopped,
}

/// Why the client cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The trust file or the client's certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The operating system gives no thread or no event loop.
    #[error("the thread for outgoing requests cannot be started")]
    Thread(#[from] std::io::Error),
}

/// A handle to the client. Clones share its connections; with the last of them it ends.
#[derive(Clone, Debug)]
pub struct Client {
    orders: mpsc::Sender<Order>,
    identity: Option<Arc<Identity>>,
}

/// What a handle asks of the thread.
#[derive(Debug)]
enum Order {
    Post(Post, Option<Arc<SinkCredentials>>, oneshot::Sender<Result<Response, ClientError>>),
    Check(Url, blocking::SyncSender<Result<(), ClientError>>),
    Fetch(Fetch, fetch::Outlet),
}

impl Client {
    /// Starts the client.
    pub fn start(settings: Settings, rules: AddressRules) -> Result<Self, StartError> {
        let trusted = tls::trusted(settings.trust_file.as_deref())?;
        let identity = settings.identity.as_ref().map(Identity::load).transpose()?.map(Arc::new);
        let (orders, queue) = mpsc::channel(256);
        thread::start(settings, rules, trusted, identity.clone(), queue)?;
        Ok(Self { orders, identity })
    }

    /// The certificate by which this service shows peers who it is, if one is configured.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// Posts a message and gives what the peer answered. Dropping the future gives the request up.
    pub async fn post(&self, post: Post) -> Result<Response, ClientError> {
        self.post_as(post, None).await
    }

    /// Posts a message to the peer that the credentials are for. Whatever its status is, what it answered is given;
    /// only 401 is [`ClientError::Unauthorized`] here.
    pub async fn post_as(
        &self,
        post: Post,
        credentials: Option<Arc<SinkCredentials>>,
    ) -> Result<Response, ClientError> {
        if credentials.as_ref().is_some_and(|credentials| !credentials.are_for(&post.url)) {
            return Err(ClientError::Unauthorized("the credentials are for another address".to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Post(post, credentials, reply)).await.map_err(|_| ClientError::Stopped)?;
        answer.await.unwrap_or(Err(ClientError::Stopped))
    }

    /// Begins to fetch a file. Does not block.
    pub fn fetch(&self, fetch: Fetch) -> Result<Arrival, ClientError> {
        let (outlet, arrival) = fetch::way();
        self.try_order(Order::Fetch(fetch, outlet))?;
        Ok(arrival)
    }

    /// Looks the host up and asks the address rules, without connecting. Blocks: call it off the event loop.
    pub fn check(&self, url: &Url) -> Result<(), ClientError> {
        let (reply, answer) = blocking::sync_channel(1);
        self.try_order(Order::Check(url.clone(), reply))?;
        answer.recv().unwrap_or(Err(ClientError::Stopped))
    }

    /// A full queue means thousands of requests wait; whoever asks now is told to come back.
    fn try_order(&self, order: Order) -> Result<(), ClientError> {
        self.orders.try_send(order).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => ClientError::TimedOut,
            mpsc::error::TrySendError::Closed(_) => ClientError::Stopped,
        })
    }
}
