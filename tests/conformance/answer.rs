//! Replies, and what must be true of them.

use xmltree::{Element, EmitterConfig};

use crate::support::wsman::Reply;

/// The namespaces, by the prefixes that names in the tests have.
const PREFIXES: [(&str, &str); 11] = [
    ("s", "http://www.w3.org/2003/05/soap-envelope"),
    ("wsa", "http://schemas.xmlsoap.org/ws/2004/08/addressing"),
    ("wxf", "http://schemas.xmlsoap.org/ws/2004/09/transfer"),
    ("wsen", "http://schemas.xmlsoap.org/ws/2004/09/enumeration"),
    ("wse", "http://schemas.xmlsoap.org/ws/2004/08/eventing"),
    ("wsman", "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"),
    ("wsmb", "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"),
    ("wsmid", "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"),
    ("cim", "http://schemas.dmtf.org/wbem/wscim/1/common"),
    ("x", "urn:example:header"),
    ("xml", "http://www.w3.org/XML/1998/namespace"),
];

/// What every detail of a fault begins with.
const DETAIL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/";

/// A reply, with the request it answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The HTTP header.
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) request: String,
}

impl Answer {
    pub(crate) fn new(reply: Reply, request: &str) -> Self {
        Self { status: reply.status, head: reply.head, text: reply.body, request: request.to_owned() }
    }

