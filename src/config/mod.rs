//! The settings: the only place that reads them.
//!
//! Every key has a default and is documented in `docs/quartermaster.sample.toml`; a key that nobody knows is an error.

mod auth;
mod host;
mod live;
mod named_hosts;
mod reload;
mod sections;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use auth::{Auth, ChannelBindings, DigestAlgorithm};
pub use live::Live;
pub use named_hosts::{GroupError, HostSettings, ListenerSettings, NamedHosts};
pub use reload::{Reread, Source};
pub use sections::{Audit, Downloads, Events, Image, Jobs, Limits, Metrics, Overflow, Page, Tls};
pub use values::{AcceptanceLevel, Allowed, Engine, FaultStatus, LogFormat};

/// The commented sample: every key with its default.
pub const SAMPLE: &str = include_str!("../../docs/quartermaster.sample.toml");

/// Where the settings are read from when no file is named; it need not be there.
pub const DEFAULT_FILE: &str = "/etc/quartermaster/quartermaster.toml";

/// The user that faces the network unless the settings say another.
pub const SERVICE_USER: &str = "quartermaster";

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the store, the certificate and the journals are kept.
    pub state_dir: PathBuf,
    /// The user that the process runs as which faces the network, when root starts the service: a name, or a number that needs
    /// no account. `None` is [`SERVICE_USER`] if there is such a user, else root.
    pub user: Option<String>,
    /// The folder of the worker's socket, spool and journals; `None` leaves it to who runs what, see [`Config::worker_dir`].
    pub worker_dir: Option<PathBuf>,
    /// The root of the managed system.
    pub root: PathBuf,
    /// The package engine.
    pub engine: Engine,
    /// The class of the managed system.
    #[serde(deserialize_with = "values::class_name")]
    pub system_class: String,
    /// The name of the managed system; `None` is the host's own name.
    pub system_name: Option<String>,
    /// The HTTP status of SOAP faults.
    pub fault_status: FaultStatus,
    /// What is logged, as directives of `tracing-subscriber`'s `EnvFilter`.
    #[serde(deserialize_with = "values::log_directives")]
    pub log: String,
    /// How each line of it is written.
    pub log_format: LogFormat,
    /// The server's certificate.
    pub tls: Tls,
    /// Limits of requests.
    pub limits: Limits,
    /// The page for browsers.
    pub page: Page,
    /// The image that is managed beside the host.
    pub image: Image,
    /// Jobs and the worker.
    pub jobs: Jobs,
    /// Package files that are fetched.
    pub downloads: Downloads,
    /// Events and their delivery.
    pub events: Events,
    /// Authentication.
    pub auth: Auth,
    /// The audit log.
    pub audit: Audit,
    /// What those are told who watch the service.
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5986)),
            state_dir: "/var/lib/quartermaster".into(),
            user: None,
            worker_dir: None,
            root: "/".into(),
            engine: Engine::Auto,
            system_class: "PG_ComputerSystem".to_owned(),
            system_name: None,
            fault_status: FaultStatus::Always500,
            log: "warn,quartermaster=info,audit=info,actix_http=off".to_owned(),
            log_format: LogFormat::Text,
            tls: Tls::default(),
            limits: Limits::default(),
            page: Page::default(),
            image: Image::default(),
            jobs: Jobs::default(),
            downloads: Downloads::default(),
            events: Events::default(),
            auth: Auth::default(),
            audit: Audit::default(),
            metrics: Metrics::default(),
        }
    }
}

/// What the command line says; it goes before the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// See [`Config::listen`].
    pub listen: Option<SocketAddr>,
    /// See [`Config::state_dir`].
    pub state_dir: Option<PathBuf>,
    /// See [`Config::worker_dir`].
    pub worker_dir: Option<PathBuf>,
    /// See [`Config::root`].
    pub root: Option<PathBuf>,
    /// See [`Config::engine`].
    pub engine: Option<Engine>,
    /// See [`Image::dir`].
    pub image: Option<PathBuf>,
    /// See [`Image::acceptance_level`].
    pub acceptance_level: Option<AcceptanceLevel>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings from {file}: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not say what settings are.
    #[error("{file}, line {line}: {message}")]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and with which key.
        message: String,
    },
    /// Two settings do not go together.
    #[error("{0}")]
    Conflict(&'static str),
}

