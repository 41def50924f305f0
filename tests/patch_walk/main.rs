//! Scan, deploy, assess: what the console of the seeds does with a hypervisor host, over WS-Management, with a depot on the web.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

mod advisories;
mod depot;
mod refusing;
#[path = "../support/mod.rs"]
mod support;
mod surviving;
mod walk;

use support::server::workers_of;
use support::vib::bundle::zipped;
use support::vib::release::{GOLDEN_INSTALLED, component_7_0};
use support::vib::{Bulletin, Bundle, Vib};
use support::wsman::property;
use walk::{METADATA, Walk, assessed_by, associated, heard, of, reference, values, vib_path};

const NEEDS_REBOOT: &str =
    "The update completed successfully, but the system needs to be rebooted for the changes to be effective.";

/// States of a bulletin.
const MISSING: &str = "2";
const REBOOT_PENDING: &str = "3";
const INSTALLED: &str = "4";

#[test]
fn a_console_patches_a_host() {
    let mut walk = Walk::new();
    let sink = walk.subscribe();
    assert!(walk.assessment().is_none());
    assert_eq!(walk.code("Deploy", &[("BulletinIDs", "ESXi550-201404401-SG")]), "32768", "not scanned before");
    assert_eq!(walk.code("Assess", &[]), "32768");

    assert_eq!(walk.scan(), "Completed successfully");
    let assessment = walk.assessment().unwrap();
    assert_eq!(of(&assessment, "MissingCount"), "4");
    let job = reference("CIM_ConcreteJob", &[("InstanceID", &of(&assessment, "JobID"))]);
    assert_eq!(associated(&mut walk.console.0, &job, "QM_OwningPatchJobElement", "QM_HostPatchService").len(), 1);
    assert_eq!(
        (of(&assessment, "ProductVersion"), of(&assessment, "Build")),
        ("5.5.0".to_owned(), "1623387".to_owned())
    );
    assert_eq!(of(&assessment, "MetadataURIs"), walk.depot.url(METADATA));
    assert_eq!(of(&assessment, "MetadataDigests"), support::vib::sha256(&walk.depot.file(METADATA)));
    let status = walk.status("ESXi550-201404401-SG");
    assert_eq!((of(&status, "State"), of(&status, "RestartRequired")), (MISSING.to_owned(), "true".to_owned()));
    assert_eq!(values(&status, "VIBs"), GOLDEN_INSTALLED[..1]);
    assert_eq!(values(&status, "VIBsOnHost"), ["VMware_bootbank_esx-base_5.5.0-1.15.1623387"]);
    walk.depot.asked();

    let bulletins = ["ESXi550-201404401-SG", "ESXi550-201404402-SG", "ESXi550-201404403-SG"];
    let named: Vec<(&str, &str)> = bulletins.iter().map(|id| ("BulletinIDs", *id)).collect();
    assert_eq!(walk.done("Deploy", &named), NEEDS_REBOOT);
    // The host fetches what it lacks, and nothing else; the metadata is there.
    let mut asked: Vec<String> = walk.depot.asked().into_iter().map(|asked| asked.target).collect();
    asked.sort();
    let lacked = walk.patch.vibs.iter().filter(|vib| GOLDEN_INSTALLED.contains(&vib.id().as_str()));
    let mut lacked: Vec<String> = lacked.map(vib_path).collect();
    lacked.sort();
    assert_eq!(asked, lacked);
    for id in bulletins {
        let status = walk.status(id);
        assert_eq!(
            (of(&status, "State"), values(&status, "InstallState").len()),
            (REBOOT_PENDING.to_owned(), 0),
            "{id}"
        );
    }
    assert_eq!(heard(&sink, 2), [("Scan".to_owned(), 4), ("Deploy".to_owned(), 0)]);

    walk.boot();
    assessed_by(&mut walk, "Assess");
    assert_eq!(heard(&sink, 3)[2], ("Assess".to_owned(), 0), "the host is assessed after its boot");
    assert_eq!(walk.done("Assess", &[]), "Completed successfully");
    assert!(walk.depot.asked().is_empty(), "the metadata is there");
    let status = walk.status("ESXi550-201404401-SG");
    assert_eq!(
        (of(&status, "State"), values(&status, "InstallState")),
        (INSTALLED.to_owned(), vec!["2".to_owned(), "3".to_owned()])
    );
    let assessment = walk.assessment().unwrap();
    assert_eq!(
        (of(&assessment, "Build"), of(&assessment, "RebootPending")),
        ("1746018".to_owned(), "false".to_owned())
    );

    assert_eq!(walk.done("RollBack", &[]), NEEDS_REBOOT);
    walk.restart_after(|walk| walk.boot());
    assessed_by(&mut walk, "Assess");
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), "4");
    assert!(walk.shown().contains(support::vib::release::GOLDEN_REMOVED[0].rsplit('_').next().unwrap()));
}

