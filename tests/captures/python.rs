//! pypsrp, pywinrm and python-dracclient: each builds its envelopes in its own way. The clients themselves walk through the
//! service elsewhere; here stand the oddities of their messages.

use std::fmt::Write as _;

use crate::names::{
    CQL, MS_WSMAN, PULL, SOAP, WSA, WSE, WSEN, WSMAN, enumeration, eventing, lower_id, transfer, upper_id,
};
use crate::peer::{Manners, Peer};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, property};

fn software() -> String {
    format!("{CIM}/CIM_SoftwareIdentity")
}

/// pypsrp: an option set that must be understood, and a session of Windows' own.
fn pypsrp(action: &str, resource: &str, selectors: &[(&str, &str)], body: &str) -> String {
    let mut set = String::new();
    for (name, value) in selectors {
        write!(set, "<wsman:Selector Name=\"{name}\">{value}</wsman:Selector>").unwrap();
    }
    let set = if selectors.is_empty() { set } else { format!("<wsman:SelectorSet>{set}</wsman:SelectorSet>") };
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:wsa=\"{WSA}\" xmlns:wsen=\"{WSEN}\" xmlns:wse=\"{WSE}\" xmlns:wsman=\"{WSMAN}\" \
         xmlns:wsmv=\"{MS_WSMAN}\"><s:Header><wsa:Action s:mustUnderstand=\"true\">{action}</wsa:Action>\
         <wsmv:DataLocale s:mustUnderstand=\"false\" xml:lang=\"en-GB\" />\
         <wsman:Locale s:mustUnderstand=\"false\" xml:lang=\"en-GB\" />\
         <wsman:MaxEnvelopeSize s:mustUnderstand=\"true\">153600</wsman:MaxEnvelopeSize>\
         <wsa:MessageID>{}</wsa:MessageID><wsman:OperationTimeout>PT20S</wsman:OperationTimeout>\
         <wsa:ReplyTo><wsa:Address s:mustUnderstand=\"true\">{ANONYMOUS}</wsa:Address></wsa:ReplyTo>\
         <wsman:ResourceURI s:mustUnderstand=\"true\">{resource}</wsman:ResourceURI>\
         <wsmv:SessionId s:mustUnderstand=\"false\">{}</wsmv:SessionId><wsa:To>https://127.0.0.1:5986/wsman</wsa:To>\
         <wsman:OptionSet s:mustUnderstand=\"true\"><wsman:Option Name=\"IncludeQualifiers\">true</wsman:Option>\
         </wsman:OptionSet>{set}</s:Header><s:Body>{body}</s:Body></s:Envelope>",
        upper_id(),
        upper_id()
    )
}

const PYPSRP: Manners = Manners::new(&[
    ("User-Agent", "Python PSRP Client"),
    ("Accept-Encoding", "identity"),
    ("Content-Type", "application/soap+xml;charset=UTF-8"),
]);

#[test]
fn pypsrp_gets_enumerates_and_fetches_events() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, PYPSRP);
    let keys = [("InstanceID", ALPHA), ("__cimnamespace", "root/cimv2")];
    let got = peer.ask(&pypsrp(&transfer("Get"), &software(), &keys, ""));
    assert_eq!(property(got.content(), "Name").as_deref(), Some("alpha"));
    let body =
        "<wsen:Enumerate><wsman:OptimizeEnumeration /><wsman:MaxElements>10</wsman:MaxElements></wsen:Enumerate>";
    let page = peer.ask(&pypsrp(&enumeration("Enumerate"), &software(), &[], body));
    assert_eq!(page.page().items.len(), 10);
    let body = format!("<wse:Subscribe><wse:Delivery Mode=\"{PULL}\" /></wse:Subscribe>");
    let indications = format!("{CIM}/CIM_InstIndication");
    let answer = peer.ask(&pypsrp(&eventing("Subscribe"), &indications, &[], &body));
    let context = property(answer.content(), "EnumerationContext").unwrap();
    host.ended_job();
    let body = format!(
        "<wsen:Pull><wsen:EnumerationContext>{context}</wsen:EnumerationContext>\
         <wsen:MaxElements>20</wsen:MaxElements></wsen:Pull>"
    );
    let page = peer.ask(&pypsrp(&enumeration("Pull"), &indications, &[], &body));
    assert!((1..=20).contains(&page.page().items.len()), "{}", page.text);
    // All classes are too much without a filter.
    let body = format!("<wse:Subscribe><wse:Delivery Mode=\"{PULL}\" /></wse:Subscribe>");
    let verdict = peer.refused(&pypsrp(&eventing("Subscribe"), ALL_CLASSES, &[], &body));
    assert_eq!(verdict.subcode, "wse:InvalidMessage");
}

