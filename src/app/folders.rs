//! The folders of a service whose two processes have two users: one for the process that faces the network, one for the worker.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, lchown};
use std::path::{Path, PathBuf};

use super::StartError;
use super::account::Account;
use super::state_error;
use crate::access::private_file::is_out_of_reach;
use crate::config::Config;

/// What a worker keeps in its folder that a service of one user has in its state directory.
const OF_THE_WORKER: [&str; 3] = ["jobs", "spool", "depot"];

/// The worker's folder where the settings name none.
pub(super) fn worker_dir(config: &Config) -> io::Result<PathBuf> {
    if let Some(folder) = &config.worker_dir {
        return Ok(folder.clone());
    }
    let mut name = OsString::from(std::path::absolute(&config.state_dir)?.components().as_path());
    name.push("-worker");
    Ok(name.into())
}

/// Makes both folders, and gives each to its user. What a service that was root's alone left is shared out.
pub(super) fn prepare(config: &Config, account: &Account, worker_dir: &Path) -> Result<(), StartError> {
    let state_dir = &config.state_dir;
    let mut workers = vec![worker_dir.to_owned()];
    if config.image.dir.is_some() {
        workers.push(worker_dir.join("image"));
    }
    for folder in &workers {
        make_worker_dir(folder, account).map_err(|source| state_error(folder, source))?;
    }
    if !is_out_of_reach(worker_dir).map_err(|source| state_error(worker_dir, source))? {
        return Err(StartError::Exposed { folder: worker_dir.to_owned() });
    }
    make_state_dir(state_dir, account).map_err(|source| state_error(state_dir, source))?;
    let owner = fs::metadata(state_dir).map_err(|source| state_error(state_dir, source))?.uid();
    if owner == 0 {
        take_over(state_dir, worker_dir, account).map_err(|source| state_error(state_dir, source))?;
        hand_over(state_dir, account).map_err(|source| state_error(state_dir, source))?;
        tracing::info!(folder = %state_dir.display(), user = account.name, "the state directory was given to the user of the service");
    } else if owner != account.uid {
        return Err(StartError::Exposed { folder: state_dir.clone() });
    }
    Ok(())
}

/// The group may enter and read; what is made in it has the same group.
fn make_worker_dir(folder: &Path, account: &Account) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    chown(folder, None, Some(account.gid))?;
    fs::set_permissions(folder, Permissions::from_mode(0o2750))
}

fn make_state_dir(folder: &Path, account: &Account) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => chown(folder, Some(account.uid), Some(account.gid)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Moves what is the worker's out of a state directory that was root's alone, so that jobs that wait find what they need. Whatever
/// a worker has open there stays open.
fn take_over(state_dir: &Path, worker_dir: &Path, account: &Account) -> io::Result<()> {
    for system in ["", "image"] {
        let (from, to) = (state_dir.join(system), worker_dir.join(system));
        for name in OF_THE_WORKER {
            let (from, to) = (from.join(name), to.join(name));
            if !from.is_dir() || to.exists() || !to.parent().is_some_and(Path::is_dir) {
                continue;
            }
            fs::rename(&from, &to)?;
            show_to_group(&to, account)?;
        }
    }
    Ok(())
}

/// Lets the group read journals and what lies beside them.
fn show_to_group(path: &Path, account: &Account) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    chown(path, None, Some(account.gid))?;
    if found.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(0o2750))?;
        return fs::read_dir(path)?.try_for_each(|entry| show_to_group(&entry?.path(), account));
    }
    fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7700 | 0o040))
}

/// Gives a folder of root's with all that is in it to a user; the folder last, so that nobody else is in it meanwhile, and so
/// that what was cut off is done again.
fn hand_over(path: &Path, account: &Account) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::read_dir(path)?.try_for_each(|entry| hand_over(&entry?.path(), account))?;
    }
    lchown(path, Some(account.uid), Some(account.gid))
}
