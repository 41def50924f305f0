//! Clause 10: events that the subscriber fetches (10.2.9.5).

use crate::answer::{Answer, Page, is, text};
use crate::bookmarks::{EARLIEST, bookmark};
use crate::peer::Peer;
use crate::service::{Own, VIEWER};
use crate::subscription::{ALL_OF_JOBS, Subscribe, Subscription};
use crate::support::wsman::{ANONYMOUS, Message, property};

const PULL: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
const RELEASE: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release";

/// Who fetches events.
struct Fetcher {
    subscription: Subscription,
    context: String,
}

impl Fetcher {
    fn new(peer: &mut Peer, subscribe: &Subscribe) -> Self {
        let subscription = Subscription::of(&subscribe.send(peer));
        let context = subscription.context.clone().expect("a subscription without context");
        Self { subscription, context }
    }

    /// Fetches what is told of a job that has ended, and of others.
    fn of_ended_jobs(peer: &mut Peer, own: &Own) -> Self {
        own.ended_job();
        Self::new(peer, &Subscribe::pulled().about(ALL_OF_JOBS).and(&bookmark(EARLIEST)))
    }

    /// A Pull with this context.
    fn message(&self, peer: &Peer, context: &str, options: &str) -> Message {
        let context = format!("<n:EnumerationContext>{context}</n:EnumerationContext>");
        self.subscription.to_manager(peer, PULL, &format!("<n:Pull>{context}{options}</n:Pull>"))
    }

    /// Pulls, and goes on from there.
    fn pull(&mut self, peer: &mut Peer, options: &str) -> Page {
        let message = self.message(peer, &self.context.clone(), options);
        self.send(peer, &message)
    }

    fn send(&mut self, peer: &mut Peer, message: &Message) -> Page {
        let page = page(&peer.send(message));
        self.context = page.context.clone().unwrap();
        page
    }
}

/// Events have no end, so a page of them always says where to go on.
fn page(answer: &Answer) -> Page {
    let page = Page::of(&answer.succeeds());
    assert!(page.context.is_some() && !page.ends, "{answer:?}");
    page
}

/// The names of the changes that a page tells of.
fn changes(page: &Page) -> Vec<String> {
    page.items.iter().map(|item| property(item, "IndicationIdentifier").unwrap()).collect()
}

pub(crate) fn events_can_be_fetched(peer: &mut Peer, own: &Own) {
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    // Who says nothing gets one at a time.
    let page = fetcher.pull(peer, "");
    assert_eq!(page.items.len(), 1);
    assert!(page.items[0].name.starts_with("LMI_SoftwareInst"), "{page:?}");
    let more = fetcher.pull(peer, "<n:MaxElements>3</n:MaxElements>");
    assert!((1..=3).contains(&more.items.len()), "{more:?}");
}

pub(crate) fn what_is_for_sinks_does_not_go_with_pull(peer: &mut Peer, _: &Own) {
    for (delivery, name) in [
        ("<w:MaxElements>10</w:MaxElements>", "MaxElements"),
        ("<w:MaxTime>PT10S</w:MaxTime>", "MaxTime"),
        ("<w:MaxEnvelopeSize>10000</w:MaxEnvelopeSize>", "MaxEnvelopeSize"),
        ("<w:ConnectionRetry Total=\"3\">PT10S</w:ConnectionRetry>", "ConnectionRetry"),
    ] {
        let subscribe = Subscribe { delivery: delivery.to_owned(), ..Subscribe::pulled() };
        subscribe.send(peer).refuses("wsman:UnsupportedFeature", "FormatMismatch").names(name);
    }
}

/// So none is ever told its end.
pub(crate) fn who_fetches_has_no_end_to(peer: &mut Peer, _: &Own) {
    let subscribe = Subscribe::pulled().ending_at("<a:Address>http://127.0.0.1:9/</a:Address>");
    subscribe.send(peer).refuses("wsman:UnsupportedFeature", "FormatMismatch").names("EndTo");
}

pub(crate) fn only_a_subscription_to_be_fetched_has_a_context(peer: &mut Peer, _: &Own) {
    assert!(Subscription::of(&Subscribe::pulled().send(peer)).context.is_some());
    assert!(Subscription::of(&Subscribe::nowhere().send(peer)).context.is_none());
}

pub(crate) fn events_are_fetched_from_the_manager_by_their_owner(peer: &mut Peer, own: &Own) {
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    let message = fetcher.message(peer, &fetcher.context, "");
    Peer::of_user(Some(VIEWER)).send(&message).refuses("wsman:AccessDenied", "");
    assert_eq!(fetcher.send(peer, &message).items.len(), 1);
}

/// An empty page, and the context to go on with.
pub(crate) fn a_page_without_events_is_empty(peer: &mut Peer, _: &Own) {
    let nothing = format!("{ALL_OF_JOBS} AND SourceInstance.InstanceID = 'nobody'");
    let delivery = "<w:Heartbeats>PT1S</w:Heartbeats>".to_owned();
    let mut fetcher = Fetcher::new(peer, &Subscribe { delivery, ..Subscribe::pulled().about(&nothing) });
    assert!(fetcher.pull(peer, "").items.is_empty());
    let mut fetcher = Fetcher::new(peer, &Subscribe::pulled().about(&nothing));
    let timed = fetcher.message(peer, &fetcher.context, "").header("<w:OperationTimeout>PT1S</w:OperationTimeout>");
    assert!(fetcher.send(peer, &timed).items.is_empty());
}

