//! Files of others: octets as they come, redirects followed under the same address rules, no silence without end.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::web::Bytes;
use awc::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::failure::failed_request;
use super::pools::Pools;
use super::proxy::request_uri;
use super::{ClientError, Proxy, Url, UrlError};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How many parts may wait for whoever asked; then the peer has to wait.
const PARTS: usize = 8;
/// The longest entity tag that is sent back, in octets.
const MAX_TAG: usize = 1024;

/// A file to be fetched.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Where it is.
    pub url: Url,
    /// What is still missing of it; `None` asks for the whole file.
    pub rest: Option<Rest>,
    /// What is known of a copy that is there: a server that has the same file still answers 304 and sends nothing.
    pub known: Option<Validators>,
}

/// What a server calls one version of a file (RFC 9110 8.8), as it wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// Its entity tag, strong or weak, quotes included.
    pub entity_tag: Option<String>,
    /// When it was changed.
    pub last_modified: Option<String>,
}

/// The rest of a file whose beginning is there. A server that has another file by now sends that one as a whole.
#[derive(Clone, Debug)]
pub struct Rest {
    /// How many octets are there.
    pub offset: u64,
    /// The entity tag that the file had, quotes included.
    pub entity_tag: String,
}

/// A part of what comes: the head, then octets, then the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the server says before it sends octets.
    Head(Head),
    /// Octets of the body.
    Octets(Bytes),
    /// The body is complete, as far as its length was told.
    End,
}

/// What the server says, after all redirects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// How many octets come, if it is told.
    pub length: Option<u64>,
    /// What part of the file comes, if it is told.
    pub range: Option<ContentRange>,
    /// The file's strong entity tag, quotes included, if it has one.
    pub entity_tag: Option<String>,
    /// What tells this version of the file from others.
    pub validators: Validators,
}

/// What part of a file comes (RFC 9110 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// The place of its first octet.
    pub first: u64,
    /// The size of the whole file, if it is known.
    pub whole: Option<u64>,
}

/// A file on its way. Dropping it gives the fetch up.
#[derive(Debug)]
pub struct Arrival {
    parts: Receiver<Delivered>,
    _asks: oneshot::Sender<()>,
}

impl Arrival {
    /// The next part; `None` if none came in this time. After an error or the end nothing more comes. Blocks.
    pub fn next(&self, wait: Duration) -> Result<Option<Part>, ClientError> {
        match self.parts.recv_timeout(wait) {
            Ok(delivered) => delivered.part.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(ClientError::Stopped),
        }
    }
}

/// A part, and the place that it takes among those that wait.
#[derive(Debug)]
struct Delivered {
    part: Result<Part, ClientError>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Where the thread puts what comes.
#[derive(Debug)]
pub(super) struct Outlet {
    parts: Sender<Delivered>,
    places: Arc<Semaphore>,
    /// Ends when nobody waits for the file any more.
    abandoned: oneshot::Receiver<()>,
}

pub(super) fn way() -> (Outlet, Arrival) {
    let (parts, received) = channel();
    let (asks, abandoned) = oneshot::channel();
    let outlet = Outlet { parts, places: Arc::new(Semaphore::new(PARTS)), abandoned };
    (outlet, Arrival { parts: received, _asks: asks })
}

/// Fetches a file for as long as somebody waits for it.
pub(super) async fn run(
    pools: Rc<RefCell<Pools>>,
    fetch: Fetch,
    outlet: Outlet,
    proxy: Option<Proxy>,
    longest_silence: Duration,
) {
    let Outlet { parts, places, abandoned } = outlet;
    let work = async {
        let end = transfer(&Way { pools, proxy, longest_silence }, fetch, &parts, &places).await;
        // Whoever asked and went away needs no end.
        let _ = parts.send(Delivered { part: end.map(|()| Part::End), _place: None });
    };
    tokio::select! {
        _ = abandoned => {}
        () = work => {}
    }
}

/// How servers are reached.
struct Way {
    pools: Rc<RefCell<Pools>>,
    proxy: Option<Proxy>,
    longest_silence: Duration,
}

async fn transfer(
    way: &Way,
    fetch: Fetch,
    parts: &Sender<Delivered>,
    places: &Arc<Semaphore>,
) -> Result<(), ClientError> {
    let response = answer(way, fetch).await?;
    let head = head(&response);
    let length = head.length;
    put(parts, places, Part::Head(head)).await?;
    let mut body = BodyStream::new(response);
    let mut came = 0_u64;
    loop {
        let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context));
        let Some(octets) = timeout(way.longest_silence, next).await.map_err(|_| ClientError::TimedOut)? else { break };
        let octets = octets.map_err(|error| ClientError::Exchange(error.to_string()))?;
        came = came.saturating_add(octets.len() as u64);
        put(parts, places, Part::Octets(octets)).await?;
    }
    // To the HTTP client a connection that is closed early ends the body like any other.
    if length.is_some_and(|length| came < length) {
        return Err(ClientError::Exchange("the peer closed the connection before the end of the file".to_owned()));
    }
    Ok(())
}

