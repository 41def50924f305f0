//! The bundles that an installation takes VIBs from.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::source::{PayloadFiles, Source};
use crate::software::CancelToken;
use crate::software::vib::stop::{Stop, check_cancelled};
use crate::software::vib::{
    Bundle, Catalogue, CatalogueVib, CopyError, Descriptor, ImageError, ImageErrorClass, ImageProfile, MetadataVib,
    TrustStore, VibId, VibReader, VibSum, VibType,
};

/// Bundles that are open.
#[derive(Debug)]
pub(super) struct Depot {
    bundles: Vec<Bundle>,
    /// The descriptors of VIBs that the metadata has an outline of only, as the VIBs themselves have them.
    completed: HashMap<VibId, Arc<Descriptor>>,
    /// What is wrong with VIBs that the metadata has an outline of only and that cannot be read.
    damaged: BTreeMap<VibId, ImageError>,
    trust: Arc<TrustStore>,
    now: DateTime<Utc>,
}

impl Depot {
    /// Opens bundles and reads their metadata.
    pub(super) fn open(
        bundles: &[PathBuf],
        trust: &Arc<TrustStore>,
        now: DateTime<Utc>,
        cancel: &CancelToken,
    ) -> Result<Self, Stop> {
        let open = |path: &PathBuf| check_cancelled(cancel).and_then(|()| Ok(Bundle::open(path)?));
        let bundles = bundles.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let (mut completed, mut damaged) = (HashMap::new(), BTreeMap::new());
        for bundle in &bundles {
            for (id, _) in bundle.metadata().vibs.iter().filter(|(_, vib)| !vib.is_complete) {
                check_cancelled(cancel)?;
                match own_descriptor(bundle, id) {
                    Ok(Some(descriptor)) => drop(completed.insert(id.clone(), descriptor)),
                    Ok(None) => {}
                    Err(error) => drop(damaged.insert(id.clone(), error)),
                }
            }
        }
        let is_whole = |id: &VibId| {
            let whole = |bundle: &Bundle| bundle.metadata().vibs.get(id).is_some_and(|vib| vib.is_complete);
            completed.contains_key(id) || bundles.iter().any(whole)
        };
        damaged.retain(|id, _| !is_whole(id));
        Ok(Self { bundles, completed, damaged, trust: Arc::clone(trust), now })
    }

    /// Tells what is wrong with a VIB that is asked for and cannot be read. One that nobody asks for does no harm.
    pub(super) fn refuse_damaged(&self, is_wanted: impl Fn(&VibId) -> bool) -> Result<(), ImageError> {
        let wanted = self.damaged.iter().find(|(id, _)| is_wanted(id));
        wanted.map_or(Ok(()), |(_, error)| Err(error.clone()))
    }

    /// Whether a VIB is in one of these bulletins; without them all are meant.
    pub(super) fn is_of(&self, bulletins: Option<&[String]>, id: &VibId) -> bool {
        let Some(named) = bulletins else { return true };
        let mut all = self.bundles.iter().flat_map(|bundle| &bundle.metadata().bulletins);
        all.any(|bulletin| named.iter().any(|name| **name == *bulletin.id) && bulletin.vibs.contains(id))
    }

    /// All that they offer, without what is damaged.
    pub(super) fn catalogue(&self) -> Result<Catalogue<'_>, ImageError> {
        let mut catalogue = Catalogue::default();
        for bundle in &self.bundles {
            let metadata = bundle.metadata();
            let sound = metadata.vibs.iter().filter(|(id, _)| !self.damaged.contains_key(*id));
            let vibs = sound.map(|(id, vib)| match self.completed.get(id) {
                Some(descriptor) => CatalogueVib { descriptor, is_complete: true, ..CatalogueVib::from((id, vib)) },
                None => CatalogueVib::from((id, vib)),
            });
            catalogue.add(&metadata.bulletins, vibs)?;
        }
        Ok(catalogue)
    }

    /// The image profile of this name.
    pub(super) fn profile(&self, name: &str) -> Result<&ImageProfile, ImageError> {
        let mut profiles = self.bundles.iter().flat_map(|bundle| &bundle.metadata().profiles);
        profiles.find(|profile| *profile.name == *name).ok_or_else(|| {
            let text = format!("No image profile found with name '{name}'. Name one that the bundles have.");
            ImageError::new(ImageErrorClass::NoMatchError, text)
        })
    }

    fn copy_octets(
        &self,
        octets: &mut dyn Read,
        vib: &Descriptor,
        told: &MetadataVib,
        files: &PayloadFiles<'_>,
    ) -> Result<Arc<Descriptor>, CopyError> {
        let id = vib.id();
        let mut reader = VibReader::open(octets)?;
        let own = check_same(reader.descriptor(), vib)?;
        reader.verify_signature(&self.trust, self.now)?;
        while let Some(payload) = reader.next_payload()? {
            if vib.vib_type == VibType::Meta {
                continue;
            }
            let mut file = files.create(&payload.name).map_err(CopyError::Write)?;
            reader.copy_payload(&mut file)?;
            file.finish().map_err(CopyError::Write)?;
        }
        check_sum(&reader.finish()?, told, &id)?;
        Ok(Arc::new(own))
    }
}

