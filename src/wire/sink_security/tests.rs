use super::*;
use crate::soap::{Message, Outgoing};
use crate::wire::eventing::{Delivery, Subscribe};
use crate::wire::names::REQUEST_PREFIXES;
use crate::wire::{ControlHeaders, names};
use crate::xml::Limits;

const SHA1: &str = "8e5255328d03543a6aa6ea9cf7977ec9b4d7fdb3";
const PROFILES: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/";

/// The prefixes that wsmancli binds.
fn envelope(headers: &str, delivery: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
         xmlns:wsa='http://schemas.xmlsoap.org/ws/2004/08/addressing' \
         xmlns:wsman='http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd' \
         xmlns:n1='http://schemas.xmlsoap.org/ws/2005/02/trust' \
         xmlns:n2='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd' \
         xmlns:n3='http://schemas.xmlsoap.org/ws/2004/09/policy' \
         xmlns:wse='http://schemas.xmlsoap.org/ws/2004/08/eventing'><s:Header>{headers}</s:Header>\
         <s:Body><wse:Subscribe>{delivery}</wse:Subscribe></s:Body></s:Envelope>"
    )
}

fn read(text: &str) -> Result<SinkSecurity, Fault> {
    let message = Envelope::read(text, &Limits::default()).unwrap();
    let control = ControlHeaders::read(&message.headers).unwrap();
    SinkSecurity::read(&message, control.issued_tokens.as_ref())
}

fn delivery(address: &str, more: &str) -> String {
    format!(
        "<wse:Delivery Mode='http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push'>\
         <wse:NotifyTo><wsa:Address>{address}</wsa:Address></wse:NotifyTo>{more}</wse:Delivery>"
    )
}

fn auth(profile: &str) -> String {
    format!("<wsman:Auth Profile='{PROFILES}{profile}'/>")
}

fn token(kind: &str, token: &str, address: &str) -> String {
    format!(
        "<n1:RequestSecurityTokenResponse><n1:TokenType>{kind}</n1:TokenType><n1:RequestedSecurityToken>{token}\
         </n1:RequestedSecurityToken><n3:AppliesTo><wsa:EndpointReference><wsa:Address>{address}</wsa:Address>\
         </wsa:EndpointReference></n3:AppliesTo></n1:RequestSecurityTokenResponse>"
    )
}

fn tokens(inner: &str) -> String {
    format!("<n1:IssuedTokens s:mustUnderstand='true'>{inner}</n1:IssuedTokens>")
}

fn user_token(address: &str) -> String {
    let user = "<n2:UsernameToken><n2:Username>eu</n2:Username><n2:Password>ep</n2:Password></n2:UsernameToken>";
    token(USER_TOKEN, user, address)
}

fn certificate_token(address: &str, thumbprint: &str) -> String {
    let certificate = format!("<wsman:CertificateThumbprint>{thumbprint}</wsman:CertificateThumbprint>");
    token(CERTIFICATE_TOKEN, &certificate, address)
}

fn eu() -> Option<SinkUser> {
    Some(SinkUser { name: "eu".to_owned(), password: "ep".to_owned().into() })
}

fn sha1() -> CertificateThumbprint {
    CertificateThumbprint(SHA1.to_owned())
}

#[track_caller]
fn refused(text: &str, kind: FaultKind, reason: &str) {
    let fault = read(text).unwrap_err();
    assert_eq!(fault.kind(), kind, "{fault}");
    assert!(fault.reason().contains(reason) && !fault.reason().contains("ep<"), "{fault}");
}

