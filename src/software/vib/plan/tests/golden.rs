//! ESXi 5.5 U1 becomes U1a by ESXi550-201404001.zip, with the outcome that `esxcli` printed.

use super::super::super::building::release::{
    GOLDEN_INSTALLED, GOLDEN_REMOVED, esxi_5_5_u1, esxi_5_5_u1a, golden_skipped,
};
use super::super::super::building::zipped;
use super::super::super::catalogue::Catalogue;
use super::super::super::metadata::Metadata;
use super::super::super::operation::ImageOutcome;
use super::super::super::samples::{host_with, platform};
use super::*;

fn update_1() -> ImageSnapshot {
    host_with(esxi_5_5_u1(100).iter().map(|vib| Descriptor::from_xml(&vib.descriptor()).unwrap()).collect())
}

fn update_1a() -> Metadata {
    Metadata::read(std::io::Cursor::new(zipped(&esxi_5_5_u1a(100).metadata_files()))).unwrap()
}

fn catalogue(metadata: &Metadata) -> Catalogue<'_> {
    let mut catalogue = Catalogue::default();
    catalogue.add_metadata(metadata).unwrap();
    catalogue
}

fn ids<T: AsRef<str>>(texts: &[T]) -> Vec<VibId> {
    let mut ids: Vec<_> = texts.iter().map(|text| VibId::new(text.as_ref())).collect();
    ids.sort();
    ids
}

#[test]
fn the_whole_bundle_brings_what_is_newer() {
    let (snapshot, metadata) = (update_1(), update_1a());
    let candidates = Candidate::select(&snapshot.host, &catalogue(&metadata), None).unwrap();
    let plan = planned(&snapshot, &candidates).unwrap();
    assert_eq!(
        plan.outcome(),
        ImageOutcome {
            installed: GOLDEN_INSTALLED.map(VibId::new).to_vec(),
            removed: GOLDEN_REMOVED.map(VibId::new).to_vec(),
            skipped: ids(&golden_skipped()),
            needs_reboot: true,
            needs_cimom_restart: false,
        }
    );
    assert_eq!(&*plan.image.profile.name, "(Updated) ESXi-5.5.0-1331820-standard");
    assert_eq!(plan.image.profile.modified_at, Some(day(30)));
    let base = plan.image.named("esx-base").unwrap();
    assert_eq!((base.version.as_str(), base.installed_at), ("5.5.0-1.16.1746018", Some(day(30))));
    assert_eq!(plan.image.named("sata-ahci").unwrap().installed_at, None, "it was there before");
    assert_eq!(plan.image.vibs.len(), snapshot.running.vibs.len());
}

#[test]
fn one_bulletin_brings_its_vibs_alone() {
    let (snapshot, metadata) = (update_1(), update_1a());
    let bulletins = ["ESXi550-201404402-SG".to_owned(), "ESXi550-201404403-SG".to_owned()];
    let candidates = Candidate::select(&snapshot.host, &catalogue(&metadata), Some(&bulletins)).unwrap();
    let plan = planned(&snapshot, &candidates).unwrap();
    assert_eq!((came(&plan), plan.outcome().skipped), (ids(&GOLDEN_INSTALLED[1..]), vec![]));
}

#[test]
fn the_bundle_once_more_changes_nothing() {
    let (mut snapshot, metadata) = (update_1(), update_1a());
    let candidates = Candidate::select(&snapshot.host, &catalogue(&metadata), None).unwrap();
    let plan = planned(&snapshot, &candidates).unwrap();
    snapshot.pending = Some(Arc::clone(&plan.image));
    let again = planned(&snapshot, &candidates).unwrap();
    assert!(!again.changes());
    assert!(Arc::ptr_eq(&again.image, &plan.image));
    assert_eq!(again.outcome().skipped.len(), metadata.vibs.len());
    assert!(!again.outcome().needs_reboot, "nothing is new that would wait for one");
}

#[test]
fn the_bundle_of_another_version_has_nothing_for_the_host() {
    let (snapshot, mut metadata) = (update_1(), update_1a());
    for bulletin in &mut metadata.bulletins {
        bulletin.platforms = vec![platform("embeddedEsx 6.*")];
    }
    let error = Candidate::select(&snapshot.host, &catalogue(&metadata), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[NoMatchError] The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 6.*. Get the bundle that \
         is made for the host's version."
    );
}
