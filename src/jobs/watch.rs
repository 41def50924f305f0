//! A connection on which the worker tells that a journal has grown.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use super::link::{Connection, LinkError, time_limit};
use super::wake::Wake;
use crate::worker::protocol::{Reply, Request};
use crate::worker::write_line;

/// The connection, and who listens there.
#[derive(Debug)]
pub(super) struct Watch {
    stream: UnixStream,
    /// Ends with the connection.
    listener: thread::JoinHandle<()>,
}

impl Watch {
    /// Rings the wake whenever a journal grows, and when the worker goes away.
    pub(super) fn start((stream, mut lines): Connection, wake: &Arc<Wake>) -> Result<Self, LinkError> {
        time_limit(&stream, None)?;
        write_line(&mut &stream, &Request::Watch)?;
        let wake = Arc::clone(wake);
        let listen = move || {
            while let Ok(Some(Reply::Watching | Reply::Grown { .. })) = lines.read() {
                wake.ring();
            }
            wake.ring();
        };
        let listener = thread::Builder::new().name("worker-watch".into()).spawn(listen).map_err(LinkError::Launch)?;
        Ok(Self { stream, listener })
    }

    /// Whether the worker is still there.
    pub(super) fn is_alive(&self) -> bool {
        !self.listener.is_finished()
    }

    /// Lets the worker go.
    pub(super) fn end(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
