//! Fetches the package file of an installed build from a repository, to learn how its files were installed.

use std::fs::{self, File};
use std::io;

use crate::software::change::{check_cancelled, unusable};
use crate::software::deb::apt::Apt;
use crate::software::deb::lists::OfferedFile;
use crate::software::deb::request::{build, is_debian};
use crate::software::deb::{Deb, cache, report};
use crate::software::disk::leaves_reserve;
use crate::software::drive::{Listener, Stage};
use crate::software::{ApplyError, CancelToken, Nevra};

/// How large a package file is fetched for this, in octets; hardly any is larger.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// Fetches one of these files, which repositories elsewhere offer of the build. It is in no folder any more when it is
/// handed out; that it cannot be had is an error.
pub(super) fn fetch(
    deb: &Deb,
    nevra: &Nevra,
    offers: &[&OfferedFile],
    cancel: &CancelToken,
) -> Result<File, ApplyError> {
    let not_done = format!("the package file of {} was not fetched", nevra.name);
    check_cancelled(cancel)?;
    let scratch = deb.settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
    let size = offers.iter().map(|offer| offer.size).max().unwrap_or(0);
    if !is_debian(nevra) {
        return Err(ApplyError::NotFound(format!("{not_done}: no Debian package can be named so")));
    }
    // Where the room cannot be told, apt-get finds out.
    if size > LARGEST || leaves_reserve(scratch.path(), size).is_ok_and(|leaves| !leaves) {
        return Err(ApplyError::NoSpace(format!("{not_done}: there is not enough room for its {size} octets")));
    }
    let folder = scratch.path().join("fetched");
    fs::create_dir(&folder).map_err(|e| unusable("apt-get", &e))?;
    let apt = Apt::new(&deb.root, &deb.settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
    let ended = Stage::new(scratch.path())
        .and_then(|stage| {
            let mut command = apt.download(&build(nevra), &folder, stage.status_fd()?);
            stage.run(&mut command, &mut Unheard, Some(cancel))
        })
        .map_err(|e| unusable("apt-get", &e))?;
    check_cancelled(cancel)?;
    if !ended.status.success() {
        return Err(report::failure(report::Failing { name: &nevra.name, not_done: &not_done }, &ended.said, &[]));
    }
    let fetched = File::open(folder.join(cache::name(nevra)));
    fetched.and_then(|file| checked(&file, offers)).map_err(|error| ApplyError::Failed(format!("{not_done}: {error}")))
}

/// The file if it is one of these: of several apt-get fetches the one that it prefers.
fn checked(file: &File, offers: &[&OfferedFile]) -> io::Result<File> {
    let mut result = Err(io::Error::other("no repository offers it any more"));
    for offer in offers {
        result = offer.check(file.try_clone()?);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// What apt-get says meanwhile is looked at in the end.
struct Unheard;

impl Listener for Unheard {}
