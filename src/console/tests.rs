//! Sessions with hosts that answer as the tests want it, also as no host should.

use std::sync::Mutex;
use std::time::Duration;

use super::software::{Managed, Service};
use super::*;
use crate::client::sink::{Received, Reply, Sink};
use crate::client::{Login, Scheme};
use crate::soap::{EndpointReference, Envelope, Fault, FaultKind, Message, Outgoing};
use crate::wire::names::{ENUMERATION_PREFIXES, WSA, action};
use crate::wire::{Filter, Page, PlainValue, SelectorSet, SelectorValue};
use crate::xml::Limits;

fn on<T>(sink: &Sink, work: impl AsyncFnOnce(&Session) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = SessionSettings {
            login: Some(Login::new(Scheme::Basic, "ann", "hidden".to_owned()).unwrap()),
            tickets: false,
            identity: None,
            trust: Trust::Remembered(KnownHosts::new("/no/such/file")),
            patience: Duration::from_secs(20),
            connect: Duration::from_secs(20),
        };
        let endpoint = Endpoint::parse(&sink.url()).unwrap();
        let session = Session::open(endpoint, settings, &|_| panic!("nobody is asked without TLS")).await.unwrap();
        work(&session).await
    })
}

fn resource() -> Resource {
    Resource::class("CIM_Thing", None).unwrap()
}

/// A page with things of these names.
fn page(kind: fn(&mut crate::xml::Writer) -> Page, names: &[&str], context: Option<&str>) -> Reply {
    let mut message = Message::new(ENUMERATION_PREFIXES, &Outgoing::new(action::PULL_RESPONSE), usize::MAX);
    let mut page = kind(message.body());
    for name in names {
        page.item(message.body(), |w| {
            w.start("p:CIM_Thing").attribute("xmlns:p", "urn:thing").leaf("p:Name", name).end("p:CIM_Thing");
        });
    }
    page.close(message.body(), context, None);
    Reply::Answer(200, String::from_utf8(message.finish()).unwrap())
}

fn asked(message: &Received) -> Envelope {
    Envelope::read(&message.body, &Limits::default()).unwrap()
}

