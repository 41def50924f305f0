//! Events on their way to a sink (DSP0226 10.2.8, 10.2.9, 10.9).

use super::write::{Style, write_instance};
use crate::cim::Instance;
use crate::soap::{EndpointReference, Message, MessageId, Outgoing};
use crate::wire::names::{EVENTING_PREFIXES, action};
use crate::xml::Writer;

/// What the headers of a delivery say besides where it goes.
#[derive(Clone, Debug)]
pub struct DeliveryHeaders<'a> {
    /// The sink, whose reference parameters become headers (R10.2.1-5).
    pub sink: &'a EndpointReference,
    /// The name of the message, the same at every attempt.
    pub id: MessageId,
    /// Whether the sink is to acknowledge it (10.7).
    pub wants_ack: bool,
    /// Where a subscriber may go on that has dealt with this message (10.2.6).
    pub bookmark: Option<&'a str>,
    /// The language of texts, as the subscriber asked for it (R10.2.1-6).
    pub locale: Option<&'a str>,
}

/// One thing that a delivery tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// An indication as [`indication_xml`] gives it.
    Event(&'a str),
    /// Events were dropped here; so many since the subscription was made (R10.9-1).
    Dropped(u64),
}

/// An indication in its own class's namespace, to be put into any number of messages.
pub fn indication_xml(indication: &Instance) -> String {
    let mut w = Writer::new(usize::MAX);
    write_instance(&mut w, indication, &Style::default());
    String::from_utf8(w.finish()).unwrap_or_default()
}

/// The message that brings one event to a sink, in UTF-8.
pub fn write_event(headers: &DeliveryHeaders<'_>, told: Told<'_>) -> Vec<u8> {
    let mut message = begin(headers, told.action());
    told.write(message.body());
    message.finish()
}

/// The message that brings several events to a sink, in UTF-8.
pub fn write_events<'a>(headers: &DeliveryHeaders<'_>, told: impl IntoIterator<Item = Told<'a>>) -> Vec<u8> {
    let mut message = begin(headers, action::EVENTS);
    let w = message.body();
    w.start("wsman:Events");
    for told in told {
        told.write_in_batch(w);
    }
    w.end("wsman:Events");
    message.finish()
}

/// The message that tells a sink that the subscription lives (10.2.5), in UTF-8.
pub fn write_heartbeat(headers: &DeliveryHeaders<'_>) -> Vec<u8> {
    begin(headers, action::HEARTBEAT).finish()
}

impl Told<'_> {
    fn action(self) -> &'static str {
        match self {
            Self::Event(_) => action::EVENT,
            Self::Dropped(_) => action::DROPPED_EVENTS,
        }
    }

    /// Writes it where an event stands: in the body, or among the items of a Pull.
    pub fn write(self, w: &mut Writer) {
        match self {
            Self::Event(xml) => {
                w.raw(xml);
            }
            Self::Dropped(total) => {
                w.start("wsman:DroppedEvents").attribute("Action", action::EVENT).unsigned(total);
                w.end("wsman:DroppedEvents");
            }
        }
    }

    fn write_in_batch(self, w: &mut Writer) {
        w.start("wsman:Event").attribute("Action", self.action());
        self.write(w);
        w.end("wsman:Event");
    }

    /// An upper bound of the octets that it takes in a message.
    pub fn octets(self) -> usize {
        const AROUND: usize = 256;
        AROUND
            + match self {
                Self::Event(xml) => xml.len(),
                Self::Dropped(_) => 0,
            }
    }
}

fn begin(headers: &DeliveryHeaders<'_>, action: &str) -> Message {
    let outgoing = Outgoing { message_id: headers.id, ..Outgoing::request(action, headers.sink) };
    let mut message = Message::new(EVENTING_PREFIXES, &outgoing, usize::MAX);
    let w = message.header();
    if headers.wants_ack {
        w.empty("wsman:AckRequested");
    }
    if let Some(bookmark) = headers.bookmark {
        w.leaf("wsman:Bookmark", bookmark);
    }
    if let Some(locale) = headers.locale {
        w.start("wsman:Locale").attribute("xml:lang", locale).end("wsman:Locale");
    }
    message
}
