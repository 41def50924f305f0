//! Installing from offline bundles, as esxcli does.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{TimeDelta, TimeZone, Utc};

use super::super::*;
use super::fixture::{Heard, check_whole, octets};
use crate::clock::{Clock, ManualClock, SharedClock};
use crate::software::Phase;
use crate::software::vib::building::release::{
    GOLDEN_INSTALLED, GOLDEN_REMOVED, esxi_5_5_u1, esxi_5_5_u1a, golden_skipped,
};
use crate::software::vib::building::{Bulletin, Bundle, Platform, Signers, Spelling, Vib};
use crate::software::vib::{AcceptanceLevel, ImageErrorClass, TrustStore, VibId};

/// A folder with bundles, trust files and a store.
pub(in super::super) struct Host {
    pub(in super::super) folder: tempfile::TempDir,
    pub(in super::super) store: ImageStore,
}

/// Settings that take the signatures of the tests' signers.
fn trusting(folder: &Path) -> ImageSettings {
    let (vmware, partners) = (folder.join("vmware.pem"), folder.join("partners.pem"));
    std::fs::write(&vmware, Signers::shared().vmware_root.pem()).unwrap();
    std::fs::write(&partners, Signers::shared().partner_root.pem()).unwrap();
    let trust = TrustStore::read(Some(&vmware), Some(&partners), None).unwrap();
    ImageSettings { trust: Arc::new(trust), ..super::settings() }
}

impl Host {
    /// A host with an image of these VIBs.
    pub(in super::super) fn with(vibs: Vec<Vib>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("first.zip");
        Bundle::of(vibs).write(&bundle);
        let new = NewImage {
            bundles: vec![bundle],
            acceptance_level: Some(AcceptanceLevel::Community),
            ..NewImage::default()
        };
        let store = ImageStore::create(&folder.path().join("image"), &new, trusting(folder.path())).unwrap();
        check_whole(&store);
        Self { folder, store }
    }

    fn bundle(&self, bundle: &Bundle) -> PathBuf {
        let file = self.folder.path().join("bundle.zip");
        bundle.write(&file);
        file
    }

    pub(in super::super) fn install(&self, file: PathBuf) -> Result<ImageOutcome, ApplyError> {
        let operation = ImageOperation::Install { bundles: vec![file], bulletins: None };
        self.store.apply(&operation, &mut Heard::default(), &CancelToken::default())
    }

    /// Fails to install, which changes nothing, and gives the failure.
    fn refused(&self, file: PathBuf) -> ImageError {
        let before = octets(self.store.folder());
        let Err(ApplyError::Image(error)) = self.install(file) else { panic!("it was installed") };
        assert!(before == octets(self.store.folder()), "{error}");
        error
    }
}

fn ids(vibs: &[VibId]) -> Vec<&str> {
    vibs.iter().map(VibId::as_str).collect()
}

#[test]
fn the_patch_to_u1a_does_what_esxcli_tells_of_it() {
    let host = Host::with(esxi_5_5_u1(2000));
    assert_eq!(host.store.snapshot().host.build, Some(1_623_387));
    let operation = ImageOperation::Install { bundles: vec![host.bundle(&esxi_5_5_u1a(2000))], bulletins: None };
    let planned = host.store.plan(&operation, &CancelToken::default()).unwrap();
    let mut heard = Heard::default();
    let outcome = host.store.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
    assert_eq!(outcome, planned.outcome());
    assert_eq!(ids(&outcome.installed), GOLDEN_INSTALLED);
    assert_eq!(ids(&outcome.removed), GOLDEN_REMOVED);
    assert_eq!(ids(&outcome.skipped), golden_skipped());
    assert!(outcome.needs_reboot);
    assert_eq!(heard.0.first(), Some(&(Phase::Scanning, 10)));
    assert_eq!(heard.0.get(1), Some(&(Phase::Updating, 30)));
    assert!(heard.0.is_sorted_by_key(|(_, percent)| *percent) && heard.0.last().unwrap().1 > 90, "{:?}", heard.0);

    let snapshot = host.store.snapshot();
    let pending = snapshot.pending.as_ref().unwrap();
    assert!(pending.profile.name.starts_with("(Updated) "));
    assert_eq!(snapshot.host.build, Some(1_623_387), "until it is booted");
    check_whole(&host.store);
    assert!(host.store.mark_boot().unwrap());
    let snapshot = host.store.snapshot();
    assert_eq!((snapshot.host.build, snapshot.pending.is_some()), (Some(1_746_018), false));
    assert_eq!(snapshot.previous.as_ref().unwrap().vibs.len(), 15);
    check_whole(&host.store);

    let again = host.store.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
    assert!(again.installed.is_empty() && again.removed.is_empty() && !again.needs_reboot);
    assert_eq!(again.skipped.len(), 15);
    assert_eq!(host.store.snapshot(), snapshot);
}

