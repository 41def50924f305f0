//! How workers are started, and what they are told.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use openssl::sha::Sha256;

use super::account::{Account, AccountError};
use super::settings::{self, SettingError};
use super::{StartError, image_settings};
use crate::access::private_file;
use crate::config::{Config, Engine};
use crate::jobs::{System, WorkerProgram, WorkerStart};

/// The worker of a system as this process starts it. Whoever reads the same settings tells it the same.
pub(super) fn of(config: &Config, system: System) -> Result<WorkerProgram, SettingError> {
    let mut arguments = arguments(config, system)?;
    let orders = digest(&arguments);
    arguments.extend(["--orders-digest".into(), orders.clone().into()]);
    Ok(WorkerProgram {
        // Not the file's path: after an upgrade another version lies there.
        program: format!("/proc/{}/exe", std::process::id()).into(),
        arguments,
        orders,
        environment: Vec::new(),
        launcher: scope(),
    })
}

/// The worker of a system that gets its socket as its standard input, and that a process of this user may talk to.
pub(super) fn kept(config: &Config, system: System, account: &Account) -> Result<WorkerProgram, SettingError> {
    let mut program = given(of(config, system)?);
    program.arguments.extend(["--server-user".into(), account.uid.to_string().into()]);
    Ok(program)
}

/// The worker gets its socket.
fn given(mut program: WorkerProgram) -> WorkerProgram {
    program.arguments.push("--socket-on-stdin".into());
    program
}

impl System {
    /// The systems that the settings name.
    pub(super) fn managed(config: &Config) -> impl Iterator<Item = Self> {
        let host = (config.engine != Engine::None).then_some(Self::Host);
        host.into_iter().chain(config.image.dir.is_some().then_some(Self::Image))
    }
}

/// Makes this process the worker of a system, which gets its socket as its standard input. Returns only if that fails.
pub fn become_worker(config: &Config, system: System) -> Result<Infallible, BecomeError> {
    if !System::managed(config).any(|managed| managed == system) {
        return Err(BecomeError::NotManaged);
    }
    let server_user = Account::of_service(config)?;
    let program = match server_user {
        Some(account) => kept(config, system, &account)?,
        None => given(of(config, system)?),
    };
    Err(BecomeError::Start(Command::new("/proc/self/exe").args(&program.arguments).exec()))
}

/// A process cannot become a worker.
#[derive(Debug, thiserror::Error)]
pub enum BecomeError {
    /// There is nothing to change.
    #[error("the settings name no such system: see engine, and [image] dir")]
    NotManaged,
    /// The user of the process that faces the network is not known.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The program cannot be started anew.
    #[error("the worker cannot be started: {0}")]
    Start(#[source] io::Error),
}

/// How the worker of a system is started from this process. Whose folder it is starts it.
pub(super) fn start(config: &Config, system: System) -> Result<WorkerStart, StartError> {
    let program = of(config, system)?;
    let folder = folder(config, system);
    let failed = |source| StartError::State { folder: folder.clone(), source };
    private_file::make_folder(&folder).map_err(failed)?;
    let owner = fs::metadata(&folder).map_err(failed)?.uid();
    Ok(if owner == rustix::process::geteuid().as_raw() {
        WorkerStart::Here(program)
    } else {
        WorkerStart::Elsewhere { orders: program.orders }
    })
}

/// The folder of the worker of a system.
pub(super) fn folder(config: &Config, system: System) -> PathBuf {
    match system {
        System::Host => config.worker_dir().to_owned(),
        System::Image => config.worker_dir().join("image"),
    }
}

/// Tells these orders from others: by the arguments, and by what the files hold that they name.
fn digest(arguments: &[OsString]) -> String {
    let mut hash = Sha256::new();
    let mut is_file = false;
    for argument in arguments {
        hash.update(argument.as_bytes());
        hash.update(&[0]);
        // A file that cannot be read is told by whoever needs it.
        let content = if is_file { fs::read(argument).unwrap_or_default() } else { Vec::new() };
        hash.update(&content.len().to_be_bytes());
        hash.update(&content);
        is_file = argument.as_bytes().ends_with(b"-file");
    }
    hash.finish().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What gives the worker a scope of its own where systemd runs, which ends everything of a service together with it.
fn scope() -> Vec<OsString> {
    // As sd_booted(3) tells it. Others than root may not make a scope.
    if Path::new("/run/systemd/system").is_dir() && rustix::process::geteuid().is_root() {
        ["systemd-run", "--scope", "--quiet", "--collect", "--"].map(Into::into).to_vec()
    } else {
        Vec::new()
    }
}

fn arguments(config: &Config, system: System) -> Result<Vec<OsString>, SettingError> {
    let mut arguments = of_every_worker(config, &folder(config, system))?;
    let mut give = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    match system {
        System::Host => {
            give("--engine", config.engine.word().into());
            give("--root", config.root.clone().into());
        }
        System::Image => {
            // The worker opens the same store with the same settings.
            let orders = image_settings::orders(config);
            give("--image", orders.dir.into());
            if let Some(level) = orders.acceptance_level {
                give("--acceptance-level", level.word().into());
            }
            let files = [
                ("--vmware-trust-file", orders.vmware_trust_file),
                ("--partner-trust-file", orders.partner_trust_file),
                ("--revocation-file", orders.revocation_file),
            ];
            for (option, file) in files {
                file.into_iter().for_each(|file| give(option, file.into()));
            }
        }
    }
    Ok(arguments)
}

/// What every worker is told, whatever it changes.
fn of_every_worker(config: &Config, worker_dir: &Path) -> Result<Vec<OsString>, SettingError> {
    let mut arguments: Vec<OsString> = vec!["worker".into()];
    let mut give = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    give("--worker-dir", worker_dir.into());
    give("--max-package-octets", config.jobs.max_package_octets.to_string().into());
    give("--max-metadata-octets", config.image.max_metadata_octets.to_string().into());
    give("--idle-seconds", config.jobs.worker_idle.as_secs().to_string().into());
    if !config.jobs.readable_folders.iter().any(|folder| folder == Path::new("/")) {
        give("--limit-folders", "true".into());
        for folder in &config.jobs.readable_folders {
            give("--readable-folder", folder.clone().into());
        }
    }
    let downloads = &config.downloads;
    give("--allow-loopback", settings::allows_loopback(config).to_string().into());
    for entry in settings::download_entries(config)? {
        give("--allow", entry.into());
    }
    give("--silence-seconds", downloads.longest_silence.as_secs().to_string().into());
    give("--timeout-seconds", downloads.time_limit.as_secs().to_string().into());
    if let Some(file) = &downloads.trust_file {
        give("--trust-file", file.clone().into());
    }
    if let Some(proxy) = &downloads.proxy {
        give("--proxy", proxy.into());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_differ_by_their_words_and_by_what_their_files_hold() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        let orders = |level: &str| -> Vec<OsString> {
            let words = ["worker", "--acceptance-level", level, "--vmware-trust-file"];
            words.map(OsString::from).into_iter().chain([file.clone().into()]).collect()
        };
        fs::write(&file, "one").unwrap();
        let one = digest(&orders("partner"));
        assert_eq!(one, digest(&orders("partner")));
        assert_ne!(one, digest(&orders("community")));
        fs::write(&file, "two").unwrap();
        assert_ne!(one, digest(&orders("partner")));
    }
}
