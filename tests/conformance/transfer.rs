//! Clause 7: transfer of whole instances (7.3 to 7.6).

use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::answer::{Answer, child, is, properties};
use crate::peer::{Endpoint, Peer};
use crate::rule::rules;
use crate::service::Own;
use crate::subscription::NEW_JOBS;
use crate::support::wsman::{CIM, Message, property, without};

rules! {
    r7_3_1 "Get is supported": holds(an_instance_is_got);
    r7_3_2 "Get changes nothing": holds(getting_changes_nothing);
    r7_3_3 "what cannot be got because of locks is wsman:Concurrency": not_applicable("reading waits for no lock");
    r7_4_1 "Put may be supported": holds_here(put_changes_an_instance);
    r7_4_2 "what can be updated can be updated by Put": holds_here(put_changes_an_instance);
    r7_4_3 "Put passes read-only values over, and needs a writable one": holds_here(read_only_values_are_passed_over);
    r7_4_4 "Put takes the EPR that Get takes": holds_here(put_changes_an_instance);
    r7_4_5 "a wrong representation is wxf:InvalidRepresentation with a detail": holds_here(wrong_representations_are_refused);
    r7_4_6 "what cannot be put because of locks is wsman:Concurrency":
        not_applicable("what can be put can be put at any time");
    r7_4_7 "Put may change the EPR": holds_here(keys_do_not_change);
    r7_4_8 "Put returns the new representation": holds_here(put_changes_an_instance);
    r7_4_9 "a Put that cannot be reported is wsman:EncodingLimit": holds_here(a_put_that_cannot_be_reported_says_so);
    r7_4_10 "Put changes all values or faults": holds_here(one_wrong_value_spoils_a_put);
    r7_5_1 "Delete may be supported": holds_here(delete_removes_an_instance);
    r7_5_2 "Delete takes the EPR that Get takes": holds_here(delete_removes_an_instance);
    r7_5_3 "what can be deleted can be deleted by Delete": holds_here(delete_removes_an_instance);
    r7_5_4 "what cannot be deleted because of locks is wsman:Concurrency": holds_here(a_running_job_is_not_deleted);
    r7_6_1 "Create may be supported": holds_here(create_makes_an_instance);
    r7_6_2 "what can be created can be created by Create": holds_here(create_makes_an_instance);
    r7_6_3 "a wrong representation is wxf:InvalidRepresentation with a detail": holds_here(wrong_instances_are_not_made);
    r7_6_4 "Create updates nothing": holds_here(create_leaves_alone_what_is_there);
    r7_6_5 "Create returns the new EPR": holds_here(create_makes_an_instance);
    r7_6_6 "Create returns no representation": holds_here(create_makes_an_instance);
    r7_6_7 "Create may pass read-only values over": holds_here(what_a_client_cannot_set_is_refused);
    r7_6_8 "a Create that cannot be reported is wsman:EncodingLimit": holds_here(a_create_that_cannot_be_reported_says_so);
}

fn an_instance_is_got(peer: &mut Peer) {
    let answer = peer.send(&peer.get());
    assert!(!properties(&answer.succeeds()).is_empty());
}

fn getting_changes_nothing(peer: &mut Peer) {
    let before = peer.send(&peer.get()).succeeds();
    assert_eq!(peer.send(&peer.get()).succeeds(), before);
}

/// The body of a Put that gives a job these properties.
fn job(values: &[(&str, &str)]) -> String {
    let values: String = values.iter().map(|(name, value)| format!("<p:{name}>{value}</p:{name}>")).collect();
    format!("<p:CIM_ConcreteJob xmlns:p=\"{CIM}/CIM_ConcreteJob\">{values}</p:CIM_ConcreteJob>")
}

fn put(peer: &mut Peer, own: &Own, id: &str, body: &str) -> Answer {
    peer.send(&own.about_job(peer, "Put", id, body))
}

/// Several rules are tested on one job at the same time; who compares or sends back all of it has it alone.
fn alone_with_the_job() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put_changes_an_instance(peer: &mut Peer, own: &Own) {
    let _alone = alone_with_the_job();
    let id = own.ended_job();
    let get = own.about_job(peer, "Get", id, "");
    let before: u32 = property(&peer.send(&get).succeeds(), "Priority").unwrap_or_default().parse().unwrap_or_default();
    let after = (before + 1).to_string();
    let put = put(peer, own, id, &job(&[("Priority", &after)])).succeeds();
    assert_eq!(property(&put, "Priority").as_ref(), Some(&after), "Put shows what it did");
    assert_eq!(property(&peer.send(&get).succeeds(), "Priority"), Some(after));
}

