//! What is to be installed, fetched: from the bundles that were named, or VIB by VIB from the depot that its metadata came
//! from.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::super::depot::Kept;
use super::super::download::{Fetched, SHARE, Wanted, fetch};
use super::super::images::Images;
use super::super::spool::digest;
use super::assessing::{catalogue, read};
use super::{BUNDLE_SHARE, Shares};
use crate::client::Place;
use crate::software::patch::PartChange;
use crate::software::vib::{
    Bundle, Candidate, Catalogue, ImageError, ImageErrorClass, ImageOperation, ImagePlan, ImageSnapshot, Metadata,
    MetadataVib, Rules, SeenBundles, Stop, VibId, scan,
};
use crate::software::{ApplyError, CancelToken, Phase, Progress};

/// The folder of what was fetched for a job, in the job's own.
const FETCHED: &str = "fetched";
/// The longest file name that is kept of a URI, in octets.
const LONGEST_NAME: usize = 120;

/// Where what is fetched for a job lies, in the job's own folder.
pub(super) fn folder(of_job: &Path) -> PathBuf {
    of_job.join(FETCHED)
}

/// Deletes what was fetched for a job.
pub(super) fn clean_up(of_job: &Path) {
    match fs::remove_dir_all(folder(of_job)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "what was fetched for a job cannot be deleted");
        }
        _ => {}
    }
}

/// Bulletins that are to be installed.
pub(super) struct Deployment<'a> {
    pub(super) images: &'a Images,
    /// The job's own folder.
    pub(super) folder: &'a Path,
    /// The metadata of the scan.
    pub(super) kept: &'a [Kept],
    pub(super) bulletins: &'a [String],
    /// The bundles of this host that were named, as they were then.
    pub(super) seen: &'a SeenBundles,
}

/// A VIB that is to be fetched.
struct Missing<'m> {
    id: VibId,
    told: &'m MetadataVib,
    place: Place,
}

