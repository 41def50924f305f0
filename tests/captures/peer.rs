//! A client as the service sees it: how it speaks HTTP, and what it needs of every reply.

use xmltree::Element;

use crate::names::{SOAP, WSA, WSE, WSEN, WSMAN, WXF};
use crate::shared_host::SharedHost;
use crate::support::wsman::{ANONYMOUS, Client, Reply, child, descendants, text_of};

/// Headers that a reply may have. What Windows' clients speak among themselves must not come back: who sends OperationID
/// back says that it can do more than it can.
const REPLY_HEADERS: [&str; 8] = [
    "Action",
    "MessageID",
    "To",
    "RelatesTo",
    "FragmentTransfer",
    "RequestedEPR",
    "TotalItemsCountEstimate",
    "Bookmark",
];

/// How a client speaks HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub(crate) path: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// The body is UTF-16 with a byte order mark, as Windows writes it.
    pub(crate) utf16: bool,
}

impl Manners {
    /// UTF-8 to `/wsman`, with this User-Agent and this Content-Type.
    pub(crate) const fn new(headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { path: "/wsman", headers, utf16: false }
    }
}

/// A client with a connection.
pub(crate) struct Peer {
    client: Client,
    manners: Manners,
}

impl Peer {
    /// A connection of an administrator to the host.
    pub(crate) fn new(host: &SharedHost, manners: Manners) -> Self {
        Self { client: host.admin(), manners }
    }

    /// Sends a message; whatever the reply is, it has what every client needs.
    pub(crate) fn send(&mut self, message: &str) -> Answer {
        let body = if self.manners.utf16 { utf16(message) } else { message.as_bytes().to_vec() };
        let reply = self.client.post_to(self.manners.path, self.manners.headers, &body);
        let answer = Answer::read(reply);
        answer.check(message, self.manners.utf16);
        answer
    }

    /// Sends a message that must succeed; gives the reply.
    pub(crate) fn ask(&mut self, message: &str) -> Answer {
        let answer = self.send(message);
        assert_eq!(answer.status, 200, "{message}\n{}", answer.text);
        answer
    }

    /// Sends a message that must be refused; gives the fault.
    pub(crate) fn refused(&mut self, message: &str) -> Verdict {
        let answer = self.send(message);
        answer.verdict().unwrap_or_else(|| panic!("{message}\nwas not refused: {}", answer.text))
    }
}

fn utf16(message: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(message.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// A reply.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    head: String,
    envelope: Element,
}

/// What a fault says: its code, its subcode with our prefixes, and the name of the detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) code: String,
    pub(crate) subcode: String,
    pub(crate) detail: Option<String>,
    pub(crate) reason: String,
}

impl Verdict {
    /// The subcode, and the detail in brackets if there is one.
    pub(crate) fn short(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} [{detail}]", self.subcode),
            None => self.subcode.clone(),
        }
    }
}

impl Answer {
    /// A reply in SOAP, as it is.
    pub(crate) fn read(reply: Reply) -> Self {
        let envelope = Element::parse(reply.body.as_bytes()).unwrap_or_else(|e| panic!("{e}: {reply:?}"));
        Self { status: reply.status, text: reply.body, head: reply.head, envelope }
    }

    fn header(&self) -> &Element {
        child(&self.envelope, "Header").expect("a reply has a header")
    }

    fn body(&self) -> &Element {
        child(&self.envelope, "Body").expect("a reply has a body")
    }

    /// `wsa:Action`.
    pub(crate) fn action(&self) -> String {
        text_of(child(self.header(), "Action").expect("a reply has an action"))
    }

    /// A header that is not on every reply.
    pub(crate) fn further_header(&self, name: &str) -> Option<&Element> {
        child(self.header(), name)
    }

    /// The one element of the body.
    pub(crate) fn content(&self) -> &Element {
        let mut elements = elements(self.body());
        let content = elements.next().unwrap_or_else(|| panic!("the body is empty: {}", self.text));
        assert!(elements.next().is_none(), "the body has several elements: {}", self.text);
        content
    }

