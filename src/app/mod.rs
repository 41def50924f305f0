//! The composition: opens the store, makes what the first start needs, and puts the rooms together.

mod account;
mod allocator;
mod anew;
mod confinement;
mod essential;
mod folders;
mod host;
mod image;
mod image_settings;
mod keeper;
mod keytab;
mod network_process;
mod notify;
mod port;
mod proxy;
mod relay;
mod reload;
mod settings;
mod start_error;
mod systems;
mod watch;
mod watchdog;
mod watched;
mod watched_systems;
mod worker;
mod worker_program;

use std::fs::{File, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::access::sealing::{SEALING_KEY_FILE, SealingKey};
use crate::access::{self, Audit, FirstUser, Users, private_file};
use crate::audit::Log;
use crate::broker::Broker;
use crate::cim::Schema;
use crate::client::Client;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::events::{self, Events};
use crate::page::Page;
use crate::server::certificate::{self, Identity};
use crate::server::{Loops, Server, Watching};
use crate::store::{Store, StoreError, digests, subscriptions};
use crate::wsman;

pub use account::{Account, AccountError, Numbers, become_user, done_by_owner_of, invoker};
pub use allocator::keep_little_memory;
pub use confinement::confine;
pub use image_settings::{
    ImageOrders, ImageSettingsError, OpenImageError, acceptance_level, image_settings, open_damaged_image, open_image,
};
pub use keeper::{KeeperError, keep};
pub use keytab::name_keytab;
pub use network_process::Keeper;
pub use notify::{State, notify};
pub use port::{PortError, given_port, kept_port};
pub use proxy::{ProxyOrders, ProxySettingError};
pub use reload::Reload;
pub use start_error::StartError;
use systems::Systems;
pub use watchdog::Watchdog;
pub use worker::{Changed, WorkerError, WorkerOrders, run_worker};
pub use worker_program::{BecomeError, become_worker};

/// How long whoever is about to end may take.
const ENDING: Duration = Duration::from_secs(3);

/// The whole service, bound to its port.
#[derive(Debug)]
pub struct Application {
    server: Server,
    service: Arc<wsman::Service>,
    users: Arc<Users>,
    first_user: Option<FirstUser>,
    own_certificate: Option<PathBuf>,
    watched_at: Option<SocketAddr>,
    events: Arc<Events>,
    clock: SharedClock,
    /// Declared after the server: software is watched and jobs go on until it has stopped.
    systems: Systems,
    /// Held as long as the service lives: a second one on the same state directory does not start.
    _lock: File,
}

impl Application {
    /// Puts everything together and takes the port. Blocks.
    pub fn build(config: Config) -> Result<Self, StartError> {
        Self::build_on(config, None)
    }

    /// The same with the port that somebody else took, if they did.
    pub fn build_on(config: Config, given: Option<TcpListener>) -> Result<Self, StartError> {
        let clock: SharedClock = Arc::new(SystemClock);
        let state_dir = &config.state_dir;
        make_state_dir(state_dir)?;
        let lock = lock(state_dir)?;
        let store = Arc::new(open_store(state_dir)?);
        let audit = open_audit(&config, &clock)?;
        let sealing_key = Arc::new(sealing_key(state_dir, &store)?);
        let users = Users::new(store.clone(), clock.clone(), settings::users(&config))?.with_audit(audit.clone());
        let users = Arc::new(users.with_sealing_key(sealing_key.clone()));
        let first_user = access::ensure_first_user(&users, state_dir)?;
        let (identity, own_certificate) = identity(&config, &clock)?;
        let schema = Arc::new(Schema::builtin()?);
        let systems = Systems::open(&config, &store, &schema, &users, &clock)?;
        let client = Client::start(settings::client(&config), settings::sink_rules(&config)?)?;
        let events = Events::open(
            store.clone(),
            schema.clone(),
            systems.describe(),
            users.clone(),
            client,
            clock.clone(),
            settings::events(&config, Some(sealing_key)),
        )?;
        let broker = Arc::new(Broker::of_systems(schema, systems.providers(&events)?)?.with_audit(audit));
        let page = settings::page(&config)
            .map(|settings| Page::new(broker.clone(), events.clone(), users.clone(), clock.clone(), settings).routes());
        let service = wsman::Service::new(broker, events.clone(), clock.clone(), settings::wsman(&config));
        service.tell_security_profiles(settings::security_profiles(&config));
        let service = Arc::new(service);
        let mut server = Server::bind(settings::server(&config), given, &identity, users.clone(), service.clone())?;
        let watching = config.metrics.listen.map(Watching::bind).transpose()?;
        let watched_at = watching.as_ref().map(Watching::address);
        if let Some(watching) = watching {
            let (state_dir, users, events) = (config.state_dir.clone(), users.clone(), events.clone());
            let systems = systems.watched();
            let watched = watched::Service { state_dir, store, users, events, wsman: service.clone(), systems };
            server = server.with_watching(watching, Arc::new(watched));
        }
        server = page.into_iter().fold(server, Server::with_routes);
        opened(users.audit());
        Ok(Self {
            server,
            service,
            users,
            first_user,
            own_certificate,
            watched_at,
            events,
            clock,
            systems,
            _lock: lock,
        })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The first user, as long as its generated password holds.
    pub fn first_user(&self) -> Option<&FirstUser> {
        self.first_user.as_ref()
    }

    /// The certificate that the server signed for itself, if it uses that one.
    pub fn own_certificate(&self) -> Option<&Path> {
        self.own_certificate.as_deref()
    }

    /// What takes other settings while it serves.
    pub fn reload(&self) -> Reload {
        Reload {
            presented: self.server.presented().clone(),
            server: self.server.settings().clone(),
            service: self.service.clone(),
            users: self.users.clone(),
            events: self.events.clone(),
            jobs: self.systems.jobs(),
            clock: self.clock.clone(),
        }
    }

    /// The event loops that answer clients, once it runs.
    pub fn loops(&self) -> &Loops {
        self.server.loops()
    }

    /// Where it tells those of itself who watch it, with the port it got; `None` is nowhere.
    pub fn watched_at(&self) -> Option<SocketAddr> {
        self.watched_at
    }

    /// The users it knows.
    pub fn users(&self) -> &Arc<Users> {
        &self.users
    }

    /// Serves until SIGTERM or SIGINT.
    pub async fn run(self) -> io::Result<()> {
        let stop = stop_signal()?;
        self.run_until(stop).await
    }

    /// Serves until `stop` is done.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let events = self.events.clone();
        let stop = async move {
            stop.await;
            // Who waits for events would hold up the end.
            events.answer_waiting();
        };
        let served = self.server.run(stop).await;
        self.events.stop();
        self.users.audit().flush();
        served
    }
}

/// Is done once this process gets SIGTERM or SIGINT, which from now on do not end it by themselves. Needs a runtime around it.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The key that seals credentials. It is not made anew while there is something that another one sealed: it would be lost.
fn sealing_key(state_dir: &Path, store: &Store) -> Result<SealingKey, StartError> {
    let file = state_dir.join(SEALING_KEY_FILE);
    let any_sealed = || Ok(store.read(subscriptions::any_sealed)? || store.read(digests::any)?);
    if !file.exists() && any_sealed().map_err(|error: StoreError| events::OpenError::from(error))? {
        return Err(StartError::SealingKeyMissing { file });
    }
    Ok(SealingKey::load_or_create(state_dir)?)
}

/// Opens the users in a state directory, beside a server that may run on it. Blocks.
pub fn open_users(config: &Config) -> Result<Users, StartError> {
    make_state_dir(&config.state_dir)?;
    let store = Arc::new(open_store(&config.state_dir)?);
    let clock: SharedClock = Arc::new(SystemClock);
    let audit = open_audit(config, &clock)?;
    let users = Users::new(store.clone(), clock, settings::users(config))?.with_audit(audit);
    // Without the key of a server that was here, none is made: it would be for whoever runs the command.
    if !config.state_dir.join(SEALING_KEY_FILE).exists() {
        return Ok(users);
    }
    Ok(users.with_sealing_key(Arc::new(sealing_key(&config.state_dir, &store)?)))
}

fn open_audit(config: &Config, clock: &SharedClock) -> Result<Audit, StartError> {
    let settings = settings::audit(config);
    let failed = |source| StartError::Audit { file: config.audit_file(), source };
    let folder = settings.file.parent().unwrap_or(Path::new("/"));
    private_file::make_folder(folder).map_err(failed)?;
    Ok(Audit::to(Arc::new(Log::open(settings, clock.clone()).map_err(failed)?)))
}

/// A service that cannot tell of changes makes none; what is there can be looked at all the same.
fn opened(audit: &Audit) {
    let by = format!("quartermaster {} begins to serve", env!("CARGO_PKG_VERSION"));
    if let Err(error) = audit.opened(&by) {
        tracing::error!(error = &error as &dyn std::error::Error, "nothing can be changed");
    }
}

fn make_state_dir(folder: &Path) -> Result<(), StartError> {
    private_file::make_folder(folder).map_err(|source| state_error(folder, source))?;
    if private_file::is_safe(folder).map_err(|source| state_error(folder, source))? {
        return Ok(());
    }
    Err(StartError::Exposed { folder: folder.to_owned() })
}

fn lock(folder: &Path) -> Result<File, StartError> {
    let lock = private(&folder.join("lock")).map_err(|source| state_error(folder, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => wait_for(lock, folder),
        Err(TryLockError::Error(source)) => Err(state_error(folder, source)),
    }
}

/// Waits for a lock that somebody may hold who is about to end: a process that a killed server was just starting shares its
/// lock until its program is loaded.
fn wait_for(lock: File, folder: &Path) -> Result<File, StartError> {
    let (tell, locked) = sync_channel(1);
    let wait = move || {
        let waited = lock.lock().map(|()| lock);
        // Nobody hears it if it took too long.
        let _ = tell.send(waited);
    };
    std::thread::Builder::new().name("lock".to_owned()).spawn(wait).map_err(StartError::Thread)?;
    match locked.recv_timeout(ENDING) {
        Ok(waited) => waited.map_err(|source| state_error(folder, source)),
        Err(_) => Err(StartError::Locked { folder: folder.to_owned() }),
    }
}

fn open_store(folder: &Path) -> Result<Store, StartError> {
    let file = folder.join("quartermaster.db");
    // SQLite gives its journal the mode of the file.
    private(&file).map_err(|source| state_error(folder, source))?;
    Store::open(&file).map_err(|source| StartError::Store { file, source })
}

/// Opens a file that only its owner may read, and makes it if it is not there.
fn private(file: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o600).open(file)
}

fn state_error(folder: &Path, source: io::Error) -> StartError {
    StartError::State { folder: folder.to_owned(), source }
}

fn identity(config: &Config, clock: &SharedClock) -> Result<(Identity, Option<PathBuf>), StartError> {
    if let (Some(certificate), Some(key)) = (config.tls.certificate.clone(), config.tls.key.clone()) {
        return Ok((Identity { certificate, key }, None));
    }
    let folder = config.state_dir.join("tls");
    let identity = certificate::ensure(&folder, &crate::config::host_name(), config.listen.ip(), clock.now())?;
    let own = identity.certificate.clone();
    Ok((identity, Some(own)))
}
