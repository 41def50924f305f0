//! The transport: HTTPS, authentication and limits in front of the WS-Management service.
//!
//! Everything that a request may cost before somebody's identity is proven is bounded here: the handshake, the head and the
//! body in time, the body in size, connections and password hashes in number.

mod authentication;
mod body;
pub mod certificate;
mod connections;
mod content;
mod descriptors;
mod endpoint;
mod figures;
mod in_flight;
mod loops;
mod origin;
mod refusal;
mod reply_body;
mod requests;
mod tls;
mod transport;
mod upload;
mod watching;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::{App, HttpRequest, HttpResponse, web};
use openssl::ssl::SslAcceptor;
use tokio::sync::watch;

use self::authentication::Authentication;
use self::authentication::negotiate::Negotiate;
pub use self::authentication::{ClientCertificates, Kerberos, KerberosError, keytab_variable};
pub use self::connections::Busy;
use self::connections::{Connection, Connections, Limits};
use self::endpoint::{Access, Endpoint};
use self::figures::RequestFigures;
use self::in_flight::InFlight;
pub use self::loops::Loops;
pub use self::origin::Origin;
pub use self::tls::{Presented, TlsError};
use self::transport::{DISCONNECT_TIME, Transport};
use self::upload::Uploads;
pub use self::upload::{Claim, SpoolError, Spooled, UploadSettings};
pub use self::watching::Watching;
use crate::access::{Caller, DigestAlgorithm, PeerCertificate, RequestId, Users};
use crate::config::Live;
use crate::metrics::{Ailment, Exposition, Watched};
use crate::wsman;

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
    /// The algorithms that digests of passwords are offered with, in this order.
    pub digest: Vec<DigestAlgorithm>,
    /// How Kerberos tickets are taken; `None` takes none.
    pub kerberos: Option<Kerberos>,
    /// How many requests may be answered at a time.
    pub requests: usize,
    /// How clients are asked for certificates; `None` asks for none.
    pub client_certificates: Option<ClientCertificates>,
    /// How package files are taken that come in requests; `None` takes none.
    pub uploads: Option<UploadSettings>,
}

/// Tells answers that go on for long when the server comes to its end.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Is done when the server comes to its end.
    pub async fn told(&mut self) {
        // Who would tell it is gone: so is the server.
        let _ = self.0.wait_for(|is_told| *is_told).await;
    }
}

/// Adds resources beside those of WS-Management, which judge by themselves who may see them.
pub type Routes = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

/// A server that has its port and is ready to run.
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
    tls: SslAcceptor,
    presented: Presented,
    settings: Live<Settings>,
    users: Arc<Users>,
    service: Arc<wsman::Service>,
    uploads: Option<Arc<Uploads>>,
    negotiate: Option<Arc<Negotiate>>,
    watching: Option<(Watching, Arc<dyn Watched>)>,
    routes: Option<Routes>,
    loops: Loops,
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
    /// Tickets cannot be taken.
    #[error(transparent)]
    Kerberos(#[from] KerberosError),
}

impl Server {
    /// Takes the port, unless it was given one. From now on clients can connect; they are answered once [`Self::run`] runs.
    pub fn bind(
        settings: Settings,
        given: Option<TcpListener>,
        identity: &certificate::Identity,
        users: Arc<Users>,
        service: Arc<wsman::Service>,
    ) -> Result<Self, ServerError> {
        let (presented, tls) =
            Presented::begin(identity, settings.client_certificates.as_ref(), users.audit().clone())?;
        let open = |kerberos| Negotiate::open(kerberos, tls.context().certificate());
        let negotiate = settings.kerberos.as_ref().map(open).transpose()?.map(Arc::new);
        let listening = |source| ServerError::Listen { address: settings.listen, source };
        let listener = given.map_or_else(|| TcpListener::bind(settings.listen), Ok).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let uploads =
            settings.uploads.clone().map(Uploads::open).transpose().map_err(ServerError::Uploads)?.map(Arc::new);
        let (loops, settings) = (Loops::default(), Live::new(settings));
        let (watching, routes) = (None, None);
        Ok(Self {
            address,
            listener,
            tls,
            presented,
            settings,
            users,
            service,
            uploads,
            negotiate,
            watching,
            routes,
            loops,
        })
    }

    /// The same with a listener for those who watch the service; they are told what `watched` tells, and what happens here.
    pub fn with_watching(self, watching: Watching, watched: Arc<dyn Watched>) -> Self {
        Self { watching: Some((watching, watched)), ..self }
    }

    /// The same with further resources.
    pub fn with_routes(self, routes: Routes) -> Self {
        Self { routes: Some(routes), ..self }
    }

    /// Where the server listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it presents to clients, to be replaced while it runs.
    pub fn presented(&self) -> &Presented {
        &self.presented
    }

    /// The event loops that answer clients, once it runs.
    pub fn loops(&self) -> &Loops {
        &self.loops
    }

    /// How requests are served, to be replaced while it runs. What counts for connections, ports and uploads stays what it was at
    /// the start.
    pub fn settings(&self) -> &Live<Settings> {
        &self.settings
    }

