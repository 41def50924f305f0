//! Connections that are kept for the next request: one pool for each way in which connections are secured, and one for those
//! that are not.

use std::fmt::Debug;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use actix_web::dev::Service;
use actix_web::rt::net::ActixStream;
use awc::http::Uri;
use openssl::error::ErrorStack;
use openssl::x509::X509;

use super::connect::Connector;
use super::credentials::Security;
use super::tls::Tls;
use super::{AddressRules, ClientError, Identity, Settings, Url};

/// So many ways to secure connections have a pool at once; the one that was used least recently makes room.
const MOST_POOLS: usize = if cfg!(test) { 4 } else { 64 };
/// Connections are renewed after this time, so that a name's new addresses are checked and used.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(75);

pub(super) struct Pools {
    settings: Settings,
    rules: Rc<AddressRules>,
    trusted: Vec<X509>,
    identity: Option<Arc<Identity>>,
    /// Made when they are first needed, without and with the identity: loading the system's roots takes time and memory.
    vouched: [Option<Tls>; 2],
    /// The most recently used last.
    open: Vec<Pool>,
}

struct Pool {
    /// `None` without encryption.
    security: Option<Security>,
    http: awc::Client,
    /// Since the last renewal.
    used: bool,
}

impl Pools {
    pub(super) fn new(
        settings: Settings,
        rules: Rc<AddressRules>,
        trusted: Vec<X509>,
        identity: Option<Arc<Identity>>,
    ) -> Self {
        Self { settings, rules, trusted, identity, vouched: [None, None], open: Vec::new() }
    }

    /// The pool of connections that are secured like this, or not at all.
    pub(super) fn get(&mut self, security: Option<Security>) -> Result<awc::Client, ClientError> {
        let http = match self.open.iter().position(|pool| pool.security == security) {
            Some(place) => self.open.remove(place).http,
            None => self.make(security)?,
        };
        if self.open.len() >= MOST_POOLS {
            self.open.remove(0);
        }
        self.open.push(Pool { security, http: http.clone(), used: true });
        Ok(http)
    }

    /// What the file of this address is fetched with: through the proxy if there is one.
    pub(super) fn for_file(&mut self, url: &Url) -> Result<awc::Client, ClientError> {
        let security = url.is_tls().then(Security::default);
        match self.settings.proxy.clone() {
            None => self.get(security),
            // Nothing of it is kept: each fetch closes its connection.
            Some(proxy) => self.build(security, Connector::through(Rc::clone(&self.rules), proxy)),
        }
    }

    /// Lets go of kept connections to peers that may be gone; requests under way keep theirs. A pool that holds a
    /// certificate against those of its peers is for one peer, which is not gone while the pool is used.
    pub(super) fn renew(&mut self) {
        self.open.retain_mut(|pool| mem::take(&mut pool.used) && pool.security.is_some_and(|s| s.pinned.is_some()));
    }

    fn make(&mut self, security: Option<Security>) -> Result<awc::Client, ClientError> {
        if security.is_some_and(|security| security.certificate) && self.identity.is_none() {
            return Err(ClientError::Unauthorized("no certificate is configured that could be shown to it".to_owned()));
        }
        self.build(security, Connector::new(Rc::clone(&self.rules)))
    }

    fn build(&mut self, security: Option<Security>, connector: Connector) -> Result<awc::Client, ClientError> {
        let patience = self.settings.connect_timeout;
        let Some(security) = security else { return Ok(self.over(connector, patience)) };
        let tls = self.tls(security).map_err(|e| ClientError::Connect(format!("OpenSSL cannot be set up: {e}")))?;
        // Reaching a peer and greeting it have that time each.
        Ok(self.over(connector.encrypted(tls, patience), patience.saturating_mul(2)))
    }

    fn over<S, Io>(&self, connector: S, patience: Duration) -> awc::Client
    where
        S: Service<ConnectInfo<Uri>, Response = Connection<Uri, Io>, Error = ConnectError> + Clone + 'static,
        Io: ActixStream + Debug + 'static,
    {
        let connector = awc::Connector::new()
            .connector(connector)
            .timeout(patience)
            .conn_keep_alive(self.settings.keep_alive)
            .conn_lifetime(CONNECTION_LIFETIME)
            .limit(0);
        awc::Client::builder().connector(connector).disable_redirects().disable_timeout().finish()
    }

    fn tls(&mut self, security: Security) -> Result<Tls, ErrorStack> {
        let identity = self.identity.as_deref().filter(|_| security.certificate);
        if let Some(pin) = security.pinned {
            return Tls::pinned(pin, identity);
        }
        let [plain, identified] = &mut self.vouched;
        let kept = if identity.is_some() { identified } else { plain };
        match kept {
            Some(tls) => Ok(tls.clone()),
            None => Ok(kept.insert(Tls::vouched(self.settings.trusts_system, &self.trusted, identity)?).clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Thumbprint;
    use super::*;

    fn pinned(number: u8) -> Option<Security> {
        Some(Security { certificate: false, pinned: Some(Thumbprint::Sha1([number; 20])) })
    }

    fn open(pools: &Pools) -> Vec<Option<Security>> {
        pools.open.iter().map(|pool| pool.security).collect()
    }

    #[test]
    fn pools_that_are_used_stay_and_others_make_room() {
        let rules = Rc::new(AddressRules::new(true));
        let mut pools = Pools::new(Settings::default(), rules, Vec::new(), None);
        for number in [1, 2, 3, 1, 4, 5] {
            pools.get(pinned(number)).unwrap();
        }
        assert_eq!(open(&pools), [3, 1, 4, 5].map(pinned));
        pools.renew();
        pools.get(pinned(1)).unwrap();
        pools.get(None).unwrap();
        pools.get(Some(Security::default())).unwrap();
        pools.renew();
        assert_eq!(open(&pools), [pinned(1)]);
        let refused = pools.get(Some(Security { certificate: true, pinned: None }));
        assert!(matches!(refused, Err(ClientError::Unauthorized(_))));
    }
}