    /// Whether the body is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.body().children.is_empty()
    }

    /// What the fault says; `None` if it is none.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let fault = elements(self.body()).find(|e| e.name == "Fault")?;
        let value = |e: &Element| child(e, "Value").map(text_of).expect("a code has a value");
        let code = child(fault, "Code").expect("a fault has a code");
        let local = value(code).rsplit(':').next().unwrap().to_owned();
        let detail = child(fault, "Detail").and_then(|detail| child(detail, "FaultDetail")).map(text_of);
        let reason = child(fault, "Reason").and_then(|reason| child(reason, "Text")).expect("a fault has a reason");
        Some(Verdict {
            code: local,
            subcode: child(code, "Subcode").map(value).unwrap_or_default(),
            detail: detail.map(|uri| uri.rsplit('/').next().unwrap().to_owned()),
            reason: text_of(reason),
        })
    }

    /// What every client needs, beside what it asked for.
    fn check(&self, request: &str, utf16: bool) {
        let text = &self.text;
        // WinRM takes no XML declaration, and some clients no white space around text.
        assert!(text.starts_with("<s:Envelope "), "the reply begins with something else: {text}");
        check_no_padding(&self.envelope);
        assert_eq!(self.envelope.namespace.as_deref(), Some(SOAP));
        let charset = if utf16 { "UTF-16" } else { "UTF-8" };
        let content_type = format!("content-type: application/soap+xml;charset={charset}\r\n").to_ascii_lowercase();
        assert!(self.head.to_ascii_lowercase().contains(&content_type), "{}", self.head);
        let is_fault = self.verdict().is_some();
        assert_eq!(self.status, if is_fault { 500 } else { 200 }, "{text}");
        if request.contains("MessageID") {
            self.check_headers(request);
        }
        if let Some(verdict) = self.verdict() {
            self.check_fault(&verdict);
        }
    }

    /// A fault's Action is that of the standard that defines it; what DSP0226 details it with comes first.
    fn check_fault(&self, verdict: &Verdict) {
        let text = &self.text;
        assert!(!verdict.reason.is_empty(), "{text}");
        let (prefix, _) = verdict.subcode.split_once(':').unwrap_or_default();
        let defined_by = match prefix {
            "wsman" => "http://schemas.dmtf.org/wbem/wsman/1/wsman",
            "wsmb" => "http://schemas.dmtf.org/wbem/wsman/1/cimbinding",
            "wxf" => WXF,
            "wsen" => WSEN,
            "wse" => WSE,
            "wsa" => WSA,
            _ => {
                assert_eq!(verdict.code, "MustUnderstand", "{text}");
                WSA
            }
        };
        assert_eq!(self.action(), format!("{defined_by}/fault"), "{text}");
        let detail = descendants(self.body(), "Detail").into_iter().next();
        let inside: Vec<&str> = detail.map(|d| elements(d).map(|e| e.name.as_str()).collect()).unwrap_or_default();
        assert!(inside.iter().skip(1).all(|name| *name != "FaultDetail"), "{text}");
    }

    fn check_headers(&self, request: &str) {
        let names: Vec<&str> = elements(self.header()).map(|e| e.name.as_str()).collect();
        assert_eq!(&names[..3], ["Action", "MessageID", "To"], "{}", self.text);
        let unknown = names.iter().find(|name| !REPLY_HEADERS.contains(name) && **name != "NotUnderstood");
        assert_eq!(unknown, None, "{}", self.text);
        let of = |name: &str| child(self.header(), name).map(text_of).unwrap_or_default();
        assert_eq!(of("To"), ANONYMOUS);
        assert_eq!(of("RelatesTo"), message_id(request), "the MessageID comes back as it was");
        let id = of("MessageID");
        let guid = id.strip_prefix("uuid:").unwrap_or_else(|| panic!("the MessageID {id:?} begins with uuid:"));
        assert!(uuid::Uuid::parse_str(guid).is_ok() && guid.len() == 36, "{id}");
        let must_be_understood: Vec<&str> = elements(self.header())
            .filter(|e| e.attributes.keys().any(|key| key == "mustUnderstand"))
            .map(|e| e.name.as_str())
            .filter(|name| *name != "FragmentTransfer")
            .collect();
        assert!(must_be_understood.is_empty(), "{must_be_understood:?}");
    }

    /// The items of an enumeration and where it goes on: in the shape that all clients read, omicli among them, which
    /// crashes at others. No Expires that nobody asked for; at the end an empty context and EndOfSequence in a reply to
    /// Enumerate, and no context and EndOfSequence in one to Pull.
    pub(crate) fn page(&self) -> Page<'_> {
        let response = self.content();
        let (is_first, items_in) = match response.name.as_str() {
            "EnumerateResponse" => (true, WSMAN),
            "PullResponse" => (false, WSEN),
            other => panic!("{other} is no page: {}", self.text),
        };
        let qualified: Vec<(&str, &str)> =
            elements(response).map(|e| (e.namespace.as_deref().unwrap_or_default(), e.name.as_str())).collect();
        let context = child(response, "EnumerationContext").map(text_of).filter(|text| !text.is_empty());
        let mut expected = Vec::new();
        if is_first || context.is_some() {
            expected.push((WSEN, "EnumerationContext"));
        }
        expected.push((items_in, "Items"));
        if context.is_none() {
            expected.push((items_in, "EndOfSequence"));
        }
        assert_eq!(qualified, expected, "{}", self.text);
        Page { items: elements(child(response, "Items").unwrap()).collect(), context }
    }

    /// The items of a reply, which may have none.
    pub(crate) fn items(&self) -> Vec<&Element> {
        child(self.content(), "Items").map(|items| elements(items).collect()).unwrap_or_default()
    }

    /// Where an enumeration goes on: after a page, or after a reply that holds nothing but this, as the one to an Enumerate
    /// that did not ask for more.
    pub(crate) fn page_or_context(&self) -> Option<String> {
        if child(self.content(), "Items").is_some() {
            return self.page().context;
        }
        let held: Vec<&str> = elements(self.content()).map(|e| e.name.as_str()).collect();
        assert_eq!(held, ["EnumerationContext"], "{}", self.text);
        Some(text_of(self.content()))
    }
}

