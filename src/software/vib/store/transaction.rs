//! Carrying out a plan: the new image is put together, checked, written to the medium, and then valid at once.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::banks::{Bank, Banks};
use super::boot_config::{BootConfig, BootState};
use super::boot_files::{boot_config, own_files};
use super::disk::Disk;
use super::failure::{not_installed, with_loss};
use super::layout::Layout;
use super::locked;
use super::names;
use super::site::Site;
use super::source::{Course, PayloadFiles, Source};
use super::staging::{Staging, with_file_names};
use crate::software::vib::stop::{Stop, check_cancelled};
use crate::software::vib::{CopyError, Descriptor, Image, ImageError, ImageOutcome, ImagePlan, ProfileVib, VibId};
use crate::software::{CancelToken, Phase, Progress};

/// How many VIBs are copied at a time.
const COPIERS: usize = 2;

/// How far an operation is when copying begins and when it ends, in percent.
const COPYING: (u8, u8) = (30, 95);

/// What is noted where an image is put together in its bank and there is no room beside the one that the bank had.
const GIVEN_UP: &str =
    "There was no room for the new image beside the one in the other boot bank, which was given up for it.";

/// A plan that is carried out.
pub(super) struct Transaction<'a> {
    pub layout: &'a Layout,
    pub disk: &'a Disk,
    /// The banks of the image that is changed; a first image has none.
    pub banks: Option<&'a Banks>,
    pub plan: &'a ImagePlan,
    pub source: &'a dyn Source,
    pub cancel: &'a CancelToken,
}

/// As what an image comes.
#[derive(Clone, Debug)]
pub(super) struct Coming {
    /// Its number.
    pub updated: u64,
    pub state: BootState,
    /// Which boot it was staged under, if it waits for another one.
    pub staged_under: Option<String>,
}

