//! Parts of instances, read and changed.

use super::things::{Asked, Host, text};
use super::*;

const NAME: &[(&str, &str)] = &[("Name", "a")];

fn host() -> Host {
    let host = Host::new(Role::Operator);
    host.create(
        "<p:Name>a</p:Name><p:Text>t &lt;</p:Text><p:Small>3</p:Small><p:List>x</p:List><p:List>y</p:List>\
         <p:When><cim:Datetime>2026-11-27T10:00:00Z</cim:Datetime></p:When>\
         <p:Inner x:type='q:TST_Thing_Type'><p:Name>i</p:Name><p:Small>4</p:Small></p:Inner>",
    );
    host
}

fn header(expression: &str) -> String {
    format!("<w:FragmentTransfer s:mustUnderstand='true'>{expression}</w:FragmentTransfer>")
}

fn wrapped(content: &str) -> String {
    format!("<w:XmlFragment xmlns:p='{CIM}TST_Thing'>{content}</w:XmlFragment>")
}

/// The reply to a request about a part.
fn send(host: &Host, action: &str, expression: &str, body: &str) -> Reply {
    host.send(Asked { action, class: "TST_Thing", keys: NAME, headers: &header(expression), body })
}

fn fragment_in(reply: &Reply) -> String {
    let text = String::from_utf8(reply.body.clone().join()).unwrap();
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("<wsman:FragmentTransfer s:mustUnderstand=\"true\">"), "R7.7-2: {text}");
    let (_, rest) = text.split_once("<s:Body><wsman:XmlFragment").unwrap_or_else(|| panic!("{text}"));
    rest.strip_suffix("</s:Body></s:Envelope>").unwrap().to_owned()
}

fn got(host: &Host, expression: &str) -> String {
    let fragment = fragment_in(&send(host, "Get", expression, ""));
    let fragment = fragment.strip_prefix('>').map_or("", |rest| rest.strip_suffix("</wsman:XmlFragment>").unwrap());
    fragment.replace(&format!(" xmlns:n0=\"{CIM}TST_Thing\""), "").replace("n0:", "p:")
}

fn refused(host: &Host, action: &str, expression: &str, body: &str) -> (FaultKind, String, String) {
    let asked = Asked { action, class: "TST_Thing", keys: NAME, headers: &header(expression), body };
    host.refused(asked)
}

#[test]
fn a_get_of_a_part_gives_what_the_path_leads_to() {
    let host = host();
    for (expression, fragment) in [
        ("Small", "<p:Small>3</p:Small>"),
        ("/TST_Thing/Small", "<p:Small>3</p:Small>"),
        ("TST_Thing/Small", "<p:Small>3</p:Small>"),
        ("p:Small/text()", "3"),
        ("Text/text()", "t &lt;"),
        ("List", "<p:List>x</p:List><p:List>y</p:List>"),
        ("List[2]", "<p:List>y</p:List>"),
        ("List[2]/text()", "y"),
        ("List[. = &quot;x&quot;]", "<p:List>x</p:List>"),
        ("List[3]", ""),
        ("Inner/Small/text()", "4"),
        ("When/Datetime/text()", "2026-11-27T10:00:00Z"),
        ("Nothing", "<p:Nothing xsi:nil=\"true\"/>"),
        ("Nothing/text()", ""),
    ] {
        assert_eq!(got(&host, expression), fragment, "{expression}");
    }
}

/// What `xsi:type` names is declared where it is used.
#[test]
fn types_are_declared_in_fragments_too() {
    let host = host();
    for (expression, element) in [("/", "n0:TST_Thing"), ("Inner", "n0:Inner")] {
        let fragment = fragment_in(&send(&host, "Get", expression, ""));
        assert!(fragment.starts_with(&format!(" xmlns:t0=\"{CIM}TST_Thing\"><{element} ")), "{fragment}");
        assert!(fragment.contains("xsi:type=\"t0:TST_Thing_Type\"") && !fragment.contains("\"p"), "{fragment}");
    }
}

