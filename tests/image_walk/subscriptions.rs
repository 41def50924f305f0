//! Table 3-1 of the seeds: the three queries by which a client hears of jobs instead of polling.

use crate::client::{Administrator, NEEDS_REBOOT, SCANNING, UPDATING};
use crate::support::image::ImageFolder;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{CIM, Message};

const TABLE_3_1: [(&str, &str); 3] = [
    ("/creation", "SELECT * from CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob"),
    ("/modification", "SELECT * from CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob"),
    ("/deletion", "SELECT * from CIM_InstDeletion WHERE SourceInstance ISA CIM_ConcreteJob"),
];

#[test]
fn every_change_of_a_job_is_told_to_who_asks_as_table_3_1_has_it() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let sink = Sink::new();
    for (path, query) in TABLE_3_1 {
        assert_eq!(walker.client.ask(&Message::subscribe(&sink.url(path), query)).name, "SubscribeResponse");
    }
    let patch = image.esxi_5_5_u1a(1000);
    let job = walker.launch(&patch);
    walker.poll(&job);
    let delete = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
    let removal = Message::action(delete, &format!("{CIM}/CIM_ConcreteJob"), "").selector("InstanceID", &*job);
    walker.client.ask(&removal);
    let gone = |events: &[Event]| events.iter().any(|event| event.path == "/deletion").then_some(());
    sink.wait_for("the removal of the job", PATIENCE, gone);

    let events = sink.distinct_events();
    let of = |path: &str| events.iter().filter(|event| event.path == path).cloned().collect::<Vec<_>>();
    let classes = |path: &str| {
        let mut names: Vec<String> = of(path).iter().map(|event| event.indication().name).collect();
        names.dedup();
        names
    };
    assert_eq!(classes("/creation"), ["VMware_ConcreteJobCreation"]);
    assert_eq!(classes("/modification"), ["VMware_ConcreteJobModification"]);
    assert_eq!(classes("/deletion"), ["VMware_ConcreteJobDeletion"]);
    assert_eq!((of("/creation").len(), of("/deletion").len()), (1, 1));
    assert!(events.iter().all(|event| event.source("InstanceID").as_ref() == Some(&job)));

    // Each says what was before it; together they are the whole course of the job, none of which polling is sure to see.
    let changes = of("/modification");
    for (earlier, later) in changes.iter().zip(changes.iter().skip(1)) {
        assert_eq!(earlier.source("JobStatus"), later.previous("JobStatus"));
        assert_eq!(earlier.source("PercentComplete"), later.previous("PercentComplete"));
    }
    let told: Vec<String> = changes.iter().map(|event| event.source("JobStatus").unwrap()).collect();
    let place = |words: &str| told.iter().position(|status| status == words);
    assert!(place(SCANNING) < place(UPDATING) && place(SCANNING).is_some(), "{told:?}");
    assert_eq!(told.last().unwrap(), NEEDS_REBOOT);
    let percent = |words: &str| changes[place(words).unwrap()].source("PercentComplete").unwrap().parse().unwrap();
    // What only the percentage of a step tells may be told together with what follows it at once.
    let (scanning, updating): (u8, u8) = (percent(SCANNING), percent(UPDATING));
    assert!(scanning == 10 && (30..100).contains(&updating), "{scanning} {updating}");
}
