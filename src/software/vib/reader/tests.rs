//! Reads VIBs that tests make, whole and damaged.

mod limits;

use std::io::{self, Write};
use std::sync::OnceLock;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::building::payload::{gzip, tar_header, visor_tar};
use super::super::building::{Parts, Payload, Signers, Spelling, Vib, archive, sha256};
use super::super::descriptor::Checksummed;
use super::*;

/// A VIB of a boot module, a visor tar and an ordinary tar, one of which is of odd length.
fn sample() -> Vib {
    let files: [(&str, &[u8]); 2] =
        [("etc/vmware/demo.xml", b"<ConfigRoot/>\n"), ("opt/demo/bin/demo", b"#!/bin/sh\n")];
    let payloads = vec![
        Payload::boot("k", b"a kernel"),
        Payload::vgz("demo", &files),
        Payload::tgz("tools", &[("packages/tools", &[7; 5000])]),
        Payload::stored("odd", "other", b"odd".to_vec(), None),
    ];
    Vib { payloads, ..Vib::new("demo", "1.0-1") }
}

/// The payloads of a VIB, and what the file was.
type Whole = (Vec<(String, Vec<u8>)>, VibSum);

/// Reads all.
fn read(file: &[u8]) -> Result<Whole, ImageError> {
    read_with(file, VibLimits::default())
}

fn read_with(file: &[u8], limits: VibLimits) -> Result<Whole, ImageError> {
    let mut reader = VibReader::open_with(file, limits)?;
    let mut payloads = Vec::new();
    while let Some(payload) = reader.next_payload()? {
        let (name, mut content) = (payload.name.to_string(), Vec::new());
        reader.copy_payload(&mut content).map_err(|error| match error {
            CopyError::Vib(error) => error,
            CopyError::Write(error) => panic!("{error}"),
        })?;
        payloads.push((name, content));
    }
    Ok((payloads, reader.finish()?))
}

/// The failure of a file, in one line without the advice.
fn told(file: &[u8]) -> String {
    told_by(read(file))
}

fn told_by<T: fmt::Debug>(read: Result<T, ImageError>) -> String {
    let error = read.unwrap_err();
    let advice = format!(" {}", ImageErrorClass::VibFormatError.advice());
    assert!(error.text.ends_with('.'), "{error}");
    error.to_string().replace(&advice, "")
}

/// What is told of the sample after a change of its parts.
fn told_after(change: impl FnOnce(&mut Parts)) -> String {
    let mut parts = sample().parts();
    change(&mut parts);
    told(&parts.to_file())
}

#[test]
fn a_vib_is_read_in_one_pass_in_both_spellings() {
    for spelling in [Spelling::Vmware, Spelling::Gnu] {
        let vib = Vib { spelling, ..sample() }.at_level("partner");
        let file = vib.to_file();
        let parts = vib.parts();
        let (payloads, sum) = read(&file).unwrap();
        assert_eq!(payloads, parts.payloads);
        assert_eq!(sum, VibSum { size: file.len() as u64, sha256: sha256(&file) });
        let reader = VibReader::open(file.as_slice()).unwrap();
        assert_eq!(reader.descriptor().id().as_str(), vib.id());
        assert_eq!((reader.descriptor_octets(), reader.signature().is_empty()), (&*parts.descriptor, false));
        assert_eq!(reader.finish().unwrap(), sum, "without copying anything");
    }
    let unsigned = sample().to_file();
    assert_eq!(VibReader::open(unsigned.as_slice()).unwrap().signature(), b"");
}

#[test]
fn payloads_may_stand_in_any_order_and_have_long_names() {
    let mut vib = Vib { spelling: Spelling::Gnu, ..sample() };
    vib.payloads[1].name = "a-name-above-sixteen-octets".to_owned();
    let mut parts = vib.parts();
    parts.payloads.reverse();
    let (payloads, _) = read(&parts.to_file()).unwrap();
    assert_eq!(payloads, parts.payloads);
}

