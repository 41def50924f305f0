//! Starting an update of ESXi software and monitoring it, step by step as the seeds' pages say.

use crate::client::{Administrator, NEEDS_REBOOT, SCANNING, UPDATING, of, reference};
use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::installation::job_of;
use crate::support::server::PATIENCE;
use crate::support::vib::bundle::write_folder;
use crate::support::vib::release::{GOLDEN_INSTALLED, GOLDEN_REMOVED, esxi_5_5_u1a, golden_skipped};
use crate::support::vib::{Bundle, Vib};
use crate::support::wsman::property;

/// What a polling client may see of an update: these words at these percentages, in this order.
fn assert_told(seen: &[(String, String)], last: &str) {
    let known = [("0", "Enqueued"), ("10", SCANNING)];
    for (percent, status) in seen {
        let is_known = known.contains(&(percent, status));
        let is_update = status == UPDATING && (30..100).contains(&percent.parse::<u32>().unwrap());
        assert!(is_known || is_update || (percent, status.as_str()) == (&"100".to_owned(), last), "{seen:?}");
    }
    let percents: Vec<u32> = seen.iter().map(|(percent, _)| percent.parse().unwrap()).collect();
    assert!(percents.is_sorted(), "{seen:?}");
    assert_eq!(seen.last().unwrap(), &("100".to_owned(), last.to_owned()));
}

#[test]
fn a_client_walks_from_the_profile_to_the_end_of_the_update() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let before = walker.vibs("2, 6");
    assert!(GOLDEN_REMOVED.iter().all(|vib| before.iter().any(|there| there == vib)), "{before:?}");

    // As the seeds' function does it: the list of options is empty.
    let patch = image.esxi_5_5_u1a(1000);
    let uri = format!("file://{}", patch.display());
    let job = job_of(&walker.install(&uri, &[("InstallOptions", "")]));
    let (seen, job_instance) = walker.poll(&job);
    assert_told(&seen, NEEDS_REBOOT);
    assert_eq!((property(&job_instance, "ErrorCode"), property(&job_instance, "ErrorDescription")), (None, None));
    assert_eq!((of(&job_instance, "JobState"), of(&job_instance, "HealthState")), ("7".to_owned(), "5".to_owned()));

    // What it did waits for the boot.
    assert_eq!(walker.vibs("3, 6"), GOLDEN_INSTALLED);
    assert_eq!(walker.vibs("2, 6"), GOLDEN_REMOVED);
    let mut stay = walker.vibs("2, 3, 6");
    stay.sort();
    assert_eq!(stay, golden_skipped());
    let job_reference = reference("CIM_ConcreteJob", &[("InstanceID", &job)]);
    let affected = walker.links(&job_reference, "CIM_AffectedJobElement");
    assert_eq!(affected.len(), GOLDEN_INSTALLED.len() + GOLDEN_REMOVED.len());

    // It ended: nothing about it changes any more.
    assert_eq!(walker.job(&job), job_instance);

    image.run(&["boot"], &[]);
    eventually("the new image to run", PATIENCE, || walker.vibs("3, 6").is_empty().then_some(()));
    let running = walker.vibs("2, 6");
    assert!(GOLDEN_INSTALLED.iter().all(|vib| running.iter().any(|there| there == vib)), "{running:?}");
    assert_eq!(running.len(), GOLDEN_INSTALLED.len() + golden_skipped().len());
}

#[test]
fn a_bundle_may_be_a_folder_and_what_is_there_already_changes_nothing() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let folder = image.file("Storage1");
    write_folder(&esxi_5_5_u1a(10_000).files(), &folder);
    let job = walker.launch(&folder);
    assert_told(&walker.poll(&job).0, NEEDS_REBOOT);
    let again = walker.launch(&folder);
    assert_told(&walker.poll(&again).0, "Host is not changed.");
}

#[test]
fn a_live_update_needs_no_reboot() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let tool = Vib::new("acme-tool", "1.0-1").at_level("partner");
    let id = tool.id();
    let bundle = image.bundle("acme.zip", &Bundle::of(vec![tool]));
    let job = walker.launch(&bundle);
    assert_told(&walker.poll(&job).0, "Operation finished successfully.");
    assert!(walker.vibs("2, 6").contains(&id));
}
