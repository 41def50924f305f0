//! An RPM host is scanned by the advisories of its repositories.

use crate::support::dnf::{advisories, advisory, publish};
use crate::support::installation;
use crate::support::packages::{RpmRoot, build_rpm};
use crate::support::server::{ADMIN, Host};
use crate::support::sink::Sink;
use crate::support::wsman::Message;
use crate::walk::{ASSESSMENTS, Console, associated, heard, of, reference, values};

#[test]
fn an_rpm_host_is_scanned_by_the_advisories_of_its_repositories() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let [old, new, other] = [("delta", "1.0"), ("delta", "2.0"), ("other", "2.0")]
        .map(|(name, version)| build_rpm(&dir, name, version, "1", &[]));
    root.install_by_hand(&old);
    let security = advisory("T-2024:1", "security", "Important", Some("CVE-2024-1"), &[("delta", "2.0", "1")]);
    let elsewhere = advisory("T-2024:2", "bugfix", "Low", None, &[("other", "2.0", "1")]);
    publish(&root, &[new, other], "", &advisories(&[security, elsewhere]));
    std::fs::write(root.path().join("etc/os-release"), "ID=rhel\nVERSION_ID=\"9.4\"\n").unwrap();
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "rpm"])
        .with_settings("[auth]\nhash_mebibytes = 1\n");
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    let server = host.serve();
    let mut console = Console(server.admin());
    let sink = Sink::new();
    console.0.ask(&Message::subscribe(&sink.url("/assessments"), ASSESSMENTS));

    assert_eq!(console.code("Scan", &[("MetadataURIs", "http://h/metadata.zip")]), "2");
    assert_eq!(console.code("Deploy", &[("BulletinIDs", "T-2024:1")]), "1", "packages have the installation service");
    let job = installation::job_of(&console.call("Scan", &[]));
    let job = installation::ended(&mut console.0, &job);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    assert_eq!(heard(&sink, 1), [("Scan".to_owned(), 1)]);
    let assessment = console.enumerate("QM_PatchAssessment").pop().unwrap();
    assert_eq!((of(&assessment, "Product"), of(&assessment, "ProductVersion")), ("rhel".to_owned(), "9.4".to_owned()));
    assert_eq!(of(&assessment, "MissingImportantCount"), "1");
    let statuses = console.enumerate("QM_BulletinStatus");
    let states: Vec<(String, String)> = statuses.iter().map(|s| (of(s, "BulletinID"), of(s, "State"))).collect();
    assert_eq!(states, [("T-2024:1".to_owned(), "2".to_owned()), ("T-2024:2".to_owned(), "6".to_owned())]);
    assert_eq!(values(&statuses[0], "VIBsOnHost"), ["delta-0:1.0-1.noarch"]);
    let bulletins = console.enumerate("QM_Bulletin");
    assert_eq!(values(&bulletins[0], "CVEs"), ["CVE-2024-1"]);
    let path = reference("QM_Bulletin", &[("InstanceID", &of(&bulletins[0], "InstanceID"))]);
    let packages = associated(&mut console.0, &path, "QM_BulletinComponent", "LMI_SoftwareIdentity");
    assert_eq!(packages.iter().map(|p| of(p, "ElementName")).collect::<Vec<_>>(), ["delta-0:2.0-1.noarch"]);

    root.remove_by_hand("delta");
    let job = installation::job_of(&console.call("Assess", &[]));
    installation::ended(&mut console.0, &job);
    assert_eq!(heard(&sink, 2)[1], ("Assess".to_owned(), 0));
}
