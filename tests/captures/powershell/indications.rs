//! Register-CimIndicationEvent.

use super::{Message, peer};
use crate::names::{PULL, PUSH, WQL, eventing};
use crate::peer::elements;
use crate::shared_host::SharedHost;
use crate::support::wsman::{ALL_CLASSES, CIM, child, descendants, text_of};

/// It pulls events; until that is served it is told so, and what is served instead.
#[test]
fn register_cim_indication_event_is_told_which_deliveries_there_are() {
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
        let message = Message {
            action: &eventing("Subscribe"),
            resource: &resource,
            selectors: &[("__cimnamespace", "root/cimv2")],
            options: "",
            body: &body,
        };
        let answer = peer.send(&message.envelope());
        assert_eq!(answer.verdict().unwrap().subcode, "wse:DeliveryModeRequestedUnavailable", "{}", answer.text);
        let detail = child(answer.content(), "Detail").unwrap();
        let supported: Vec<String> = descendants(detail, "SupportedDeliveryMode").into_iter().map(text_of).collect();
        assert_eq!(supported, [PUSH]);
        assert_eq!(elements(detail).count(), 1);
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
