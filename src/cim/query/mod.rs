//! Queries that filter instances and indications: CQL (DSP0202) and WQL, as far as SELECT, FROM and WHERE go.
//!
//! A text becomes a [`Query`]; checked against a schema it becomes a [`Compiled`] query, which answers whether an
//! instance matches. Conditions know three truth values as SQL does: what is compared with NULL is neither true nor
//! false.

mod compile;
mod lexer;
mod like;
mod matching;
mod parser;
mod printer;

use std::fmt;
use std::sync::Arc;

pub use compile::Compiled;
pub use matching::{Found, Properties};

/// The longest query that is read, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;

/// How deep parentheses and NOT may nest, and how many parts a property path may have.
pub const MAX_DEPTH: usize = 32;

/// What a query is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The CIM Query Language: strings compare with regard to case, LIKE takes `.` and `.*`.
    Cql,
    /// Windows' query language: strings compare without regard to case, LIKE takes `%`, `_` and `[a-z]`; the classes
    /// of intrinsic events are read as CIM's indication classes.
    Wql,
}

impl Language {
    /// The language that `QueryLanguage` properties name, also with the organization before it: `CQL`, `DMTF:CQL`, `WQL`.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        [("CQL", Self::Cql), ("WQL", Self::Wql)]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, language)| language)
    }
}

/// A place in a query's text. Places are all equal: two queries are the same wherever their words stand.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub struct Place {
    /// The byte, from 0.
    pub position: usize,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is wrong with a query, in a sentence for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {}, column {})", at.line, at.column)]
pub struct QueryError {
    /// Where.
    pub at: Place,
    /// What is wrong there and what to change.
    pub message: String,
}

impl QueryError {
    fn new(at: Place, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// A query as it was written. [`fmt::Display`] writes a text that [`parse`] reads as the same query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What it is written in.
    pub language: Language,
    /// What of a matching instance is wanted.
    pub select: Select,
    /// The class whose instances, subclasses' included, are asked.
    pub from: Arc<str>,
    /// Where the class's name stands.
    pub from_at: Place,
    /// What an instance must fulfil.
    pub condition: Option<Condition>,
}

/// What of a matching instance is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// The whole instance.
    All,
    /// These properties.
    Properties(Vec<Path>),
}

/// A property, or a property of an embedded instance: `SourceInstance.CIM_ConcreteJob::JobState`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its parts, the outermost first.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub at: Place,
}

impl Path {
    /// The path to a property of the instance itself.
    pub fn to_property(name: &str) -> Self {
        Self { steps: vec![Step { class: None, name: name.into(), index: None }], at: Place::default() }
    }
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The class that the property is looked up in, where the query names one.
    pub class: Option<Arc<str>>,
    /// The property.
    pub name: Arc<str>,
    /// Which element of an array, from 0.
    pub index: Option<usize>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these; at least two.
    And(Vec<Self>),
    /// Any of these; at least two.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A comparison.
    Compare {
        /// The left side.
        left: Operand,
        /// How they are compared.
        comparison: Comparison,
        /// The right side.
        right: Operand,
    },
    /// Whether a text has a pattern.
    Like {
        /// The text.
        operand: Operand,
        /// The pattern.
        pattern: Arc<str>,
        /// Where the pattern stands.
        at: Place,
    },
    /// Whether an instance is of a class or one of its subclasses.
    Isa {
        /// The instance.
        path: Path,
        /// The class.
        class: Arc<str>,
        /// Where the class's name stands.
        at: Place,
    },
    /// Whether there is no value.
    IsNull(Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A property.
    Path(Path),
    /// An array of which all elements are asked for: `path[*]`.
    Elements(Elements, Path),
    /// A value, and where it stands.
    Literal(Literal, Place),
}

/// What is asked of the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// `ANY path[*]`: whether it is so of one of them.
    Any,
    /// `EVERY path[*]`: whether it is so of each.
    Every,
    /// `path[*]`: whether all together are the same as those of another array.
    Whole,
}

/// A value as a query writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL
    Null,
    /// TRUE or FALSE
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Real(f64),
    /// A text, or a datetime where one is asked for.
    Text(Arc<str>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// How queries write it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// Reads a query.
pub fn parse(text: &str, language: Language) -> Result<Query, QueryError> {
    if text.len() > MAX_LENGTH {
        let at = Place { position: MAX_LENGTH, line: 1, column: 1 };
        return Err(QueryError::new(at, format!("a query has at most {MAX_LENGTH} bytes")));
    }
    parser::Parser::new(text, language)?.query()
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printer::query(f, self)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printer::path(f, self)
    }
}

#[cfg(test)]
mod tests;
