//! Installing and removing by making and deleting the link between software and the host.

use crate::changes::borrowed;
use crate::host::Family;
use crate::support::eventually;
use crate::support::server::PATIENCE;
use crate::support::wsman::property;
use crate::walk::{Follow, Walk, identity_reference, of, reference, selected};

const LINK: &str = "LMI_InstalledSoftwareIdentity";

on_both_families!(links_are_made_and_deleted, whoever_waits_too_short_is_told_of_the_job);

fn links_are_made_and_deleted(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map(|name| walk.nevra(name, "1.0-1"));
    for nevra in [&alpha, &beta] {
        let ends = walk.link_ends(nevra);
        let made = walk.create(LINK, &borrowed(&ends), "");
        assert_eq!(made.status, 200, "{}", made.body);
        let made = made.content();
        assert_eq!(made.name, "ResourceCreated");
        assert!(selected(&made, "InstanceID").unwrap().ends_with(nevra.as_str()), "{made:?}");
        let link = walk.get(LINK, &borrowed(&ends));
        assert_eq!(selected(&link, "InstanceID"), selected(&made, "InstanceID"));
    }
    assert_eq!(walk.root.installed(), [&alpha, &beta, &gamma].map(String::as_str));

    let ends = walk.link_ends(&alpha);
    let again = walk.create(LINK, &borrowed(&ends), "");
    assert_eq!(again.fault().0, "AlreadyExists", "{}", again.body);
    let ghost = walk.nevra("ghost", "1.0-1");
    let unknown = walk.create(LINK, &borrowed(&walk.link_ends(&ghost)), "");
    assert_eq!(unknown.fault().0, "DestinationUnreachable", "{}", unknown.body);
    let broken = walk.nevra("broken", "1.0-1");
    let ends = walk.link_ends(&broken);
    let impossible = walk.create(LINK, &borrowed(&ends), "");
    let (_, reason) = impossible.fault();
    assert!(reason.contains("nowhere-to-be-found"), "{reason}");
    let elsewhere =
        reference("PG_ComputerSystem", &[("CreationClassName", "PG_ComputerSystem"), ("Name", "elsewhere")]);
    let foreign = walk.create(LINK, &[("InstalledSoftware", &identity_reference(&alpha)), ("System", &elsewhere)], "");
    assert_eq!(foreign.fault().0, "DestinationUnreachable", "{}", foreign.body);
    let half = walk.create(LINK, &[("InstalledSoftware", &identity_reference(&alpha))], "");
    assert_eq!(half.fault().0, "InvalidRepresentation", "{}", half.body);

    // As OpenLMI's client removes: all links of the identity.
    let object = identity_reference(&alpha);
    let links = walk.links(Follow { object: &object, result: LINK, ..Follow::default() });
    assert_eq!(links.len(), 1);
    let ends = walk.link_ends(&alpha);
    let deleted = walk.delete(LINK, &borrowed(&ends));
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    assert_eq!(walk.root.installed(), [&beta, &gamma].map(String::as_str));
    assert_eq!(walk.installed(), walk.root.installed());
    let again = walk.delete(LINK, &borrowed(&ends));
    assert_eq!(again.fault().0, "DestinationUnreachable", "{}", again.body);
    let needed = walk.delete(LINK, &borrowed(&walk.link_ends(&gamma)));
    let (_, reason) = needed.fault();
    assert!(reason.contains("beta"), "{reason}");
    assert_eq!(walk.root.installed(), [&beta, &gamma].map(String::as_str));

    let jobs = walk.enumerate("CIM_ConcreteJob", 20);
    let methods: Vec<String> = jobs.iter().map(|job| of(job, "MethodName")).collect();
    assert_eq!(
        methods,
        [
            "RefreshRepositories",
            "CreateInstance",
            "CreateInstance",
            "CreateInstance",
            "DeleteInstance",
            "DeleteInstance"
        ]
    );
    assert!(jobs.iter().skip(1).all(|job| property(job, "JobInParameters").is_none()));
}

fn whoever_waits_too_short_is_told_of_the_job(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let ends = walk.link_ends(&walk.nevra("alpha", "1.0-1"));
    let soon = "<w:OperationTimeout>PT0.5S</w:OperationTimeout>";
    for (operation, left) in [("CreateInstance", 1), ("DeleteInstance", 0)] {
        let lock = walk.root.lock();
        let late = match operation {
            "CreateInstance" => walk.create(LINK, &borrowed(&ends), soon),
            _ => walk.delete_with(LINK, &borrowed(&ends), soon),
        };
        let (kind, reason) = late.fault();
        assert_eq!(kind, "TimedOut", "{reason}");
        let jobs = walk.enumerate("CIM_ConcreteJob", 20);
        let job = of(jobs.last().unwrap(), "InstanceID");
        assert!(reason.contains(&job), "{reason}");
        drop(lock);
        let job = walk.ended(&job);
        assert_eq!([of(&job, "JobState").as_str(), &of(&job, "MethodName")], ["7", operation], "{job:?}");
        eventually("the link is there, or gone", PATIENCE, || (walk.installed().len() == left).then_some(()));
        assert_eq!(walk.root.installed().len(), left);
    }
}
