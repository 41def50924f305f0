//! The sections of the settings file, with their defaults and ranges.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::values::{AcceptanceLevel, Allowed, number, proxy, seconds, unproxied};

/// `[tls]`: the server's certificate, and those of clients. Without one, the server signs its own at the first start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A PEM file: the certificate, then those that lead to its root.
    pub certificate: Option<PathBuf>,
    /// A PEM file: its key.
    pub key: Option<PathBuf>,
    /// Whether clients are asked for certificates.
    pub client_certificates: bool,
    /// A PEM file with the authorities that may issue certificates of clients.
    pub client_ca_file: Option<PathBuf>,
    /// A PEM file with the lists of certificates that they took back.
    pub client_revocation_file: Option<PathBuf>,
}

/// `[limits]`: what a request may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest request body, in octets.
    #[serde(deserialize_with = "number::<_, _, 4096, 67_108_864>")]
    pub body_octets: usize,
    /// The longest package file in a request, in characters of base64; 0 takes none.
    #[serde(deserialize_with = "number::<_, _, 0, 4_294_967_296>")]
    pub max_upload: usize,
    /// How long a client may take to send a body.
    #[serde(rename = "body_seconds", deserialize_with = "seconds::<_, 1, 3600>")]
    pub body_time: Duration,
    /// How long a client may take for the TLS handshake, and again to send the head of a request.
    #[serde(rename = "head_seconds", deserialize_with = "seconds::<_, 1, 600>")]
    pub head_time: Duration,
    /// How long a connection may be idle.
    #[serde(rename = "keep_alive_seconds", deserialize_with = "seconds::<_, 1, 3600>")]
    pub keep_alive: Duration,
    /// How many connections may be open; each takes two file descriptors.
    #[serde(deserialize_with = "number::<_, _, 2, 100_000>")]
    pub connections: usize,
    /// How many requests may be answered at a time; one user leaves a quarter of them to others.
    #[serde(deserialize_with = "number::<_, _, 1, 100_000>")]
    pub requests: usize,
    /// The largest reply to a request that says nothing of MaxEnvelopeSize, in octets.
    #[serde(deserialize_with = "number::<_, _, 8192, 67_108_864>")]
    pub max_envelope_size: usize,
    /// How many enumerations may be open.
    #[serde(deserialize_with = "number::<_, _, 1, 100_000>")]
    pub enumeration_contexts: usize,
    /// How many of them one user may hold.
    #[serde(deserialize_with = "number::<_, _, 1, 100_000>")]
    pub enumeration_contexts_per_user: usize,
    /// How long an enumeration lives after its last use.
    #[serde(rename = "context_lifetime_seconds", deserialize_with = "seconds::<_, 1, 86_400>")]
    pub context_lifetime: Duration,
    /// How long an operation may take whose request says nothing of OperationTimeout.
    #[serde(rename = "operation_timeout_seconds", deserialize_with = "seconds::<_, 1, 3600>")]
    pub operation_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_octets: 512 * 1024,
            max_upload: 16 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            head_time: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            connections: 400,
            requests: 256,
            max_envelope_size: 512_000,
            enumeration_contexts: 1000,
            enumeration_contexts_per_user: 100,
            context_lifetime: Duration::from_secs(600),
            operation_timeout: Duration::from_secs(60),
        }
    }
}

/// `[page]`: the page for browsers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// Whether there is one.
    pub enabled: bool,
    /// How long somebody stays logged in without asking for anything.
    #[serde(rename = "idle_seconds", deserialize_with = "seconds::<_, 60, 604_800>")]
    pub idle: Duration,
    /// How long somebody stays logged in at most.
    #[serde(rename = "session_seconds", deserialize_with = "seconds::<_, 60, 2_592_000>")]
    pub longest: Duration,
}

impl Default for Page {
    fn default() -> Self {
        Self { enabled: true, idle: Duration::from_secs(1800), longest: Duration::from_secs(43_200) }
    }
}

