//! What bundles and depots offer, taken together.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::bulletin::Bulletin;
use super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::error::{ImageError, ImageErrorClass};
use super::metadata::{Metadata, MetadataVib};

/// A VIB as a bundle or a metadata package offers it.
#[derive(Clone, Copy, Debug)]
pub struct CatalogueVib<'a> {
    /// Its id.
    pub id: &'a VibId,
    /// What is told of it.
    pub descriptor: &'a Arc<Descriptor>,
    /// Whether that is its own descriptor; else it is an outline, which tells neither of payloads, files, acceptance level
    /// nor hardware.
    pub is_complete: bool,
    /// The products of the packages that offer it; none is any.
    pub products: &'a [SoftwarePlatform],
}

impl<'a> From<(&'a VibId, &'a MetadataVib)> for CatalogueVib<'a> {
    fn from((id, vib): (&'a VibId, &'a MetadataVib)) -> Self {
        let MetadataVib { descriptor, is_complete, products, .. } = vib;
        Self { id, descriptor, is_complete: *is_complete, products }
    }
}

/// The bulletins and VIBs of several bundles or metadata packages, each once.
#[derive(Debug, Default)]
pub struct Catalogue<'a> {
    bulletins: Vec<Cow<'a, Bulletin>>,
    bulletin_places: HashMap<&'a str, usize>,
    vibs: Vec<&'a Arc<Descriptor>>,
    /// Of each VIB whether only an outline of it is there, and the products of the packages that offer it.
    kinds: Vec<(bool, Cow<'a, [SoftwarePlatform]>)>,
    vib_places: HashMap<&'a str, usize>,
}

impl<'a> Catalogue<'a> {
    /// Adds what one bundle or metadata package offers.
    ///
    /// A bulletin that is there already with the same VIBs is for the products of both copies; of copies with other VIBs the
    /// one that was released later is kept. A VIB that is there already with other content is a `ValueError`, as esximage has
    /// it; an outline gives way to a whole descriptor.
    pub fn add(
        &mut self,
        bulletins: &'a [Bulletin],
        vibs: impl IntoIterator<Item = CatalogueVib<'a>>,
    ) -> Result<(), ImageError> {
        for bulletin in bulletins {
            self.add_bulletin(bulletin);
        }
        vibs.into_iter().try_for_each(|vib| self.add_vib(vib))
    }

    /// Adds a bundle or a metadata package as it is.
    pub fn add_metadata(&mut self, metadata: &'a Metadata) -> Result<(), ImageError> {
        self.add(&metadata.bulletins, metadata.vibs.iter().map(CatalogueVib::from))
    }

    /// The bulletins, in the order in which they came.
    pub fn bulletins(&self) -> impl Iterator<Item = &Bulletin> {
        self.bulletins.iter().map(Cow::as_ref)
    }

    /// The VIBs, in the order in which they came.
    pub fn vibs(&self) -> &[&'a Arc<Descriptor>] {
        &self.vibs
    }

    /// The bulletin of this id.
    pub fn bulletin(&self, id: &str) -> Option<&Bulletin> {
        self.bulletin_places.get(id).and_then(|&place| self.bulletins.get(place)).map(Cow::as_ref)
    }

