//! Bad input: every malformed or hostile request gets a specific answer and changes nothing.

use std::io::{Read, Write};

use crate::access::is_alive;
use crate::support::installation::{installed_names, jobs};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, Server};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, Client, Message, OPEN, Reply, read_reply, without};

/// What must come back: an HTTP status without SOAP, or a fault's subcode.
enum Answer<'a> {
    Status(&'a [u16]),
    Fault(&'a [&'a str]),
}
use Answer::{Fault, Status};

const SOAP: &str = "application/soap+xml;charset=UTF-8";

fn host() -> (DebRoot, Host, Server) {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let host = Host::new(&root.path(), "deb").with_settings("[limits]\nbody_seconds = 2\nhead_seconds = 2\n");
    let server = host.serve();
    (root, host, server)
}

/// What did not come back as it must; told all at once.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn check(&mut self, name: &str, reply: &Reply, expected: &Answer<'_>) {
        match expected {
            Status(statuses) => {
                self.expect(statuses.contains(&reply.status), || format!("{name}: {} {}", reply.status, reply.body));
            }
            Fault(_) if !reply.body.contains(":Fault>") => {
                self.expect(false, || format!("{name}: no fault, but {} {}", reply.status, reply.body));
            }
            Fault(subcodes) => {
                let (subcode, reason) = reply.fault();
                let known = subcodes.contains(&subcode.as_str());
                self.expect(known, || format!("{name}: {subcode} ({reason}), not {subcodes:?}"));
                self.expect(!reason.is_empty(), || format!("{name}: a fault without reason"));
                self.expect(reply.status == 500, || format!("{name}: a fault with the status {}", reply.status));
            }
        }
        for secret in ["panicked", "src/", "SELECT ", "/tmp/", "root:x:0"] {
            let told = reply.body.contains(secret);
            self.expect(!told, || format!("{name}: the reply tells {secret:?}: {}", reply.body));
        }
    }

    fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.0.push(finding());
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// Nothing changed, and the server is the same process as before.
fn check_unchanged(server: &mut Server, pid: u32) {
    assert!(server.is_running() && server.pid() == pid, "the server ended");
    let mut client = server.admin();
    assert_eq!(installed_names(&mut client), ["alpha"]);
    assert!(jobs(&mut client).is_empty(), "a hostile request made a job");
    is_alive(server);
}

