//! A small WS-Management client: TLS and HTTP/1.1 by hand, so that a test can send what no client would.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io::{self, Read, Write};
use std::net::TcpStream;

use openssl::base64::encode_block;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use xmltree::Element;

use super::server::PATIENCE;

/// The ResourceURI prefix of the DMTF's classes.
pub const CIM: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2";
/// The ResourceURI of all classes.
pub const ALL_CLASSES: &str = "http://schemas.dmtf.org/wbem/wscim/1/*";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";

/// Where a service is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, with its slash.
    pub path: String,
    /// Whether it is reached through TLS.
    pub tls: bool,
}

impl Place {
    /// `/wsman` over TLS on a port of loopback.
    pub fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port, path: "/wsman".to_owned(), tls: true }
    }

    /// The place that an `http://` or `https://` URL names.
    pub fn parse(url: &str) -> Self {
        let url = url::Url::parse(url).unwrap_or_else(|error| panic!("{url:?} is no URL: {error}"));
        Self {
            host: url.host_str().unwrap().to_owned(),
            port: url.port_or_known_default().unwrap(),
            path: url.path().to_owned(),
            tls: url.scheme() == "https",
        }
    }

    fn open(&self) -> io::Result<Box<dyn Stream>> {
        let socket = self.socket()?;
        Ok(if self.tls { Box::new(secure(socket)?) } else { Box::new(socket) })
    }

    fn socket(&self) -> io::Result<TcpStream> {
        let socket = TcpStream::connect((self.host.as_str(), self.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(socket)
    }
}

/// A connection, with TLS or without.
pub trait Stream: Read + Write + Debug + Send {}

impl<T: Read + Write + Debug + Send> Stream for T {}

/// A connection that is made when it is first needed and made anew after the server closed it.
#[derive(Debug)]
pub struct Client {
    place: Place,
    authorization: Option<String>,
    stream: Option<Box<dyn Stream>>,
}

/// An HTTP reply.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header, as it came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Client {
    /// A client with Basic credentials.
    pub fn new(port: u16, user: &str, password: &str) -> Self {
        Self::at(Place::local(port), Some((user, password)))
    }

    /// A client without credentials.
    pub fn anonymous(port: u16) -> Self {
        Self::at(Place::local(port), None)
    }

    /// A client of a service anywhere, with or without Basic credentials.
    pub fn at(place: Place, user: Option<(&str, &str)>) -> Self {
        let basic = |(user, password)| format!("Basic {}", encode_block(format!("{user}:{password}").as_bytes()));
        Self { place, authorization: user.map(basic), stream: None }
    }

    /// Posts an envelope to the service's path.
    pub fn post(&mut self, body: &str) -> Reply {
        let path = self.place.path.clone();
        self.post_to(&path, &[("Content-Type", "application/soap+xml;charset=UTF-8")], body.as_bytes())
    }

    /// Posts bytes with these headers.
    pub fn post_to(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let Place { host, port, .. } = &self.place;
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {}\r\n", body.len());
        if let Some(authorization) = &self.authorization {
            write!(head, "Authorization: {authorization}\r\n").unwrap();
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        self.exchange(&[head.as_bytes(), body].concat()).expect("no reply")
    }

    /// Sends bytes as they are and reads a reply; an error means that the server closed the connection.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        // A server may close an idle connection at any time; what was not answered at all is asked once more.
        let reused = self.stream.is_some();
        let result = self.try_exchange(request);
        if result.is_err() {
            self.stream = None;
            if reused {
                return self.try_exchange(request);
            }
        }
        result
    }

    fn try_exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        if self.stream.is_none() {
            self.stream = Some(self.place.open()?);
        }
        let stream = self.stream.as_mut().unwrap();
        // A server that has refused already may not read to the end; its reply still counts.
        let written = stream.write_all(request).and_then(|()| stream.flush());
        let reply = read_reply(stream);
        if written.is_err() || reply.as_ref().is_ok_and(|r| r.closes()) {
            self.stream = None;
        }
        reply
    }

    /// Opens a connection and leaves it to the caller.
    pub fn raw(&self) -> Box<dyn Stream> {
        self.place.open().unwrap()
    }

    /// The value of the Authorization header.
    pub fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap_or_default()
    }

    /// Does a request that must succeed; gives the child of the body.
    pub fn ask(&mut self, request: &Message) -> Element {
        let reply = self.post(&request.envelope());
        assert_eq!(reply.status, 200, "{} {}: {}", request.action, request.resource_uri, reply.body);
        reply.content()
    }
}