#[test]
fn what_is_no_vib_is_told() {
    assert_eq!(told(b"PK\x03\x04 a bundle"), "[VibFormatError] Bad VIB archive header.");
    assert_eq!(told(b""), "[VibFormatError] Bad VIB archive header.");
    assert_eq!(told(b"!<arch>\n"), "[VibFormatError] The VIB has no descriptor.xml.");
    let deb = archive::ar(&[("debian-binary", b"2.0\n")], Spelling::Gnu);
    assert_eq!(told(&deb), "[VibFormatError] This is a Debian package, and no VIB.");
    let other = archive::ar(&[("x", b"")], Spelling::Vmware);
    assert_eq!(told(&other), "[VibFormatError] The VIB has \"x\" where descriptor.xml should be.");
    let latin = told_after(|parts| parts.descriptor[60] = 0xe4);
    assert_eq!(latin, "[VibFormatError] The VIB's descriptor.xml is not written in UTF-8.");
    let old = b"<vib><vibVersion>1.4.5</vibVersion><vibType>deb</vibType></vib>".to_vec();
    let old = archive::ar(&[("descriptor.xml", &old), ("sig.pkcs7", b""), ("data.tar.gz", b"")], Spelling::Gnu);
    assert_eq!(
        told(&old),
        "[VibFormatError] This is a VIB of version 1.x, as ESX and ESXi 4 have them; only VIBs of version 2.0, of ESXi 5.0 and \
         newer, can be read. Get the bundle that is made for this host's version."
    );
    let unsigned = archive::ar(&[("descriptor.xml", sample().descriptor().as_bytes())], Spelling::Vmware);
    assert_eq!(told(&unsigned), "[VibFormatError] The VIB has no sig.pkcs7. vibs = Acme_bootbank_demo_1.0-1");
}

#[test]
fn members_are_those_of_the_descriptor() {
    let of = " vibs = Acme_bootbank_demo_1.0-1";
    let lacks = told_after(|parts| drop(parts.payloads.remove(1)));
    assert_eq!(lacks, format!("[VibFormatError] The VIB lacks its payload demo.{of}"));
    let more = told_after(|parts| parts.payloads.push(("more".to_owned(), b"x".to_vec())));
    let expected =
        format!("[VibFormatError] The VIB has a member \"more\", which its descriptor does not tell of.{of}");
    assert_eq!(more, expected);
    let twice = told_after(|parts| parts.payloads.push(parts.payloads[0].clone()));
    assert_eq!(twice, format!("[VibFormatError] Payload k is there twice.{of}"));
    let longer = told_after(|parts| parts.payloads[3].1.push(b'!'));
    assert_eq!(longer, format!("[VibFormatError] Payload odd has 4 octets, and 3 by the VIB's descriptor.{of}"));
    let file = sample().to_file();
    assert_eq!(told(&file[..file.len() - 2]), format!("[VibFormatError] The VIB is cut off.{of}"));
    assert_eq!(told(&file[..file.len() - 40]), format!("[VibFormatError] The VIB is cut off.{of}"));
}

#[test]
fn every_digest_is_checked() {
    for (at, change) in [(0, 20), (1, 30), (2, 15), (3, 0)] {
        let mut parts = sample().parts();
        parts.payloads[at].1[change] ^= 1;
        let calculated = sha256(&parts.payloads[at].1);
        let expected = &sample().payloads[at].checksums[0].2.clone();
        assert_eq!(
            told(&parts.to_file()),
            format!(
                "[InstallationError] Calculated digest at EOF does not match expected result: {calculated} calculated, \
                 {expected} expected. Payload {} is not what the VIB's descriptor says. vibs = Acme_bootbank_demo_1.0-1",
                sample().payloads[at].name
            )
        );
    }
    for digest in 0..3 {
        let mut vib = sample();
        let right = vib.payloads[1].checksums[digest].2.clone();
        vib.payloads[1].checksums[digest].2 = format!("{:0>1$}", "1", right.len());
        let told = told(&vib.to_file());
        assert!(told.contains(&format!("{right} calculated, 0")), "{told}");
    }
    let mut old = sample();
    old.payloads[1] = old.payloads[1].clone().with_old_digests();
    assert_eq!(old.payloads[1].checksums.len(), 2);
    read(&old.to_file()).unwrap();
}

#[test]
fn a_payload_that_is_no_gzip_is_refused_though_its_digests_are_right() {
    let mut cut = gzip(&visor_tar(&[("etc/x", b"x")], 0), None);
    cut.truncate(cut.len() - 9);
    for stored in [b"no gzip at all".to_vec(), cut, Vec::new()] {
        let vib = Vib { payloads: vec![Payload::stored("p", "vgz", stored, None)], ..sample() };
        let expected = "[VibFormatError] Payload p is no whole gzip. vibs = Acme_bootbank_demo_1.0-1";
        assert_eq!(told(&vib.to_file()), expected);
    }
}

#[test]
fn what_would_leave_the_image_is_refused() {
    for (name, content) in [("../etc/passwd", "visor"), ("etc/../../x", "visor"), ("/etc/passwd", "tar")] {
        let files: [(&str, &[u8]); 1] = [(name, b"x")];
        let payload = if content == "visor" { Payload::vgz("p", &files) } else { Payload::tgz("p", &files) };
        let vib = Vib { payloads: vec![payload], files: Some(Vec::new()), ..sample() };
        let told = told(&vib.to_file());
        assert!(told.starts_with("[VibFormatError] Payload p has \""), "{told}");
        assert!(told.contains("which leaves the image."), "{told}");
    }
}

