//! The transport: HTTPS, authentication and limits in front of the WS-Management service.
//!
//! Everything that a request may cost before somebody's identity is proven is bounded here: the handshake, the head and the
//! body in time, the body in size, connections and password hashes in number.

mod authorization;
mod body;
pub mod certificate;
mod connections;
mod content;
mod endpoint;
mod refusal;
mod reply_body;
mod tls;
mod upload;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::{App, HttpResponse, HttpServer, web};
use openssl::ssl::SslAcceptorBuilder;

use self::connections::Connections;
use self::endpoint::{Access, Endpoint};
pub use self::tls::{Presented, TlsError};
pub use self::upload::UploadSettings;
use self::upload::Uploads;
use crate::access::Users;
use crate::wsman;

/// How many threads of each worker may run blocking work.
const BLOCKING_THREADS: usize = 16;
/// How long requests may go on after the server was told to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);
/// How long the end of a connection may take.
const DISCONNECT_TIME: Duration = Duration::from_secs(2);
/// The kernel's queue of connections that wait to be accepted is filled by `TcpListener`; this many handshakes go on at once.
const HANDSHAKES: usize = 64;

/// What the server needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The largest request body, in octets.
    pub body_octets: usize,
    /// How long a client may take to send a body.
    pub body_time: Duration,
    /// How long a client may take for the TLS handshake, and again to send the head of a request.
    pub head_time: Duration,
    /// How long a connection may be idle.
    pub keep_alive: Duration,
    /// How many connections may be open.
    pub connections: usize,
    /// How package files are taken that come in requests; `None` takes none.
    pub uploads: Option<UploadSettings>,
}

/// A server that has its port and is ready to run.
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
    tls: SslAcceptorBuilder,
    presented: Presented,
    settings: Settings,
    users: Arc<Users>,
    service: Arc<wsman::Service>,
    uploads: Option<Arc<Uploads>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The folder for package files that come in requests cannot be used.
    #[error("cannot use the folder of uploads: {0}")]
    Uploads(#[source] io::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Takes the port. From now on clients can connect; they are answered once [`Self::run`] runs.
    pub fn bind(
        settings: Settings,
        identity: &certificate::Identity,
        users: Arc<Users>,
        service: Arc<wsman::Service>,
    ) -> Result<Self, ServerError> {
        let (presented, tls) = Presented::begin(identity)?;
        let listening = |source| ServerError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let uploads =
            settings.uploads.clone().map(Uploads::open).transpose().map_err(ServerError::Uploads)?.map(Arc::new);
        Ok(Self { address, listener, tls, presented, settings, users, service, uploads })
    }

    /// Where the server listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it presents to clients, to be replaced while it runs.
    pub fn presented(&self) -> &Presented {
        &self.presented
    }

    /// Serves until `stop` is done, then lets requests finish for a bounded time.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { address, listener, tls, presented: _, settings, users, service, uploads } = self;
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(16);
        let connections = Arc::new(Connections::new(settings.keep_alive + settings.head_time, DISCONNECT_TIME));
        let watch = tokio::spawn(connections.clone().watch());
        let (head_time, keep_alive, limit) = (settings.head_time, settings.keep_alive, settings.connections);
        let app = move || {
            let endpoint = Endpoint::new(&settings, address, users.clone(), service.clone(), uploads.clone());
            let endpoint = Rc::new(endpoint);
            let resource = |path: &str, access| {
                let endpoint = endpoint.clone();
                web::resource(path)
                    .route(web::post().to(move |request, payload| endpoint.clone().serve(access, request, payload)))
                    .default_service(web::to(only_post))
            };
            App::new()
                .service(resource("/wsman", Access::Users))
                .service(resource("/wsman/", Access::Users))
                .service(resource("/wsman-anon/identify", Access::Anybody))
                .default_service(web::to(nothing_here))
        };
        let server = HttpServer::new(app)
            .workers(workers)
            .worker_max_blocking_threads(BLOCKING_THREADS)
            .max_connections((limit / workers).max(1))
            .max_connection_rate(HANDSHAKES)
            .tls_handshake_timeout(head_time)
            .client_request_timeout(head_time)
            .client_disconnect_timeout(DISCONNECT_TIME)
            .keep_alive(keep_alive)
            .tcp_nodelay(true)
            .shutdown_signal(stop)
            .shutdown_timeout(SHUTDOWN_TIME.as_secs())
            .on_connect(move |stream, data| connections.opened(stream, data))
            .listen_openssl(listener, tls)?;
        let result = server.run().await;
        watch.abort();
        result
    }
}

async fn only_post() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, Method::POST.as_str()))
        .content_type("text/plain; charset=utf-8")
        .body("WS-Management requests are sent with POST.\n")
}

async fn nothing_here() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("There is nothing here. WS-Management is served at /wsman.\n")
}
