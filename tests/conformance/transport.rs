//! Annex C.2: SOAP over HTTP, and annex B: conformance.

use std::io::{Read, Write};
use std::net::TcpStream;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};

use crate::answer::is;
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::support::wsman::Message;

rules! {
    rc_2_1 "HTTP 1.1": holds(http_1_1_is_spoken);
    rc_2_2 "a request gets its response": holds(http_1_1_is_spoken);
    rc_2_3 "SOAP in the response alone may be left out": holds_here(resources_are_not_read_by_get);
    rc_2_4 "the Web Method feature may be left out": holds_here(resources_are_not_read_by_get);
    rc_2_5 "a message that wants no response gets 202":
        not_applicable("every operation that is served has a response, and a request for one without a ReplyTo is \
                        refused (R5.4.2-1)");
    rc_2_6 "envelopes come by POST": holds(http_1_1_is_spoken);
    rc_2_7 "where no SOAP can be sent the status is 500":
        deviates("what is no XML is the sender's mistake: 400, with a sentence as plain text", what_is_no_xml_is_a_bad_request);
    rc_2_8 "TLS 1.0 with RC4":
        deviates("broken since; TLS 1.2 and 1.3 with forward secrecy are served", obsolete_tls_is_refused);
    rc_2_9 "faults of the sender have the status 400, others 500":
        deviates("500 for all, as Windows sends it and most clients need it; the setting fault_status = \"dsp0226\" \
                  follows the rule", faults_have_the_status_500);
    rc_2_10 "the URL need not be that of wsa:To": holds(to_need_not_be_the_url);
    rc_2_11 "the paths are /wsman, and /wsman-anon without authentication": holds_here(the_paths_are_those_of_the_standard);
    rc_2_12 "SOAPAction may be missing, and may not differ from wsa:Action": holds(soap_action_must_not_differ);
    rc_2_13 "attachments use the HTTP feature": not_applicable("attachments are not supported");
    rc_2_14 "attachments and unsupported types are HTTP 415": holds(other_media_are_unsupported);
    rc_2_15 "the same over other transports": not_applicable("HTTPS is the only transport");
}

const SOAP: (&str, &str) = ("Content-Type", "application/soap+xml;charset=UTF-8");

fn http_1_1_is_spoken(peer: &mut Peer) {
    for _ in 0..2 {
        // One connection serves both.
        let answer = peer.send(&peer.get());
        answer.succeeds();
        assert!(answer.head.starts_with("HTTP/1.1 200 "), "{}", answer.head);
        assert_eq!(answer.header_text("wsa:RelatesTo"), answer.request_id());
    }
}

fn resources_are_not_read_by_get(peer: &mut Peer, _: &Own) {
    let authorization = peer.client().authorization().to_owned();
    for method in ["GET", "PUT", "DELETE"] {
        let request = format!(
            "{method} /wsman HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\
             Accept: application/soap+xml\r\nContent-Length: 0\r\n\r\n"
        );
        let reply = peer.client().exchange(request.as_bytes()).unwrap();
        assert_eq!(reply.status, 405, "{method}: {reply:?}");
    }
}

fn what_is_no_xml_is_a_bad_request(peer: &mut Peer, _: &Own) {
    for text in ["", "hello", "<s:Envelope"] {
        let answer = peer.send_text(text);
        assert_eq!(answer.status, 400, "{text:?}");
        assert!(answer.head.contains("text/plain") && !answer.text.trim().is_empty(), "{answer:?}");
    }
}

fn obsolete_tls_is_refused(_: &mut Peer, own: &Own) {
    let connect = |version: SslVersion, ciphers: &str| -> Result<SslStream<TcpStream>, HandshakeError<TcpStream>> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_cipher_list(ciphers).unwrap();
        builder.build().connect("localhost", TcpStream::connect(("127.0.0.1", own.port)).unwrap())
    };
    assert!(connect(SslVersion::TLS1_2, "ECDHE").is_ok());
    assert!(connect(SslVersion::TLS1_2, "AES128-SHA").is_err(), "a key exchange without forward secrecy");
    assert!(connect(SslVersion::TLS1, "ALL:@SECLEVEL=0").is_err(), "TLS 1.0");
}

fn faults_have_the_status_500(peer: &mut Peer, _: &Own) {
    let unknown = peer.request("urn:example:dance", "");
    let answer = peer.send(&unknown);
    assert_eq!((answer.fault().code.as_str(), answer.status), ("s:Sender", 500));
    let answer = peer.send(&peer.pull("none", ""));
    assert_eq!((answer.fault().code.as_str(), answer.status), ("s:Receiver", 500));
}

fn to_need_not_be_the_url(peer: &mut Peer) {
    let get = Message { to: "http://windows-host:5985/wsman".to_owned(), ..peer.get() };
    peer.send(&get).succeeds();
}

fn the_paths_are_those_of_the_standard(peer: &mut Peer, _: &Own) {
    let get = peer.get().envelope();
    let mut stranger = Peer::of_user(None);
    let mut post = |path: &str| stranger.client().post_to(path, &[SOAP], get.as_bytes()).status;
    assert_eq!(post("/wsman"), 401);
    assert_eq!(post("/wsman-anon/identify"), 500, "a fault, without being asked who it is");
    assert_eq!(post("/nowhere"), 404);
    for path in ["/wsman", "/wsman/"] {
        assert_eq!(peer.client().post_to(path, &[SOAP], get.as_bytes()).status, 200, "{path}");
    }
}

fn soap_action_must_not_differ(peer: &mut Peer) {
    let get = peer.get();
    let envelope = get.envelope();
    for same in [get.action.clone(), format!("\"{}\"", get.action)] {
        peer.send_octets(&[SOAP, ("SOAPAction", &same)], envelope.as_bytes()).succeeds();
    }
    peer.send_octets(&[SOAP], envelope.as_bytes()).succeeds();
    let other = peer.send_octets(&[SOAP, ("SOAPAction", "\"urn:example:dance\"")], envelope.as_bytes());
    assert!(is(&other.envelope(), "s:Envelope") && other.status != 200, "{other:?}");
    other.fault();
}

fn other_media_are_unsupported(peer: &mut Peer) {
    let get = peer.get().envelope();
    for media in ["multipart/related; type=\"application/xop+xml\"; boundary=x", "image/png", "application/json"] {
        assert_eq!(peer.send_octets(&[("Content-Type", media)], get.as_bytes()).status, 415, "{media}");
    }
}

/// What a plain HTTP request to the port gets.
pub(crate) fn without_tls(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = Vec::new();
    // A connection that is cut off says nothing too.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}
