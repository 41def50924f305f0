//! Why a text is not accepted as XML.

use std::fmt;

/// A text that is not accepted as XML: what is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// What is wrong.
    pub kind: XmlErrorKind,
    /// Where it is, in bytes from the start.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// What is wrong with a text that should be XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlErrorKind {
    /// There is no element.
    #[error("there is no element in it")]
    Empty,
    /// A document type declaration.
    #[error("a document type declaration is not accepted")]
    Doctype,
    /// A processing instruction.
    #[error("processing instructions are not accepted")]
    ProcessingInstruction,
    /// An XML declaration anywhere but at the very start.
    #[error("an XML declaration stands only at the very start")]
    LateDeclaration,
    /// An XML declaration that is none, or of another version.
    #[error("the XML declaration is not one of version 1.0")]
    BadDeclaration,
    /// Elements nested too deeply.
    #[error("elements are nested too deeply")]
    TooDeep,
    /// Too many elements.
    #[error("there are too many elements")]
    TooManyElements,
    /// Too many attributes on one element.
    #[error("an element has too many attributes")]
    TooManyAttributes,
    /// Too many namespace declarations in scope.
    #[error("there are too many namespace declarations")]
    TooManyNamespaces,
    /// A second root element.
    #[error("a second element follows the document's only one")]
    SecondRoot,
    /// Text outside the root element.
    #[error("text stands outside the document's element")]
    TextOutsideRoot,
    /// A character that XML cannot hold, in the open or by reference.
    #[error("a character is not allowed in XML")]
    IllegalCharacter,
    /// A prefix without a namespace declaration.
    #[error("a prefix is not declared")]
    UnboundPrefix,
    /// A declaration that binds a reserved prefix or namespace.
    #[error("a reserved prefix or namespace is declared otherwise")]
    ReservedPrefix,
    /// Two attributes of one name, prefixes resolved.
    #[error("an attribute is given twice")]
    DuplicateAttribute,
    /// An attribute that is not written as `name="value"` after white space.
    #[error("an attribute is malformed")]
    BadAttribute,
    /// `<` in an attribute's value.
    #[error("an attribute's value holds a <")]
    LessThanInAttribute,
    /// An entity that XML does not define.
    #[error("an entity is unknown")]
    UnknownEntity,
    /// `&` without a name or number and a semicolon.
    #[error("a reference is malformed")]
    BadReference,
    /// `]]>` in text.
    #[error("]]> stands in text")]
    CdataEndInText,
    /// A name that is none.
    #[error("a name is malformed")]
    BadName,
    /// Comments hold no `--`.
    #[error("a comment holds --")]
    BadComment,
    /// Something that begins like markup and is none, or does not end.
    #[error("markup is malformed or does not end")]
    BadMarkup,
    /// An element without an end tag.
    #[error("an element does not end")]
    Unclosed,
    /// An end tag without its start tag.
    #[error("an end tag does not match its start tag")]
    MismatchedEnd,
}

impl XmlError {
    pub(super) fn new(kind: XmlErrorKind, text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { kind, offset, line, column }
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not acceptable XML: {} (line {}, column {})", self.kind, self.line, self.column)
    }
}

impl std::error::Error for XmlError {}