    /// The envelope.
    pub(crate) fn envelope(&self) -> Element {
        Element::parse(self.text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<Element> {
        let envelope = self.envelope();
        child(child(&envelope, "s:Header")?, name).cloned()
    }

    /// The text of a header that must be there.
    pub(crate) fn header_text(&self, name: &str) -> String {
        text(&self.header(name).unwrap_or_else(|| panic!("no header {name}: {self:?}")))
    }

    /// What the body holds; `s:Body` itself if it is empty. A fault fails the test.
    pub(crate) fn succeeds(&self) -> Element {
        assert_eq!(self.status, 200, "{self:?}");
        let content = self.content();
        assert!(!is(&content, "s:Fault"), "{self:?}");
        content
    }

    fn content(&self) -> Element {
        let envelope = self.envelope();
        let body = child(&envelope, "s:Body").unwrap_or_else(|| panic!("no body: {self:?}"));
        elements(body).next().unwrap_or(body).clone()
    }

    /// What the body holds as our own service wrote it, with the prefixes declared that its envelope declares.
    pub(crate) fn body_xml(&self) -> String {
        let (_, body) = self.text.split_once("<s:Body>").unwrap();
        let (body, _) = body.rsplit_once("</s:Body>").unwrap();
        let (tag, rest) = body.split_once(' ').unwrap();
        format!(
            "{tag} xmlns:cim=\"{}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" {rest}",
            namespace("cim")
        )
    }

    /// The fault. Anything else fails the test.
    pub(crate) fn fault(&self) -> Fault {
        let content = self.content();
        assert!(is(&content, "s:Fault"), "no fault: {self:?}");
        Fault::read(&content, self)
    }

    /// A fault of this subcode (`wsman:EncodingLimit`) and, unless it is empty, with this detail; well made, and related
    /// to the request. A test looks at the rest.
    pub(crate) fn refuses(&self, subcode: &str, detail: &str) -> Fault {
        let fault = self.fault();
        assert!(self.status >= 400, "a fault with the HTTP status {}: {self:?}", self.status);
        assert_eq!(fault.subcode, subcode, "{self:?}");
        if !detail.is_empty() {
            assert_eq!(fault.details, [detail], "{self:?}");
        }
        assert_eq!(fault.action, action_of(subcode), "{self:?}");
        assert!(!fault.reason.is_empty(), "a fault without reason: {self:?}");
        if let Some(id) = message_id(&self.request) {
            assert_eq!(self.header_text("wsa:RelatesTo"), id, "{self:?}");
        }
        fault
    }

    /// The MessageID of the request.
    pub(crate) fn request_id(&self) -> &str {
        message_id(&self.request).unwrap_or_else(|| panic!("the request has no MessageID: {self:?}"))
    }
}

/// The Action of faults of a subcode's family (DSP0226 14.6).
fn action_of(subcode: &str) -> String {
    match subcode.split_once(':').unwrap().0 {
        "s" => format!("{}/fault", namespace("wsa")),
        prefix => format!("{}/fault", namespace(prefix).trim_end_matches(".xsd")),
    }
}

fn message_id(request: &str) -> Option<&str> {
    Some(request.split_once("<a:MessageID>")?.1.split_once("</a:MessageID>")?.0)
}

/// A fault as it came.
#[derive(Debug)]
pub(crate) struct Fault {
    /// `s:Sender`, `s:Receiver`, …
    pub(crate) code: String,
    /// The subcode; for SOAP's own faults the code.
    pub(crate) subcode: String,
    pub(crate) reason: String,
    /// The names of the details.
    pub(crate) details: Vec<String>,
    /// The Action of the message.
    pub(crate) action: String,
    /// All of `s:Detail`.
    pub(crate) elements: Vec<Element>,
}

impl Fault {
    fn read(fault: &Element, answer: &Answer) -> Self {
        let code = child(fault, "s:Code").unwrap_or_else(|| panic!("no code: {answer:?}"));
        let value = |e: &Element| qualified(child(e, "s:Value").unwrap_or_else(|| panic!("no value: {answer:?}")));
        let elements: Vec<Element> = child(fault, "s:Detail").into_iter().flat_map(elements).cloned().collect();
        let details = elements.iter().filter(|e| is(e, "wsman:FaultDetail"));
        Self {
            code: value(code),
            subcode: value(child(code, "s:Subcode").unwrap_or(code)),
            reason: child(fault, "s:Reason").and_then(|r| child(r, "s:Text")).map(text).unwrap_or_default(),
            details: details
                .map(|d| text(d).strip_prefix(DETAIL).unwrap_or("no detail of DSP0226").to_owned())
                .collect(),
            action: answer.header("wsa:Action").as_ref().map(text).unwrap_or_default(),
            elements,
        }
    }

    /// Fails unless the reason has this word in it.
    pub(crate) fn names(&self, word: &str) -> &Self {
        assert!(self.reason.contains(word), "{word:?} is not in the reason: {self:?}");
        self
    }

    /// An element of the detail that must be there.
    pub(crate) fn element(&self, name: &str) -> &Element {
        self.elements.iter().find(|e| is(e, name)).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// A page of an enumeration.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where to go on; none if it is not there or empty.
    pub(crate) context: Option<String>,
    pub(crate) items: Vec<Element>,
    /// Whether the end of the sequence is told.
    pub(crate) ends: bool,
}

impl Page {
    /// Reads EnumerateResponse or PullResponse, each with the elements of its own namespace.
    pub(crate) fn of(body: &Element) -> Self {
        let prefix = if is(body, "wsen:EnumerateResponse") { "wsman" } else { "wsen" };
        assert!(prefix == "wsman" || is(body, "wsen:PullResponse"), "no page: {body:?}");
        let context = child(body, "wsen:EnumerationContext").map(text);
        let items = child(body, &format!("{prefix}:Items"));
        Self {
            context: context.filter(|c| !c.is_empty()),
            items: items.into_iter().flat_map(elements).cloned().collect(),
            ends: child(body, &format!("{prefix}:EndOfSequence")).is_some(),
        }
    }
}

/// The namespace of a prefix of the tests.
pub(crate) fn namespace(prefix: &str) -> &'static str {
    PREFIXES.iter().find(|(known, _)| *known == prefix).unwrap_or_else(|| panic!("no prefix {prefix}")).1
}

/// Whether an element has this name, written with a prefix of the tests.
pub(crate) fn is(element: &Element, name: &str) -> bool {
    let (prefix, local) = name.split_once(':').unwrap();
    element.name == local && element.namespace.as_deref() == Some(namespace(prefix))
}

/// The elements inside.
pub(crate) fn elements(element: &Element) -> impl Iterator<Item = &Element> {
    element.children.iter().filter_map(|node| node.as_element())
}

/// The first element inside of that name.
pub(crate) fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    elements(element).find(|e| is(e, name))
}

/// The elements inside of that name.
pub(crate) fn all<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    elements(element).filter(|e| is(e, name)).collect()
}

/// The text, without the white space around it.
pub(crate) fn text(element: &Element) -> String {
    element.get_text().map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// A qualified name in an element's text, with the prefix of the tests.
fn qualified(element: &Element) -> String {
    let name = text(element);
    let (prefix, local) = name.split_once(':').unwrap_or(("", &name));
    let meant = element.namespaces.as_ref().and_then(|known| known.get(prefix));
    match PREFIXES.iter().find(|(_, uri)| Some(*uri) == meant) {
        Some((ours, _)) => format!("{ours}:{local}"),
        None => name.clone(),
    }
}

/// The properties of an instance: their names and texts. Those that hold elements have no text.
pub(crate) fn properties(instance: &Element) -> Vec<(String, String)> {
    elements(instance).map(|property| (property.name.clone(), text(property))).collect()
}

/// An element as XML.
pub(crate) fn xml(element: &Element) -> String {
    let mut octets = Vec::new();
    let configuration = EmitterConfig::new().write_document_declaration(false);
    element.write_with_config(&mut octets, configuration).unwrap();
    String::from_utf8(octets).unwrap()
}
