//! Jobs, and what is changed by hand on the host, are heard of.

use crate::host::Family;
use crate::support::eventually;
use crate::support::installation::job_of;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{CIM, Message, child};
use crate::walk::{Walk, identity_reference, of, selected};

on_both_families!(changes_by_hand, changes_by_jobs, static_filters, filters_of_vmware);

/// What a job did is told before its end.
fn changes_by_jobs(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let sink = Sink::new();
    let jobs = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    for (path, query) in [("/job", jobs), ("/creation", CREATED)] {
        assert_eq!(walk.client.ask(&Message::subscribe(&sink.url(path), query)).name, "SubscribeResponse");
    }
    let (uri, system) = (Walk::file_uri(walk.samples.file("alpha", "1.0-1")), walk.system());
    let job = job_of(&walk.call("InstallFromURI", &[("URI", &uri), ("Target", &system)]));
    assert_eq!(of(&walk.ended(&job), "JobState"), "7");
    let alpha = walk.nevra("alpha", "1.0-1");
    assert_eq!(walk.installed(), std::slice::from_ref(&alpha));
    heard(&sink, "/creation", &alpha);
    let ended = sink.wait_for("the job's end", PATIENCE, |events| {
        let is_end = |event: &&Event| event.path == "/job" && event.source("JobState").as_deref() == Some("7");
        events.iter().find(is_end).map(number)
    });
    let events = sink.distinct_events();
    let created: Vec<u64> = events.iter().filter(|event| event.path == "/creation").map(number).collect();
    assert!(created.len() == 1 && created[0] < ended, "{created:?} {ended}");
}

/// The place of an event in the log.
fn number(event: &Event) -> u64 {
    of(&event.indication(), "IndicationIdentifier").rsplit(':').next().unwrap().parse().unwrap()
}

const CREATED: &str = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity";
const DELETED: &str = "SELECT * FROM CIM_InstDeletion WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity";

fn changes_by_hand(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let sink = Sink::new();
    for (path, query) in [("/creation", CREATED), ("/deletion", DELETED)] {
        let reply = walk.client.ask(&Message::subscribe(&sink.url(path), query));
        assert_eq!(reply.name, "SubscribeResponse");
    }
    let [old, new] = ["1.0-1", "2.0-1"].map(|version| walk.nevra("alpha", version));
    walk.root.install_by_hand(walk.samples.file("alpha", "1.0-1"));
    heard(&sink, "/creation", &old);
    shows(&mut walk, &[&old]);
    walk.root.install_by_hand(walk.samples.file("alpha", "2.0-1"));
    heard(&sink, "/deletion", &old);
    heard(&sink, "/creation", &new);
    shows(&mut walk, &[&new]);
    walk.root.remove_by_hand("alpha");
    heard(&sink, "/deletion", &new);
    shows(&mut walk, &[]);

    // While no server is there.
    let file = walk.samples.file("gamma", "1.0-1").to_owned();
    walk.restart_after(|walk| walk.root.install_by_hand(&file));
    let gamma = walk.nevra("gamma", "1.0-1");
    heard(&sink, "/creation", &gamma);
    let told: Vec<(String, String)> = sink.distinct_events().iter().map(|e| (e.path.clone(), build(e))).collect();
    let event = |path: &str, nevra: &String| (path.to_owned(), nevra.clone());
    let of_path = |path: &str| told.iter().filter(|(of, _)| of == path).cloned().collect::<Vec<_>>();
    assert_eq!(of_path("/creation"), [&old, &new, &gamma].map(|nevra| event("/creation", nevra)));
    assert_eq!(of_path("/deletion"), [&old, &new].map(|nevra| event("/deletion", nevra)));
}

/// Waits until the sink was told of a build.
fn heard(sink: &Sink, path: &str, nevra: &str) {
    sink.wait_for(nevra, PATIENCE, |events| {
        events.iter().any(|event| event.path == path && build(event) == nevra).then_some(())
    });
}

/// The build that an event is about.
fn build(event: &Event) -> String {
    let indication = event.indication();
    let link = child(&indication, "SourceInstance").unwrap();
    assert!(of(&indication, "SourceInstanceModelPath").contains("LMI_InstalledSoftwareIdentity"));
    crate::walk::nevra_of(&selected(link, "InstanceID").unwrap())
}

/// Waits until these are the host's packages.
fn shows(walk: &mut Walk, nevras: &[&String]) {
    eventually("what was changed by hand to be shown", PATIENCE, || {
        let shown: Vec<String> =
            walk.enumerate("LMI_SoftwareIdentity", 20).iter().map(|i| of(i, "ElementName")).collect();
        shown.iter().eq(nevras.iter().copied()).then_some(())
    });
    assert!(walk.installed().iter().eq(nevras.iter().copied()));
}

const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";

