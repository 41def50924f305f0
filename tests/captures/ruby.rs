//! The Ruby gem winrm: it enumerates with WQL only, names nobody's mustUnderstand, and puts a session and
//! OptimizeEnumeration into the bodies of Enumerate and Pull. A long time-out it writes in weeks, which no duration has.

use crate::names::{MS_SHELL, MS_WSMAN, SOAP, WMI, WQL, WSA, WSEN, WSMAN, WSMB, WXF, enumeration, upper_id};
use crate::peer::{Manners, Peer};
use crate::shared_host::SharedHost;
use crate::support::wsman::{ANONYMOUS, property};

const MANNERS: Manners = Manners::new(&[
    ("User-Agent", "Ruby WinRM Client (2.8.3, ruby 3.1.2 (2022-04-12))"),
    ("Content-Type", "application/soap+xml;charset=UTF-8"),
]);

const SESSION: &str = "uuid:6F0B6C0D-5B0B-4B5E-9C55-0D8E2B6B7B11";

fn envelope(operation: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><env:Envelope xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:env=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:b=\"{WSMB}\" \
         xmlns:n=\"{WSEN}\" xmlns:x=\"{WXF}\" xmlns:w=\"{WSMAN}\" xmlns:p=\"{MS_WSMAN}\" xmlns:rsp=\"{MS_SHELL}\" \
         xmlns:cfg=\"http://schemas.microsoft.com/wbem/wsman/1/config\"><env:Header>\
         <a:To>https://127.0.0.1:5986/wsman</a:To>\
         <a:ReplyTo><a:Address mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
         <w:MaxEnvelopeSize mustUnderstand=\"true\">153600</w:MaxEnvelopeSize><a:MessageID>{}</a:MessageID>\
         <p:SessionId mustUnderstand=\"false\">{SESSION}</p:SessionId><w:Locale xml:lang=\"en-US\" mustUnderstand=\"false\"/>\
         <p:DataLocale xml:lang=\"en-US\" mustUnderstand=\"false\"/><w:OperationTimeout>P1WT2H</w:OperationTimeout>\
         <w:ResourceURI mustUnderstand=\"true\">{WMI}/root/cimv2/*</w:ResourceURI>\
         <a:Action mustUnderstand=\"true\">{}</a:Action></env:Header><env:Body><n:{operation}>{body}</n:{operation}>\
         </env:Body></env:Envelope>",
        upper_id(),
        enumeration(operation)
    )
}

#[test]
fn run_wql_pulls_to_the_end() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let body = format!(
        "<w:OptimizeEnumeration xsi:nil=\"true\"/><w:MaxElements>32000</w:MaxElements>\
         <w:Filter Dialect=\"{WQL}\">SELECT * FROM CIM_SoftwareIdentity WHERE Name LIKE 'filler%'</w:Filter>\
         <p:SessionId>{SESSION}</p:SessionId>"
    );
    let mut answer = peer.ask(&envelope("Enumerate", &body));
    let mut names = Vec::new();
    loop {
        let page = answer.page();
        names.extend(page.items.iter().map(|item| property(item, "Name").unwrap()));
        let Some(context) = page.context else { break };
        let body = format!(
            "<n:EnumerationContext>{context}</n:EnumerationContext><w:OptimizeEnumeration xsi:nil=\"true\"/>\
             <n:MaxElements>32000</n:MaxElements><p:SessionId>{SESSION}</p:SessionId>"
        );
        answer = peer.ask(&envelope("Pull", &body));
    }
    assert!(names.len() == 150 && names.iter().all(|name| name.starts_with("filler-")), "{}", names.len());
}
