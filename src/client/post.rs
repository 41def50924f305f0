//! One post and what the peer answers, challenges included.

use awc::error::PayloadError;
use awc::http::StatusCode;
use awc::http::header::{self, HeaderValue};

use super::failure::failed_request;
use super::ticket::{self, Ticket};
use super::{ClientError, Post, Response, SinkCredentials};

/// Posts a message. A challenge is answered once; who is still not let in is told so.
pub(super) async fn exchange(
    http: &awc::Client,
    post: &Post,
    credentials: Option<&SinkCredentials>,
    limit: usize,
) -> Result<Response, ClientError> {
    let Some(credentials) = credentials else {
        return received(sent(http, post, None).await?, limit).await;
    };
    if let Some(ticket) = credentials.ticket() {
        return exchange_by_ticket(http, post, ticket, limit).await;
    }
    let target = post.url.target();
    let answer = sent(http, post, credentials.authorization(target)?).await?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return received(answer, limit).await;
    }
    let authorization = credentials.answer(answer.headers().get_all(header::WWW_AUTHENTICATE), target)?;
    // What the peer says to it is of no interest, but the connection is usable again only behind it.
    let _ = received(answer, limit).await;
    let answer = sent(http, post, Some(authorization)).await?;
    if answer.status() == StatusCode::UNAUTHORIZED { Err(credentials.refused()) } else { received(answer, limit).await }
}

/// Posts a message with a ticket.
async fn exchange_by_ticket(
    http: &awc::Client,
    post: &Post,
    ticket: &Ticket,
    limit: usize,
) -> Result<Response, ClientError> {
    let (authorization, mut shown) = ticket.show().await?;
    let answer = sent(http, post, Some(authorization)).await?;
    let said = || answer.headers().get_all(header::WWW_AUTHENTICATE);
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Err(ticket::refused(said()));
    }
    shown.is_answered(said())?;
    received(answer, limit).await
}

async fn sent(
    http: &awc::Client,
    post: &Post,
    authorization: Option<HeaderValue>,
) -> Result<awc::ClientResponse, ClientError> {
    let mut request = http.post(post.url.uri()).content_type(post.content_type.as_str());
    if let Some(authorization) = authorization {
        request = request.insert_header((header::AUTHORIZATION, authorization));
    }
    request.send_body(post.body.clone()).await.map_err(failed_request)
}

async fn received(mut response: awc::ClientResponse, limit: usize) -> Result<Response, ClientError> {
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = response.body().limit(limit).await.map_err(|e| match e {
        PayloadError::Overflow => ClientError::TooLarge { limit },
        other => ClientError::Exchange(other.to_string()),
    })?;
    Ok(Response { status, content_type, body })
}
