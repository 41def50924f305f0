//! What hosts and depots hold: ESXi 5.5 U1, the patch to U1a, a component of 7.0, and a depot of any size.

use super::bulletin::{Bulletin, Profile};
use super::bundle::Bundle;
use super::package::{Platform, Vib};
use super::payload::{Payload, filler};

/// The drivers of ESXi 5.5 that the patch to U1a leaves alone.
const DRIVERS: [(&str, &str); 12] = [
    ("ata-pata-amd", "0.3.10-3vmw.550.0.0.1331820"),
    ("block-cciss", "3.6.14-10vmw.550.0.0.1331820"),
    ("ehci-ehci-hcd", "1.0-3vmw.550.0.0.1331820"),
    ("elxnet", "10.0.100.0v-1vmw.550.0.0.1331820"),
    ("ipmi-ipmi-devintf", "39.1-4vmw.550.0.0.1331820"),
    ("misc-drivers", "5.5.0-1.15.1623387"),
    ("net-bnx2", "2.2.3d.v55.2-1vmw.550.0.0.1331820"),
    ("net-e1000", "8.0.3.1-3vmw.550.0.0.1331820"),
    ("net-igb", "5.0.5.1.1-1vmw.550.1.15.1623387"),
    ("sata-ahci", "3.0-20vmw.550.1.15.1623387"),
    ("scsi-hpsa", "5.5.0-44vmw.550.0.0.1331820"),
    ("xhci-xhci", "1.0-2vmw.550.1.15.1623387"),
];

/// What the patch to U1a installs, in order.
pub const GOLDEN_INSTALLED: [&str; 3] = [
    "VMware_bootbank_esx-base_5.5.0-1.16.1746018",
    "VMware_bootbank_lsi-mr3_0.255.03.01-2vmw.550.1.16.1746018",
    "VMware_locker_tools-light_5.5.0-1.16.1746018",
];

/// What the patch to U1a removes, in order.
pub const GOLDEN_REMOVED: [&str; 3] = [
    "VMware_bootbank_esx-base_5.5.0-1.15.1623387",
    "VMware_bootbank_lsi-mr3_0.255.03.01-1vmw.550.0.0.1331820",
    "VMware_locker_tools-light_5.5.0-1.15.1623387",
];

/// What the patch to U1a skips, in order.
pub fn golden_skipped() -> Vec<String> {
    DRIVERS.iter().map(|(name, version)| format!("VMware_bootbank_{name}_{version}")).collect()
}

/// The VIBs of ESXi 5.5 U1; esx-base and tools-light bring `size` octets each.
pub fn esxi_5_5_u1(size: usize) -> Vec<Vib> {
    release("5.5.0-1.15.1623387", "0.255.03.01-1vmw.550.0.0.1331820", size)
}

/// The offline bundle ESXi550-201404001.zip: the VIBs of ESXi 5.5 U1a, three of them new.
pub fn esxi_5_5_u1a(size: usize) -> Bundle {
    let vibs = release("5.5.0-1.16.1746018", "0.255.03.01-2vmw.550.1.16.1746018", size);
    let of = |name: &str| vec![vibs.iter().find(|vib| vib.name == name).unwrap().id()];
    let all: Vec<String> = vibs.iter().map(Vib::id).collect();
    let rollup = Bulletin {
        severity: "general".to_owned(),
        category: "bugfix".to_owned(),
        urgency: "important".to_owned(),
        release_type: "rollup".to_owned(),
        ..Bulletin::new("ESXi550-201404001", "VMware ESXi 5.5 Patch Release", &all)
    };
    let bulletins = vec![
        rollup,
        Bulletin::new("ESXi550-201404401-SG", "Updates esx-base", &of("esx-base")),
        Bulletin::new("ESXi550-201404402-SG", "Updates tools-light", &of("tools-light")),
        Bulletin::new("ESXi550-201404403-SG", "Updates lsi-mr3", &of("lsi-mr3")),
    ];
    let profile = |name: &str, vibs: &[&Vib]| Profile {
        name: name.to_owned(),
        creator: "VMware, Inc.".to_owned(),
        created_at: "2014-04-19T00:00:00+00:00".to_owned(),
        profile_id: name.to_owned(),
        description: "Updates ESXi 5.5".to_owned(),
        acceptance_level: "partner".to_owned(),
        vibs: vibs.iter().map(|vib| (vib.id(), file_names(vib))).collect(),
    };
    let standard: Vec<&Vib> = vibs.iter().collect();
    let bare: Vec<&Vib> = vibs.iter().filter(|vib| vib.name != "tools-light").collect();
    let profiles =
        vec![profile("ESXi-5.5.0-20140404001-standard", &standard), profile("ESXi-5.5.0-20140404001-no-tools", &bare)];
    Bundle { metadata_name: "vmw-ESXi-5.5.0-metadata.zip".to_owned(), profiles, ..Bundle::new(bulletins, vibs) }
}

/// The payloads of a VIB, each with the name of its file in a boot bank.
fn file_names(vib: &Vib) -> Vec<(String, String)> {
    let file = |payload: &Payload| payload.vfat_name.clone().unwrap_or_else(|| format!("{}.v00", payload.name));
    vib.payloads.iter().map(|payload| (payload.name.clone(), file(payload))).collect()
}