fn read_only_values_are_passed_over(peer: &mut Peer, own: &Own) {
    let _alone = alone_with_the_job();
    let id = own.ended_job();
    let answer = peer.send(&own.about_job(peer, "Get", id, ""));
    let name = property(&answer.succeeds(), "Name").unwrap();
    let other = answer.body_xml().replace(&format!(":Name>{name}<"), ":Name>another<");
    assert_ne!(other, answer.body_xml());
    let put = put(peer, own, id, &other).succeeds();
    assert_eq!(property(&put, "Name"), Some(name));
    let package = peer.send(&peer.get()).body_xml();
    let action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put".to_owned();
    let unchangeable = Message { action, body: package, ..peer.get() };
    peer.send(&unchangeable).refuses("wsa:ActionNotSupported", "ActionMismatch").names("LMI_SoftwareIdentity");
}

fn wrong_representations_are_refused(peer: &mut Peer, own: &Own) {
    let unicorn = format!("<p:CIM_Unicorn xmlns:p=\"{CIM}/CIM_Unicorn\"/>");
    for (body, detail, word) in [
        (job(&[("Priority", "high")]), "InvalidValues", "Priority"),
        (job(&[("Colour", "red")]), "InvalidValues", "Colour"),
        (job(&[("Priority", "1"), ("Priority", "2")]), "InvalidValues", "Priority"),
        (String::new(), "MissingValues", "body"),
        (unicorn, "InvalidNamespace", "CIM_Unicorn"),
    ] {
        put(peer, own, own.ended_job(), &body).refuses("wxf:InvalidRepresentation", detail).names(word);
    }
}

fn keys_do_not_change(peer: &mut Peer, own: &Own) {
    let body = job(&[("InstanceID", "LMI:LMI_SoftwareInstallationJob:0")]);
    let answer = put(peer, own, own.ended_job(), &body);
    answer.refuses("wxf:InvalidRepresentation", "InvalidValues").names("InstanceID");
}

/// A request whose reply is made large, and the limit that it does not fit.
pub(crate) fn too_tight(message: &Message) -> String {
    let parameter = format!("<x xmlns=\"urn:example:header\">{}</x>", "p".repeat(8000));
    let limited = message.clone().header("<w:MaxEnvelopeSize s:mustUnderstand=\"true\">8192</w:MaxEnvelopeSize>");
    replying_to(&limited, &parameter)
}

/// A request with reference parameters in its ReplyTo.
pub(crate) fn replying_to(message: &Message, parameters: &str) -> String {
    let address = crate::support::wsman::ANONYMOUS;
    let reply_to = format!(
        "<a:ReplyTo><a:Address>{address}</a:Address><a:ReferenceParameters>{parameters}</a:ReferenceParameters></a:ReplyTo>"
    );
    without(&message.envelope(), "a:ReplyTo").replace("</s:Header>", &format!("{reply_to}</s:Header>"))
}

fn a_put_that_cannot_be_reported_says_so(peer: &mut Peer, own: &Own) {
    let _alone = alone_with_the_job();
    let id = own.ended_job();
    let put = own.about_job(peer, "Put", id, &job(&[("TimeBeforeRemoval", "PT55M")]));
    peer.send_text(&too_tight(&put)).refuses("wsman:EncodingLimit", "UnreportableSuccess");
    let got = peer.send(&own.about_job(peer, "Get", id, "")).succeeds();
    assert_eq!(property(&got, "TimeBeforeRemoval").as_deref(), Some("PT55M"), "it was done");
}

fn one_wrong_value_spoils_a_put(peer: &mut Peer, own: &Own) {
    let id = own.ended_job();
    let body = job(&[("DeleteOnCompletion", "false"), ("Priority", "high")]);
    put(peer, own, id, &body).refuses("wxf:InvalidRepresentation", "InvalidValues");
    let got = peer.send(&own.about_job(peer, "Get", id, "")).succeeds();
    assert_eq!(property(&got, "DeleteOnCompletion").as_deref(), Some("true"));
}

