//! What of an image the boot loader loads, and in which order.

use std::collections::HashMap;

use super::banks::Bank;
use super::boot_config::BootConfig;
use super::database;
use super::host::BASE;
use super::names::{self, LOCKER};
use crate::software::vib::{Descriptor, Image, Payload, ProfileVib, VibId};

/// What the boot loader shows.
const TITLE: &str = "Loading VMware ESXi";

/// A key that ESXi's boot loader refuses a bank for that it is set in: the bank was for one boot only.
const ONCE: &str = "quickboot";

/// The boot configuration of an image that is made of another one's, but for its state and its number.
///
/// What stays is loaded in the order in which it was, and what takes its place in the same place; what is new comes after its like.
/// Files that are no payloads belong to the host, as `state.tgz` does, and stay too.
pub(super) fn boot_config(image: &Image, base: Option<&Bank>) -> BootConfig {
    let old = base.map(|base| base.config.clone()).unwrap_or_default();
    let mut files = LoadedFile::all(image);
    let kernel = kernel(&mut files, base);
    let modules = match base {
        Some(base) => in_order(files, base),
        None => files.iter().map(|file| file.name).chain([database::FILE]).map(str::to_owned).collect(),
    };
    let build = image.named(BASE).map(|vib| vib.version.to_string());
    BootConfig {
        title: if old.title.is_empty() { TITLE.to_owned() } else { old.title },
        kernel,
        modules,
        // The boot loader takes no bank without one.
        build: build.unwrap_or(old.build),
        staged_under: None,
        others: old.others.into_iter().filter(|(key, _)| key != ONCE).collect(),
        ..old
    }
}

/// The files that a bank's boot loader loads and that are no payloads.
pub(super) fn own_files(bank: &Bank) -> Vec<&str> {
    let payloads = keys(&bank.image);
    let modules = bank.config.modules.iter().map(|file| &**file);
    modules.filter(|file| *file != database::FILE && !payloads.contains_key(file)).collect()
}

/// A payload that the boot loader loads.
#[derive(Clone, Copy, Debug)]
struct LoadedFile<'a> {
    vib: &'a Descriptor,
    payload: &'a Payload,
    name: &'a str,
}

/// Which payload a file is, whatever the version of its VIB: the names of both.
type Key<'a> = (&'a str, &'a str);

impl<'a> LoadedFile<'a> {
    /// Those of an image: the parts for the boot loader first, the base's before others.
    fn all(image: &'a Image) -> Vec<Self> {
        let names: HashMap<&VibId, &ProfileVib> = image.profile.vibs.iter().map(|vib| (&vib.id, vib)).collect();
        let mut files = Vec::new();
        for vib in &image.vibs {
            let Some(named) = names.get(&vib.id()) else { continue };
            for (payload, name) in &named.payloads {
                let is_loaded = names::path(vib, name).is_some_and(|path| !path.starts_with(LOCKER));
                let payload = vib.payloads.iter().find(|known| known.name == *payload);
                files.extend(payload.filter(|_| is_loaded).map(|payload| Self { vib, payload, name }));
            }
        }
        // Stable: within each half they stay in the order of their VIBs.
        files.sort_by_key(|file| (!file.is_for_boot_loader(), &*file.vib.name != BASE));
        files
    }

    fn is_for_boot_loader(&self) -> bool {
        &*self.payload.payload_type == "boot"
    }

    fn key(&self) -> Key<'a> {
        (&self.vib.name, &self.payload.name)
    }
}

/// The payloads that an image's boot loader loads, by the names of their files.
fn keys(image: &Image) -> HashMap<&str, Key<'_>> {
    LoadedFile::all(image).into_iter().map(|file| (file.name, file.key())).collect()
}

/// Takes out the file that is booted: the one that was, or else the first part for the boot loader; empty if there is none.
fn kernel(files: &mut Vec<LoadedFile<'_>>, base: Option<&Bank>) -> String {
    let old = base.and_then(|base| keys(&base.image).get(&*base.config.kernel).copied());
    let at = files.iter().position(|file| Some(file.key()) == old);
    let first = files.first().is_some_and(LoadedFile::is_for_boot_loader).then_some(0);
    at.or(first).map(|at| files.remove(at).name.to_owned()).unwrap_or_default()
}

/// The modules as the base has them in order, and among them those that are new.
fn in_order(mut files: Vec<LoadedFile<'_>>, base: &Bank) -> Vec<String> {
    let keys = keys(&base.image);
    let mut modules = Vec::new();
    let mut boot_loaders = 0;
    for old in &base.config.modules {
        let Some(key) = keys.get(&**old) else {
            modules.push(old.clone());
            continue;
        };
        if let Some(at) = files.iter().position(|file| file.key() == *key) {
            let file = files.remove(at);
            modules.push(file.name.to_owned());
            boot_loaders = if file.is_for_boot_loader() { modules.len() } else { boot_loaders };
        }
    }
    let (parts, rest): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.is_for_boot_loader());
    let owned = |files: Vec<&LoadedFile<'_>>| files.into_iter().map(|file| file.name.to_owned()).collect::<Vec<_>>();
    modules.splice(boot_loaders..boot_loaders, owned(parts));
    if !modules.iter().any(|module| module == database::FILE) {
        modules.push(database::FILE.to_owned());
    }
    let before_database = modules.iter().position(|module| module == database::FILE).unwrap_or(modules.len());
    modules.splice(before_database..before_database, owned(rest));
    modules
}
