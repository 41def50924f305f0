//! Cuts off connections that only hold a place.
//!
//! actix-web limits the first head of a connection and the time between requests. It does not limit a later head that stops
//! half-way, a client that takes no reply, or the rest of a body that was refused. A connection that has been doing any of
//! these for too long is shut down here, through a second descriptor of its socket.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use tokio::sync::Notify;

/// How often the connections are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    start: Instant,
    /// How long a connection may be without a request that is being answered.
    idle: Duration,
    /// How long one may stay that is to end.
    ending: Duration,
    open: Mutex<Vec<Weak<Connection>>>,
    opened: Notify,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    start: Instant,
    socket: TcpStream,
    /// How many of its requests are being answered: HTTP/2 sends several at a time.
    busy: AtomicUsize,
    ending: AtomicBool,
    /// Milliseconds from `start` to the last answer.
    idle_since: AtomicU64,
}

impl Connections {
    pub(super) fn new(idle: Duration, ending: Duration) -> Self {
        Self { start: Instant::now(), idle, ending, open: Mutex::default(), opened: Notify::new() }
    }

    /// Hears of a new connection, after its handshake, and gives its requests their [`Connection`].
    pub(super) fn opened(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TlsStream<actix_web::rt::net::TcpStream>>() else { return };
        match stream.get_ref().as_fd().try_clone_to_owned() {
            Ok(socket) => {
                let connection = Arc::new(Connection {
                    start: self.start,
                    socket: socket.into(),
                    busy: AtomicUsize::new(0),
                    ending: AtomicBool::new(false),
                    idle_since: AtomicU64::new(millis(self.start.elapsed())),
                });
                self.open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&connection));
                data.insert(connection);
                self.opened.notify_one();
            }
            Err(error) => tracing::warn!(%error, "a connection cannot be watched"),
        }
    }

    /// Looks at the connections as long as there are any, for ever.
    pub(super) async fn watch(self: Arc<Self>) {
        loop {
            if self.sweep() == 0 {
                self.opened.notified().await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Cuts off what has been idle for too long; tells how many connections are open.
    fn sweep(&self) -> usize {
        let now = millis(self.start.elapsed());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            let limit = if connection.ending.load(Ordering::Relaxed) { self.ending } else { self.idle };
            if connection.idle_for(now).is_some_and(|idle| idle > millis(limit)) {
                // It may be gone by itself.
                let _ = connection.socket.shutdown(Shutdown::Both);
            }
            true
        });
        open.len()
    }
}

impl Connection {
    /// A request is being answered until the returned value goes.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// The connection is to end after this answer.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    fn idle_for(&self, now: u64) -> Option<u64> {
        let is_busy = self.busy.load(Ordering::Acquire) > 0;
        (!is_busy).then(|| now.saturating_sub(self.idle_since.load(Ordering::Relaxed)))
    }
}

/// A request is being answered: its connection is not cut off until this goes.
#[derive(Debug)]
pub struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(millis(self.0.start.elapsed()), Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Release);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
