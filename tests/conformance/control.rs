//! Clause 6: control headers.

use std::fs::File;

use xmltree::Element;

use crate::answer::{Page, child, elements};
use crate::peer::{Endpoint, Peer};
use crate::rule::rules;
use crate::service::{LARGE, Own};
use crate::support::wsman::Message;
use crate::transfer::{create_filter, new_name};

rules! {
    r6_1_1 "any request may have an OperationTimeout": holds(requests_may_have_a_time_limit);
    r6_1_2 "an operation that takes longer is wsman:TimedOut, a limit that is none a wrong header":
        holds_here(a_time_limit_is_observed);
    r6_1_3 "who knows no OperationTimeout says so": not_applicable("OperationTimeout is observed");
    r6_1_4 "without OperationTimeout the service chooses": holds(requests_need_no_time_limit);
    r6_1_5 "a mandatory OperationTimeout is observed": holds_here(a_time_limit_is_observed);
    r6_2_1 "a reply larger than MaxEnvelopeSize is wsman:EncodingLimit": holds_here(a_reply_that_does_not_fit_is_refused);
    r6_2_2 "a mandatory MaxEnvelopeSize is complied with": holds_here(a_reply_that_does_not_fit_is_refused);
    r6_2_3 "another MaxEnvelopeSize may be ignored": holds(envelopes_are_never_larger_than_asked_for);
    r6_2_4 "MaxEnvelopeSize is at least 8,192": holds(envelopes_of_less_than_8192_octets_are_refused);
    r6_2_5 "a reply beyond the service's own limit is wsman:EncodingLimit with ServiceEnvelopeLimit":
        not_applicable("no object here is larger than the limits of 512,000 octets, or 16 MiB for who asks for more; src/wsman/tests tries one \
                        that is");
    r6_2_6 "Policy on the header MaxEnvelopeSize is ignored": holds(a_policy_in_the_header_is_ignored);
    r6_3_1 "Locale is a hint": holds(a_language_is_a_hint);
    r6_3_2 "a mandatory Locale is observed, or wsman:UnsupportedFeature": holds_here(a_mandatory_language_is_english);
    r6_3_3 "languages are RFC 3066 tags": holds(replies_tell_their_language);
    r6_3_4 "replies tell their language": holds(replies_tell_their_language);
    r6_3_5 "Locale counts in the first message of a sequence": holds(a_pull_may_name_another_language);
    r6_4_1 "any request may have an OptionSet": holds(requests_may_have_options);
    r6_4_2 "replies have no OptionSet": holds(requests_may_have_options);
    r6_4_3 "a mandatory OptionSet is s:NotUnderstood where options are not supported":
        holds(options_may_be_mandatory);
    r6_4_4 "every resource may have options of its own":
        not_applicable("a freedom of the service: here the same options are observed everywhere");
    r6_4_5 "options may be any number, and names may repeat": holds(options_may_repeat);
    r6_4_6 "an option with MustComply is observed, or wsman:InvalidOptions": holds_here(must_comply_is_complied_with);
    r6_4_7 "an option may tell its Type": holds(options_may_tell_their_type);
    r6_4_8 "options do not replace parameters":
        not_applicable("advice to who designs options; those there are change how instances are written");
    r6_4_9 "wrong options are wsman:InvalidOptions with a detail": holds_here(wrong_options_are_told_apart);
    r6_4_10 "options count in the first message of a sequence": holds_here(options_of_a_pull_do_not_count);
    r6_5_1 "RequestEPR is answered with RequestedEPR":
        holds_here(the_reference_of_an_instance_is_told);
}

fn requests_may_have_a_time_limit(peer: &mut Peer) {
    let limit = "<w:OperationTimeout>PT60.000S</w:OperationTimeout>";
    let context = peer.open("");
    for request in [peer.get(), peer.enumerate(""), peer.pull(&context, ""), peer.release(&context)] {
        peer.send(&request.header(limit)).succeeds();
    }
}

fn a_time_limit_is_observed(peer: &mut Peer, own: &Own) {
    // Copying it takes far longer than no time.
    let file = own.root.scratch().join("no-package");
    File::create(&file).unwrap().set_len(64 << 20).unwrap();
    for must in ["", " s:mustUnderstand=\"true\""] {
        let limit = |time: &str| format!("<w:OperationTimeout{must}>{time}</w:OperationTimeout>");
        let install = own.installation(peer, &file);
        peer.send(&install.header(&limit("PT0S"))).refuses("wsman:TimedOut", "").names("OperationTimeout");
        for invalid in ["soon", "2030-01-01T00:00:00Z", "-PT1S"] {
            let get = peer.get().header(&limit(invalid));
            let fault = peer.send(&get).refuses("wsa:InvalidMessageInformationHeader", "");
            fault.names("OperationTimeout").element("wsman:OperationTimeout");
        }
    }
}