impl Deployment<'_> {
    /// The installation of what the bundles have of the bulletins.
    pub(super) fn by_bundles(
        &self,
        uris: &[String],
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Option<ImageOperation>, ApplyError> {
        let shares = Shares::new(BUNDLE_SHARE, uris.len());
        let mut bundles = Vec::new();
        for (number, uri) in uris.iter().enumerate() {
            let class = ImageErrorClass::BundleDownloadError;
            let place = Place::of(uri).ok_or_else(|| not_had(class, uri, "the address is malformed"))?;
            bundles.push(match &place {
                // Read where it is; it is judged and opened when it is installed.
                Place::Local(path) => path.clone(),
                Place::Remote(_) => {
                    let mut part = shares.part(number, SHARE, progress);
                    self.fetch(&place, number, None, class, &mut part, cancel)?
                }
            });
        }
        progress.phase(Phase::Scanning, BUNDLE_SHARE);
        let bulletins = self.judge(&bundles).map_err(ApplyError::Image)?;
        Ok(Some(ImageOperation::Install { bundles, bulletins }))
    }

    /// Compares the bundles with the metadata of the scan: what goes by the same id is the same. Tells the bulletins that are
    /// meant; nothing if the bundles are VIBs of these bulletins, which have none.
    fn judge(&self, bundles: &[PathBuf]) -> Result<Option<Vec<String>>, ImageError> {
        let install = ImageOperation::Install { bundles: bundles.to_vec(), bulletins: None };
        let opened = self.images.opened(&install, self.seen, Some(&folder(self.folder)))?;
        let ImageOperation::Install { bundles, .. } = &opened.operation else { return Ok(None) };
        let bundles = bundles.iter().map(|path| Bundle::open(path)).collect::<Result<Vec<_>, _>>();
        let bundles = bundles.map_err(|error| opened.named(error))?;
        let scanned = self.kept.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut all = catalogue(&scanned)?;
        for bundle in &bundles {
            let metadata = bundle.metadata();
            all.add_metadata(metadata).map_err(|error| opened.named(error))?;
        }
        if bundles.iter().any(|bundle| !bundle.metadata().bulletins.is_empty()) {
            return Ok(Some(self.bulletins.to_vec()));
        }
        let meant: Vec<&VibId> =
            self.bulletins.iter().filter_map(|id| all.bulletin(id)).flat_map(|bulletin| &bulletin.vibs).collect();
        let strange = bundles.iter().flat_map(|bundle| bundle.metadata().vibs.keys()).find(|id| !meant.contains(id));
        match strange {
            Some(vib) => Err(ImageError::new(
                ImageErrorClass::NoMatchError,
                format!(
                    "VIB {vib} is in none of the bulletins that are to be deployed. Name the bundles that have them."
                ),
            )
            .of([vib.clone()])),
            None => Ok(None),
        }
    }

    /// The installation of the VIBs that the bulletins lack, and of what these need; nothing if they lack none.
    pub(super) fn by_depots(
        &self,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Option<ImageOperation>, ApplyError> {
        let metadata = self.kept.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(ApplyError::Image)?;
        let missing = self.missing(&metadata, cancel)?;
        let shares = Shares::new(BUNDLE_SHARE, missing.len());
        let mut bundles = Vec::new();
        for (number, vib) in missing.iter().enumerate() {
            let mut part = shares.part(number, SHARE, progress);
            let class = ImageErrorClass::VibDownloadError;
            let file = self.fetch(&vib.place, number, Some(vib), class, &mut part, cancel)?;
            check(&file, vib).map_err(ApplyError::Image)?;
            bundles.push(file);
        }
        Ok((!bundles.is_empty()).then_some(ImageOperation::Install { bundles, bulletins: None }))
    }

    /// What an installation of the bulletins would bring, with where each VIB is.
    fn missing<'m>(&self, metadata: &'m [Metadata], cancel: &CancelToken) -> Result<Vec<Missing<'m>>, Stop> {
        let catalogue = catalogue(metadata)?;
        self.images.manager.refresh()?;
        let snapshot = self.images.manager.snapshot();
        let mut places: BTreeMap<&VibId, (&MetadataVib, &str)> = BTreeMap::new();
        for (package, kept) in metadata.iter().zip(self.kept) {
            for (id, vib) in &package.vibs {
                places.entry(id).or_insert((vib, &kept.source.uri));
            }
        }
        let ids = self.incoming(&snapshot, &catalogue, &places, cancel)?;
        Ok(ids.into_iter().map(|id| located(id, &places)).collect::<Result<_, _>>()?)
    }

    /// The VIBs that would come.
    fn incoming(
        &self,
        snapshot: &ImageSnapshot,
        catalogue: &Catalogue<'_>,
        places: &BTreeMap<&VibId, (&MetadataVib, &str)>,
        cancel: &CancelToken,
    ) -> Result<Vec<VibId>, Stop> {
        let candidates = Candidate::select(&snapshot.host, catalogue, Some(self.bulletins))?;
        let at = self.images.patching.clock.now();
        let level = snapshot.next().profile.acceptance_level;
        let is_complete =
            |candidate: &&Candidate| places.get(&candidate.descriptor.id()).is_some_and(|(vib, _)| vib.is_complete);
        if candidates.iter().filter(|candidate| candidate.wanted).all(|candidate| is_complete(&candidate)) {
            let rules = Rules { level, at };
            let plan = ImagePlan::install(snapshot, &candidates, &rules, cancel)?;
            return Ok(plan.incoming.iter().map(|vib| vib.id()).collect());
        }
        // A summary does not tell all that a plan needs; the VIBs themselves do, once they are here.
        let found = scan(snapshot, catalogue, level, at, cancel)?;
        let wanted = found.bulletins.iter().filter(|bulletin| self.bulletins.iter().any(|id| **id == *bulletin.id));
        let lacking = wanted.flat_map(|bulletin| &bulletin.vibs);
        let mut ids: Vec<VibId> = lacking
            .filter(|vib| matches!(vib.change, PartChange::New | PartChange::Update))
            .map(|vib| vib.id.clone())
            .collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Fetches a file into the job's folder. What is told of a VIB bounds its size.
    fn fetch(
        &self,
        place: &Place,
        number: usize,
        vib: Option<&Missing<'_>>,
        class: ImageErrorClass,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<PathBuf, ApplyError> {
        let patching = &self.images.patching;
        let target = self.target(place, number)?;
        // What metadata tells may lower the operator's limit, not raise it.
        let told = vib.map(|vib| vib.told.packed_size).filter(|&size| size > 0);
        let limit = told.map(|size| size.min(patching.spool.max_octets()));
        let failed = |error| Self::failed(error, class, place, vib);
        let incoming = match place {
            Place::Remote(url) => {
                let wanted = Wanted { url, limit, known: None };
                match fetch(&patching.downloads, wanted, &patching.spool, progress, cancel).map_err(failed)? {
                    Fetched::File(file, _) => file,
                    Fetched::Unchanged => {
                        return Err(failed(ApplyError::Failed("the server sends nothing".to_owned())));
                    }
                }
            }
            Place::Local(path) => {
                progress.phase(Phase::Downloading, SHARE);
                patching.spool.take_in(path, limit, cancel).map_err(failed)?
            }
        };
        incoming.keep_as(&target).map_err(|error| failed(ApplyError::Failed(error.kind().to_string())))?;
        Ok(target)
    }

    /// A file that cannot be had, with the VIB that it should be.
    fn failed(error: ApplyError, class: ImageErrorClass, place: &Place, vib: Option<&Missing<'_>>) -> ApplyError {
        let (ApplyError::Unreachable(why) | ApplyError::Failed(why)) = error else { return error };
        match (vib, not_had(class, &place.to_string(), &why)) {
            (Some(vib), ApplyError::Image(error)) => ApplyError::Image(error.of([vib.id.clone()])),
            (_, error) => error,
        }
    }

    /// Where a file is put: its number keeps it from others, its name tells people what it is.
    fn target(&self, place: &Place, number: usize) -> Result<PathBuf, ApplyError> {
        let folder = folder(self.folder);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| ApplyError::Failed(format!("nothing can be fetched: {}", error.kind())))?;
        let shown = place.to_string();
        let name = shown.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        let plain: String = name.chars().filter(is_plain).take(LONGEST_NAME).collect();
        Ok(folder.join(format!("{number:03}-{plain}")))
    }
}

