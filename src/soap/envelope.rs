//! Reading envelopes.

use super::addressing::{Addressing, EndpointReference, check_uri, named_header};
use super::names::{SOAP, WSA};
use super::{Fault, FaultKind};
use crate::xml::{self, Element, ElementExt, Giving, Limits, XMLNode, XmlError, cut_escaped};

/// Longest MessageID that is taken. It goes back in every reply.
const LONGEST_MESSAGE_ID: usize = 2048;

/// The headers of WS-Addressing.
const ADDRESSING: [&str; 7] = ["To", "Action", "MessageID", "RelatesTo", "ReplyTo", "FaultTo", "From"];

/// A message: WS-Addressing headers typed, all others as elements, and the first element of the body.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The WS-Addressing headers. None need be there; Identify has none.
    pub addressing: Addressing,
    /// All other headers meant for us, in order.
    pub headers: Vec<HeaderBlock>,
    /// The body's first element.
    pub body: Option<Element>,
}

/// A header that is not WS-Addressing's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderBlock {
    /// The header.
    pub element: Element,
    /// Whether it must be understood. Only SOAP's own attribute counts; one without a namespace is noise.
    pub must_understand: bool,
}

/// A text that is no envelope we can act on.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It is no acceptable XML: HTTP status 400, there is nothing to answer to.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML but no proper envelope: a fault, which relates to the message if its name could be read.
    #[error("{fault}")]
    Fault {
        /// The fault to answer with.
        fault: Box<Fault>,
        /// The MessageID, if it could be read.
        message_id: Option<String>,
    },
}

impl Envelope {
    /// Reads an envelope from text under limits.
    pub fn read(text: &str, limits: &Limits) -> Result<Self, EnvelopeError> {
        Self::from_element(xml::read(text, limits)?)
    }

    /// The same, with some of its elements given away as they are read (see [`xml::read_giving`]).
    pub fn read_giving(text: &str, limits: &Limits, giving: Giving<'_>) -> Result<Self, EnvelopeError> {
        Self::from_element(xml::read_giving(text, limits, giving)?)
    }

    /// Reads an envelope from its element.
    pub fn from_element(root: Element) -> Result<Self, EnvelopeError> {
        let mut envelope = Self::default();
        match envelope.fill(root) {
            Ok(()) => Ok(envelope),
            Err(fault) => {
                Err(EnvelopeError::Fault { fault: Box::new(fault), message_id: envelope.addressing.message_id })
            }
        }
    }

    /// The action, or the fault that says it is missing.
    pub fn action(&self) -> Result<&str, Fault> {
        self.addressing.action()
    }

    /// A header by name.
    pub fn header(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.headers.iter().map(|h| &h.element).find(|e| e.is(namespace, name))
    }

    /// The body's element, or the fault that says which one is missing.
    pub fn body(&self, expected: &str) -> Result<&Element, Fault> {
        self.body.as_ref().ok_or_else(|| Fault::schema(format!("the body is empty; it must hold {expected}")))
    }

    fn fill(&mut self, root: Element) -> Result<(), Fault> {
        check_root(&root)?;
        let mut body_met = false;
        for child in root.children.into_iter().filter_map(into_element) {
            if child.is(SOAP, "Header") && !body_met {
                self.read_headers(child)?;
            } else if child.is(SOAP, "Body") && !body_met {
                body_met = true;
                let mut held = child.children.into_iter().filter_map(into_element);
                self.body = held.next();
                if let Some(second) = held.next() {
                    let name = &second.name;
                    return Err(Fault::schema(format!("s:Body holds one element at most; {name} is too much")));
                }
            } else {
                return Err(Fault::schema(format!(
                    "s:Envelope holds at most one s:Header and then one s:Body; {} is too much",
                    child.name
                )));
            }
        }
        if body_met { Ok(()) } else { Err(Fault::schema("s:Envelope holds no s:Body")) }
    }

    fn read_headers(&mut self, header: Element) -> Result<(), Fault> {
        let blocks: Vec<Element> = header.children.into_iter().filter_map(into_element).filter(is_for_us).collect();
        // The name of the message comes first, so that whatever else is wrong can be answered.
        if let Some(id) = blocks.iter().find(|b| b.is(WSA, "MessageID")) {
            self.addressing.message_id = Some(message_id(id)?);
        }
        let mut seen: Vec<String> = Vec::new();
        for block in blocks {
            // What WS-Addressing does not have is no more known for standing in its namespace.
            if block.namespace_uri() != WSA || !ADDRESSING.contains(&block.name.as_str()) {
                let must_understand =
                    block.attribute(SOAP, "mustUnderstand").is_some_and(|v| matches!(v.trim(), "1" | "true"));
                self.headers.push(HeaderBlock { element: block, must_understand });
                continue;
            }
            if seen.contains(&block.name) && block.name != "RelatesTo" {
                return Err(Fault::new(
                    FaultKind::InvalidMessageInformationHeader,
                    format!("the header wsa:{} is given twice", block.name),
                )
                .with_element(named_header(&block.name)));
            }
            seen.push(block.name.clone());
            self.read_addressing(block)?;
        }
        Ok(())
    }

    fn read_addressing(&mut self, block: Element) -> Result<(), Fault> {
        let into = &mut self.addressing;
        let filled = |e: &Element| Some(e.text().to_owned()).filter(|t| !t.is_empty());
        match block.name.as_str() {
            "To" => {
                check_uri("wsa:To", block.text())?;
                into.to = filled(&block);
            }
            "Action" => {
                check_uri("wsa:Action", block.text())?;
                into.action = filled(&block);
            }
            "RelatesTo" if into.relates_to.is_none() => into.relates_to = filled(&block),
            "ReplyTo" => into.reply_to = Some(EndpointReference::read(&block)?),
            "FaultTo" => into.fault_to = Some(EndpointReference::read(&block)?),
            "From" => into.from = Some(block),
            _ => {}
        }
        Ok(())
    }
}

fn check_root(root: &Element) -> Result<(), Fault> {
    if root.is(SOAP, "Envelope") {
        Ok(())
    } else if root.name == "Envelope" {
        Err(Fault::new(FaultKind::VersionMismatch, format!("the envelope must be SOAP 1.2, in the namespace {SOAP}")))
    } else {
        Err(Fault::schema(format!(
            "the message is no SOAP envelope; its element must be Envelope in the namespace {SOAP}"
        )))
    }
}

fn into_element(node: XMLNode) -> Option<Element> {
    match node {
        XMLNode::Element(element) => Some(element),
        _ => None,
    }
}

/// Headers for other roles pass by (SOAP 1.2 part 1, 2.2).
fn is_for_us(block: &Element) -> bool {
    block.attribute(SOAP, "role").is_none_or(|role| {
        let role = role.trim();
        role.is_empty() || role.ends_with("/role/next") || role.ends_with("/role/ultimateReceiver")
    })
}

fn message_id(header: &Element) -> Result<String, Fault> {
    let id = header.text();
    if id.is_empty() || cut_escaped(id, LONGEST_MESSAGE_ID).len() < id.len() {
        return Err(Fault::new(
            FaultKind::InvalidMessageInformationHeader,
            format!("wsa:MessageID must hold 1 to {LONGEST_MESSAGE_ID} octets, as they are written in a reply"),
        )
        .with_element(named_header("MessageID")));
    }
    Ok(id.to_owned())
}