/// Its request as it was recorded, with `-G push -s httpsbasic -n eu -z ep`.
#[test]
fn what_wsmancli_sends_is_read() {
    let header = "<n1:IssuedTokens s:mustUnderstand=\"true\"><n1:RequestSecurityTokenResponse><n1:TokenType>\
        http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#UsernameToken</n1:TokenType>\
        <n1:RequestedSecurityToken><n2:UsernameToken><n2:Username>eu</n2:Username><n2:Password>ep</n2:Password>\
        </n2:UsernameToken></n1:RequestedSecurityToken><n3:AppliesTo><wsa:EndpointReference><wsa:Address>\
        https://10.0.0.1:8443/ev</wsa:Address></wsa:EndpointReference></n3:AppliesTo></n1:RequestSecurityTokenResponse>\
        </n1:IssuedTokens>";
    let body = "<wse:Delivery Mode=\"http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push\">\
        <wse:NotifyTo><wsa:Address>https://10.0.0.1:8443/ev</wsa:Address><wsa:ReferenceProperties>\
        <n4:tok xmlns:n4=\"urn:x\">1</n4:tok></wsa:ReferenceProperties></wse:NotifyTo>\
        <wsman:Auth Profile=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic\">\
        <wsman:Heartbeats>PT60.000000S</wsman:Heartbeats></wsman:Auth></wse:Delivery>\
        <wse:Expires>PT300.000000S</wse:Expires>";
    let security = read(&envelope(header, body)).unwrap();
    let wanted = SinkSecurity { profile: Some(SecurityProfile::HttpsBasic), user: eu(), ..SinkSecurity::default() };
    assert_eq!(security, wanted);
    let shown = format!("{security:?}");
    assert!(shown.contains("eu") && !shown.contains("ep\""), "{shown}");
}

/// Management engines' clients name the type of the password and do not insist on being understood.
#[test]
fn what_amts_clients_send_is_read() {
    let user = "<n2:UsernameToken><n2:Username>eu</n2:Username><n2:Password Type='http://docs.oasis-open.org/wss/2004/\
        01/oasis-200401-wss-username-token-profile-1.0#PasswordText'>ep</n2:Password></n2:UsernameToken>";
    let header = format!("<n1:IssuedTokens>{}</n1:IssuedTokens>", token(USER_TOKEN, user, "http://h:16994/"));
    let body = delivery("http://h:16994/", &auth("http/digest"));
    let security = read(&envelope(&header, &body)).unwrap();
    assert_eq!((security.profile, security.user), (Some(SecurityProfile::HttpDigest), eu()));
}

/// Windows' event collector, with the namespace of its messages and with that of its documentation.
#[test]
fn what_windows_collectors_send_is_read() {
    for namespace in [MS_AUTHENTICATION, WSMAN] {
        let way = |profile: &str, inner: &str| {
            format!("<c:All><auth:Authentication Profile='{PROFILES}{profile}'>{inner}</auth:Authentication></c:All>")
        };
        let mutual = way(
            "https/mutual",
            &format!(
                "<auth:ClientCertificate><auth:Thumbprint Role='issuer'>{}</auth:Thumbprint></auth:ClientCertificate>",
                SHA1.to_uppercase()
            ),
        );
        let request = |ways: &str| {
            let policy = format!(
                "<c:Policy xmlns:c='{WSP_2002}' xmlns:auth='{namespace}'><c:ExactlyOne>{ways}</c:ExactlyOne></c:Policy>"
            );
            let body = delivery("HTTPS://collector:5986/wsman/subscriptions/1", "");
            envelope("", &body.replace("</wse:NotifyTo>", &[&policy, "</wse:NotifyTo>"].concat()))
        };
        let kerberos = way("http/spnego-kerberos", "");
        for ways in [mutual.clone(), [kerberos.as_str(), &mutual].concat()] {
            let security = read(&request(&ways)).unwrap();
            assert_eq!(security.profile, Some(SecurityProfile::HttpsMutual));
            assert_eq!(security.own_certificates, [OwnCertificate::IssuedBy(sha1())]);
        }
        let wrong = mutual.replace("</c:All>", "<x xmlns='urn:x'/></c:All>");
        for ways in ["", &kerberos, &wrong] {
            let fault = read(&request(ways)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::EventDeliverToUnusable);
            assert!(fault.elements()[0].text().ends_with("faultDetail/CannotComplyWithPolicy"), "{fault}");
        }
        let cut = mutual.replace(&SHA1.to_uppercase(), "8E52");
        refused(&request(&cut), FaultKind::EventDeliverToUnusable, "40 hexadecimal digits");
        let text = request(&mutual).replace("</wse:NotifyTo>", &["</wse:NotifyTo>", &auth("https/digest")].concat());
        refused(&text, FaultKind::EventDeliverToUnusable, "different security profiles");
    }
}

