//! Stores with VIBs in them, and what tells whether they are whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::banks::{BOOT_CONFIG, Banks};
use super::super::boot_files::own_files;
use super::super::disk::Disk;
use super::super::host::Boot;
use super::super::names;
use super::super::source::{PayloadFiles, Source};
use super::super::*;
use crate::software::Phase;
use crate::software::vib::building::{self, Payload, Vib};
use crate::software::vib::{
    AcceptanceLevel, Candidate, ChecksumAlgorithm, Checksummed, CopyError, Descriptor, Image, Payload as Described,
};

/// VIBs in memory.
pub(in super::super) struct Memory(pub Vec<Vib>);

impl Source for Memory {
    fn copy(&self, vib: &Descriptor, files: &PayloadFiles<'_>) -> Result<Arc<Descriptor>, CopyError> {
        let made = self.0.iter().find(|made| made.id() == vib.id().as_str()).unwrap();
        for payload in &made.payloads {
            let mut file = files.create(&payload.name).map_err(CopyError::Write)?;
            payload.stored.chunks(2500).try_for_each(|part| file.write_all(part)).map_err(CopyError::Write)?;
            file.finish().map_err(CopyError::Write)?;
        }
        Ok(Arc::new(vib.clone()))
    }
}

/// Hears how far a change is, and what is noted of it.
#[derive(Debug, Default)]
pub(in super::super) struct Heard(pub Vec<(Phase, u8)>, pub Vec<String>);

impl Progress for Heard {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, phase: Phase, percent: u8) {
        self.0.push((phase, percent));
    }

    fn note(&mut self, text: &str) {
        self.1.push(text.to_owned());
    }
}

/// A VIB with two payloads.
pub(in super::super) fn vib(name: &str, version: &str, live: bool) -> Vib {
    let file = format!("opt/{name}/{version}");
    let (code, data) = (building::payload::filler(3000, 1), building::payload::filler(700, 2));
    Vib {
        payloads: vec![
            Payload::boot(&name.replace('-', "")[..3], &[version.as_bytes(), &code].concat()),
            Payload::vgz(&format!("{}-data", &name[..3]), &[(&file, &data)]),
        ],
        live_install: live,
        live_remove: live,
        ..Vib::new(name, version)
    }
}

/// One of the locker.
pub(in super::super) fn tools(version: &str) -> Vib {
    Vib { vib_type: "locker".to_owned(), ..vib("tools-light", version, true) }
}

/// Installs VIBs.
pub(in super::super) fn install(store: &ImageStore, vibs: &[Vib]) -> Result<ImageOutcome, Stop> {
    install_until(store, vibs, &CancelToken::default())
}

/// Installs VIBs unless that is cancelled.
pub(in super::super) fn install_until(
    store: &ImageStore,
    vibs: &[Vib],
    cancel: &CancelToken,
) -> Result<ImageOutcome, Stop> {
    let described = |vib: &Vib| Arc::new(Descriptor::from_xml(&vib.descriptor()).unwrap());
    let candidates: Vec<_> = vibs.iter().map(|vib| Candidate { descriptor: described(vib), wanted: true }).collect();
    store.change(|state| {
        let snapshot = store.snapshot();
        let plan = ImagePlan::install(&snapshot, &candidates, &store.rules(&snapshot), cancel)?;
        store.carry_out(state, &plan, &Memory(vibs.to_vec()), &mut Heard::default(), cancel)
    })
}

/// Installs VIBs from a bundle, as people do.
pub(in super::super) fn install_bundle(store: &ImageStore, bundle: PathBuf) -> Result<ImageOutcome, ApplyError> {
    let operation = ImageOperation::Install { bundles: vec![bundle], bulletins: None };
    store.apply(&operation, &mut Heard::default(), &CancelToken::default())
}

/// A store whose running image has some VIBs, and whose other bank has the image before.
pub(in super::super) fn stocked(folder: &Path) -> ImageStore {
    let new = NewImage { acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
    let store = ImageStore::create(folder, &new, super::settings()).unwrap();
    install(&store, &[vib("esx-base", "5.5.0-1.15.1623387", false), tools("5.5.0-1.15.1623387")]).unwrap();
    assert!(store.mark_boot().unwrap());
    install(&store, &[vib("net-e1000", "8.0.3-2", true)]).unwrap();
    store
}

/// Every file of a store but its lock, with its octets; of a link where it leads to.
pub(in super::super) fn octets(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.read_link() {
            Ok(target) => drop(files.insert(path, target.into_os_string().into_encoded_bytes())),
            Err(_) if path.is_dir() => files.extend(octets(&path)),
            Err(_) if path.ends_with("image.lock") => {}
            Err(_) => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    files
}

/// The versions of a VIB in the running, the waiting and the previous image.
pub(in super::super) fn versions(store: &ImageStore, name: &str) -> [Option<String>; 3] {
    let snapshot = store.snapshot();
    let version = |image: &Arc<Image>| image.named(name).map_or("none".to_owned(), |vib| vib.version.to_string());
    [Some(&snapshot.running), snapshot.pending.as_ref(), snapshot.previous.as_ref()].map(|image| image.map(version))
}

/// Those that there should be.
pub(in super::super) fn are(running: &str, pending: Option<&str>, previous: Option<&str>) -> [Option<String>; 3] {
    [Some(running), pending, previous].map(|version| version.map(str::to_owned))
}

/// Copies a store.
pub(in super::super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.path().read_link() {
            Ok(target) => symlink(target, to).unwrap(),
            Err(_) if entry.path().is_dir() => copy(&entry.path(), &to),
            Err(_) => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Opens a store whose steps are asked for.
pub(in super::super) fn open_with(folder: &Path, disk: Disk) -> Result<ImageStore, ImageError> {
    ImageStore::open_on(disk, folder, super::settings())
}

/// Fails unless everything of both banks is there as it was installed, and nothing else.
pub(in super::super) fn check_whole(store: &ImageStore) {
    let boot = Boot::read(&store.layout).unwrap();
    let banks = Banks::read(&store.layout, &boot, &[]).unwrap();
    for bank in [Some(&banks.running), banks.other.as_ref()].into_iter().flatten() {
        let told = [BOOT_CONFIG, database::FILE].into_iter().chain(own_files(bank));
        let mut expected: Vec<_> = told.map(|file| bank.folder.join(file)).collect();
        for (vib, named) in bank.image.vibs.iter().zip(&bank.image.profile.vibs) {
            assert_eq!((vib.id(), vib.payloads.len()), (named.id.clone(), named.payloads.len()));
            for (payload, (name, file)) in vib.payloads.iter().zip(&named.payloads) {
                assert_eq!(payload.name, *name);
                let path = bank.folder.join(names::path(vib, file).unwrap());
                check_payload(payload, &fs::read(&path).unwrap());
                expected.push(path);
            }
        }
        expected.sort();
        assert_eq!(octets(&bank.folder).into_keys().collect::<Vec<_>>(), expected);
        let loaded = [&bank.config.kernel].into_iter().chain(&bank.config.modules).filter(|file| !file.is_empty());
        loaded.for_each(|file| assert!(bank.folder.join(file).is_file(), "{file}"));
    }
}

fn check_payload(payload: &Described, content: &[u8]) {
    let stored = payload.checksums.iter().find(|sum| sum.of == Checksummed::Stored).unwrap();
    assert_eq!(stored.algorithm, ChecksumAlgorithm::Sha256);
    assert_eq!(*building::sha256(content), *stored.digest);
}