impl Transaction<'_> {
    /// Makes the change in the bank that is not the running one's. Unless it succeeds, no octet of the banks is another than
    /// before; but where an image is put together in its bank, what the bank had may be gone, which the failure tells then.
    pub(super) fn make(&self, coming: Coming, progress: &mut dyn Progress) -> Result<ImageOutcome, Stop> {
        let image = self.image();
        let mut site = match self.banks {
            Some(banks) => Site::other(self.layout, self.disk, banks, &image),
            None => Site::first(self.layout, self.disk),
        };
        self.make_room(&mut site, &image, progress)?;
        let is_cleared = site.is_cleared();
        self.put_together(site, image, coming, progress).map_err(|stop| match stop {
            Stop::Failed(error) if is_cleared => Stop::Failed(with_loss(error)),
            stop => stop,
        })
    }

    fn put_together(
        &self,
        site: Site<'_>,
        mut image: Image,
        coming: Coming,
        progress: &mut dyn Progress,
    ) -> Result<ImageOutcome, Stop> {
        let staging = Staging::begin(site, self.disk, &image).map_err(|error| self.failed(&error))?;
        for own in self.fill(&staging, &image, progress)? {
            image.vibs.iter_mut().filter(|vib| vib.name == own.name).for_each(|vib| vib.clone_from(&own));
        }
        let Coming { updated, state, staged_under } = coming;
        let config = BootConfig { updated, state, staged_under, ..boot_config(&image, self.base()) };
        staging.finish(&image, &config).map_err(|error| self.failed(&error))?;
        check_cancelled(self.cancel)?;
        staging.commit().map_err(|uncommitted| {
            let error = self.failed(&uncommitted.error);
            if uncommitted.is_cleared { with_loss(error) } else { error }
        })?;
        Ok(self.plan.outcome())
    }

    /// The bank of the image that is changed.
    fn base(&self) -> Option<&Bank> {
        self.banks.map(Banks::next)
    }

    /// The image that is made.
    fn image(&self) -> Image {
        let own = self.base().map(own_files).unwrap_or_default();
        let mut profile = with_file_names(&self.plan.image, &self.plan.base, &self.plan.incoming, &own);
        if let Some(base) = self.base() {
            // One that the settings tell counts as long as they do, and is not the image's own.
            profile.acceptance_level = base.image.profile.acceptance_level;
        }
        Image { profile, vibs: self.plan.image.vibs.clone() }
    }

    /// Sees that there is room for what is written; an image in the bank is given up for it if that is what it takes.
    fn make_room(&self, site: &mut Site<'_>, image: &Image, progress: &mut dyn Progress) -> Result<(), ImageError> {
        let failed = |error: io::Error| self.failed(&error);
        let incoming = self.plan.incoming.iter().map(|vib| payload_octets(vib)).fold(0, u64::saturating_add);
        let coming: HashSet<VibId> = self.incoming().collect();
        let octets = incoming.saturating_add(site.copied(image, |named| coming.contains(&named.id)));
        let free = site.free().map_err(failed)?;
        if site.has_room(free, octets) {
            return Ok(());
        }
        if !site.has_room(free.saturating_add(site.removable().map_err(failed)?), octets) {
            return Err(self.failed(&rustix::io::Errno::NOSPC.into()));
        }
        progress.note(GIVEN_UP);
        site.clear().map_err(|error| with_loss(self.failed(&error)))
    }

    /// Puts every payload into its place; gives the own descriptors of the VIBs that come.
    fn fill(
        &self,
        staging: &Staging<'_>,
        image: &Image,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Arc<Descriptor>>, Stop> {
        let coming: HashSet<VibId> = self.incoming().collect();
        let mut queue = Vec::with_capacity(coming.len());
        for (vib, named) in image.vibs.iter().zip(&image.profile.vibs) {
            check_cancelled(self.cancel)?;
            match self.base().filter(|_| !coming.contains(&named.id)) {
                Some(base) => staging.keep(base, vib, named)?,
                None => queue.push((&**vib, named)),
            }
        }
        if let Some(banks) = self.banks {
            staging.keep_own(banks.next(), &banks.running)?;
        }
        self.copy(queue, staging, progress)
    }

    /// Copies VIBs, several at a time.
    fn copy(
        &self,
        mut queue: Vec<(&Descriptor, &ProfileVib)>,
        staging: &Staging<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Arc<Descriptor>>, Stop> {
        // The largest are the last of the list, which is where they are taken from.
        queue.sort_by_key(|(vib, _)| payload_octets(vib));
        let total = queue.iter().map(|(vib, _)| payload_octets(vib)).fold(0, u64::saturating_add);
        let copiers = queue.len().min(COPIERS);
        let (queue, has_failed) = (Mutex::new(queue), AtomicBool::new(false));
        let (octets, copied) = channel();
        thread::scope(|scope| {
            let mut handles = Vec::with_capacity(copiers);
            for _ in 0..copiers {
                let course = Course { cancel: self.cancel, has_failed: &has_failed, octets: octets.clone() };
                let queue = &queue;
                let copier = move || self.copy_from(queue, staging, &course);
                let handle = thread::Builder::new().name("image".to_owned()).spawn_scoped(scope, copier);
                handles.push(handle.map_err(|error| self.failed(&error))?);
            }
            drop(octets);
            tell(progress, copied, total);
            let done = handles.into_iter().map(|handle| match handle.join() {
                Ok(done) => done,
                Err(_) => Err(Stop::Failed(self.failed(&io::Error::other("a VIB could not be copied")))),
            });
            Ok(done.collect::<Result<Vec<_>, _>>()?.concat())
        })
    }

    /// Copies VIBs until none is left. Of several who fail, the first one tells of it.
    fn copy_from(
        &self,
        queue: &Mutex<Vec<(&Descriptor, &ProfileVib)>>,
        staging: &Staging<'_>,
        course: &Course<'_>,
    ) -> Result<Vec<Arc<Descriptor>>, Stop> {
        let mut done = Vec::new();
        while !course.is_over() {
            let Some((vib, names)) = locked(queue).pop() else { return Ok(done) };
            let files = PayloadFiles { disk: self.disk, folder: staging.folder(), vib, names, course };
            let copied = self.source.copy(vib, &files);
            let copied = copied.and_then(|own| check_all_there(&files).map(|()| own).map_err(CopyError::Write));
            let error = match copied {
                Ok(own) => {
                    done.push(own);
                    continue;
                }
                Err(error) => error,
            };
            check_cancelled(self.cancel)?;
            if course.has_failed.swap(true, Ordering::Relaxed) {
                return Ok(done);
            }
            return Err(Stop::Failed(match error {
                CopyError::Vib(error) => error,
                CopyError::Write(error) => not_installed(&error, [vib.id()]),
            }));
        }
        check_cancelled(self.cancel).map(|()| done)
    }

    fn incoming(&self) -> impl Iterator<Item = VibId> {
        self.plan.incoming.iter().map(|vib| vib.id())
    }

    fn failed(&self, error: &io::Error) -> ImageError {
        not_installed(error, self.incoming())
    }
}

/// Tells of the progress until nobody copies any more.
fn tell(progress: &mut dyn Progress, copied: Receiver<u64>, total: u64) {
    let (from, until) = COPYING;
    let mut done: u64 = 0;
    let mut told = from;
    progress.phase(Phase::Updating, from);
    for octets in copied {
        done = done.saturating_add(octets).min(total);
        let part = u128::from(done) * u128::from(until - from) / u128::from(total.max(1));
        let percent = from.saturating_add(u8::try_from(part).unwrap_or(until));
        if percent > told {
            told = percent;
            progress.phase(Phase::Updating, percent);
        }
    }
}

/// A VIB of which a payload is missing, or has another size than its descriptor says, is not in the image.
fn check_all_there(files: &PayloadFiles<'_>) -> io::Result<()> {
    for payload in &files.vib.payloads {
        let file = files.names.payloads.iter().find(|(name, _)| *name == payload.name).map(|(_, file)| file);
        let Some(path) = file.and_then(|file| names::path(files.vib, file)) else { continue };
        let size = files.folder.join(path).symlink_metadata()?.len();
        if size != payload.size {
            return Err(io::Error::other(format!("payload {} has {size} octets, not {}", payload.name, payload.size)));
        }
    }
    Ok(())
}

fn payload_octets(vib: &Descriptor) -> u64 {
    vib.payloads.iter().map(|payload| payload.size).fold(0, u64::saturating_add)
}