pub(crate) fn a_page_says_where_to_go_on(peer: &mut Peer, own: &Own) {
    own.ended_job();
    let subscribe = Subscribe::pulled().about(ALL_OF_JOBS).and(&bookmark(EARLIEST)).and("<w:SendBookmarks/>");
    let mut fetcher = Fetcher::new(peer, &subscribe);
    let first = fetcher.context.clone();
    let message = fetcher.message(peer, &first, "");
    let answer = peer.send(&message);
    let bookmark_of = |answer: &Answer| answer.header_text("wsman:Bookmark");
    let one = page(&answer);
    // A reply that was lost is asked for again.
    assert_eq!(changes(&page(&peer.send(&message))), changes(&one));
    fetcher.context = one.context.clone().unwrap();
    assert_ne!(fetcher.context, first);
    let next = fetcher.message(peer, &fetcher.context, "");
    let next = peer.send(&next);
    assert_ne!(changes(&page(&next)), changes(&one));
    assert_ne!(bookmark_of(&next), bookmark_of(&answer));
    // Whoever asked for what is behind it has the first event.
    peer.send(&message).refuses("wsen:InvalidEnumerationContext", "");
    // The bookmark leads to the same place as the context.
    let again = Subscribe::pulled().about(ALL_OF_JOBS).and(&bookmark(&bookmark_of(&answer)));
    assert_eq!(changes(&Fetcher::new(peer, &again).pull(peer, "")), changes(&page(&next)));
}

/// Neither by themselves nor by Release.
pub(crate) fn events_end_with_their_subscription_alone(peer: &mut Peer, own: &Own) {
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    fetcher.pull(peer, "<n:MaxElements>100</n:MaxElements>");
    let context = format!("<n:EnumerationContext>{}</n:EnumerationContext>", fetcher.context);
    let release = fetcher.subscription.to_manager(peer, RELEASE, &format!("<n:Release>{context}</n:Release>"));
    peer.send(&release).refuses("wsen:InvalidEnumerationContext", "").names("Unsubscribe");
    fetcher.subscription.send(peer, "GetStatus", "").succeeds();
    fetcher.subscription.send(peer, "Unsubscribe", "").succeeds();
    let message = fetcher.message(peer, &fetcher.context, "");
    peer.send(&message).refuses("wsen:InvalidEnumerationContext", "");
}

/// What is larger than any page that the client takes is told to be dropped.
pub(crate) fn a_page_of_events_is_as_large_as_the_client_takes(peer: &mut Peer, own: &Own) {
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    let expected: Vec<String> = (0..3).flat_map(|_| changes(&fetcher.pull(peer, ""))).collect();
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    let limit = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";
    let mut found = Vec::new();
    while found.len() < expected.len() {
        let message = fetcher.message(peer, &fetcher.context, "<n:MaxElements>100</n:MaxElements>").header(limit);
        let answer = peer.send(&message);
        assert!(answer.text.len() <= 8192, "{} octets", answer.text.len());
        let page = page(&answer);
        assert!(!page.items.is_empty(), "{answer:?}");
        found.extend(page.items.iter().map(|item| property(item, "IndicationIdentifier")));
        fetcher.context = page.context.unwrap();
    }
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found.as_ref().is_none_or(|found| found == expected), "{found:?} in the place of {expected}");
    }
    assert!(found[0].is_some(), "the beginning of a job is not so large");
}

/// Headers that the client has returned leave no room for an event: it is told that it is left out, in its place.
pub(crate) fn an_event_that_fits_no_page_is_told_to_be_dropped(peer: &mut Peer, own: &Own) {
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    let expected: Vec<String> = (0..2).flat_map(|_| changes(&fetcher.pull(peer, ""))).collect();
    let mut fetcher = Fetcher::of_ended_jobs(peer, own);
    let limit = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";
    let address = format!("<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address>");
    let parameters = format!(
        "<a:ReferenceParameters><x:Mark xmlns:x=\"urn:example:header\">{}</x:Mark></a:ReferenceParameters>",
        "x".repeat(5_000)
    );
    let crowded = fetcher.message(peer, &fetcher.context, "").header(limit).envelope();
    let crowded = crowded.replace(&address, &format!("{address}{parameters}"));
    let answer = peer.send_text(&crowded);
    assert!(answer.text.len() <= 8192, "{} octets", answer.text.len());
    let page = page(&answer);
    let [told] = page.items.as_slice() else { panic!("{answer:?}") };
    assert!(is(told, "wsman:DroppedEvents") && text(told) == "1", "{told:?}");
    assert_eq!(told.attributes["Action"], "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event");
    fetcher.context = page.context.unwrap();
    assert_eq!(changes(&fetcher.pull(peer, "")), [expected[1].clone()]);
}
