//! ESXi 5.5 U1 becomes U1a by ESXi550-201404001.zip, with the outcome that `esxcli` printed.

use super::super::super::descriptor::{Descriptor, MaintenanceModeNeed, VibType};
use super::super::super::operation::ImageOutcome;
use super::super::super::samples::{Package, host_with, platform, vib};
use super::*;

fn esx_base(version: &str) -> Descriptor {
    vib(&format!("esx-base {version}"))
        .needing_reboot()
        .needing("tools-light")
        .providing("vmkapi_2_2_0_0")
        .excluding("misc-drivers << 5.5.0")
        .replacing("esx-tboot")
        .with_file("etc/vmware/esx.conf")
}

fn tools_light(version: &str) -> Descriptor {
    Descriptor { vib_type: VibType::Locker, ..vib(&format!("tools-light {version}")).needing("esx-base >= 5.5") }
}

fn lsi_mr3(version: &str) -> Descriptor {
    vib(&format!("lsi-mr3 {version}"))
        .needing_reboot()
        .needing("vmkapi_2_2_0_0")
        .with_file("usr/lib/vmware/vmkmod/lsi_mr3")
}

/// What the image and the bundle both have.
fn unchanged() -> Vec<Descriptor> {
    let mut drivers: Vec<_> = ["net-bnx2 2.2.3d.v55.2-1vmw.550.0.0.1331820", "sata-ahci 3.0-17vmw.550.0.0.1331820"]
        .into_iter()
        .map(|driver| vib(driver).needing_reboot().needing("vmkapi_2_2_0_0"))
        .collect();
    drivers.push(Descriptor {
        maintenance_mode: MaintenanceModeNeed { on_install: true, on_remove: true },
        ..vib("esx-dvfilter-generic-fastpath 5.5.0-0.0.1331820").needing_reboot().needing("esx-base")
    });
    drivers
}

fn update_1() -> Vec<Descriptor> {
    let changed = [
        esx_base("5.5.0-1.15.1623387"),
        tools_light("5.5.0-1.15.1623387"),
        lsi_mr3("0.255.03.01-1vmw.550.0.0.1331820"),
    ];
    changed.into_iter().chain(unchanged()).collect()
}

fn update_1a() -> Package {
    let changed = [
        esx_base("5.5.0-1.16.1746018"),
        tools_light("5.5.0-1.16.1746018"),
        lsi_mr3("0.255.03.01-2vmw.550.1.16.1746018"),
    ];
    Package::of(changed.into_iter().chain(unchanged()))
        .with_bulletin("ESXi550-201404401-SG", 18, &["esx-base 5.5.0-1.16.1746018"])
        .with_bulletin(
            "ESXi550-201404402-BG",
            18,
            &["tools-light 5.5.0-1.16.1746018", "lsi-mr3 0.255.03.01-2vmw.550.1.16.1746018"],
        )
}

#[test]
fn the_whole_bundle_brings_what_is_newer() {
    let snapshot = host_with(update_1());
    let package = update_1a();
    let candidates = Candidate::select(&snapshot.host, &package.catalogue(), None).unwrap();
    let plan = ImagePlan::install(&snapshot, &candidates, &rules()).unwrap();
    let mut skipped: Vec<_> = unchanged().iter().map(Descriptor::id).collect();
    skipped.sort();
    let of = |texts: [&str; 3]| texts.map(VibId::new).to_vec();
    assert_eq!(
        plan.outcome(),
        ImageOutcome {
            installed: of([
                "VMware_bootbank_esx-base_5.5.0-1.16.1746018",
                "VMware_bootbank_lsi-mr3_0.255.03.01-2vmw.550.1.16.1746018",
                "VMware_locker_tools-light_5.5.0-1.16.1746018",
            ]),
            removed: of([
                "VMware_bootbank_esx-base_5.5.0-1.15.1623387",
                "VMware_bootbank_lsi-mr3_0.255.03.01-1vmw.550.0.0.1331820",
                "VMware_locker_tools-light_5.5.0-1.15.1623387",
            ]),
            skipped,
            needs_reboot: true,
        }
    );
    assert_eq!(&*plan.image.profile.name, "(Updated) ESXi-5.5.0-1331820-standard");
    assert_eq!(plan.image.profile.modified_at, Some(day(30)));
    let base = plan.image.named("esx-base").unwrap();
    assert_eq!((base.version.as_str(), base.installed_at), ("5.5.0-1.16.1746018", Some(day(30))));
    assert_eq!(plan.image.named("sata-ahci").unwrap().installed_at, None, "it was there before");
    assert_eq!(plan.image.vibs.len(), snapshot.running.vibs.len());
}

#[test]
fn one_bulletin_brings_its_vibs_alone() {
    let snapshot = host_with(update_1());
    let package = update_1a();
    let bulletins = ["ESXi550-201404402-BG".to_owned()];
    let candidates = Candidate::select(&snapshot.host, &package.catalogue(), Some(&bulletins)).unwrap();
    let plan = ImagePlan::install(&snapshot, &candidates, &rules()).unwrap();
    assert_eq!(plan.outcome().skipped, []);
    assert_eq!(
        came(&plan),
        ["VMware_bootbank_lsi-mr3_0.255.03.01-2vmw.550.1.16.1746018", "VMware_locker_tools-light_5.5.0-1.16.1746018"]
            .map(VibId::new)
    );
}

#[test]
fn the_bundle_once_more_changes_nothing() {
    let mut snapshot = host_with(update_1());
    let package = update_1a();
    let candidates = Candidate::select(&snapshot.host, &package.catalogue(), None).unwrap();
    let plan = ImagePlan::install(&snapshot, &candidates, &rules()).unwrap();
    snapshot.pending = Some(Arc::clone(&plan.image));
    let again = ImagePlan::install(&snapshot, &candidates, &rules()).unwrap();
    assert!(!again.changes());
    assert!(Arc::ptr_eq(&again.image, &plan.image));
    assert_eq!(again.outcome().skipped.len(), package.vibs.len());
    assert!(!again.outcome().needs_reboot, "nothing is new that would wait for one");
}

#[test]
fn the_bundle_of_another_version_has_nothing_for_the_host() {
    let snapshot = host_with(update_1());
    let mut package = update_1a();
    for bulletin in &mut package.bulletins {
        bulletin.platforms = vec![platform("embeddedEsx 6.*")];
    }
    package.vibs.retain(|(_, vib)| package.bulletins.iter().any(|bulletin| bulletin.vibs.contains(&vib.id())));
    let error = Candidate::select(&snapshot.host, &package.catalogue(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[NoMatchError] The bundles have nothing for embeddedEsx 5.5.0: they are for embeddedEsx 6.*. Get the bundle that \
         is made for the host's version."
    );
}
