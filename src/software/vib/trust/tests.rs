//! Judges signatures, and asks OpenSSL's own tools for their verdicts on the same files.

use std::io::Read;
use std::process::Command;
use std::sync::Arc;

use chrono::TimeZone;
use flate2::read::GzDecoder;
use openssl::cms::CMSOptions;

use super::super::building::{Authority, SignatureForm, Signer, Signers, Weakness};
use super::AcceptanceLevel::{Accepted, Certified, Community, Partner};
use super::*;

const DESCRIPTOR: &[u8] = b"<vib version=\"5.0\"><type>bootbank</type></vib>";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 29, 0, 0, 0).unwrap()
}

/// Trust files in a folder.
struct Files {
    folder: tempfile::TempDir,
    store: TrustStore,
}

/// The roots of all, and these lists of revocations beside empty ones of the others.
fn files(revoked: &[(&Authority, u32)]) -> Files {
    let signers = Signers::shared();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let authorities =
        [&signers.vmware_root, &signers.vmware_authority, &signers.partner_root, &signers.partner_authority];
    let mut lists = Vec::new();
    for authority in authorities {
        let theirs: Vec<u32> =
            revoked.iter().filter(|(by, _)| std::ptr::eq(*by, authority)).map(|(_, serial)| *serial).collect();
        lists.extend(authority.revocations(&theirs));
    }
    std::fs::write(at("vmware.pem"), signers.vmware_root.pem()).unwrap();
    std::fs::write(at("partners.pem"), signers.partner_root.pem()).unwrap();
    std::fs::write(at("lists.pem"), &lists).unwrap();
    let store = TrustStore::read(Some(&at("vmware.pem")), Some(&at("partners.pem")), Some(&at("lists.pem"))).unwrap();
    Files { folder, store }
}

/// Judges, and sees that `openssl smime` and `openssl cms` say the same.
fn judge(files: &Files, descriptor: &[u8], signature: &[u8], level: AcceptanceLevel) -> SignatureVerdict {
    let verdict = files.store.judge(descriptor, signature, level, now());
    for tool in ["smime", "cms"] {
        let (is_fine, said) = ask(tool, files, descriptor, signature, level);
        assert_eq!(is_fine, verdict == SignatureVerdict::Valid, "{tool}: {verdict:?}, {said}");
        let reason = match &verdict {
            SignatureVerdict::Digest => "digest failure|verification failure",
            SignatureVerdict::Revoked(_) => "certificate revoked",
            SignatureVerdict::Expired(_) => "certificate has expired",
            SignatureVerdict::Untrusted => "unable to get local issuer|self-signed certificate|signer certificate",
            SignatureVerdict::Wrong => "signature failure|verification failure|bad signature",
            _ => "",
        };
        assert!(reason.split('|').any(|reason| said.contains(reason)), "{tool}: {verdict:?}, {said}");
    }
    verdict
}

