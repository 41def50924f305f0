//! What a writer wrote.

/// How many octets a piece has at least before the next one is begun. Blocks of this size are used again by the allocator and
/// given back by it; those of a whole reply would be kept.
pub(super) const PIECE: usize = 28 * 1024;

/// How large a piece is made; the element that is begun last in it has the room between the two.
pub(super) const PIECE_CAPACITY: usize = 32 * 1024;

/// A document, in pieces that follow each other. A character lies in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pieces: Vec<Vec<u8>>,
}

impl Written {
    pub(super) fn new(pieces: Vec<Vec<u8>>) -> Self {
        Self { pieces }
    }

    /// How many octets it has.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same with every piece as another makes it.
    #[must_use]
    pub fn map(self, change: impl FnMut(Vec<u8>) -> Vec<u8>) -> Self {
        Self { pieces: self.pieces.into_iter().map(change).collect() }
    }

    /// The pieces in order.
    pub fn into_pieces(self) -> std::vec::IntoIter<Vec<u8>> {
        self.pieces.into_iter()
    }

    /// The whole in one piece.
    pub fn join(self) -> Vec<u8> {
        let mut pieces = self.pieces.into_iter();
        let first = pieces.next().unwrap_or_default();
        pieces.fold(first, |mut whole, piece| {
            whole.extend_from_slice(&piece);
            whole
        })
    }
}

impl From<Vec<u8>> for Written {
    fn from(whole: Vec<u8>) -> Self {
        Self { pieces: vec![whole] }
    }
}
