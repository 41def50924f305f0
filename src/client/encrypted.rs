//! Connections that are encrypted before the HTTP client gets them. Left to itself it loads the system's roots twice for each of its
//! pools, whether they count or not, and that takes longer than most requests do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use actix_tls::connect::openssl::reexports::AsyncSslStream;
use actix_web::rt::net::{ActixStream, Ready};
use openssl::ssl::Ssl;
use openssl::x509::X509VerifyResult;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::ClientError;

/// An encrypted connection to a peer whose certificate was found good.
#[derive(Debug)]
pub(super) struct Encrypted(AsyncSslStream<TcpStream>);

impl Encrypted {
    /// Greets the peer at the other end.
    pub(super) async fn begin(ssl: Ssl, stream: TcpStream) -> Result<Self, ClientError> {
        let failed = |error: &dyn ToString| ClientError::Connect(error.to_string());
        let mut stream = AsyncSslStream::new(ssl, stream).map_err(|error| failed(&error))?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(Self(stream)),
            Err(_) if stream.ssl().verify_result() != X509VerifyResult::OK => Err(ClientError::Untrusted),
            Err(error) => Err(failed(&error)),
        }
    }

    fn inside(self: Pin<&mut Self>) -> Pin<&mut AsyncSslStream<TcpStream>> {
        Pin::new(&mut self.get_mut().0)
    }
}

impl Drop for Encrypted {
    /// Tells the peer that nothing was cut off (RFC 8446 6.1), if the socket has room for it: the HTTP client just lets go.
    fn drop(&mut self) {
        let _ = Pin::new(&mut self.0).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.inside().poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inside().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inside().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inside().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inside().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

impl ActixStream for Encrypted {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.0.get_ref(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.0.get_ref(), cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::super::sink::Identity;
    use super::super::tls::Tls;
    use super::*;

    #[tokio::test]
    async fn whoever_leaves_says_so() {
        let (listener, acceptor) = (TcpListener::bind("[::1]:0").unwrap(), Identity::new().acceptor().build());
        let address = listener.local_addr().unwrap();
        let peer = std::thread::spawn(move || {
            let mut stream = acceptor.accept(listener.accept().unwrap().0).unwrap();
            stream.read(&mut [0; 16])
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let ssl = Tls::of_anybody().and_then(|tls| tls.with("::1")).unwrap();
        drop(Encrypted::begin(ssl, stream).await.unwrap());
        // Without the word the read would fail.
        assert_eq!(peer.join().unwrap().unwrap(), 0);
    }
}
