//! Faults for what a message is, whatever it is about.

use crate::answer::Answer;
use crate::control::get_large;
use crate::peer::Peer;
use crate::service::Own;
use crate::support::wsman::{ANONYMOUS, Message, without};
use crate::transfer::replying_to;

pub(crate) fn an_unknown_action(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.request("urn:example:dance", ""))
}

pub(crate) fn an_unknown_charset(peer: &mut Peer, _: &Own) -> Answer {
    let get = peer.get().envelope();
    peer.send_octets(&[("Content-Type", "application/soap+xml;charset=klingon")], get.as_bytes())
}

pub(crate) fn a_media_type_that_is_no_soap(peer: &mut Peer, _: &Own) -> Answer {
    let get = peer.get().envelope();
    peer.send_octets(&[("Content-Type", "application/xml")], get.as_bytes())
}

pub(crate) fn a_tight_envelope(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&get_large(peer).header("<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>"))
}

pub(crate) fn a_tiny_envelope(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().header("<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>"))
}

fn with_option(peer: &mut Peer, option: &str) -> Answer {
    peer.send(&peer.get().header(&format!("<w:OptionSet>{option}</w:OptionSet>")))
}

pub(crate) fn a_long_option(peer: &mut Peer, _: &Own) -> Answer {
    with_option(peer, &format!("<w:Option Name=\"unicorn\">{}</w:Option>", "v".repeat(4097)))
}

pub(crate) fn many_reference_parameters(peer: &mut Peer, _: &Own) -> Answer {
    peer.send_text(&replying_to(&peer.get(), &"<x xmlns=\"urn:example:header\"/>".repeat(600)))
}

pub(crate) fn a_long_uri(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { to: format!("http://example.org/{}", "u".repeat(2048)), ..peer.get() })
}

pub(crate) fn a_time_limit_that_is_none(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().header("<w:OperationTimeout>soon</w:OperationTimeout>"))
}

pub(crate) fn an_unknown_option(peer: &mut Peer, _: &Own) -> Answer {
    with_option(peer, "<w:Option Name=\"unicorn\" MustComply=\"true\"/>")
}

pub(crate) fn an_option_without_name(peer: &mut Peer, _: &Own) -> Answer {
    with_option(peer, "<w:Option/>")
}

pub(crate) fn a_switch_that_says_neither(peer: &mut Peer, _: &Own) -> Answer {
    with_option(peer, "<w:Option Name=\"ExcludeNilProperties\" MustComply=\"true\">pink</w:Option>")
}

pub(crate) fn no_reply_to(peer: &mut Peer, _: &Own) -> Answer {
    peer.send_text(&without(&peer.get().envelope(), "a:ReplyTo"))
}

pub(crate) fn a_reply_to_elsewhere(peer: &mut Peer, _: &Own) -> Answer {
    peer.send_text(&peer.get().envelope().replace(ANONYMOUS, "http://127.0.0.1:9/"))
}

pub(crate) fn a_mandatory_language(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().header("<w:Locale xml:lang=\"de\" s:mustUnderstand=\"true\"/>"))
}

pub(crate) fn an_unknown_mandatory_header(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().header("<x:Unicorn xmlns:x=\"urn:example:header\" s:mustUnderstand=\"true\"/>"))
}

pub(crate) fn soap_1_1(peer: &mut Peer, _: &Own) -> Answer {
    let older = "http://schemas.xmlsoap.org/soap/envelope/";
    let answer = peer.send_text(&peer.get().envelope().replace("http://www.w3.org/2003/05/soap-envelope", older));
    // A message of another version has no name that could be told here.
    Answer { request: String::new(), ..answer }
}