impl Reply {
    fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\r\nconnection: close")
    }

    /// The child of the SOAP body.
    pub fn content(&self) -> Element {
        let envelope = Element::parse(self.body.as_bytes()).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        let body = child(&envelope, "Body").unwrap_or_else(|| panic!("no body: {self:?}"));
        body.children.iter().find_map(|node| node.as_element()).cloned().unwrap_or_else(|| Element::new("Nothing"))
    }

    /// The fault's subcode without prefix (its code, if it has no subcode), and its reason.
    pub fn fault(&self) -> (String, String) {
        let fault = self.content();
        assert_eq!(fault.name, "Fault", "no fault: {self:?}");
        let code = child(&fault, "Code").unwrap();
        let code = child(code, "Subcode").unwrap_or(code);
        let value = text_of(child(code, "Value").unwrap());
        let reason = child(child(&fault, "Reason").unwrap(), "Text").map(text_of).unwrap_or_default();
        (value.rsplit(':').next().unwrap().to_owned(), reason)
    }
}

/// A TLS connection to a port of loopback.
pub fn connect(port: u16) -> io::Result<SslStream<TcpStream>> {
    secure(Place::local(port).socket()?)
}

/// TLS over a connection; certificates are another test's subject.
fn secure(socket: TcpStream) -> io::Result<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.build().connect("localhost", socket).map_err(io::Error::other)
}

/// Reads one HTTP reply.
pub fn read_reply(stream: &mut dyn Stream) -> io::Result<Reply> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        read_more(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let mut body = bytes.split_off(head_end);
    if let Some(length) = header(&head, "content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        while body.len() < length {
            read_more(stream, &mut body)?;
        }
    } else if header(&head, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        body = read_chunks(stream, body)?;
    }
    let body = text(body).map_err(io::Error::other)?;
    Ok(Reply { status, head, body })
}

/// UTF-8, or UTF-16 where a byte order mark says so.
fn text(body: Vec<u8>) -> Result<String, Box<dyn Error + Send + Sync>> {
    let units = |order: fn([u8; 2]) -> u16| -> Vec<u16> { body[2..].chunks(2).map(|u| order([u[0], u[1]])).collect() };
    Ok(match body.as_slice() {
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes))?,
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes))?,
        _ => String::from_utf8(body)?,
    })
}

fn read_chunks(stream: &mut dyn Stream, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some(line) = find(&bytes, b"\r\n") else {
            read_more(stream, &mut bytes)?;
            continue;
        };
        let size =
            usize::from_str_radix(String::from_utf8_lossy(&bytes[..line]).trim(), 16).map_err(io::Error::other)?;
        while bytes.len() < line + 2 + size + 2 {
            read_more(stream, &mut bytes)?;
        }
        body.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes.drain(..line + 2 + size + 2);
        if size == 0 {
            return Ok(body);
        }
    }
}

