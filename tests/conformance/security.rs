//! Clause 12 and annex C.3: security.

use openssl::base64::encode_block;
use openssl::hash::MessageDigest;
use openssl::x509::X509;

use crate::answer::{all, child, text};
use crate::bookmarks::{EARLIEST, bookmark};
use crate::identify;
use crate::peer::Peer;
use crate::service::Own;
use crate::subscription::{ALL_OF_JOBS, Subscribe};
use crate::support::certificate::Certificate;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Reply, Sink, accepted, distinct};
use crate::support::wsman::Message;
use crate::transport::without_tls;

/// Clause 12.
pub(crate) mod credentials {
    use super::{certificates_come_as_tokens, user_names_come_as_tokens};
    use crate::rule::rules;

    rules! {
        r12_3_1 "user names for sinks come as WS-Trust tokens": holds_here(user_names_come_as_tokens);
        r12_3_2 "certificates for sinks come as WS-Trust tokens": holds_here(certificates_come_as_tokens);
    }
}

/// Annex C.3.
pub(crate) mod profiles {
    use super::{basic_over_https_is_the_profile, nothing_is_served_without_tls};
    use crate::rule::rules;

    rules! {
        rc_3_1 "a service with HTTP has one of the HTTP profiles": not_applicable("HTTPS is the only transport");
        rc_3_2 "a service with HTTPS has one of the HTTPS profiles": holds_here(basic_over_https_is_the_profile);
        rc_3_3 "nothing but Identify is open to strangers over HTTP": holds_here(nothing_is_served_without_tls);
    }
}

fn basic_over_https_is_the_profile(peer: &mut Peer, _: &Own) {
    let response = peer.send_text(identify::REQUEST).succeeds();
    let profiles = all(child(&response, "wsmid:SecurityProfiles").unwrap(), "wsmid:SecurityProfileName");
    let profiles: Vec<String> = profiles.into_iter().map(text).collect();
    assert_eq!(profiles, ["http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic"]);
    // The connection is TLS, and these are Basic credentials.
    peer.send(&peer.get()).succeeds();
}

/// A subscription to all that there is, with this token for its sink.
fn with_token(peer: &Peer, sink: &str, profile: &str, kind: &str, token: &str) -> Message {
    let delivery = format!("<w:Auth Profile=\"{PROFILES}/{profile}\"/>");
    let delivery = if profile.is_empty() { String::new() } else { delivery };
    let subscribe = Subscribe { delivery, ..Subscribe::to(sink).about(ALL_OF_JOBS).and(&bookmark(EARLIEST)) };
    subscribe.message(peer).header(&format!(
        "<t:IssuedTokens xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\" s:mustUnderstand=\"true\">\
         <t:RequestSecurityTokenResponse><t:TokenType>{kind}</t:TokenType><t:RequestedSecurityToken>{token}\
         </t:RequestedSecurityToken><p:AppliesTo xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\">\
         <a:EndpointReference><a:Address>{sink}</a:Address></a:EndpointReference></p:AppliesTo>\
         </t:RequestSecurityTokenResponse></t:IssuedTokens>"
    ))
}

/// The status with which a sink asks who it is.
const CHALLENGE: &str = "401 Who Is It\r\nWWW-Authenticate: Basic realm=\"sink\"";
const PROFILES: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile";
const USER_TOKEN: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#UsernameToken";
const CERTIFICATE_TOKEN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/token/certificateThumbprint";

fn user_names_come_as_tokens(peer: &mut Peer, own: &Own) {
    own.ended_job();
    let expected = format!("Basic {}", encode_block(b"collector:the sink's own secret"));
    let sink = {
        let expected = expected.clone();
        Sink::answering(move |event, earlier| {
            if event.authorization == expected { accepted(event, earlier) } else { Reply::status(CHALLENGE) }
        })
    };
    let token = "<u:UsernameToken xmlns:u=\"http://docs.oasis-open.org/wss/2004/01/\
        oasis-200401-wss-wssecurity-secext-1.0.xsd\"><u:Username>collector</u:Username>\
        <u:Password>the sink's own secret</u:Password></u:UsernameToken>";
    let message = with_token(peer, &sink.url("/"), "http/basic", USER_TOKEN, token);
    peer.send(&message).succeeds();
    sink.wait_for("two events", PATIENCE, |events| {
        let taken: Vec<Event> = events.iter().filter(|event| event.authorization == expected).cloned().collect();
        (distinct(&taken).len() >= 2).then_some(())
    });
    let unknown = with_token(peer, &sink.url("/"), "http/basic", "urn:example:secret-handshake", token);
    peer.send(&unknown).refuses("wsman:EventDeliverToUnusable", "").names("secret-handshake");
}

/// One names the certificate that the service is to show, where the profile has it show one, and else the sink's.
fn certificates_come_as_tokens(peer: &mut Peer, own: &Own) {
    own.ended_job();
    let certificate = Certificate::new(&own.root.scratch().join("sink"));
    let sink = Sink::encrypted(&certificate, accepted);
    let read = X509::from_pem(&std::fs::read(&certificate.certificate).unwrap()).unwrap();
    let digest = read.digest(MessageDigest::sha1()).unwrap();
    let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    let token = |digits: &str| format!("<w:CertificateThumbprint>{digits}</w:CertificateThumbprint>");
    // Nobody vouches for this sink but its subscriber.
    let message = with_token(peer, &sink.url("/"), "", CERTIFICATE_TOKEN, &token(&digits));
    peer.send(&message).succeeds();
    sink.wait_for("an event", PATIENCE, |events| (!events.is_empty()).then_some(()));
    // This service has no certificate to show.
    let message = with_token(peer, &sink.url("/"), "https/mutual", CERTIFICATE_TOKEN, &token(&digits));
    peer.send(&message).refuses("wsman:EventDeliverToUnusable", "").names("certificate");
    let message = with_token(peer, &sink.url("/"), "", CERTIFICATE_TOKEN, &token("8e52"));
    peer.send(&message).refuses("wsman:EventDeliverToUnusable", "").names("8e52");
}

fn nothing_is_served_without_tls(peer: &mut Peer, own: &Own) {
    let authorization = peer.client().authorization().to_owned();
    let get = peer.get().envelope();
    let request = format!(
        "POST /wsman HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\nConnection: close\r\n\
         Content-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n{get}",
        get.len()
    );
    let said = without_tls(own.port, &request);
    assert!(!said.contains("Envelope"), "{said}");
}
