//! What keeps classes from being a schema.

use std::sync::Arc;

use super::super::mof::{MofError, Position};

/// Why a schema cannot be loaded. Every kind tells the file, line and column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A file is not MOF.
    #[error(transparent)]
    Mof(#[from] MofError),
    /// Two declarations have one name.
    #[error("{at}: class {class} is already declared at {first}")]
    DuplicateClass {
        /// The class.
        class: Arc<str>,
        /// The second declaration.
        at: Position,
        /// The first declaration.
        first: Position,
    },
    /// A class extends a class that nothing declares.
    #[error("{at}: class {class} extends {superclass}, which is not declared")]
    UnknownSuperclass {
        /// The class.
        class: Arc<str>,
        /// The class it extends.
        superclass: Arc<str>,
        /// Where the class is declared.
        at: Position,
    },
    /// A class is its own ancestor.
    #[error("{at}: class {class} is its own ancestor")]
    Cycle {
        /// One of the classes of the circle.
        class: Arc<str>,
        /// Where it is declared.
        at: Position,
    },
    /// A reference or an embedded instance is of a class that nothing declares.
    #[error("{at}: {class}.{feature} points to {target}, which is not declared")]
    UnknownReference {
        /// The class.
        class: Arc<str>,
        /// The property or parameter.
        feature: Arc<str>,
        /// The class it names.
        target: Arc<str>,
        /// Where the property or parameter is declared.
        at: Position,
    },
    /// A subclass changes what it may not change.
    #[error("{at}: {class}.{feature} {why}")]
    IncompatibleOverride {
        /// The class.
        class: Arc<str>,
        /// The property, method or parameter.
        feature: Arc<str>,
        /// What may not be changed so.
        why: &'static str,
        /// Where it is declared.
        at: Position,
    },
    /// A class is of another kind than its superclass.
    #[error("{at}: class {class} is an association or an indication, but its superclass is not")]
    Kind {
        /// The class.
        class: Arc<str>,
        /// Where it is declared.
        at: Position,
    },
}
