//! Jobs, and what is changed by hand on the host, are heard of.

use crate::host::Family;
use crate::support::eventually;
use crate::support::installation::job_of;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{CIM, Message, Reply, child, descendants, property};
use crate::walk::{Walk, identity_reference, of, reference, selected, uri};
use xmltree::Element;

on_both_families!(changes_by_hand, changes_by_jobs, static_filters, filters_of_vmware, subscriptions_by_hand);

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
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";

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

/// Who makes a destination and links it with a filter is told of jobs, also by the next server, until the link is deleted.
fn subscriptions_by_hand(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let sink = Sink::new();
    let name = "LMI:LMI_SoftwareInstallationJob:Succeeded";
    let filter = found(&mut walk, "CIM_IndicationFilter", "Name", name);
    let properties = format!("<p:Destination>{}</p:Destination><p:Name>sink</p:Name>", sink.url("/hand"));
    assert_eq!(create(&mut walk, "CIM_ListenerDestinationWSManagement", &properties).status, 200);
    let destination = found(&mut walk, "CIM_ListenerDestinationWSManagement", "Name", "sink");
    let ends = [("Filter", &filter), ("Handler", &destination)].map(|(name, end)| (name, end.reference()));
    let properties: String = ends.iter().map(|(name, path)| format!("<p:{name}>{path}</p:{name}>")).collect();
    assert_eq!(create(&mut walk, "CIM_IndicationSubscription", &properties).status, 200);
    let link = found(&mut walk, "CIM_IndicationSubscription", "SubscriptionState", "2");
    let id = of(&link.instance, "SubscriptionInfo");

    let first = install(&mut walk, "1.0-1");
    told_of(&sink, &first);
    let (code, reason) = delete(&mut walk, "CIM_ListenerDestinationWSManagement", &destination.keys).fault();
    assert!(reason.contains(&id), "{code}: {reason}");
    walk.restart_after(|_| {});
    let second = install(&mut walk, "2.0-1");
    told_of(&sink, &second);

    // A subscription of the usual kind hears when the last job is through.
    assert_eq!(walk.client.ask(&by_name(name, &sink.url("/usual"))).name, "SubscribeResponse");
    let ends: Vec<(String, String)> = ends
        .iter()
        .map(|(name, path)| ((*name).to_owned(), format!("<a:EndpointReference>{path}</a:EndpointReference>")))
        .collect();
    assert_eq!(delete(&mut walk, "CIM_IndicationSubscription", &ends).status, 200);
    assert_eq!(delete(&mut walk, "CIM_ListenerDestinationWSManagement", &destination.keys).status, 200);
    let third = install(&mut walk, "3.0-1");
    sink.wait_for("the usual subscription", PATIENCE, |events| {
        events.iter().any(|event| event.path == "/usual" && said(event, "InstanceID") == third).then_some(())
    });
    let told = sink.distinct_events().into_iter().filter(|event| event.path == "/hand");
    assert_eq!(told.map(|event| said(&event, "InstanceID")).collect::<Vec<_>>(), [first, second]);
}

/// An instance of root/interop.
struct Known {
    class: &'static str,
    instance: Element,
    keys: Vec<(String, String)>,
}

impl Known {
    /// Its reference, as XML.
    fn reference(&self) -> String {
        let keys: Vec<(&str, &str)> = self.keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        reference(self.class, &[&keys[..], &[("__cimnamespace", "root/interop")]].concat())
    }
}

/// The instance that has this value.
fn found(walk: &mut Walk, class: &'static str, name: &str, value: &str) -> Known {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements>";
    let request = Message::enumerate(&uri(class), options).selector("__cimnamespace", "root/interop");
    let page = walk.client.ask(&request);
    let instance = descendants(&page, class).into_iter().find(|instance| of(instance, name) == value);
    let instance = instance.unwrap_or_else(|| panic!("no {class} with {name} {value}: {page:?}")).clone();
    let names = ["SystemCreationClassName", "SystemName", "CreationClassName", "Name"];
    let keys = names.iter().filter_map(|key| Some(((*key).to_owned(), property(&instance, key)?)));
    Known { class, keys: keys.collect(), instance }
}

fn create(walk: &mut Walk, class: &str, properties: &str) -> Reply {
    let body = format!("<p:{class} xmlns:p=\"{}\">{properties}</p:{class}>", uri(class));
    transfer(walk, "Create", class, &body, &[])
}

fn delete(walk: &mut Walk, class: &str, keys: &[(String, String)]) -> Reply {
    transfer(walk, "Delete", class, "", keys)
}

fn transfer(walk: &mut Walk, action: &str, class: &str, body: &str, keys: &[(String, String)]) -> Reply {
    let message = Message::action(&format!("{TRANSFER}/{action}"), &uri(class), body);
    let message = message.selector("__cimnamespace", "root/interop");
    let message = keys.iter().fold(message, |message, (name, value)| message.selector(name, value.as_str()));
    walk.client.post(&message.envelope())
}

/// Installs a build of alpha; gives the job.
fn install(walk: &mut Walk, version: &str) -> String {
    let (uri, system) = (Walk::file_uri(walk.samples.file("alpha", version)), walk.system());
    let options = [("InstallOptions", "5"), ("InstallOptionsValues", "")];
    let options: &[(&str, &str)] = if version == "1.0-1" { &[] } else { &options };
    let job = job_of(&walk.call("InstallFromURI", &[&[("URI", &*uri), ("Target", &*system)], options].concat()));
    assert_eq!(of(&walk.ended(&job), "JobState"), "7");
    job
}

fn told_of(sink: &Sink, job: &str) {
    sink.wait_for(job, PATIENCE, |events| {
        events.iter().any(|event| event.path == "/hand" && said(event, "InstanceID") == job).then_some(())
    });
}
