//! The TLS channel that tokens come over.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;

use crate::client::server_end_point;

/// A connection, and what a caller can say of it that nobody in between could.
#[derive(Debug)]
pub(in super::super::super) struct Channel {
    number: u64,
    bindings: Option<Box<[u8]>>,
}

impl Channel {
    /// Gives the requests of a connection, after its handshake, their [`Channel`].
    pub(in super::super::super) fn opened(stream: &dyn Any, data: &mut Extensions) {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let Some(stream) = stream.downcast_ref::<TlsStream<actix_web::rt::net::TcpStream>>() else { return };
        let bindings = stream.ssl().certificate().and_then(server_end_point);
        data.insert(Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), bindings });
    }

    /// What no other connection is called.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The channel bindings `tls-server-end-point`; `None` if there are none for the server's certificate.
    pub(super) fn bindings(&self) -> Option<&[u8]> {
        self.bindings.as_deref()
    }
}