    /// The VIB of this id.
    pub fn vib(&self, id: &VibId) -> Option<&'a Arc<Descriptor>> {
        self.vib_place(id).and_then(|place| self.vibs.get(place)).copied()
    }

    /// Where the VIB of this id stands among the VIBs.
    pub(super) fn vib_place(&self, id: &VibId) -> Option<usize> {
        self.vib_places.get(id.as_str()).copied()
    }

    fn add_bulletin(&mut self, bulletin: &'a Bulletin) {
        let Some(known) = self.bulletin_places.get(&*bulletin.id).and_then(|&place| self.bulletins.get_mut(place))
        else {
            self.bulletin_places.insert(&bulletin.id, self.bulletins.len());
            self.bulletins.push(Cow::Borrowed(bulletin));
            return;
        };
        let is_later = known.release_date < bulletin.release_date;
        if known.vibs != bulletin.vibs {
            if is_later {
                *known = Cow::Borrowed(bulletin);
            }
            return;
        }
        let platforms = joined(&known.platforms, &bulletin.platforms);
        if is_later {
            *known = Cow::Borrowed(bulletin);
        }
        if platforms != known.platforms {
            known.to_mut().platforms = platforms;
        }
    }

    fn add_vib(&mut self, offered: CatalogueVib<'a>) -> Result<(), ImageError> {
        let CatalogueVib { id, descriptor: vib, is_complete, products } = offered;
        let place = self.vib_places.get(id.as_str()).copied();
        let Some((known, (is_outline, of))) =
            place.and_then(|place| Some((self.vibs.get_mut(place)?, self.kinds.get_mut(place)?)))
        else {
            self.vib_places.insert(id.as_str(), self.vibs.len());
            self.vibs.push(vib);
            self.kinds.push((!is_complete, Cow::Borrowed(products)));
            return Ok(());
        };
        if **of != *products {
            *of = Cow::Owned(joined(of, products));
        }
        if *is_outline {
            (*known, *is_outline) = (vib, !is_complete);
            return Ok(());
        }
        match unequal_attribute(known, vib).filter(|_| is_complete) {
            Some(attribute) => Err(unequal(id, attribute)),
            None => Ok(()),
        }
    }

    /// Whether what is told of a VIB is no more than what `vmware.xml` has: an outline without payloads, files, acceptance
    /// level and hardware.
    pub(super) fn is_outline(&self, place: usize) -> bool {
        self.kinds.get(place).is_some_and(|(is_outline, _)| *is_outline)
    }

    /// The products of the packages that offer a VIB; none is any.
    pub(super) fn products(&self, place: usize) -> &[SoftwarePlatform] {
        self.kinds.get(place).map(|(_, products)| &**products).unwrap_or_default()
    }
}

/// The products of both; none is any.
fn joined(one: &[SoftwarePlatform], other: &[SoftwarePlatform]) -> Vec<SoftwarePlatform> {
    if one.is_empty() || other.is_empty() {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    one.iter().chain(other).filter(|platform| seen.insert(*platform)).cloned().collect()
}

/// What two copies of a VIB differ in, by esximage's name for it.
fn unequal_attribute(one: &Descriptor, other: &Descriptor) -> Option<&'static str> {
    [
        ("payloads", one.payloads == other.payloads),
        ("depends", one.depends == other.depends),
        ("conflicts", one.conflicts == other.conflicts),
        ("replaces", one.replaces == other.replaces),
        ("provides", one.provides == other.provides),
        ("filelist", one.files == other.files),
        ("acceptancelevel", one.acceptance_level == other.acceptance_level),
        ("liveinstallok", one.live_install_allowed == other.live_install_allowed),
        ("liveremoveok", one.live_remove_allowed == other.live_remove_allowed),
        ("overlay", one.overlay == other.overlay),
    ]
    .into_iter()
    .find_map(|(attribute, equal)| (!equal).then_some(attribute))
}

