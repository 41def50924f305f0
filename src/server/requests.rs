//! What holds for every request: it has a name, which its reply tells and the log knows it by, and it is counted.

use std::sync::Arc;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use tracing::Instrument;

use super::figures::RequestFigures;
use crate::access::RequestId;
use crate::wsman::Operation;

/// The header of a reply that tells what the request is called. What a client sends in it is not looked at.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request, has it answered, and counts it.
pub(super) fn answered<B, S>(
    request: ServiceRequest,
    service: &S,
    figures: Arc<RequestFigures>,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<B, S>
where
    B: MessageBody,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let begun = Instant::now();
    let id = RequestId::next();
    request.extensions_mut().insert(id);
    let peer = request.peer_addr().map(|peer| tracing::field::display(peer.ip()));
    let span = tracing::error_span!("request", %id, peer);
    let answer = service.call(request);
    async move {
        let mut response = answer.await?;
        let operation = response.response().extensions().get().copied().unwrap_or(Operation::None);
        figures.answered(operation, response.status().as_u16(), begun.elapsed());
        if let Ok(value) = HeaderValue::try_from(id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }
    .instrument(span)
}

/// What the request is called.
pub(super) fn id_of(request: &HttpRequest) -> Option<RequestId> {
    request.extensions().get().copied()
}