async fn put(parts: &Sender<Delivered>, places: &Arc<Semaphore>, part: Part) -> Result<(), ClientError> {
    let place = Arc::clone(places).acquire_owned().await.map_err(|_| ClientError::Stopped)?;
    parts.send(Delivered { part: Ok(part), _place: Some(place) }).map_err(|_| ClientError::Stopped)
}

/// Asks, and asks where it is sent to. Each connection is made under the address rules.
async fn answer(way: &Way, fetch: Fetch) -> Result<awc::ClientResponse, ClientError> {
    let Fetch { mut url, rest, known } = fetch;
    let known = known.filter(|_| rest.is_none()).unwrap_or_default();
    let conditions = [(header::IF_NONE_MATCH, &known.entity_tag), (header::IF_MODIFIED_SINCE, &known.last_modified)];
    for _ in 0..=MAX_REDIRECTS {
        // A connection that was kept may be dead, which could not be told from a file that breaks off.
        let proxy = way.proxy.as_ref().filter(|proxy| proxy.serves(url.host()));
        let http = way.pools.borrow_mut().for_file(&url)?;
        let mut request = http.get(request_uri(&url, proxy)).force_close();
        // A tunnel leads past the proxy, which was told when it was asked for one.
        if let Some(authorization) = proxy.filter(|_| !url.is_tls()).and_then(Proxy::authorization) {
            request = request.insert_header((header::PROXY_AUTHORIZATION, authorization));
        }
        if let Some(Rest { offset, entity_tag }) = &rest {
            request = request
                .insert_header((header::RANGE, format!("bytes={offset}-")))
                .insert_header((header::IF_RANGE, entity_tag.as_str()));
        }
        for (name, value) in &conditions {
            if let Some(value) = value {
                request = request.insert_header((name.clone(), value.as_str()));
            }
        }
        let sent = timeout(way.longest_silence, request.send()).await.map_err(|_| ClientError::TimedOut)?;
        let response = sent.map_err(failed_request)?;
        if let Some(proxy) = proxy.filter(|_| response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
            return Err(ClientError::Connect(format!("the proxy {proxy} {}", proxy.refusal())));
        }
        match redirect(&url, &response)? {
            Some(elsewhere) => url = elsewhere,
            None => return Ok(response),
        }
    }
    Err(ClientError::Redirect(format!("there are more than {MAX_REDIRECTS} of them")))
}

/// Where the answer sends on to, if it does.
fn redirect(from: &Url, response: &awc::ClientResponse) -> Result<Option<Url>, ClientError> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(header::LOCATION).filter(|_| is_redirect) else { return Ok(None) };
    let target = location.to_str().map_err(|_| UrlError::Malformed).and_then(|location| from.join(location));
    let target = target.map_err(|error| ClientError::Redirect(error.to_string()))?;
    if from.is_tls() && !target.is_tls() {
        return Err(ClientError::Redirect(format!("it leads from an encrypted address to {target}, which is not")));
    }
    Ok(Some(target))
}

fn head(response: &awc::ClientResponse) -> Head {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    Head {
        status: response.status().as_u16(),
        length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        range: text(header::CONTENT_RANGE).and_then(content_range),
        entity_tag: text(header::ETAG).filter(|tag| is_strong(tag)).map(str::to_owned),
        validators: Validators {
            entity_tag: text(header::ETAG).filter(|tag| tag.len() <= MAX_TAG).map(str::to_owned),
            last_modified: text(header::LAST_MODIFIED).filter(|time| time.len() <= MAX_TAG).map(str::to_owned),
        },
    }
}

/// `bytes 5-9/10` or `bytes 5-9/*`.
fn content_range(text: &str) -> Option<ContentRange> {
    let (range, whole) = text.strip_prefix("bytes ")?.split_once('/')?;
    let first = range.split_once('-')?.0.parse().ok()?;
    let whole = if whole == "*" { None } else { Some(whole.parse().ok()?) };
    Some(ContentRange { first, whole })
}

/// Only a strong tag says that two files are the same octet for octet.
fn is_strong(tag: &str) -> bool {
    tag.len() <= MAX_TAG && tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_tags_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some(ContentRange { first: 5, whole: Some(10) }));
        assert_eq!(content_range("bytes 5-9/*"), Some(ContentRange { first: 5, whole: None }));
        for wrong in ["", "bytes */10", "bytes 5-9", "items 5-9/10", "bytes 5-9/x", "bytes -9/10"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
        assert!(is_strong("\"a\""));
        for weak in ["", "\"", "\"\"", "W/\"a\"", "a"] {
            assert!(!is_strong(weak), "{weak}");
        }
    }
}