#[test]
fn a_put_of_a_part_changes_that_part_and_shows_it() {
    let host = host();
    for (expression, content, shown) in [
        ("Small", "<p:Small>5</p:Small>", "<p:Small>5</p:Small>"),
        ("Small", "<Small>6</Small>", "<p:Small>6</p:Small>"),
        ("Small/text()", "7", "7"),
        ("List[1]", "<p:List>z</p:List>", "<p:List>z</p:List>"),
        ("List[2]/text()", "w", "w"),
        ("List", "<p:List>1</p:List><p:List>2</p:List><p:List>3</p:List>", ""),
        ("Text", "<p:Text x:nil='true'/>", "<p:Text xsi:nil=\"true\"/>"),
        ("Text/text()", "back", "back"),
    ] {
        let reply = fragment_in(&send(&host, "Put", expression, &wrapped(content)));
        assert!(
            reply.replace(&format!(" xmlns:n0=\"{CIM}TST_Thing\""), "").replace("n0:", "p:").contains(shown),
            "{reply}"
        );
    }
    assert_eq!(got(&host, "List"), "<p:List>1</p:List><p:List>2</p:List><p:List>3</p:List>");
    let shown = host.get("a");
    assert_eq!((text(&shown, "Small").unwrap(), text(&shown, "Text").unwrap()), ("7".to_owned(), "back".to_owned()));
    assert_eq!(text(&shown, "Must").unwrap(), "m", "everything else stays");
}

/// DSP0226 R7.4-8: the reply shows the part as it is, also where the condition that it was found by holds no more.
#[test]
fn a_part_that_was_found_by_its_value_is_shown_with_its_new_one() {
    let host = host();
    for (expression, content, shown) in [
        ("Small[.='3']", "<p:Small>5</p:Small>", ">5</n0:Small>"),
        ("List[.='x']", "<p:List>z</p:List>", ">z</n0:List>"),
    ] {
        let fragment = fragment_in(&send(&host, "Put", expression, &wrapped(content)));
        assert!(fragment.contains(shown), "{fragment}");
    }
    assert_eq!(got(&host, "List"), "<p:List>z</p:List><p:List>y</p:List>");
}

/// As a Put without fragments may.
#[test]
fn a_whole_instance_may_go_by_the_name_of_any_of_its_classes() {
    let host = host();
    for (n, (expression, class)) in
        [(".", "TST_Thing"), (".", "TST_Root"), ("/", "TST_Root"), ("/TST_Thing", "TST_Root")].iter().enumerate()
    {
        let content = format!("<p:{class}><p:Name>a</p:Name><p:Text>{n}</p:Text></p:{class}>");
        let shown = fragment_in(&send(&host, "Put", expression, &wrapped(&content)));
        assert!(shown.contains(&format!("Text>{n}</")), "{expression} {class}: {shown}");
    }
    let (kind, detail, _) = refused(&host, "Put", ".", &wrapped("<p:TST_Base/>"));
    assert_eq!((kind, detail.as_str()), (FaultKind::InvalidRepresentation, "InvalidFragment"));
}

#[test]
fn parts_are_put_in_and_taken_out() {
    let host = host();
    for (action, expression, content, list) in [
        ("Create", "List[3]", "<p:List>c</p:List>", "x y c"),
        ("Create", "List[1]", "<p:List>a</p:List>", "a x y c"),
        ("Delete", "List[2]", "", "a y c"),
        ("Delete", "List[. = &quot;c&quot;]", "", "a y"),
        ("Delete", "List", "", ""),
        ("Create", "List", "<p:List>1</p:List><p:List>2</p:List>", "1 2"),
    ] {
        let body = if content.is_empty() { String::new() } else { wrapped(content) };
        let reply = send(&host, action, expression, &body);
        let told = String::from_utf8_lossy(&reply.body.clone().join()).into_owned();
        assert_eq!(reply.status, 200, "{told}");
        assert!(told.contains("<wsman:FragmentTransfer"), "{told}");
        assert!(action == "Delete" || told.contains("<wxf:ResourceCreated>"), "R7.11: {told}");
        let items = got(&host, "List").replace("<p:List xsi:nil=\"true\"/>", "").replace("</p:List><p:List>", " ");
        assert_eq!(items.replace("<p:List>", "").replace("</p:List>", ""), list, "{action} {expression}");
    }
    send(&host, "Delete", "Text", "");
    assert_eq!(text(&host.get("a"), "Text"), None);
    assert_eq!(send(&host, "Create", "Text/text()", &wrapped("new")).status, 200);
    assert_eq!(text(&host.get("a"), "Text").unwrap(), "new");
    assert_eq!(refused(&host, "Create", "Text/text()", &wrapped("newer")).0, FaultKind::AlreadyExists, "R7.11-1");
}