impl Source for Depot {
    fn copy(&self, vib: &Descriptor, files: &PayloadFiles<'_>) -> Result<Arc<Descriptor>, CopyError> {
        let id = vib.id();
        let mut missing = None;
        for bundle in &self.bundles {
            let Some(told) = bundle.metadata().vibs.get(&id) else { continue };
            match bundle.open_vib(&id, |octets| self.copy_octets(octets, vib, told, files)) {
                // Metadata may tell of more VIBs than the bundle has; another one may have this.
                Err(CopyError::Vib(error)) if error.class == ImageErrorClass::VibDownloadError => {
                    missing.get_or_insert(error);
                }
                copied => return copied,
            }
        }
        let none = || ImageError::new(ImageErrorClass::VibDownloadError, format!("No bundle has VIB {id}.")).of([id]);
        Err(CopyError::Vib(missing.unwrap_or_else(none)))
    }
}

/// The descriptor that a VIB has itself; `None` if the bundle has not the VIB.
fn own_descriptor(bundle: &Bundle, id: &VibId) -> Result<Option<Arc<Descriptor>>, ImageError> {
    let read = bundle.open_vib(id, |octets| Ok::<_, ImageError>(Arc::clone(VibReader::open(octets)?.descriptor())));
    let descriptor = match read {
        Ok(descriptor) => descriptor,
        Err(error) if error.class == ImageErrorClass::VibDownloadError => return Ok(None),
        Err(error) => return Err(error),
    };
    if descriptor.id() == *id {
        return Ok(Some(descriptor));
    }
    Err(another(id, &format!("it is {}", descriptor.id())))
}

/// The plan was made of what the metadata says, which nobody signed; what is signed must say the same. Gives the VIB's own
/// descriptor as it is installed.
fn check_same(own: &Descriptor, planned: &Descriptor) -> Result<Descriptor, ImageError> {
    let own = Descriptor { installed_at: planned.installed_at, ..own.clone() };
    // How a VIB is described to people makes no difference to the plan.
    let compared = Descriptor {
        summary: planned.summary.clone(),
        description: planned.description.clone(),
        urls: planned.urls.clone(),
        release_date: planned.release_date,
        ..own.clone()
    };
    if compared == *planned {
        return Ok(own);
    }
    let why =
        if own.id() == planned.id() { "their descriptors differ".to_owned() } else { format!("it is {}", own.id()) };
    Err(another(&planned.id(), &why))
}

fn another(id: &VibId, why: &str) -> ImageError {
    let class = ImageErrorClass::VibValidationError;
    let text = format!("The bundle's file of VIB {id} is not the VIB that its metadata describes: {why}.");
    ImageError::new(class, format!("{text} {}", class.advice())).of([id.clone()])
}

/// The whole file must be the one that the metadata tells of.
fn check_sum(sum: &VibSum, told: &MetadataVib, id: &VibId) -> Result<(), ImageError> {
    let what = match &told.sha256 {
        Some(expected) if **expected != *sum.sha256 => format!("{} calculated, {expected} expected", sum.sha256),
        _ if told.packed_size != sum.size => format!("{} octets, {} expected", sum.size, told.packed_size),
        _ => return Ok(()),
    };
    let text = format!(
        "Calculated digest at EOF does not match expected result: {what}. The bundle's file of the VIB is not the one that \
         its metadata tells of. {}",
        ImageErrorClass::VibFormatError.advice()
    );
    Err(ImageError::new(ImageErrorClass::InstallationError, text).of([id.clone()]))
}
