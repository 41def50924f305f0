//! Who a peer says it is, asked before anything is told to it.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use openssl::nid::Nid;
use openssl::ssl::{HandshakeError, SslStream};
use openssl::x509::{X509NameRef, X509Ref};

use super::tls::Tls;
use super::{AddressRules, ClientError, Thumbprint, Url, server_end_point};

/// A certificate as a person looks at it who is to trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The SHA-256 of the whole certificate.
    pub thumbprint: Thumbprint,
    /// The common name that it is for, as the certificate says; empty if it says none.
    pub subject: String,
    /// The common name of who vouches for it, as the certificate says; empty if it says none.
    pub issuer: String,
    /// Until when it is valid.
    pub not_after: String,
    /// What is said of connections to a server that has it ([`server_end_point`]).
    pub end_point: Option<Box<[u8]>>,
}

impl PeerCertificate {
    /// Connects, shakes hands and asks for the peer's certificate, whoever vouches for it. Nothing is told to the peer but
    /// the name that it is called by. Blocks for the time given, for each step at most: call it off the event loop.
    pub fn of(url: &Url, rules: &AddressRules, patience: Duration) -> Result<Self, ClientError> {
        if !url.is_tls() {
            return Err(ClientError::Connect("without TLS a peer has no certificate".to_owned()));
        }
        let stream = connected(url, rules, patience)?;
        let tls = greeted(url, stream)?;
        let certificate = tls.ssl().peer_certificate();
        let certificate =
            certificate.ok_or_else(|| ClientError::Connect("the peer shows no certificate".to_owned()))?;
        Self::read(&certificate).map_err(|error| ClientError::Connect(error.to_string()))
    }

    fn read(certificate: &X509Ref) -> Result<Self, openssl::error::ErrorStack> {
        Ok(Self {
            thumbprint: Thumbprint::sha256(certificate)?,
            subject: common_name(certificate.subject_name()),
            issuer: common_name(certificate.issuer_name()),
            not_after: certificate.not_after().to_string(),
            end_point: server_end_point(certificate),
        })
    }
}

fn connected(url: &Url, rules: &AddressRules, patience: Duration) -> Result<TcpStream, ClientError> {
    let host = url.host();
    let mut last = ClientError::Unresolved { host: host.to_owned() };
    let addresses =
        (host, url.port()).to_socket_addrs().map_err(|_| ClientError::Unresolved { host: host.to_owned() })?;
    for address in addresses {
        match rules.check(host, address.ip()).map_err(ClientError::from).and_then(|()| reach(&address, patience)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn reach(address: &SocketAddr, patience: Duration) -> Result<TcpStream, ClientError> {
    let connect = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(stream)
    };
    connect().map_err(|error| ClientError::Connect(error.to_string()))
}

fn greeted(url: &Url, stream: TcpStream) -> Result<SslStream<TcpStream>, ClientError> {
    // It is asked for its certificate so that somebody can say whether it is the right one.
    let ssl = Tls::of_anybody().and_then(|tls| tls.with(url.host()));
    let ssl = ssl.map_err(|e| ClientError::Connect(format!("OpenSSL cannot be set up: {e}")))?;
    ssl.connect(stream).map_err(|error| match error {
        HandshakeError::SetupFailure(error) => ClientError::Connect(error.to_string()),
        HandshakeError::Failure(broken) | HandshakeError::WouldBlock(broken) => {
            ClientError::Connect(format!("it does not speak TLS as it should: {}", broken.error()))
        }
    })
}

/// As much of a name as a person looks at, without what a terminal would obey.
fn common_name(name: &X509NameRef) -> String {
    const LONGEST: usize = 128;
    let entry = name.entries_by_nid(Nid::COMMONNAME).next();
    let text = entry.and_then(|entry| entry.data().to_string().ok()).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;

    use super::super::sink::{Identity, Reply, Sink, dead_url};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn asked(url: &str, rules: &AddressRules) -> Result<PeerCertificate, ClientError> {
        PeerCertificate::of(&Url::parse(url).unwrap(), rules, PATIENCE)
    }

    #[test]
    fn a_peer_is_asked_for_its_certificate_and_told_nothing() {
        let identity = Identity::new();
        let sink = Sink::https(&identity, |_| Reply::Answer(200, String::new()));
        let found = asked(&sink.url(), &AddressRules::new(true)).unwrap();
        assert_eq!(found.thumbprint.to_string(), identity.thumbprint(MessageDigest::sha256()));
        assert!(!found.not_after.is_empty());
        assert!(sink.rest().is_empty());
    }

    #[test]
    fn who_shows_no_certificate_is_told() {
        let rules = AddressRules::new(true);
        let plain = asked(&dead_url(), &rules).unwrap_err();
        assert!(plain.to_string().contains("without TLS"), "{plain}");
        let dead = asked(&dead_url().replace("http:", "https:"), &rules);
        assert!(matches!(dead, Err(ClientError::Connect(_))), "{dead:?}");
        let forbidden = asked("https://127.0.0.1:1/", &AddressRules::new(false));
        assert!(matches!(forbidden, Err(ClientError::Forbidden(_))), "{forbidden:?}");
    }
}
