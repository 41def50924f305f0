//! Writing envelopes.

use std::fmt;

use uuid::Uuid;

use super::addressing::{Addressing, EndpointReference};
use super::names::ANONYMOUS;
use crate::xml::{Namespaces, Writer, Written};

/// What closes an envelope after its body's content.
const TAIL: &str = "</s:Body></s:Envelope>";

/// The name of a message of ours, `uuid:…`. No two are the same (DSP0226 R5.4.4-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageId(Uuid);

impl MessageId {
    /// A new name.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl From<Uuid> for MessageId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uuid:{:X}", self.0.hyphenated())
    }
}

/// The WS-Addressing headers of a message of ours.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// What the message asks for or answers.
    pub action: &'a str,
    /// Its name.
    pub message_id: MessageId,
    /// Where it goes; what the endpoint carries becomes headers. `None` is back on the connection.
    pub to: Option<&'a EndpointReference>,
    /// The message it answers; never written empty.
    pub relates_to: Option<&'a str>,
    /// Whether a reply is expected on the connection.
    pub wants_reply: bool,
}

impl<'a> Outgoing<'a> {
    /// A new message back on the connection that answers nothing.
    pub fn new(action: &'a str) -> Self {
        Self { action, message_id: MessageId::random(), to: None, relates_to: None, wants_reply: false }
    }

    /// The reply to a request (R5.4.2-4, R5.4.2-5).
    pub fn reply(action: &'a str, request: &'a Addressing) -> Self {
        let to = request.reply_to.as_ref();
        Self { to, relates_to: request.message_id.as_deref(), ..Self::new(action) }
    }

    /// A request to an endpoint.
    pub fn request(action: &'a str, to: &'a EndpointReference) -> Self {
        Self { to: Some(to), wants_reply: true, ..Self::new(action) }
    }
}

/// An envelope being written: further headers first, then the body.
#[derive(Debug)]
pub struct Message {
    w: Writer,
    in_header: bool,
}

impl Message {
    /// Begins an envelope that may have so many octets. The prefixes `s` and `wsa` must be among the namespaces.
    pub fn new(namespaces: Namespaces, outgoing: &Outgoing<'_>, limit: usize) -> Self {
        let mut w = Writer::new(limit);
        w.start("s:Envelope").namespaces(namespaces).attribute("xml:lang", "en-US").start("s:Header");
        w.leaf("wsa:Action", outgoing.action);
        w.leaf("wsa:MessageID", &outgoing.message_id.to_string());
        w.leaf("wsa:To", outgoing.to.map_or(ANONYMOUS, |to| &to.address));
        if let Some(id) = outgoing.relates_to.filter(|id| !id.is_empty()) {
            w.leaf("wsa:RelatesTo", id);
        }
        if outgoing.wants_reply {
            w.start("wsa:ReplyTo").leaf("wsa:Address", ANONYMOUS).end("wsa:ReplyTo");
        }
        for element in outgoing.to.into_iter().flat_map(EndpointReference::carried) {
            w.element(element);
        }
        Self { w, in_header: true }
    }

    /// Where further headers are written; only before [`Self::body`].
    pub fn header(&mut self) -> &mut Writer {
        debug_assert!(self.in_header, "headers come before the body");
        &mut self.w
    }

    /// Where the body's content is written. Its budget leaves room for the end of the envelope.
    pub fn body(&mut self) -> &mut Writer {
        if self.in_header {
            self.in_header = false;
            self.w.end("s:Header").start("s:Body");
            self.w.reserve(TAIL.len());
        }
        &mut self.w
    }

    /// The finished envelope in UTF-8, in one piece.
    pub fn finish(self) -> Vec<u8> {
        self.finish_in_pieces().join()
    }

    /// The finished envelope in UTF-8.
    pub fn finish_in_pieces(mut self) -> Written {
        self.body();
        self.w.end("s:Body").end("s:Envelope");
        self.w.finish_in_pieces()
    }
}
