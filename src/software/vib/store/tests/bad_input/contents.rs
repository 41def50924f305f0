//! What may be wrong with what VIBs and metadata say and bring.

use super::{Fault, demo, fault, of, with_described, with_file, with_metadata};
use crate::software::vib::building::{Bundle, Payload, Platform, Vib, zipped};

/// A document whose entities would unpack to very much.
fn entities(document: &str) -> String {
    let bomb = "<!DOCTYPE vib [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    format!("{bomb}{}", document.replace("A demonstration", "&b;"))
}

pub(super) fn documents() -> Vec<Fault> {
    let listing = Vib { files: Some(vec!["../etc/passwd".to_owned()]), ..demo() };
    let mut entity = demo().parts();
    entity.descriptor = entities(&demo().descriptor()).into_bytes();
    let old = |tag: &str| format!("<vib version=\"4.0\">{tag}");
    let mut first = demo().parts();
    first.rewrite("<vib version=\"5.0\">", &old(""));
    let in_vibs = |name: &str, text: String| if name.starts_with("vibs/") { entities(&text) } else { text };
    let long = " ".repeat((2 << 20) + 1);
    vec![
        fault(
            "entities in metadata",
            with_metadata(in_vibs),
            "[MetadataFormatError] The metadata's vibs/demo-4956905952054591312.xml cannot be taken: It is \
             not acceptable XML: a document type declaration is not accepted (line 1, column 1). Get the file \
             again from its vendor; if it stays so, tell the vendor.",
        ),
        fault(
            "entities in a VIB",
            with_file(demo(), entity.to_file()),
            "[VibFormatError] The VIB's descriptor.xml is not acceptable XML: a document type declaration is \
             not accepted (line 1, column 1). Get the file again from its vendor; if it stays so, tell the \
             vendor.",
        ),
        fault(
            "a bomb in metadata",
            with_described("</vib>", &format!("{long}</vib>")),
            "[MetadataFormatError] The metadata ZIP cannot be read: vibs/demo-4956905952054591312.xml is \
             longer than the 2097152 octets that are allowed. Get the file again from its vendor; if it stays \
             so, tell the vendor.",
        ),
        fault(
            "a file-list that leads out of the image",
            of(vec![listing]),
            "[VibValidationError] VIB Acme_bootbank_demo_1.0-1 violates extensibility rule checks: ['A file \
             is named by a path below the root, without '..', and not by \"../etc/passwd\"']. Get the file \
             again from its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a VIB of version 1.x",
            with_file(demo(), first.to_file()),
            "[VibFormatError] This is a VIB of version 1.x, as ESX and ESXi 4 have them; only VIBs of version \
             2.0, of ESXi 5.0 and newer, can be read. Get the bundle that is made for this host's version.",
        ),
        fault(
            "a size that is no number",
            with_described("<packed-size>", "<packed-size>x"),
            "[VibValidationError] VIB Acme_bootbank_demo_1.0-1 violates extensibility rule checks: ['Element \
             packed-size is a number, and not \"xSIZE\"']. Get the file again from its vendor; if it stays \
             so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "no XML",
            with_described("<name>", "<title>"),
            "[MetadataFormatError] The metadata's vibs/demo-4956905952054591312.xml cannot be taken: It is \
             not acceptable XML: an end tag does not match its start tag (line 1, column 52). Get the file again from its \
             vendor; if it stays so, tell the vendor.",
        ),
    ]
}

