//! Subscriptions as the audit log tells of them.

use super::things::{Asked, Host};
use super::*;
use crate::access::testing::audited;

fn send(host: &Host, operation: &str, headers: &str, body: &str) -> Reply {
    let action = format!("http://schemas.xmlsoap.org/ws/2004/08/eventing/{operation}");
    host.send(Asked { action: &action, class: "http://schemas.dmtf.org/wbem/wscim/1/*", keys: &[], headers, body })
}

fn subscribe(host: &Host, query: &str) -> Reply {
    let body = format!(
        "<e:Subscribe><e:Delivery Mode='http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push'><e:NotifyTo>\
         <a:Address>http://127.0.0.1:9/token/of/the/sink</a:Address></e:NotifyTo></e:Delivery><w:Filter \
         Dialect='http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf'>{query}</w:Filter></e:Subscribe>"
    );
    send(host, "Subscribe", "", &body)
}

#[test]
fn who_subscribes_renews_and_unsubscribes_is_audited() {
    let host = Host::new(Role::Viewer);
    let mut id = String::new();
    let lines = audited(|| {
        assert_eq!(subscribe(&host, "SELECT * FROM TST_Thing").status, 500);
        let made = String::from_utf8(subscribe(&host, "SELECT * FROM TST_Told").body).unwrap();
        let (_, rest) = made.split_once("<wse:Identifier>").unwrap_or_else(|| panic!("{made}"));
        id = rest.split_once('<').unwrap().0.trim_start_matches("uuid:").to_owned();
        let header = format!("<e:Identifier>{id}</e:Identifier>");
        assert_eq!(send(&host, "Renew", &header, "<e:Renew><e:Expires>PT1H</e:Expires></e:Renew>").status, 200);
        assert_eq!(send(&host, "GetStatus", &header, "<e:GetStatus/>").status, 200);
        assert_eq!(send(&host, "Unsubscribe", &header, "<e:Unsubscribe/>").status, 200);
        assert_eq!(send(&host, "Unsubscribe", &header, "<e:Unsubscribe/>").status, 500);
    });
    let who = "user=ann role=viewer";
    assert_eq!(
        lines,
        [
            format!("refused: subscribes: TST_Thing is no indication class of this service {who}"),
            format!("subscribed {id}, its events go to http://127.0.0.1:9 {who}"),
            format!("renews subscription {id} {who}"),
            format!("ends subscription {id} {who}"),
            format!("refused: ends subscription {id}: there is no such subscription; it may have expired {who}"),
        ]
    );
}
