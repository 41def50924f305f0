//! Register-CimIndicationEvent.

use super::{Message, peer};
use crate::names::{PULL, PUSH, WQL, enumeration, eventing};
use crate::shared_host::SharedHost;
use crate::support::wsman::{ALL_CLASSES, CIM, child, property};

/// It fetches events. Which encoding it asks for says nothing here: replies are in that of their request.
#[test]
fn register_cim_indication_event_fetches_events() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let body = format!(
        "<e:Subscribe><e:Delivery Mode=\"{PULL}\"><w:Heartbeats>PT60.000S</w:Heartbeats>\
         <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/><p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
         <w:ContentEncoding>UTF-16</w:ContentEncoding></e:Delivery><e:Expires>PT600.000S</e:Expires>\
         <w:Filter Dialect=\"{WQL}\">SELECT * FROM CIM_InstModification WHERE SourceInstance ISA 'CIM_ConcreteJob'</w:Filter>\
         </e:Subscribe>"
    );
    for resource in [ALL_CLASSES.to_owned(), format!("{CIM}/CIM_InstModification")] {
        let ask = |action: &str, body: &str| {
            let selectors = &[("__cimnamespace", "root/cimv2")];
            Message { action, resource: &resource, selectors, options: "", body }.envelope()
        };
        let answer = peer.ask(&ask(&eventing("Subscribe"), &body));
        let context = property(answer.content(), "EnumerationContext").unwrap();
        let manager = child(answer.content(), "SubscriptionManager").unwrap();
        let identifier = property(child(manager, "ReferenceParameters").unwrap(), "Identifier").unwrap();
        host.ended_job();
        let pull = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>20</n:MaxElements></n:Pull>"
        );
        let pulled = peer.ask(&ask(&enumeration("Pull"), &pull));
        let page = pulled.page();
        assert!(page.context.is_some() && page.items.iter().all(|event| event.name == "LMI_SoftwareInstModification"));
        assert!(!page.items.is_empty(), "{}", pulled.text);
        let unsubscribe = ask(&eventing("Unsubscribe"), "<e:Unsubscribe/>");
        let header = format!("<e:Identifier>{identifier}</e:Identifier></s:Header>");
        assert!(peer.ask(&unsubscribe.replace("</s:Header>", &header)).is_empty());
    }
}

/// Windows quotes the class behind ISA.
#[test]
fn wql_may_quote_the_class_of_the_source() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    for quoted in ["'CIM_ConcreteJob'", "\"CIM_ConcreteJob\"", "CIM_ConcreteJob"] {
        let body = format!(
            "<e:Subscribe><e:Delivery Mode=\"{PUSH}\"><e:NotifyTo><a:Address>http://127.0.0.1:9/</a:Address></e:NotifyTo>\
             </e:Delivery><e:Expires>PT600.000S</e:Expires><w:Filter Dialect=\"{WQL}\">SELECT * FROM CIM_InstModification \
             WHERE SourceInstance ISA {quoted} AND SourceInstance.JobState = 7</w:Filter></e:Subscribe>"
        );
        let message = Message {
            action: &eventing("Subscribe"),
            resource: ALL_CLASSES,
            selectors: &[("__cimnamespace", "root/cimv2")],
            options: "",
            body: &body,
        };
        assert_eq!(peer.ask(&message.envelope()).action(), eventing("SubscribeResponse"));
    }
}
