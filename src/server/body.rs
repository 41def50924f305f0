//! The request's body, bounded in size and in time.

use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::{self, Bytes};
use tokio::time::Instant;

use super::refusal::Refusal;
use super::upload::{Received, Receiving, Uploads};

/// No more than this is set aside for a body that was only announced.
const SET_ASIDE: usize = 16 * 1024;
/// Smaller bodies are read as they are: a package file in one of them does no harm in memory.
const SMALL: usize = 64 * 1024;
/// A package file may come as slowly as this, in octets a second, after the time that every body has.
const SLOWEST: u64 = 64 * 1024;

pub(super) struct Body {
    stream: BodyStream<actix_web::dev::Payload>,
    announced: Option<usize>,
}

impl Body {
    pub(super) fn new(payload: web::Payload, headers: &HeaderMap) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self { stream: BodyStream::new(payload.into_inner()), announced }
    }

    /// The whole body.
    pub(super) async fn read(&mut self, limit: usize, time: Duration) -> Result<Vec<u8>, Refusal> {
        if self.announced.is_some_and(|length| length > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        let mut body = Vec::with_capacity(self.announced.unwrap_or(0).min(SET_ASIDE));
        let read = async {
            while let Some(chunk) = self.next().await {
                let chunk = chunk?;
                if chunk.len() > limit.saturating_sub(body.len()) {
                    return Err(Refusal::TooLarge { limit });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(())
        };
        tokio::time::timeout(time, read).await.map_err(|_| Refusal::TooSlow)??;
        Ok(body)
    }

    /// Whether the body may hold a package file that is to be cut out of it.
    pub(super) fn may_hold_upload(&self) -> bool {
        self.announced.is_none_or(|length| length > SMALL)
    }

    /// The whole body, without the package file that is in it. A body that is too large and holds none is refused as soon
    /// as that is known.
    pub(super) async fn read_with_upload(
        &mut self,
        mut receiving: Receiving,
        uploads: &Uploads,
        limit: usize,
        time: Duration,
    ) -> Result<Received, Refusal> {
        let begun = Instant::now();
        if self.announced.is_some_and(|length| length > uploads.longest_body(limit)) {
            return Err(Refusal::TooLarge { limit });
        }
        loop {
            let allowed = time + Duration::from_secs(receiving.characters() as u64 / SLOWEST);
            let chunk = tokio::time::timeout_at(begun + allowed, self.next()).await.map_err(|_| Refusal::TooSlow)?;
            let Some(chunk) = chunk else { return receiving.finish().await };
            receiving.feed(&chunk?).await?;
            if receiving.is_other_request() && self.announced.is_some_and(|length| length > limit) {
                return Err(Refusal::TooLarge { limit });
            }
        }
    }

    /// Reads the body to nowhere if it is not larger than `limit`; a larger one is left where it is.
    pub(super) async fn discard(&mut self, limit: usize, time: Duration) -> Result<(), Refusal> {
        if self.announced.is_some_and(|length| length > limit) {
            return Ok(());
        }
        let read = async {
            let mut length = 0_usize;
            while let Some(chunk) = self.next().await {
                length = length.saturating_add(chunk?.len());
                if length > limit {
                    return Err(Refusal::TooLarge { limit });
                }
            }
            Ok(())
        };
        tokio::time::timeout(time, read).await.map_err(|_| Refusal::TooSlow)?
    }

    async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        let chunk = std::future::poll_fn(|context| Pin::new(&mut self.stream).poll_next(context)).await;
        chunk.map(|chunk| chunk.map_err(|_| Refusal::Broken))
    }
}
