//! Clause 13: messages as octets, their limits, and attachments.

use crate::answer::{Page, is};
use crate::control::get_large;
use crate::peer::{Peer, instances};
use crate::rule::rules;
use crate::service::Own;
use crate::support::wsman::Message;
use crate::transfer::too_tight;

rules! {
    r13_1_1 "SOAP 1.2 in and out": holds(soap_1_2_is_spoken);
    r13_1_2 "envelopes over 32,767 octets may be rejected": holds_here(requests_have_a_limit);
    r13_1_3 "no envelope over 32,767 octets unless asked for":
        deviates("512,000 octets, as Windows sends them; the setting max_envelope_size changes it", replies_may_be_large);
    r13_1_4 "UTF-8 is taken, and UTF-16": holds(utf_16_is_taken_and_answered);
    r13_1_5 "the reply has the encoding of the request; an unknown one is wsman:EncodingLimit":
        holds(unknown_encodings_are_refused_in_utf_8);
    r13_1_6 "UTF-8 with a mark may be refused, and is never sent": holds(no_mark_is_sent_in_utf_8);
    r13_1_7 "UTF-16 may have either byte order": holds(utf_16_is_taken_and_answered);
    r13_1_8 "octets that contradict their charset are HTTP 400": holds(contradictory_encodings_are_bad_requests);
    r13_1_9 "a header that is there twice is wsa:InvalidMessageInformationHeader": holds(doubled_headers_are_refused);
    r13_1_10 "white space around values does not matter": holds(white_space_around_values_does_not_matter);
    r13_1_11 "comments do not matter": holds(comments_do_not_matter);
    r13_2_1 "no response where none can be made":
        not_applicable("a failure inside is wsman:InternalError; nothing that a client sends leads to it");
    r13_3_1 "nothing is sent again that was not acknowledged":
        deviates("an event that its sink did not take is sent again with the same MessageID, so that none is lost",
            an_event_is_sent_again);
    r13_4_1 "URIs over 2,048 characters are wsman:EncodingLimit": holds_here(long_uris_are_a_limit);
    r13_4_2 "no URI over 2,048 characters is made": holds(references_have_short_uris);
    r13_4_3 "option names over 2,048 characters may be refused": holds_here(long_options_are_a_limit);
    r13_4_4 "option values over 4,096 characters may be refused": holds_here(long_options_are_a_limit);
    r13_4_5 "replies over 32,767 octets may be refused": holds_here(large_replies_are_sent_where_asked_for);
    r13_4_6 "a fault of 4,096 octets may always be sent": holds_here(a_fault_is_small_whatever_it_is_about);
    r13_4_7 "selector names over 2,048 characters may be refused": holds_here(long_selectors_are_a_limit);
    r13_4_8 "there may be a limit to the number of selectors": holds_here(long_selectors_are_a_limit);
    r13_4_9 "there may be a limit to the number of options": holds_here(long_options_are_a_limit);
    r13_5_1 "attachments may be supported": not_applicable("attachments are not supported; see RC.2-14");
    r13_5_2 "attachments follow the abstract feature": not_applicable("attachments are not supported");
    r13_5_3 "attachments are MIME multipart": not_applicable("attachments are not supported");
}

const SOAP: &str = "application/soap+xml";
const SOAP_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn soap_1_2_is_spoken(peer: &mut Peer) {
    assert!(is(&peer.send(&peer.get()).envelope(), "s:Envelope"));
    let older = peer.get().envelope().replace("http://www.w3.org/2003/05/soap-envelope", SOAP_1_1);
    let fault = peer.send_text(&older).fault();
    assert_eq!(fault.code, "s:VersionMismatch");
}

fn requests_have_a_limit(peer: &mut Peer, _: &Own) {
    let padded = |octets: usize| {
        peer_get_with(&format!("<x:Padding xmlns:x=\"urn:example:header\">{}</x:Padding>", "p".repeat(octets)))
    };
    peer.send_text(&padded(40_000)).succeeds();
    assert_eq!(peer.send_text(&padded(600_000)).status, 413);
}

