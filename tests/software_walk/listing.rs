//! `lmi software list`.

use crate::host::{Family, Root, sorted};
use crate::samples::STANDARD;
use crate::support::wsman::{descendants, property};
use crate::verifying::check_reference;
use crate::walk::{
    Follow, Walk, all_properties, identity_id, identity_reference, nevra_of, of, of_host, properties, reference,
    selected,
};

on_both_families!(packages, repositories, files);

/// More packages than fit on a page; only dpkg's database can be filled without a tool.
const FILLERS: usize = 45;

fn packages(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1"), ("delta", "1:1.0-2"), ("extra", "1.0-1")]);
    if let Root::Deb(root) = &walk.root {
        root.fill(FILLERS);
        walk.restart_after(|_| {});
    }
    let installed = walk.root.installed();
    let mut known = [installed.clone(), walk.root.offered()].concat();
    known.sort();
    known.dedup();
    let offered: Vec<String> = known.iter().filter(|nevra| !installed.contains(nevra)).cloned().collect();
    assert_eq!(offered.len(), 5, "{offered:?}");

    let system = walk.system();
    let instances = walk.associated(of_host(&system));
    assert!(instances.iter().all(|identity| property(identity, "InstallDate").is_some()));
    let listed = |instances: &[xmltree::Element]| sorted(instances.iter().map(|i| of(i, "ElementName")).collect());
    assert_eq!(listed(&instances), installed);
    assert_eq!(walk.installed(), installed);

    for at_once in [2, 20] {
        assert_eq!(listed(&walk.enumerate("CIM_SoftwareIdentity", at_once)), known);
    }
    assert_eq!(sorted(walk.found(&[("AllowDuplicates", "true")])), known);
    let older = walk.nevra("alpha", "2.0-1");
    let newest: Vec<String> = known.iter().filter(|nevra| **nevra != older).cloned().collect();
    assert_eq!(sorted(walk.found(&[])), newest);

    let collection = reference("LMI_SystemSoftwareCollection", &[("InstanceID", "LMI:LMI_SystemSoftwareCollection")]);
    let members =
        walk.names(Follow { object: &collection, association: "LMI_MemberOfSoftwareCollection", ..Follow::default() });
    let members = members.iter().map(|name| nevra_of(&selected(name, "InstanceID").unwrap()));
    assert_eq!(sorted(members.collect()), offered);
    let service = walk.service();
    let affected = walk.names(Follow {
        object: &service,
        association: "LMI_SoftwareInstallationServiceAffectsElement",
        result: "LMI_SoftwareIdentity",
        ..Follow::default()
    });
    let affected = affected.iter().map(|name| nevra_of(&selected(name, "InstanceID").unwrap()));
    assert_eq!(sorted(affected.collect()), offered);
}

/// A reply that is too large is refused, and comes whole to a client that takes it.
#[test]
fn more_than_fits_into_a_reply() {
    let mut walk = Walk::without_metadata(Family::Deb, &[("alpha", "1.0-1")]);
    if let Root::Deb(root) = &walk.root {
        root.fill(1500);
        walk.restart_after(|_| {});
    }
    let search = walk.message("FindIdentity", &[]);
    let reply = walk.client.post(&search.envelope());
    let (kind, reason) = reply.fault();
    assert_eq!(kind, "EncodingLimit", "{reason}");
    assert!(reply.body.contains("faultDetail/ServiceEnvelopeLimit"), "{}", reply.body);
    let reply = walk.client.post(&search.header("<w:MaxEnvelopeSize>100000000</w:MaxEnvelopeSize>").envelope());
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(descendants(&reply.content(), "Matches").len(), 1501);
}

fn repositories(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    let repositories = walk.enumerate("LMI_SoftwareIdentityResource", 20);
    assert_eq!(repositories.len(), 2);
    for (name, state, status, builds) in [("standard", "2", "Ready", &STANDARD[..]), ("extras", "3", "Disabled", &[])] {
        let repository = walk.repository(name);
        assert!(all_properties(&repositories).contains(&properties(&repository)));
        assert_eq!([of(&repository, "EnabledState"), of(&repository, "RequestedState")], [state, state]);
        assert_eq!(of(&repository, "StatusDescriptions"), status);
        let object = walk.repository_reference(name);
        let offered = walk.associated(Follow {
            object: &object,
            association: "LMI_ResourceForSoftwareIdentity",
            role: "AvailableSAP",
            result_role: "ManagedElement",
            result: "LMI_SoftwareIdentity",
        });
        let expected = builds.iter().map(|(name, version)| walk.nevra(name, version)).collect();
        assert_eq!(sorted(offered.iter().map(|i| of(i, "ElementName")).collect()), sorted(expected), "{name}");
    }
    let system = walk.system();
    let of_system = walk.associated(Follow {
        object: &system,
        association: "LMI_HostedSoftwareIdentityResource",
        result: "LMI_SoftwareIdentityResource",
        ..Follow::default()
    });
    assert_eq!(all_properties(&of_system), all_properties(&repositories));
}

fn files(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    let identity = identity_reference(&walk.nevra("alpha", "1.0-1"));
    let checks = walk.associated(Follow {
        object: &identity,
        association: "LMI_SoftwareIdentityChecks",
        role: "Element",
        result_role: "Check",
        result: "LMI_SoftwareIdentityFileCheck",
    });
    let told = |name: &str| {
        let check =
            checks.iter().find(|check| of(check, "Name") == name).unwrap_or_else(|| panic!("no {name}: {checks:?}"));
        assert_eq!(of(check, "FileName"), name);
        assert_eq!(property(check, "FailedFlags"), None, "{check:?}");
        (of(check, "FileType"), of(check, "ConfigurationFile"), property(check, "LinkTarget"))
    };
    let (file, folder, link) = ("1".to_owned(), "2".to_owned(), "3".to_owned());
    let [no, yes] = ["false", "true"].map(str::to_owned);
    assert_eq!(told("/usr/share/alpha/data"), (file.clone(), no.clone(), None));
    assert_eq!(told("/etc/alpha.conf"), (file, yes, None));
    assert_eq!(told("/usr/share/alpha"), (folder, no.clone(), None));
    assert_eq!(told("/usr/share/alpha/link"), (link, no, Some("data".to_owned())));

    let check = checks.iter().find(|check| of(check, "Name") == "/etc/alpha.conf").unwrap();
    let object = check_reference(check);
    let packages = walk.names(Follow {
        object: &object,
        association: "LMI_SoftwareIdentityChecks",
        role: "Check",
        ..Follow::default()
    });
    let packages: Vec<Option<String>> = packages.iter().map(|package| selected(package, "InstanceID")).collect();
    assert_eq!(packages, [Some(identity_id(&walk.nevra("alpha", "1.0-1")))]);

    let offered = identity_reference(&walk.nevra("beta", "1.0-1"));
    let none =
        walk.associated(Follow { object: &offered, association: "LMI_SoftwareIdentityChecks", ..Follow::default() });
    assert_eq!(none, [], "what is not installed has no files to look at");
}
