//! Method calls with parameters of every kind.

use super::things::{Asked, Host, thing};
use super::*;

fn call<'a>(action: &'a str, keys: &'a [(&'a str, &'a str)], body: &'a str) -> Asked<'a> {
    Asked { action, class: "TST_Thing", keys, headers: "", body }
}

fn echo(host: &Host, parameters: &str) -> Reply {
    let body = format!("<p:Echo_INPUT xmlns:p='{CIM}TST_Thing'>{parameters}</p:Echo_INPUT>");
    host.send(call(&format!("{CIM}TST_Thing/Echo"), &[("Name", "a")], &body))
}

fn host() -> Host {
    let host = Host::new(Role::Operator);
    host.create("<p:Name>a</p:Name>");
    host
}

/// What stands in the output, without the return value.
fn outputs(reply: &Reply) -> String {
    let text = String::from_utf8(reply.body.clone().join()).unwrap();
    let (_, inside) = text.split_once("TST_Thing\">").unwrap_or_else(|| panic!("{text}"));
    let (inside, rest) = inside.split_once("<p:ReturnValue>").unwrap_or_else(|| panic!("{text}"));
    assert!(rest.starts_with("7</p:ReturnValue></p:Echo_OUTPUT>"), "{rest}");
    inside.to_owned()
}

#[test]
fn every_kind_of_parameter_comes_back_as_it_went() {
    let host = host();
    let reference = |name: &str| {
        format!(
            "<wsa:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:Address>\
             <wsa:ReferenceParameters><wsman:ResourceURI>{CIM}TST_Thing</wsman:ResourceURI><wsman:SelectorSet>\
             <wsman:Selector Name=\"__cimnamespace\">root/cimv2</wsman:Selector>\
             <wsman:Selector Name=\"Name\">{name}</wsman:Selector></wsman:SelectorSet></wsa:ReferenceParameters>"
        )
    };
    let embedded = |name: &str| {
        format!(
            "xmlns:p1=\"{CIM}TST_Thing\" xsi:type=\"p1:TST_Thing_Type\"><p1:Fixed>f</p1:Fixed><p1:Image>AQID</p1:Image>\
             <p1:Inner xsi:nil=\"true\"/><p1:List xsi:nil=\"true\"/><p1:Must>m</p1:Must><p1:Name>{name}</p1:Name>\
             <p1:Nothing xsi:nil=\"true\"/><p1:Small xsi:nil=\"true\"/><p1:Text xsi:nil=\"true\"/>\
             <p1:When xsi:nil=\"true\"/>"
        )
    };
    let (one, two, inner) = (reference("a"), reference("b"), embedded("i"));
    let sent = format!(
        "<p:B>true</p:B><p:S> t &lt; </p:S><p:C>ä</p:C><p:U>18446744073709551615</p:U><p:I>-9223372036854775808</p:I>\
         <p:R>-1.5</p:R><p:D>1E300</p:D><p:T><cim:Datetime>2026-11-27T10:00:00+01:00</cim:Datetime></p:T>\
         <p:L><cim:Interval>P1DT2S</cim:Interval></p:L><p:L xsi:nil=\"true\"/><p:Ss>x</p:Ss><p:Ss></p:Ss><p:O>AP8=</p:O>\
         <p:Ref>{one}</p:Ref><p:Refs>{one}</p:Refs><p:Refs>{two}</p:Refs><p:E {inner}</p:E><p:Es {inner}</p:Es>"
    );
    let declared = sent.replace("wsa:", "a:").replace("wsman:", "w:").replace("xsi:", "x:");
    // A reference is understood in an element of its own, too.
    let wrapped = declared.replacen("<p:Ref>", "<p:Ref><a:EndpointReference>", 1).replacen(
        "</p:Ref>",
        "</a:EndpointReference></p:Ref>",
        1,
    );
    for body in [&declared, &wrapped] {
        let came = outputs(&echo(&host, &format!("{body}<p:In>1</p:In>")));
        let (came, out) = came.split_at(came.len() - "<p:Out xsi:nil=\"true\"/>".len());
        assert_eq!(came, sent);
        assert_eq!(out, "<p:Out xsi:nil=\"true\"/>");
    }
    assert_eq!(outputs(&echo(&host, "")).matches("xsi:nil").count(), 16, "what is not given is NULL");
}

