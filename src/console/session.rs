//! One host, and the way to it: requests out, replies in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::trust::{self, Decision, FirstMeeting, Trust};
use super::{ConsoleError, Endpoint, Resource};
use crate::cim::Interval;
use crate::client::{
    AddressRules, Client, ClientError, IdentityFiles, Login, Post, Response, Settings, SinkCredentials, Url,
};
use crate::soap::{Encoding, EndpointReference, Envelope, EnvelopeError, Message, Outgoing, ReceivedFault};
use crate::wire::enumeration::ReceivedPage;
use crate::wire::names::REQUEST_PREFIXES;
use crate::wire::{ControlHeaders, OptionSet};
use crate::xml::{Element, Giving, Limits, Writer};

/// The largest reply that is asked for, in octets.
const LARGEST_ENVELOPE: u64 = 16 * 1024 * 1024;
/// The largest reply that is taken: some hosts keep to no limit.
const LARGEST_REPLY: usize = 64 * 1024 * 1024;
/// What a reply may hold.
const LIMITS: Limits = Limits { depth: 64, elements: 1_500_000, attributes: 64 };
/// A reply may come so much later than the host was asked to answer.
const GRACE: Duration = Duration::from_secs(10);
const CONTENT_TYPE: &str = "application/soap+xml;charset=UTF-8";

/// Who we are to a host, and how it is known.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// User name and password, if the host is to get any.
    pub login: Option<Login>,
    /// Whether the host is to get Kerberos tickets in place of a name and a password.
    pub tickets: bool,
    /// Our certificate, if the host is to get one.
    pub identity: Option<IdentityFiles>,
    /// How the host is known.
    pub trust: Trust,
    /// How long the host may take for one request (`wsman:OperationTimeout`).
    pub patience: Duration,
    /// The longest time to find, reach and greet the host, each.
    pub connect: Duration,
}

/// A host that can be talked to.
#[derive(Debug)]
pub struct Session {
    endpoint: Endpoint,
    client: Client,
    credentials: Arc<SinkCredentials>,
    address: EndpointReference,
    settings: SessionSettings,
}

/// What a request says besides what it is about.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) headers: ControlHeaders,
    pub(super) action: String,
}

impl Asked {
    /// A request about a resource.
    pub(super) fn about(resource: &Resource, action: impl Into<String>) -> Self {
        let mut asked = Self::at(&action.into());
        asked.headers.resource_uri = Some(resource.uri.clone());
        asked.headers.selectors = resource.selectors.clone();
        asked
    }

    /// A request about what the reference that it is sent to carries.
    pub(super) fn at(action: &str) -> Self {
        let headers = ControlHeaders { max_envelope_size: Some(LARGEST_ENVELOPE), ..ControlHeaders::default() };
        Self { headers, action: action.to_owned() }
    }

    /// The same with options.
    pub(super) fn with_options(mut self, options: OptionSet) -> Self {
        self.headers.options = options;
        self
    }
}

impl Session {
    /// Gets ready to talk to a host. Who is met for the first time is shown to `decide`, before anything is told to him.
    pub async fn open(
        endpoint: Endpoint,
        settings: SessionSettings,
        decide: &dyn Fn(&FirstMeeting) -> Decision,
    ) -> Result<Self, ConsoleError> {
        let pin = settings.trust.pin(&endpoint, settings.connect, decide).await?;
        let mut credentials = SinkCredentials::new(endpoint.url().clone());
        if let Some(pin) = pin {
            credentials = credentials.with_peer_certificate(pin);
        }
        if let Some(login) = &settings.login {
            credentials = credentials.with_login(login.clone());
        }
        if settings.tickets {
            // Whether it is the right one is seen when a connection is made.
            let is_tls = endpoint.url().is_tls();
            let certificate = if is_tls { Some(trust::shown(&endpoint, settings.connect).await?) } else { None };
            credentials = credentials.with_tickets(certificate.as_ref());
        }
        if settings.identity.is_some() {
            credentials = credentials.with_identity();
        }
        let client = Client::start(network(&settings), AddressRules::anywhere())?;
        let address = EndpointReference::new(endpoint.url().to_string());
        Ok(Self { endpoint, client, credentials: Arc::new(credentials), address, settings })
    }

    /// The host.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address that this host knows us by, as far as can be told from here.
    pub(super) async fn own_address(&self) -> Result<IpAddr, ConsoleError> {
        let url = self.endpoint.url();
        let connected = tokio::time::timeout(self.settings.connect, TcpStream::connect((url.host(), url.port()))).await;
        let unreachable = |why: String| ConsoleError::Unreachable(ClientError::Connect(why));
        let stream = connected.map_err(|_| ConsoleError::Unreachable(ClientError::TimedOut))?;
        let own = stream.and_then(|stream| stream.local_addr()).map_err(|error| unreachable(error.to_string()))?;
        Ok(own.ip())
    }

