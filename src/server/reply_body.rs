//! The body of a reply, sent piece by piece, so that no buffer ever holds it as a whole.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::xml::Written;

/// The pieces that are still to be sent.
pub(super) struct ReplyBody {
    pieces: IntoIter<Vec<u8>>,
    octets: u64,
}

impl ReplyBody {
    pub(super) fn new(written: Written) -> Self {
        let octets = u64::try_from(written.len()).unwrap_or(u64::MAX);
        Self { pieces: written.into_pieces(), octets }
    }
}

impl MessageBody for ReplyBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.octets)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.pieces.next().map(|piece| Ok(piece.into())))
    }

    fn try_into_bytes(mut self) -> Result<Bytes, Self> {
        // Short replies go out with their head.
        match self.pieces.len() {
            1 => Ok(self.pieces.next().unwrap_or_default().into()),
            _ => Err(self),
        }
    }
}