/// `[image]`: an ESXi-style image that is managed beside the host, or instead of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Image {
    /// The folder of the image store; `None` manages no image.
    pub dir: Option<PathBuf>,
    /// The acceptance level that VIBs must have; `None` is the one that the image's profile says.
    pub acceptance_level: Option<AcceptanceLevel>,
    /// A PEM file with VMware's roots, which vouch for VIBs of all levels.
    pub vmware_trust_file: Option<PathBuf>,
    /// A PEM file with the roots of partners, which vouch for VIBs of the level partner.
    pub partner_trust_file: Option<PathBuf>,
    /// A PEM file with lists of certificates that were revoked.
    pub revocation_file: Option<PathBuf>,
    /// The name of the system that the image belongs to; `None` is the name of the managed system.
    pub system_name: Option<String>,
    /// The largest metadata package that is scanned with, in octets.
    #[serde(deserialize_with = "number::<_, _, 1, 1_073_741_824>")]
    pub max_metadata_octets: u64,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            dir: None,
            acceptance_level: None,
            system_name: None,
            vmware_trust_file: None,
            partner_trust_file: None,
            revocation_file: None,
            max_metadata_octets: 64 * 1024 * 1024,
        }
    }
}

/// `[jobs]`: jobs and the worker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// How long a finished job stays to be read.
    #[serde(rename = "time_before_removal_seconds", deserialize_with = "seconds::<_, 1, 31_536_000>")]
    pub time_before_removal: Duration,
    /// The folders whose files `file://` URIs may name.
    pub readable_folders: Vec<PathBuf>,
    /// The largest package file, in octets.
    #[serde(deserialize_with = "number::<_, _, 1, 1_099_511_627_776>")]
    pub max_package_octets: u64,
    /// How long the worker process stays without work.
    #[serde(rename = "worker_idle_seconds", deserialize_with = "seconds::<_, 1, 86_400>")]
    pub worker_idle: Duration,
    /// How many ended jobs the history keeps.
    #[serde(deserialize_with = "number::<_, _, 0, 1_000_000>")]
    pub history_records: u32,
    /// How long the list of what repositories offer is kept in memory after its last use.
    #[serde(rename = "catalog_idle_seconds", deserialize_with = "seconds::<_, 1, 86_400>")]
    pub catalog_idle: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            time_before_removal: Duration::from_secs(300),
            readable_folders: vec!["/".into()],
            max_package_octets: 2 * 1024 * 1024 * 1024,
            worker_idle: Duration::from_secs(60),
            history_records: 10_000,
            catalog_idle: Duration::from_secs(120),
        }
    }
}

/// `[downloads]`: package files that are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Downloads {
    /// Servers that are allowed besides those that are allowed anyway.
    pub allow: Vec<Allowed>,
    /// How long a server may send nothing.
    #[serde(rename = "silence_seconds", deserialize_with = "seconds::<_, 1, 3600>")]
    pub longest_silence: Duration,
    /// How long one file may take, with all tries.
    #[serde(rename = "timeout_seconds", deserialize_with = "seconds::<_, 1, 604_800>")]
    pub time_limit: Duration,
    /// A PEM file with roots that HTTPS servers are checked against besides the host's.
    pub trust_file: Option<PathBuf>,
    /// The proxy that they are reached through, such as `http://proxy.example.com:3128`.
    #[serde(deserialize_with = "proxy")]
    pub proxy: Option<String>,
    /// Who the proxy knows this service as.
    pub proxy_user: Option<String>,
    /// The file of that user's password, which is for its owner alone.
    pub proxy_password_file: Option<PathBuf>,
    /// Hosts that are reached without the proxy: names, domains with a leading dot, addresses, networks.
    #[serde(deserialize_with = "unproxied")]
    pub no_proxy: Vec<String>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            longest_silence: Duration::from_secs(60),
            time_limit: Duration::from_secs(3600),
            trust_file: None,
            proxy: None,
            proxy_user: None,
            proxy_password_file: None,
            no_proxy: Vec::new(),
        }
    }
}

