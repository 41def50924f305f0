//! The rest of an enumeration: items that are made when they are wanted.

use std::fmt::{self, Debug};

use tokio::time::Instant;

use crate::cim::CimError;
use crate::xml::Writer;

/// Items one after the other, out of a snapshot, and nothing in place of those that were looked at and passed over.
type Items<I> = Box<dyn Iterator<Item = Result<Option<I>, CimError>> + Send>;

/// Whether an item is wanted.
pub(super) type Condition<I> = Box<dyn Fn(&I) -> bool + Send>;

/// What is written of each item, and what is known of all of them.
pub(super) trait Presentation<I>: Debug + Send {
    /// Writes one item.
    fn write(&self, w: &mut Writer, item: &I);

    /// What the item is called in a message.
    fn name(&self, item: &I) -> String;

    /// How many items there are in all, if that is known without counting.
    fn total(&self) -> Option<u64>;

    /// Whether the items are searched for with a filter.
    fn searches(&self) -> bool;
}

/// The rest of an enumeration.
pub(super) struct Cursor<I, P> {
    items: Items<I>,
    /// What an item must be to count; `None` if all do.
    condition: Option<Condition<I>>,
    /// An item that did not fit the last page.
    put_back: Option<I>,
    /// What went wrong behind the last page.
    failure: Option<CimError>,
    pub(super) presentation: P,
}

/// What a look for the next item comes to.
#[derive(Debug)]
pub(super) enum Step<I> {
    /// The next item.
    Item(I),
    /// There is no more.
    End,
    /// Time is up; the next look goes on where this one stopped.
    Later,
}

/// How many items are looked at between two looks at the time. A page looks at no fewer, so that each one gets on.
const LOOKS: usize = 64;

impl<I, P: Debug> Debug for Cursor<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("presentation", &self.presentation).finish_non_exhaustive()
    }
}

impl<I, P> Cursor<I, P> {
    pub(super) fn new(items: Items<I>, condition: Option<Condition<I>>, presentation: P) -> Self {
        Self { items, condition, put_back: None, failure: None, presentation }
    }

    /// Puts an item back that did not fit; the next call of `next` gives it again.
    pub(super) fn put_back(&mut self, item: I) {
        self.put_back = Some(item);
    }

    /// Has the next look fail with this.
    pub(super) fn fail_next(&mut self, error: CimError) {
        self.failure = Some(error);
    }

    /// Whether nothing is left, as far as can be told in time. Looks one item ahead.
    pub(super) fn is_at_end(&mut self, deadline: Instant) -> Result<bool, CimError> {
        match self.next(deadline)? {
            Step::Item(item) => self.put_back = Some(item),
            Step::End => return Ok(true),
            Step::Later => {}
        }
        Ok(false)
    }

    /// Looks for the next item until the deadline.
    pub(super) fn next(&mut self, deadline: Instant) -> Result<Step<I>, CimError> {
        if let Some(item) = self.put_back.take() {
            return Ok(Step::Item(item));
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        loop {
            for _ in 0..LOOKS {
                let Some(looked_at) = self.items.next().transpose()? else { return Ok(Step::End) };
                if let Some(item) = looked_at.filter(|item| self.condition.as_ref().is_none_or(|wants| wants(item))) {
                    return Ok(Step::Item(item));
                }
            }
            if Instant::now() >= deadline {
                return Ok(Step::Later);
            }
        }
    }
}
