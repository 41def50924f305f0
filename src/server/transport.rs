//! From the listening socket to requests: connections get their places, TLS, and HTTP/1.1.

use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, map_config};
use actix_tls::accept::max_concurrent_tls_connect;
use actix_tls::accept::openssl::TlsStream;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use openssl::ssl::SslAcceptor;

use super::authentication::client_certificate;
use super::authentication::negotiate::Channel;
use super::connections::{Connections, admitting};
use super::tls;

/// How many threads of each worker may run blocking work.
const BLOCKING_THREADS: usize = 24;
/// How long requests may go on after the server was told to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);
/// How long the end of a connection may take.
pub(super) const DISCONNECT_TIME: Duration = Duration::from_secs(2);
/// How many connections actix may have beyond those that have a place: those that have just been closed.
const CLOSING: usize = 256;

/// What connections are served by.
pub(super) struct Transport {
    pub(super) address: SocketAddr,
    pub(super) tls: SslAcceptor,
    /// How long a client may take for the TLS handshake, and again to send the head of a request.
    pub(super) head_time: Duration,
    /// How long a connection may be idle.
    pub(super) keep_alive: Duration,
    /// Whether callers may send tokens that belong to their connection.
    pub(super) takes_tokens: bool,
    pub(super) connections: Arc<Connections>,
}

impl Transport {
    /// Serves until `stop` is done, then lets requests finish for a bounded time.
    pub(super) async fn serve<F, I, S, B>(
        self,
        listener: TcpListener,
        app: F,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Error = Error, InitError: Debug> + 'static,
        S::Response: Into<Response<B>> + 'static,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        let Self { address, tls, head_time, keep_alive, takes_tokens, connections } = self;
        // Who has a place is decided when a connection is accepted; actix must not make anybody wait before that.
        let most = connections.limit().saturating_add(CLOSING);
        max_concurrent_tls_connect(most);
        let server = actix_server::Server::build()
            .workers(std::thread::available_parallelism().map_or(1, usize::from).min(16))
            .worker_max_blocking_threads(BLOCKING_THREADS)
            .max_concurrent_connections(most)
            .shutdown_signal(stop)
            .shutdown_timeout(SHUTDOWN_TIME.as_secs());
        let stopping = server.graceful_shutdown_signal();
        let of_one_worker = move || {
            let (opened, stopping) = (connections.clone(), stopping.clone());
            let app = app().into_factory().map_err(|error: Error| error.error_response());
            let https = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(keep_alive)
                .client_request_timeout(head_time)
                .client_disconnect_timeout(DISCONNECT_TIME)
                .tcp_nodelay(true)
                .local_addr(address)
                .on_connect_ext(move |stream: &TlsStream<TcpStream>, data| {
                    opened.opened(stream, data);
                    client_certificate::shown(stream, data);
                    if takes_tokens {
                        Channel::opened(stream, data);
                    }
                })
                .finish(map_config(app, |()| AppConfig::default()))
                .openssl_with_config(tls.clone(), tls::handshake(head_time));
            admitting(https, connections.clone())
        };
        server.listen("wsman", listener, of_one_worker)?.run().await
    }
}