#[test]
fn nothing_asked_for_is_nothing_and_pull_has_no_sink() {
    assert_eq!(read(&envelope("", &delivery("http://h/", ""))).unwrap(), SinkSecurity::default());
    let pull = format!("<wse:Delivery Mode='{}'>{}</wse:Delivery>", DeliveryMode::Pull.uri(), auth("urn:x"));
    assert_eq!(read(&envelope(&tokens(&user_token("http://h/")), &pull)).unwrap(), SinkSecurity::default());
}

#[test]
fn a_password_goes_unencrypted_only_where_the_subscriber_says_so() {
    for (address, more, profile) in [
        ("https://h/", String::new(), SecurityProfile::HttpsBasic),
        ("http://h/", String::new(), SecurityProfile::HttpDigest),
        ("http://h/", auth("http/basic"), SecurityProfile::HttpBasic),
        // The address says more than the profile.
        ("https://h/", auth("http/digest"), SecurityProfile::HttpDigest),
        ("https://h/", auth("https/mutual/digest"), SecurityProfile::HttpsMutualDigest),
    ] {
        let security = read(&envelope(&tokens(&user_token(address)), &delivery(address, &more))).unwrap();
        assert_eq!((security.profile, security.user), (Some(profile), eu()), "{address} {more}");
    }
}

#[test]
fn a_thumbprint_is_of_the_sink_unless_the_service_shows_a_certificate() {
    let address = "https://h/";
    let spaced = "8E:52:55:32:8D:03:54:3A:6A:A6 EA:9C:F7:97:7E:C9:B4:D7:FD:B3";
    for thumbprint in [SHA1, spaced] {
        let header = tokens(&[user_token(address), certificate_token(address, thumbprint)].concat());
        let security = read(&envelope(&header, &delivery(address, &auth("https/digest")))).unwrap();
        assert_eq!((security.sink_certificate, security.user), (Some(sha1()), eu()));
        let header = tokens(&certificate_token(address, thumbprint));
        let security = read(&envelope(&header, &delivery(address, ""))).unwrap();
        assert_eq!((security.profile, security.sink_certificate), (None, Some(sha1())));
        let security = read(&envelope(&header, &delivery(address, &auth("https/mutual")))).unwrap();
        assert_eq!((security.sink_certificate, security.own_certificates), (None, vec![OwnCertificate::Is(sha1())]));
    }
}

#[test]
fn a_profile_that_is_not_served_is_told_with_those_that_are() {
    for profile in ["https/spnego-kerberos", "http/mutual", ""] {
        let fault = read(&envelope("", &delivery("https://h/", &auth(profile)))).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::EventDeliverToUnusable);
        assert!(fault.elements()[0].text().ends_with("faultDetail/AuthorizationMode"), "{fault}");
        assert!(fault.reason().contains(SecurityProfile::HttpsMutualDigest.uri()), "{fault}");
    }
}

