//! Clause 8: Pull and Release (8.4, 8.5).

use std::thread;

use crate::answer::{Page, child, is, properties};
use crate::control::get_large;
use crate::enumeration::SELECTORS;
use crate::peer::{Peer, instances};
use crate::rule::rules;
use crate::service::{LARGE, Own};
use crate::subscription::{CQL, filter};
use crate::support::wsman::{CIM, Message, without};

rules! {
    r8_4_1 "MaxCharacters is a hint that MaxEnvelopeSize goes before": holds(max_characters_is_a_hint);
    r8_4_2 "an item may exceed MaxCharacters, never MaxEnvelopeSize": holds(max_characters_is_a_hint);
    r8_4_3 "a failed Pull can be tried again": holds_here(a_failed_pull_can_be_tried_again);
    r8_4_4 "OperationTimeout goes before MaxTime": holds_here(operation_timeout_goes_before_max_time);
    r8_4_5 "Pull repeats the EPR of Enumerate": holds_here(a_pull_for_another_resource_is_refused);
    r8_4_6 "a Pull without items in time is wsman:TimedOut, or an empty page":
        holds_here(a_pull_that_finds_nothing_in_time_is_empty);
    r8_4_7 "the service may end an enumeration": holds_here(an_enumeration_ends_with_its_time);
    r8_4_8 "the last page has no context": holds(the_last_page_has_no_context);
    r8_4_9 "without MaxElements a page holds one item": holds(a_page_holds_one_item_unless_more_are_asked_for);
    r8_4_10 "a MaxElements that is too large may be cut": holds(any_number_of_elements_may_be_asked_for);
    r8_4_11 "Pull has a context": holds(a_pull_without_context_is_refused);
    r8_5_1 "Release ends an enumeration": holds(a_released_enumeration_is_gone);
    r8_5_2 "idle enumerations may end, and are invalid then": holds_here(an_enumeration_ends_with_its_time);
    r8_5_3 "Release repeats the EPR of Enumerate": holds_here(a_release_for_another_resource_is_refused);
    r8_5_4 "Release may come while a Pull is under way": holds_here(a_release_may_overtake_a_pull);
}

fn max_characters_is_a_hint(peer: &mut Peer) {
    let header = "<w:MaxEnvelopeSize s:mustUnderstand=\"true\">8192</w:MaxEnvelopeSize>";
    let context = peer.open("");
    for characters in [1, 100_000] {
        let options = format!("<n:MaxElements>1000</n:MaxElements><n:MaxCharacters>{characters}</n:MaxCharacters>");
        let answer = peer.send(&peer.pull(&context, &options).header(header));
        let page = Page::of(&answer.succeeds());
        assert!(!page.items.is_empty() && answer.text.len() <= 8192, "{} octets", answer.text.len());
        assert!(characters > 1 || page.items.len() == 1, "{} items in one character", page.items.len());
    }
}

fn a_failed_pull_can_be_tried_again(peer: &mut Peer, _: &Own) {
    let set = format!("<w:SelectorSet><w:Selector Name=\"InstanceID\">{LARGE}</w:Selector></w:SelectorSet>");
    let context = peer.open(&filter("w:Filter", SELECTORS, &set));
    let pull = peer.pull(&context, "");
    let tight = pull.clone().header("<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>");
    peer.send(&tight).refuses("wsman:EncodingLimit", "MaxEnvelopeSize");
    let page = Page::of(&peer.send(&pull).succeeds());
    assert_eq!(properties(&page.items[0]), properties(&peer.send(&get_large(peer)).succeeds()));
}

/// An enumeration that has to look at many instances before it finds its only item.
fn open_a_long_search(peer: &mut Peer) -> String {
    let query = "SELECT * FROM CIM_SoftwareIdentity WHERE Name = 'large'";
    peer.open(&filter("w:Filter", CQL, query))
}

const NO_TIME: &str = "<w:OperationTimeout>PT0S</w:OperationTimeout>";

fn operation_timeout_goes_before_max_time(peer: &mut Peer, _: &Own) {
    let context = open_a_long_search(peer);
    let pull = peer.pull(&context, "<n:MaxTime>PT60S</n:MaxTime>").header(NO_TIME);
    assert_eq!(Page::of(&peer.send(&pull).succeeds()).items.len(), 0);
    let context = open_a_long_search(peer);
    let pull = peer.pull(&context, "<n:MaxTime>PT0S</n:MaxTime>");
    let pull = pull.header("<w:OperationTimeout>PT60S</w:OperationTimeout>");
    assert_eq!(Page::of(&peer.send(&pull).succeeds()).items.len(), 1);
}

fn a_pull_that_finds_nothing_in_time_is_empty(peer: &mut Peer, _: &Own) {
    let max_time = "<n:MaxTime>PT0S</n:MaxTime>";
    for (options, header) in [("", NO_TIME), (max_time, "")] {
        let context = open_a_long_search(peer);
        let pull = peer.pull(&context, options).header(header);
        let page = Page::of(&peer.send(&pull).succeeds());
        assert!(page.items.is_empty() && !page.ends, "{page:?}");
        let next = peer.page(&page.context.expect("an empty page without context"), "");
        assert_eq!(next.items.len(), 1, "the search goes on where it stopped");
    }
}

