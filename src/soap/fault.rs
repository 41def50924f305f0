//! Faults: what the peer reads, and for the log what caused them.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::addressing::{Addressing, EndpointReference, named_header};
use super::fault_table::{Code, FaultDetail, FaultKind};
use super::message::{Message, Outgoing};
use super::names::{FAULT_DETAIL, FAULT_PREFIXES, WSA};
use crate::xml::{Element, ElementExt, Writer, cut_escaped, element};

/// How many octets of a reason are sent, as they stand in the message: it may stand there three times, and the whole is
/// to be no longer than a fault may always be (DSP0226 R13.4-6).
const LONGEST_REASON: usize = 512;

/// Octets that every client takes (R6.2-4).
const SMALLEST_ENVELOPE: usize = 8192;

/// A fault: the answer to a request that cannot be served.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    detail: Option<FaultDetail>,
    reason: Cow<'static, str>,
    elements: Vec<Element>,
    not_understood: Vec<(String, String)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault with a sentence that tells the person what to change. The sentence goes to the peer.
    pub fn new(kind: FaultKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: None,
            reason: reason.into(),
            elements: Vec::new(),
            not_understood: Vec::new(),
            source: None,
        }
    }

    /// The same with one of the details that DSP0226 lists for the kind.
    pub fn detailed(kind: FaultKind, detail: FaultDetail, reason: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(kind.details().contains(&detail), "{kind:?} has no detail {detail:?}");
        Self { detail: Some(detail), ..Self::new(kind, reason) }
    }

    /// `wsman:SchemaValidationError`: something is not where its schema wants it.
    pub fn schema(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FaultKind::SchemaValidationError, reason)
    }

    /// `wsman:InternalError`: our own failure. The peer reads what kind it is, the log reads the source.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultKind::InternalError, FaultKind::InternalError.default_reason()).with_source(source)
    }

    /// `wsa:MessageInformationHeaderRequired` for a WS-Addressing header.
    pub fn missing_header(name: &str) -> Self {
        Self::new(FaultKind::MessageInformationHeaderRequired, format!("the header wsa:{name} is missing or empty"))
            .with_element(named_header(name))
    }

    /// `wsa:ActionNotSupported` for that action.
    pub fn action_not_supported(action: &str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FaultKind::ActionNotSupported, reason).with_element(element(WSA, "Action").with_text(action))
    }

    /// `s:MustUnderstand` for headers given as namespace and name (DSP0226 R5.2-2).
    pub fn must_understand(headers: Vec<(String, String)>) -> Self {
        let names: Vec<_> = headers.iter().map(|(_, name)| name.as_str()).collect();
        let reason = format!("these headers must be understood and are not known here: {}", names.join(", "));
        Self { not_understood: headers, ..Self::new(FaultKind::MustUnderstand, reason) }
    }

    /// The same with one more element in its detail, beside `wsman:FaultDetail`.
    #[must_use]
    pub fn with_element(mut self, element: Element) -> Self {
        self.elements.push(element);
        self
    }

    /// The same with the error that caused it, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// What exactly is wrong.
    pub fn detail(&self) -> Option<FaultDetail> {
        self.detail
    }

    /// The sentence for the person.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Further elements of its detail.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Its envelope, for the sender of a request with those headers. An incomplete request is answered as far as it
    /// can be. What the sender's endpoint carries is left out if the envelope would be larger than every client takes
    /// (DSP0226 R5.4.2-5, R6.2-4).
    pub fn to_message(&self, request: &Addressing) -> Vec<u8> {
        let usable = |e: &&EndpointReference| e.is_anonymous();
        let to = request.fault_to.as_ref().filter(usable).or(request.reply_to.as_ref().filter(usable));
        let message = self.message_to(to, request);
        if message.len() > SMALLEST_ENVELOPE && to.is_some() { self.message_to(None, request) } else { message }
    }

    fn message_to(&self, to: Option<&EndpointReference>, request: &Addressing) -> Vec<u8> {
        let outgoing = Outgoing { relates_to: request.message_id.as_deref(), to, ..Outgoing::new(self.kind.action()) };
        let mut message = Message::new(FAULT_PREFIXES, &outgoing, usize::MAX);
        for (namespace, name) in &self.not_understood {
            let w = message.header();
            w.start("s:NotUnderstood");
            // No prefix may stand for no namespace.
            if namespace.is_empty() {
                w.attribute("qname", name);
            } else {
                w.attribute("xmlns:u", namespace).attribute_parts("qname", &["u:", name]);
            }
            w.end("s:NotUnderstood");
        }
        self.write(message.body());
        message.finish()
    }

    /// Writes `s:Fault`. The prefixes of [`FAULT_PREFIXES`] must be declared.
    pub fn write(&self, w: &mut Writer) {
        let row = self.kind.row();
        w.start("s:Fault").start("s:Code");
        w.leaf("s:Value", row.code.value());
        if matches!(row.code, Code::Sender | Code::Receiver) {
            w.start("s:Subcode").leaf("s:Value", &self.kind.name()).end("s:Subcode");
        }
        w.end("s:Code").start("s:Reason").start("s:Text").attribute("xml:lang", "en-US");
        let reason = self.shown_reason();
        w.text(reason).end("s:Text").end("s:Reason");
        self.write_detail(w, reason);
        w.end("s:Fault");
    }

    fn write_detail(&self, w: &mut Writer, reason: &str) {
        let windows = self.kind.windows_code();
        if self.detail.is_none() && self.elements.is_empty() && windows.is_none() {
            return;
        }
        w.start("s:Detail");
        if let Some(detail) = self.detail {
            w.start("wsman:FaultDetail").text(FAULT_DETAIL).text(detail.name()).end("wsman:FaultDetail");
        }
        for element in &self.elements {
            w.element(element);
        }
        if let Some(code) = windows {
            w.start("f:WSManFault").attribute("Code", code).leaf("f:Message", reason).end("f:WSManFault");
        }
        w.end("s:Detail");
    }

    fn shown_reason(&self) -> &str {
        sent(if self.reason.is_empty() { self.kind.default_reason() } else { &self.reason })
    }
}

/// As much of a reason as a fault holds, wherever in it the reason stands.
pub fn sent(reason: &str) -> &str {
    cut_escaped(reason, LONGEST_REASON)
}

impl Code {
    fn value(self) -> &'static str {
        match self {
            Self::Sender => "s:Sender",
            Self::Receiver => "s:Receiver",
            Self::MustUnderstand => "s:MustUnderstand",
            Self::VersionMismatch => "s:VersionMismatch",
        }
    }
}

impl FaultKind {
    /// The number by which Windows' clients know a time-out and a refusal (`f:WSManFault/@Code`).
    fn windows_code(self) -> Option<&'static str> {
        match self {
            Self::TimedOut => Some("2150858793"),
            Self::AccessDenied => Some("5"),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.name())?;
        if let Some(detail) = self.detail {
            write!(f, " ({})", detail.name())?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
