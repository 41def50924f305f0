//! Pages out of the rest of an enumeration, whatever its items are.

use std::fmt::Debug;

use tokio::time::Instant;

use super::cursor::{Cursor, Presentation, Step};
use super::exchange::{Exchange, too_large};
use crate::cim::CimError;
use crate::soap::Fault;
use crate::wire::{Page, cim_fault};
use crate::xml::Writer;

/// What bounds a page beside the octets of its envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    elements: usize,
    characters: usize,
    deadline: Instant,
    octets: usize,
    /// Whether the octets are limited by the service, and not by the client.
    is_own_limit: bool,
}

impl Bounds {
    /// Without MaxElements a page holds one item (R8.2.3-3, R8.4-9).
    pub(super) fn new(
        exchange: &Exchange<'_>,
        elements: Option<u64>,
        characters: Option<u64>,
        deadline: Instant,
    ) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            elements: elements.map_or(1, size),
            characters: characters.map_or(usize::MAX, size),
            deadline,
            octets: exchange.budget,
            is_own_limit: exchange.is_own_limit,
        }
    }

    /// Whether a page may become so large that others who use the event loop would wait for it too long.
    pub(super) fn are_large(self) -> bool {
        const LARGE: usize = 1 << 20;
        const LIKELY_ITEM: usize = 4096;
        self.octets.min(self.elements.saturating_mul(LIKELY_ITEM)).min(self.characters) > LARGE
    }
}

/// The rest of an enumeration, whatever its items are.
pub(super) trait Rest: Debug + Send {
    /// How many items there were at the beginning, if that is known without counting.
    fn total(&self) -> Option<u64>;

    /// Whether the items are searched for, which takes long however few there are.
    fn searches(&self) -> bool;

    /// Fills a page to its bounds, to the end of its room or to the deadline, and tells whether nothing is left. A page that
    /// found nothing in time is empty and not the last (R8.4-6); only an item that fits no page at all is a fault.
    fn fill(&mut self, w: &mut Writer, page: &mut Page, bounds: Bounds) -> Result<bool, Fault>;
}

impl<I: Send, P: Presentation<I>> Rest for Cursor<I, P> {
    fn total(&self) -> Option<u64> {
        self.presentation.total()
    }

    fn searches(&self) -> bool {
        self.presentation.searches()
    }

    fn fill(&mut self, w: &mut Writer, page: &mut Page, bounds: Bounds) -> Result<bool, Fault> {
        let start = w.len();
        while page.items() < bounds.elements && w.len().saturating_sub(start) < bounds.characters {
            if page.items() > 0 && Instant::now() >= bounds.deadline {
                break;
            }
            let item = match self.next(bounds.deadline) {
                Ok(Step::Item(item)) => item,
                Ok(Step::End) => return Ok(true),
                Ok(Step::Later) => return Ok(false),
                Err(error) => return self.failed(error, page),
            };
            let presentation = &self.presentation;
            if !page.item(w, |w| presentation.write(w, &item)) {
                let is_first = page.items() == 0;
                let fault = is_first.then(|| too_large(&presentation.name(&item), bounds.is_own_limit));
                self.put_back(item);
                return fault.map_or(Ok(false), Err);
            }
        }
        match self.is_at_end(bounds.deadline) {
            Ok(is_at_end) => Ok(is_at_end),
            Err(error) => self.failed(error, page),
        }
    }
}

impl<I, P> Cursor<I, P> {
    /// What is on the page already is not lost for what comes behind it: the next page tells of the failure.
    fn failed(&mut self, error: CimError, page: &Page) -> Result<bool, Fault> {
        if page.items() == 0 {
            return Err(cim_fault(error));
        }
        self.fail_next(error);
        Ok(false)
    }
}
