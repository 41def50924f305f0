//! Put, Create and Delete.

use super::things::{Asked, Host, text, thing};
use super::*;

const NAME: &[(&str, &str)] = &[("Name", "a")];

fn host() -> Host {
    let host = Host::new(Role::Operator);
    host.create("<p:Name>a</p:Name><p:Text>t</p:Text><p:Small>3</p:Small><p:List>x</p:List><p:List>y</p:List>");
    host
}

fn put<'a>(body: &'a str, headers: &'a str) -> Asked<'a> {
    Asked { action: "Put", class: "TST_Thing", keys: NAME, headers, body }
}

#[test]
fn what_is_created_is_named_and_can_be_got_and_deleted() {
    let host = Host::new(Role::Operator);
    let created = host.create("<p:Name>b&lt;</p:Name><p:Must>n</p:Must>");
    assert!(created.contains("<wxf:ResourceCreated><wsa:Address>https://host/wsman</wsa:Address>"), "{created}");
    assert!(created.contains("<wsman:Selector Name=\"Name\">b&lt;</wsman:Selector>"), "{created}");
    let shown = host.get("b&lt;");
    assert_eq!(text(&shown, "Must").unwrap(), "n");
    assert_eq!((text(&shown, "Fixed").unwrap(), text(&shown, "Small")), ("f".to_owned(), None));
    let delete = Asked { action: "Delete", class: "TST_Thing", keys: &[("Name", "b&lt;")], ..Asked::default() };
    assert!(host.ask(delete).ends_with("<s:Body/></s:Envelope>"));
    assert_eq!(host.refused(delete).0, FaultKind::DestinationUnreachable);
}

#[test]
fn a_key_may_be_given_as_a_selector_or_not_at_all() {
    let host = Host::new(Role::Operator);
    let body = thing("<p:Text>t</p:Text>");
    fn create<'a>(keys: &'a [(&'a str, &'a str)], body: &'a str) -> Asked<'a> {
        Asked { action: "Create", class: "TST_Thing", keys, headers: "", body }
    }
    host.ask(create(NAME, &body));
    assert_eq!(text(&host.get("a"), "Text").unwrap(), "t");
    assert!(host.ask(create(&[], &body)).contains(">unnamed<"));
    let (kind, detail, _) = host.refused(create(NAME, &thing("<p:Name>b</p:Name>")));
    assert_eq!((kind, detail.as_str()), (FaultKind::InvalidSelectors, "InvalidValue"));
    let (kind, detail, _) = host.refused(create(&[("Text", "x")], &body));
    assert_eq!((kind, detail.as_str()), (FaultKind::InvalidSelectors, "UnexpectedSelectors"));
}

