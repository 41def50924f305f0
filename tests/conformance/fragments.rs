//! Clause 7: transfer of parts of instances (7.7 to 7.11).

use xmltree::Element;

use crate::answer::{Answer, elements, is, properties, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::support::wsman::{CIM, Message, property};

rules! {
    r7_7_1 "parts of instances are served, and nothing but the part is transferred": holds_here(a_part_is_transferred_alone);
    r7_7_2 "FragmentTransfer is in requests and replies": holds_here(the_reply_repeats_which_part_it_is);
    r7_7_3 "the expression is XPath 1.0, evaluated at the instance": holds_here(paths_begin_at_the_instance);
    r7_7_4 "an unknown dialect is wsman:FragmentDialectNotSupported": holds_here(unknown_dialects_are_refused);
    r7_7_5 "fragments come in XmlFragment": holds_here(parts_are_wrapped);
    r7_7_6 "the text of a value can be had": holds_here(the_text_of_a_value_is_had);
    r7_7_7 "an expression beyond the service is wsman:CannotProcessFilter": holds_here(wrong_expressions_are_explained);
    r7_7_8 "a fragment is transferred whole or not at all": holds_here(a_wrong_part_changes_nothing);
    r7_9_1 "a Put of a fragment may pass read-only values over": holds_here(what_is_read_only_is_refused);
    r7_9_2 "a Put of a read-only fragment is wsa:ActionNotSupported": holds_here(what_is_read_only_is_refused);
    r7_10_1 "a locked fragment is wsman:AccessDenied": not_applicable("no value is ever locked");
    r7_11_1 "Create of a fragment updates nothing": holds_here(create_leaves_alone_what_is_there);
    r7_11_2 "a fragment that does not fit is wxf:InvalidRepresentation": holds_here(what_does_not_fit_is_not_made);
}

/// The header for an expression.
fn header(expression: &str) -> String {
    format!("<w:FragmentTransfer s:mustUnderstand=\"true\">{expression}</w:FragmentTransfer>")
}

/// Get of a part of the first instance, whose reply must come.
fn got(peer: &mut Peer, header: &str) -> Element {
    let answer = peer.send(&peer.get().header(header));
    let fragment = answer.succeeds();
    assert!(is(&fragment, "wsman:XmlFragment"), "{answer:?}");
    fragment
}

/// A change of a part of a job that has ended.
fn change(peer: &mut Peer, own: &Own, operation: &str, expression: &str, content: &str) -> Answer {
    let body = format!("<w:XmlFragment xmlns:p=\"{CIM}/CIM_ConcreteJob\">{content}</w:XmlFragment>");
    peer.send(&own.about_job(peer, operation, own.ended_job(), &body).header(&header(expression)))
}

/// A property of that job.
fn value(peer: &mut Peer, own: &Own, name: &str) -> Option<String> {
    property(&peer.send(&own.about_job(peer, "Get", own.ended_job(), "")).succeeds(), name)
}

fn a_part_is_transferred_alone(peer: &mut Peer, own: &Own) {
    let fragment = got(peer, &header("Name"));
    assert_eq!(properties(&fragment), [("Name".to_owned(), "filler-0000".to_owned())]);
    let name = value(peer, own, "Name");
    let put = change(peer, own, "Put", "DeleteOnCompletion", "<p:DeleteOnCompletion>true</p:DeleteOnCompletion>");
    assert_eq!(properties(&put.succeeds()), [("DeleteOnCompletion".to_owned(), "true".to_owned())]);
    assert_eq!(value(peer, own, "Name"), name);
}

fn the_reply_repeats_which_part_it_is(peer: &mut Peer, own: &Own) {
    let get = peer.send(&peer.get().header(&header("Name/text()")));
    let put = change(peer, own, "Put", "DeleteOnCompletion/text()", "true");
    for (answer, expression) in [(get, "Name/text()"), (put, "DeleteOnCompletion/text()")] {
        answer.succeeds();
        let repeated = answer.header("wsman:FragmentTransfer").unwrap_or_else(|| panic!("no header: {answer:?}"));
        assert_eq!(text(&repeated), expression);
        assert_eq!(repeated.attributes["mustUnderstand"], "true");
    }
}

fn paths_begin_at_the_instance(peer: &mut Peer, _: &Own) {
    let expected = got(peer, &header("Name"));
    let class = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_SoftwareIdentity";
    let named = header("p:Name").replacen(' ', &format!(" xmlns:p=\"{class}\" "), 1);
    let dialect = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    let explicit = header("Name").replacen(' ', &format!(" Dialect=\"{dialect}\" "), 1);
    for header in [named, explicit, header("./Name"), header("/LMI_SoftwareIdentity/Name")] {
        assert_eq!(properties(&got(peer, &header)), properties(&expected), "{header}");
    }
    let first = got(peer, &header("Classifications[1]"));
    assert_eq!(elements(&first).count(), 1);
}

fn unknown_dialects_are_refused(peer: &mut Peer, _: &Own) {
    let header = header("Name").replacen(' ', " Dialect=\"urn:example:poetry\" ", 1);
    let fault = peer.send(&peer.get().header(&header)).refuses("wsman:FragmentDialectNotSupported", "");
    let known = text(fault.names("poetry").element("wsman:FragmentDialect"));
    assert_eq!(known, "http://www.w3.org/TR/1999/REC-xpath-19991116");
}

fn parts_are_wrapped(peer: &mut Peer, own: &Own) {
    let bare = format!("<p:Priority xmlns:p=\"{CIM}/CIM_ConcreteJob\">5</p:Priority>");
    let put = own.about_job(peer, "Put", own.ended_job(), &bare);
    let answer = peer.send(&put.clone().header(&header("Priority")));
    answer.refuses("wxf:InvalidRepresentation", "InvalidFragment").names("XmlFragment");
    let unasked = Message { body: format!("<w:XmlFragment>{bare}</w:XmlFragment>"), ..put };
    peer.send(&unasked).refuses("wxf:InvalidRepresentation", "InvalidFragment").names("FragmentTransfer");
}

fn the_text_of_a_value_is_had(peer: &mut Peer, _: &Own) {
    let fragment = got(peer, &header("Name/text()"));
    assert_eq!((text(&fragment).as_str(), elements(&fragment).count()), ("filler-0000", 0));
}

fn wrong_expressions_are_explained(peer: &mut Peer, _: &Own) {
    for (expression, word) in
        [("//Name", "//"), ("count(Name)", "count"), ("Colour", "Colour"), ("Name[", "the end of the expression")]
    {
        let answer = peer.send(&peer.get().header(&header(expression)));
        answer.refuses("wsman:CannotProcessFilter", "").names("FragmentTransfer").names(word);
    }
}

fn a_wrong_part_changes_nothing(peer: &mut Peer, own: &Own) {
    let answer = change(peer, own, "Put", "DeleteOnCompletion/text()", "perhaps");
    answer.refuses("wxf:InvalidRepresentation", "InvalidValues").names("DeleteOnCompletion");
    assert_eq!(value(peer, own, "DeleteOnCompletion").as_deref(), Some("true"));
}

fn what_is_read_only_is_refused(peer: &mut Peer, own: &Own) {
    let before = value(peer, own, "Name");
    let answer = change(peer, own, "Put", "Name/text()", "another");
    answer.refuses("wsa:ActionNotSupported", "ActionMismatch").names("Name");
    assert_eq!(value(peer, own, "Name"), before);
}

fn create_leaves_alone_what_is_there(peer: &mut Peer, own: &Own) {
    let answer = change(peer, own, "Create", "DeleteOnCompletion/text()", "false");
    answer.refuses("wsman:AlreadyExists", "").names("DeleteOnCompletion");
    assert_eq!(value(peer, own, "DeleteOnCompletion").as_deref(), Some("true"));
}

fn what_does_not_fit_is_not_made(peer: &mut Peer, own: &Own) {
    let answer = change(peer, own, "Create", "ErrorDescription", "<p:Colour>red</p:Colour>");
    answer.refuses("wxf:InvalidRepresentation", "InvalidFragment").names("ErrorDescription");
    assert_eq!(value(peer, own, "ErrorDescription"), None);
}