fn elsewhere(request: Message) -> Message {
    Message { resource_uri: format!("{CIM}/CIM_ConcreteJob"), ..request }
}

fn a_pull_for_another_resource_is_refused(peer: &mut Peer, _: &Own) {
    let context = peer.open("");
    let pull = peer.pull(&context, "");
    peer.send(&elsewhere(pull.clone())).refuses("wsa:MessageInformationHeaderRequired", "").names("ResourceURI");
    let missing = without(&pull.envelope(), "w:ResourceURI");
    peer.send_text(&missing).refuses("wsa:MessageInformationHeaderRequired", "").names("ResourceURI");
    assert_eq!(Page::of(&peer.send(&pull).succeeds()).items.len(), 1);
}

/// An enumeration whose time is over before the next request comes.
fn an_enumeration_ends_with_its_time(peer: &mut Peer, _: &Own) {
    let context = peer.open("<n:Expires>PT0.000001S</n:Expires>");
    peer.send(&peer.pull(&context, "")).refuses("wsen:InvalidEnumerationContext", "");
    peer.send(&peer.release(&context)).refuses("wsen:InvalidEnumerationContext", "");
}

fn the_last_page_has_no_context(peer: &mut Peer) {
    let context = peer.open("<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>");
    let mut open = Some(context.clone());
    while let Some(current) = open {
        let pull = peer.pull(&current, "<n:MaxElements>1000</n:MaxElements>");
        let response = peer.send(&pull).succeeds();
        let page = Page::of(&response);
        if page.ends {
            assert_eq!(child(&response, "wsen:EnumerationContext"), None);
        }
        open = page.context;
    }
    peer.send(&peer.release(&context)).refuses("wsen:InvalidEnumerationContext", "");
    peer.send(&peer.pull(&context, "")).refuses("wsen:InvalidEnumerationContext", "");
}

fn a_page_holds_one_item_unless_more_are_asked_for(peer: &mut Peer) {
    let context = peer.open("");
    assert_eq!(peer.page(&context, "").items.len(), 1);
    assert_eq!(peer.page(&context, "<n:MaxElements>2</n:MaxElements>").items.len(), 2);
}

fn any_number_of_elements_may_be_asked_for(peer: &mut Peer) {
    let context = peer.open("");
    let page = peer.page(&context, "<n:MaxElements>99999999999999999999999</n:MaxElements>");
    assert!(page.items.len() >= instances().len());
}

fn a_pull_without_context_is_refused(peer: &mut Peer) {
    let action = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
    let request = peer.request(action, "<n:Pull><n:MaxElements>1</n:MaxElements></n:Pull>");
    let fault = peer.send(&request).fault();
    let known = ["wsman:SchemaValidationError", "wsen:InvalidEnumerationContext"];
    assert!(known.contains(&fault.subcode.as_str()), "{fault:?}");
}

fn a_released_enumeration_is_gone(peer: &mut Peer) {
    let context = peer.open("");
    assert_eq!(peer.page(&context, "").items.len(), 1);
    peer.send(&peer.release(&context)).succeeds();
    peer.send(&peer.pull(&context, "")).refuses("wsen:InvalidEnumerationContext", "");
    peer.send(&peer.release(&context)).refuses("wsen:InvalidEnumerationContext", "");
}

fn a_release_for_another_resource_is_refused(peer: &mut Peer, _: &Own) {
    let context = peer.open("");
    let release = peer.release(&context);
    peer.send(&elsewhere(release.clone())).refuses("wsa:MessageInformationHeaderRequired", "").names("ResourceURI");
    let missing = without(&release.envelope(), "w:ResourceURI");
    peer.send_text(&missing).refuses("wsa:MessageInformationHeaderRequired", "");
    peer.send(&release).succeeds();
}

fn a_release_may_overtake_a_pull(peer: &mut Peer, _: &Own) {
    let query = "SELECT * FROM CIM_SoftwareIdentity WHERE Name LIKE 'no such name'";
    let context = peer.open(&filter("w:Filter", CQL, query));
    let pulling = context.clone();
    let pull = thread::spawn(move || {
        let mut other = Peer::new();
        other.send(&other.pull(&pulling, ""))
    });
    let release = peer.send(&peer.release(&context));
    let pulled = pull.join().unwrap();
    // Whichever was first, each is answered in its own way, and the enumeration is gone.
    if pulled.status == 200 {
        assert!(is(&pulled.succeeds(), "wsen:PullResponse"));
    } else {
        pulled.refuses("wsen:InvalidEnumerationContext", "");
    }
    if release.status != 200 {
        release.refuses("wsen:InvalidEnumerationContext", "");
    }
    peer.send(&peer.pull(&context, "")).refuses("wsen:InvalidEnumerationContext", "");
}
