//! Bundles that somebody made to do harm.

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::super::*;
use super::fixture::{Heard, check_whole, install, octets, vib};
use crate::software::vib::building::{Bundle, Payload, Signers, Vib, sha256, zipped};
use crate::software::vib::{AcceptanceLevel, ImageErrorClass, TrustStore};

fn community(folder: &Path) -> ImageStore {
    let new = NewImage { acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
    ImageStore::create(folder, &new, super::settings()).unwrap()
}

fn apply(store: &ImageStore, file: PathBuf) -> Result<ImageOutcome, ImageError> {
    let operation = ImageOperation::Install { bundles: vec![file], bulletins: None };
    store.apply(&operation, &mut Heard::default(), &CancelToken::default()).map_err(|error| match error {
        ApplyError::Image(error) => error,
        other => panic!("{other}"),
    })
}

/// The file of a VIB in whose descriptor this stands too.
fn vib_with(inner: &str, folder: &Path) -> PathBuf {
    let payload = Payload::vgz("evil", &[("opt/x", b"y")]);
    let mut parts = Vib { payloads: vec![payload], ..Vib::new("evil", "1.0-1") }.parts();
    let stored = &parts.payloads[0].1;
    let listed = if inner.contains("<file-list>") { "" } else { "<file-list><file>opt/x</file></file-list>" };
    parts.descriptor = format!(
        "<vib><type>bootbank</type><name>evil</name><version>1.0-1</version><vendor>Acme</vendor>{inner}{listed}\
         <live-install-allowed>true</live-install-allowed><payloads><payload name=\"evil\" type=\"vgz\" size=\"{}\">\
         <checksum checksum-type=\"sha-256\">{}</checksum></payload></payloads></vib>",
        stored.len(),
        sha256(stored)
    )
    .into_bytes();
    let file = folder.join("evil.vib");
    std::fs::write(&file, parts.to_file()).unwrap();
    file
}

/// As many elements as may be read, so that a descriptor with a date of its installation has too many.
fn elements_at_the_limit() -> String {
    let files: String = (0..99_984).map(|number| format!("<file>opt/{number}</file>")).collect();
    format!("<file-list><file>opt/x</file>{files}</file-list>")
}

#[test]
fn an_image_whose_database_could_not_be_read_back_does_not_become_valid() {
    let dir = tempfile::tempdir().unwrap();
    let store = community(&dir.path().join("image"));
    install(&store, &[vib("net-e1000", "8.0.3-2", true)]).unwrap();
    install(&store, &[vib("esx-base", "5.5.0-1", false)]).unwrap();
    let before = (octets(store.folder()), store.snapshot());
    assert!(before.1.pending.is_some());
    let file = vib_with(&elements_at_the_limit(), dir.path());
    let error = apply(&store, file.clone()).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::InstallationError);
    let begin = "The image's database imgdb.tgz could not be read back: var/db/esximg/vibs/evil-";
    assert!(error.text.starts_with(begin) && error.text.contains("The image is as it was. "), "{error}");
    assert_eq!(error.vibs.len(), 1);
    assert!(before == (octets(store.folder()), store.snapshot()));

    let new = |bundles| NewImage { bundles, acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
    let at = dir.path().join("another");
    let error = ImageStore::create(&at, &new(vec![file]), super::settings()).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::InstallationError);
    ImageStore::create(&at, &new(Vec::new()), super::settings()).unwrap();
}

#[test]
fn texts_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let store = community(&dir.path().join("image"));
    let before = octets(store.folder());
    for (tag, inner) in [
        ("description", format!("<description><![CDATA[{}]]></description>", "<".repeat(3 << 20))),
        ("summary", format!("<summary>{}</summary>", ">".repeat(3 << 20))),
        ("url", format!("<urls><url key=\"kb\">{}</url></urls>", "x".repeat(3 << 20))),
    ] {
        let error = apply(&store, vib_with(&inner, dir.path())).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::VibValidationError);
        assert!(error.text.contains(&format!("Element {tag} has at most 65536 octets, and not 3145728")), "{error}");
        assert!(before == octets(store.folder()));
    }
    let inner = format!("<description><![CDATA[{}]]></description>", "<".repeat(65536));
    apply(&store, vib_with(&inner, dir.path())).unwrap();
    check_whole(&store);
}

#[test]
fn a_name_that_could_not_be_read_back_makes_no_store_and_no_bank() {
    let dir = tempfile::tempdir().unwrap();
    let create = |name: &str| {
        let new = NewImage { name: name.into(), ..super::new_image() };
        ImageStore::create(&dir.path().join("image"), &new, super::settings())
    };
    for name in ["..", "\u{1}"] {
        assert_eq!(create(name).unwrap_err().class, ImageErrorClass::InstallationError, "{name:?}");
        assert!(!dir.path().join("image/bootbank").exists());
    }
    assert_eq!(&*create(" ").unwrap().snapshot().running.profile.name, "ESXi");
}

/// A bundle in whose copies of descriptors a text is another than in the VIBs.
fn retold(bundle: &Bundle, old: &str, new: &str) -> Vec<u8> {
    let mut files = bundle.files();
    let (_, metadata) = files.iter_mut().find(|(name, _)| name == "metadata.zip").unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(metadata.clone())).unwrap();
    let mut inner = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let (name, mut text) = (file.name().unwrap().into_owned(), String::new());
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text.contains(old), name.starts_with("vibs/") || text.contains("<vib>"), "{name}");
        inner.push((name.clone(), text.replace(old, new).into_bytes()));
    }
    *metadata = zipped(&inner);
    zipped(&files)
}

#[test]
fn what_is_kept_of_a_vib_is_what_was_signed() {
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("vmware.pem");
    std::fs::write(&roots, Signers::shared().vmware_root.pem()).unwrap();
    let trust = Arc::new(TrustStore::read(Some(&roots), None, None).unwrap());
    let settings = ImageSettings { trust, ..super::settings() };
    let store = ImageStore::create(&dir.path().join("image"), &super::new_image(), settings).unwrap();
    let file = dir.path().join("bundle.zip");
    let bundle = Bundle::of(vec![Vib::new("demo", "1.0-1").at_level("certified")]);
    std::fs::write(&file, retold(&bundle, "A demonstration", "Call us")).unwrap();
    apply(&store, file).unwrap();
    let snapshot = store.snapshot();
    let kept = snapshot.running.named("demo").unwrap();
    assert_eq!(&*kept.summary, "A demonstration");
    assert!(kept.installed_at.is_some());
    check_whole(&store);
}
