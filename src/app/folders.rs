//! The folders of a service whose two processes have two users: one for the process that faces the network, one for the worker.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, openat, statat};

use super::StartError;
use super::account::Account;
use super::state_error;
use crate::access::private_file::settled;
use crate::config::Config;
use crate::worker::{self, RECORD_FILE};

/// What a worker keeps in its folder that a service of one user has in its state directory.
const OF_THE_WORKER: [&str; 3] = ["jobs", "spool", "depot"];

/// The worker's folder where the settings name none.
fn worker_dir(config: &Config) -> io::Result<PathBuf> {
    if let Some(folder) = &config.worker_dir {
        return Ok(folder.clone());
    }
    let mut name = OsString::from(std::path::absolute(&config.state_dir)?.components().as_path());
    name.push("-worker");
    Ok(name.into())
}

/// Makes both folders, and gives each to its user. What a service that was root's alone left is shared out. Gives the settings with
/// the folders where they are: from here on nobody follows a link to them.
pub(super) fn prepare(config: Config, account: &Account) -> Result<Config, StartError> {
    let worker_dir = worker_dir(&config).map_err(|source| state_error(&config.state_dir, source))?;
    let (state_dir, worker_dir) = (settle(&config.state_dir)?, settle(&worker_dir)?);
    make_worker_dir(&worker_dir, account)?;
    if config.image.dir.is_some() {
        make_worker_dir(&worker_dir.join("image"), account)?;
    }
    make_state_dir(&state_dir, account).map_err(|source| state_error(&state_dir, source))?;
    let owner = fs::metadata(&state_dir).map_err(|source| state_error(&state_dir, source))?.uid();
    if owner == 0 {
        let_workers_end(&state_dir)?;
        take_over(&state_dir, &worker_dir, account)
            .and_then(|()| hand_over(&open_folder(CWD, state_dir.as_path())?, account))
            .map_err(|source| state_error(&state_dir, source))?;
        tracing::info!(folder = %state_dir.display(), user = account.name, "the state directory was given to the user of the service");
    } else if owner != account.uid {
        return Err(StartError::Exposed { folder: state_dir });
    }
    Ok(Config { state_dir, worker_dir: Some(worker_dir), ..config })
}

/// Where the folder is, if no other user can put another in its place.
fn settle(folder: &Path) -> Result<PathBuf, StartError> {
    let settled = settled(folder).map_err(|source| state_error(folder, source))?;
    settled.ok_or_else(|| StartError::Exposed { folder: folder.to_owned() })
}

/// What root's worker has under its hands stays root's until it is done: whoever else could write there could lead it elsewhere.
fn let_workers_end(state_dir: &Path) -> Result<(), StartError> {
    for folder in [state_dir.to_owned(), state_dir.join("image")] {
        worker::let_end(&folder).map_err(|error| state_error(&folder, io::Error::other(error)))?;
    }
    Ok(())
}

/// Root's folder; the group may enter and read, and what is made in it has the same group.
fn make_worker_dir(folder: &Path, account: &Account) -> Result<(), StartError> {
    let make = || -> io::Result<bool> {
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        let opened = File::from(open_folder(CWD, folder)?);
        let is_roots = opened.metadata()?.uid() == 0;
        if is_roots {
            fchown(&opened, None, Some(account.gid))?;
            opened.set_permissions(Permissions::from_mode(0o2750))?;
        }
        Ok(is_roots)
    };
    match make().map_err(|source| state_error(folder, source))? {
        true => Ok(()),
        false => Err(StartError::Exposed { folder: folder.to_owned() }),
    }
}

/// Opens a folder that is no link.
fn open_folder(within: impl AsFd, path: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(within, path, flags, Mode::empty())?)
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

/// Moves what is the worker's out of a state directory that was root's alone, so that jobs that wait find what they need.
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

/// Lets the group read journals and what lies beside them, but for the worker's record: that is root's alone.
fn show_to_group(path: &Path, account: &Account) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    if !found.is_dir() && is_of_the_record(path) {
        return fs::set_permissions(path, Permissions::from_mode(0o600));
    }
    chown(path, None, Some(account.gid))?;
    if found.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(0o2750))?;
        return fs::read_dir(path)?.try_for_each(|entry| show_to_group(&entry?.path(), account));
    }
    fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7700 | 0o040))
}

/// Whether this is the worker's record, its lock or a file of it that was rotated.
fn is_of_the_record(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(RECORD_FILE.as_bytes()))
}

/// Gives a folder of root's with all that is in it to a user; the folder last, so that nobody else is in it meanwhile, and so
/// that what was cut off is done again.
fn hand_over(folder: &OwnedFd, account: &Account) -> io::Result<()> {
    let (user, group) = (Some(Uid::from_raw(account.uid)), Some(Gid::from_raw(account.gid)));
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            hand_over(&open_folder(folder, name)?, account)?;
        } else {
            chownat(folder, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?;
        }
    }
    Ok(rustix::fs::fchown(folder, user, group)?)
}

#[cfg(test)]
mod tests {
    use rustix::process::{getgid, getuid};

    use super::*;

    #[test]
    fn the_group_reads_the_journals_that_are_taken_over_and_not_the_record() {
        let (state, worker) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(state.path().join("jobs/4")).unwrap();
        let files = [
            ("jobs/4/journal", 0o600, 0o640),
            ("jobs/lowest", 0o644, 0o640),
            ("jobs/record.jsonl", 0o600, 0o600),
            ("jobs/record.jsonl.00000000000000000012", 0o640, 0o600),
            ("jobs/record.jsonl.lock", 0o644, 0o600),
        ];
        for (name, before, _) in files {
            fs::write(state.path().join(name), "").unwrap();
            fs::set_permissions(state.path().join(name), Permissions::from_mode(before)).unwrap();
        }
        let account = Account { name: "own".to_owned(), uid: getuid().as_raw(), gid: getgid().as_raw() };
        take_over(state.path(), worker.path(), &account).unwrap();
        for (name, _, after) in files {
            let found = fs::metadata(worker.path().join(name)).unwrap();
            assert_eq!(found.mode() & 0o7777, after, "{name}");
        }
    }
}
