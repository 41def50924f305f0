//! What is refused at once, and what fails in the job; either way the image is as it was.

use crate::support::vib::bundle::zipped;
use crate::support::vib::{Bulletin, Bundle, Vib};
use crate::walk::{METADATA, Walk, of, reference, vib_path};

#[test]
fn arguments_that_do_not_fit_make_no_job() {
    let mut walk = Walk::new();
    let elsewhere =
        reference("CIM_ComputerSystem", &[("CreationClassName", "PG_ComputerSystem"), ("Name", "elsewhere")]);
    let good = walk.depot.url(METADATA);
    assert_eq!(walk.code("Scan", &[]), "2");
    assert_eq!(walk.code("Scan", &[("MetadataURIs", &good), ("Target", &elsewhere)]), "2");
    for wrong in ["metadata.zip", "ftp://h/m.zip", "http://", "http://a:b@h/m.zip", "file://elsewhere/m.zip"] {
        assert_eq!(walk.code("Scan", &[("MetadataURIs", &good), ("MetadataURIs", wrong)]), "2", "{wrong}");
    }
    assert_eq!(walk.code("Scan", &[("MetadataURIs", "file:///nowhere/metadata.zip")]), "4107");
    walk.scan();
    assert_eq!(walk.code("Deploy", &[]), "2");
    assert_eq!(walk.code("Deploy", &[("BulletinIDs", "ESXi550-209912401-SG")]), "32769");
    let known = ("BulletinIDs", "ESXi550-201404401-SG");
    assert_eq!(walk.code("Deploy", &[known, ("BundleURIs", "bundle.zip")]), "2");
    assert_eq!(walk.code("Deploy", &[known, ("BundleURIs", "file:///nowhere/bundle.zip")]), "4107");
    assert_eq!(walk.code("Uninstall", &[]), "2");
}

#[test]
fn metadata_that_cannot_be_had_or_is_none_is_told() {
    let mut walk = Walk::new();
    let nowhere = walk.depot.url("/nowhere.zip");
    let error = walk.failed("Scan", &[("MetadataURIs", &nowhere)]);
    assert!(error.starts_with("[MetadataDownloadError] Failed to download metadata: "), "{error}");
    assert!(error.contains(&nowhere), "{error}");
    walk.depot.put("/odd.zip", b"PK what is this".to_vec());
    let odd = walk.depot.url("/odd.zip");
    let error = walk.failed("Scan", &[("MetadataURIs", &odd)]);
    assert!(error.starts_with("[MetadataFormatError] ") && error.contains(&odd), "{error}");
    assert!(walk.assessment().is_none(), "a scan that failed is none");
}

#[test]
fn a_bundle_that_was_exchanged_while_its_job_waited_is_not_deployed() {
    let mut walk = Walk::new();
    walk.scan();
    let before = walk.shown();
    let bundle = walk.file("bundle.zip");
    walk.patch.write(&bundle);
    let slow = "/slow.zip";
    walk.depot.put(slow, walk.depot.file(METADATA).to_vec());
    walk.depot.hang(slow);
    let url = walk.depot.url(slow);
    let scan = walk.start("Scan", &[("MetadataURIs", &url)]);
    walk.depot.wait_until_asked(slow);
    let uri = format!("file://{}", bundle.display());
    let deploy = walk.start("Deploy", &[("BulletinIDs", "ESXi550-201404001"), ("BundleURIs", &uri)]);
    let other = walk.file("other.zip");
    walk.patch.write(&other);
    std::fs::rename(&other, &bundle).unwrap();
    walk.depot.release(slow);
    walk.ended(&scan);
    let failed = walk.ended(&deploy);
    let error = of(&failed, "ErrorDescription");
    let begin = format!("[BundleIOError] The bundle {} was exchanged for another one", bundle.display());
    assert!(error.starts_with(&begin), "{error}");
    assert_eq!(walk.shown(), before);
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404001"), ("BundleURIs", &uri)]);
}

#[test]
fn metadata_has_a_largest_size() {
    let mut walk = Walk::with_settings(|_| "max_metadata_octets = 1000\n".to_owned());
    let url = walk.depot.url(METADATA);
    let error = walk.failed("Scan", &[("MetadataURIs", &url)]);
    assert!(error.contains("larger than the 1000 octets that are allowed"), "{error}");
}

