//! Who is connected: a bounded number, of whom those make room first that show nothing of themselves, and none that only holds
//! a place.
//!
//! actix-web limits the first head of a connection and the time between requests. It does not limit a later head that stops
//! half-way, a client that takes no reply, or the rest of a body that was refused. A connection that has been doing any of
//! these for too long is shut down here, through a second descriptor of its socket. So is one that makes room for another
//! ([`admission`]): from the moment it is accepted, before its handshake.

mod admission;
mod gate;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use tokio::sync::Notify;

use self::admission::{Place, Standing, give_up};
pub(super) use self::gate::admitting;
use crate::access::network_of;
use crate::metrics::Counter;

/// How often the connections are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// A connection on its way into the service.
type Stream = actix_web::rt::net::TcpStream;

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    start: Instant,
    limits: Limits,
    /// By the descriptors of their sockets, which are different as long as they are open.
    open: Mutex<HashMap<RawFd, Arc<Connection>>>,
    order: AtomicU64,
    opened: Notify,
    counts: Counts,
}

/// How many connections there may be, and how long they may hold their places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many may be open.
    pub(super) open: usize,
    /// How long a connection may be without a request that is being answered.
    pub(super) idle: Duration,
    /// How long one may stay that is to end.
    pub(super) ending: Duration,
}

/// What became of connections, from the start on.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Accepted.
    pub(super) accepted: Counter,
    /// Closed to make room for another.
    pub(super) made_room: Counter,
    /// Not accepted: nobody had to make room.
    pub(super) refused: Counter,
    /// Closed because they were idle, or did not end, for too long.
    pub(super) overdue: Counter,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    start: Instant,
    socket: TcpStream,
    network: IpAddr,
    /// How many of its requests are being answered.
    busy: AtomicUsize,
    /// Whether the handshake is over.
    is_shaken: AtomicBool,
    /// Whether whoever is at the other end has shown who they are.
    is_known: AtomicBool,
    ending: AtomicBool,
    is_closed: AtomicBool,
    /// Milliseconds from `start` to the last answer.
    idle_since: AtomicU64,
    order: u64,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            start: Instant::now(),
            limits,
            open: Mutex::default(),
            order: AtomicU64::new(0),
            opened: Notify::new(),
            counts: Counts::default(),
        }
    }

    /// Takes a connection in that was just accepted; it has its place until the returned value goes. `None` if it must go.
    pub(super) fn admit(self: &Arc<Self>, stream: &Stream) -> Option<Admitted> {
        let socket = match stream.as_fd().try_clone_to_owned() {
            Ok(socket) => socket.into(),
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be watched");
                return None;
            }
        };
        let peer = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let connection = Arc::new(Connection {
            start: self.start,
            socket,
            network: network_of(peer),
            busy: AtomicUsize::new(0),
            is_shaken: AtomicBool::new(false),
            is_known: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            idle_since: AtomicU64::new(millis(self.start.elapsed())),
            order: self.order.fetch_add(1, Ordering::Relaxed),
        });
        let mut open = self.lock();
        if open.len() >= self.limits.open && !self.make_room(&mut open) {
            self.counts.refused.add_one();
            return None;
        }
        open.insert(stream.as_raw_fd(), connection.clone());
        drop(open);
        self.counts.accepted.add_one();
        self.opened.notify_one();
        Some(Admitted { connections: self.clone(), connection, descriptor: stream.as_raw_fd() })
    }

    /// Gives the requests of a connection, after its handshake, their [`Connection`].
    pub(super) fn opened(&self, stream: &TlsStream<Stream>, data: &mut Extensions) {
        if let Some(connection) = self.lock().get(&stream.get_ref().as_raw_fd()) {
            connection.is_shaken.store(true, Ordering::Relaxed);
            data.insert(connection.clone());
        }
    }

    /// Closes those who make room for another; `false` if nobody has to.
    fn make_room(&self, open: &mut HashMap<RawFd, Arc<Connection>>) -> bool {
        let (descriptors, places): (Vec<RawFd>, Vec<Place>) =
            open.iter().map(|(descriptor, connection)| (*descriptor, connection.place())).unzip();
        let gone = give_up(&places);
        for descriptor in gone.iter().filter_map(|&at| descriptors.get(at)) {
            if let Some(connection) = open.remove(descriptor) {
                connection.close();
                self.counts.made_room.add_one();
            }
        }
        !gone.is_empty()
    }

    /// How many may be open.
    pub(super) fn limit(&self) -> usize {
        self.limits.open
    }

    /// What became of connections.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many are open, and how many of them belong to somebody who is known.
    pub(super) fn open(&self) -> (usize, usize) {
        let open = self.lock();
        (open.len(), open.values().filter(|connection| connection.is_known.load(Ordering::Relaxed)).count())
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
        let open = self.lock();
        for connection in open.values() {
            let ending = connection.ending.load(Ordering::Relaxed);
            let limit = if ending { self.limits.ending } else { self.limits.idle };
            if connection.idle_for(now).is_some_and(|idle| idle > millis(limit)) && connection.close() {
                self.counts.overdue.add_one();
            }
        }
        open.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RawFd, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that has a place.
#[derive(Debug)]
pub(super) struct Admitted {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    descriptor: RawFd,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        // The descriptor may be another connection's by now.
        if open.get(&self.descriptor).is_some_and(|found| Arc::ptr_eq(found, &self.connection)) {
            open.remove(&self.descriptor);
        }
    }
}

impl Connection {
    /// A request is being answered until the returned value goes.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Whoever is at the other end has shown who they are.
    pub(super) fn is_known(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// The connection is to end after this answer.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Cuts the connection off; tells whether nobody had done so.
    fn close(&self) -> bool {
        // It may be gone by itself.
        let _ = self.socket.shutdown(Shutdown::Both);
        !self.is_closed.swap(true, Ordering::Relaxed)
    }

    fn place(&self) -> Place {
        let standing = match (self.is_known.load(Ordering::Relaxed), self.busy.load(Ordering::Relaxed)) {
            (false, _) if !self.is_shaken.load(Ordering::Relaxed) => Standing::Silent,
            (false, _) => Standing::Stranger,
            (true, 0) => Standing::Known,
            (true, _) => Standing::Busy,
        };
        // Whoever is known is as old as its last answer.
        let order = match standing {
            Standing::Silent | Standing::Stranger => self.order,
            Standing::Known | Standing::Busy => self.idle_since.load(Ordering::Relaxed),
        };
        Place { network: self.network, standing, order }
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
