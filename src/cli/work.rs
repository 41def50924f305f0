//! `quartermaster work`: a worker that the service manager starts.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::app;
use crate::config::{Config, Overrides};
use crate::jobs::System;

/// Where the worker's settings are, and which worker it is.
#[derive(Debug, Args)]
pub(super) struct Work {
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the worker has its spool and the journals.
    #[arg(long, value_name = "DIR")]
    worker_dir: Option<PathBuf>,
    /// Change the image of the settings, instead of the host's packages.
    #[arg(long)]
    of_image: bool,
}

/// Becomes the worker.
pub(super) fn run(arguments: Work) -> Result<(), Failure> {
    let Work { config, worker_dir, of_image } = arguments;
    let config = Config::load(config.as_deref(), Overrides { worker_dir, ..Overrides::default() })?;
    let system = if of_image { System::Image } else { System::Host };
    let Err(failure) = app::become_worker(&config, system);
    Err(failure.into())
}