#[test]
fn stored_octets_need_a_digest_of_their_own() {
    let mut vib = sample();
    vib.payloads[1].checksums.retain(|(_, gunzipped, _)| *gunzipped);
    let why =
        "violates extensibility rule checks: ['Payload demo has no checksum of type sha-256 of its stored octets']";
    let told = told(&vib.to_file());
    assert!(told.starts_with("[VibValidationError] ") && told.contains(why), "{told}");
}

#[test]
fn vibs_of_others_have_only_the_files_that_they_list() {
    let files: [(&str, &[u8]); 2] = [("opt/listed", b"x"), ("opt/other", b"y")];
    for payload in [Payload::vgz("p", &files), Payload::tgz("p", &files)] {
        for (level, is_held) in [("community", true), ("partner", true), ("accepted", false), ("certified", false)] {
            let vib = Vib { payloads: vec![payload.clone()], ..Vib::new("demo", "1.0-1") }.at_level(level);
            read(&vib.to_file()).unwrap();
            let hiding = Vib { files: Some(vec!["opt/listed".to_owned()]), ..vib };
            let read = read(&hiding.to_file()).map(drop);
            if !is_held {
                read.unwrap();
                continue;
            }
            let error = read.unwrap_err();
            assert_eq!(error.class, ImageErrorClass::VibValidationError);
            let why = "VIB Acme_bootbank_demo_1.0-1 violates extensibility rule checks: ['Payload p has the file \
                       \"opt/other\", which the file-list does not have']. ";
            assert!(error.text.starts_with(why), "{error}");
        }
    }
}

/// Takes so many octets, and then fails as a full disk does.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(octets.len()).ok_or_else(|| io::Error::from_raw_os_error(28))?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_is_told_as_it_is() {
    let file = sample().to_file();
    let mut reader = VibReader::open(file.as_slice()).unwrap();
    let mut failed = 0;
    while reader.next_payload().unwrap().is_some() {
        match reader.copy_payload(&mut Full(0)) {
            Err(CopyError::Write(error)) => assert_eq!(error.raw_os_error(), Some(28)),
            other => panic!("{other:?}"),
        }
        failed += 1;
    }
    assert_eq!(failed, 4);
}

/// Gives so many octets of a file, and then fails.
struct Broken<'a>(&'a [u8], io::ErrorKind);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::Error::new(self.1, "as told")) } else { self.0.read(buffer) }
    }
}

#[test]
fn an_input_that_fails_is_told_and_is_not_taken_for_a_wrong_digest() {
    let file = sample().to_file();
    let told = |kind| {
        let mut reader = VibReader::open(Broken(&file[..file.len() - 300], kind)).unwrap();
        told_by((|| {
            while reader.next_payload()?.is_some() {}
            Ok(())
        })())
    };
    assert!(told(io::ErrorKind::InvalidData).starts_with("[VibFormatError] The VIB is damaged: as told. vibs = "));
    let other = told(io::ErrorKind::PermissionDenied);
    assert!(other.starts_with("[VibIOError] The VIB cannot be read: as told. See that "), "{other}");
}

#[test]
fn a_signature_is_one_for_the_level_that_the_vib_claims() {
    let trust = trust();
    let verify = |file: &[u8]| {
        let reader = VibReader::open(file).unwrap();
        reader.verify_signature(&trust, DateTime::UNIX_EPOCH + TimeDelta::days(20_000)).map_err(|e| e.class)
    };
    assert_eq!(verify(&sample().to_file()), Ok(()), "community");
    assert_eq!(verify(&sample().at_level("certified").to_file()), Ok(()));
    assert_eq!(verify(&sample().at_level("partner").to_file()), Err(ImageErrorClass::VibSigInvalidError));
    let mut edited = sample().at_level("certified").parts();
    edited.rewrite("<overlay>false", "<overlay>true");
    assert_eq!(verify(&edited.to_file()), Err(ImageErrorClass::VibSigDigestError));
}

/// A firewall rule for the NTP server: what a small VIB of a third party is, as VMware's VIB Author wrote it in 2017.
fn firewall_rule(content: &[u8]) -> Vib {
    let payload = Payload::vgz("fwrule", &[("etc/vmware/firewall/ntpserver.xml", content)]);
    Vib {
        vendor: "example.com_author".to_owned(),
        release_date: "2017-08-14T09:59:45.872917+00:00".to_owned(),
        conflicts: vec!["fwenable-ntpd".to_owned()],
        payloads: vec![payload.with_old_digests()],
        ..Vib::new("fwrule-ntpServer", "1.0.0-1")
    }
}

