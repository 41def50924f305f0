//! What it costs to know a caller by its password, with the settings that are the default.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quartermaster::access::{Role, Settings, Users, Verdict};
use quartermaster::clock::SystemClock;
use quartermaster::config::Config;
use quartermaster::store::Store;
use tokio::runtime::Runtime;

use super::figure::median;
use super::load::elapsed_ms;

const REMEMBERED: usize = 20_000;
const HASHED: usize = 21;
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Users in memory.
pub(crate) struct Login {
    runtime: Runtime,
}

impl Login {
    pub(crate) fn new() -> Self {
        Self { runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    /// Of a password that was right a moment ago, in microseconds.
    pub(crate) fn remembered(&self) -> f64 {
        let users = users(Config::default().auth.cache);
        self.check(&users);
        median((0..REMEMBERED).map(|_| self.check(&users) * 1000.0).collect())
    }

    /// Of a password that is hashed, in milliseconds.
    pub(crate) fn hashed(&self) -> f64 {
        let users = users(Duration::ZERO);
        median((0..HASHED).map(|_| self.check(&users)).collect())
    }

    fn check(&self, users: &Arc<Users>) -> f64 {
        let start = Instant::now();
        let verdict = self.runtime.block_on(users.authenticate(PEER, "bench", b"a password"));
        let time = elapsed_ms(start);
        assert!(matches!(verdict, Verdict::Known(_)), "{verdict:?}");
        time
    }
}

fn users(cache: Duration) -> Arc<Users> {
    let settings = Settings { cache, hash_mebibytes: Config::default().auth.hash_mebibytes };
    let users = Users::new(Arc::new(Store::in_memory().unwrap()), Arc::new(SystemClock), settings).unwrap();
    users.add("bench", Role::Viewer, b"a password").unwrap();
    Arc::new(users)
}