/// What a tool of OpenSSL says of the same files.
fn ask(tool: &str, files: &Files, descriptor: &[u8], signature: &[u8], level: AcceptanceLevel) -> (bool, String) {
    let at = |name: &str| files.folder.path().join(name);
    let mut plain = signature.to_vec();
    if plain.starts_with(&[0x1f, 0x8b]) {
        plain.clear();
        let _ = GzDecoder::new(signature).read_to_end(&mut plain);
    }
    if tool == "smime" && plain.starts_with(b"-----BEGIN CMS-----") {
        // It knows the older name only.
        plain = String::from_utf8(plain).unwrap().replace(" CMS-----", " PKCS7-----").into_bytes();
    }
    let form = if plain.starts_with(b"-----") { "PEM" } else { "DER" };
    std::fs::write(at("descriptor.xml"), descriptor).unwrap();
    std::fs::write(at("sig.pkcs7"), plain).unwrap();
    let mut trusted = std::fs::read(at("vmware.pem")).unwrap();
    if level <= Partner {
        trusted.extend(std::fs::read(at("partners.pem")).unwrap());
    }
    trusted.extend(std::fs::read(at("lists.pem")).unwrap());
    std::fs::write(at("trusted.pem"), trusted).unwrap();
    let output = Command::new("openssl")
        .args([tool, "-verify", "-binary", "-purpose", "any", "-crl_check_all", "-inform", form])
        .args(["-attime", &now().timestamp().to_string(), "-no-CApath", "-no-CAstore", "-out", "/dev/null"])
        .args(["-in".as_ref(), at("sig.pkcs7").as_os_str(), "-content".as_ref(), at("descriptor.xml").as_os_str()])
        .args(["-CAfile".as_ref(), at("trusted.pem").as_os_str()])
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn signed(signer: &Signer) -> Vec<u8> {
    signer.sign(DESCRIPTOR, SignatureForm::Pem)
}

#[test]
fn signatures_are_taken_in_all_forms() {
    let files = files(&[]);
    for form in SignatureForm::ALL {
        let signature = Signers::shared().vmware.sign(DESCRIPTOR, form);
        assert_eq!(judge(&files, DESCRIPTOR, &signature, Certified), SignatureVerdict::Valid, "{form:?}");
    }
    for options in [CMSOptions::USE_KEYID, CMSOptions::NOATTR, CMSOptions::USE_KEYID | CMSOptions::NOATTR] {
        let signature = Signers::shared().partner.sign_with(DESCRIPTOR, options);
        let verdict = |descriptor: &[u8], level| files.store.judge(descriptor, &signature, level, now());
        assert_eq!(verdict(DESCRIPTOR, Partner), SignatureVerdict::Valid, "{options:?}");
        assert_eq!(verdict(DESCRIPTOR, Certified), SignatureVerdict::Untrusted, "{options:?}");
        assert_eq!(verdict(b"<other/>", Partner), SignatureVerdict::Digest, "{options:?}");
        let (is_fine, said) = ask("cms", &files, DESCRIPTOR, &signature, Partner);
        assert!(is_fine, "{said}");
        assert!(!ask("cms", &files, b"<other/>", &signature, Partner).0);
    }
}

#[test]
fn a_level_is_vouched_for_by_whom_it_takes() {
    let files = files(&[]);
    let Signers { vmware, partner, stranger, .. } = Signers::shared();
    for (signer, level, verdict) in [
        (vmware, Partner, SignatureVerdict::Valid),
        (vmware, Accepted, SignatureVerdict::Valid),
        (vmware, Certified, SignatureVerdict::Valid),
        (partner, Partner, SignatureVerdict::Valid),
        (partner, Accepted, SignatureVerdict::Untrusted),
        (partner, Certified, SignatureVerdict::Untrusted),
        (stranger, Partner, SignatureVerdict::Untrusted),
        (stranger, Certified, SignatureVerdict::Untrusted),
    ] {
        assert_eq!(judge(&files, DESCRIPTOR, &signed(signer), level), verdict, "{level}");
    }
}

#[test]
fn what_was_changed_lapsed_or_revoked_is_not_taken() {
    let signers = Signers::shared();
    let untouched = files(&[]);
    let partner = signed(&signers.partner);
    assert_eq!(judge(&untouched, b"<vib/>", &partner, Partner), SignatureVerdict::Digest);
    let lapsed = SignatureVerdict::Expired("Lapsed Partner".to_owned());
    assert_eq!(judge(&untouched, DESCRIPTOR, &signed(&signers.lapsed), Partner), lapsed);
    let revoked = files(&[(&signers.partner_authority, 20)]);
    let verdict = SignatureVerdict::Revoked("Test Partner".to_owned());
    assert_eq!(judge(&revoked, DESCRIPTOR, &partner, Partner), verdict);
    assert_eq!(judge(&revoked, DESCRIPTOR, &signed(&signers.vmware), Partner), SignatureVerdict::Valid);
    let authority_revoked = files(&[(&signers.partner_root, 3)]);
    let verdict = SignatureVerdict::Revoked("Test Partner Authority".to_owned());
    assert_eq!(judge(&authority_revoked, DESCRIPTOR, &partner, Partner), verdict);
    let elsewhere = files(&[(&signers.vmware_authority, 20)]);
    assert_eq!(judge(&elsewhere, DESCRIPTOR, &partner, Partner), SignatureVerdict::Valid, "another's number 20");
}

#[test]
fn damaged_signatures_are_told() {
    let files = files(&[]);
    let der = Signers::shared().vmware.sign(DESCRIPTOR, SignatureForm::Der);
    let gzipped = Signers::shared().vmware.sign(DESCRIPTOR, SignatureForm::GzippedDer);
    for damaged in [b"nothing of it".as_slice(), &der[..200], &gzipped[..200], b"-----BEGIN PKCS7-----\n", b"0"] {
        let verdict = judge(&files, DESCRIPTOR, damaged, Certified);
        assert!(matches!(verdict, SignatureVerdict::Format(_)), "{verdict:?}");
    }
    let signed_by_nobody = Command::new("openssl")
        .args(["crl2pkcs7", "-nocrl", "-certfile"])
        .arg(files.folder.path().join("vmware.pem"))
        .output()
        .unwrap();
    let verdict = judge(&files, DESCRIPTOR, &signed_by_nobody.stdout, Certified);
    assert!(matches!(&verdict, SignatureVerdict::Format(why) if !why.contains("error:")), "{verdict:?}");
    let mut wrong = der;
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(judge(&files, DESCRIPTOR, &wrong, Certified), SignatureVerdict::Wrong);
}

#[test]
fn failures_have_esximages_classes_and_words() {
    let signers = Signers::shared();
    let store = files(&[(&signers.partner_authority, 20)]).store;
    let id = VibId::new("Acme_bootbank_demo_1.0-1");
    let told = |signature: &[u8], level| match store.verify(&id, DESCRIPTOR, signature, level, now()) {
        Ok(()) => "fine".to_owned(),
        Err(error) => error.to_string(),
    };
    let advice = ImageErrorClass::VibSigInvalidError.advice();
    let expected = |class: &str, why: &str| format!("[{class}] ('{id}', '{why}') {advice} vibs = {id}");
    assert_eq!(told(b"", Community), "fine");
    assert_eq!(told(b"whatever", Community), "fine", "nobody looks at it");
    assert_eq!(told(&signed(&signers.vmware), Certified), "fine");
    let missing = "Signature Not Available: a VIB of the acceptance level partner must be signed.";
    assert_eq!(told(b"", Partner), expected("VibSigMissingError", missing));
    let untrusted = expected("VibSigInvalidError", "Could not find a trusted signer.");
    assert_eq!(told(&signed(&signers.stranger), Partner), untrusted);
    let revoked = expected("VibSigInvalidError", "The certificate of Test Partner was revoked.");
    assert_eq!(told(&signed(&signers.partner), Partner), revoked);
    let other = signers.vmware.sign(b"<other/>", SignatureForm::Pem);
    let digest = expected("VibSigDigestError", "The signature is not of this descriptor.xml.");
    assert_eq!(told(&other, Certified), digest);
    let format = expected("VibSigFormatError", "The signature is no PKCS#7: it is neither PEM nor DER.");
    assert_eq!(told(b"x", Certified), format);
    let weak = expected("VibSigInvalidError", "The signature's digest is weaker than SHA-256.");
    assert_eq!(told(&signed_with("sha1", &signers.vmware), Certified), weak);
    let lapsed = told(&signed(&signers.lapsed), Partner);
    assert_eq!(
        lapsed,
        expected("VibSigInvalidError", "The certificate of Lapsed Partner has expired or is not valid yet.")
    );
}

#[test]
fn trust_files_that_hold_nothing_are_told_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    let missing = TrustStore::read(Some(&file), None, None).unwrap_err().to_string();
    assert_eq!(missing, format!("{}: No such file or directory (os error 2)", file.display()));
    std::fs::write(&file, "# none yet\n").unwrap();
    let empty = TrustStore::read(None, Some(&file), None).unwrap_err().to_string();
    assert!(empty.starts_with(&format!("{}: there is no certificate in it; ", file.display())), "{empty}");
    let empty = TrustStore::read(None, None, Some(&file)).unwrap_err().to_string();
    assert!(empty.starts_with(&format!("{}: there is no list of revocations in it; ", file.display())), "{empty}");
    std::fs::write(&file, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").unwrap();
    let damaged = TrustStore::read(None, None, Some(&file)).unwrap_err().to_string();
    assert!(damaged.contains(": it holds a damaged list of revocations ("), "{damaged}");
}

#[test]
fn nobody_is_trusted_without_roots() {
    let signature = signed(&Signers::shared().vmware);
    let store = Arc::new(TrustStore::default());
    assert_eq!(store.judge(DESCRIPTOR, &signature, Partner, now()), SignatureVerdict::Untrusted);
}

/// A signature that OpenSSL's tool makes with a digest, in DER.
fn signed_with(digest: &str, signer: &Signer) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("signer.pem"), signer.pem()).unwrap();
    std::fs::write(at("descriptor.xml"), DESCRIPTOR).unwrap();
    let output = Command::new("openssl")
        .args(["cms", "-sign", "-binary", "-outform", "DER", "-md", digest])
        .args(["-signer".as_ref(), at("signer.pem").as_os_str(), "-in".as_ref(), at("descriptor.xml").as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn weak_digests_chains_and_keys_for_something_else_are_not_taken() {
    let root = Authority::root("Test Root");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    std::fs::write(&file, root.pem()).unwrap();
    let store = TrustStore::read(Some(&file), None, None).unwrap();
    let verdict = |signature: &[u8]| store.judge(DESCRIPTOR, signature, Certified, now());
    let signer = root.signer("Signer", 40);
    for (digest, expected) in [
        ("md5", SignatureVerdict::Weak),
        ("sha1", SignatureVerdict::Weak),
        ("sha224", SignatureVerdict::Weak),
        ("sha256", SignatureVerdict::Valid),
        ("sha384", SignatureVerdict::Valid),
        ("sha512", SignatureVerdict::Valid),
    ] {
        assert_eq!(verdict(&signed_with(digest, &signer)), expected, "{digest}");
    }
    for weakness in [Weakness::Md5, Weakness::KeyEncipherment] {
        let weak = root.weak_signer("Weak", 41, weakness);
        assert_eq!(verdict(&signed(&weak)), SignatureVerdict::Untrusted, "{weakness:?}");
    }
}

#[test]
fn a_list_of_revocations_that_its_root_did_not_make_is_told_when_it_is_read() {
    let (root, namesake) = (Authority::root("Test Root"), Authority::root("Test Root"));
    let folder = tempfile::tempdir().unwrap();
    let (roots, lists) = (folder.path().join("roots.pem"), folder.path().join("lists.pem"));
    std::fs::write(&roots, root.pem()).unwrap();
    let read = |authority: &Authority| {
        std::fs::write(&lists, authority.revocations(&[1])).unwrap();
        TrustStore::read(Some(&roots), None, Some(&lists)).map(drop)
    };
    read(&root).unwrap();
    // Its certificate may come with signatures.
    read(&Authority::root("Test Authority")).unwrap();
    let error = read(&namesake).unwrap_err().to_string();
    let why = "the list of revocations of Test Root was not signed with the key of that root; get it again";
    assert_eq!(error, format!("{}: {why}", lists.display()));
}
