//! VIBs, images, hosts and bulletins for tests of the rules: only what is told differs from what is usual.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::bulletin::Bulletin;
use super::catalogue::{Catalogue, CatalogueVib};
use super::descriptor::{Descriptor, MaintenanceModeNeed, SoftwarePlatform, VibId, VibType};
use super::image::{Image, ImageHost, ImageSnapshot};
use super::level::AcceptanceLevel;
use super::profile::ImageProfile;
use super::relation::{Comparison, Constraint, Provide};
use super::version::VibVersion;

/// An unsigned moment: so many days after the first of April 2014.
pub(super) fn day(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(16_161 + number)
}

/// A live VIB of VMware's with nothing but a name and a version, `name version`.
pub(super) fn vib(name_and_version: &str) -> Descriptor {
    let (name, version) = name_and_version.split_once(' ').expect("a name and a version");
    Descriptor {
        vib_type: VibType::Bootbank,
        name: name.into(),
        version: VibVersion::new(version),
        vendor: "VMware".into(),
        summary: "".into(),
        description: "".into(),
        release_date: None,
        urls: vec![],
        depends: vec![],
        conflicts: vec![],
        replaces: vec![],
        provides: vec![],
        compatible_with: vec![],
        tags: vec![],
        maintenance_mode: MaintenanceModeNeed::default(),
        hardware: vec![],
        platforms: vec![],
        files: vec![],
        acceptance_level: AcceptanceLevel::Certified,
        live_install_allowed: true,
        live_remove_allowed: true,
        cimom_restart: false,
        stateless_ready: true,
        overlay: false,
        payloads: vec![],
        installed_at: None,
    }
}

impl Descriptor {
    pub(super) fn needing(self, constraint: &str) -> Self {
        Self { depends: with(self.depends, self::constraint(constraint)), ..self }
    }

    pub(super) fn excluding(self, constraint: &str) -> Self {
        Self { conflicts: with(self.conflicts, self::constraint(constraint)), ..self }
    }

    pub(super) fn replacing(self, constraint: &str) -> Self {
        Self { replaces: with(self.replaces, self::constraint(constraint)), ..self }
    }

    /// `name` or `name version`.
    pub(super) fn providing(self, provided: &str) -> Self {
        let (name, version) = match provided.split_once(' ') {
            Some((name, version)) => (name, Some(VibVersion::new(version))),
            None => (provided, None),
        };
        Self { provides: with(self.provides, Provide { name: name.into(), version }), ..self }
    }

    pub(super) fn with_file(self, path: &str) -> Self {
        Self { files: with(self.files, path.into()), ..self }
    }

    pub(super) fn at_level(self, acceptance_level: AcceptanceLevel) -> Self {
        Self { acceptance_level, ..self }
    }

    pub(super) fn needing_reboot(self) -> Self {
        Self { live_install_allowed: false, live_remove_allowed: false, ..self }
    }
}

fn with<T>(mut list: Vec<T>, item: T) -> Vec<T> {
    list.push(item);
    list
}

/// `name` or `name relation version`.
pub(super) fn constraint(text: &str) -> Constraint {
    let words: Vec<_> = text.split(' ').collect();
    let version = match words.as_slice() {
        [_] => None,
        [_, relation, version] => {
            let comparison = Comparison::ALL.into_iter().find(|comparison| comparison.operator() == *relation);
            Some((comparison.expect("a relation"), VibVersion::new(version)))
        }
        _ => panic!("{text} is no constraint"),
    };
    Constraint { name: words[0].into(), version }
}

/// An image of these VIBs.
pub(super) fn image(vibs: Vec<Descriptor>) -> Arc<Image> {
    let mut vibs: Vec<_> = vibs.into_iter().map(Arc::new).collect();
    vibs.sort_by(|one, other| one.name.cmp(&other.name));
    let profile = ImageProfile {
        name: "ESXi-5.5.0-1331820-standard".into(),
        creator: "VMware, Inc.".into(),
        created_at: Some(day(0)),
        modified_at: Some(day(0)),
        profile_id: "".into(),
        description: "".into(),
        acceptance_level: AcceptanceLevel::Partner,
        vibs: vec![],
    };
    Arc::new(Image { profile, vibs })
}

/// An ESXi 5.5.0 host that runs an image of these VIBs and takes live changes.
pub(super) fn host_with(vibs: Vec<Descriptor>) -> ImageSnapshot {
    let host = ImageHost {
        product_line: "embeddedEsx".into(),
        version: "5.5.0".into(),
        build: Some(1_331_820),
        locale: "".into(),
        hardware: None,
        maintenance_mode: false,
        changes_live: true,
        booted_at: Some(day(1)),
    };
    ImageSnapshot { host, running: image(vibs), pending: None, previous: None }
}

/// `product version`, in any locale.
pub(super) fn platform(text: &str) -> SoftwarePlatform {
    let (product_line, version) = text.split_once(' ').expect("a product and a version");
    SoftwarePlatform { product_line: product_line.into(), version: version.into(), locale: "".into() }
}

/// A critical security bulletin of these VIBs, for ESXi 5.5.0.
pub(super) fn bulletin<'a>(id: &str, released: i64, vibs: impl IntoIterator<Item = &'a Descriptor>) -> Bulletin {
    Bulletin {
        id: id.into(),
        vendor: "VMware, Inc.".into(),
        summary: format!("Updates of {id}").into(),
        severity: "Critical".into(),
        category: "security".into(),
        urgency: "critical".into(),
        release_type: "patch".into(),
        description: "".into(),
        kb_url: "http://kb.example.com/2076665".into(),
        contact: "".into(),
        release_date: Some(day(released)),
        platforms: vec![platform("embeddedEsx 5.5.0")],
        vibs: vibs.into_iter().map(Descriptor::id).collect(),
        component: None,
    }
}

/// A metadata package as a test has it.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) bulletins: Vec<Bulletin>,
    pub(super) vibs: Vec<(VibId, Arc<Descriptor>)>,
}

impl Package {
    /// One of these VIBs.
    pub(super) fn of(vibs: impl IntoIterator<Item = Descriptor>) -> Self {
        let vibs = vibs.into_iter().map(|vib| (vib.id(), Arc::new(vib))).collect();
        Self { bulletins: vec![], vibs }
    }

    /// The same with a bulletin of those VIBs whose `name version` are told.
    pub(super) fn with_bulletin(mut self, id: &str, released: i64, vibs: &[&str]) -> Self {
        let named = |wanted: &str| {
            let is = |vib: &&(VibId, Arc<Descriptor>)| format!("{} {}", vib.1.name, vib.1.version) == wanted;
            &*self.vibs.iter().find(is).expect("a VIB of the package").1
        };
        let bulletin = bulletin(id, released, vibs.iter().map(|wanted| named(wanted)));
        self.bulletins.push(bulletin);
        self
    }

    pub(super) fn catalogue(&self) -> Catalogue<'_> {
        let mut catalogue = Catalogue::default();
        catalogue.add(&self.bulletins, self.offered()).expect("VIBs that agree");
        catalogue
    }

    /// Its VIBs, for any product.
    pub(super) fn offered(&self) -> impl Iterator<Item = CatalogueVib<'_>> {
        self.vibs.iter().map(|(id, descriptor)| CatalogueVib { id, descriptor, is_complete: true, products: &[] })
    }
}

/// What `name version` stands for as the id of a VIB of VMware's.
pub(super) fn ids(names_and_versions: &[&str]) -> Vec<VibId> {
    names_and_versions.iter().map(|text| vib(text).id()).collect()
}