pub(super) fn contents() -> Vec<Fault> {
    let with = |payloads: Vec<Payload>| Vib { payloads, ..demo() };
    let climbing = Vib { files: Some(Vec::new()), ..with(vec![Payload::vgz("demo", &[("../../etc/passwd", b"x")])]) };
    let hiding = Vib { files: Some(Vec::new()), ..with(vec![Payload::vgz("demo", &[("etc/hidden", b"x")])]) };
    let file = demo().to_file();
    let mut lacking = demo().parts();
    lacking.payloads.clear();
    let mut more = demo().parts();
    more.payloads.push(("more".to_owned(), b"odd".to_vec()));
    vec![
        fault(
            "a file that leads out of the image",
            of(vec![climbing]),
            "[VibFormatError] Payload demo has \"../\", which leaves the image. Get the file again from its \
             vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a file that is not listed",
            of(vec![hiding]),
            "[VibValidationError] VIB Acme_bootbank_demo_1.0-1 violates extensibility rule checks: ['Payload \
             demo has the file \"etc/hidden\", which the file-list does not have']. Get the file again from \
             its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a payload that is no gzip",
            of(vec![with(vec![Payload::stored("demo", "vgz", vec![7; 99], None)])]),
            "[VibFormatError] Payload demo is no whole gzip. Get the file again from its vendor; if it stays \
             so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a VIB that is cut off",
            with_file(demo(), file[..file.len() - 40].to_vec()),
            "[VibFormatError] The VIB is cut off. Get the file again from its vendor; if it stays so, tell \
             the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a payload that is missing",
            with_file(demo(), lacking.to_file()),
            "[VibFormatError] The VIB lacks its payload demo. Get the file again from its vendor; if it stays \
             so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a payload that nobody tells of",
            with_file(demo(), more.to_file()),
            "[VibFormatError] The VIB has a member \"more\", which its descriptor does not tell of. Get the \
             file again from its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
    ]
}

pub(super) fn relations() -> Vec<Fault> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let with_file = |name: &str, overlay| Vib {
        overlay,
        payloads: vec![Payload::vgz(name, &[("etc/same", name.as_bytes())])],
        ..Vib::new(name, "1.0-1")
    };
    let on_six = Bundle { products: vec![Platform::esxi("6.0.0")], ..Bundle::of(vec![demo()]) };
    let mut for_six = on_six.clone();
    for_six.bulletins[0].platforms = vec![Platform::esxi("6.0.0")];
    let own = Vib { platforms: vec![Platform::esxi("6.0.0")], ..demo() };
    let alone = Bundle { bulletins: Vec::new(), ..on_six };
    vec![
        fault(
            "needs",
            of(vec![Vib { depends: texts(&["driver >= 2.0", "esx-base >= 5.0"]), ..demo() }]),
            "[DependencyError] VIB Acme_bootbank_demo_1.0-1 requires driver >= 2.0, but the requirement \
             cannot be satisfied within the ImageProfile. Add a bundle that has what is required, or remove \
             the VIBs that require it. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a conflict",
            of(vec![Vib { conflicts: texts(&["esx-base"]), ..demo() }]),
            "[DependencyError] VIB Acme_bootbank_demo_1.0-1 conflicts with VIB \
             Acme_bootbank_esx-base_5.5.0-1.15.1623387 (it excludes esx-base). Install only one of the VIBs \
             that conflict, or remove the one that is installed first. vibs = Acme_bootbank_demo_1.0-1, \
             Acme_bootbank_esx-base_5.5.0-1.15.1623387",
        ),
        fault(
            "two that replace each other",
            of(vec![
                Vib { replaces: texts(&["other"]), ..demo() },
                Vib { replaces: texts(&["demo"]), ..Vib::new("other", "1.0-1") },
            ]),
            "[DependencyError] VIB Acme_bootbank_demo_1.0-1 replaces VIB Acme_bootbank_other_1.0-1, and both \
             were to be installed. VIB Acme_bootbank_other_1.0-1 replaces VIB Acme_bootbank_demo_1.0-1, and \
             both were to be installed. Install only one of the VIBs that replace each other. vibs = \
             Acme_bootbank_demo_1.0-1, Acme_bootbank_other_1.0-1",
        ),
        fault(
            "one file of two",
            of(vec![with_file("one", false), with_file("two", false)]),
            "[DependencyError] File path of '/etc/same' is claimed by multiple non-overlay VIBs: \
             Acme_bootbank_one_1.0-1, Acme_bootbank_two_1.0-1. Install only one of the VIBs that bring the \
             same file, or remove the one that is installed first. vibs = Acme_bootbank_one_1.0-1, \
             Acme_bootbank_two_1.0-1",
        ),
        fault(
            "one file of two overlays",
            of(vec![with_file("one", true), with_file("two", true)]),
            "[DependencyError] File path of '/etc/same' is claimed by multiple overlay VIBs: \
             Acme_bootbank_one_1.0-1, Acme_bootbank_two_1.0-1. Install only one of the VIBs that bring the \
             same file, or remove the one that is installed first. vibs = Acme_bootbank_one_1.0-1, \
             Acme_bootbank_two_1.0-1",
        ),
        fault(
            "maintenance mode",
            of(vec![Vib { maintenance_mode: (true, true), ..demo() }]),
            "[MaintenanceModeError] MaintenanceMode is required to remove: []; install: \
             [Acme_bootbank_demo_1.0-1]. Put the host into maintenance mode and try again. vibs = \
             Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "bulletins for another version",
            zipped(&for_six.files()),
            "[NoMatchError] The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 6.0.0. \
             Get the bundle that is made for the host's version.",
        ),
        fault(
            "VIBs for another version",
            of(vec![own]),
            "[NoMatchError] The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 5.*, \
             embeddedEsx 6.0.0. Get the bundle that is made for the host's version.",
        ),
        fault(
            "a package for another version",
            zipped(&alone.files()),
            "[NoMatchError] The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 6.0.0. \
             Get the bundle that is made for the host's version.",
        ),
    ]
}