#[test]
fn bulletins_are_joined_with_their_vibs_and_how_the_host_stands_to_them() {
    let mut walk = Walk::new();
    walk.scan();
    let bulletins = walk.enumerate("CIM_SoftwareIdentity");
    let bulletin = bulletins.iter().find(|i| of(i, "InstanceID").ends_with(":ESXi550-201404401-SG")).unwrap();
    assert_eq!(
        (of(bulletin, "ExtendedResourceType"), of(bulletin, "Classifications")),
        ("10".to_owned(), "13".to_owned())
    );
    let path = reference("QM_Bulletin", &[("InstanceID", &of(bulletin, "InstanceID"))]);
    let vibs = associated(&mut walk.console.0, &path, "CIM_OrderedComponent", "CIM_SoftwareIdentity");
    assert_eq!(vibs.len(), 1);
    assert_eq!(
        (of(&vibs[0], "ElementName"), of(&vibs[0], "ExtendedResourceType")),
        ("esx-base".to_owned(), "9".to_owned())
    );
    let path = reference("QM_BulletinVIB", &[("InstanceID", &of(&vibs[0], "InstanceID"))]);
    let of_vib = associated(&mut walk.console.0, &path, "QM_BulletinComponent", "QM_Bulletin");
    assert_eq!(of_vib.len(), 2, "the rollup has it too");
    let path = reference("QM_Bulletin", &[("InstanceID", &of(bulletin, "InstanceID"))]);
    let statuses = associated(&mut walk.console.0, &path, "QM_BulletinHasStatus", "QM_BulletinStatus");
    assert_eq!(statuses.iter().map(|s| of(s, "BulletinID")).collect::<Vec<_>>(), ["ESXi550-201404401-SG"]);
    let path = reference("QM_BulletinStatus", &[("InstanceID", &of(&statuses[0], "InstanceID"))]);
    let assessments = associated(&mut walk.console.0, &path, "QM_AssessedBulletin", "QM_PatchAssessment");
    assert_eq!(assessments.len(), 1);
    let path = reference("QM_PatchAssessment", &[("InstanceID", &of(&assessments[0], "InstanceID"))]);
    let systems = associated(&mut walk.console.0, &path, "QM_AssessedSystem", "CIM_ComputerSystem");
    assert_eq!(systems.len(), 1);
    assert_eq!(associated(&mut walk.console.0, &path, "QM_AssessedBulletin", "QM_BulletinStatus").len(), 4);
}

#[test]
fn bundles_are_named_where_the_depot_has_no_vibs() {
    let mut walk = Walk::new();
    walk.scan();
    for vib in &walk.patch.vibs {
        walk.depot.remove(&vib_path(vib));
    }
    let error = walk.failed("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
    assert!(error.starts_with("[VibDownloadError] ") && error.contains("lsi-mr3"), "{error}");
    let shown = walk.shown();
    walk.depot.put("/patches/ESXi550-201404001.zip", walk.patch.to_zip());
    walk.depot.break_off("/patches/ESXi550-201404001.zip");
    walk.depot.asked();
    let url = walk.depot.url("/patches/ESXi550-201404001.zip");
    let bulletin = ("BulletinIDs", "ESXi550-201404403-SG");
    assert_eq!(walk.done("Deploy", &[bulletin, ("BundleURIs", &url)]), NEEDS_REBOOT);
    let statuses: Vec<u16> = walk.depot.asked().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [200, 206], "what broke off was gone on with");
    assert_ne!(walk.shown(), shown);
    assert_eq!(of(&walk.status("ESXi550-201404403-SG"), "State"), REBOOT_PENDING);
    assert_eq!(of(&walk.status("ESXi550-201404401-SG"), "State"), MISSING);
    // A bundle on the host, and a single VIB.
    let file = walk.file("bundle.zip");
    walk.patch.write(&file);
    let uri = format!("file://{}", file.display());
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404402-SG"), ("BundleURIs", &uri)]);
    let vib = walk.patch.vibs.iter().find(|vib| vib.name == "esx-base").unwrap().clone();
    let file = walk.file("esx-base.vib");
    std::fs::write(&file, vib.to_file()).unwrap();
    let uri = format!("file://{}", file.display());
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404401-SG"), ("BundleURIs", &uri)]);
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), "0");
    assert_eq!(
        walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404001")]),
        "Host is not changed.",
        "everything of it is there"
    );
}