/// The header is mandatory (R7.7-2), so what has no parts does not pass it over.
#[test]
fn what_has_no_parts_refuses_the_header() {
    let headers = &header("Small");
    let asked = Asked { action: "Enumerate", class: "TST_Thing", headers, body: "<n:Enumerate/>", ..Asked::default() };
    let (kind, detail, reason) = host().refused(asked);
    assert_eq!((kind, &*detail), (FaultKind::UnsupportedFeature, "FragmentLevelAccess"));
    assert!(reason.contains("leave the header wsman:FragmentTransfer out"), "{reason}");
}

#[test]
fn what_is_wrong_with_a_part_is_told() {
    let host = host();
    let small = wrapped("<p:Small>5</p:Small>");
    for (action, expression, body, kind, detail, part) in [
        ("Get", "Colour", "", FaultKind::CannotProcessFilter, "", "no property Colour"),
        ("Get", "//Small", "", FaultKind::CannotProcessFilter, "", "//"),
        ("Get", "List/text()", "", FaultKind::CannotProcessFilter, "", "in several places"),
        ("Get", "count(List)", "", FaultKind::CannotProcessFilter, "", "count"),
        ("Put", "Small", "", FaultKind::InvalidRepresentation, "MissingValues", "empty"),
        (
            "Put",
            "Small",
            "<p:Small xmlns:p='u'>5</p:Small>",
            FaultKind::InvalidRepresentation,
            "InvalidFragment",
            "wrapped",
        ),
        ("Put", "Text", &small, FaultKind::InvalidRepresentation, "InvalidFragment", "takes the element Text"),
        ("Put", "List[7]", &wrapped("<p:List/>"), FaultKind::InvalidRepresentation, "InvalidFragment", "no List[7]"),
        ("Put", "Small/text()", &wrapped("x"), FaultKind::InvalidRepresentation, "InvalidValues", "not a uint8"),
        ("Put", "Small/text()", &wrapped("10"), FaultKind::InvalidRepresentation, "InvalidValues", "at most 9"),
        (
            "Put",
            "Must",
            &wrapped("<p:Must x:nil='true'/>"),
            FaultKind::InvalidRepresentation,
            "InvalidValues",
            "must have",
        ),
        ("Put", "Fixed/text()", &wrapped("g"), FaultKind::ActionNotSupported, "ActionMismatch", "Fixed"),
        ("Put", "Name/text()", &wrapped("b"), FaultKind::ActionNotSupported, "ActionMismatch", "Name"),
        ("Delete", "Must", "", FaultKind::InvalidRepresentation, "InvalidValues", "must have a value"),
        ("Delete", "Nothing", "", FaultKind::InvalidRepresentation, "InvalidFragment", "no Nothing"),
    ] {
        let (found, found_detail, reason) = refused(&host, action, expression, body);
        assert_eq!((found, found_detail.as_str()), (kind, detail), "{action} {expression}: {reason}");
        assert!(reason.contains(part), "{action} {expression}: {reason}");
    }
    let other = "<w:FragmentTransfer s:mustUnderstand='true' Dialect='urn:x'>Small</w:FragmentTransfer>";
    let reply = host.send(Asked { action: "Get", class: "TST_Thing", keys: NAME, headers: other, body: "" });
    let fault = fault(&reply);
    assert_eq!(fault.kind, Some(FaultKind::FragmentDialectNotSupported));
    assert!(fault.elements.iter().any(|e| e.name == "FragmentDialect"), "R7.7-4: {fault:?}");
    let unasked = Asked { action: "Put", class: "TST_Thing", keys: NAME, headers: "", body: &small };
    assert_eq!(host.refused(unasked).1, "InvalidFragment");
}
