//! wsmancli, and what else is made with the library of openwsman.

use std::fmt::Write as _;

use crate::names::{ASSOCIATION_FILTER, CQL, SELECTOR_FILTER, SOAP, WSA, WSEN, WSMAN, WSMB, enumeration, transfer};
use crate::peer::{Answer, Manners, Peer, elements, properties, selectors};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, child, property, text_of};

pub(crate) const MANNERS: Manners = Manners::new(&[
    ("Accept", "*/*"),
    ("Content-Type", "application/soap+xml;charset=UTF-8"),
    ("User-Agent", "openwsman 2.7.2"),
]);
const UTF_16: Manners = Manners {
    path: "/wsman",
    headers: &[
        ("Accept", "*/*"),
        ("Content-Type", "application/soap+xml;charset=UTF-16"),
        ("User-Agent", "openwsman 2.7.2"),
    ],
    utf16: true,
};

/// An XML declaration, then everything on one line; what a request has beside goes behind the MessageID.
pub(crate) fn envelope(action: &str, resource: &str, header: &str, keys: &[(&str, &str)], body: &str) -> String {
    let mut set = String::new();
    for (name, value) in keys {
        write!(set, "<wsman:Selector Name=\"{name}\">{value}</wsman:Selector>").unwrap();
    }
    if !keys.is_empty() {
        set = format!("<wsman:SelectorSet>{set}</wsman:SelectorSet>");
    }
    let id = uuid::Uuid::new_v4();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <s:Envelope xmlns:s=\"{SOAP}\" xmlns:wsa=\"{WSA}\" xmlns:wsman=\"{WSMAN}\" xmlns:wsen=\"{WSEN}\" \
         xmlns:wse=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\"><s:Header>\
         <wsa:Action s:mustUnderstand=\"true\">{action}</wsa:Action>\
         <wsa:To s:mustUnderstand=\"true\">https://127.0.0.1:5986/wsman</wsa:To>\
         <wsman:ResourceURI s:mustUnderstand=\"true\">{resource}</wsman:ResourceURI>\
         <wsa:MessageID s:mustUnderstand=\"true\">uuid:{id}</wsa:MessageID>{header}\
         <wsa:ReplyTo><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>{set}</s:Header><s:Body>{body}</s:Body>\
         </s:Envelope>\n"
    )
}

fn software() -> String {
    format!("{CIM}/CIM_SoftwareIdentity")
}

/// It goes on until the context is empty or not there.
fn all(peer: &mut Peer, resource: &str, header: &str, body: &str, mut look: impl FnMut(&Answer)) {
    let mut answer =
        peer.ask(&envelope(&enumeration("Enumerate"), resource, header, &[("__cimnamespace", "root/cimv2")], body));
    loop {
        look(&answer);
        let Some(context) = answer.page_or_context() else { return };
        let body = format!(
            "<wsen:Pull><wsen:EnumerationContext>{context}</wsen:EnumerationContext>\
             <wsen:MaxElements>60</wsen:MaxElements></wsen:Pull>"
        );
        answer = peer.ask(&envelope(&enumeration("Pull"), resource, header, &[], &body));
    }
}

/// Its first request comes without credentials, and again with the same MessageID after the 401.
#[test]
fn the_same_message_may_come_twice() {
    let host = SharedHost::get();
    let get = envelope(&transfer("Get"), &software(), "", &[("InstanceID", ALPHA)], "");
    let body = get.as_bytes();
    let mut stranger = crate::support::wsman::Client::anonymous(host.port());
    let challenge = stranger.post_to("/wsman", MANNERS.headers, body);
    assert_eq!(challenge.status, 401);
    let head = challenge.head.to_ascii_lowercase();
    assert!(head.contains("\r\nwww-authenticate: basic realm="), "{head}");
    let mut peer = Peer::new(&host, MANNERS);
    for _ in 0..2 {
        assert_eq!(property(peer.ask(&get).content(), "Name").as_deref(), Some("alpha"));
    }
}

/// `wsman -j UTF-16 get …`: a byte order mark and a declaration that says the same.
#[test]
fn wsman_gets_in_utf_16() {
    let host = SharedHost::get();
    let get = envelope(&transfer("Get"), &software(), "", &[("InstanceID", ALPHA)], "");
    let get = get.replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"");
    let answer = Peer::new(&host, UTF_16).ask(&get);
    assert_eq!(property(answer.content(), "Name").as_deref(), Some("alpha"));
}

