//! The thread that owns the connections: takes orders, runs each as a task of its own.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use openssl::x509::X509;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{Instant, interval_at, timeout};

use super::connect::permitted;
use super::pools::Pools;
use super::post::exchange;
use super::{AddressRules, ClientError, Identity, Order, Post, Response, Settings, SinkCredentials, Url, fetch};

/// Look-ups of names block a thread each; so many names may hang before another waits for them.
const LOOKUP_THREADS: usize = 64;
/// A pool keeps idle connections until their peer is called again, which for a peer that is gone is never;
/// so the pools themselves are replaced from time to time.
const POOL_LIFETIME: Duration = Duration::from_secs(300);

pub(super) fn start(
    settings: Settings,
    rules: AddressRules,
    trusted: Vec<X509>,
    identity: Option<Arc<Identity>>,
    queue: mpsc::Receiver<Order>,
) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(LOOKUP_THREADS).build()?;
    std::thread::Builder::new().name("client".to_owned()).spawn(move || {
        let rules = Rc::new(rules);
        let pools = Pools::new(settings.clone(), Rc::clone(&rules), trusted, identity);
        let pools = Rc::new(RefCell::new(pools));
        let worker = Worker { settings, rules, pools };
        LocalSet::new().block_on(&runtime, worker.run(queue));
        // A look-up that hangs must not hold the end back.
        runtime.shutdown_background();
    })?;
    Ok(())
}

struct Worker {
    settings: Settings,
    rules: Rc<AddressRules>,
    pools: Rc<RefCell<Pools>>,
}

impl Worker {
    /// Takes orders until the last handle is gone.
    async fn run(self, mut queue: mpsc::Receiver<Order>) {
        let in_flight = Arc::new(Semaphore::new(self.settings.max_in_flight.max(1)));
        let mut renewal = interval_at(Instant::now() + POOL_LIFETIME, POOL_LIFETIME);
        while let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await {
            let order = tokio::select! {
                order = queue.recv() => order,
                _ = renewal.tick() => {
                    self.pools.borrow_mut().renew();
                    continue;
                }
            };
            let Some(order) = order else { break };
            let task: Pin<Box<dyn Future<Output = ()>>> = match order {
                Order::Post(post, credentials, reply) => Box::pin(self.post(post, credentials, reply)),
                Order::Check(url, reply) => Box::pin(self.check(url, reply)),
                Order::Fetch(fetch, outlet) => {
                    let (pools, proxy) = (Rc::clone(&self.pools), self.settings.proxy.clone());
                    Box::pin(fetch::run(pools, fetch, outlet, proxy, self.settings.longest_silence))
                }
            };
            tokio::task::spawn_local(async move {
                task.await;
                drop(permit);
            });
        }
    }

    fn post(
        &self,
        post: Post,
        credentials: Option<Arc<SinkCredentials>>,
        mut reply: oneshot::Sender<Result<Response, ClientError>>,
    ) -> impl Future<Output = ()> + use<> {
        let (limit, longest) = (self.settings.max_response, self.settings.request_timeout);
        let security = credentials.as_ref().map(|c| c.security()).unwrap_or_default();
        let http = self.pools.borrow_mut().get(post.url.is_tls().then_some(security));
        async move {
            let result = match http {
                Ok(http) => tokio::select! {
                    () = reply.closed() => return,
                    result = timeout(longest, exchange(&http, &post, credentials.as_deref(), limit)) => result,
                },
                Err(error) => Ok(Err(error)),
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
