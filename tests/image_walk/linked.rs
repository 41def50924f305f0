//! A host whose boot banks are links to two partitions, as ESXi has them: an update waits in the other one for the host's start.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::client::{Administrator, NEEDS_REBOOT, of};
use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::server::PATIENCE;
use crate::support::vib::release::{GOLDEN_INSTALLED, GOLDEN_REMOVED};

/// Has the links of a store lead to these folders, as the start of a host does.
fn link(image: &Path, [running, other]: [&Path; 2]) {
    for (link, bank) in [("bootbank", running), ("altbootbank", other)] {
        let _ = fs::remove_file(image.join(link));
        symlink(bank, image.join(link)).unwrap();
    }
}

/// Takes the image that runs for that of a partition; the other one is empty.
fn to_partitions(image: &ImageFolder) -> [PathBuf; 2] {
    let [one, other] = ["volume-1", "volume-2"].map(|name| image.file(name));
    fs::rename(image.image().join("bootbank"), &one).unwrap();
    fs::remove_dir_all(image.image().join("altbootbank")).unwrap();
    fs::create_dir(&other).unwrap();
    link(&image.image(), [&one, &other]);
    [one, other]
}

#[test]
fn an_update_waits_in_the_other_partition_for_the_hosts_start() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let patch = image.esxi_5_5_u1a(1000);
    // ESXi has its VIBs of the locker elsewhere.
    image.run(&["remove"], &["tools-light"]);
    image.run(&["boot"], &[]);
    let [one, other] = to_partitions(&image);
    let [base, driver, tools] = GOLDEN_INSTALLED;

    let said = image.run(&["install"], &[patch.to_str().unwrap()]);
    assert!(said.starts_with(&format!("installed\t{base}\ninstalled\t{driver}\nremoved\t")), "{said}");
    assert!(said.contains("\nit runs after the next boot\n"), "{said}");
    assert!(said.contains(&format!("\nnote\tVIB {tools} is of the type locker. ")), "{said}");
    assert!(
        image
            .run(&["show"], &[])
            .contains("\nthe image that runs after the next boot:\t(Updated) ESXi-5.5.0-U1-standard")
    );
    image.run(&["roll-back"], &[]);
    let (succeeded, said) = image.try_run(&["boot"], &[]);
    assert!(!succeeded && said.contains("Boot the host instead."), "{said}");

    let mut walker = Administrator::of(&image);
    let before = walker.vibs("2, 6");
    let id = walker.launch(&patch);
    let (_, job) = walker.poll(&id);
    assert_eq!(of(&job, "JobStatus"), NEEDS_REBOOT);
    assert_eq!(walker.vibs("3, 6"), [base, driver]);
    assert_eq!(walker.vibs("2, 6"), GOLDEN_REMOVED[..2]);
    link(&image.image(), [&other, &one]);
    eventually("the new image to run", PATIENCE, || walker.vibs("3, 6").is_empty().then_some(()));
    let running = walker.vibs("2, 6");
    assert!([base, driver].iter().all(|vib| running.iter().any(|there| there == vib)), "{running:?}");
    assert_eq!(running.len(), before.len());
}