fn delete_removes_an_instance(peer: &mut Peer, _: &Own) {
    let created = peer.send(&create_filter(peer, &new_name())).succeeds();
    let get = peer.get_at(&Endpoint::read(&created));
    peer.send(&get).succeeds();
    let delete = Message { action: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete".to_owned(), ..get.clone() };
    let answer = peer.send(&delete);
    assert!(is(&answer.succeeds(), "s:Body"), "Delete returns nothing: {answer:?}");
    peer.send(&get).refuses("wsa:DestinationUnreachable", "");
    peer.send(&delete).refuses("wsa:DestinationUnreachable", "");
}

fn a_running_job_is_not_deleted(_: &mut Peer, own: &Own) {
    own.delete_of_a_running_job().refuses("wsman:Concurrency", "").names("not ended");
}

/// A name that no filter has.
pub(crate) fn new_name() -> String {
    Uuid::new_v4().to_string()
}

/// Create of an indication filter with these properties.
fn create(peer: &Peer, values: &[(&str, &str)]) -> Message {
    let class = format!("{CIM}/CIM_IndicationFilter");
    let values: String = values.iter().map(|(name, value)| format!("<p:{name}>{value}</p:{name}>")).collect();
    let body = format!("<p:CIM_IndicationFilter xmlns:p=\"{class}\">{values}</p:CIM_IndicationFilter>");
    let create = Message::action("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", &class, &body);
    peer.to(create.selector("__cimnamespace", "root/interop"))
}

/// Create of an indication filter of this name.
pub(crate) fn create_filter(peer: &Peer, name: &str) -> Message {
    create(peer, &[("Name", name), ("Query", NEW_JOBS), ("QueryLanguage", "DMTF:CQL")])
}

fn create_makes_an_instance(peer: &mut Peer, _: &Own) {
    let answer = peer.send(&create_filter(peer, &new_name()));
    let created = answer.succeeds();
    assert!(is(&created, "wxf:ResourceCreated"), "{created:?}");
    assert!(child(&created, "wsa:Address").is_some() && created.children.len() == 2, "{created:?}");
    assert_eq!(child(&answer.envelope(), "s:Body").unwrap().children.len(), 1);
    let get = peer.get_at(&Endpoint::read(&created));
    assert_eq!(property(&peer.send(&get).succeeds(), "Query").as_deref(), Some(NEW_JOBS));
}

fn wrong_instances_are_not_made(peer: &mut Peer, _: &Own) {
    let language = ("QueryLanguage", "DMTF:CQL");
    for (values, detail, word) in [
        (&[("Query", NEW_JOBS), ("QueryLanguage", "Latin")][..], "InvalidValues", "Latin"),
        (&[("Query", "SELECT * FROM CIM_Unicorn"), language], "InvalidValues", "CIM_Unicorn"),
        (&[("Query", NEW_JOBS), language, ("Colour", "red")], "InvalidValues", "Colour"),
        (&[language], "MissingValues", "Query"),
    ] {
        peer.send(&create(peer, values)).refuses("wxf:InvalidRepresentation", detail).names(word);
    }
    let other = create_filter(peer, "a unicorn");
    let other = Message { body: other.body.replace("CIM_IndicationFilter", "CIM_Unicorn"), ..other };
    peer.send(&other).refuses("wxf:InvalidRepresentation", "InvalidNamespace").names("CIM_Unicorn");
}

fn create_leaves_alone_what_is_there(peer: &mut Peer, _: &Own) {
    let name = &new_name();
    let first = peer.send(&create_filter(peer, name)).succeeds();
    let query = "SELECT * FROM CIM_InstDeletion";
    let again = create(peer, &[("Name", name), ("Query", query), ("QueryLanguage", "DMTF:CQL")]);
    peer.send(&again).refuses("wsman:AlreadyExists", "").names("already");
    let get = peer.get_at(&Endpoint::read(&first));
    assert_eq!(property(&peer.send(&get).succeeds(), "Query").as_deref(), Some(NEW_JOBS));
}

fn what_a_client_cannot_set_is_refused(peer: &mut Peer, _: &Own) {
    let values = [("Query", NEW_JOBS), ("QueryLanguage", "DMTF:CQL"), ("Caption", "mine")];
    peer.send(&create(peer, &values)).refuses("wxf:InvalidRepresentation", "InvalidValues").names("Caption");
}

fn a_create_that_cannot_be_reported_says_so(peer: &mut Peer, _: &Own) {
    let name = &new_name();
    peer.send_text(&too_tight(&create_filter(peer, name))).refuses("wsman:EncodingLimit", "UnreportableSuccess");
    peer.send(&create_filter(peer, name)).refuses("wsman:AlreadyExists", "");
}
