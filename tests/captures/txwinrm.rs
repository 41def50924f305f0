//! txwinrm, Zenoss' client: requests spread over lines, always with one MessageID, subscriptions for a lifetime.

use crate::names::{MS_WSMAN, PULL, SOAP, WMI, WQL, WSA, WSE, WSEN, WSMAN, XSI, enumeration, eventing};
use crate::peer::{Manners, Peer, elements, namespace};
use crate::shared_host::SharedHost;
use crate::support::eventually;
use crate::support::server::PATIENCE;
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, child, descendants, property, text_of};

const MANNERS: Manners = Manners::new(&[("Content-Type", "application/soap+xml;charset=UTF-8")]);

/// The MessageID is a constant of the program.
fn envelope(action: &str, resource: &str, further: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:a=\"{WSA}\" xmlns:e=\"{WSE}\" xmlns:n=\"{WSEN}\" xmlns:p=\"{MS_WSMAN}\" xmlns:s=\"{SOAP}\" \
         xmlns:w=\"{WSMAN}\">
    <s:Header>
        <a:To>http://209051207:5985/wsman</a:To>{resource}
        <a:ReplyTo>
            <a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address>
        </a:ReplyTo>
        <a:Action s:mustUnderstand=\"true\">{action}</a:Action>
        <w:MaxEnvelopeSize s:mustUnderstand=\"true\">512000</w:MaxEnvelopeSize>
        <a:MessageID>uuid:7B1D2C93-0A3E-4E57-8D0B-21C4A8D9F2E6</a:MessageID>
        <w:Locale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>
        <p:DataLocale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>
        <w:OperationTimeout>PT60.000S</w:OperationTimeout>{further}
    </s:Header>
    <s:Body>
        {body}
    </s:Body>
</s:Envelope>
"
    )
}

fn resource(uri: &str) -> String {
    format!("\n        <w:ResourceURI s:mustUnderstand=\"true\">{uri}</w:ResourceURI>")
}

/// It reads instances under Items and, for picked properties, what is in XmlFragment without a namespace.
#[test]
fn txwinrm_queries() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let uri = resource(&format!("{WMI}/root/cimv2/*"));
    for (query, item) in [
        ("Select * From LMI_SoftwareIdentity", "LMI_SoftwareIdentity"),
        ("Select Name, Version From LMI_SoftwareIdentity", "XmlFragment"),
    ] {
        let body = format!(
            "<n:Enumerate>
            <w:OptimizeEnumeration />
            <w:MaxElements>32000</w:MaxElements>
            <w:Filter Dialect=\"{WQL}\">{query}</w:Filter>
        </n:Enumerate>"
        );
        let mut answer = peer.ask(&envelope(&enumeration("Enumerate"), &uri, "", &body));
        let mut count = 0;
        loop {
            let page = answer.page();
            for found in &page.items {
                assert_eq!(found.name, item);
                assert!(property(found, "Name").is_some() && property(found, "Version").is_some());
                assert_eq!(elements(found).all(|e| namespace(e).is_empty()), item == "XmlFragment");
            }
            count += page.items.len();
            let Some(context) = page.context else { break };
            let body = format!(
                "<n:Pull>
            <n:EnumerationContext xmlns:n=\"{WSEN}\">{context}</n:EnumerationContext>
            <n:MaxElements>32000</n:MaxElements>
        </n:Pull>"
            );
            answer = peer.ask(&envelope(&enumeration("Pull"), &uri, "", &body));
        }
        assert!(count >= 152, "{query}: {count}");
    }
}

/// The options of a subscription, which it repeats with everything about it.
fn options() -> String {
    format!(
        "
        <w:OptionSet xmlns:xsi=\"{XSI}\">
            <w:Option Name=\"SubscriptionName\">Monitoring</w:Option>
            <w:Option Name=\"ContentFormat\">RenderedText</w:Option>
            <w:Option Name=\"IgnoreChannelError\" xsi:nil=\"true\"/>
        </w:OptionSet>"
    )
}

/// It fetches events for 119 years, which is more than the service grants, and needs a context in every reply, also where
/// there is no event.
#[test]
fn txwinrm_fetches_events() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let options = options();
    let query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA \"CIM_ConcreteJob\"";
    let body = format!(
        "<e:Subscribe>
            <e:Delivery Mode=\"{PULL}\">
                <w:Heartbeats>PT5.000S</w:Heartbeats>
                <w:Locale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>
                <p:DataLocale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>
                <w:ContentEncoding>UTF-8</w:ContentEncoding>
            </e:Delivery>
            <e:Expires>PT3759670629.777S</e:Expires>
            <w:Filter Dialect=\"{WQL}\">{query}</w:Filter>
            <w:SendBookmarks/>
        </e:Subscribe>"
    );
    let answer = peer.ask(&envelope(&eventing("Subscribe"), &resource(ALL_CLASSES), &options, &body));
    assert!(property(answer.content(), "Expires").is_some_and(|time| time.starts_with("P36")), "{}", answer.text);
    let found = |name: &str| descendants(answer.content(), name).into_iter().map(text_of).next().unwrap();
    let (mut context, identifier) = (found("EnumerationContext"), found("Identifier"));
    let mut pull = |context: &mut String| {
        let body = format!(
            "<n:Pull>
            <n:EnumerationContext>{context}</n:EnumerationContext>
            <n:MaxElements>100</n:MaxElements>
        </n:Pull>"
        );
        let message = envelope(&enumeration("Pull"), &resource(ALL_CLASSES), &options, &body);
        let answer = peer.ask(&message.replace("PT60.000S", "PT5.000S"));
        let page = answer.page();
        *context = page.context.expect("it fails without a context");
        page.items
            .iter()
            .map(|event| property(child(event, "SourceInstance").unwrap(), "InstanceID").unwrap())
            .collect()
    };
    let job = host.ended_job();
    let mut jobs: Vec<String> = Vec::new();
    while !jobs.contains(&job) {
        jobs.extend::<Vec<String>>(pull(&mut context));
    }
    assert_eq!(jobs.iter().filter(|known| **known == job).count(), 1);
    // Others' jobs begin and end, and then there is nothing.
    eventually("a page without events", PATIENCE, || pull(&mut context).is_empty().then_some(()));

    // Its Unsubscribe names the resource behind everything else, and again declares what is declared.
    let unsubscribe = |identifier: &str| {
        let further = format!(
            "{options}
        <w:ResourceURI xmlns:w=\"{WSMAN}\">{ALL_CLASSES}</w:ResourceURI>
        <e:Identifier xmlns:e=\"{WSE}\">{identifier}</e:Identifier>"
        );
        envelope(&eventing("Unsubscribe"), "", &further, "<e:Unsubscribe/>")
    };
    peer.ask(&unsubscribe(&identifier));
    assert_eq!(peer.refused(&unsubscribe(&identifier)).subcode, "wsa:DestinationUnreachable");
}
