//! The Managed Object Format (DSP0004 annex A): class declarations read from text and written to it.
//!
//! What is read: classes with qualifiers, properties, references and methods, string concatenation, all escapes and
//! all forms of integers. What is read over: comments, `#pragma` lines (an include too: the schema repository is given
//! every file), qualifier declarations and flavours (the flavours of the standard qualifiers are fixed by
//! DSP0004). Instances and aliases are refused. The grammar so limited nests to a fixed depth, hence the parser does not
//! recurse and no text can exhaust the stack.

mod lexer;
mod names;
mod parser;
mod printer;
mod value;

use std::fmt;
use std::sync::Arc;

use super::{CimType, Qualifiers, Shape, Value};

pub(super) use names::Names;

/// A place in a MOF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file's name as it was given.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A text that is no MOF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct MofError {
    /// Where it stops being MOF.
    pub at: Position,
    /// What is wrong there.
    pub message: String,
}

/// A class as its MOF declares it: only its own features, nothing inherited.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassDeclaration {
    /// Its name.
    pub name: Arc<str>,
    /// The class it extends.
    pub superclass: Option<Arc<str>>,
    /// Its qualifiers.
    pub qualifiers: Qualifiers,
    /// The properties and references it introduces or overrides.
    pub properties: Vec<PropertyDeclaration>,
    /// The methods it introduces or overrides.
    pub methods: Vec<MethodDeclaration>,
    /// Where its name stands.
    pub at: Position,
}

/// A property or reference of a class declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyDeclaration {
    /// Its name.
    pub name: Arc<str>,
    /// Its type; qualifiers EmbeddedInstance and EmbeddedObject are taken into account.
    pub shape: Shape,
    /// The default value, if the declaration gives one.
    pub default: Option<Value>,
    /// Its qualifiers.
    pub qualifiers: Qualifiers,
    /// Where its name stands.
    pub at: Position,
}

/// A method of a class declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodDeclaration {
    /// Its name.
    pub name: Arc<str>,
    /// The type of its return value.
    pub returns: CimType,
    /// Its parameters.
    pub parameters: Vec<ParameterDeclaration>,
    /// Its qualifiers.
    pub qualifiers: Qualifiers,
    /// Where its name stands.
    pub at: Position,
}

/// A parameter of a method declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDeclaration {
    /// Its name.
    pub name: Arc<str>,
    /// Its type; qualifiers EmbeddedInstance and EmbeddedObject are taken into account.
    pub shape: Shape,
    /// Its qualifiers.
    pub qualifiers: Qualifiers,
    /// Where its name stands.
    pub at: Position,
}

/// Reads the class declarations of a MOF text; `file` is the name that errors give.
pub fn parse(file: &str, text: &str) -> Result<Vec<ClassDeclaration>, MofError> {
    parse_with(file, text, &mut Names::default())
}

/// Like [`parse`], sharing names with what was read before.
pub(super) fn parse_with(file: &str, text: &str, names: &mut Names) -> Result<Vec<ClassDeclaration>, MofError> {
    parser::Parser::new(file, text, names)?.declarations()
}

impl fmt::Display for ClassDeclaration {
    /// The declaration as MOF, which [`parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printer::class(f, self)
    }
}

#[cfg(test)]
mod tests;