/// OpenLMI's filters, subscribed to by their names, let through of real jobs what they are called after.
fn static_filters(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let sink = Sink::new();
    for kind in ["Installation", "Verification"] {
        for word in ["Created", "PercentUpdated", "Changed", "Succeeded", "Failed", "Deleted"] {
            let (name, path) = (format!("LMI:LMI_Software{kind}Job:{word}"), format!("/{kind}/{word}"));
            let subscribe = by_name(&name, &sink.url(&path));
            assert_eq!(walk.client.ask(&subscribe).name, "SubscribeResponse");
        }
    }
    let system = walk.system();
    let files = ["alpha", "broken"].map(|name| Walk::file_uri(walk.samples.file(name, "1.0-1")));
    let [good, bad] = files.map(|uri| job_of(&walk.call("InstallFromURI", &[("URI", &uri), ("Target", &system)])));
    let states = [&good, &bad].map(|job| of(&walk.ended(job), "JobState"));
    assert_eq!(states, ["7", "10"]);
    let alpha = identity_reference(&walk.nevra("alpha", "1.0-1"));
    let check = job_of(&walk.call("VerifyInstalledIdentity", &[("Source", &alpha), ("Target", &system)]));
    assert_eq!(of(&walk.ended(&check), "JobState"), "7");
    assert_eq!(walk.delete("CIM_ConcreteJob", &[("InstanceID", &good)]).status, 200);

    for (path, expected) in [
        ("/Installation/Created", &[(&good, "2"), (&bad, "2")][..]),
        ("/Installation/PercentUpdated", &[(&good, "7"), (&bad, "10")]),
        ("/Installation/Changed", &[(&good, "7"), (&bad, "10")]),
        ("/Installation/Succeeded", &[(&good, "7")]),
        ("/Installation/Failed", &[(&bad, "10")]),
        ("/Installation/Deleted", &[(&good, "7")]),
        ("/Verification/Created", &[(&check, "2")]),
        ("/Verification/PercentUpdated", &[(&check, "7")]),
        ("/Verification/Changed", &[(&check, "7")]),
        ("/Verification/Succeeded", &[(&check, "7")]),
    ] {
        for (job, state) in expected {
            sink.wait_for(&format!("{path} of {job}"), PATIENCE, |events| {
                let is_it = |event: &Event| event.path == path && said(event, "InstanceID") == **job;
                events.iter().any(|event| is_it(event) && said(event, "JobState") == *state).then_some(())
            });
        }
    }
    for event in sink.distinct_events() {
        let differs = |name: &str| event.previous(name) != event.source(name);
        let (kind, word) = event.path.trim_start_matches('/').split_once('/').unwrap();
        let indication = event.indication().name;
        let fits = match word {
            "Created" => indication == "LMI_SoftwareInstCreation",
            "Deleted" => indication == "LMI_SoftwareInstDeletion" && said(&event, "InstanceID") == good,
            "PercentUpdated" => differs("PercentComplete"),
            "Changed" => differs("JobState"),
            "Succeeded" => said(&event, "JobState") == "7",
            _ => said(&event, "JobState") == "10",
        };
        assert!(fits && said(&event, "InstanceID").contains(kind), "{event:?}");
    }
}

/// The filters that VMware's guide names (any job is made, changes, is removed) tell of this host's jobs. Its indication
/// classes can be subscribed to; this host has no jobs of the class that they tell of.
fn filters_of_vmware(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let sink = Sink::new();
    for change in ["Creation", "Modification", "Deletion"] {
        let query = format!("SELECT * from CIM_Inst{change} WHERE SourceInstance ISA CIM_ConcreteJob");
        let subscribe = Message::subscribe(&sink.url(&format!("/{change}")), &query);
        assert_eq!(walk.client.ask(&subscribe).name, "SubscribeResponse");
        let class = format!("http://schemas.vmware.com/wbem/wscim/1/cim-schema/2/VMware_ConcreteJob{change}");
        let body = format!(
            "<e:Subscribe><e:Delivery><e:NotifyTo><a:Address>{}</a:Address></e:NotifyTo></e:Delivery>\
             <e:Expires>PT1H</e:Expires></e:Subscribe>",
            sink.url("/vmware")
        );
        let subscribe = Message::action(&format!("{EVENTING}/Subscribe"), &class, &body);
        assert_eq!(walk.client.ask(&subscribe).name, "SubscribeResponse");
    }
    let (uri, system) = (Walk::file_uri(walk.samples.file("alpha", "1.0-1")), walk.system());
    let job = job_of(&walk.call("InstallFromURI", &[("URI", &uri), ("Target", &system)]));
    assert_eq!(of(&walk.ended(&job), "PercentComplete"), "100");
    assert_eq!(walk.delete("CIM_ConcreteJob", &[("InstanceID", &job)]).status, 200);
    for (path, percent) in [("/Creation", "0"), ("/Modification", "100"), ("/Deletion", "100")] {
        sink.wait_for(path, PATIENCE, |events| {
            let is_it = |event: &&Event| event.path == path && said(event, "PercentComplete") == percent;
            events.iter().find(is_it).map(|event| assert_eq!(said(event, "InstanceID"), job))
        });
    }
    assert!(!sink.events().iter().any(|event| event.path == "/vmware"));
}

/// Subscribe to a filter that is there, by its name alone.
fn by_name(name: &str, sink: &str) -> Message {
    let body = format!(
        "<e:Subscribe><e:Delivery><e:NotifyTo><a:Address>{sink}</a:Address></e:NotifyTo></e:Delivery>\
         <e:Expires>PT1H</e:Expires></e:Subscribe>"
    );
    let subscribe = Message::action(&format!("{EVENTING}/Subscribe"), &format!("{CIM}/CIM_IndicationFilter"), &body);
    subscribe.selector("Name", name).selector("__cimnamespace", "root/interop")
}

/// A property of the job that an event is about.
fn said(event: &Event, name: &str) -> String {
    event.source(name).unwrap_or_else(|| panic!("no {name}: {event:?}"))
}
