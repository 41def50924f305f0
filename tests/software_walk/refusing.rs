//! What does not fit is answered with 2, and makes no job.

use crate::changes::{Receiver, borrowed};
use crate::host::Family;
use crate::walk::{Walk, collection_reference, identity_reference, of, reference, values};

on_both_families!(what_does_not_fit, what_would_fit, who_only_looks);

/// Arguments of a call.
type Arguments<'a> = Vec<(&'a str, &'a str)>;

fn what_does_not_fit(family: Family) {
    let mut walk = Walk::without_metadata(family, &[("alpha", "1.0-1")]);
    let source = identity_reference(&walk.nevra("alpha", "1.0-1"));
    let (source, system, collection) = (source.as_str(), walk.system(), collection_reference());
    let elsewhere =
        reference("PG_ComputerSystem", &[("CreationClassName", "PG_ComputerSystem"), ("Name", "elsewhere")]);
    let other = reference("LMI_SystemSoftwareCollection", &[("InstanceID", "LMI:Another")]);
    let no_identity = reference("LMI_SoftwareIdentity", &[("InstanceID", "PKG:alpha")]);
    let (source, target) = (("Source", source), ("Target", system.as_str()));
    let collection = ("Collection", collection.as_str());
    let receivers: Vec<Arguments<'_>> = vec![
        vec![source],
        vec![source, target, collection],
        vec![source, ("Target", &elsewhere)],
        vec![source, ("Collection", &other)],
        vec![target],
        vec![("Source", &no_identity), target],
    ];
    let mut options: Vec<Arguments<'_>> = vec![
        vec![("InstallOptions", "4"), ("InstallOptions", "5"), source, target],
        vec![("InstallOptions", "4"), ("InstallOptions", "9"), source, target],
        vec![("InstallOptions", "6"), ("InstallOptions", "9"), source, target],
        vec![("InstallOptions", "4"), ("InstallOptionsValues", "now"), source, target],
        vec![("InstallOptions", "4"), ("InstallOptionsValues", ""), ("InstallOptionsValues", ""), source, target],
        vec![("InstallOptionsValues", ""), source, target],
    ];
    for unsupported in ["2", "7", "8", "10", "11", "12", "13"] {
        options.push(vec![("InstallOptions", unsupported), source, target]);
    }
    for method in ["InstallFromSoftwareIdentity", "PlanChanges"] {
        for arguments in receivers.iter().chain(&options) {
            assert_eq!(walk.code(method, arguments), "2", "{method} {arguments:?}");
        }
    }
    for arguments in &receivers {
        assert_eq!(walk.code("CheckSoftwareIdentity", arguments), "2", "{arguments:?}");
    }
    let verifications: [Arguments<'_>; 4] =
        [vec![source], vec![target], vec![source, ("Target", &elsewhere)], vec![("Source", &no_identity), target]];
    for arguments in &verifications {
        assert_eq!(walk.code("VerifyInstalledIdentity", arguments), "2", "{arguments:?}");
    }
    let uri = ("URI", "file:///nowhere.package");
    for (arguments, code) in [
        (vec![uri], "2"),
        (vec![("URI", "gopher://localhost/alpha"), target], "2"),
        (vec![target], "2"),
        (vec![uri, target, ("InstallOptions", "9")], "2"),
        (vec![uri, target], "4107"),
    ] {
        assert_eq!(walk.code("InstallFromURI", &arguments), code, "{arguments:?}");
    }
    assert!(walk.enumerate("CIM_ConcreteJob", 20).is_empty());
}

/// A viewer may look ahead and look at files, and change nothing.
fn who_only_looks(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    walk.host.add_user("reader", "reads only", "viewer");
    walk.client_as("reader", "reads only");
    let (old, new) = (walk.nevra("alpha", "1.0-1"), walk.nevra("alpha", "3.0-1"));
    assert_eq!(walk.found(&[("Name", "alpha")]), [old.clone(), new.clone()]);
    let arguments = walk.arguments(&new, &[], Receiver::Target);
    let (source, system) = (identity_reference(&old), walk.system());
    let verification = [("Source", source.as_str()), ("Target", system.as_str())];
    for (method, arguments) in [
        ("InstallFromSoftwareIdentity", &borrowed(&arguments)[..]),
        // Both make the host's tools work.
        ("CheckSoftwareIdentity", &borrowed(&arguments)),
        ("PlanChanges", &borrowed(&arguments)),
        ("VerifyInstalledIdentity", &verification),
        ("RefreshRepositories", &[]),
        ("InstallFromURI", &[]),
    ] {
        let message = walk.message(method, arguments);
        assert_eq!(walk.client.post(&message.envelope()).fault().0, "AccessDenied", "{method}");
    }
    let ends = walk.link_ends(&old);
    assert_eq!(walk.delete("LMI_InstalledSoftwareIdentity", &borrowed(&ends)).fault().0, "AccessDenied");
    let keys = walk.repository_keys("standard");
    let put = walk.put("LMI_SoftwareIdentityResource", &borrowed(&keys), &[("EnabledState", "3")]);
    assert_eq!(put.fault().0, "AccessDenied", "{}", put.body);
    assert_eq!(walk.enumerate("CIM_ConcreteJob", 20).len(), 1, "the refreshing one");
    assert_eq!(walk.root.installed(), [old]);
}

/// CheckSoftwareIdentity tells what the change would answer, and what it would entail.
fn what_would_fit(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "2.0-1")]);
    let system = walk.system();
    for (name, version, code) in [
        ("alpha", "3.0-1", "0"),
        ("beta", "1.0-1", "0"),
        ("alpha", "2.0-1", "4099"),
        ("alpha", "1.0-1", "4099"),
        ("broken", "1.0-1", "4105"),
        ("ghost", "1.0-1", "4106"),
    ] {
        let source = identity_reference(&walk.nevra(name, version));
        let answer = walk.call("CheckSoftwareIdentity", &[("Source", &source), ("Target", &system)]);
        assert_eq!(of(&answer, "ReturnValue"), code, "{name} {version}");
        // Which of its packages will ask for a reboot, Debian does not tell beforehand.
        let is_told = code == "0" && family == Family::Rpm;
        assert_eq!(values(&answer, "InstallCharacteristics"), if is_told { vec!["7"] } else { vec![] });
    }
    let beta = walk.nevra("beta", "1.0-1");
    let arguments = walk.arguments(&beta, &[], Receiver::Collection);
    let answer = walk.call("CheckSoftwareIdentity", &borrowed(&arguments));
    // 7 No Reboot Required, 9 MAY be added to specified Collection
    let told: &[&str] = if family == Family::Rpm { &["7", "9"] } else { &["9"] };
    assert_eq!(values(&answer, "InstallCharacteristics"), told);
    let planned = walk.call("PlanChanges", &borrowed(&arguments));
    assert_eq!(values(&planned, "ReturnValue"), ["0"]);
    assert!(!of(&planned, "DownloadSize").is_empty() && !of(&planned, "DiskUsage").is_empty(), "{planned:?}");
    assert_eq!(walk.installed(), [walk.nevra("alpha", "2.0-1")]);
}