/// `[events]`: events and their delivery.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// Destinations that are allowed besides those that are allowed anyway.
    pub allow: Vec<Allowed>,
    /// How long a sink may take to accept one event.
    #[serde(rename = "delivery_timeout_seconds", deserialize_with = "seconds::<_, 1, 600>")]
    pub delivery_timeout: Duration,
    /// How long to wait after the first failure; the wait doubles with each further one.
    #[serde(rename = "first_retry_seconds", deserialize_with = "seconds::<_, 1, 3600>")]
    pub first_retry: Duration,
    /// The longest wait between two attempts.
    #[serde(rename = "longest_retry_seconds", deserialize_with = "seconds::<_, 1, 86_400>")]
    pub longest_retry: Duration,
    /// How long a sink may fail before its subscription ends.
    #[serde(rename = "give_up_seconds", deserialize_with = "seconds::<_, 1, 31_536_000>")]
    pub give_up: Duration,
    /// How long events are kept for subscriptions that lag behind.
    #[serde(rename = "retention_seconds", deserialize_with = "seconds::<_, 60, 31_536_000>")]
    pub retention: Duration,
    /// How many events are kept.
    #[serde(deserialize_with = "number::<_, _, 100, 10_000_000>")]
    pub retention_events: u64,
    /// How large the events that are kept may be in all, in MiB.
    #[serde(deserialize_with = "number::<_, _, 1, 1_048_576>")]
    pub retention_mebibytes: u64,
    /// What becomes of a subscription that waits for events which are not kept any longer.
    pub overflow: Overflow,
    /// How many subscriptions there may be.
    #[serde(deserialize_with = "number::<_, _, 1, 100_000>")]
    pub subscriptions: usize,
    /// How many of them one user may hold.
    #[serde(deserialize_with = "number::<_, _, 1, 100_000>")]
    pub subscriptions_per_user: usize,
    /// A PEM file with the roots that HTTPS sinks are checked against; `None` takes the host's.
    pub trust_file: Option<PathBuf>,
    /// A PEM file with the certificate that is shown to sinks which ask for one.
    pub certificate: Option<PathBuf>,
    /// A PEM file with its key.
    pub key: Option<PathBuf>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            delivery_timeout: Duration::from_secs(30),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(300),
            give_up: Duration::from_secs(86_400),
            retention: Duration::from_secs(7 * 86_400),
            retention_events: 100_000,
            retention_mebibytes: 256,
            overflow: Overflow::End,
            subscriptions: 1000,
            subscriptions_per_user: 100,
            trust_file: None,
            certificate: None,
            key: None,
        }
    }
}

/// What becomes of a subscription that waits for events which are not kept any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overflow {
    /// It ends, and its subscriber is told so.
    End,
    /// It goes on, and its subscriber is told how many events were dropped.
    Drop,
}

/// `[metrics]`: what those are told who watch the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where `/metrics` and `/healthz` are served, over plain HTTP; `None` is nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether that may be another address than one of loopback.
    pub beyond_loopback: bool,
}

/// `[audit]`: the log of who changed what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// The file; `None` is `audit/audit.jsonl` in the state directory.
    pub file: Option<PathBuf>,
    /// How large a file gets before the next one begins, in MiB.
    #[serde(deserialize_with = "number::<_, _, 1, 1024>")]
    pub rotate_mebibytes: u64,
    /// How many files are kept beside the one that is written.
    #[serde(deserialize_with = "number::<_, _, 1, 10_000>")]
    pub kept_files: usize,
}

impl Default for Audit {
    fn default() -> Self {
        Self { file: None, rotate_mebibytes: 10, kept_files: 10 }
    }
}
