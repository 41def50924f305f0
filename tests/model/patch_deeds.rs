//! A host with an image is scanned, patched and assessed.

use crate::deeds::{Visit, reference};
use crate::support::installation::{ended, job_of};
use crate::support::vib::bundle::zipped;
use crate::support::vib::release::esxi_5_5_u1;
use crate::support::vib::{Bulletin, Bundle, Vib};

const SERVICE: &str = "QM_HostPatchService";
const SYSTEM: &str = "OMC_UnitaryComputerSystem";

/// Bulletins to which a host with ESXi 5.5 U1 stands in every way.
fn bundle() -> Bundle {
    let new = |name: &str, version: &str| Vib { vendor: "ACME".to_owned(), ..Vib::new(name, version) };
    let there = esxi_5_5_u1(1000).into_iter().find(|vib| vib.name == "ata-pata-amd").unwrap();
    let needs = |what: &str, vib: Vib| Vib { depends: vec![what.to_owned()], ..vib };
    let vibs = [
        there,
        needs("nothing-has-this", new("needy", "1.0-1")),
        Vib { conflicts: vec!["esx-base".to_owned()], ..new("rival", "1.0-1") },
        needs("library", new("program", "1.0-1")),
        new("library", "1.0-1"),
        new("library", "2.0-1"),
    ]
    .map(|vib| vib.at_level("certified"));
    let bulletin = |(number, vib): (usize, &Vib)| Bulletin::new(&format!("ACME-{number}"), &vib.name, &[vib.id()]);
    let bulletins = vibs.iter().enumerate().map(bulletin).collect();
    Bundle::new(bulletins, vibs.to_vec())
}

/// Does everything that the service can do.
pub(crate) fn patch(visit: &mut Visit) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle();
    let (metadata, depot) = (folder.path().join("metadata.zip"), folder.path().join("bundle.zip"));
    std::fs::write(&metadata, zipped(&bundle.metadata_files())).unwrap();
    bundle.write(&depot);
    let uri = |file: &std::path::Path| format!("file://{}", file.display());
    visit.enumerate(SERVICE);
    work(visit, "Scan", &[("MetadataURIs", &uri(&metadata))]);
    work(visit, "Deploy", &[("BulletinIDs", "ACME-4"), ("BundleURIs", &uri(&depot))]);
    work(visit, "Uninstall", &[("VIBs", "library")]);
    // Once back, and once back to where it was.
    work(visit, "RollBack", &[]);
    work(visit, "RollBack", &[]);
    work(visit, "Assess", &[]);
}

fn work(visit: &mut Visit, method: &str, arguments: &[(&str, &str)]) {
    let system = reference(SYSTEM, &visit.first(SYSTEM));
    let arguments = [arguments, &[("Target", &*system)]].concat();
    let service = visit.first(SERVICE);
    let id = job_of(&visit.call(SERVICE, service, method, &arguments));
    ended(&mut visit.client, &id);
}
