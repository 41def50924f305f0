//! Requests to subscribe, and to manage what came of them.

use xmltree::Element;

use crate::answer::{Answer, child, elements, text, xml};
use crate::peer::Peer;
use crate::support::wsman::{ALL_CLASSES, Message};

/// What the Actions of WS-Eventing begin with.
pub(crate) const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// The CIM query language.
pub(crate) const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
/// What the URIs of WS-Management's own modes and messages begin with.
pub(crate) const MANAGEMENT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman";
/// The beginning of jobs.
pub(crate) const NEW_JOBS: &str = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob";

/// Everything that becomes of jobs: several events of each.
pub(crate) const ALL_OF_JOBS: &str = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_ConcreteJob";

/// A `wse:Subscribe`, each part as XML.
#[derive(Clone, Debug)]
pub(crate) struct Subscribe {
    /// The attribute Mode with its value, or nothing.
    pub(crate) mode: String,
    /// Inside `wse:NotifyTo`, which is left out if this is empty.
    pub(crate) notify_to: String,
    /// Beside it in `wse:Delivery`.
    pub(crate) delivery: String,
    /// In front of `wse:Delivery`.
    pub(crate) before: String,
    /// Behind it.
    pub(crate) options: String,
}

impl Subscribe {
    /// To the beginning of jobs, pushed to this address, for an hour.
    pub(crate) fn to(sink: &str) -> Self {
        Self {
            mode: String::new(),
            notify_to: format!("<a:Address>{sink}</a:Address>"),
            delivery: String::new(),
            before: String::new(),
            options: format!("<e:Expires>PT1H</e:Expires>{}", filter("w:Filter", CQL, NEW_JOBS)),
        }
    }

    /// The same to where nobody listens.
    pub(crate) fn nowhere() -> Self {
        Self::to("http://127.0.0.1:9/")
    }

    /// The same in another delivery mode.
    pub(crate) fn in_mode(mode: &str) -> Self {
        Self { mode: format!(" Mode=\"{mode}\""), ..Self::nowhere() }
    }

    /// The same with this in `wse:Delivery`.
    pub(crate) fn with_delivery(delivery: &str) -> Self {
        Self { delivery: delivery.to_owned(), ..Self::nowhere() }
    }

    /// The same with this behind `wse:Delivery` and nothing else.
    pub(crate) fn with_options(options: &str) -> Self {
        Self { options: options.to_owned(), ..Self::nowhere() }
    }

    /// The same in one of the modes of WS-Management.
    pub(crate) fn managed(self, mode: &str) -> Self {
        Self { mode: format!(" Mode=\"{MANAGEMENT}/{mode}\""), ..self }
    }

    /// To the same events, which the subscriber fetches.
    pub(crate) fn pulled() -> Self {
        Self { notify_to: String::new(), ..Self::nowhere().managed("Pull") }
    }

    /// The same with another query.
    pub(crate) fn about(self, query: &str) -> Self {
        Self { options: format!("<e:Expires>PT1H</e:Expires>{}", filter("w:Filter", CQL, query)), ..self }
    }

    /// The same with more behind everything else.
    pub(crate) fn and(self, options: &str) -> Self {
        Self { options: self.options + options, ..self }
    }

    /// The same with its end told there; the content of `wse:EndTo` as XML.
    pub(crate) fn ending_at(self, end_to: &str) -> Self {
        Self { before: format!("<e:EndTo>{end_to}</e:EndTo>"), ..self }
    }

    /// The request, about all classes.
    pub(crate) fn message(&self, peer: &Peer) -> Message {
        let Self { mode, notify_to, delivery, before, options } = self;
        let notify_to =
            if notify_to.is_empty() { String::new() } else { format!("<e:NotifyTo>{notify_to}</e:NotifyTo>") };
        let body =
            format!("<e:Subscribe>{before}<e:Delivery{mode}>{notify_to}{delivery}</e:Delivery>{options}</e:Subscribe>");
        peer.to(Message::action(&format!("{EVENTING}/Subscribe"), ALL_CLASSES, &body))
    }

    /// Sends it.
    pub(crate) fn send(&self, peer: &mut Peer) -> Answer {
        let message = self.message(peer);
        peer.send(&message)
    }
}

/// A filter element.
pub(crate) fn filter(element: &str, dialect: &str, content: &str) -> String {
    format!("<{element} Dialect=\"{dialect}\">{content}</{element}>")
}

/// A subscription that was granted.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    /// The `wse:SubscriptionManager`.
    pub(crate) manager: Element,
    /// `wse:Expires`, if it was told.
    pub(crate) expires: Option<String>,
    /// `wsen:EnumerationContext`, with which events are fetched.
    pub(crate) context: Option<String>,
}

impl Subscription {
    /// Reads a SubscribeResponse.
    pub(crate) fn of(answer: &Answer) -> Self {
        let response = answer.succeeds();
        Self {
            manager: child(&response, "wse:SubscriptionManager").expect("no SubscriptionManager").clone(),
            expires: child(&response, "wse:Expires").map(text),
            context: child(&response, "wsen:EnumerationContext").map(text),
        }
    }

    /// A request to its manager, with the reference parameters as headers.
    pub(crate) fn request(&self, peer: &Peer, operation: &str, content: &str) -> Message {
        let body = format!("<e:{operation}>{content}</e:{operation}>");
        self.to_manager(peer, &format!("{EVENTING}/{operation}"), &body)
    }

    /// Any request to its manager.
    pub(crate) fn to_manager(&self, peer: &Peer, action: &str, body: &str) -> Message {
        let parameters = child(&self.manager, "wsa:ReferenceParameters").into_iter().flat_map(elements);
        let (resource, others): (Vec<_>, Vec<_>) = parameters.partition(|e| e.name == "ResourceURI");
        let message = Message::action(action, &text(resource[0]), body);
        others.into_iter().fold(peer.to(message), |message, parameter| message.header(&xml(parameter)))
    }

    /// Sends such a request.
    pub(crate) fn send(&self, peer: &mut Peer, operation: &str, content: &str) -> Answer {
        let request = self.request(peer, operation, content);
        peer.send(&request)
    }
}