/// `wsman get … -F ElementName`.
#[test]
fn wsman_gets_a_fragment() {
    let host = SharedHost::get();
    let header = "<wsman:FragmentTransfer s:mustUnderstand=\"true\">ElementName</wsman:FragmentTransfer>";
    let get = envelope(&transfer("Get"), &software(), header, &[("InstanceID", ALPHA)], "");
    let answer = Peer::new(&host, MANNERS).ask(&get);
    assert_eq!(text_of(answer.further_header("FragmentTransfer").unwrap()), "ElementName");
    assert_eq!(answer.content().name, "XmlFragment");
    assert_eq!(properties(answer.content()), [("ElementName".to_owned(), Some("alpha-0:1.0-1.all".to_owned()))]);
}

/// `wsman enumerate`, plain, optimized (`-o -m`), with references (`-M epr`, `-M objepr`), with a count (`-E`).
#[test]
fn wsman_enumerates() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let optimized = "<wsman:OptimizeEnumeration/><wsman:MaxElements>60</wsman:MaxElements>";
    for (options, item) in [
        ("", "LMI_SoftwareIdentity"),
        (optimized, "LMI_SoftwareIdentity"),
        ("<wsman:EnumerationMode>EnumerateEPR</wsman:EnumerationMode>", "EndpointReference"),
        ("<wsman:EnumerationMode>EnumerateObjectAndEPR</wsman:EnumerationMode>", "Item"),
    ] {
        let body = format!("<wsen:Enumerate>{options}</wsen:Enumerate>");
        let mut count = 0;
        all(&mut peer, &software(), "", &body, |answer| {
            for found in answer.items() {
                assert_eq!(found.name, item);
                count += 1;
            }
        });
        assert!(count >= 152, "{options}: {count}");
    }
    let header = "<wsman:RequestTotalItemsCountEstimate/>";
    all(&mut peer, &software(), header, &format!("<wsen:Enumerate>{optimized}</wsen:Enumerate>"), |answer| {
        let estimate = text_of(answer.further_header("TotalItemsCountEstimate").unwrap());
        assert!(estimate.parse::<u32>().unwrap() >= 152, "{estimate}");
    });
}

/// `-D … -x …`: CQL, and Annex E's selector filter; `-B exclude`: instances of subclasses as those of the class.
#[test]
fn wsman_filters() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let cql = format!(
        "<wsman:Filter Dialect=\"{CQL}\">select * from CIM_SoftwareIdentity where Name = 'beta'</wsman:Filter>"
    );
    let by_name = format!(
        "<wsman:Filter Dialect=\"{SELECTOR_FILTER}\"><wsman:SelectorSet><wsman:Selector Name=\"Name\">beta</wsman:Selector>\
         </wsman:SelectorSet></wsman:Filter>"
    );
    let exclude =
        format!("<wsmb:PolymorphismMode xmlns:wsmb=\"{WSMB}\">ExcludeSubClassProperties</wsmb:PolymorphismMode>");
    for (filter, polymorphism, class) in [
        (&cql, "", "LMI_SoftwareIdentity"),
        (&by_name, "", "LMI_SoftwareIdentity"),
        (&by_name, exclude.as_str(), "CIM_SoftwareIdentity"),
    ] {
        let body = format!(
            "<wsen:Enumerate><wsman:OptimizeEnumeration/><wsman:MaxElements>60</wsman:MaxElements>{polymorphism}{filter}\
             </wsen:Enumerate>"
        );
        let mut names = Vec::new();
        all(&mut peer, &software(), "", &body, |answer| {
            names.extend(answer.items().into_iter().map(|i| (i.name.clone(), property(i, "Name").unwrap())));
        });
        assert_eq!(names, [(class.to_owned(), "beta".to_owned())], "{filter}");
    }
}

/// `wsman associators` and `wsman references`, on either spelling of all classes.
#[test]
fn wsman_follows_associations() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    for (kind, parts, expected) in [
        ("AssociatedInstances", "<wsmb:ResultClassName>CIM_ComputerSystem</wsmb:ResultClassName>", "PG_ComputerSystem"),
        (
            "AssociationInstances",
            "<wsmb:ResultClassName>CIM_InstalledSoftwareIdentity</wsmb:ResultClassName>",
            "LMI_InstalledSoftwareIdentity",
        ),
    ] {
        for resource in [ALL_CLASSES.to_owned(), format!("{CIM}/*")] {
            let body = format!(
                "<wsen:Enumerate><wsman:Filter Dialect=\"{ASSOCIATION_FILTER}\"><wsmb:{kind} xmlns:wsmb=\"{WSMB}\">\
                 <wsmb:Object><wsa:Address>{ANONYMOUS}</wsa:Address><wsa:ReferenceParameters>\
                 <wsman:ResourceURI>{}</wsman:ResourceURI><wsman:SelectorSet><wsman:Selector Name=\"InstanceID\">{ALPHA}\
                 </wsman:Selector></wsman:SelectorSet></wsa:ReferenceParameters></wsmb:Object>{parts}</wsmb:{kind}>\
                 </wsman:Filter></wsen:Enumerate>",
                software()
            );
            let mut classes = Vec::new();
            all(&mut peer, &resource, "", &body, |answer| {
                classes.extend(answer.items().into_iter().map(|i| i.name.clone()));
            });
            assert_eq!(classes, [expected], "{kind} {resource}");
        }
    }
}

