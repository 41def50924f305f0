//! What stands in the head of the HTTP request.

use super::{Bench, Row, transfer, verdict};
use crate::support::wsman::Reply;

pub(super) fn headers(bench: &mut Bench) -> Vec<Row> {
    let soap = "Content-Type: application/soap+xml; charset=utf-8";
    let get = "SOAPAction: http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
    let mut ask = |test, asked, pegasus, line: &str, headers: &[&str], why| {
        let ours = verdict(&send(bench, line, headers));
        Row { test, asked, pegasus, ours, why }
    };
    let post = "POST /wsman HTTP/1.1";
    let host = "Host: localhost";
    vec![
        ask(
            "ContentTypeCharsetUnsupported01",
            "an unknown charset",
            "Sender wsman:EncodingLimit [CharacterSet]",
            post,
            &[host, "Content-Type: application/soap+xml; charset=bogus"],
            "",
        ),
        ask(
            "ContentTypeMissing01",
            "no Content-Type",
            "HTTP 400",
            post,
            &[host],
            "clients such as python-dracclient send none, and no rule of DSP0226 wants it",
        ),
        ask(
            "ContentTypeTextXml01",
            "text/xml",
            "GetResponse",
            post,
            &[host, "Content-Type: text/xml; charset=utf-8"],
            "",
        ),
        ask(
            "ContentTypeUnparsable01",
            "a parameter without a name",
            "HTTP 400",
            post,
            &[host, "Content-Type: application/soap+xml; =utf-8"],
            "the media type is clear, and the octets tell their encoding; what is no charset is passed over",
        ),
        ask(
            "ContentTypeUnsupported01",
            "a media type that is not SOAP's",
            "HTTP 400",
            post,
            &[host, "Content-Type: application/bogus; charset=utf-8"],
            "DSP0226 RC.2-14: the status is 415",
        ),
        ask("HostMissing01", "HTTP/1.1 without Host", "HTTP 400", post, &[soap], ""),
        ask("Http1_0Post01", "HTTP/1.0", "GetResponse", "POST /wsman HTTP/1.0", &[soap], ""),
        ask(
            "Http1_1MPost01",
            "the method M-POST",
            "GetResponse",
            "M-POST /wsman HTTP/1.1",
            &[host, soap],
            "M-POST belongs to CIM-XML's extension framework (RFC 2774), not to SOAP 1.2's binding",
        ),
        ask("SOAPActionCorrect01", "SOAPAction", "GetResponse", post, &[host, soap, get], ""),
        ask(
            "SOAPActionCorrectQuoted01",
            "SOAPAction in quotes",
            "GetResponse",
            post,
            &[host, soap, "SOAPAction: \"http://schemas.xmlsoap.org/ws/2004/09/transfer/Get\""],
            "",
        ),
        ask(
            "SOAPActionIncorrect01",
            "SOAPAction of another operation",
            "Sender wsa:MessageInformationHeaderRequired",
            post,
            &[host, soap, "SOAPAction: http://schemas.xmlsoap.org/ws/2004/09/transfer/Put"],
            "",
        ),
    ]
}

fn send(bench: &mut Bench, line: &str, headers: &[&str]) -> Reply {
    let body = transfer::get_of_alpha().envelope();
    let authorization = format!("Authorization: {}", bench.client.authorization());
    let length = format!("Content-Length: {}", body.len());
    let head = [&[line], headers, &[authorization.as_str(), length.as_str(), "", ""]].concat().join("\r\n");
    bench.client.exchange(&[head.as_bytes(), body.as_bytes()].concat()).expect("no reply")
}