fn read_more(stream: &mut dyn Stream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        n => {
            bytes.extend_from_slice(&buffer[..n]);
            Ok(())
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A request: its action, what it is about, and its body.
#[derive(Clone, Debug)]
pub struct Message {
    /// `wsa:To`.
    pub to: String,
    /// `wsa:Action`.
    pub action: String,
    /// `wsman:ResourceURI`.
    pub resource_uri: String,
    /// Selectors: name and content, as XML.
    pub selectors: Vec<(String, String)>,
    /// Further header blocks, as XML.
    pub headers: String,
    /// The body's content, as XML.
    pub body: String,
}

impl Message {
    fn new(action: String, resource_uri: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            to: "https://127.0.0.1/wsman".to_owned(),
            action,
            resource_uri: resource_uri.into(),
            selectors: Vec::new(),
            headers: String::new(),
            body: body.into(),
        }
    }

    /// Get.
    pub fn get(resource_uri: &str) -> Self {
        Self::new(format!("{TRANSFER}/Get"), resource_uri, "")
    }

    /// Enumerate with these options, as XML.
    pub fn enumerate(resource_uri: &str, options: &str) -> Self {
        Self::new(format!("{ENUMERATION}/Enumerate"), resource_uri, format!("<n:Enumerate>{options}</n:Enumerate>"))
    }

    /// A method of a class.
    pub fn invoke(class_uri: &str, method: &str, arguments: &[(&str, &str)]) -> Self {
        let mut body = format!("<p:{method}_INPUT xmlns:p=\"{class_uri}\">");
        for (name, value) in arguments {
            write!(body, "<p:{name}>{value}</p:{name}>").unwrap();
        }
        write!(body, "</p:{method}_INPUT>").unwrap();
        Self::new(format!("{class_uri}/{method}"), class_uri, body)
    }

    /// Subscribe for pushed events with a CQL filter.
    pub fn subscribe(sink: &str, query: &str) -> Self {
        let body = format!(
            "<e:Subscribe><e:Delivery Mode=\"{EVENTING}/DeliveryModes/Push\">\
             <e:NotifyTo><a:Address>{sink}</a:Address></e:NotifyTo></e:Delivery><e:Expires>PT1H</e:Expires>\
             <w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">{query}</w:Filter></e:Subscribe>"
        );
        Self::new(format!("{EVENTING}/Subscribe"), ALL_CLASSES, body)
    }

    /// Any action.
    pub fn action(action: &str, resource_uri: &str, body: &str) -> Self {
        Self::new(action.to_owned(), resource_uri, body)
    }

    /// Adds a selector; the value is text or an endpoint reference, as XML.
    pub fn selector(mut self, name: &str, value: impl Into<String>) -> Self {
        self.selectors.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header block, as XML.
    pub fn header(mut self, block: &str) -> Self {
        self.headers.push_str(block);
        self
    }

    /// The whole envelope.
    pub fn envelope(&self) -> String {
        let mut selectors = String::new();
        for (name, value) in &self.selectors {
            write!(selectors, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
        }
        format!(
            "{OPEN}<s:Header><a:To>{}</a:To><w:ResourceURI>{}</w:ResourceURI>\
             <a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo><a:Action>{}</a:Action>\
             <a:MessageID>uuid:{}</a:MessageID>{}<w:SelectorSet>{selectors}</w:SelectorSet></s:Header>\
             <s:Body>{}</s:Body></s:Envelope>",
            self.to,
            self.resource_uri,
            self.action,
            uuid::Uuid::new_v4(),
            self.headers,
            self.body
        )
    }
}

/// An envelope without one of its elements, which is named with its prefix and has no attributes.
pub fn without(envelope: &str, name: &str) -> String {
    let (before, rest) = envelope.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {envelope}"));
    let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
    [before, after].concat()
}

/// The anonymous address of WS-Addressing.
pub const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/// The start of an envelope, with every prefix that the messages here use.
pub const OPEN: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
    xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
    xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\" \
    xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" \
    xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:wsman=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";

/// The first child element of this name, whatever its namespace.
pub fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    element.children.iter().filter_map(|node| node.as_element()).find(|e| e.name == name)
}

/// All elements of this name below, in document order.
pub fn descendants<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    let mut found = Vec::new();
    for below in element.children.iter().filter_map(|node| node.as_element()) {
        if below.name == name {
            found.push(below);
        }
        found.extend(descendants(below, name));
    }
    found
}

/// The text of an element, or of its only child (`cim:Datetime`).
pub fn text_of(element: &Element) -> String {
    if let Some(inner) = element.children.iter().find_map(|node| node.as_element()) {
        return text_of(inner);
    }
    element.get_text().map(|t| t.trim().to_owned()).unwrap_or_default()
}

/// The value of a property; `None` for NULL.
pub fn property(instance: &Element, name: &str) -> Option<String> {
    let element = child(instance, name)?;
    let nil = element.attributes.iter().any(|(key, value)| key == "nil" && value == "true");
    (!nil).then(|| text_of(element))
}
