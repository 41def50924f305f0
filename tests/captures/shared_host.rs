//! The host that all tests of this file talk to. It is served as long as one of them runs; each makes what it changes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::support::eventually;
use crate::support::installation;
use crate::support::packages::{Deb, DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE, Server};
use crate::support::wsman::{CIM, Client, Message, property};

/// The InstanceID of the package `alpha`.
pub(crate) const ALPHA: &str = "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";

/// The name of a package that fits into no small envelope.
pub(crate) const HUGE: &str = "huge";

/// So many packages there are beside those with names of their own.
const FILLERS: usize = 150;

static CURRENT: Mutex<Weak<SharedHost>> = Mutex::new(Weak::new());

/// A Debian host with more packages than a page of any client takes.
pub(crate) struct SharedHost {
    server: Mutex<Server>,
    port: u16,
    _host: Host,
    root: DebRoot,
    made: AtomicUsize,
}

impl SharedHost {
    /// The host that is served now, or a new one.
    pub(crate) fn get() -> Arc<Self> {
        let mut current = CURRENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        current.upgrade().unwrap_or_else(|| {
            let host = Arc::new(Self::new());
            *current = Arc::downgrade(&host);
            host
        })
    }

    fn new() -> Self {
        let root = DebRoot::new();
        let description = "one & only <package>\n It has \"every\" character that XML minds.";
        root.install_by_hand(&Deb::new("alpha", "1.0-1").field("Description", description).build(&root.scratch()));
        root.install_by_hand(&build_deb(&root.scratch(), "beta", "2.0-1", &[]));
        let long = format!("long\n{}", " It goes on and on, and then it goes on.\n".repeat(500));
        root.install_by_hand(&Deb::new(HUGE, "1.0-1").field("Description", &long).build(&root.scratch()));
        root.fill(FILLERS);
        let host = Host::new(&root.path(), "deb");
        let server = host.serve();
        Self { port: server.port, server: Mutex::new(server), _host: host, root, made: AtomicUsize::new(0) }
    }

    /// A connection of an administrator.
    pub(crate) fn admin(&self) -> Client {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).admin()
    }

    /// The port it is served on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A package file that is not installed, of a name that nobody else gets.
    pub(crate) fn new_package(&self) -> PathBuf {
        build_deb(&self.root.scratch(), &self.new_name("made"), "1.0-1", &[])
    }

    /// A name that nobody else gets.
    pub(crate) fn new_name(&self, beginning: &str) -> String {
        format!("{beginning}-{}", self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// The InstanceID of a job that has ended.
    pub(crate) fn ended_job(&self) -> String {
        let file = self.new_package();
        let mut client = self.admin();
        let job = installation::start(&mut client, &file);
        let get = Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", &job);
        eventually("the job's end", PATIENCE, || {
            (property(&client.ask(&get), "JobState").as_deref() == Some("7")).then_some(())
        });
        job
    }
}