fn peer_get_with(header: &str) -> String {
    Peer::new().get().header(header).envelope()
}

fn replies_may_be_large(peer: &mut Peer, _: &Own) {
    let answer = peer.send(&peer.enumerate("<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>"));
    assert!(!Page::of(&answer.succeeds()).items.is_empty());
    assert!((32_768..=512_000).contains(&answer.text.len()), "{} octets", answer.text.len());
}

/// A text in UTF-16, with its mark.
fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(order).collect()
}

fn utf_16_is_taken_and_answered(peer: &mut Peer) {
    let plain = peer.send(&peer.get()).succeeds();
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let body = utf_16(&peer.get().envelope(), order);
        for content_type in [format!("{SOAP};charset=UTF-16"), SOAP.to_owned()] {
            let answer = peer.send_octets(&[("Content-Type", &content_type)], &body);
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.head.to_ascii_lowercase().contains("charset=utf-16"), "{}", answer.head);
            assert_eq!(answer.succeeds().name, plain.name);
        }
    }
}

fn unknown_encodings_are_refused_in_utf_8(peer: &mut Peer) {
    let headers = [("Content-Type", "application/soap+xml;charset=klingon")];
    let answer = peer.send_octets(&headers, peer.get().envelope().as_bytes());
    answer.refuses("wsman:EncodingLimit", "CharacterSet").names("klingon");
    assert!(answer.head.to_ascii_lowercase().contains("charset=utf-8"), "{}", answer.head);
}

fn no_mark_is_sent_in_utf_8(peer: &mut Peer) {
    assert!(peer.send(&peer.get()).text.starts_with('<'));
    let answer = peer.send_text(&format!("\u{FEFF}{}", peer.get().envelope()));
    if answer.status == 200 {
        assert!(answer.text.starts_with('<'), "{answer:?}");
    } else {
        answer.fault();
    }
}

fn contradictory_encodings_are_bad_requests(peer: &mut Peer) {
    let get = peer.get().envelope();
    let (utf_8, utf_16) = (get.clone().into_bytes(), utf_16(&get, u16::to_le_bytes));
    for (charset, body) in [("UTF-8", &utf_16), ("UTF-16", &utf_8)] {
        let content_type = format!("{SOAP};charset={charset}");
        assert_eq!(peer.send_octets(&[("Content-Type", &content_type)], body).status, 400, "{charset}");
    }
}

fn doubled_headers_are_refused(peer: &mut Peer) {
    for header in [
        "<a:Action>urn:example:dance</a:Action>",
        "<a:To>https://somewhere.example.org/wsman</a:To>",
        "<a:MessageID>uuid:00000000-0000-0000-0000-000000000000</a:MessageID>",
        "<w:ResourceURI>urn:example:unicorn</w:ResourceURI>",
        "<w:SelectorSet/>",
        "<w:OperationTimeout>PT1M</w:OperationTimeout><w:OperationTimeout>PT1M</w:OperationTimeout>",
    ] {
        let name = header[1..].split_once(['>', '/']).unwrap().0.replace("a:", "wsa:").replace("w:", "wsman:");
        let fault = peer.send_text(&peer_get_with(header)).fault();
        assert_eq!(fault.subcode, "wsa:InvalidMessageInformationHeader", "{header}: {fault:?}");
        fault.element(&name);
    }
}

fn white_space_around_values_does_not_matter(peer: &mut Peer) {
    let plain = peer.send(&peer.get()).succeeds();
    let mut get = peer.get().envelope();
    for name in ["a:To", "w:ResourceURI", "a:Address", "a:Action", "a:MessageID"] {
        get = get.replace(&format!("<{name}>"), &format!("<{name}>\r\n\t "));
        get = get.replace(&format!("</{name}>"), &format!(" \n</{name}>"));
    }
    get = get.replace("</w:Selector>", "\n</w:Selector>").replace("><", ">\n  <");
    let answer = peer.send_text(&get);
    assert_eq!(answer.succeeds().name, plain.name);
    for header in ["wsa:Action", "wsa:RelatesTo", "wsa:To", "wsa:MessageID"] {
        let header = answer.header(header).unwrap();
        let verbatim = header.get_text().unwrap();
        assert_eq!(verbatim.trim(), verbatim, "white space goes out");
    }
}