/// The VIBs of a release with this base, in the order of their names.
fn release(base: &str, lsi: &str, size: usize) -> Vec<Vib> {
    let mut vibs = vec![esx_base(base, size), tools_light(base, size), driver("lsi-mr3", lsi)];
    vibs.extend(DRIVERS.iter().map(|(name, version)| driver(name, version)));
    vibs.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    vibs
}

fn esx_base(version: &str, size: usize) -> Vib {
    let program = filler(size, 1);
    let kernel = [b"kernel ".as_slice(), version.as_bytes()].concat();
    let mut kernel = Payload::boot("k", &kernel);
    kernel.vfat_name = Some("k.b00".to_owned());
    let system = Payload::vgz(
        "sb",
        &[("bin/hostd", &program), ("etc/vmware/release", version.as_bytes()), ("usr/lib/vmware/empty", b"")],
    );
    Vib {
        vendor: "VMware".to_owned(),
        summary: "ESXi base system".to_owned(),
        description: "Provides the base system".to_owned(),
        urls: vec![("KB".to_owned(), "http://kb.example.com/2076665".to_owned())],
        conflicts: vec!["misc-drivers << 5.5.0".to_owned()],
        replaces: vec!["esx-tboot << 5.5.0-2.0".to_owned()],
        provides: vec![
            "esx-version = 5.5.0".to_owned(),
            "vmkapi_2_2_0_0".to_owned(),
            "com.vmware.driverAPI-9.2.2.0".to_owned(),
        ],
        maintenance_mode: (true, true),
        live_install: false,
        live_remove: false,
        payloads: vec![kernel, system],
        ..Vib::new("esx-base", version)
    }
    .at_level("certified")
}

fn tools_light(version: &str, size: usize) -> Vib {
    let image = filler(size, 2);
    Vib {
        vib_type: "locker".to_owned(),
        vendor: "VMware".to_owned(),
        summary: "Tools for guests".to_owned(),
        description: "Images of the tools for guests".to_owned(),
        tags: vec!["RestrictStickyFiles".to_owned()],
        payloads: vec![Payload::tgz(
            "tools",
            &[("packages/vmtools/linux.iso", &image), ("packages/vmtools/version", version.as_bytes())],
        )],
        ..Vib::new("tools-light", version)
    }
    .at_level("certified")
}

fn driver(name: &str, version: &str) -> Vib {
    let module = format!("usr/lib/vmware/vmkmod/{name}");
    let content = format!("{name} {version}");
    Vib {
        vendor: "VMware".to_owned(),
        summary: format!("Driver {name}"),
        depends: vec!["vmkapi_2_2_0_0".to_owned()],
        tags: vec!["driver".to_owned(), "module".to_owned()],
        maintenance_mode: (true, true),
        live_install: false,
        live_remove: false,
        payloads: vec![Payload::vgz(&payload_name(name), &[(&module, content.as_bytes())])],
        ..Vib::new(name, version)
    }
    .at_level("certified")
}

/// At most eight letters, as boot banks want it.
fn payload_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
}

/// A component of 7.0: a bulletin that names it, and a partner's driver for 7.0 only, which is installed live.
pub fn component_7_0() -> Bundle {
    let vib = Vib {
        vendor: "INT".to_owned(),
        depends: vec!["esx-version >= 7.0.0".to_owned()],
        tags: vec!["driver".to_owned()],
        platforms: vec![Platform::esxi("7.*")],
        ..Vib::new("i40en", "1.10.6-1OEM.700.1.0.15843807")
    }
    .at_level("partner");
    let component =
        ["Intel-i40en", "Network driver for Intel X710", "1.10.6-1OEM.700.1.0.15843807", "1.10.6-1"].map(str::to_owned);
    let bulletin = Bulletin {
        vendor: "Intel".to_owned(),
        severity: "general".to_owned(),
        category: "enhancement".to_owned(),
        release_type: "extension".to_owned(),
        platforms: vec![Platform::esxi("7.*")],
        component: Some(component),
        ..Bulletin::new("Intel-i40en_1.10.6-1OEM.700.1.0.15843807", "i40en", &[vib.id()])
    };
    Bundle {
        vendor: "Intel".to_owned(),
        code: "INT".to_owned(),
        products: vec![Platform::esxi("7.0.0")],
        ..Bundle::new(vec![bulletin], vec![vib])
    }
}

/// A depot of so many bulletins over so many VIBs, of `size` octets each before they are compressed; the versions of
/// a VIB follow each other, and each bulletin has the next one of some VIBs.
pub fn depot(bulletins: usize, vibs: usize, size: usize) -> Bundle {
    let make = |number: usize| {
        let (name, version) = (format!("vib-{}", number / 3), format!("1.{}-1vmw.550.0.0.1331820", number % 3));
        let path = format!("usr/lib/{name}");
        let content = filler(size, number as u64 + 10);
        let payloads = vec![Payload::vgz(&format!("v{number}"), &[(&path, &content)])];
        Vib { vendor: "VMware".to_owned(), payloads, ..Vib::new(&name, &version) }.at_level("certified")
    };
    let vibs: Vec<Vib> = (0..vibs).map(make).collect();
    let make = |number: usize| {
        let ids: Vec<String> =
            (0..3).filter_map(|at| vibs.get((number * 7 + at * 3) % vibs.len().max(1)).map(Vib::id)).collect();
        Bulletin::new(&format!("ESXi550-{:09}-SG", 200_000_000 + number), "Updates some VIBs", &ids)
    };
    Bundle::new((0..bulletins).map(make).collect(), vibs)
}
