//! `lmi software show`.

use chrono::DateTime;

use crate::changes::borrowed;
use crate::host::Family;
use crate::support::wsman::{Message, property};
use crate::walk::{Follow, Walk, all_properties, identity_id, identity_reference, of, properties, uri, values};

on_both_families!(a_package, a_repository);

fn a_package(family: Family) {
    let mut walk = Walk::new(family, &[("delta", "1:1.0-2")]);
    let nevra = walk.nevra("delta", "1:1.0-2");
    let installed = walk.identity(&nevra);
    let at = DateTime::parse_from_rfc3339(&of(&installed, "InstallDate")).unwrap();
    assert_eq!(at.timestamp(), walk.root.install_time("delta"));
    let architecture = family.architecture();
    let evra = format!("1:1.0-2.{architecture}");
    for (name, value) in [
        ("InstanceID", identity_id(&nevra).as_str()),
        ("ElementName", &nevra),
        ("Name", "delta"),
        ("Epoch", "1"),
        ("Version", "1.0"),
        ("Release", "2"),
        ("Architecture", architecture),
        ("VersionString", &evra),
        ("Caption", "test package delta"),
        ("IsEntity", "true"),
    ] {
        assert_eq!(of(&installed, name), value, "{name}");
    }
    assert!(of(&installed, "Description").starts_with("It holds nothing of use."), "{installed:?}");

    let offered = walk.nevra("alpha", "2.0-1");
    let offered = walk.identity(&offered);
    assert_eq!(property(&offered, "InstallDate"), None);
    assert_eq!([of(&offered, "Caption"), of(&offered, "Version")], ["test package alpha", "2.0"]);
    assert_eq!(values(&offered, "TargetTypes"), values(&installed, "TargetTypes"));

    let object = identity_reference(&nevra);
    let from = walk.associated(Follow {
        object: &object,
        association: "LMI_ResourceForSoftwareIdentity",
        role: "ManagedElement",
        result_role: "AvailableSAP",
        result: "LMI_SoftwareIdentityResource",
    });
    assert_eq!(all_properties(&from), [properties(&walk.repository("standard"))]);

    let unknown =
        Message::get(&uri("LMI_SoftwareIdentity")).selector("InstanceID", identity_id(&walk.nevra("alpha", "9.0-1")));
    assert_eq!(walk.client.post(&unknown.envelope()).fault().0, "DestinationUnreachable");
}

fn a_repository(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let repository = walk.repository("standard");
    let id = of(&repository, "Name");
    assert_eq!(of(&repository, "ElementName"), id);
    assert_eq!(of(&repository, "InstanceID"), format!("LMI:LMI_SoftwareIdentityResource:{id}"));
    for (name, value) in [
        ("HealthState", "5"),
        ("OperationalStatus", "2"),
        ("PrimaryStatus", "1"),
        ("TransitioningToState", "12"),
        ("InfoFormat", "200"),
        ("AccessContext", "1"),
    ] {
        assert_eq!(of(&repository, name), value, "{name}");
    }
    assert_eq!(values(&repository, "AvailableRequestedStates"), ["2", "3"]);
    for time in ["TimeOfLastUpdate", "TimeOfLastStateChange"] {
        // Debian's flat archives without a Release file tell no time.
        if (family, time) != (Family::Deb, "TimeOfLastUpdate") {
            DateTime::parse_from_rfc3339(&of(&repository, time)).unwrap();
        }
    }
    let keys = walk.repository_keys("standard");
    let got = walk.get("CIM_SoftwareIdentityResource", &borrowed(&keys));
    assert_eq!(properties(&got), properties(&repository));
}
