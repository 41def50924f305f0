//! `lmi software verify`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use xmltree::Element;

use crate::changes::borrowed;
use crate::host::{Family, sorted};
use crate::support::file_server::FileServer;
use crate::support::installation::job_of;
use crate::support::wsman::{Message, child, descendants, property, text_of};
use crate::walk::{Follow, Walk, identity_id, identity_reference, job_reference, of, reference, selected, uri, values};

const CHECK: &str = "LMI_SoftwareIdentityFileCheck";
const KEYS: [&str; 6] =
    ["Name", "CheckID", "SoftwareElementID", "SoftwareElementState", "TargetOperatingSystem", "Version"];

on_both_families!(files_are_compared_with_how_they_were_installed, what_is_not_installed_cannot_be_verified);

fn files_are_compared_with_how_they_were_installed(family: Family) {
    let mut walk = Walk::without_metadata(family, &[("alpha", "1.0-1")]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let (job, failed) = verify(&mut walk, &alpha);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    assert!(of(&job, "InstanceID").starts_with("LMI:LMI_SoftwareVerificationJob:"));
    assert_eq!(failed, []);
    assert_eq!(walk.affected(&of(&job, "InstanceID")), [format!("{alpha} 1 Verifying")]);

    // As long as it was, and not the same.
    fs::write(walk.root.file("usr/share/alpha/data"), "ALPHA 1.0-1\n").unwrap();
    fs::write(walk.root.file("etc/alpha.conf"), "kept = no, but changed\n").unwrap();
    fs::remove_file(walk.root.file("usr/share/alpha/link")).unwrap();
    let (job, failed) = verify(&mut walk, &alpha);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    let names: Vec<String> = failed.iter().map(|check| of(check, "Name")).collect();
    let [configuration, data, link] = ["/etc/alpha.conf", "/usr/share/alpha/data", "/usr/share/alpha/link"];
    assert_eq!(names, [configuration, data, link]);
    let flags = |check: &Element| values(check, "FailedFlags");
    // 3 Checksum, 0 Existence; dpkg knows neither sizes nor links.
    assert!(flags(&failed[0]).contains(&"3".to_owned()) && flags(&failed[1]).contains(&"3".to_owned()), "{failed:?}");
    assert!(!flags(&failed[1]).contains(&"1".to_owned()));
    assert_eq!(flags(&failed[2]), ["0"]);
    assert_eq!(
        failed.iter().map(|check| of(check, "ConfigurationFile")).collect::<Vec<_>>(),
        ["true", "false", "false"]
    );
    assert_eq!(failed.iter().map(|check| of(check, "FileExists")).collect::<Vec<_>>(), ["true", "true", "false"]);
    assert_ne!(of(&failed[1], "FileChecksum"), of(&failed[1], "FileChecksumOriginal"));
    let expected = [format!("{alpha} 1 Verifying")].into_iter();
    let said = "1 File did not pass the verification.";
    let expected = sorted(expected.chain([configuration, data, link].map(|file| format!("{file} {said}"))).collect());
    assert_eq!(walk.affected(&of(&job, "InstanceID")), expected);

    // What the verification found stays found; Invoke looks at the file as it is.
    assert_eq!(invoke(&mut walk, &failed[1], "Invoke"), "2");
    fs::write(walk.root.file("usr/share/alpha/data"), "alpha 1.0-1\n").unwrap();
    let times = fs::File::options().write(true).open(walk.root.file("usr/share/alpha/data")).unwrap();
    let original = property(&failed[1], "LastModificationTimeOriginal");
    if let Some(original) = original {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(original.parse().unwrap());
        times.set_modified(at).unwrap();
    }
    assert_eq!(invoke(&mut walk, &failed[1], "Invoke"), "0");
    let again = get(&mut walk, &failed[1]);
    assert_eq!(flags(&again), flags(&failed[1]));
    let object = identity_reference(&alpha);
    let now =
        walk.associated(Follow { object: &object, association: "LMI_SoftwareIdentityChecks", ..Follow::default() });
    let now = now.iter().find(|check| of(check, "Name") == data).unwrap();
    assert_eq!(flags(now), [""; 0]);
    let parameters = child(&job, "JobOutParameters").unwrap();
    assert_eq!(text_of(descendants(parameters, "__ReturnValue")[0]), "0");
    assert_eq!(selected(descendants(parameters, "Source")[0], "InstanceID"), Some(identity_id(&alpha)));
    for (check, code) in [(now, "0"), (&failed[0], "2"), (&failed[2], "2")] {
        assert_eq!(invoke(&mut walk, check, "Invoke"), code);
        assert_eq!(invoke(&mut walk, check, "InvokeOnSystem"), code);
    }

    // What was found goes with the job.
    assert_eq!(walk.enumerate(CHECK, 20).len(), 3);
    assert_eq!(walk.delete("CIM_ConcreteJob", &[("InstanceID", &of(&job, "InstanceID"))]).status, 200);
    assert!(walk.enumerate(CHECK, 20).is_empty());
    let gone = Message::get(&uri(CHECK));
    let gone = keys(&failed[0]).into_iter().fold(gone, |message, (name, value)| message.selector(name, value));
    assert_eq!(walk.client.post(&gone.envelope()).fault().0, "DestinationUnreachable");
}

/// dpkg does not know modes: the job fetches the package file from its repository, and what it found keeps them.
#[test]
fn what_a_job_fetched_to_know_is_shown_with_what_it_found() {
    let mut walk = Walk::without_metadata(Family::Deb, &[("alpha", "1.0-1")]);
    let repository = FileServer::new(&walk.root.repository("standard"));
    let source = format!("deb [trusted=yes] {} ./\n", repository.address());
    fs::write(walk.root.configuration("standard"), source).unwrap();
    walk.refresh();
    let alpha = walk.nevra("alpha", "1.0-1");
    let data = "/usr/share/alpha/data";
    fs::set_permissions(walk.root.file(data), fs::Permissions::from_mode(0o600)).unwrap();
    let (job, failed) = verify(&mut walk, &alpha);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    let [check] = failed.as_slice() else { panic!("{failed:?}") };
    // 2 Mode.
    assert_eq!((of(check, "Name").as_str(), values(check, "FailedFlags")), (data, vec!["2".to_owned()]));
    // A regular file, 0644.
    assert_eq!(property(check, "FileModeOriginal").as_deref(), Some("33188"));
    assert!(property(check, "FileSizeOriginal").is_some() && property(check, "UserIDOriginal").is_some());
    // Reached from its package, which the server knows from dpkg alone, it is as it should be for all that is known.
    let object = identity_reference(&alpha);
    let now =
        walk.associated(Follow { object: &object, association: "LMI_SoftwareIdentityChecks", ..Follow::default() });
    let now = now.iter().find(|check| of(check, "Name") == data).unwrap();
    assert_eq!((property(now, "FileModeOriginal"), values(now, "FailedFlags").len()), (None, 0));
}

fn what_is_not_installed_cannot_be_verified(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let (job, failed) = verify(&mut walk, &alpha);
    assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4106"], "{job:?}");
    assert_eq!(walk.error_of(&job).0, "6");
    assert_eq!(failed, []);
}

/// Verifies a build: the job, and the checks that it found, by name.
fn verify(walk: &mut Walk, nevra: &str) -> (Element, Vec<Element>) {
    let (source, target) = (identity_reference(nevra), walk.system());
    let job = job_of(&walk.call("VerifyInstalledIdentity", &[("Source", &source), ("Target", &target)]));
    let ended = walk.ended(&job);
    let object = job_reference(&job);
    let mut failed = walk.associated(Follow {
        object: &object,
        association: "LMI_AffectedSoftwareJobElement",
        role: "AffectingElement",
        result_role: "AffectedElement",
        result: CHECK,
    });
    failed.sort_by_key(|check| of(check, "Name"));
    (ended, failed)
}

fn keys(check: &Element) -> Vec<(&'static str, String)> {
    KEYS.iter().map(|key| (*key, of(check, key))).collect()
}

/// The reference of a check, as XML.
pub(crate) fn check_reference(check: &Element) -> String {
    reference(CHECK, &borrowed(&keys(check)))
}

fn get(walk: &mut Walk, check: &Element) -> Element {
    walk.get(CHECK, &borrowed(&keys(check)))
}

fn invoke(walk: &mut Walk, check: &Element, method: &str) -> String {
    let system = walk.system();
    let arguments = if method == "Invoke" { vec![] } else { vec![("TargetSystem", system.as_str())] };
    let message = Message::invoke(&uri(CHECK), method, &arguments);
    let message = keys(check).into_iter().fold(message, |message, (name, value)| message.selector(name, value));
    of(&walk.client.ask(&message), "ReturnValue")
}