#[test]
fn malformed_envelopes_are_refused() {
    let (_root, _host, mut server) = host();
    let pid = server.pid();
    let mut client = server.admin();
    let good = Message::get(&format!("{CIM}/CIM_ComputerSystem")).envelope();
    let in_body = |xml: &str| good.replace("<s:Body>", &format!("<s:Body>{xml}"));
    let levels = |n: usize| in_body(&format!("{}{}", "<x>".repeat(n), "</x>".repeat(n)));
    let many_attributes: String = (0..65).map(|i| format!(" a{i}=\"1\"")).collect();
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
    let outside = "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let table: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("white space", "  \n ".into()),
        ("no XML", "hello".into()),
        ("JSON", "{\"a\": 1}".into()),
        ("an entity bomb", format!("{laughs}{}", good.replace("<s:Body>", "<s:Body>&c;"))),
        ("an external entity", format!("{outside}{}", good.replace("<s:Body>", "<s:Body>&x;"))),
        ("a processing instruction", in_body("<?php evil() ?>")),
        ("65 levels", levels(65)),
        ("100,000 levels", "<x>".repeat(100_000)),
        ("20,001 elements", in_body(&"<x/>".repeat(20_001))),
        ("65 attributes", in_body(&format!("<x{many_attributes}/>"))),
        ("two roots", format!("{good}{good}")),
        ("text after the root", format!("{good}and more")),
        ("an open root", good.replace("</s:Envelope>", "")),
        ("crossed tags", in_body("<x><y></x></y>")),
        ("an unbound prefix", in_body("<zz:x/>")),
        ("a repeated attribute", in_body("<x a=\"1\" a=\"2\"/>")),
        ("an attribute repeated by namespace", in_body("<x xmlns:p=\"urn:q\" xmlns:q=\"urn:q\" p:a=\"1\" q:a=\"2\"/>")),
        ("a control character", in_body("<x>\u{1}</x>")),
        ("a control character by reference", in_body("<x>&#1;</x>")),
        ("an unknown entity", in_body("<x>&nbsp;</x>")),
        ("a late XML declaration", in_body("<?xml version=\"1.0\"?>")),
        ("the end of CDATA in text", in_body("<x>]]></x>")),
        ("a bracket in an attribute", in_body("<x a=\"<\"/>")),
    ];
    let mut findings = Findings::default();
    for (name, body) in table {
        let reply = client.post(&body);
        // What is no XML is answered by HTTP: there is no message that a fault could relate to.
        findings.check(name, &reply, &Status(&[400]));
        findings.expect(!reply.body.trim().is_empty(), || format!("{name}: no word about what is wrong"));
    }
    let no_envelope: Vec<(&str, String, &[&str])> = vec![
        ("another root", "<html><body/></html>".into(), &["SchemaValidationError"]),
        (
            "SOAP 1.1",
            good.replace("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"),
            &["VersionMismatch"],
        ),
        ("no body", format!("{OPEN}<s:Header/></s:Envelope>"), &["SchemaValidationError"]),
        ("two bodies", good.replace("</s:Envelope>", "<s:Body/></s:Envelope>"), &["SchemaValidationError"]),
    ];
    for (name, body, subcodes) in no_envelope {
        findings.check(name, &client.post(&body), &Fault(subcodes));
    }
    findings.none();
    check_unchanged(&mut server, pid);
}