fn requests_need_no_time_limit(peer: &mut Peer) {
    peer.send(&peer.get()).succeeds();
}

const SMALLEST: &str = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";

/// Get of an instance that takes more than 8,192 octets.
pub(crate) fn get_large(peer: &Peer) -> Message {
    Message { selectors: vec![("InstanceID".to_owned(), LARGE.to_owned())], ..peer.get() }
}

fn a_reply_that_does_not_fit_is_refused(peer: &mut Peer, _: &Own) {
    let get = get_large(peer);
    assert!(peer.send(&get).text.len() > 8192);
    for must in ["", " s:mustUnderstand=\"true\""] {
        let header = SMALLEST.replace("Size>8", &format!("Size{must}>8"));
        let answer = peer.send(&get.clone().header(&header));
        answer.refuses("wsman:EncodingLimit", "MaxEnvelopeSize").names("MaxEnvelopeSize");
        let enough = header.replace("8192", "100000");
        peer.send(&get.clone().header(&enough)).succeeds();
    }
}

fn envelopes_are_never_larger_than_asked_for(peer: &mut Peer) {
    let header = SMALLEST.replace("Size>8", "Size s:mustUnderstand=\"false\">8");
    let many = peer.enumerate("<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>").header(&header);
    let answer = peer.send(&many);
    let page = Page::of(&answer.succeeds());
    assert!(!page.items.is_empty() && answer.text.len() <= 8192, "{} octets", answer.text.len());
}

fn envelopes_of_less_than_8192_octets_are_refused(peer: &mut Peer) {
    for size in ["8191", "1"] {
        let get = peer.get().header(&SMALLEST.replace("8192", size));
        peer.send(&get).refuses("wsman:EncodingLimit", "MinimumEnvelopeLimit").names(size);
    }
    for none in ["0", "many", "-8192", ""] {
        let get = peer.get().header(&SMALLEST.replace("8192", none));
        peer.send(&get).refuses("wsa:InvalidMessageInformationHeader", "").names("MaxEnvelopeSize");
    }
}

fn a_policy_in_the_header_is_ignored(peer: &mut Peer) {
    let get = peer.get().header("<w:MaxEnvelopeSize Policy=\"CancelSubscription\">512000</w:MaxEnvelopeSize>");
    peer.send(&get).succeeds();
}

fn a_language_is_a_hint(peer: &mut Peer) {
    let plain = peer.send(&peer.get()).succeeds();
    for language in ["de", "en-US", "fr-CA", "i-klingon"] {
        let get = peer.get().header(&format!("<w:Locale xml:lang=\"{language}\"/>"));
        assert_eq!(peer.send(&get).succeeds().name, plain.name);
    }
}

fn a_mandatory_language_is_english(peer: &mut Peer, _: &Own) {
    let get = |language: &str| {
        Peer::new().get().header(&format!("<w:Locale xml:lang=\"{language}\" s:mustUnderstand=\"true\"/>"))
    };
    for english in ["en", "en-GB", "EN-us"] {
        peer.send(&get(english)).succeeds();
    }
    peer.send(&get("de-DE")).refuses("wsman:UnsupportedFeature", "Locale").names("de-DE");
}

