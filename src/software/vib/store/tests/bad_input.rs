//! What may be wrong with bundles, all through installation: each fault has its class and its sentences, and changes nothing.

mod contents;
mod packaging;

use std::io::{Cursor, Read};

use super::super::*;
use super::bundles::Host;
use super::fixture::{Heard, check_whole, octets};
use crate::software::vib::AcceptanceLevel;
use crate::software::vib::building::bundle::Files;
use crate::software::vib::building::{Bulletin, Bundle, Platform, Vib, zipped};
use contents::{contents, documents, relations};
use packaging::{containers, digests, signatures};

/// A bundle with a fault, and what is told of it: `DIR` stands for the folder of the bundle, `DIGEST` for digests.
struct Fault {
    what: &'static str,
    bundle: Vec<u8>,
    told: &'static str,
}

fn fault(what: &'static str, bundle: Vec<u8>, told: &'static str) -> Fault {
    Fault { what, bundle, told }
}

/// A bundle of these VIBs.
fn of(vibs: Vec<Vib>) -> Vec<u8> {
    zipped(&Bundle::of(vibs).files())
}

fn demo() -> Vib {
    Vib::new("demo", "1.0-1")
}

/// A bundle of a VIB whose file is another, which is what the metadata tells of.
fn with_file(vib: Vib, file: Vec<u8>) -> Vec<u8> {
    zipped(&Bundle::of(vec![vib]).files_of(vec![file]))
}

/// A bundle of one VIB with another metadata, of which each file is changed.
fn with_metadata(change: impl Fn(&str, String) -> String) -> Vec<u8> {
    let mut files = Bundle { has_consolidated: false, ..Bundle::of(vec![demo()]) }.files();
    let (_, metadata) = files.iter_mut().find(|(name, _)| name == "metadata.zip").unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(metadata.clone())).unwrap();
    let mut inner = Files::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let (name, mut text) = (file.name().unwrap().into_owned(), String::new());
        file.read_to_string(&mut text).unwrap();
        inner.push((name.clone(), change(&name, text).into_bytes()));
    }
    *metadata = zipped(&inner);
    zipped(&files)
}

/// The same of `vibs/` alone.
fn with_described(old: &str, new: &str) -> Vec<u8> {
    with_metadata(|name, text| if name.starts_with("vibs/") { text.replace(old, new) } else { text })
}

/// What is told, where digests, sizes and the folder are not the same each time.
fn told(error: &ImageError, folder: &Path) -> String {
    let size = demo().to_file().len().to_string();
    let text = error.to_string().replace(&*folder.to_string_lossy(), "DIR").replace(&size, "SIZE");
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    let shown = |part: &str| {
        let word = part.trim_end_matches(is_end);
        let is_digest = word.len() >= 40 && word.bytes().all(|octet| octet.is_ascii_hexdigit());
        if is_digest { part.replace(word, "DIGEST") } else { part.to_owned() }
    };
    text.split_inclusive(is_end).map(shown).collect()
}

#[test]
fn every_fault_is_told_in_its_words_and_changes_nothing() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387")]);
    let before = octets(host.store.folder());
    let file = host.folder.path().join("bundle.zip");
    let faults = [signatures(), digests(), containers(), documents(), contents(), relations()];
    for Fault { what, bundle, told: expected } in faults.into_iter().flatten() {
        std::fs::write(&file, bundle).unwrap();
        let Err(ApplyError::Image(error)) = host.install(file.clone()) else { panic!("{what}: it was installed") };
        assert_eq!(told(&error, host.folder.path()), expected, "{what}");
        assert!(before == octets(host.store.folder()), "{what}");
    }
    check_whole(&host.store);
}

#[test]
fn what_is_below_the_hosts_level_or_not_there_changes_nothing() {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15.1623387").at_level("partner")]);
    host.store.set_acceptance_level(AcceptanceLevel::Partner).unwrap();
    let before = octets(host.store.folder());
    let file = host.folder.path().join("bundle.zip");
    let mut two = Bundle::of(vec![demo(), Vib::new("six", "6.0-1")]);
    let six = Bulletin { platforms: vec![Platform::esxi("6.0.0")], ..Bulletin::new("SIX", "Six", &[two.vibs[1].id()]) };
    two.bulletins = vec![Bulletin::new("FIVE", "Five", &[demo().id()]), six];
    two.write(&file);
    for (bulletin, expected) in [
        (
            None,
            "[AcceptanceConfigError] VIB Acme_bootbank_demo_1.0-1's acceptance level is community, which is not compliant \
             with the ImageProfile acceptance level partner. To install it all the same, lower the host's acceptance level \
             first; otherwise get a VIB of a higher one. vibs = Acme_bootbank_demo_1.0-1",
        ),
        (
            Some("SIX"),
            "[NoMatchError] Bulletin SIX is for embeddedEsx 6.0.0, and the host is embeddedEsx 5.5.0. Get the bundle \
             that is made for the host's version.",
        ),
        (
            Some("SEVEN"),
            "[NoMatchError] No bulletin matching bulletin search specification 'SEVEN'. Name a bulletin that the \
             metadata of the bundles has.",
        ),
    ] {
        let bulletins = bulletin.map(|id: &str| vec![id.to_owned()]);
        let operation = ImageOperation::Install { bundles: vec![file.clone()], bulletins };
        let made = host.store.apply(&operation, &mut Heard::default(), &CancelToken::default());
        let Err(ApplyError::Image(error)) = made else { panic!("{bulletin:?}: it was installed") };
        assert_eq!(error.to_string(), expected);
        assert!(before == octets(host.store.folder()), "{bulletin:?}");
    }
}
