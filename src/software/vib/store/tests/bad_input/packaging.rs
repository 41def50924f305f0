//! What may be wrong with a bundle and with the files in it.

use std::sync::Arc;

use super::{Fault, demo, fault, of, with_described, with_file};
use crate::software::vib::building::bundle::Files;
use crate::software::vib::building::{Bundle, SignatureForm, Signers, Spelling, Vib, sha256, zipped};

pub(super) fn signatures() -> Vec<Fault> {
    let partner = || demo().at_level("partner");
    let strange = (Arc::clone(&Signers::shared().stranger), SignatureForm::Pem);
    let early = Signers::shared().partner_authority.signer_valid("Early", 22, "20200101000000Z", "20400101000000Z");
    let early = (Arc::new(early), SignatureForm::Pem);
    let mut edited = partner().parts();
    edited.rewrite("<overlay>false", "<overlay>true");
    let mut damaged = partner().parts();
    damaged.signature = b"no signature".to_vec();
    vec![
        fault(
            "unsigned",
            of(vec![Vib { signed: None, ..partner() }]),
            "[VibSigMissingError] ('Acme_bootbank_demo_1.0-1', 'Signature Not Available: a VIB of the \
             acceptance level partner must be signed.') Get the VIB from its vendor, and see that the trust \
             files of the settings hold the vendor's root. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "signed by an unknown authority",
            of(vec![Vib { signed: Some(strange), ..partner() }]),
            "[VibSigInvalidError] ('Acme_bootbank_demo_1.0-1', 'Could not find a trusted signer.') Get the \
             VIB from its vendor, and see that the trust files of the settings hold the vendor's root. vibs = \
             Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "signed with a certificate that is not valid",
            of(vec![Vib { signed: Some(early), ..partner() }]),
            "[VibSigInvalidError] ('Acme_bootbank_demo_1.0-1', 'The certificate of Early has expired or is \
             not valid yet.') Get the VIB from its vendor, and see that the trust files of the settings hold \
             the vendor's root. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "signed for another level",
            of(vec![Vib { acceptance_level: "certified".to_owned(), ..partner() }]),
            "[VibSigInvalidError] ('Acme_bootbank_demo_1.0-1', 'Could not find a trusted signer.') Get the \
             VIB from its vendor, and see that the trust files of the settings hold the vendor's root. vibs = \
             Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "edited after signing",
            with_file(Vib { overlay: true, ..partner() }, edited.to_file()),
            "[VibSigDigestError] ('Acme_bootbank_demo_1.0-1', 'The signature is not of this descriptor.xml.') \
             Get the VIB from its vendor, and see that the trust files of the settings hold the vendor's \
             root. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "no signature",
            with_file(partner(), damaged.to_file()),
            "[VibSigFormatError] ('Acme_bootbank_demo_1.0-1', 'The signature is no PKCS#7: it is neither PEM \
             nor DER.') Get the VIB from its vendor, and see that the trust files of the settings hold the \
             vendor's root. vibs = Acme_bootbank_demo_1.0-1",
        ),
    ]
}

pub(super) fn digests() -> Vec<Fault> {
    let with_digest = |at: usize| {
        let mut vib = demo();
        vib.payloads[0].checksums[at].2 = "0".repeat(vib.payloads[0].checksums[at].2.len());
        of(vec![vib])
    };
    let file = demo().to_file();
    let (size, sum) = (file.len(), sha256(&file));
    let packed = format!("<packed-size>{size}");
    let mut sums = Bundle::of(vec![demo()]).files();
    let gnu = Vib { spelling: Spelling::Gnu, ..demo() }.to_file();
    sums.iter_mut().filter(|(name, _)| *name == demo().relative_path()).for_each(|(_, octets)| *octets = gnu.clone());
    vec![
        fault(
            "the digest of a payload",
            with_digest(0),
            "[InstallationError] Calculated digest at EOF does not match expected result: DIGEST calculated, \
             DIGEST expected. Payload demo is not what the VIB's descriptor says. Get the file again from its \
             vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "the digest of what gunzip makes of it",
            with_digest(1),
            "[InstallationError] Calculated digest at EOF does not match expected result: DIGEST calculated, \
             DIGEST expected. Payload demo is not what the VIB's descriptor says. Get the file again from its \
             vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "the SHA-1 of what gunzip makes of it",
            with_digest(2),
            "[InstallationError] Calculated digest at EOF does not match expected result: DIGEST calculated, \
             DIGEST expected. Payload demo is not what the VIB's descriptor says. Get the file again from its \
             vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "the digest of the VIB",
            zipped(&sums),
            "[InstallationError] Calculated digest at EOF does not match expected result: DIGEST calculated, \
             DIGEST expected. The bundle's file of the VIB is not the one that its metadata tells of. Get the \
             file again from its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "the size of the VIB",
            with_described(&packed, "<packed-size>7"),
            "[InstallationError] Calculated digest at EOF does not match expected result: SIZE octets, 7 \
             expected. The bundle's file of the VIB is not the one that its metadata tells of. Get the file \
             again from its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "the size of the VIB where no digest is told",
            with_described(
                &format!("{packed}</packed-size><checksum checksum-type=\"sha-256\">{sum}</checksum>"),
                "<packed-size>7</packed-size>",
            ),
            "[InstallationError] Calculated digest at EOF does not match expected result: SIZE octets, 7 \
             expected. The bundle's file of the VIB is not the one that its metadata tells of. Get the file \
             again from its vendor; if it stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "another VIB in its place",
            with_file(demo(), Vib::new("other", "1.0-1").to_file()),
            "[VibValidationError] The bundle's file of VIB Acme_bootbank_demo_1.0-1 is not the VIB that its \
             metadata describes: it is Acme_bootbank_other_1.0-1. Get the file again from its vendor; if it \
             stays so, tell the vendor. vibs = Acme_bootbank_demo_1.0-1",
        ),
    ]
}

