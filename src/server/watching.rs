//! The listener for those who watch the service: `/metrics` (OpenMetrics) and `/healthz`, over plain HTTP.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{App, HttpResponse, HttpServer, rt, web};

use super::ServerError;
use crate::metrics::{Ailment, CONTENT_TYPE, Exposition, Watched};

/// How many may ask at a time.
const CONNECTIONS: usize = 32;
/// How long a client may take to ask.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a look may take; what has not been seen by then is not well.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listener that has its port.
#[derive(Debug)]
pub struct Watching {
    address: SocketAddr,
    listener: TcpListener,
}

impl Watching {
    /// Takes the port.
    pub fn bind(listen: SocketAddr) -> Result<Self, ServerError> {
        let listening = |source| ServerError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(listening)?;
        Ok(Self { address: listener.local_addr().map_err(listening)?, listener })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for ever. Should that end, the log tells so, and the service goes on.
    pub(super) async fn serve(self, watched: Arc<dyn Watched>) {
        let ended = match self.server(watched) {
            Ok(server) => server.await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::error!(%error, "/metrics and /healthz are not served any more");
        }
    }

    fn server(self, watched: Arc<dyn Watched>) -> io::Result<Server> {
        let app = move || {
            let (of_metrics, of_health) = (watched.clone(), watched.clone());
            App::new()
                .route("/metrics", web::get().to(move || metrics(of_metrics.clone())))
                .route("/healthz", web::get().to(move || health(of_health.clone())))
                .default_service(web::to(nothing_here))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .worker_max_blocking_threads(2)
            .max_connections(CONNECTIONS)
            .client_request_timeout(HEAD_TIME)
            .disable_signals()
            .listen(self.listener)?;
        Ok(server.run())
    }
}

async fn metrics(watched: Arc<dyn Watched>) -> HttpResponse {
    let write = move || {
        let mut exposition = Exposition::default();
        watched.write(&mut exposition);
        exposition.finish()
    };
    match look(write).await {
        Some(text) => HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text),
        None => plain(HttpResponse::ServiceUnavailable().finish(), "The figures could not be read in time.\n"),
    }
}

async fn health(watched: Arc<dyn Watched>) -> HttpResponse {
    let ailments = look(move || watched.ailments()).await;
    let ailments = ailments.unwrap_or_else(|| {
        vec![Ailment::new("service", "what it is asked is not answered in time; the store or a disk may hang")]
    });
    if ailments.is_empty() {
        return plain(HttpResponse::Ok().finish(), "well\n");
    }
    let lines: String = ailments.iter().map(|Ailment { part, words }| format!("{part}: {words}\n")).collect();
    plain(HttpResponse::ServiceUnavailable().finish(), lines)
}

/// Looks beside the event loop; `None` if that takes too long or breaks down.
async fn look<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(PATIENCE, rt::task::spawn_blocking(work)).await.ok()?.ok()
}

fn plain(mut response: HttpResponse, text: impl Into<String>) -> HttpResponse {
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.set_body(actix_web::body::BoxBody::new(text.into()))
}

async fn nothing_here() -> HttpResponse {
    plain(HttpResponse::NotFound().finish(), "There is nothing here but /metrics and /healthz.\n")
}