#[test]
fn only_the_bulletins_that_are_named_are_installed() {
    let host = Host::with(esxi_5_5_u1(500));
    let bundles = vec![host.bundle(&esxi_5_5_u1a(500))];
    let of = |id: &str| ImageOperation::Install { bundles: bundles.clone(), bulletins: Some(vec![id.to_owned()]) };
    let mut heard = Heard::default();
    let outcome = host.store.apply(&of("ESXi550-201404403-SG"), &mut heard, &CancelToken::default()).unwrap();
    assert_eq!(ids(&outcome.installed), [GOLDEN_INSTALLED[1]]);
    let outcome = host.store.apply(&of("ESXi550-201404402-SG"), &mut heard, &CancelToken::default()).unwrap();
    assert_eq!(ids(&outcome.installed), [GOLDEN_INSTALLED[2]]);
    assert!(outcome.needs_reboot, "the image that it changes waits for a boot");
    let pending = host.store.snapshot().pending.clone().unwrap();
    assert!(pending.vibs.iter().any(|vib| vib.id().as_str() == GOLDEN_INSTALLED[1]));
}

#[test]
fn folders_and_single_vibs_and_metadata_of_old_form_are_installed_too() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let folder = host.folder.path().join("folder");
    crate::software::vib::building::bundle::write_folder(&Bundle::of(vec![Vib::new("one", "1.0-1")]).files(), &folder);
    assert_eq!(ids(&host.install(folder).unwrap().installed), ["Acme_bootbank_one_1.0-1"]);
    let single = host.folder.path().join("two.vib");
    std::fs::write(&single, Vib::new("two", "1.0-1").to_file()).unwrap();
    assert_eq!(ids(&host.install(single).unwrap().installed), ["Acme_bootbank_two_1.0-1"]);
    let old = Bundle { has_folders: false, ..Bundle::of(vec![Vib::new("three", "1.0-1")]) };
    assert_eq!(ids(&host.install(host.bundle(&old)).unwrap().installed), ["Acme_bootbank_three_1.0-1"]);
    check_whole(&host.store);
}

#[test]
fn a_meta_vib_has_no_files() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let meta = Vib { vib_type: "meta".to_owned(), payloads: Vec::new(), ..Vib::new("addon", "1.0-1") };
    host.install(host.bundle(&Bundle::of(vec![meta]))).unwrap();
    assert!(host.store.snapshot().running.named("addon").is_some());
    assert_eq!(host.store.snapshot().running.vibs.len(), 2);
}

/// A bundle of one VIB whose file, or whose place in the bundle, a test changes.
fn changed(host: &Host, change: impl Fn(&mut Vec<u8>)) -> PathBuf {
    let vib = Vib::new("demo", "1.0-1");
    let mut files = Bundle::of(vec![vib.clone()]).files();
    let (_, octets) = files.iter_mut().find(|(name, _)| *name == vib.relative_path()).unwrap();
    change(octets);
    let file = host.folder.path().join("changed.zip");
    std::fs::write(&file, crate::software::vib::building::zipped(&files)).unwrap();
    file
}