#[test]
fn what_cannot_be_created_is_named() {
    let host = host();
    let create = |class: &str, body: &str| host.refused(Asked { action: "Create", class, body, ..Asked::default() });
    for (inner, detail, part) in [
        ("<p:Text>t</p:Text><p:Must x:nil='true'/>", "InvalidValues", "Must: it must have a value"),
        ("<p:Small>10</p:Small>", "InvalidValues", "Small: it must be at most 9"),
        ("<p:Small>x</p:Small>", "InvalidValues", "Small: \"x\" is not a uint8"),
        ("<p:Text>123456789</p:Text>", "InvalidValues", "Text: it may have at most 8 characters"),
        ("<p:Colour/>", "InvalidValues", "no property \"Colour\""),
    ] {
        let (kind, found, reason) = create("TST_Thing", &thing(inner));
        assert_eq!((kind, found.as_str()), (FaultKind::InvalidRepresentation, detail), "{inner}");
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(create("TST_Thing", &thing("<p:Name>a</p:Name>")).0, FaultKind::AlreadyExists);
    assert_eq!(create("TST_Thing", "").1, "MissingValues");
    let body = format!("<p:TST_Base xmlns:p='{CIM}TST_Base'/>");
    assert_eq!(create("TST_Base", &body).0, FaultKind::ActionNotSupported);
    let body = body.replace("TST_Base", "TST_Derived");
    assert_eq!(create("TST_Base", &body).0, FaultKind::ActionNotSupported);
    assert_eq!(create("TST_Unicorn", &body).0, FaultKind::DestinationUnreachable);
}

#[test]
fn a_put_changes_what_it_gives_and_shows_the_whole() {
    let host = host();
    let body = thing("<p:Text>new</p:Text><p:List>z</p:List><p:Fixed>changed</p:Fixed>");
    let reply = host.ask(put(&body, "<w:RequestEPR/>"));
    assert!(reply.contains("transfer/PutResponse") && reply.contains("<p:Text>new</p:Text>"), "{reply}");
    assert!(reply.contains("<wsman:RequestedEPR>"), "{reply}");
    let shown = host.get("a");
    // A read-only property is passed over (R7.4-3); what is not given stays.
    assert_eq!(text(&shown, "Fixed").unwrap(), "f");
    assert_eq!((text(&shown, "Small").unwrap(), text(&shown, "List").unwrap()), ("3".to_owned(), "z".to_owned()));
}

/// Decision 8a: PowerShell sends back the whole instance with every NULL as nil.
#[test]
fn nil_is_null_where_that_can_be() {
    let host = host();
    let whole = "<p:Name>a</p:Name><p:Text x:nil='true'/><p:Small>3</p:Small><p:When x:nil='true'/>\
                 <p:Nothing x:nil='true'/><p:Fixed x:nil='true'/><p:Must>m</p:Must>";
    host.ask(put(&thing(whole), ""));
    let shown = host.get("a");
    assert_eq!((text(&shown, "Text"), text(&shown, "Small")), (None, Some("3".to_owned())));
    for (inner, part) in [
        ("<p:Must x:nil='true'/>", "property Must: it must have a value"),
        ("<p:Name x:nil='true'/>", "property Name: it must have a value"),
        ("<p:Name>b</p:Name>", "property Name: it is a key"),
    ] {
        let (kind, detail, reason) = host.refused(put(&thing(inner), ""));
        assert_eq!((kind, detail.as_str()), (FaultKind::InvalidRepresentation, "InvalidValues"), "{inner}");
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn only_listed_properties_change_where_the_client_lists_them() {
    let host = host();
    let listed = "<w:OptionSet s:mustUnderstand='true'>\
        <w:Option Name='wmiarray:__MIInstanceModifiedPropertiesList' Type='xs:string'>Small</w:Option>\
        <w:Option Name='__MI_CallbackRegistration' Type='xs:int'>11</w:Option></w:OptionSet>";
    let body = thing("<p:Text>new</p:Text><p:Small x:type='cim:cimUnsignedByte'>5</p:Small><p:Must x:nil='true'/>");
    host.ask(put(&body, listed));
    let shown = host.get("a");
    assert_eq!((text(&shown, "Text").unwrap(), text(&shown, "Small").unwrap()), ("t".to_owned(), "5".to_owned()));
}

#[test]
fn precise_arrays_tell_null_from_an_array_that_holds_it() {
    let host = host();
    let option =
        "<w:OptionSet><w:Option Name='msftwinrm:UsePreciseArrays' Type='xs:boolean'>true</w:Option></w:OptionSet>";
    let reply = host.ask(put(&thing("<p:List x:nil='true'/>"), option));
    assert!(reply.contains("<p:List xsi:nil=\"true\"/>"), "{reply}");
    let reply = host.ask(put(&thing("<p:List x:nil='true' m:IsNullArray='true'/>"), option));
    let marked = "m:IsNullArray=\"true\" xsi:nil=\"true\"/>";
    assert!(reply.contains(marked) && reply.matches(marked).count() == 2, "List and Image are NULL: {reply}");
    assert!(!host.ask(put(&thing(""), "")).contains("IsNullArray"));
}

#[test]
fn extensions_are_shown_to_who_asks() {
    let host = host();
    let asked = |headers| Asked { action: "Get", class: "TST_Thing", keys: NAME, headers, body: "" };
    let shown = host.ask(asked("<w:OptionSet><w:Option Name='ShowExtensions'/></w:OptionSet>"));
    assert!(shown.contains("<p:Name cim:Key=\"true\">a</p:Name>"), "{shown}");
    assert!(!host.ask(asked("")).contains("cim:Key"));
}

#[test]
fn a_viewer_changes_nothing() {
    let viewer = Host::new(Role::Viewer);
    let body = thing("<p:Name>a</p:Name>");
    let create = Asked { action: "Create", class: "TST_Thing", body: &body, ..Asked::default() };
    assert_eq!(viewer.refused(create).0, FaultKind::AccessDenied);
    // Who may not create learns nothing of what would be wrong with the instance.
    for wrong in [&thing("<p:Colour/>"), "", "<TST_Base/>"] {
        assert_eq!(viewer.refused(Asked { body: wrong, ..create }).0, FaultKind::AccessDenied, "{wrong}");
    }
    let viewer = host().asked_by(Role::Viewer);
    let delete = Asked { action: "Delete", class: "TST_Thing", keys: NAME, ..Asked::default() };
    assert_eq!(viewer.refused(delete).0, FaultKind::AccessDenied);
}

/// DSP0226 R13.4-6: a fault of 4,096 octets can always be sent, so that none quotes all that a client wrote.
#[test]
fn a_fault_does_not_grow_with_the_request() {
    let host = host();
    for (character, most) in [("x", 3000), ("&amp;", 800), ("\u{1F4E6}", 700)] {
        let long = character.repeat(most);
        let get = |keys| Asked { action: "Get", class: "TST_Thing", keys, ..Asked::default() };
        let (small, text) = (format!("<p:Small>{long}</p:Small>"), format!("<p:Text>{long}</p:Text>"));
        let (small, text) = (thing(&small), thing(&text));
        for asked in [
            get(&[("Name", &*long)][..]),
            get(&[("Text", &*long)][..]),
            get(&[("Name", "a"), (&*long, "b")][..]),
            put(&small, ""),
            put(&text, ""),
        ] {
            let reply = host.send(asked);
            assert_eq!(reply.status, 500);
            assert!(
                reply.body.len() < 4096,
                "{}: {}",
                reply.body.len(),
                String::from_utf8_lossy(&reply.body.clone().join())
            );
        }
    }
}

/// DSP0227 R6-1: all classes are nothing to transfer.
#[test]
fn all_classes_are_neither_put_nor_created_nor_deleted() {
    let host = host();
    let body = thing("");
    for action in ["Get", "Put", "Create", "Delete"] {
        let class = "http://schemas.dmtf.org/wbem/wscim/1/*";
        let (kind, detail, _) = host.refused(Asked { action, class, body: &body, ..Asked::default() });
        assert_eq!((kind, detail.as_str()), (FaultKind::ActionNotSupported, "ActionMismatch"), "{action}");
    }
}

/// DSP0226 R6.2-1, R6.2-2, R6.2-5.
#[test]
fn what_does_not_fit_the_reply_is_told_by_whose_limit() {
    let host = host();
    let items = "<p:List>0123456789</p:List>".repeat(19_000);
    let limit = |octets: u32| format!("<w:MaxEnvelopeSize>{octets}</w:MaxEnvelopeSize>");
    let (roomy, small) = (limit(1_000_000), limit(20_000));
    host.ask(put(&thing(&items), &roomy));
    let get = |headers: &str| host.send(Asked { action: "Get", class: "TST_Thing", keys: NAME, headers, body: "" });
    assert_eq!(get(&roomy).status, 200);
    assert_eq!(fault(&get(&small)).details, ["MaxEnvelopeSize"]);
    assert_eq!(fault(&get("")).details, ["ServiceEnvelopeLimit"]);
    let text = thing("<p:Text>new</p:Text>");
    let (kind, detail, reason) = host.refused(put(&text, &small));
    assert_eq!((kind, detail.as_str()), (FaultKind::EncodingLimit, "UnreportableSuccess"));
    assert!(reason.contains("it was done"), "{reason}");
}
