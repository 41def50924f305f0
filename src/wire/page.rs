//! Pages of items: the answers to Enumerate and Pull, written until the envelope is full.

use crate::xml::{Checkpoint, Writer};

/// Room that is kept for the context and the end of the page.
const RESERVE: usize = 512;

/// A page being written. The shape at the end of an enumeration is what every known client reads
/// (empty context, items, `wsman:EndOfSequence`; no context in the last PullResponse).
#[derive(Debug)]
#[must_use = "a page must be closed"]
pub struct Page {
    kind: PageKind,
    /// Where the context is put in, which is known only when the page is full.
    start: Checkpoint,
    items: usize,
    reserved_before: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageKind {
    /// EnumerateResponse without items.
    Enumerate,
    /// EnumerateResponse with items.
    Optimized,
    /// PullResponse.
    Pull,
}

impl Page {
    /// Begins a `wsen:EnumerateResponse`; with items if the client asked for an optimized enumeration.
    pub fn enumerate(w: &mut Writer, optimized: bool) -> Self {
        Self::open(w, if optimized { PageKind::Optimized } else { PageKind::Enumerate })
    }

    /// Begins a `wsen:PullResponse`.
    pub fn pull(w: &mut Writer) -> Self {
        Self::open(w, PageKind::Pull)
    }

    fn open(w: &mut Writer, kind: PageKind) -> Self {
        w.start(kind.tag());
        w.close_start();
        let start = w.checkpoint();
        if let Some(items) = kind.items_tag() {
            w.start(items);
            w.close_start();
        }
        let reserved_before = w.reserved();
        w.reserve(reserved_before + RESERVE);
        Self { kind, start, items: 0, reserved_before }
    }

    /// Writes one item. If it does not fit, nothing of it is left and the answer is `false`.
    pub fn item(&mut self, w: &mut Writer, write: impl FnOnce(&mut Writer)) -> bool {
        let before = w.checkpoint();
        write(w);
        w.close_start();
        if w.is_over() {
            w.rollback(before);
            return false;
        }
        self.items += 1;
        true
    }

    /// How many items it holds.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Ends the page. `context` is where to go on; `None` is the end of the enumeration. The lifetime is told only where
    /// the client asked for one.
    pub fn close(self, w: &mut Writer, context: Option<&str>, expires: Option<&str>) {
        w.reserve(self.reserved_before);
        if let Some(items) = self.kind.items_tag() {
            w.end(items);
        }
        if context.is_none() {
            match self.kind {
                PageKind::Pull => w.empty("wsen:EndOfSequence"),
                PageKind::Optimized => w.empty("wsman:EndOfSequence"),
                PageKind::Enumerate => w,
            };
        }
        w.insert(self.start, |w| {
            if let Some(expires) = expires {
                w.leaf("wsen:Expires", expires);
            }
            match context {
                Some(context) => {
                    w.leaf("wsen:EnumerationContext", context);
                }
                None if self.kind != PageKind::Pull => {
                    w.empty("wsen:EnumerationContext");
                }
                None => {}
            }
        });
        w.end(self.kind.tag());
    }
}

impl PageKind {
    fn tag(self) -> &'static str {
        match self {
            Self::Enumerate | Self::Optimized => "wsen:EnumerateResponse",
            Self::Pull => "wsen:PullResponse",
        }
    }

    fn items_tag(self) -> Option<&'static str> {
        match self {
            Self::Enumerate => None,
            Self::Optimized => Some("wsman:Items"),
            Self::Pull => Some("wsen:Items"),
        }
    }
}