#[test]
fn bundles_whose_vibs_are_not_right_are_refused() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let gnu = Vib { spelling: Spelling::Gnu, ..Vib::new("demo", "1.0-1") };
    let error = host.refused(changed(&host, |octets| *octets = gnu.to_file()));
    assert_eq!(error.class, ImageErrorClass::InstallationError);
    assert!(error.text.starts_with("Calculated digest at EOF does not match expected result: "), "{error}");
    assert_eq!(ids(&error.vibs), ["Acme_bootbank_demo_1.0-1"]);

    let error = host.refused(changed(&host, |octets| *octets = Vib::new("other", "1.0-1").to_file()));
    assert_eq!(error.class, ImageErrorClass::VibValidationError);
    assert!(error.text.contains("metadata describes: it is Acme_bootbank_other_1.0-1."), "{error}");

    let louder = Vib { overlay: true, ..Vib::new("demo", "1.0-1") };
    let error = host.refused(changed(&host, |octets| *octets = louder.to_file()));
    assert!(error.text.contains("metadata describes: their descriptors differ."), "{error}");

    let error = host.refused(changed(&host, |octets| octets.truncate(octets.len() - 100)));
    assert_eq!(error.class, ImageErrorClass::VibFormatError);

    let mut parts = Vib::new("demo", "1.0-1").parts();
    let at = parts.payloads[0].1.len() / 2;
    parts.payloads[0].1[at] ^= 1;
    let error = host.refused(changed(&host, |octets| *octets = parts.to_file()));
    assert_eq!(error.class, ImageErrorClass::InstallationError);
    assert!(error.text.starts_with("Calculated digest at EOF does not match expected result: "), "{error}");
}

#[test]
fn signatures_count_for_the_level_that_a_vib_claims() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let claims =
        |level: &str| Vib { acceptance_level: level.to_owned(), ..Vib::new("demo", "1.0-1").at_level("partner") };
    let error = host.refused(host.bundle(&Bundle::of(vec![claims("certified")])));
    assert_eq!(error.class, ImageErrorClass::VibSigInvalidError);
    let error = host.refused(host.bundle(&Bundle::of(vec![Vib { signed: None, ..claims("partner") }])));
    assert_eq!(error.class, ImageErrorClass::VibSigMissingError);
    host.install(host.bundle(&Bundle::of(vec![claims("partner")]))).unwrap();

    let error = host.store.set_acceptance_level(AcceptanceLevel::Partner).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::AcceptanceConfigError);
    assert!(
        error.text.contains("esx-base_5.5.0-1.15.1623387's acceptance level is community, which is not"),
        "{error}"
    );
}

#[test]
fn a_profile_which_nobody_signs_does_not_lower_the_level() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("depot.zip");
    let mut bundle = esxi_5_5_u1a(100);
    for vib in &mut bundle.vibs {
        vib.acceptance_level = "community".to_owned();
        vib.signed = None;
    }
    bundle.profiles.iter_mut().for_each(|profile| profile.acceptance_level = "community".to_owned());
    bundle.write(&file);
    let new = |acceptance_level| NewImage {
        bundles: vec![file.clone()],
        profile: Some(bundle.profiles[0].name.clone()),
        acceptance_level,
        ..NewImage::default()
    };
    let error = ImageStore::create(&dir.path().join("image"), &new(None), super::settings()).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::AcceptanceConfigError, "{error}");
    let asked = new(Some(AcceptanceLevel::Community));
    let told = |level| ImageSettings { acceptance_level: level, ..super::settings() };
    let strict = told(Some(AcceptanceLevel::Partner));
    assert!(ImageStore::create(&dir.path().join("image"), &asked, strict).is_err(), "the settings count before");
    ImageStore::create(&dir.path().join("image"), &asked, told(None)).unwrap();
}

#[test]
fn an_image_is_made_of_a_profile() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = dir.path().join("depot.zip");
    esxi_5_5_u1a(500).write(&bundle);
    let new = |profile: &str| NewImage {
        bundles: vec![bundle.clone()],
        profile: Some(profile.to_owned()),
        ..NewImage::default()
    };
    let settings = trusting(dir.path());
    let error = ImageStore::create(&dir.path().join("image"), &new("ESXi-6"), settings.clone()).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::NoMatchError);
    let profile = "ESXi-5.5.0-20140404001-no-tools";
    let store = ImageStore::create(&dir.path().join("image"), &new(profile), settings).unwrap();
    let snapshot = store.snapshot();
    assert_eq!(&*snapshot.running.profile.name, profile);
    assert!(snapshot.running.named("esx-base").is_some() && snapshot.running.named("tools-light").is_none());
    assert_eq!(&*snapshot.host.version, "5.5.0");
    check_whole(&store);
}