/// A page of an enumeration.
pub(crate) struct Page<'a> {
    pub(crate) items: Vec<&'a Element>,
    /// Where it goes on; `None` at the end.
    pub(crate) context: Option<String>,
}

/// The elements in an element.
pub(crate) fn elements(element: &Element) -> impl Iterator<Item = &Element> {
    element.children.iter().filter_map(|node| node.as_element())
}

/// The namespace of an element.
pub(crate) fn namespace(element: &Element) -> &str {
    element.namespace.as_deref().unwrap_or_default()
}

/// An attribute, whatever its prefix.
pub(crate) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

/// The properties of an instance with their values, in order; NULL is `None`.
pub(crate) fn properties(instance: &Element) -> Vec<(String, Option<String>)> {
    let value = |e: &Element| (attribute(e, "nil") != Some("true")).then(|| text_of(e));
    elements(instance).map(|e| (e.name.clone(), value(e))).collect()
}

/// The keys and values of a SelectorSet or of an endpoint reference, in order.
pub(crate) fn selectors(holder: &Element) -> Vec<(String, String)> {
    let found = descendants(holder, "Selector");
    found.into_iter().map(|s| (attribute(s, "Name").unwrap().to_owned(), text_of(s))).collect()
}

fn message_id(request: &str) -> String {
    // A declaration tells the encoding of the octets that are sent.
    let text = request.split_once("?>").map_or(request, |(_, rest)| rest);
    let request = Element::parse(text.as_bytes()).unwrap();
    let header = child(&request, "Header").unwrap();
    let id = elements(header).find(|e| e.name == "MessageID" && namespace(e) == WSA).unwrap();
    id.get_text().map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn check_no_padding(element: &Element) {
    for node in &element.children {
        if let Some(text) = node.as_text() {
            assert_eq!(text, text.trim(), "white space around the text of {}", element.name);
        }
    }
    elements(element).for_each(check_no_padding);
}
