//! How the server starts its workers.

use std::ffi::OsString;
use std::path::Path;

use super::settings::{self, SettingError};
use crate::config::Config;
use crate::jobs::WorkerProgram;

/// A worker of this program with these arguments.
pub(super) fn with(arguments: Vec<OsString>) -> WorkerProgram {
    WorkerProgram {
        // Not the file's path: after an upgrade another version lies there.
        program: format!("/proc/{}/exe", std::process::id()).into(),
        arguments,
        environment: Vec::new(),
        launcher: scope(),
    }
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

/// What every worker is told, whatever it changes.
pub(super) fn arguments(config: &Config, state_dir: &Path) -> Result<Vec<OsString>, SettingError> {
    let mut arguments: Vec<OsString> = vec!["worker".into()];
    let mut give = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    give("--state-dir", state_dir.into());
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
