//! A client of the service under test, with a connection of its own.

use std::sync::OnceLock;

use xmltree::Element;

use crate::answer::{Answer, Page, all, child, text};
use crate::service::{Service, service};
use crate::support::wsman::{Client, Message};

const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";

/// A client.
#[derive(Debug)]
pub(crate) struct Peer {
    service: &'static Service,
    client: Client,
}

impl Peer {
    /// A client with the credentials of the run.
    pub(crate) fn new() -> Self {
        let service = service();
        Self::of_user(Some((&*service.user.0, &*service.user.1)).filter(|(name, _)| !name.is_empty()))
    }

    /// A client with other credentials, or with none.
    pub(crate) fn of_user(user: Option<(&str, &str)>) -> Self {
        let service = service();
        Self { service, client: Client::at(service.place.clone(), user) }
    }

    /// The resource URI of a class with several instances.
    pub(crate) fn class(&self) -> &'static str {
        &self.service.class
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &Message) -> Answer {
        self.send_text(&request.envelope())
    }

    /// Sends an envelope as it is.
    pub(crate) fn send_text(&mut self, envelope: &str) -> Answer {
        Answer::new(self.client.post(envelope), envelope)
    }

    /// Sends an envelope in other octets and with HTTP headers of the test's own.
    pub(crate) fn send_octets(&mut self, headers: &[(&str, &str)], octets: &[u8]) -> Answer {
        let path = self.service.place.path.clone();
        Answer::new(self.client.post_to(&path, headers, octets), "")
    }

    /// The transport itself.
    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// A request about the class.
    pub(crate) fn request(&self, action: &str, body: &str) -> Message {
        self.to(Message::action(action, self.class(), body))
    }

    /// The same message, addressed to this service.
    pub(crate) fn to(&self, message: Message) -> Message {
        Message { to: self.service.url.clone(), ..message }
    }

    /// Get of the first instance.
    pub(crate) fn get(&self) -> Message {
        self.get_instance(0)
    }

    /// Get of one of the first instances.
    pub(crate) fn get_instance(&self, index: usize) -> Message {
        self.get_at(&instances()[index])
    }

    /// Get of what an endpoint reference names.
    pub(crate) fn get_at(&self, endpoint: &Endpoint) -> Message {
        let action = format!("{TRANSFER}/Get");
        let selectors = endpoint.selectors.clone();
        self.to(Message { selectors, ..Message::action(&action, &endpoint.resource_uri, "") })
    }

    /// Enumerate with these options.
    pub(crate) fn enumerate(&self, options: &str) -> Message {
        self.request(&format!("{ENUMERATION}/Enumerate"), &format!("<n:Enumerate>{options}</n:Enumerate>"))
    }

    /// Pull with these options.
    pub(crate) fn pull(&self, context: &str, options: &str) -> Message {
        let context = format!("<n:EnumerationContext>{context}</n:EnumerationContext>");
        self.request(&format!("{ENUMERATION}/Pull"), &format!("<n:Pull>{context}{options}</n:Pull>"))
    }

    /// Release.
    pub(crate) fn release(&self, context: &str) -> Message {
        let context = format!("<n:EnumerationContext>{context}</n:EnumerationContext>");
        self.request(&format!("{ENUMERATION}/Release"), &format!("<n:Release>{context}</n:Release>"))
    }

    /// Begins an enumeration with these options; gives its context.
    pub(crate) fn open(&mut self, options: &str) -> String {
        let request = self.enumerate(options);
        let page = Page::of(&self.send(&request).succeeds());
        page.context.expect("an enumeration without context")
    }

    /// Pulls a page that must come.
    pub(crate) fn page(&mut self, context: &str, options: &str) -> Page {
        let request = self.pull(context, options);
        Page::of(&self.send(&request).succeeds())
    }
}

/// What an endpoint reference of the default addressing model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: String,
    pub(crate) resource_uri: String,
    /// Names and contents, as XML.
    pub(crate) selectors: Vec<(String, String)>,
}

impl Endpoint {
    /// Reads what has the content of an endpoint reference.
    pub(crate) fn read(reference: &Element) -> Self {
        let parameters = child(reference, "wsa:ReferenceParameters").expect("a reference without parameters");
        let selectors = child(parameters, "wsman:SelectorSet").into_iter().flat_map(|set| all(set, "wsman:Selector"));
        Self {
            address: text(child(reference, "wsa:Address").expect("a reference without address")),
            resource_uri: text(child(parameters, "wsman:ResourceURI").expect("a reference without resource")),
            selectors: selectors.map(|s| (s.attributes["Name"].clone(), content(s))).collect(),
        }
    }

    /// The value of a selector.
    pub(crate) fn selector(&self, name: &str) -> &str {
        &self.selectors.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    /// A selector that is a key and not the CIM namespace.
    pub(crate) fn key(&self) -> &(String, String) {
        self.selectors.iter().find(|(name, _)| name != "__cimnamespace").unwrap()
    }
}

/// What stands inside a selector: text, or a reference.
fn content(selector: &Element) -> String {
    match child(selector, "wsa:EndpointReference") {
        None => escape(&text(selector)),
        Some(reference) => {
            let endpoint = Endpoint::read(reference);
            let selectors =
                endpoint.selectors.iter().map(|(n, v)| format!("<w:Selector Name=\"{n}\">{v}</w:Selector>"));
            format!(
                "<a:EndpointReference><a:Address>{}</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI>\
                 <w:SelectorSet>{}</w:SelectorSet></a:ReferenceParameters></a:EndpointReference>",
                escape(&endpoint.address),
                escape(&endpoint.resource_uri),
                selectors.collect::<String>()
            )
        }
    }
}

/// A text as XML holds it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The first instances of the class: at least three.
pub(crate) fn instances() -> &'static [Endpoint] {
    static INSTANCES: OnceLock<Vec<Endpoint>> = OnceLock::new();
    INSTANCES.get_or_init(|| {
        let mut peer = Peer::new();
        let context = peer.open("<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>");
        let page = peer.page(&context, "<n:MaxElements>5</n:MaxElements>");
        assert!(page.items.len() >= 3, "the suite needs a class with three instances and more: {page:?}");
        page.items.iter().map(Endpoint::read).collect()
    })
}