fn replies_tell_their_language(peer: &mut Peer) {
    let language = |element: &Element| element.attributes.get("lang").cloned();
    let told = language(&peer.send(&peer.get()).envelope());
    let faulty = peer.send(&peer.request("urn:example:dance", "")).envelope();
    let fault = child(child(&faulty, "s:Body").unwrap(), "s:Fault").unwrap();
    let reason = child(child(fault, "s:Reason").unwrap(), "s:Text").unwrap();
    let reason = language(reason).expect("a reason without xml:lang");
    for tag in told.into_iter().chain([reason]) {
        let subtags: Vec<&str> = tag.split('-').collect();
        assert!((1..=8).contains(&subtags[0].len()) && subtags[0].bytes().all(|b| b.is_ascii_alphabetic()), "{tag}");
        assert!(
            subtags[1..].iter().all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
    }
}

fn a_pull_may_name_another_language(peer: &mut Peer) {
    let enumerate = peer.enumerate("").header("<w:Locale xml:lang=\"en-US\"/>");
    let context = Page::of(&peer.send(&enumerate).succeeds()).context.unwrap();
    let pull = peer.pull(&context, "").header("<w:Locale xml:lang=\"de\"/>");
    assert_eq!(Page::of(&peer.send(&pull).succeeds()).items.len(), 1);
}

fn options(content: &str) -> String {
    format!("<w:OptionSet>{content}</w:OptionSet>")
}

const UNKNOWN: &str = "<w:Option Name=\"unicorn\">pink</w:Option>";

fn requests_may_have_options(peer: &mut Peer) {
    for content in ["", UNKNOWN] {
        for request in [peer.get(), peer.enumerate("")] {
            let answer = peer.send(&request.header(&options(content)));
            answer.succeeds();
            assert_eq!(answer.header("wsman:OptionSet"), None);
        }
    }
}

fn options_may_be_mandatory(peer: &mut Peer) {
    let header = options(UNKNOWN).replacen("OptionSet", "OptionSet s:mustUnderstand=\"true\"", 1);
    let answer = peer.send(&peer.get().header(&header));
    if answer.status != 200 {
        answer.refuses("s:MustUnderstand", "");
    }
}

fn options_may_repeat(peer: &mut Peer) {
    let many = UNKNOWN.repeat(200);
    peer.send(&peer.get().header(&options(&many))).succeeds();
}

/// How many properties are written as NULL.
fn nulls(instance: &Element) -> usize {
    elements(instance).filter(|property| property.attributes.get("nil").is_some_and(|nil| nil == "true")).count()
}

fn must_comply_is_complied_with(peer: &mut Peer, _: &Own) {
    let unknown = UNKNOWN.replace("\">", "\" MustComply=\"true\">");
    let get = peer.get().header(&options(&unknown));
    peer.send(&get).refuses("wsman:InvalidOptions", "NotSupported").names("unicorn");
    let advisory = UNKNOWN.replace("\">", "\" MustComply=\"false\">");
    assert_ne!(nulls(&peer.send(&peer.get().header(&options(&advisory))).succeeds()), 0);
    let known = "<w:Option Name=\"ExcludeNilProperties\" MustComply=\"true\">true</w:Option>";
    assert_eq!(nulls(&peer.send(&peer.get().header(&options(known))).succeeds()), 0);
}

fn options_may_tell_their_type(peer: &mut Peer) {
    let typed =
        "<w:Option xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" Name=\"unicorn\" Type=\"xs:string\">pink</w:Option>";
    peer.send(&peer.get().header(&options(typed))).succeeds();
}

fn wrong_options_are_told_apart(peer: &mut Peer, _: &Own) {
    for (option, detail, word) in [
        ("<w:Option Name=\"unicorn\" MustComply=\"true\"/>", "NotSupported", "unicorn"),
        ("<w:Option>true</w:Option>", "InvalidName", "Name"),
        ("<w:Option Name=\"ExcludeNilProperties\" MustComply=\"true\">pink</w:Option>", "InvalidValue", "pink"),
    ] {
        let get = peer.get().header(&options(option));
        peer.send(&get).refuses("wsman:InvalidOptions", detail).names(word);
    }
}

fn options_of_a_pull_do_not_count(peer: &mut Peer, _: &Own) {
    let option = options("<w:Option Name=\"ExcludeNilProperties\">true</w:Option>");
    let context = peer.open("");
    let pull = peer.pull(&context, "").header(&option);
    assert_ne!(nulls(&Page::of(&peer.send(&pull).succeeds()).items[0]), 0);
    let enumerate = peer.enumerate("").header(&option);
    let context = Page::of(&peer.send(&enumerate).succeeds()).context.unwrap();
    assert_eq!(nulls(&peer.page(&context, "").items[0]), 0);
}

fn the_reference_of_an_instance_is_told(peer: &mut Peer, _: &Own) {
    assert_eq!(peer.send(&peer.get()).header("wsman:RequestedEPR"), None);
    let ask = "<w:RequestEPR/>";
    let create = create_filter(peer, &new_name()).header(ask);
    for (request, operation) in [(peer.get().header(ask), "Get"), (create, "Create")] {
        let answer = peer.send(&request);
        answer.succeeds();
        let told = answer.header("wsman:RequestedEPR").unwrap_or_else(|| panic!("no RequestedEPR for {operation}"));
        let reference = child(&told, "wsa:EndpointReference").unwrap_or_else(|| panic!("no reference: {told:?}"));
        let get = peer.get_at(&Endpoint::read(reference));
        peer.send(&get).succeeds();
    }
    let answer = peer.send(&peer.enumerate("").header(ask));
    answer.succeeds();
    let told = answer.header("wsman:RequestedEPR").unwrap();
    assert!(child(&told, "wsman:EPRUnknown").is_some(), "many instances have no one reference: {told:?}");
}