/// `wsman release` and a Pull after it.
#[test]
fn wsman_releases() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let begun = peer.ask(&envelope(&enumeration("Enumerate"), &software(), "", &[], "<wsen:Enumerate/>"));
    let context = begun.page_or_context().unwrap();
    let with = |operation: &str| {
        let body = format!(
            "<wsen:{operation}><wsen:EnumerationContext>{context}</wsen:EnumerationContext></wsen:{operation}>"
        );
        envelope(&enumeration(operation), &software(), "", &[], &body)
    };
    let released = peer.ask(&with("Release"));
    assert_eq!(released.action(), enumeration("ReleaseResponse"));
    assert!(released.is_empty());
    let verdict = peer.refused(&with("Pull"));
    assert_eq!((verdict.code.as_str(), verdict.subcode.as_str()), ("Receiver", "wsen:InvalidEnumerationContext"));
}

/// `wsman put … -k Priority=4`: it gets the instance, puts the value in and sends the whole back.
#[test]
fn wsman_puts_what_it_got() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let job = host.ended_job();
    let uri = format!("{CIM}/CIM_ConcreteJob");
    let keys = [("InstanceID", job.as_str())];
    let got = peer.ask(&envelope(&transfer("Get"), &uri, "", &keys, ""));
    let (_, rest) = got.text.split_once("<s:Body>").unwrap();
    let (instance, _) = rest.split_once("</s:Body>").unwrap();
    let before = property(got.content(), "Priority").unwrap_or_default();
    let changed = instance.replace(&format!("<p:Priority>{before}</p:Priority>"), "<p:Priority>4</p:Priority>");
    assert_ne!(changed, instance);
    // Its copy of the element declares the prefixes that the envelope declared.
    let changed = changed.replacen(
        ' ',
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:cim=\"http://schemas.dmtf.org/wbem/wscim/1/common\" ",
        1,
    );
    let put = peer.ask(&envelope(&transfer("Put"), &uri, "", &keys, &changed));
    assert_eq!(property(put.content(), "Priority").as_deref(), Some("4"));
}

/// `wsman create -J file`, then `wsman delete` with what the reply named.
#[test]
fn wsman_creates_and_deletes() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let uri = format!("{CIM}/CIM_IndicationFilter");
    let name = host.new_name("wsmancli:filter");
    let body = format!(
        "<f:CIM_IndicationFilter xmlns:f=\"{uri}\">\n  <f:Name>{name}</f:Name>\n  \
         <f:Query>SELECT * FROM CIM_InstDeletion WHERE SourceInstance ISA CIM_ConcreteJob</f:Query>\n  \
         <f:QueryLanguage>DMTF:CQL</f:QueryLanguage>\n</f:CIM_IndicationFilter>"
    );
    let interop = [("__cimnamespace", "root/interop")];
    let created = peer.ask(&envelope(&transfer("Create"), &uri, "", &interop, &body));
    let parameters = child(created.content(), "ReferenceParameters").unwrap();
    let keys = selectors(parameters);
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let deleted = peer.ask(&envelope(&transfer("Delete"), &uri, "", &keys, ""));
    assert!(deleted.is_empty() && deleted.action() == transfer("DeleteResponse"), "{}", deleted.text);
}

/// `wsman delete` of a package: what cannot be is told by a fault with the status that it reads.
#[test]
fn wsman_is_told_what_cannot_be_deleted() {
    let host = SharedHost::get();
    let delete = envelope(&transfer("Delete"), &software(), "", &[("InstanceID", ALPHA)], "");
    let answer = Peer::new(&host, MANNERS).send(&delete);
    assert_eq!(answer.verdict().unwrap().short(), "wsa:ActionNotSupported [ActionMismatch]");
    assert!(elements(child(answer.content(), "Detail").unwrap()).next().unwrap().name == "FaultDetail");
}