pub(super) fn containers() -> Vec<Fault> {
    let files = || Bundle::of(vec![demo()]).files();
    let without = |name: &str| files().into_iter().filter(|(known, _)| known != name).collect::<Files>();
    let with = |name: &str, octets: Vec<u8>| [files(), vec![(name.to_owned(), octets)]].concat();
    let whole = zipped(&files());
    let nested = vec![("vendor.zip".to_owned(), whole.clone())];
    let bomb = [without("metadata.zip"), vec![("metadata.zip".to_owned(), vec![0; (64 << 20) + 1])]].concat();
    vec![
        fault(
            "index.xml is missing",
            zipped(&without("index.xml")),
            "[MetadataDownloadError] Could not download from depot at zip:DIR/bundle.zip?index.xml, skipping \
             (('zip:DIR/bundle.zip?index.xml', '', 'Error extracting index.xml from DIR/bundle.zip: \"There \
             is no item named 'index.xml' in the archive\"')). Name an offline bundle, complete as its vendor published it. \
             url = zip:DIR/bundle.zip?index.xml",
        ),
        fault(
            "the vendor's ZIP around it",
            zipped(&nested),
            "[MetadataDownloadError] Could not download from depot at zip:DIR/bundle.zip?index.xml, skipping \
             (('zip:DIR/bundle.zip?index.xml', '', 'Error extracting index.xml from DIR/bundle.zip: \"There \
             is no item named 'index.xml' in the archive\"')). It holds vendor.zip, which may be the bundle: \
             unpack that and name it instead. url = zip:DIR/bundle.zip?index.xml",
        ),
        fault(
            "a ZIP that is cut off",
            whole[..whole.len() - 9].to_vec(),
            "[MetadataDownloadError] Could not download from depot at zip:DIR/bundle.zip?index.xml, skipping \
             (('zip:DIR/bundle.zip?index.xml', '', 'Error extracting index.xml from DIR/bundle.zip: File is \
             not a zip file (it breaks off in its end)')). Name an offline bundle, complete as its vendor \
             published it. url = zip:DIR/bundle.zip?index.xml",
        ),
        fault(
            "no ZIP",
            b"<html>not found</html>".to_vec(),
            "[MetadataDownloadError] Could not download from depot at zip:DIR/bundle.zip?index.xml, skipping \
             (('zip:DIR/bundle.zip?index.xml', '', 'Error extracting index.xml from DIR/bundle.zip: File is \
             not a zip file (it has no directory at its end)')). Name an offline bundle, complete as its \
             vendor published it. url = zip:DIR/bundle.zip?index.xml",
        ),
        fault(
            "the vendor's index is missing",
            zipped(&without("vendor-index.xml")),
            "[BundleFormatError] The bundle DIR/bundle.zip cannot be read: \"There is no item named \
             'vendor-index.xml' in the archive\". Get the file again from its vendor; if it stays so, tell \
             the vendor.",
        ),
        fault(
            "the metadata is missing",
            zipped(&without("metadata.zip")),
            "[BundleFormatError] The bundle DIR/bundle.zip cannot be read: \"There is no item named \
             'metadata.zip' in the archive\". Get the file again from its vendor; if it stays so, tell the \
             vendor.",
        ),
        fault(
            "the VIB is missing",
            zipped(&without(&demo().relative_path())),
            "[VibDownloadError] ('zip:DIR/bundle.zip?vib20/demo/Acme_bootbank_demo_1.0-1.vib', '', '\"There \
             is no item named 'vib20/demo/Acme_bootbank_demo_1.0-1.vib' in the archive\"'). See that the \
             address is right and that the host can read what is there, and submit the job again. url = \
             zip:DIR/bundle.zip?vib20/demo/Acme_bootbank_demo_1.0-1.vib vibs = Acme_bootbank_demo_1.0-1",
        ),
        fault(
            "a name that leads out of it",
            zipped(&with("../evil", Vec::new())),
            "[BundleFormatError] The bundle DIR/bundle.zip cannot be read: It has a file that is called \
             \"../evil\", which does not lie inside of it. Get the file again from its vendor; if it stays \
             so, tell the vendor.",
        ),
        fault(
            "an absolute name",
            zipped(&with("/etc/evil", Vec::new())),
            "[BundleFormatError] The bundle DIR/bundle.zip cannot be read: It has a file that is called \
             \"/etc/evil\", which does not lie inside of it. Get the file again from its vendor; if it stays \
             so, tell the vendor.",
        ),
        fault(
            "a ZIP bomb",
            zipped(&bomb),
            "[BundleFormatError] The bundle DIR/bundle.zip cannot be read: metadata.zip is longer than the \
             67108864 octets that are allowed. Get the file again from its vendor; if it stays so, tell the \
             vendor.",
        ),
    ]
}