#[test]
fn a_vib_as_vib_author_writes_it_is_read() {
    let rule = b"<ConfigRoot>\n  <service>\n    <id>ntpServer</id>\n  </service>\n</ConfigRoot>\n";
    let file = firewall_rule(rule).to_file();
    let reader = VibReader::open(file.as_slice()).unwrap();
    let descriptor = Arc::clone(reader.descriptor());
    reader.finish().unwrap();
    assert_eq!(descriptor.id().as_str(), "example.com_author_bootbank_fwrule-ntpServer_1.0.0-1");
    assert_eq!(descriptor.conflicts[0].to_string(), "fwenable-ntpd");
    assert_eq!(descriptor.files, ["etc/vmware/firewall/ntpserver.xml".into()]);
    assert!(descriptor.live_install_allowed && descriptor.live_remove_allowed && descriptor.stateless_ready);
    let digests: Vec<(bool, usize)> = descriptor.payloads[0]
        .checksums
        .iter()
        .map(|checksum| (checksum.of == Checksummed::Gunzipped, checksum.digest.len()))
        .collect();
    assert_eq!(digests, [(false, 64), (true, 40)], "SHA-256 as it is stored, SHA-1 of what gunzip makes of it");
}

/// The VIB that this was made after, where somebody has it (`QUARTERMASTER_SAMPLE_VIB`): ours is the same octet by octet, but for
/// its texts, its vendor and what its payload holds, which are taken from it.
#[test]
fn a_vib_that_vmwares_tool_wrote_is_the_same_as_ours() {
    let Some(path) = std::env::var_os("QUARTERMASTER_SAMPLE_VIB") else { return };
    let file = std::fs::read(path).unwrap();
    let reader = VibReader::open(file.as_slice()).unwrap();
    let descriptor = Arc::clone(reader.descriptor());
    assert!(reader.signature().is_empty());
    reader.finish().unwrap();
    let (payloads, sum) = read(&file).unwrap();
    assert_eq!(sum, VibSum { size: file.len() as u64, sha256: sha256(&file) });
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(payloads[0].1.as_slice()).read_to_end(&mut plain).unwrap();
    let content = plain[2560..].to_vec();
    let name = "etc/vmware/firewall/ntpserver.xml";
    let mut ours = visor_tar(&[(name, &content)], 0o13_144_262_560);
    ours[1536..2048].copy_from_slice(&tar_header(name, Some(&content), 0o13_144_246_765, Some(2560)));
    assert!(ours == plain, "the visor tar");
    let mut vib = firewall_rule(&content);
    vib.payloads[0] = Payload {
        files: vec![name.to_owned()],
        ..Payload::stored("fwrule", "vgz", payloads[0].1.clone(), Some(&plain))
    }
    .with_old_digests();
    vib.vendor = descriptor.vendor.to_string();
    (vib.summary, vib.description) = (descriptor.summary.to_string(), descriptor.description.to_string());
    assert_eq!(String::from_utf8_lossy(&vib.parts().descriptor), String::from_utf8_lossy(&file[68..68 + 1179]));
    assert!(vib.to_file() == file, "the whole file");
}

proptest! {
    #[test]
    fn no_change_of_a_signed_vib_goes_unnoticed(at in 0..20_000_usize, to: u8) {
        let (vib, trust) = signed();
        let mut changed = vib.clone();
        let at = at % changed.len();
        changed[at] = to;
        let taken = || -> Result<Whole, ImageError> {
            VibReader::open(changed.as_slice())?.verify_signature(trust, DateTime::UNIX_EPOCH + TimeDelta::days(20_000))?;
            read(&changed)
        };
        if let Ok((payloads, sum)) = taken() {
            prop_assert_eq!(&payloads, &read(vib).unwrap().0, "octet {}", at);
            prop_assert_eq!(sum.sha256, sha256(&changed));
        }
    }
}

/// A signed VIB and who trusts it, made once.
fn signed() -> &'static (Vec<u8>, TrustStore) {
    static SIGNED: OnceLock<(Vec<u8>, TrustStore)> = OnceLock::new();
    SIGNED.get_or_init(|| (sample().at_level("certified").to_file(), trust()))
}

/// A trust store of VMware's root.
fn trust() -> TrustStore {
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("vmware.pem");
    std::fs::write(&roots, Signers::shared().vmware_root.pem()).unwrap();
    TrustStore::read(Some(&roots), None, None).unwrap()
}
