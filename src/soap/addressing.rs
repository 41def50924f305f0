//! WS-Addressing 2004/08: endpoint references and the headers that every message has.

use super::names::{ANONYMOUS, WSA};
use super::{Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer, XMLNode, element};

/// Longest URI that is taken or sent (DSP0226 R13.4-1).
pub(super) const LONGEST_URI: usize = 2048;
/// How many elements the reference parameters of one endpoint may hold in all. They are kept and sent back.
const MOST_PARAMETERS: usize = 512;

/// Where a message goes: an address and what must be sent along with it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EndpointReference {
    /// The address; empty if there was none.
    pub address: String,
    /// Elements that become headers of every message to this endpoint.
    pub parameters: Vec<Element>,
    /// The same by the older name `wsa:ReferenceProperties`, which some clients use.
    pub properties: Vec<Element>,
}

impl EndpointReference {
    /// An endpoint that is only an address.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), ..Self::default() }
    }

    /// The sender of the request, on the same connection.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS)
    }

    /// Whether it is the sender of the request, on the same connection.
    pub fn is_anonymous(&self) -> bool {
        self.address == ANONYMOUS
    }

    /// The same with one more reference parameter.
    #[must_use]
    pub fn with_parameter(mut self, parameter: Element) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Reads an element that has the content of an endpoint reference, directly or inside one
    /// `wsa:EndpointReference`.
    pub fn read(holder: &Element) -> Result<Self, Fault> {
        Self::take(holder.child(WSA, "EndpointReference").unwrap_or(holder).clone())
    }

    /// The same of an element that is not needed any more.
    pub fn take(mut holder: Element) -> Result<Self, Fault> {
        let inside =
            holder.children.iter().position(|node| node.as_element().is_some_and(|e| e.is(WSA, "EndpointReference")));
        if let Some(XMLNode::Element(content)) = inside.map(|place| holder.children.swap_remove(place)) {
            holder = content;
        }
        let address = holder.child(WSA, "Address").map(ElementExt::text).unwrap_or_default();
        check_uri("wsa:Address", address)?;
        let mut endpoint = Self::new(address);
        for child in elements_of(holder) {
            if child.is(WSA, "ReferenceParameters") {
                endpoint.parameters.extend(elements_of(child));
            } else if child.is(WSA, "ReferenceProperties") {
                endpoint.properties.extend(elements_of(child));
            }
        }
        if endpoint.carried().map(count).sum::<usize>() > MOST_PARAMETERS {
            return Err(Fault::detailed(
                FaultKind::EncodingLimit,
                FaultDetail::ServiceEnvelopeLimit,
                format!("an endpoint reference holds more than {MOST_PARAMETERS} elements of reference parameters"),
            ));
        }
        Ok(endpoint)
    }

    /// What becomes headers of every message to this endpoint.
    pub fn carried(&self) -> impl Iterator<Item = &Element> {
        self.parameters.iter().chain(&self.properties)
    }

    /// Writes its content, without an element around it. `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        w.leaf("wsa:Address", &self.address);
        for (tag, held) in
            [("wsa:ReferenceProperties", &self.properties), ("wsa:ReferenceParameters", &self.parameters)]
        {
            if !held.is_empty() {
                w.start(tag);
                for element in held {
                    w.element(element);
                }
                w.end(tag);
            }
        }
    }

    /// Its content in an element of the given name.
    pub fn to_element(&self, namespace: &str, name: &str) -> Element {
        let mut holder = element(namespace, name).with_child(element(WSA, "Address").with_text(self.address.clone()));
        for (name, held) in [("ReferenceProperties", &self.properties), ("ReferenceParameters", &self.parameters)] {
            if !held.is_empty() {
                let wrapped = held.iter().cloned().fold(element(WSA, name), ElementExt::with_child);
                holder = holder.with_child(wrapped);
            }
        }
        holder
    }
}

fn elements_of(holder: Element) -> impl Iterator<Item = Element> {
    holder.children.into_iter().filter_map(|node| match node {
        XMLNode::Element(element) => Some(element),
        _ => None,
    })
}

fn count(element: &Element) -> usize {
    1 + element.elements().map(count).sum::<usize>()
}

/// Refuses a URI that is longer than DSP0226 allows for.
pub(super) fn check_uri(name: &str, uri: &str) -> Result<(), Fault> {
    if uri.len() <= LONGEST_URI {
        return Ok(());
    }
    Err(Fault::detailed(
        FaultKind::EncodingLimit,
        FaultDetail::UriLimitExceeded,
        format!("{name} holds a URI of more than {LONGEST_URI} characters"),
    ))
}

/// The WS-Addressing headers of a message, as they came. What must be there is for [`Self::check_request`] to say.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Addressing {
    /// Where the message goes.
    pub to: Option<String>,
    /// What it asks for.
    pub action: Option<String>,
    /// Its name, any text; goes back as it is.
    pub message_id: Option<String>,
    /// The name of the message it answers.
    pub relates_to: Option<String>,
    /// Where the reply goes.
    pub reply_to: Option<EndpointReference>,
    /// Where a fault goes instead.
    pub fault_to: Option<EndpointReference>,
    /// Where it comes from; never a reason for a fault (R5.4.6-2).
    pub from: Option<Element>,
}

impl Addressing {
    /// Whether this can be a request that is answered on its connection: To, Action, MessageID and an anonymous
    /// ReplyTo are there (R5.3-1, R5.4.1-1, R5.4.2-1, R5.4.2-2, R5.4.3-1, R5.4.4-4).
    pub fn check_request(&self) -> Result<(), Fault> {
        self.action()?;
        if self.message_id.is_none() {
            return Err(Fault::new(
                FaultKind::InvalidMessageInformationHeader,
                "the header wsa:MessageID is missing or empty; give every request one",
            )
            .with_element(named_header("MessageID")));
        }
        if self.to.is_none() {
            return Err(Fault::missing_header("To"));
        }
        let reply_to = self.reply_to.as_ref().ok_or_else(|| Fault::missing_header("ReplyTo"))?;
        for (name, endpoint) in [("wsa:ReplyTo", Some(reply_to)), ("wsa:FaultTo", self.fault_to.as_ref())] {
            if endpoint.is_some_and(|e| !e.is_anonymous()) {
                return Err(Fault::detailed(
                    FaultKind::UnsupportedFeature,
                    FaultDetail::AddressingMode,
                    format!("{name} must have the address {ANONYMOUS}; replies go back on the same connection"),
                ));
            }
        }
        Ok(())
    }

    /// The action, or the fault that says it is missing.
    pub fn action(&self) -> Result<&str, Fault> {
        self.action.as_deref().ok_or_else(|| Fault::missing_header("Action"))
    }
}

/// The element by which a fault's detail names a WS-Addressing header.
pub(super) fn named_header(name: &str) -> Element {
    element(WSA, name)
}