#[test]
fn what_cannot_go_together_is_refused_at_once() {
    use FaultKind::{EventDeliverToUnusable as Unusable, InvalidMessage};
    let (plain, tls) = ("http://h/", "https://h/");
    let user = |address: &str| tokens(&user_token(address));
    let nameless = "<n2:UsernameToken><n2:Password>ep</n2:Password></n2:UsernameToken>";
    let without_password = "<n2:UsernameToken><n2:Username>eu</n2:Username></n2:UsernameToken>";
    let digested = "<n2:UsernameToken><n2:Username>eu</n2:Username><n2:Password Type='urn:x#PasswordDigest'>ep\
        </n2:Password></n2:UsernameToken>";
    for (header, address, more, kind, reason) in [
        (user(plain), plain, auth("https/basic"), Unusable, "needs an https address"),
        (String::new(), plain, auth("https/mutual"), Unusable, "needs an https address"),
        (String::new(), tls, auth("https/basic"), Unusable, "needs a user name and a password"),
        (tokens(&certificate_token(tls, SHA1)), tls, auth("https/digest"), Unusable, "needs a user name"),
        (user(tls), tls, auth("https/mutual"), Unusable, "uses no user name"),
        (tokens(&certificate_token(plain, SHA1)), plain, String::new(), Unusable, "is not https"),
        (tokens(&certificate_token(tls, "hex")), tls, String::new(), Unusable, "40 hexadecimal digits"),
        (tokens(&token("urn:kerberos", "", tls)), tls, String::new(), Unusable, "urn:kerberos"),
        (tokens(&token(USER_TOKEN, without_password, tls)), tls, String::new(), Unusable, "wsse:Password"),
        (tokens(&token(USER_TOKEN, digested, tls)), tls, String::new(), Unusable, "#PasswordText"),
        (tokens(&token(USER_TOKEN, nameless, tls)), tls, String::new(), InvalidMessage, "wsse:Username"),
        (tokens(&token(USER_TOKEN, "", tls)), tls, String::new(), InvalidMessage, "wsse:UsernameToken"),
        (tokens(&token(CERTIFICATE_TOKEN, "", tls)), tls, String::new(), InvalidMessage, "CertificateThumbprint"),
        (tokens(&[user_token(tls), user_token(tls)].concat()), tls, String::new(), InvalidMessage, "two tokens"),
        (user("https://other/"), tls, String::new(), InvalidMessage, "wsp:AppliesTo"),
        (tokens(""), tls, String::new(), InvalidMessage, "holds no wst:RequestSecurityTokenResponse"),
        (tokens("<n1:RequestSecurityTokenResponse/>"), tls, String::new(), InvalidMessage, "RequestedSecurityToken"),
        (String::new(), tls, "<wsman:Auth/>".to_owned(), InvalidMessage, "attribute Profile"),
    ] {
        refused(&envelope(&header, &delivery(address, &more)), kind, reason);
    }
}

#[test]
fn it_survives_the_way_out_and_in_and_into_a_store() {
    let users = [eu(), Some(SinkUser { name: "<&>".to_owned(), password: " spaces \"count\" ".to_owned().into() })];
    for user in users {
        for (profile, sink_certificate, own_certificates) in [
            (SecurityProfile::HttpsBasic, Some(sha1()), Vec::new()),
            (SecurityProfile::HttpsMutualDigest, None, vec![OwnCertificate::Is(sha1())]),
            (SecurityProfile::HttpsDigest, None, Vec::new()),
        ] {
            let sent = SinkSecurity { profile: Some(profile), user: user.clone(), sink_certificate, own_certificates };
            let notify_to = EndpointReference::new("https://h/");
            let headers = ControlHeaders { issued_tokens: sent.issued_tokens(&notify_to), ..ControlHeaders::default() };
            let delivery = Delivery {
                notify_to: Some(notify_to),
                auth_profile: Some(profile.uri().to_owned()),
                ..Delivery::default()
            };
            let request = Subscribe { delivery, ..Subscribe::default() };
            let outgoing = Outgoing::new(names::action::SUBSCRIBE);
            let mut message = Message::new(REQUEST_PREFIXES, &outgoing, usize::MAX);
            headers.write(message.header());
            request.write(message.body());
            assert_eq!(read(&String::from_utf8(message.finish()).unwrap()).unwrap(), sent);
            let stored = serde_json::to_vec(&sent).unwrap();
            assert_eq!(serde_json::from_slice::<SinkSecurity>(&stored).unwrap(), sent);
        }
    }
    assert_eq!(SinkSecurity::default().issued_tokens(&EndpointReference::new("http://h/")), None);
}
