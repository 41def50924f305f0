//! The commands. This is the only room that prints.

mod image;
mod mof_files;
mod schema;
mod serve;
mod users;
mod worker;

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{AcceptanceLevel, Config, ConfigError, Engine, Overrides};

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
    /// Change software on request of the server, which starts this itself.
    #[command(hide = true)]
    Worker(Box<worker::Worker>),
}

#[derive(Debug, Args)]
struct Serve {
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where the store, the certificate and the journals are kept.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
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
}

/// What ended a command.
type Failure = Box<dyn Error + Send + Sync>;

/// The command line as it can be written, for manual pages and completions.
pub fn command() -> clap::Command {
    Command::command()
}

/// Runs the command line of this process: 0 is success, 1 failure, 2 a command line that nobody understands.
pub fn run() -> ExitCode {
    let result = match Command::parse().action {
        Action::Serve(arguments) => arguments.settings().and_then(serve::run),
        Action::User { action } => users::run(action),
        Action::Schema { action } => schema::run(action),
        Action::Image { action } => image::run(action),
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
    fn settings(self) -> Result<Config, Failure> {
        let Self { config, listen, state_dir, root, engine, image, acceptance_level } = self;
        let image = image.map(std::path::absolute).transpose()?;
        Ok(Config::load(config.as_deref(), Overrides { listen, state_dir, root, engine, image, acceptance_level })?)
    }
}

/// The settings of a command that knows no more than where they lie.
fn settings(file: Option<&Path>, state_dir: Option<PathBuf>) -> Result<Config, ConfigError> {
    Config::load(file, Overrides { state_dir, ..Overrides::default() })
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
    let _ = writeln!(std::io::stderr(), "quartermaster: {message}");
}

/// Lets the log go to the standard error. `RUST_LOG` goes before `directives`.
fn log(directives: &str) -> Result<(), Failure> {
    use tracing_subscriber::EnvFilter;
    let filter = match std::env::var("RUST_LOG") {
        Ok(variable) if !variable.is_empty() => EnvFilter::try_new(variable)?,
        _ => EnvFilter::try_new(directives)?,
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}
