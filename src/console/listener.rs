//! Where hosts deliver events to, if they can reach us: an HTTP server of ours, with a path for each subscription that nobody
//! can guess.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::soap::{Encoding, Envelope};
use crate::wire::delivery::{Delivered, wants_ack, write_ack};
use crate::xml::Limits;

/// The largest delivery, in octets.
const LARGEST: usize = 4 * 1024 * 1024;
/// How many deliveries may wait for whoever takes them; then their senders wait.
const WAITING: usize = 256;
/// How long a sender may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
const SOAP: &str = "application/soap+xml;charset=UTF-8";

/// What is known of the server while it runs.
#[derive(Clone, Debug)]
pub struct Listener {
    address: SocketAddr,
    inlets: Inlets,
}

/// Where the events of one subscription come in. With it its path goes.
#[derive(Debug)]
pub struct Inlet {
    path: String,
    inlets: Inlets,
    told: mpsc::Receiver<Vec<Delivered>>,
}

type Inlets = Arc<Mutex<HashMap<String, mpsc::Sender<Vec<Delivered>>>>>;

impl Listener {
    /// Listens; port 0 takes a free one. The second thing is the server, which takes deliveries while it is awaited.
    pub fn bind(address: SocketAddr) -> io::Result<(Self, impl Future<Output = io::Result<()>>)> {
        let inlets = Inlets::default();
        let shared = Arc::clone(&inlets);
        let app = move || {
            let inlets = Arc::clone(&shared);
            let deliveries = web::post().to(move |request, body| take(Arc::clone(&inlets), request, body));
            App::new().app_data(web::PayloadConfig::new(LARGEST)).default_service(deliveries)
        };
        let server =
            HttpServer::new(app).workers(1).disable_signals().client_request_timeout(PATIENCE).bind(address)?;
        let address = server.addrs().first().copied().unwrap_or(address);
        Ok((Self { address, inlets }, server.run()))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new way in.
    pub fn inlet(&self) -> Inlet {
        let (sender, told) = mpsc::channel(WAITING);
        let path = format!("/events/{}", Uuid::new_v4());
        self.inlets.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), sender);
        Inlet { path, inlets: Arc::clone(&self.inlets), told }
    }
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
async fn take(inlets: Inlets, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let inlet = inlets.lock().unwrap_or_else(PoisonError::into_inner).get(request.path()).cloned();
    let Some(inlet) = inlet else { return HttpResponse::NotFound().finish() };
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

fn read(body: &[u8], content_type: Option<&str>) -> Option<Envelope> {
    let encoding = Encoding::detect(body, content_type.and_then(super::session::charset)).ok()?;
    Envelope::read(&encoding.decode(body).ok()?, &Limits::default()).ok()
}
