//! `quartermaster worker`: the process that changes software. The server starts it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Failure, log};
use crate::app::{Changed, ImageOrders, ProxyOrders, WorkerOrders, run_worker};
use crate::client::{Proxy, Unproxied};
use crate::config::{AcceptanceLevel, Engine, LogFormat};
use crate::worker::{self, Socket};

/// What the worker logs: its standard error is a file in its folder.
const LOG: &str = "warn,quartermaster=info,audit=info";

/// What the server tells its worker.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// The folder of the socket, the spool and the journals.
    #[arg(long, value_name = "DIR")]
    worker_dir: PathBuf,
    /// The standard input is the socket to listen on.
    #[arg(long)]
    socket_on_stdin: bool,
    /// The user, besides root and the worker's own, whose processes may connect.
    #[arg(long, value_name = "UID")]
    server_user: Option<u32>,
    /// The root of the managed system.
    #[arg(long, value_name = "DIR", required_unless_present = "image")]
    root: Option<PathBuf>,
    /// The package engine.
    #[arg(long, value_enum, default_value = "auto")]
    engine: Engine,
    /// The folder of the image store that it changes, instead of a host's packages.
    #[arg(long, value_name = "DIR", conflicts_with = "root")]
    image: Option<PathBuf>,
    /// The acceptance level that VIBs must have.
    #[arg(long, value_name = "LEVEL", value_enum)]
    acceptance_level: Option<AcceptanceLevel>,
    /// Certificates (PEM) of VMware that VIBs of all levels are checked against.
    #[arg(long, value_name = "FILE")]
    vmware_trust_file: Option<PathBuf>,
    /// Certificates (PEM) of partners that VIBs of their level are checked against.
    #[arg(long, value_name = "FILE")]
    partner_trust_file: Option<PathBuf>,
    /// Lists (PEM) of certificates that were revoked.
    #[arg(long, value_name = "FILE")]
    revocation_file: Option<PathBuf>,
    /// What the worker greets servers with, so that one with other settings knows it for another's.
    #[arg(long, value_name = "DIGEST", default_value = "", hide_default_value = true)]
    orders_digest: String,
    /// The largest package file, in octets.
    #[arg(long, value_name = "N")]
    max_package_octets: u64,
    /// The largest metadata package, in octets.
    #[arg(long, value_name = "N")]
    max_metadata_octets: u64,
    /// How long the worker stays without work.
    #[arg(long, value_name = "N")]
    idle_seconds: u64,
    /// Whether packages are read from the readable folders only.
    #[arg(long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    limit_folders: bool,
    /// A folder that packages may be read from.
    #[arg(long, value_name = "DIR")]
    readable_folder: Vec<PathBuf>,
    /// Whether package files are fetched from loopback too.
    #[arg(long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    allow_loopback: bool,
    /// A network, address or host that package files may be fetched from besides those that are allowed anyway.
    #[arg(long, value_name = "PLACE")]
    allow: Vec<String>,
    /// Certificates (PEM) that servers of package files are checked against besides the host's.
    #[arg(long, value_name = "FILE")]
    trust_file: Option<PathBuf>,
    /// The proxy that package files are fetched through.
    #[arg(long, value_name = "URL")]
    proxy: Option<Proxy>,
    /// Who the proxy knows this service as.
    #[arg(long, value_name = "NAME", requires = "proxy_password_file")]
    proxy_user: Option<String>,
    /// The file of that user's password.
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    proxy_password_file: Option<PathBuf>,
    /// A host, domain or network that is reached without the proxy.
    #[arg(long, value_name = "PLACE")]
    no_proxy: Vec<Unproxied>,
    /// How long a server may send nothing of a package file.
    #[arg(long, value_name = "N")]
    silence_seconds: u64,
    /// How long one package file may take, with all tries.
    #[arg(long, value_name = "N")]
    timeout_seconds: u64,
}

/// Works until there has been nothing to do for a while.
pub(super) fn run(arguments: Worker) -> Result<(), Failure> {
    let _ = log(LOG, LogFormat::Text)?;
    worker::detach();
    let socket = if arguments.socket_on_stdin { Socket::from_standard_input()? } else { Socket::Own };
    run_worker(WorkerOrders {
        worker_dir: arguments.worker_dir,
        changes: match (arguments.image, arguments.root) {
            (Some(dir), _) => Changed::Image(ImageOrders {
                dir,
                acceptance_level: arguments.acceptance_level,
                vmware_trust_file: arguments.vmware_trust_file,
                partner_trust_file: arguments.partner_trust_file,
                revocation_file: arguments.revocation_file,
            }),
            (None, root) => Changed::Packages { root: root.unwrap_or_else(|| "/".into()), engine: arguments.engine },
        },
        socket,
        server_user: arguments.server_user,
        digest: arguments.orders_digest,
        readable_folders: arguments.limit_folders.then_some(arguments.readable_folder),
        max_package_octets: arguments.max_package_octets,
        max_metadata_octets: arguments.max_metadata_octets,
        idle_limit: Duration::from_secs(arguments.idle_seconds),
        allow_loopback: arguments.allow_loopback,
        allow: arguments.allow,
        trust_file: arguments.trust_file,
        proxy: arguments.proxy.map(|proxy| ProxyOrders {
            proxy,
            login: arguments.proxy_user.zip(arguments.proxy_password_file),
            unproxied: arguments.no_proxy,
        }),
        longest_silence: Duration::from_secs(arguments.silence_seconds),
        time_limit: Duration::from_secs(arguments.timeout_seconds),
    })?;
    Ok(())
}