    /// Whether the host is told who we are.
    pub(super) fn has_login(&self) -> bool {
        self.settings.login.is_some() || self.settings.tickets || self.settings.identity.is_some()
    }

    /// The address that references to this host's objects have.
    pub(super) fn address(&self) -> &str {
        &self.address.address
    }

    /// Sends a request and gives the reply; a fault is an error.
    pub(super) async fn ask(&self, asked: Asked, body: impl FnOnce(&mut Writer)) -> Result<Envelope, ConsoleError> {
        self.ask_at(&self.address, asked, body).await
    }

    /// The same of a request that is answered with a page of items, each of which goes to `take` as it is read.
    pub(super) async fn ask_for_page(
        &self,
        asked: Asked,
        body: impl FnOnce(&mut Writer),
        take: &mut dyn FnMut(Element),
    ) -> Result<Envelope, ConsoleError> {
        let message = self.message(&self.address, asked, body);
        let response = self.post(self.endpoint.url().clone(), message, true).await?;
        let giving = Giving { is_inside: ReceivedPage::is_of_items, to: take };
        envelope(&response, |text| Envelope::read_giving(text, &LIMITS, giving))
    }

    /// The same of a reference to something at this host; what it carries goes along.
    pub(super) async fn ask_at(
        &self,
        to: &EndpointReference,
        asked: Asked,
        body: impl FnOnce(&mut Writer),
    ) -> Result<Envelope, ConsoleError> {
        self.send(self.endpoint.url().clone(), self.message(to, asked, body), true).await
    }

    fn message(&self, to: &EndpointReference, mut asked: Asked, body: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut message = Message::new(REQUEST_PREFIXES, &Outgoing::request(&asked.action, to), usize::MAX);
        let timeout = u64::try_from(self.settings.patience.as_micros()).unwrap_or(u64::MAX);
        asked.headers.operation_timeout.get_or_insert(Interval::from_microseconds(timeout));
        asked.headers.write(message.header());
        body(message.body());
        message.finish()
    }

    /// Sends a message as it is, to the host's own address or to another of the same host.
    pub(super) async fn send(&self, url: Url, message: Vec<u8>, with_login: bool) -> Result<Envelope, ConsoleError> {
        let response = self.post(url, message, with_login).await?;
        envelope(&response, |text| Envelope::read(text, &LIMITS))
    }

    async fn post(&self, url: Url, message: Vec<u8>, with_login: bool) -> Result<Response, ConsoleError> {
        let post = Post { url, content_type: CONTENT_TYPE.to_owned(), body: message.into() };
        let credentials = if with_login { Arc::clone(&self.credentials) } else { Arc::new(self.stranger()) };
        match self.client.post_as(post, Some(credentials)).await {
            Ok(response) => Ok(response),
            Err(ClientError::Untrusted) => {
                Err(self.settings.trust.why_not(&self.endpoint, self.settings.connect).await)
            }
            Err(ClientError::Exchange(why)) if !self.endpoint.url().is_tls() => {
                Err(ClientError::Exchange(format!("{why}; perhaps https is spoken there")).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same host without saying who we are.
    fn stranger(&self) -> SinkCredentials {
        let stranger = SinkCredentials::new(self.endpoint.url().clone());
        match self.credentials.peer_certificate() {
            Some(pin) => stranger.with_peer_certificate(pin),
            None => stranger,
        }
    }
}

fn network(settings: &SessionSettings) -> Settings {
    let authorities = match &settings.trust {
        Trust::Authorities(file) => Some(file.clone()),
        Trust::Certificate(_) | Trust::Remembered(_) => None,
    };
    Settings {
        connect_timeout: settings.connect,
        request_timeout: settings.patience.saturating_add(settings.connect).saturating_add(GRACE),
        max_response: LARGEST_REPLY,
        max_in_flight: 16,
        trusts_system: false,
        trust_file: authorities,
        identity: settings.identity.clone(),
        ..Settings::default()
    }
}

/// The envelope that came; who answers with something else is no WS-Management service.
fn envelope(
    response: &Response,
    read: impl FnOnce(&str) -> Result<Envelope, EnvelopeError>,
) -> Result<Envelope, ConsoleError> {
    let no_service = |why: String| {
        ConsoleError::Reply(format!(
            "the answer is HTTP {} and no SOAP message ({why}); is it a WS-Management service?",
            response.status
        ))
    };
    if response.body.is_empty() {
        return Err(no_service("the body is empty".to_owned()));
    }
    let charset = response.content_type.as_deref().and_then(charset);
    let encoding = Encoding::detect(&response.body, charset).map_err(|error| no_service(error.to_string()))?;
    let text = encoding.decode(&response.body).map_err(|error| no_service(error.to_string()))?;
    let envelope = read(&text).map_err(|error| no_service(error.to_string()))?;
    match ReceivedFault::read(&envelope) {
        Some(fault) => Err(ConsoleError::Fault(Box::new(fault))),
        None => Ok(envelope),
    }
}

/// The character set that a Content-Type names.
pub(super) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })
}