#[test]
fn everything_is_fetched_through_the_proxy() {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&password, "o pen: sesame\n").unwrap();
    let mut walk = Walk::with_settings(|depot| {
        let (proxy, password) = (depot.url(""), password.path().display());
        format!(
            "[downloads]\nproxy = \"{proxy}\"\nproxy_user = \"quartermaster\"\nproxy_password_file = \"{password}\"\n"
        )
    });
    let url = format!("http://depot.invalid{METADATA}");
    assert_eq!(walk.done("Scan", &[("MetadataURIs", &url)]), "Completed successfully");
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404403-SG")]);
    let asked = walk.depot.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.target.starts_with("http://depot.invalid/esx/vmw/")), "{asked:?}");
    let basic = "Basic cXVhcnRlcm1hc3RlcjpvIHBlbjogc2VzYW1l";
    assert!(asked.iter().all(|asked| asked.proxy_authorization.as_deref() == Some(basic)), "{asked:?}");
    // Nobody else sees the password.
    for worker in workers_of(&walk.host.state_dir().join("image")) {
        let arguments = std::fs::read(format!("/proc/{worker}/cmdline")).unwrap();
        let arguments = String::from_utf8_lossy(&arguments);
        assert!(arguments.contains("--proxy-password-file") && !arguments.contains("sesame"), "{arguments}");
    }
}

#[test]
fn metadata_is_fetched_again_only_when_it_is_another() {
    let mut walk = Walk::new();
    walk.scan();
    walk.scan();
    let statuses: Vec<u16> = walk.depot.asked().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [200, 304]);
    let more = Bundle::new(vec![Bulletin::new("ESXi550-201405401-SG", "Something new", &[])], Vec::new());
    walk.depot.put(METADATA, zipped(&more.metadata_files()));
    walk.scan();
    assert_eq!(walk.enumerate("QM_Bulletin").len(), 1);
    // Several packages count together, files of the host among them.
    let file = walk.file("metadata.zip");
    std::fs::write(&file, zipped(&walk.patch.metadata_files())).unwrap();
    let (here, there) = (format!("file://{}", file.display()), walk.depot.url(METADATA));
    walk.done("Scan", &[("MetadataURIs", &here), ("MetadataURIs", &there)]);
    assert_eq!(walk.enumerate("QM_Bulletin").len(), 5);
    assert_eq!(values(&walk.assessment().unwrap(), "MetadataURIs"), [here, there]);
    assert!(walk.enumerate("QM_Bulletin").iter().all(|bulletin| property(bulletin, "Name").is_none()));
    // From 7.0 on bulletins are components, also for a host that they are not for.
    walk.depot.put(METADATA, zipped(&component_7_0().metadata_files()));
    walk.scan();
    let component = walk.enumerate("QM_Bulletin").pop().unwrap();
    assert_eq!(
        (of(&component, "Name").as_str(), of(&component, "VersionString").as_str()),
        ("Intel-i40en", "1.10.6-1OEM.700.1.0.15843807")
    );
}

/// As metadata was written for ESX 4: what the summaries of VIBs lack stands in the VIBs themselves.
#[test]
fn metadata_that_is_one_document_is_enough() {
    let mut walk = Walk::new();
    walk.patch.has_folders = false;
    walk.publish();
    walk.scan();
    assert_eq!(of(&walk.status("ESXi550-201404401-SG"), "State"), MISSING);
    walk.depot.asked();
    assert_eq!(walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404001")]), NEEDS_REBOOT);
    assert_eq!(walk.depot.asked().len(), GOLDEN_INSTALLED.len());
    assert_eq!(of(&walk.assessment().unwrap(), "RebootPendingCount"), "4");
}

#[test]
fn five_thousand_bulletins_are_scanned_shown_and_told() {
    let mut walk = Walk::new();
    let sink = walk.subscribe();
    walk.depot.put(METADATA, zipped(&support::vib::release::depot(5_000, 150, 100).metadata_files()));
    walk.scan();
    assert_eq!(walk.enumerate("QM_BulletinStatus").len(), 5_000);
    let (_, missing) = heard(&sink, 1)[0].clone();
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), missing.to_string());
    assert!(missing > 0);
}

#[test]
fn what_was_added_is_removed_by_its_bulletin() {
    let mut walk = Walk::new();
    let vib =
        Vib { vendor: "ACME".to_owned(), live_install: true, live_remove: true, ..Vib::new("acme-tool", "1.0-1") }
            .at_level("partner");
    let bulletin = Bulletin { release_type: "extension".to_owned(), ..Bulletin::new("ACME-1", "A tool", &[vib.id()]) };
    let extension = Bundle::new(vec![bulletin], vec![vib.at_level("certified")]);
    walk.publish_instead(&extension);
    walk.scan();
    assert_eq!(walk.done("Deploy", &[("BulletinIDs", "ACME-1")]), "Operation finished successfully.");
    assert_eq!(of(&walk.status("ACME-1"), "State"), INSTALLED);
    assert_eq!(walk.code("Uninstall", &[("BulletinIDs", "ACME-2")]), "32769");
    assert_eq!(walk.done("Uninstall", &[("BulletinIDs", "ACME-1")]), "Operation finished successfully.");
    assert_eq!(of(&walk.status("ACME-1"), "State"), MISSING);
    assert_eq!(walk.code("Uninstall", &[("BulletinIDs", "ACME-1")]), "2", "nothing of it is installed");
    let error = walk.failed("Uninstall", &[("VIBs", "acme-tool")]);
    assert!(error.starts_with("[NoMatchError] "), "{error}");
}