#[test]
fn what_is_no_soap_over_http_is_refused() {
    let (_root, _host, mut server) = host();
    let pid = server.pid();
    let mut client = server.admin();
    let good = Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>").envelope();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_bom = [&[0xff, 0xfe], utf16.as_slice()].concat();
    let table: Vec<(&str, &str, Vec<u8>, Answer<'_>)> = vec![
        ("a picture", "image/png", good.clone().into_bytes(), Status(&[415])),
        ("multipart", "multipart/encrypted;boundary=x", good.clone().into_bytes(), Status(&[415])),
        (
            "an unknown charset",
            "application/soap+xml;charset=klingon",
            good.clone().into_bytes(),
            Fault(&["EncodingLimit"]),
        ),
        (
            "half a character of UTF-16",
            "application/soap+xml;charset=UTF-16",
            with_bom[..with_bom.len() - 1].to_vec(),
            Status(&[400]),
        ),
        ("UTF-16 that says UTF-8", SOAP, with_bom.clone(), Status(&[400])),
        ("bytes that are no UTF-8", SOAP, vec![0xc3, 0x28, 0xff, 0xfe, 0x00], Status(&[400])),
        ("more than the limit", SOAP, vec![b' '; 600 * 1024], Status(&[413])),
    ];
    let mut findings = Findings::default();
    for (name, content_type, body, expected) in table {
        let reply = client.post_to("/wsman", &[("Content-Type", content_type)], &body);
        findings.check(name, &reply, &expected);
    }
    findings.none();
    let credentials = format!("Authorization: {}\r\n", client.authorization());
    for (name, request, statuses) in [
        ("GET", format!("GET /wsman HTTP/1.1\r\nHost: x\r\n{credentials}\r\n"), vec![405, 404]),
        (
            "an unknown path",
            format!("POST /etc/passwd HTTP/1.1\r\nHost: x\r\n{credentials}Content-Length: 0\r\n\r\n"),
            vec![404],
        ),
        (
            "a path that climbs",
            format!("POST /wsman/../../x HTTP/1.1\r\nHost: x\r\n{credentials}Content-Length: 0\r\n\r\n"),
            vec![404, 400],
        ),
        ("no HTTP at all", "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(), vec![400]),
        (
            "a huge header",
            format!("POST /wsman HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(400_000)),
            vec![400, 431],
        ),
        (
            "two lengths",
            "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd".to_owned(),
            vec![400],
        ),
        (
            "a length and chunks",
            "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_owned(),
            vec![400, 401],
        ),
    ] {
        // A connection that is closed without a word is an answer too, to what is no HTTP.
        if let Ok(reply) = Client::new(server.port, "x", "y").exchange(request.as_bytes()) {
            assert!(statuses.contains(&reply.status), "{name}: {} {}", reply.status, reply.body);
        }
    }
    let utf16 = client.post_to("/wsman", &[("Content-Type", "application/soap+xml;charset=UTF-16")], &with_bom);
    assert_eq!(utf16.status, 200, "{}", utf16.body);
    assert!(utf16.head.contains("charset=UTF-16"), "UTF-16 is answered in UTF-16: {}", utf16.head);
    assert_eq!(utf16.content().name, "EnumerateResponse");
    check_unchanged(&mut server, pid);
}

#[test]
fn messages_that_break_the_rules_get_the_fault_of_the_rule() {
    let (_root, _host, mut server) = host();
    let pid = server.pid();
    let mut client = server.admin();
    let system = format!("{CIM}/CIM_ComputerSystem");
    let software = format!("{CIM}/CIM_SoftwareIdentity");
    let service = format!("{CIM}/CIM_SoftwareInstallationService");
    let envelope = |message: Message| message.envelope();
    let get = || Message::get(&software).selector("InstanceID", "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all");
    let without = |part: &str| without(&get().envelope(), part);
    let enumerate = |options: &str| Message::enumerate(&software, options).envelope();
    let filter = |dialect: &str, text: &str| format!("<w:Filter Dialect=\"{dialect}\">{text}</w:Filter>");
    let cql = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
    let eventing = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
    let subscribe = |body: &str| Message::action(&format!("{eventing}/Subscribe"), ALL_CLASSES, body).envelope();
    let push = |sink: &str, rest: &str| {
        subscribe(&format!(
            "<e:Subscribe><e:Delivery><e:NotifyTo><a:Address>{sink}</a:Address></e:NotifyTo></e:Delivery>{rest}</e:Subscribe>"
        ))
    };
    let all_creations = filter(cql, "SELECT * FROM CIM_InstCreation");
    let deep = format!("SELECT * FROM CIM_InstCreation WHERE {}a = 1{}", "(".repeat(5000), ")".repeat(5000));
    let table: Vec<(&str, String, &[&str])> = vec![
        ("no Action", without("a:Action"), &["MessageInformationHeaderRequired"]),
        (
            "no MessageID",
            without("a:MessageID"),
            &["InvalidMessageInformationHeader", "MessageInformationHeaderRequired"],
        ),
        ("no ReplyTo", without("a:ReplyTo"), &["MessageInformationHeaderRequired"]),
        ("no ResourceURI", without("w:ResourceURI"), &["DestinationUnreachable"]),
        ("an unknown action", envelope(Message::action("urn:x:dance", &system, "")), &["ActionNotSupported"]),
        ("two Actions", get().header("<a:Action>urn:x</a:Action>").envelope(), &["InvalidMessageInformationHeader"]),
        (
            "a header that must be understood",
            get().header("<x:Y xmlns:x=\"urn:x\" s:mustUnderstand=\"true\"/>").envelope(),
            &["MustUnderstand"],
        ),
        (
            "a reply to somebody else",
            get().envelope().replace(ANONYMOUS, "http://127.0.0.1:1/"),
            &["UnsupportedFeature"],
        ),
        ("a tiny envelope", get().header("<w:MaxEnvelopeSize>100</w:MaxEnvelopeSize>").envelope(), &["EncodingLimit"]),
        (
            "no envelope size",
            get().header("<w:MaxEnvelopeSize>many</w:MaxEnvelopeSize>").envelope(),
            &["InvalidMessageInformationHeader"],
        ),
        (
            "no time",
            get().header("<w:OperationTimeout>soon</w:OperationTimeout>").envelope(),
            &["InvalidMessageInformationHeader"],
        ),
        (
            "an option that must be obeyed",
            get().header("<w:OptionSet><w:Option Name=\"x\" MustComply=\"true\">1</w:Option></w:OptionSet>").envelope(),
            &["InvalidOptions"],
        ),
        (
            "a path through everything",
            get().header("<w:FragmentTransfer s:mustUnderstand=\"true\">//*[//*]</w:FragmentTransfer>").envelope(),
            &["CannotProcessFilter"],
        ),
        ("an unknown class", envelope(Message::get(&format!("{CIM}/CIM_Unicorn"))), &["DestinationUnreachable"]),
        (
            "an unknown namespace",
            envelope(get().selector("__cimnamespace", "root/unicorn")),
            &["DestinationUnreachable"],
        ),
        ("no URI", envelope(Message::get("not a uri")), &["DestinationUnreachable"]),
        ("no selectors", envelope(Message::get(&software)), &["InvalidSelectors"]),
        ("an unknown selector", envelope(get().selector("Colour", "red")), &["InvalidSelectors"]),
        ("a selector twice", envelope(get().selector("InstanceID", "x")), &["InvalidSelectors"]),
        (
            "a key that names nothing",
            envelope(Message::get(&software).selector("InstanceID", "../../etc/passwd")),
            &["DestinationUnreachable", "InvalidSelectors", "InvalidParameter"],
        ),
        (
            "Delete of a system",
            envelope(Message::action("http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete", &system, "")),
            &["ActionNotSupported", "InvalidSelectors"],
        ),
        (
            "Create of a system",
            envelope(Message::action(
                "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create",
                &system,
                &format!("<p:CIM_ComputerSystem xmlns:p=\"{system}\"/>"),
            )),
            &["ActionNotSupported"],
        ),
        (
            "Put of a package",
            envelope(Message {
                action: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put".into(),
                body: format!("<p:CIM_SoftwareIdentity xmlns:p=\"{software}\"/>"),
                ..get()
            }),
            &["ActionNotSupported"],
        ),
        ("an unknown dialect", enumerate(&filter("urn:x:poetry", "roses")), &["FilterDialectRequestedUnavailable"]),
        ("a query that is none", enumerate(&filter(cql, "SELECT everything")), &["CannotProcessFilter"]),
        ("a query for another class", enumerate(&filter(cql, "SELECT * FROM CIM_Unicorn")), &["CannotProcessFilter"]),
        (
            "an unknown mode",
            enumerate("<w:EnumerationMode>EnumerateDreams</w:EnumerationMode>"),
            &["UnsupportedFeature"],
        ),
        (
            "an unknown polymorphism",
            enumerate("<b:PolymorphismMode>Shapeshifting</b:PolymorphismMode>"),
            &["PolymorphismModeNotSupported"],
        ),
        (
            "no items at all",
            enumerate("<w:OptimizeEnumeration/><w:MaxElements>0</w:MaxElements>"),
            &["SchemaValidationError", "InvalidParameter", "InvalidMessageInformationHeader", "UnsupportedFeature"],
        ),
        (
            "a Pull of nothing",
            envelope(Message::action(
                "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull",
                &software,
                "<n:Pull><n:EnumerationContext>x</n:EnumerationContext></n:Pull>",
            )),
            &["InvalidEnumerationContext"],
        ),
        (
            "an unknown method",
            envelope(Message::invoke(&service, "Dance", &[])),
            &["ActionNotSupported", "InvalidSelectors"],
        ),
        ("a Subscribe without body", subscribe(""), &["InvalidMessage", "SchemaValidationError"]),
        (
            "an unknown delivery mode",
            subscribe("<e:Subscribe><e:Delivery Mode=\"urn:pigeon\"/></e:Subscribe>"),
            &["DeliveryModeRequestedUnavailable"],
        ),
        (
            "no filter",
            push("http://127.0.0.1:9/", ""),
            &["InvalidMessage", "FilteringRequestedUnavailable", "UnsupportedFeature"],
        ),
        (
            "an unknown event dialect",
            push("http://127.0.0.1:9/", &filter("urn:x:poetry", "roses")),
            &["FilteringRequestedUnavailable"],
        ),
        ("a filter that is none", push("http://127.0.0.1:9/", &filter(cql, "SELECT * FROM")), &["CannotProcessFilter"]),
        ("a filter without end", push("http://127.0.0.1:9/", &filter(cql, &deep)), &["CannotProcessFilter"]),
        (
            "an event that is none",
            push("http://127.0.0.1:9/", &filter(cql, "SELECT * FROM CIM_ComputerSystem")),
            &["CannotProcessFilter", "EventSourceUnableToProcess"],
        ),
        (
            "a time that was",
            push("http://127.0.0.1:9/", &format!("<e:Expires>2001-01-01T00:00:00Z</e:Expires>{all_creations}")),
            &["InvalidExpirationTime", "UnsupportedExpirationType"],
        ),
        (
            "no time to live",
            push("http://127.0.0.1:9/", &format!("<e:Expires>soon</e:Expires>{all_creations}")),
            &["InvalidExpirationTime"],
        ),
        ("the metadata service", push("http://169.254.169.254/latest/", &all_creations), &["EventDeliverToUnusable"]),
        ("a sink that is a file", push("file:///etc/passwd", &all_creations), &["EventDeliverToUnusable"]),
        (
            "no subscription to end",
            envelope(
                Message::action(&format!("{eventing}/Unsubscribe"), ALL_CLASSES, "<e:Unsubscribe/>")
                    .header("<e:Identifier>uuid:none</e:Identifier>"),
            ),
            &["DestinationUnreachable", "InvalidMessage"],
        ),
    ];
    let mut findings = Findings::default();
    for (name, body, subcodes) in table {
        findings.check(name, &client.post(&body), &Fault(subcodes));
    }
    findings.none();
    check_unchanged(&mut server, pid);
}

#[test]
fn a_body_that_stalls_or_never_ends_is_cut_off() {
    let (_root, _host, mut server) = host();
    let pid = server.pid();
    let mut good = server.admin();
    let head = |length: &str| {
        format!(
            "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Type: {SOAP}\r\nAuthorization: {}\r\n{length}\r\n\r\n",
            server.admin().authorization()
        )
    };

    let mut stalled = good.raw();
    stalled.write_all(head("Content-Length: 5000").as_bytes()).unwrap();
    stalled.write_all(b"<s:Envelope").unwrap();
    let mut silent = good.raw();
    silent.write_all(b"POST /wsman HT").unwrap();

    let mut endless = good.raw();
    endless.write_all(head("Transfer-Encoding: chunked").as_bytes()).unwrap();
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    // 16 MiB at most; a server that takes all of it has no limit.
    let taken = (0..512).take_while(|_| endless.write_all(chunk.as_bytes()).is_ok()).count();
    match read_reply(&mut endless) {
        Ok(reply) => assert!([413, 400, 408].contains(&reply.status), "an endless body: {}", reply.status),
        Err(_) => assert!(taken < 512, "the server took 16 MiB and answered nothing"),
    }
    assert_eq!(installed_names(&mut good), ["alpha"], "a good client waits for bad ones");

    for (name, mut stream) in [("a stalled body", stalled), ("a stalled head", silent)] {
        // The connection ends by the server's own time limit; the socket's own is far longer.
        if let Ok(reply) = read_reply(&mut stream) {
            assert!([408, 400].contains(&reply.status), "{name}: {} {}", reply.status, reply.body);
        }
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        let timed_out =
            ended.is_err_and(|e| matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
        assert!(!timed_out, "{name} is kept open");
    }
    check_unchanged(&mut server, pid);
}
