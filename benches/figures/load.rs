//! The load: HTTP/1.1 over TLS with as little work per request as there can be, for the server and for nginx alike.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use openssl::ssl::SslStream;

use super::support::wsman::connect;

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: SslStream<TcpStream>,
    buffer: Vec<u8>,
    body: std::ops::Range<usize>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> Self {
        Self { stream: connect(port).unwrap(), buffer: vec![0; 1 << 16], body: 0..0 }
    }

    /// Sends a request without waiting for its reply.
    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).unwrap();
    }

    /// Reads one reply and gives its body.
    pub(crate) fn receive(&mut self) -> &[u8] {
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled);
            if let Some(end) = self.buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let end = head + content_length(&self.buffer[..head]);
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.read(filled);
        }
        assert!(
            self.buffer.starts_with(b"HTTP/1.1 200 "),
            "the load got no 200: {}",
            String::from_utf8_lossy(&self.buffer[..end.min(3000)])
        );
        self.body = head..end;
        &self.buffer[self.body.clone()]
    }

    /// Sends a request and reads its reply.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> &[u8] {
        self.send(request);
        self.receive()
    }

    fn read(&mut self, filled: usize) -> usize {
        let n = self.stream.read(&mut self.buffer[filled..]).unwrap();
        assert!(n > 0, "the connection was closed in the middle of a reply");
        n
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let start = head.windows(NAME.len()).position(|w| w.eq_ignore_ascii_case(NAME)).expect("a reply without a length");
    let value = &head[start + NAME.len()..];
    let digits = value.iter().skip_while(|b| **b == b' ').take_while(|b| b.is_ascii_digit());
    digits.fold(0, |n, digit| n * 10 + usize::from(digit - b'0'))
}

/// Milliseconds since `start`.
pub(crate) fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// A request as bytes.
pub(crate) fn post(authorization: &str, envelope: &str) -> Vec<u8> {
    format!(
        "POST /wsman HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{envelope}",
        envelope.len()
    )
    .into_bytes()
}
