//! The commands. This is the only room that prints.

mod audit;
mod client;
mod image;
mod mof_files;
mod schema;
mod serve;
mod users;
mod work;
mod worker;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::app;
use crate::config::{AcceptanceLevel, Config, Engine, LogFormat, Overrides, Source};

/// Shows a host's software as CIM objects over WS-Management and changes it on request.
#[derive(Debug, Parser)]
#[command(name = "quartermaster", version, propagate_version = true)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve this host.
    Serve(Serve),
    /// Add, list and remove users.
    User {
        #[command(subcommand)]
        action: users::Action,
    },
    /// Show the audit log, and see whether it is whole.
    Audit {
        #[command(subcommand)]
        action: audit::Action,
    },
    /// List, show and export the classes.
    Schema {
        #[command(subcommand)]
        action: schema::Action,
    },
    /// Make and look after ESXi-style image stores.
    Image {
        #[command(subcommand)]
        action: image::Action,
    },
    /// Change software on request of the server, as the settings say: the service manager starts this when somebody connects to
    /// the socket that is its standard input.
    #[command(hide = true)]
    Work(work::Work),
    #[command(flatten)]
    Client(client::Action),
    /// Change software on request of the server, which starts this itself.
    #[command(hide = true)]
    Worker(Box<worker::Worker>),
}

#[derive(Clone, Debug, Args)]
struct Serve {
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where the store and the certificate are kept.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Where the worker has its socket, its spool and the journals.
    #[arg(long, value_name = "DIR")]
    worker_dir: Option<PathBuf>,
    /// The root of the managed system.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The package engine.
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// The folder of an ESXi-style image store that is managed beside the host.
    #[arg(long, value_name = "DIR")]
    image: Option<PathBuf>,
    /// The acceptance level that VIBs must have [default: the one of the image's profile].
    #[arg(long, value_name = "LEVEL", value_enum)]
    acceptance_level: Option<AcceptanceLevel>,
    /// The process of root that keeps this one.
    #[arg(long, value_name = "PID", hide = true)]
    keeper: Option<u32>,
    /// The user that this process is to become, which is root's until then.
    #[arg(long = "become", value_name = "UID:GID", hide = true)]
    becomes: Option<app::Numbers>,
}

/// What ended a command.
type Failure = Box<dyn Error + Send + Sync>;

/// The command line as it can be written, for manual pages and completions.
pub fn command() -> clap::Command {
    Command::command()
}

/// Runs the command line of this process: 0 is success, 1 failure, 2 a command line that nobody understands. The client has
/// more of them.
pub fn run() -> ExitCode {
    let result = match Command::parse().action {
        Action::Serve(arguments) => serve::run(&arguments),
        Action::User { action } => users::run(action),
        Action::Audit { action } => audit::run(action),
        Action::Schema { action } => schema::run(action),
        Action::Image { action } => image::run(action),
        Action::Work(arguments) => work::run(arguments),
        Action::Client(action) => return client::run(action),
        Action::Worker(arguments) => worker::run(*arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(failure.as_ref());
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    fn settings(&self) -> Result<(Config, Source), Failure> {
        let Self { config, listen, state_dir, worker_dir, root, engine, image, acceptance_level, .. } = self.clone();
        // A worker may run in another folder.
        let [state_dir, worker_dir, root, image] = [state_dir, worker_dir, root, image].map(absolute);
        let (state_dir, worker_dir, root, image) = (state_dir?, worker_dir?, root?, image?);
        let overrides = Overrides { listen, state_dir, worker_dir, root, engine, image, acceptance_level };
        Ok(Source::read(config.as_deref(), overrides)?)
    }
}

/// The settings of a command that knows no more than where they lie.
fn settings(file: Option<&Path>, state_dir: Option<PathBuf>) -> Result<Config, Failure> {
    Ok(Config::load(file, Overrides { state_dir: absolute(state_dir)?, ..Overrides::default() })?)
}

/// Where a path of the command line leads.
fn absolute(path: Option<PathBuf>) -> io::Result<Option<PathBuf>> {
    path.map(std::path::absolute).transpose()
}

/// Has a process of the user do this command's work whose folder this is, if that is another; this one then ends as it did.
fn leave_to_owner_of(folder: &Path) -> Result<(), Failure> {
    if let Some(status) = app::done_by_owner_of(folder)? {
        std::process::exit(status.code().unwrap_or(1));
    }
    Ok(())
}

/// Tells the error and what caused it, unless the error says so itself.
fn report(failure: &dyn Error) {
    let mut message = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !message.contains(&words) {
            message = format!("{message}: {words}");
        }
        source = cause.source();
    }
    let _ = writeln!(io::stderr(), "quartermaster: {message}");
}

/// Changes what is logged from now on.
type ChangeLog = Box<dyn Fn(&str) -> Result<(), Failure> + Send + Sync>;

/// Lets the log go to the standard error. `RUST_LOG` goes before `directives`, also before those of later.
fn log(directives: &str, format: LogFormat) -> Result<ChangeLog, Failure> {
    use tracing_subscriber::EnvFilter;
    let filter = |directives: &str| match std::env::var("RUST_LOG") {
        Ok(variable) if !variable.is_empty() => EnvFilter::try_new(variable),
        _ => EnvFilter::try_new(directives),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter(directives)?);
    let lines = lines.with_writer(io::stderr).with_ansi(false);
    Ok(match format {
        LogFormat::Text => {
            let lines = lines.with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |directives| Ok(handle.reload(filter(directives)?)?))
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |directives| Ok(handle.reload(filter(directives)?)?))
        }
    })
}
