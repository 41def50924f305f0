//! Table 3-1 of the seeds: the three queries by which a client hears of jobs instead of polling.

use crate::client::{Administrator, NEEDS_REBOOT, SCANNING, UPDATING, vib_of};
use crate::support::image::ImageFolder;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink, distinct};
use crate::support::vib::release::{GOLDEN_INSTALLED, GOLDEN_REMOVED, golden_skipped};
use crate::support::wsman::{CIM, Message, child};

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
    // Each subscription is told by itself.
    let is_removal = |event: &Event| event.path == "/deletion";
    let is_end = |event: &Event| event.path == "/modification" && event.source("JobState").as_deref() == Some("7");
    let all = |events: &[Event]| (events.iter().any(is_removal) && events.iter().any(is_end)).then_some(());
    sink.wait_for("the end and the removal of the job", PATIENCE, all);

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

#[test]
fn how_vibs_stand_is_told_by_whatever_changes_it() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let sink = Sink::new();
    for word in ["Creation", "Modification", "Deletion"] {
        let query = format!("SELECT * FROM CIM_Inst{word} WHERE SourceInstance ISA CIM_ElementSoftwareIdentity");
        let subscribe = Message::subscribe(&sink.url(&format!("/{word}")), &query);
        assert_eq!(walker.client.ask(&subscribe).name, "SubscribeResponse");
    }
    let patch = image.esxi_5_5_u1a(1000);
    let job = walker.launch(&patch);
    walker.poll(&job);
    assert_eq!(heard(&sink, "/Creation", 3), GOLDEN_INSTALLED);
    assert_eq!(heard(&sink, "/Modification", golden_skipped().len()), golden_skipped());

    // By hand, while the server only looks on.
    image.run(&["boot"], &[]);
    assert_eq!(heard(&sink, "/Deletion", 3), GOLDEN_REMOVED);
    let twice = 2 * golden_skipped().len() + GOLDEN_INSTALLED.len();
    assert_eq!(heard(&sink, "/Modification", twice).len(), golden_skipped().len() + GOLDEN_INSTALLED.len());
}

/// Waits until so many events came on a path; gives the ids of the VIBs that they are about, each once.
fn heard(sink: &Sink, path: &str, count: usize) -> Vec<String> {
    let of_path = |events: &[Event]| distinct(events).into_iter().filter(|e| e.path == path).collect::<Vec<_>>();
    let enough = |events: &[Event]| Some(of_path(events)).filter(|events| events.len() >= count);
    let events = sink.wait_for(path, PATIENCE, enough);
    assert_eq!(events.len(), count);
    let vib = |event: &Event| vib_of(child(&event.indication(), "SourceInstance").unwrap());
    let mut vibs: Vec<String> = events.iter().map(vib).collect();
    vibs.sort();
    vibs.dedup();
    vibs
}