#[test]
fn a_vib_that_is_not_the_one_of_the_metadata_changes_nothing() {
    let mut walk = Walk::new();
    walk.scan();
    let before = walk.shown();
    let vib = walk.patch.vibs.iter().find(|vib| vib.name == "lsi-mr3").unwrap().clone();
    let sound = walk.depot.file(&vib_path(&vib));
    let mut octets = sound.to_vec();
    let last = octets.len() - 2;
    octets[last] ^= 1;
    walk.depot.put(&vib_path(&vib), octets);
    let error = walk.failed("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
    assert!(error.contains("Calculated digest at EOF does not match expected result: "), "{error}");
    assert!(error.contains(&walk.depot.url(&vib_path(&vib))) && error.contains(&vib.id()), "{error}");
    walk.depot.put(&vib_path(&vib), vec![0; 7]);
    let error = walk.failed("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
    assert!(error.contains("It has 7 octets"), "{error}");
    assert_eq!(walk.shown(), before);
    walk.depot.put(&vib_path(&vib), sound.to_vec());
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
}

#[test]
fn a_bundle_that_contradicts_the_scan_is_refused() {
    let mut walk = Walk::new();
    walk.scan();
    let before = walk.shown();
    let mut other = walk.patch.clone();
    let vib = other.vibs.iter_mut().find(|vib| vib.name == "lsi-mr3").unwrap();
    vib.depends.push("nothing-has-this".to_owned());
    walk.depot.put("/other.zip", other.to_zip());
    let url = walk.depot.url("/other.zip");
    let error = walk.failed("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG"), ("BundleURIs", &url)]);
    assert!(error.contains("unequal depends attributes"), "{error}");
    assert_eq!(walk.shown(), before);
}

#[test]
fn what_is_needed_and_nobody_has_is_told_before_anything_is_fetched() {
    let mut walk = Walk::new();
    let vib = Vib { vendor: "ACME".to_owned(), depends: vec!["acme-lib".to_owned()], ..Vib::new("acme-tool", "1.0-1") }
        .at_level("certified");
    let bundle = Bundle::new(vec![Bulletin::new("ACME-1", "A tool", &[vib.id()])], vec![vib]);
    walk.depot.put(METADATA, zipped(&bundle.metadata_files()));
    walk.scan();
    let status = walk.status("ACME-1");
    assert_eq!(crate::walk::values(&status, "MissingRequirements"), ["acme-lib"]);
    walk.depot.asked();
    let error = walk.failed("Deploy", &[("BulletinIDs", "ACME-1")]);
    assert!(error.starts_with("[DependencyError] ") && error.contains("acme-lib"), "{error}");
    assert!(walk.depot.asked().is_empty());
}

#[test]
fn what_the_host_fetched_itself_needs_no_folder_to_be_read_from() {
    let mut walk = Walk::with_settings(|_| "[jobs]\nreadable_folders = [\"/nowhere\"]\n".to_owned());
    walk.scan();
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
    walk.depot.put("/bundle.zip", walk.patch.to_zip());
    let url = walk.depot.url("/bundle.zip");
    let bulletin = ("BulletinIDs", "ESXi550-201404402-SG");
    walk.done("Deploy", &[bulletin, ("BundleURIs", &url)]);
    let file = walk.file("bundle.zip");
    walk.patch.write(&file);
    let uri = format!("file://{}", file.display());
    assert_eq!(walk.code("Scan", &[("MetadataURIs", &uri)]), "4107");
    assert_eq!(walk.code("Deploy", &[bulletin, ("BundleURIs", &uri)]), "4107");
}

#[test]
fn a_patch_is_not_removed_by_its_bulletin() {
    let mut walk = Walk::new();
    walk.scan();
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404001")]);
    walk.boot();
    crate::walk::assessed_by(&mut walk, "Assess");
    assert_eq!(walk.code("Uninstall", &[("BulletinIDs", "ESXi550-201404401-SG")]), "2", "it would take esx-base");
    assert!(walk.shown().contains("esx-base"));
}

#[test]
fn a_scan_that_fails_leaves_the_metadata_of_the_one_before() {
    let mut walk = Walk::new();
    walk.scan();
    walk.depot.put(METADATA, b"Sign in to the network first.".to_vec());
    let url = walk.depot.url(METADATA);
    walk.failed("Scan", &[("MetadataURIs", &url)]);
    walk.done("Assess", &[]);
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
}