fn unequal(id: &VibId, attribute: &str) -> ImageError {
    let text = format!(
        "Cannot merge VIBs {id}, {id} with unequal {attribute} attributes. Leave out the bundle or the metadata whose copy \
         of the VIB is not the vendor's."
    );
    ImageError::new(ImageErrorClass::ValueError, text).of([id.clone()])
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::Payload;
    use super::super::samples::{Package, bulletin, platform, vib};
    use super::*;

    fn with_payload(vib: Descriptor, size: u64) -> Descriptor {
        let payload =
            Payload { name: "b".into(), payload_type: "vgz".into(), size, checksums: vec![], vfat_name: None };
        Descriptor { payloads: vec![payload], ..vib }
    }

    #[test]
    fn what_several_packages_have_stands_there_once() {
        let base = with_payload(vib("esx-base 5.5.0-1"), 10);
        let one = Package::of([base.clone()]).with_bulletin("B1", 1, &["esx-base 5.5.0-1"]);
        let mut other = Package::of([base.clone(), vib("other 1.0-1")]);
        other.bulletins = vec![bulletin("B1", 2, []), bulletin("B2", 1, [])];
        let mut catalogue = one.catalogue();
        catalogue.add(&other.bulletins, other.offered()).unwrap();
        assert_eq!(catalogue.vibs().len(), 2);
        let ids: Vec<_> = catalogue.bulletins().map(|bulletin| &*bulletin.id).collect();
        assert_eq!(ids, ["B1", "B2"]);
        assert_eq!(catalogue.bulletin("B1"), Some(&other.bulletins[0]), "it was released later");
        assert_eq!(catalogue.bulletin("B3"), None);
        assert_eq!(catalogue.vib(&base.id()).map(|vib| vib.payloads.len()), Some(1));
    }

    #[test]
    fn copies_of_a_bulletin_with_the_same_vibs_are_for_the_products_of_both() {
        let base = || bulletin("B", 1, [&vib("a 1-1")]);
        let platforms = |texts: &[&str]| texts.iter().map(|text| platform(text)).collect();
        let joined = |one: &[&str], other: &[&str], released| {
            let one = [Bulletin { platforms: platforms(one), ..base() }];
            let release_date = bulletin("", released, []).release_date;
            let other = [Bulletin { platforms: platforms(other), release_date, ..base() }];
            let mut catalogue = Catalogue::default();
            catalogue.add(&one, []).unwrap();
            catalogue.add(&other, []).unwrap();
            let kept = catalogue.bulletin("B").unwrap().clone();
            assert_eq!(kept.release_date, release_date.max(one[0].release_date));
            kept.platforms
        };
        let both: Vec<_> = platforms(&["x 5.*", "x 6.*"]);
        for released in [0, 1, 2] {
            assert_eq!(joined(&["x 5.*"], &["x 6.*", "x 5.*"], released), both);
            assert_eq!(joined(&["x 5.*"], &["x 5.*"], released), both[..1]);
            assert_eq!(joined(&["x 5.*"], &[], released), [], "for any");
        }
    }

    #[test]
    fn copies_of_a_vib_must_agree_unless_one_is_only_an_outline() {
        let merged_of = |(one, is_outline): (Descriptor, bool), (other, other_is): (Descriptor, bool)| {
            let (one, other) = (Package::of([one]), Package::of([other]));
            let mut catalogue = Catalogue::default();
            catalogue.add(&[], one.offered().map(|vib| CatalogueVib { is_complete: !is_outline, ..vib }))?;
            catalogue.add(&[], other.offered().map(|vib| CatalogueVib { is_complete: !other_is, ..vib }))?;
            assert_eq!(catalogue.is_outline(0), is_outline && other_is);
            Ok(catalogue.vibs()[0].payloads.len())
        };
        let merged = |one, other| merged_of((one, false), (other, false));
        let base = || vib("esx-base 5.5.0-1");
        assert_eq!(merged(with_payload(base(), 10), with_payload(base(), 10)), Ok(1));
        assert_eq!(merged_of((base().needing("x"), true), (with_payload(base(), 10), false)), Ok(1));
        assert_eq!(merged_of((with_payload(base(), 10), false), (base().needing("x"), true)), Ok(1));
        assert_eq!(merged_of((base(), true), (base().needing("x"), true)), Ok(0));
        let error: ImageError = merged(base(), Descriptor { overlay: true, ..base() }).unwrap_err();
        assert!(error.text.contains("with unequal overlay attributes"), "without payloads too: {error}");
        let error = merged(with_payload(base(), 10), with_payload(base(), 11)).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::ValueError);
        assert_eq!(
            error.text,
            "Cannot merge VIBs VMware_bootbank_esx-base_5.5.0-1, VMware_bootbank_esx-base_5.5.0-1 with unequal payloads \
             attributes. Leave out the bundle or the metadata whose copy of the VIB is not the vendor's."
        );
        let error = merged(with_payload(base(), 10), with_payload(base().needing("x"), 10)).unwrap_err();
        assert!(error.text.contains("with unequal depends attributes"), "{error}");
    }
}
