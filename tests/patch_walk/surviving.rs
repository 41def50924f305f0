//! The console goes away, the server is killed, the worker is killed: nothing is lost.

use crate::support::eventually;
use crate::support::server::{PATIENCE, kill, workers_of};
use crate::walk::{METADATA, Walk, assessed_by, heard, of, vib_path};

#[test]
fn a_scan_goes_on_when_the_console_and_the_server_go_away() {
    let mut walk = Walk::new();
    let sink = walk.subscribe();
    walk.depot.hang(METADATA);
    let url = walk.depot.url(METADATA);
    let job = walk.start("Scan", &[("MetadataURIs", &url)]);
    walk.depot.wait_until_asked(METADATA);
    walk.restart_after(|walk| walk.depot.release(METADATA));
    let job = walk.ended(&job);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), "4");
    assert_eq!(heard(&sink, 1), [("Scan".to_owned(), 4)]);
    // What was found is there after another crash, also when the job is gone.
    walk.restart_after(|_| ());
    assert_eq!(walk.enumerate("QM_BulletinStatus").len(), 4);
    assert_eq!(heard(&sink, 1), [("Scan".to_owned(), 4)], "told once");
}

#[test]
fn a_deployment_whose_worker_is_killed_is_told_and_done_again() {
    let mut walk = Walk::new();
    walk.scan();
    let before = walk.shown();
    let vib = walk.patch.vibs.iter().find(|vib| vib.name == "lsi-mr3").unwrap().clone();
    walk.depot.hang(&vib_path(&vib));
    let bulletin = ("BulletinIDs", "ESXi550-201404001");
    let job = walk.start("Deploy", &[bulletin]);
    walk.depot.wait_until_asked(&vib_path(&vib));
    let state = walk.host.state_dir().join("image");
    let workers = eventually("the worker", PATIENCE, || Some(workers_of(&state)).filter(|all| !all.is_empty()));
    workers.into_iter().for_each(kill);
    let job = walk.ended(&job);
    assert_eq!(of(&job, "JobState"), "10");
    assert!(of(&job, "ErrorDescription").contains("The image is whole"), "{job:?}");
    assert_eq!(walk.shown(), before);
    // The host looks for itself where it stands.
    assessed_by(&mut walk, "Assess");
    walk.depot.release(&vib_path(&vib));
    walk.done("Deploy", &[bulletin]);
    assert_eq!(std::fs::read_dir(state.join("spool")).unwrap().count(), 0, "what was fetched is gone");
    let fetched = |job: std::io::Result<std::fs::DirEntry>| job.unwrap().path().join("fetched");
    let left = std::fs::read_dir(state.join("jobs")).unwrap().map(fetched).filter(|folder| folder.exists());
    assert_eq!(left.count(), 0, "what the killed worker had fetched is gone too");
}

#[test]
fn a_host_that_is_booted_while_a_scan_hangs_is_assessed_afterwards() {
    let mut walk = Walk::new();
    walk.scan();
    walk.done("Deploy", &[("BulletinIDs", "ESXi550-201404001")]);
    let hanging = "/hanging.zip";
    walk.depot.put(hanging, vec![0; 1000]);
    walk.depot.hang(hanging);
    let url = walk.depot.url(hanging);
    let scan = walk.start("Scan", &[("MetadataURIs", &url)]);
    walk.depot.wait_until_asked(hanging);
    walk.boot();
    // The host knows of its boot.
    eventually("the image that was booted", PATIENCE, || {
        walk.enumerate("VMware_HypervisorSoftwareIdentity").into_iter().find(image_is_new)
    });
    walk.cancel(&scan);
    assert_eq!(of(&walk.ended(&scan), "JobState"), "8");
    let assessment = assessed_by(&mut walk, "Assess");
    assert_eq!(of(&assessment, "RebootPending"), "false");
}

/// Whether a hypervisor is the one that the patch makes.
fn image_is_new(image: &xmltree::Element) -> bool {
    crate::support::wsman::property(image, "VersionString").is_some_and(|version| version.contains("1746018"))
}

#[test]
fn a_scan_that_is_cancelled_leaves_the_one_before() {
    let mut walk = Walk::new();
    walk.scan();
    walk.depot.put(
        METADATA,
        crate::support::vib::bundle::zipped(&crate::support::vib::release::depot(5, 5, 1).metadata_files()),
    );
    walk.depot.hang(METADATA);
    walk.depot.asked();
    let url = walk.depot.url(METADATA);
    let job = walk.start("Scan", &[("MetadataURIs", &url)]);
    walk.depot.wait_until_asked(METADATA);
    walk.cancel(&job);
    assert_eq!(of(&walk.ended(&job), "JobState"), "8");
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), "4");
}

#[test]
fn an_assessment_goes_with_its_image() {
    let mut walk = Walk::new();
    walk.scan();
    let slow = "/esx/vmw/slow-metadata.zip";
    walk.depot.put(slow, walk.depot.file(METADATA).to_vec());
    walk.depot.hang(slow);
    let url = walk.depot.url(slow);
    let at_work = walk.start("Scan", &[("MetadataURIs", &url)]);
    walk.depot.wait_until_asked(slow);

    let mut walk = walk.restart_with_another_image();
    assert!(walk.assessment().is_none() && walk.enumerate("QM_Bulletin").is_empty());
    assert_eq!(walk.code("Assess", &[]), "32768", "nobody scanned this one");
    // What was found of the image before is not shown as this one's either.
    walk.depot.release(slow);
    assert_eq!(of(&walk.ended(&at_work), "JobState"), "7");
    assert!(walk.assessment().is_none());
    walk.restart_after(|_| ());
    assert!(walk.assessment().is_none());
    walk.scan();
    assert_eq!(of(&walk.assessment().unwrap(), "MissingCount"), "4");
}