/// Where a VIB is: its relative path, taken from the depot that its metadata came from.
fn located<'m>(id: VibId, places: &BTreeMap<&VibId, (&'m MetadataVib, &str)>) -> Result<Missing<'m>, ImageError> {
    let class = ImageErrorClass::VibDownloadError;
    let found = places.get(&id);
    let place = found.and_then(|(vib, uri)| Place::of(uri)?.beside(&vib.relative_path));
    match (found, place) {
        (Some((told, _)), Some(place)) => Ok(Missing { id, told, place }),
        _ => {
            let text = format!(
                "The metadata does not tell where VIB {id} is in its depot. Name the bundles that have it in BundleURIs."
            );
            Err(ImageError::new(class, text).of([id]))
        }
    }
}

/// Whether what came is the VIB that the metadata tells of.
fn check(file: &Path, vib: &Missing<'_>) -> Result<(), ImageError> {
    let unread = |why: String| {
        let class = ImageErrorClass::VibIOError;
        ImageError::new(class, format!("VIB {} cannot be read: {why}. {}", vib.id, class.advice())).of([vib.id.clone()])
    };
    let opened = File::open(file).map_err(|error| unread(error.kind().to_string()))?;
    let (size, sha256) = digest(opened, u64::MAX).map_err(|refusal| unread(refusal.to_string()))?;
    let advice = ImageErrorClass::VibFormatError.advice();
    let wrong = |text: String| {
        Err(ImageError::new(ImageErrorClass::VibDownloadError, format!("{text} {advice}"))
            .at(vib.place.to_string())
            .of([vib.id.clone()]))
    };
    let told = vib.told;
    if told.packed_size > 0 && size != told.packed_size {
        return wrong(format!("It has {size} octets, and the metadata tells of {}.", told.packed_size));
    }
    if let Some(expected) = told.sha256.as_deref().filter(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
        return wrong(format!(
            "Calculated digest at EOF does not match expected result: {sha256} calculated, {expected} expected."
        ));
    }
    let bundle = Bundle::open(file)?;
    if !bundle.metadata().vibs.contains_key(&vib.id) {
        let found = bundle.metadata().vibs.keys().next().map(ToString::to_string).unwrap_or_default();
        return wrong(format!("It is VIB {found}, and the metadata tells of VIB {}.", vib.id));
    }
    Ok(())
}

/// What cannot be had, in esximage's words.
fn not_had(class: ImageErrorClass, url: &str, why: &str) -> ApplyError {
    let what = if class == ImageErrorClass::VibDownloadError { "VIB" } else { "bundle" };
    let text = format!("Failed to download {what}: {why}. {}", class.advice());
    ApplyError::Image(ImageError::new(class, text).at(url))
}