fn action_of(message: &Received) -> String {
    asked(message).action().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// A host that has five things and shows two at a time.
fn host_of_five() -> Sink {
    let pages = Mutex::new(0);
    Sink::http(move |message| match action_of(message).as_str() {
        "Release" => Reply::Answer(
            200,
            String::from_utf8(
                Message::new(ENUMERATION_PREFIXES, &Outgoing::new(action::RELEASE_RESPONSE), usize::MAX).finish(),
            )
            .unwrap(),
        ),
        _ => {
            let mut next = pages.lock().unwrap();
            *next += 1;
            match *next {
                1 => page(|w| Page::enumerate(w, true), &["a", "b"], Some("first")),
                2 => page(Page::pull, &["c", "d"], Some("second")),
                _ => page(Page::pull, &["e"], None),
            }
        }
    })
}

fn names(found: &Found) -> Vec<&str> {
    found.items.iter().map(|item| item.instance.as_ref().unwrap().text("Name").unwrap()).collect()
}

#[test]
fn pages_are_pulled_until_the_end() {
    let sink = host_of_five();
    let found = on(&sink, async |session| session.enumerate(&resource(), &Enumeration::default()).await.unwrap());
    assert_eq!((names(&found), found.has_more), (vec!["a", "b", "c", "d", "e"], false));
    let messages = sink.rest();
    assert_eq!(messages.iter().map(action_of).collect::<Vec<_>>(), ["Enumerate", "Pull", "Pull"]);
    assert!(messages.iter().all(|message| message.header("authorization").is_some()));
    assert!(messages[2].body.contains("second"));
}

#[test]
fn who_wants_no_more_releases_the_rest() {
    let sink = host_of_five();
    let wanted = Enumeration { most: Some(3), ..Enumeration::default() };
    let found = on(&sink, async |session| session.enumerate(&resource(), &wanted).await.unwrap());
    assert_eq!((names(&found), found.has_more), (vec!["a", "b", "c"], true));
    assert_eq!(sink.rest().iter().map(action_of).collect::<Vec<_>>(), ["Enumerate", "Pull", "Release"]);
}

#[test]
fn queries_are_asked_of_all_classes() {
    let sink = Sink::http(|_| page(|w| Page::enumerate(w, true), &[], None));
    let wanted = Enumeration { filter: Some(Filter::wql("SELECT * FROM CIM_Thing")), ..Enumeration::default() };
    let found = on(&sink, async |session| session.enumerate(&resource(), &wanted).await.unwrap());
    assert!(found.items.is_empty() && sink.next().body.contains("cim-schema/2/*<"));
}

#[test]
fn faults_are_told_with_their_names_and_sentences() {
    let sink = Sink::http(|message| {
        let fault = Fault::new(FaultKind::AccessDenied, "ask your operator");
        Reply::Answer(500, String::from_utf8(fault.to_message(&asked(message).addressing)).unwrap())
    });
    let error = on(&sink, async |session| session.get(&resource()).await.unwrap_err());
    assert_eq!(error.to_string(), "the host answers wsman:AccessDenied: ask your operator");
    assert!(!error.is_no_way_there());
}

#[test]
fn what_is_no_service_is_said() {
    for (status, body, why) in [
        (404, "<html><body>Not here</body></html>", "HTTP 404 and no SOAP message"),
        (200, "", "the body is empty"),
        (200, "<s:Envelope", "no SOAP message"),
        (500, "\u{0}\u{1}", "no SOAP message"),
    ] {
        let sink = Sink::http(move |_| Reply::Answer(status, body.to_owned()));
        let error = on(&sink, async |session| session.get(&resource()).await.unwrap_err()).to_string();
        assert!(error.contains(why) && error.ends_with("is it a WS-Management service?"), "{error}");
    }
}

#[test]
fn who_does_not_let_us_in_is_no_way_there() {
    let sink = Sink::http(|_| Reply::challenge("Basic realm=\"host\""));
    let error = on(&sink, async |session| session.get(&resource()).await.unwrap_err());
    assert!(matches!(error, ConsoleError::Login(_)) && error.is_no_way_there(), "{error}");
    let dead = Sink::http(|_| Reply::Close);
    let error = on(&dead, async |session| session.get(&resource()).await.unwrap_err());
    assert!(matches!(error, ConsoleError::Unreachable(_)), "{error}");
}

#[test]
fn a_method_is_called_by_the_uri_of_its_class() {
    let sink = Sink::http(|_| {
        let mut message = Message::new(ENUMERATION_PREFIXES, &Outgoing::new("urn:answer"), usize::MAX);
        let w = message.body();
        w.start("p:Do_OUTPUT").attribute("xmlns:p", "urn:thing").leaf("p:ReturnValue", "4096").end("p:Do_OUTPUT");
        Reply::Answer(200, String::from_utf8(message.finish()).unwrap())
    });
    let input = vec![("Names".to_owned(), PlainValue::from(["a", "b"]))];
    let output = on(&sink, async |session| session.invoke(&resource(), "Do", input.clone()).await.unwrap());
    assert_eq!(output.returned(), Some(4096));
    let sent = asked(&sink.next());
    let uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Thing";
    assert_eq!(sent.action().unwrap(), format!("{uri}/Do"));
    let body = crate::wire::PlainInstance::read(sent.body.as_ref().unwrap()).unwrap();
    assert_eq!((body.class.as_str(), body.resource_uri.as_str(), body.properties), ("Do_INPUT", uri, input));
}

/// The reference to a package as OpenLMI names it.
fn package(name: &str, version: &str) -> EndpointReference {
    let id = format!("LMI:LMI_SoftwareIdentity:{name}-0:{version}.all");
    let uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/LMI_SoftwareIdentity";
    EndpointReference::to_resource("http://host/wsman", uri, &SelectorSet::default().with("InstanceID", id))
}

fn written(kind: &str, write: impl FnOnce(&mut crate::xml::Writer)) -> Reply {
    let mut message = Message::new(ENUMERATION_PREFIXES, &Outgoing::new(kind), usize::MAX);
    write(message.body());
    Reply::Answer(200, String::from_utf8(message.finish()).unwrap())
}

/// A host that has two builds of alpha and one of beta, and knows of another alpha.
fn host_without_find_updates(message: &Received) -> Reply {
    match action_of(message).as_str() {
        "Enumerate" => written(action::ENUMERATE_RESPONSE, |w| {
            let mut page = Page::enumerate(w, true);
            for (name, version) in [("alpha", "1"), ("alpha", "2"), ("beta", "1")] {
                let mut link = SelectorSet::default();
                link.set("InstalledSoftware", SelectorValue::Endpoint(Box::new(package(name, version))));
                link.set("System", SelectorValue::Endpoint(Box::new(EndpointReference::new("http://host/wsman"))));
                let link = EndpointReference::to_resource("http://host/wsman", "urn:link", &link);
                page.item(w, |w| {
                    w.element(&link.to_element(WSA, "EndpointReference"));
                });
            }
            page.close(w, None, None);
        }),
        "FindIdentity" => written("urn:found", |w| {
            let versions: &[&str] = if message.body.contains(">alpha<") { &["1", "2", "3"] } else { &["1"] };
            let name = if versions.len() > 1 { "alpha" } else { "beta" };
            w.start("p:FindIdentity_OUTPUT").attribute("xmlns:p", "urn:service").leaf("p:ReturnValue", "0");
            for version in versions {
                w.start("p:Matches");
                package(name, version).write(w);
                w.end("p:Matches");
            }
            w.end("p:FindIdentity_OUTPUT");
        }),
        _ => {
            let fault = Fault::new(FaultKind::ActionNotSupported, "no such method");
            Reply::Answer(500, String::from_utf8(fault.to_message(&asked(message).addressing)).unwrap())
        }
    }
}

#[test]
fn a_host_that_does_not_tell_all_updates_is_asked_for_each_name() {
    let sink = Sink::http(host_without_find_updates);
    let service = Service { resource: resource(), system: EndpointReference::default(), managed: Managed::Packages };
    let updates = on(&sink, async |session| session.updates(&service).await.unwrap());
    let told: Vec<_> = updates.iter().map(|u| (u.installed.full_name(), u.newest.full_name())).collect();
    assert_eq!(told, [("alpha-2.all".to_owned(), "alpha-3.all".to_owned())]);
    assert_eq!(sink.rest().iter().filter(|message| action_of(message) == "FindIdentity").count(), 2);
}