#[test]
fn parameters_may_come_in_any_order_and_in_any_namespace() {
    let host = host();
    let body = "<q:Echo_INPUT xmlns:q='urn:q'><S>second</S><q:b>1</q:b></q:Echo_INPUT>";
    let reply = host.ask(call(&format!("{CIM}TST_Thing/Echo"), &[("Name", "a")], body));
    assert!(reply.contains("<p:B>true</p:B><p:S>second</p:S>"), "{reply}");
}

#[test]
fn what_is_wrong_with_parameters_is_told() {
    let host = host();
    for (inner, detail, part) in [
        ("<p:Colour>red</p:Colour>", "InvalidName", "Echo has no input parameter \"Colour\""),
        ("<p:Out>1</p:Out>", "InvalidName", "Echo has no input parameter \"Out\""),
        ("<p:S>a</p:S><p:S>b</p:S>", "InvalidName", "parameter S of method Echo: it is given more than once"),
        ("<p:In>65536</p:In>", "TypeMismatch", "outside the range of uint16"),
        ("<p:T>yesterday</p:T>", "TypeMismatch", "is not a date and time"),
        ("<p:O>?</p:O>", "TypeMismatch", "it is not base64"),
        ("<p:Ref>x</p:Ref>", "TypeMismatch", "parameter Ref"),
        ("<p:E x:type='q:TST_Unicorn_Type'/>", "TypeMismatch", "TST_Unicorn"),
    ] {
        let fault = fault(&echo(&host, inner));
        assert_eq!(fault.kind, Some(FaultKind::InvalidParameter), "{inner}");
        assert_eq!(fault.details, [detail], "{inner}");
        assert!(fault.reason.contains(part), "{}", fault.reason);
    }
}

#[test]
fn who_may_not_call_learns_nothing_of_the_parameters() {
    let viewer = host().asked_by(Role::Viewer);
    assert_eq!(fault(&echo(&viewer, "<p:Colour>red</p:Colour>")).kind, Some(FaultKind::AccessDenied));
    let wrong = format!("<p:Count_INPUT xmlns:p='{CIM}TST_Thing'><p:Colour/></p:Count_INPUT>");
    let (kind, detail, _) = viewer.refused(call(&format!("{CIM}TST_Thing/Count"), &[], &wrong));
    assert_eq!((kind, detail.as_str()), (FaultKind::InvalidParameter, "InvalidName"), "who may look may call Count");
}

#[test]
fn a_static_method_is_called_on_the_class() {
    let host = host();
    let body = format!("<p:Count_INPUT xmlns:p='{CIM}TST_Thing'/>");
    let reply = host.ask(call(&format!("{CIM}TST_Thing/Count"), &[], &body));
    assert!(reply.contains("<p:Number>1</p:Number><p:ReturnValue>0</p:ReturnValue>"), "{reply}");
    assert!(reply.contains(&format!("<wsa:Action>{CIM}TST_Thing/CountResponse</wsa:Action>")), "{reply}");
}

#[test]
fn what_only_looks_is_not_told_to_be_done() {
    let host = host();
    let body = format!("<p:Count_INPUT xmlns:p='{CIM}TST_Thing'/>");
    let headers = "<w:OperationTimeout>PT0.05S</w:OperationTimeout>";
    let count = Asked { headers, ..call("", &[], &body) };
    let action = format!("{CIM}TST_Thing/Count");
    let (kind, _, reason) = host.while_held(|| host.refused(Asked { action: &action, ..count }));
    assert_eq!(kind, FaultKind::TimedOut);
    assert!(!reason.contains("goes on") && reason.contains("ask again"), "{reason}");
}

#[test]
fn what_the_class_does_not_do_is_no_action() {
    let host = host();
    for action in ["Fly", "Echo/"] {
        let action = format!("{CIM}TST_Thing/{action}");
        let (kind, _, reason) = host.refused(call(&action, &[("Name", "a")], ""));
        assert_eq!(kind, FaultKind::ActionNotSupported);
        assert!(reason.contains(&action), "{reason}");
    }
    let elsewhere = format!("{CIM}TST_Derived/Echo");
    assert_eq!(host.refused(call(&elsewhere, &[("Name", "a")], &thing(""))).0, FaultKind::ActionNotSupported);
    let missing = format!("{CIM}TST_Thing/Echo");
    assert_eq!(host.refused(call(&missing, &[("Name", "ghost")], "")).0, FaultKind::DestinationUnreachable);
    assert_eq!(host.refused(call(&missing, &[], "")).1, "InsufficientSelectors");
}