impl Config {
    /// Reads the file, or [`DEFAULT_FILE`] if none is named and it is there, and lets the command line go before it.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let default = Path::new(DEFAULT_FILE);
        let mut config = match std::fs::read_to_string(file.unwrap_or(default)) {
            Ok(text) => Self::parse(&text, file.unwrap_or(default))?,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(source) => {
                return Err(ConfigError::Read { file: file.unwrap_or(default).to_owned(), source });
            }
        };
        config.take(overrides);
        config.check()?;
        Ok(config)
    }

    /// Reads settings from a text; `file` is what errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| invalid(&error, text, file))
    }

    /// The folder of the worker: the setting, else the state directory, as where one user runs both processes.
    pub fn worker_dir(&self) -> &Path {
        self.worker_dir.as_deref().unwrap_or(&self.state_dir)
    }

    /// The name of the managed system: the setting, else the host's full name, else its short one.
    pub fn system_name(&self) -> String {
        self.system_name.clone().unwrap_or_else(host::name)
    }

    /// The name of the system that the image belongs to: the setting, else the name of the managed system.
    pub fn image_system_name(&self) -> String {
        self.image.system_name.clone().unwrap_or_else(|| self.system_name())
    }

    /// The file of the audit log.
    pub fn audit_file(&self) -> PathBuf {
        self.audit.file.clone().unwrap_or_else(|| self.state_dir.join("audit").join("audit.jsonl"))
    }

    fn take(&mut self, overrides: Overrides) {
        let Overrides { listen, state_dir, worker_dir, root, engine, image, acceptance_level } = overrides;
        self.listen = listen.unwrap_or(self.listen);
        self.engine = engine.unwrap_or(self.engine);
        if let Some(state_dir) = state_dir {
            self.state_dir = state_dir;
        }
        self.worker_dir = worker_dir.or(self.worker_dir.take());
        if let Some(root) = root {
            self.root = root;
        }
        self.image.dir = image.or(self.image.dir.take());
        self.image.acceptance_level = acceptance_level.or(self.image.acceptance_level);
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err(ConfigError::Conflict("[tls] certificate and key belong together: give both or neither"));
        }
        let Tls { client_certificates, client_ca_file, client_revocation_file, .. } = &self.tls;
        if !client_certificates && (client_ca_file.is_some() || client_revocation_file.is_some()) {
            return Err(ConfigError::Conflict(
                "[tls] client_ca_file and client_revocation_file count only with client_certificates = true",
            ));
        }
        if client_ca_file.is_none() && client_revocation_file.is_some() {
            return Err(ConfigError::Conflict(
                "[tls] client_revocation_file has the lists of the authorities in client_ca_file",
            ));
        }
        if self.events.certificate.is_some() != self.events.key.is_some() {
            return Err(ConfigError::Conflict("[events] certificate and key belong together: give both or neither"));
        }
        if self.metrics.listen.is_some_and(|listen| !listen.ip().is_loopback()) && !self.metrics.beyond_loopback {
            return Err(ConfigError::Conflict(
                "[metrics] listen is no address of loopback, and whoever reaches it needs no password: set beyond_loopback = true \
                 there if that is meant",
            ));
        }
        let auth = &self.auth;
        let is_kerberos_told =
            !auth.kerberos_realms.is_empty() || auth.kerberos_channel_bindings == ChannelBindings::Required;
        if auth.kerberos_keytab.is_none() && is_kerberos_told {
            return Err(ConfigError::Conflict(
                "[auth] kerberos_realms and kerberos_channel_bindings are nothing without kerberos_keytab: name it",
            ));
        }
        let downloads = &self.downloads;
        if downloads.proxy_user.is_some() != downloads.proxy_password_file.is_some() {
            return Err(ConfigError::Conflict(
                "[downloads] proxy_user and proxy_password_file belong together: give both or neither",
            ));
        }
        if downloads.proxy.is_none() && (downloads.proxy_user.is_some() || !downloads.no_proxy.is_empty()) {
            return Err(ConfigError::Conflict(
                "[downloads] proxy_user, proxy_password_file and no_proxy are nothing without proxy: name it",
            ));
        }
        if !self.state_dir.is_absolute() {
            return Err(ConfigError::Conflict("state_dir must be an absolute path"));
        }
        if self.worker_dir.as_ref().is_some_and(|dir| !dir.is_absolute()) {
            return Err(ConfigError::Conflict("worker_dir must be an absolute path"));
        }
        if !self.root.is_absolute() {
            return Err(ConfigError::Conflict("root must be an absolute path"));
        }
        if self.image.dir.as_ref().is_some_and(|dir| !dir.is_absolute()) {
            return Err(ConfigError::Conflict("[image] dir must be an absolute path"));
        }
        let is_image_like_host = self.system_class.eq_ignore_ascii_case(IMAGE_SYSTEM_CLASS)
            && self.image_system_name() == self.system_name();
        if self.image.dir.is_some() && self.engine != Engine::None && is_image_like_host {
            return Err(ConfigError::Conflict(
                "the host and its image would have the same keys: give another system_class, or [image] system_name",
            ));
        }
        Ok(())
    }
}

/// The class of the system that an image belongs to.
pub const IMAGE_SYSTEM_CLASS: &str = "OMC_UnitaryComputerSystem";

/// The host's own name, full if the host knows it.
pub fn host_name() -> String {
    host::name()
}

fn invalid(error: &toml::de::Error, text: &str, file: &Path) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let mut message = error.message().to_owned();
    let key = text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    if let Some(key) = key.filter(|key| !message.contains(*key)) {
        message = format!("{key}: {message}");
    }
    ConfigError::Invalid { file: file.to_owned(), line, message }
}

#[cfg(test)]
mod tests;