/// pywinrm: to another host, the attribute mustUnderstand in no namespace, which says nothing.
fn pywinrm(action: &str, resource: &str, header: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<env:Envelope xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:env=\"{SOAP}\" xmlns:a=\"{WSA}\" \
         xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" xmlns:n=\"{WSEN}\" \
         xmlns:x=\"http://schemas.xmlsoap.org/ws/2004/09/transfer\" xmlns:w=\"{WSMAN}\" xmlns:p=\"{MS_WSMAN}\" \
         xmlns:rsp=\"http://schemas.microsoft.com/wbem/wsman/1/windows/shell\" \
         xmlns:cfg=\"http://schemas.microsoft.com/wbem/wsman/1/config\"><env:Header>\
         <a:To>http://another-host:5985/wsman</a:To>\
         <a:ReplyTo><a:Address mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
         <w:MaxEnvelopeSize mustUnderstand=\"true\">153600</w:MaxEnvelopeSize><a:MessageID>{}</a:MessageID>\
         <w:Locale mustUnderstand=\"false\" xml:lang=\"en-US\"></w:Locale>\
         <p:DataLocale mustUnderstand=\"false\" xml:lang=\"en-US\"></p:DataLocale>\
         <w:OperationTimeout>PT20S</w:OperationTimeout><w:ResourceURI mustUnderstand=\"true\">{resource}</w:ResourceURI>\
         <a:Action mustUnderstand=\"true\">{action}</a:Action>{header}</env:Header><env:Body>{body}</env:Body></env:Envelope>",
        lower_id()
    )
}

const PYWINRM: Manners =
    Manners::new(&[("User-Agent", "Python WinRM client"), ("Content-Type", "application/soap+xml;charset=UTF-8")]);

#[test]
fn pywinrm_may_write_to_another_host_and_must_nothing() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, PYWINRM);
    let keys = format!("<w:SelectorSet><w:Selector Name=\"InstanceID\">{ALPHA}</w:Selector></w:SelectorSet>");
    let noise = "<w:OptionSet mustUnderstand=\"true\"><w:Option Name=\"WINRS_NOPROFILE\">FALSE</w:Option></w:OptionSet>\
                 <cfg:MaxTimeoutms mustUnderstand=\"true\">60000</cfg:MaxTimeoutms>";
    let got = peer.ask(&pywinrm(&transfer("Get"), &software(), &format!("{noise}{keys}"), ""));
    assert_eq!(property(got.content(), "Name").as_deref(), Some("alpha"));
    let verdict = peer.refused(&pywinrm(&transfer("Get"), &software(), "", ""));
    assert_eq!(verdict.short(), "wsman:InvalidSelectors [InsufficientSelectors]");
}

/// A shell is what it is for; here is none.
#[test]
fn pywinrm_gets_no_shell() {
    let host = SharedHost::get();
    let shell = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
    let body = "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams></rsp:Shell>";
    let verdict = Peer::new(&host, PYWINRM).refused(&pywinrm(&transfer("Create"), shell, "", body));
    assert_eq!(verdict.short(), "wsa:DestinationUnreachable [InvalidResourceURI]");
}

/// python-dracclient: no Content-Type, and MaxElements of a Pull in the namespace of an Enumerate's.
fn dracclient(operation: &str, resource: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:wsa=\"{WSA}\" xmlns:wsman=\"{WSMAN}\"><s:Header>\
         <wsa:To s:mustUnderstand=\"true\">https://127.0.0.1:443/wsman</wsa:To>\
         <wsman:ResourceURI s:mustUnderstand=\"true\">{resource}</wsman:ResourceURI>\
         <wsa:MessageID s:mustUnderstand=\"true\">{}</wsa:MessageID>\
         <wsa:ReplyTo><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>\
         <wsa:Action s:mustUnderstand=\"true\">{}</wsa:Action></s:Header><s:Body>\
         <wsen:{operation} xmlns:wsen=\"{WSEN}\">{body}</wsen:{operation}></s:Body></s:Envelope>",
        lower_id(),
        enumeration(operation)
    )
}

const DRACCLIENT: Manners = Manners::new(&[("User-Agent", "python-requests/2.34.2"), ("Accept", "*/*")]);

/// It merges the pages: each has Items, and it goes on until the context is empty or not there.
#[test]
fn dracclient_pulls_as_many_as_it_asks_for() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, DRACCLIENT);
    let filter = format!("<wsman:Filter Dialect=\"{CQL}\">select * from CIM_SoftwareIdentity</wsman:Filter>");
    for (filter, page_size) in [(filter.as_str(), 100), ("", 40)] {
        let most = format!("<wsman:MaxElements>{page_size}</wsman:MaxElements>");
        let body = format!("{filter}<wsman:OptimizeEnumeration/>{most}");
        let mut answer = peer.ask(&dracclient("Enumerate", &software(), &body));
        let mut sizes = Vec::new();
        loop {
            let page = answer.page();
            sizes.push(page.items.len());
            let Some(context) = page.context else { break };
            let body = format!("<wsen:EnumerationContext>{context}</wsen:EnumerationContext>{most}");
            answer = peer.ask(&dracclient("Pull", &software(), &body));
        }
        let (last, full) = sizes.split_last().unwrap();
        assert!(full.iter().all(|size| *size == page_size) && (1..=page_size).contains(last), "{sizes:?}");
        assert!(sizes.iter().sum::<usize>() >= 152, "{sizes:?}");
    }
}

/// It asks for classes under its vendor's host; what stands before the path of classes says nothing.
#[test]
fn dracclient_may_name_another_vendor() {
    let host = SharedHost::get();
    let uri = "http://schemas.dell.com/wbem/wscim/1/cim-schema/2/CIM_SoftwareIdentity";
    let body = "<wsman:OptimizeEnumeration/><wsman:MaxElements>3</wsman:MaxElements>";
    let answer = Peer::new(&host, DRACCLIENT).ask(&dracclient("Enumerate", uri, body));
    assert_eq!(answer.page().items.len(), 3);
}
