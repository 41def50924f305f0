//! How the server starts its workers.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use openssl::sha::Sha256;

use super::proxy::ProxyOrders;
use super::settings::{self, SettingError};
use crate::config::Config;
use crate::hexadecimal;
use crate::jobs::WorkerProgram;

/// A worker of this program with these arguments.
pub(super) fn with(mut arguments: Vec<OsString>) -> WorkerProgram {
    let orders = digest(&arguments);
    arguments.extend(["--orders-digest".into(), orders.clone().into()]);
    WorkerProgram {
        // Not the file's path: after an upgrade another version lies there.
        program: format!("/proc/{}/exe", std::process::id()).into(),
        arguments,
        orders,
        environment: Vec::new(),
        launcher: scope(),
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
    hexadecimal::written(&hash.finish())
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
    if let Some(orders) = ProxyOrders::of(downloads)? {
        give("--proxy", orders.proxy.to_string().into());
        if let Some((user, file)) = &orders.login {
            give("--proxy-user", user.into());
            give("--proxy-password-file", file.into());
        }
        downloads.no_proxy.iter().for_each(|entry| give("--no-proxy", entry.into()));
        orders.check()?;
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