    /// Serves until `stop` is done, then lets requests finish for a bounded time.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { address, listener, tls, presented: _, settings, .. } = self;
        let Self { users, service, uploads, negotiate, watching, routes, loops, .. } = self;
        let at_start = settings.get();
        descriptors::make_room_for(at_start.connections);
        let idle = at_start.keep_alive + at_start.head_time;
        let limits = Limits { open: at_start.connections, idle, ending: DISCONNECT_TIME };
        let connections = Arc::new(Connections::new(limits));
        let figures = Arc::new(RequestFigures::default());
        let in_flight = Arc::new(InFlight::new());
        let (head_time, keep_alive) = (at_start.head_time, at_start.keep_alive);
        let takes_tokens = negotiate.is_some();
        let transport =
            Transport { address, tls, head_time, keep_alive, takes_tokens, connections: connections.clone() };
        let mut beside = vec![tokio::spawn(connections.clone().watch())];
        if let Some((watching, watched)) = watching {
            let figures = figures.clone();
            let everything = Everything { connections, figures, in_flight: in_flight.clone(), watched };
            beside.push(tokio::spawn(watching.serve(Arc::new(everything))));
        }
        let (tell, told) = watch::channel(false);
        let stop = async move {
            stop.await;
            tell.send_replace(true);
        };
        let app = move || {
            // Once on each of the loops.
            loops.take_in();
            let authentication = Authentication::new(users.clone(), settings.clone(), negotiate.clone());
            let service = service.clone();
            let endpoint =
                Endpoint::new(settings.clone(), address, authentication, service, uploads.clone(), in_flight.clone());
            let endpoint = Rc::new(endpoint);
            let figures = figures.clone();
            let resource = |path: &str, access| {
                let endpoint = endpoint.clone();
                web::resource(path)
                    .route(web::post().to(move |request, payload| endpoint.clone().serve(access, request, payload)))
                    .default_service(web::to(only_post))
            };
            App::new()
                .app_data(Stopping(told.clone()))
                .app_data(Taking(uploads.clone()))
                .wrap_fn(move |request, service| requests::answered(request, service, figures.clone()))
                .service(resource("/wsman", Access::Users))
                .service(resource("/wsman/", Access::Users))
                .service(resource("/wsman-anon/identify", Access::Anybody))
                .default_service(web::to(nothing_here))
                .configure(|config| routes.iter().for_each(|routes| routes(config)))
        };
        let result = transport.serve(listener, app, stop).await;
        beside.into_iter().for_each(|task| task.abort());
        result
    }
}

/// What those who watch are told: what happens here, and what the rest of the service tells.
struct Everything {
    connections: Arc<Connections>,
    figures: Arc<RequestFigures>,
    in_flight: Arc<InFlight>,
    watched: Arc<dyn Watched>,
}

impl Watched for Everything {
    fn write(&self, exposition: &mut Exposition) {
        figures::write_connections(&self.connections, exposition);
        self.figures.write(exposition);
        figures::write_in_flight(&self.in_flight, exposition);
        self.watched.write(exposition);
    }

    fn ailments(&self) -> Vec<Ailment> {
        self.watched.ailments()
    }
}

/// Keeps the connection of a request from being cut off as idle while it is answered; to be held until then. Answers of
/// [`Routes`] need it if they take longer than a moment.
pub fn answering(request: &HttpRequest) -> Option<Busy> {
    request.conn_data::<Arc<Connection>>().map(Connection::busy)
}

/// Tells that whoever sends this request of [`Routes`] has shown who they are, so that its connection does not make room for
/// others like those of strangers; gives what the request is called.
pub fn let_in(request: &HttpRequest) -> Option<RequestId> {
    if let Some(connection) = request.conn_data::<Arc<Connection>>() {
        connection.is_known();
    }
    requests::id_of(request)
}

/// What the certificate says that the client showed on the connection of a request of [`Routes`], if it showed one.
pub fn certificate_of(request: &HttpRequest) -> Option<Arc<PeerCertificate>> {
    authentication::shown(request)
}

/// Where [`Routes`] find how package files are taken.
#[derive(Clone, Debug)]
struct Taking(Option<Arc<Uploads>>);

/// The largest package file that is taken, in octets; `None` where none are.
pub fn largest_file(request: &HttpRequest) -> Option<u64> {
    Some(request.app_data::<Taking>()?.0.as_ref()?.longest_file())
}

/// Begins to take a package file that a request of [`Routes`] brings, for a caller who may install; `None` where none are
/// taken.
pub fn take_file(request: &HttpRequest, caller: &Caller) -> Option<Result<Spooled, SpoolError>> {
    let uploads = request.app_data::<Taking>()?.0.as_ref()?;
    Some(Spooled::begin(uploads, &caller.name))
}

/// What tells the answer to a request that the server comes to its end.
pub fn stopping(request: &HttpRequest) -> Option<Stopping> {
    request.app_data::<Stopping>().cloned()
}

async fn only_post() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, Method::POST.as_str()))
        .content_type("text/plain; charset=utf-8")
        .body("WS-Management requests are sent with POST.\n")
}

/// The answer where there is nothing.
pub async fn nothing_here() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("There is nothing here. WS-Management is served at /wsman.\n")
}
