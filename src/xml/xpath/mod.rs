//! The part of XPath 1.0 that DSP0226 Annex D describes, level 2 and with it level 1: for fragments (clauses 7.7 to
//! 7.11), filters of enumerations (8.3, 8.6) and filters of events (10.2.2).
//!
//! A text becomes an [`XPath`], and an [`XPath`] selects nodes below a root element: the representation of an object,
//! an item or an event, as if it were a document of its own (R7.7-3). What the annex leaves open is settled so:
//!
//! - `/` and `.` are the root. `/a` and `../a` are the root if it is called `a`, `b` and `./b` its children, `@x` its
//!   attribute. Some clients begin a relative path with the root's own name; if the root has no child of that name,
//!   `a/b` is read as `/a/b`.
//! - Namespaces are ignored: a prefix is read over, and names are compared without one (D.1). Case counts.
//! - `[2]` counts from 1 and among the elements of that name in one parent. Predicates may follow each other.
//! - Beyond the annex, conditions may name paths (`b/c`, `b[2]/@x`, `text()`), compare two of them, stand alone to ask
//!   whether there is such a node, and compare with numbers and with strings in either kind of quotes.
//! - A comparison holds if it holds for any node. Order, and whatever is compared with a number, is a matter of
//!   numbers; anything else is one of strings. White space around a value does not count, as in the annex's examples
//!   (see also R13.1-10). An element without content, `xsi:nil` or not, is the empty string.
//! - A path may select several nodes: an array is its elements, and all that a path selects is the fragment (R7.7-8).
//!   Only where it would be unclear which one was meant do fragments want an index ([`FragmentError::Ambiguous`]).
//!
//! Everything else that XPath has is refused with a sentence that tells so.

mod evaluate;
mod fragment;
mod lexer;
mod parser;
mod printer;

pub use evaluate::Selected;
pub use fragment::FragmentError;

/// The longest expression that is read, in octets.
pub const MAX_LENGTH: usize = 2048;

/// How many steps a path may have.
pub const MAX_STEPS: usize = 32;

/// How deep brackets, parentheses and `not()` may nest.
pub const MAX_NESTING: usize = 16;

/// What is wrong with an expression, in a sentence for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (character {position})")]
pub struct XPathError {
    /// Where, in characters from 1.
    pub position: usize,
    /// What is wrong there and what to change.
    pub message: String,
}

/// An expression that selects nodes below a root element.
///
/// It is written (`Display`) in one way for all spellings of a path: `../a` as `/a`, `./b` as `b`, without prefixes.
/// What is written parses to the same value, unless it became longer than [`MAX_LENGTH`].
#[derive(Clone, Debug, PartialEq)]
pub struct XPath {
    anchor: Anchor,
    path: Path,
}

impl XPath {
    /// Reads an expression. White space around it and between its words does not count.
    pub fn parse(text: &str) -> Result<Self, XPathError> {
        parser::parse(text)
    }
}

/// Where an expression starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// Above the root, which the first step names; without steps, the root.
    Document,
    /// At the root.
    Root,
}

/// Steps down from an element, and what is meant of the elements they lead to.
#[derive(Clone, Debug, PartialEq)]
struct Path {
    steps: Vec<Step>,
    end: End,
}

/// One step down, to the children of a name.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    name: String,
    predicates: Vec<Predicate>,
}

/// What is meant of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Element,
    Text,
    Attribute(String),
}

/// What stands in brackets behind a step.
#[derive(Clone, Debug, PartialEq)]
enum Predicate {
    /// Counted from 1.
    Index(u32),
    Condition(Condition),
}

/// A condition on an element.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// All of these; at least two.
    And(Vec<Self>),
    /// Any of these; at least two.
    Or(Vec<Self>),
    Not(Box<Self>),
    /// Whether the path selects anything.
    Exists(Path),
    Compare {
        left: Operand,
        comparison: Comparison,
        right: Operand,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Path),
    Text(String),
    /// Finite.
    Number(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[cfg(test)]
mod tests;
