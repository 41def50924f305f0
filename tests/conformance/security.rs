//! Clause 12 and annex C.3: security.

use crate::answer::{all, child, text};
use crate::identify;
use crate::peer::Peer;
use crate::service::Own;
use crate::transport::without_tls;

/// Clause 12.
pub(crate) mod credentials {
    use crate::rule::rules;

    rules! {
        r12_3_1 "user names for sinks come as WS-Trust tokens":
            not_applicable("credentials for sinks are not served, and a subscription that brings some is refused");
        r12_3_2 "certificates for sinks come as WS-Trust tokens":
            not_applicable("credentials for sinks are not served, and a subscription that brings some is refused");
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