#[test]
fn a_vib_of_no_bulletin_is_for_the_products_of_its_package() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let bundle = |version: &str| Bundle {
        products: vec![Platform::esxi(version)],
        bulletins: Vec::new(),
        ..Bundle::of(vec![Vib::new("demo", "1.0-1")])
    };
    let error = host.refused(host.bundle(&bundle("6.0.0")));
    assert_eq!(error.class, ImageErrorClass::NoMatchError);
    let why = "The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 6.0.0. ";
    assert!(error.text.starts_with(why), "{error}");
    host.install(host.bundle(&bundle("5.*"))).unwrap();
}

#[test]
fn what_somebody_should_know_of_a_change_is_noted() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let vib =
        Vib { cimom_restart: true, compatible_with: vec!["esx-base >= 6.0".to_owned()], ..Vib::new("demo", "1.0-1") };
    let bundles = vec![host.bundle(&Bundle::of(vec![vib]))];
    let mut heard = Heard::default();
    let operation = ImageOperation::Install { bundles, bulletins: None };
    let outcome = host.store.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
    assert!(outcome.needs_cimom_restart);
    assert!(heard.1[0].starts_with("Restart the host's CIM server: "), "{:?}", heard.1);
    assert!(heard.1[1].starts_with("VIB Acme_bootbank_demo_1.0-1 says that it goes with esx-base >= 6.0, "));
    assert_eq!(heard.1.len(), 2);
    let again = host.store.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
    assert!(!again.needs_cimom_restart);
    assert_eq!(heard.1.len(), 2, "nothing changed");
}

#[test]
fn a_damaged_vib_that_nobody_asks_for_does_no_harm() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let (sound, damaged) = (Vib::new("sound", "1.0-1"), Vib::new("damaged", "1.0-1"));
    let bulletins = [&sound, &damaged].map(|vib| Bulletin::new(&vib.name, "Updates one", &[vib.id()])).to_vec();
    let bundle = Bundle { has_folders: false, ..Bundle::new(bulletins, vec![sound, damaged.clone()]) };
    let mut files = bundle.files();
    let (_, octets) = files.iter_mut().find(|(name, _)| *name == damaged.relative_path()).unwrap();
    octets.truncate(30);
    let file = host.folder.path().join("old.zip");
    std::fs::write(&file, crate::software::vib::building::zipped(&files)).unwrap();
    let install = |bulletins: Option<&str>| {
        let bulletins = bulletins.map(|id| vec![id.to_owned()]);
        let operation = ImageOperation::Install { bundles: vec![file.clone()], bulletins };
        host.store.apply(&operation, &mut Heard::default(), &CancelToken::default())
    };
    for wanted in [None, Some("damaged")] {
        let Err(ApplyError::Image(error)) = install(wanted) else { panic!("it was installed") };
        assert_eq!(error.class, ImageErrorClass::VibFormatError);
        assert!(error.text.starts_with("The VIB is cut off. "), "{error}");
    }
    assert_eq!(ids(&install(Some("sound")).unwrap().installed), ["Acme_bootbank_sound_1.0-1"]);
}

#[test]
fn a_host_was_booted_when_its_first_image_was_there_and_again_when_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("first.zip");
    Bundle::of(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]).write(&bundle);
    let new =
        NewImage { bundles: vec![bundle], acceptance_level: Some(AcceptanceLevel::Community), ..NewImage::default() };
    let clock = Arc::new(ManualClock::new(Utc.with_ymd_and_hms(2014, 4, 19, 12, 0, 0).unwrap()));
    let settings = ImageSettings { clock: Arc::clone(&clock) as SharedClock, ..super::settings() };
    let store = ImageStore::create(&folder.path().join("image"), &new, settings).unwrap();
    let snapshot = store.snapshot();
    assert_eq!(snapshot.host.booted_at, Some(clock.now()));
    assert_eq!(snapshot.running.vibs[0].installed_at, Some(clock.now()));
    clock.advance(TimeDelta::days(1));
    store.mark_boot().unwrap();
    assert_eq!(store.snapshot().host.booted_at, Some(clock.now()));
}
