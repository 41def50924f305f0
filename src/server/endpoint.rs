//! One request: who asks, may the body be read, and what the service answers.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::authentication::Authentication;
use super::connections::Connection;
use super::in_flight::InFlight;
use super::refusal::Refusal;
use super::reply_body::ReplyBody;
use super::upload::{Received, Uploads};
use super::{Settings, body, content};
use crate::access::Caller;
use crate::config::Live;
use crate::wsman;

/// The largest body of a request from nobody in particular: Identify is small.
const ANONYMOUS_BODY: usize = 16 * 1024;

/// Whom a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Users; without credentials, those who say `WSMANIDENTIFY: unauthenticated`.
    Users,
    /// Anybody, as nobody in particular.
    Anybody,
}

/// What a worker thread needs to answer requests.
pub(super) struct Endpoint {
    authentication: Authentication,
    service: Arc<wsman::Service>,
    settings: Live<Settings>,
    uploads: Option<Arc<Uploads>>,
    in_flight: Arc<InFlight>,
    listen: String,
    /// The last Host header and the address made of it: clients of one server mostly call it by one name.
    address: RefCell<(String, Arc<str>)>,
}

impl Endpoint {
    pub(super) fn new(
        settings: Live<Settings>,
        listen: SocketAddr,
        authentication: Authentication,
        service: Arc<wsman::Service>,
        uploads: Option<Arc<Uploads>>,
        in_flight: Arc<InFlight>,
    ) -> Self {
        let address = RefCell::new((String::new(), Arc::from("")));
        let listen = listen.to_string();
        Self { authentication, service, settings, uploads, in_flight, listen, address }
    }

    /// Answers a POST.
    pub(super) async fn serve(
        self: Rc<Self>,
        access: Access,
        request: HttpRequest,
        payload: web::Payload,
    ) -> HttpResponse {
        let connection = request.conn_data::<Arc<Connection>>().cloned();
        let _busy = connection.as_ref().map(|connection| connection.busy());
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let (mut response, is_stale) = match self.answer(access, peer, &request, payload).await {
            Ok(reply) => (send(reply), false),
            Err(refusal) => {
                if let Some(connection) = connection.as_ref().filter(|_| refusal.ends_connection()) {
                    connection.end();
                }
                (refusal.response(content::reads_soap(request.headers())), refusal == Refusal::Stale)
            }
        };
        self.authentication.say(&request, &mut response, is_stale);
        response
    }

    async fn answer(
        &self,
        access: Access,
        peer: IpAddr,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<wsman::Reply, Refusal> {
        let headers = request.headers();
        let settings = self.settings.get();
        let mut body = body::Body::new(payload, headers);
        let known = match self.caller(access, peer, request).await {
            Ok(caller) => content::charset(headers).map(|charset| (caller, charset)),
            Err(refusal) => Err(refusal),
        };
        let (caller, charset) = match known {
            Ok(known) => known,
            Err(refusal) => {
                // A client that repeats the request with credentials finds the connection open.
                body.discard(ANONYMOUS_BODY, settings.body_time).await?;
                return Err(refusal);
            }
        };
        let Received { body, upload, _claim } = self.receive(caller.as_ref(), &mut body, &settings).await?;
        let name = caller.as_ref().map(|caller| caller.name.clone());
        let _answering = self.in_flight.enter(settings.requests, name.as_deref()).ok_or(Refusal::Overloaded)?;
        let request = wsman::Request {
            body,
            upload: upload.map(Arc::new),
            charset,
            soap_action: text(headers, "soapaction").map(|action| action.trim().trim_matches('"').to_owned()),
            caller,
            address: self.address(headers),
        };
        Ok(self.service.handle(request).await)
    }

    /// The body, and the package file that an operator sent in it.
    async fn receive(
        &self,
        caller: Option<&Caller>,
        body: &mut body::Body,
        settings: &Settings,
    ) -> Result<Received, Refusal> {
        let (octets, time) = (settings.body_octets, settings.body_time);
        let Some(caller) = caller else {
            let body = body.read(ANONYMOUS_BODY.min(octets), time).await?;
            return Ok(Received::plain(body));
        };
        if let Some(uploads) = self.uploads.as_ref().filter(|_| body.may_hold_upload())
            && let Some(receiving) = uploads.receive(caller, octets)
        {
            return body.read_with_upload(receiving, uploads, octets, time).await;
        }
        Ok(Received::plain(body.read(octets, time).await?))
    }

    /// Who asks; `None` is nobody in particular, whom the service answers nothing but Identify.
    async fn caller(&self, access: Access, peer: IpAddr, request: &HttpRequest) -> Result<Option<Caller>, Refusal> {
        let headers = request.headers();
        let claims_nothing = text(headers, "wsmanidentify").map(str::trim) == Some("unauthenticated")
            && !headers.contains_key(header::AUTHORIZATION);
        if access == Access::Anybody || claims_nothing {
            return Ok(None);
        }
        self.authentication.caller(peer, request).await.map(Some)
    }

    /// The service's address as this client calls it.
    fn address(&self, headers: &HeaderMap) -> Arc<str> {
        let named = text(headers, "host").filter(|host| is_host(host)).unwrap_or(&self.listen);
        let mut address = self.address.borrow_mut();
        if address.0 != named {
            *address = (named.to_owned(), format!("https://{named}/wsman").into());
        }
        address.1.clone()
    }
}

fn send(reply: wsman::Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::new(status);
    if let Some(content_type) = reply.content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response.extensions_mut().insert(reply.operation);
    response.set_body(BoxBody::new(ReplyBody::new(reply.body)))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A name or an address with an optional port, and nothing that would mean something in a URI.
fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.len() <= 260 && text.bytes().all(allowed)
}