fn comments_do_not_matter(peer: &mut Peer) {
    let get = peer.get().envelope();
    let get =
        get.replace("<s:Header>", "<!-- a --><s:Header><!-- b -->").replace("</a:Action>", "<!-- c --></a:Action>");
    peer.send_text(&get.replace("</w:Selector>", "<!-- d --></w:Selector>")).succeeds();
}

fn an_event_is_sent_again(_: &mut Peer, own: &Own) {
    let late = own.deliveries().at("/late");
    assert_eq!(late[0].envelope, late[1].envelope, "the same message again");
}

fn long_uris_are_a_limit(peer: &mut Peer, _: &Own) {
    let long = format!("http://example.org/{}", "u".repeat(2048));
    let get = peer.get();
    for message in [
        Message { to: long.clone(), ..get.clone() },
        Message { action: long.clone(), ..get.clone() },
        Message { resource_uri: long.clone(), ..get },
    ] {
        peer.send(&message).refuses("wsman:EncodingLimit", "URILimitExceeded").names("2048");
    }
}

fn references_have_short_uris(_: &mut Peer) {
    for endpoint in instances() {
        assert!(endpoint.resource_uri.len() <= 2048 && endpoint.address.len() <= 2048, "{endpoint:?}");
    }
}

fn long_options_are_a_limit(peer: &mut Peer, _: &Own) {
    let get = |name: usize, value: usize, count: usize| {
        let option = format!("<w:Option Name=\"{}\">{}</w:Option>", "n".repeat(name), "v".repeat(value));
        peer_get_with(&format!("<w:OptionSet>{}</w:OptionSet>", option.repeat(count)))
    };
    peer.send_text(&get(2048, 4096, 1)).succeeds();
    for (name, value) in [(2049, 1), (1, 4097)] {
        peer.send_text(&get(name, value, 1)).refuses("wsman:EncodingLimit", "OptionLimit").names("4096");
    }
    // Their number is limited by the size of the request alone.
    peer.send_text(&get(1, 1, 2000)).succeeds();
}

fn large_replies_are_sent_where_asked_for(peer: &mut Peer, _: &Own) {
    let many = peer.enumerate("<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>");
    let answer = peer.send(&many.header("<w:MaxEnvelopeSize s:mustUnderstand=\"true\">1000000</w:MaxEnvelopeSize>"));
    answer.succeeds();
    assert!(answer.text.len() > 32_767, "{} octets", answer.text.len());
}

fn a_fault_is_small_whatever_it_is_about(peer: &mut Peer, _: &Own) {
    let tight = get_large(peer).header("<w:MaxEnvelopeSize s:mustUnderstand=\"true\">8192</w:MaxEnvelopeSize>");
    let long = peer.get().selector(&"n".repeat(2000), "v".repeat(4000));
    for request in [tight, long] {
        let answer = peer.send(&request);
        answer.fault();
        assert!(answer.text.len() <= 4096, "{} octets: {answer:?}", answer.text.len());
    }
    // What the reply should carry besides is left out where it would be too much (R5.4.2-5).
    let answer = peer.send_text(&too_tight(&peer.request("urn:example:dance", "")));
    answer.refuses("wsa:ActionNotSupported", "");
    assert!(answer.text.len() <= 8192, "{} octets", answer.text.len());
}

fn long_selectors_are_a_limit(peer: &mut Peer, _: &Own) {
    let name = peer.get().selector(&"n".repeat(2049), "x");
    let many = (0..1200).fold(peer.get(), |get, n| get.selector(&format!("s{n}"), "value"));
    for request in [name, many] {
        peer.send(&request).refuses("wsman:EncodingLimit", "SelectorLimit").names("2048");
    }
}
