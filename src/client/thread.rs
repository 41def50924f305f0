//! The thread that owns the connections: takes orders, runs each as a task of its own.

use std::cell::OnceCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use awc::error::PayloadError;
use openssl::error::ErrorStack;
use openssl::ssl::SslConnector;
use openssl::x509::X509;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{Instant, interval_at, timeout};

use super::connect::{Connector, permitted};
use super::failure::failed_request;
use super::{AddressRules, ClientError, Order, Post, Response, Settings, Url, fetch, tls};

/// Look-ups of names block a thread each; so many names may hang before another waits for them.
const LOOKUP_THREADS: usize = 64;
/// The pool keeps idle connections until their peer is called again, which for a peer that is gone is never;
/// so the pool itself is replaced from time to time.
const POOL_LIFETIME: Duration = Duration::from_secs(300);
/// Connections are renewed after this time, so that a name's new addresses are checked and used.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(75);

pub(super) fn start(
    settings: Settings,
    rules: AddressRules,
    trusted: Vec<X509>,
    queue: mpsc::Receiver<Order>,
) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(LOOKUP_THREADS).build()?;
    std::thread::Builder::new().name("client".to_owned()).spawn(move || {
        let worker = Worker { settings, rules: Rc::new(rules), trusted, tls: OnceCell::new() };
        LocalSet::new().block_on(&runtime, worker.run(queue));
        // A look-up that hangs must not hold the end back.
        runtime.shutdown_background();
    })?;
    Ok(())
}

struct Worker {
    settings: Settings,
    rules: Rc<AddressRules>,
    trusted: Vec<X509>,
    tls: OnceCell<SslConnector>,
}

impl Worker {
    /// Takes orders until the last handle is gone.
    async fn run(self, mut queue: mpsc::Receiver<Order>) {
        let in_flight = Arc::new(Semaphore::new(self.settings.max_in_flight.max(1)));
        let mut renewal = interval_at(Instant::now() + POOL_LIFETIME, POOL_LIFETIME);
        let mut http: Option<awc::Client> = None;
        while let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await {
            let order = tokio::select! {
                order = queue.recv() => order,
                _ = renewal.tick() => {
                    http = None;
                    continue;
                }
            };
            let Some(order) = order else { break };
            let task: Pin<Box<dyn Future<Output = ()>>> = match order {
                Order::Post(post, reply) => Box::pin(self.post(self.pool(&mut http), post, reply)),
                Order::Check(url, reply) => Box::pin(self.check(url, reply)),
                Order::Fetch(fetch, outlet) => {
                    Box::pin(fetch::run(self.pool(&mut http), fetch, outlet, self.settings.longest_silence))
                }
            };
            tokio::task::spawn_local(async move {
                task.await;
                drop(permit);
            });
        }
    }

    /// The pool in use, made when it is first needed: loading the system's roots takes time and memory.
    fn pool(&self, http: &mut Option<awc::Client>) -> Result<awc::Client, ErrorStack> {
        if let Some(http) = http {
            return Ok(http.clone());
        }
        let tls = match self.tls.get() {
            Some(tls) => tls.clone(),
            None => {
                let made = tls::connector(&self.trusted)?;
                self.tls.get_or_init(|| made).clone()
            }
        };
        let connector = awc::Connector::new()
            .connector(Connector::new(Rc::clone(&self.rules)))
            .openssl(tls)
            .timeout(self.settings.connect_timeout)
            .handshake_timeout(self.settings.connect_timeout)
            .conn_keep_alive(self.settings.keep_alive)
            .conn_lifetime(CONNECTION_LIFETIME)
            .limit(0);
        let made = awc::Client::builder().connector(connector).disable_redirects().disable_timeout().finish();
        Ok(http.insert(made).clone())
    }

    fn post(
        &self,
        http: Result<awc::Client, ErrorStack>,
        post: Post,
        mut reply: oneshot::Sender<Result<Response, ClientError>>,
    ) -> impl Future<Output = ()> + use<> {
        let (limit, longest) = (self.settings.max_response, self.settings.request_timeout);
        async move {
            let result = match http {
                Ok(http) => tokio::select! {
                    () = reply.closed() => return,
                    result = timeout(longest, exchange(&http, post, limit)) => result,
                },
                Err(error) => Ok(Err(ClientError::Connect(format!("OpenSSL cannot be set up: {error}")))),
            };
            // Whoever asked and went away needs no answer.
            let _ = reply.send(result.unwrap_or(Err(ClientError::TimedOut)));
        }
    }

    fn check(
        &self,
        url: Url,
        reply: blocking::SyncSender<Result<(), ClientError>>,
    ) -> impl Future<Output = ()> + use<> {
        let (rules, longest) = (Rc::clone(&self.rules), self.settings.connect_timeout);
        async move {
            let result = timeout(longest, permitted(&rules, url.host(), url.port())).await;
            let unresolved = || ClientError::Unresolved { host: url.host().to_owned() };
            // Whoever asked and went away needs no answer.
            let _ = reply.try_send(result.unwrap_or_else(|_| Err(unresolved())).map(|_| ()));
        }
    }
}

async fn exchange(http: &awc::Client, post: Post, limit: usize) -> Result<Response, ClientError> {
    let request = http.post(post.url.uri()).content_type(post.content_type);
    let mut response = request.send_body(post.body).await.map_err(failed_request)?;
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = response.body().limit(limit).await.map_err(|e| match e {
        PayloadError::Overflow => ClientError::TooLarge { limit },
        other => ClientError::Exchange(other.to_string()),
    })?;
    Ok(Response { status, content_type, body })
}
