//! XML as this program wants it: a strict reader under limits, and a streaming writer.
//!
//! Nothing here knows SOAP. What comes from the network passes through [`read()`], which refuses everything that XML
//! 1.0 with namespaces refuses and much that it allows (document types, processing instructions, deep or wide
//! documents). What goes out is written by [`Writer`] straight into the buffers that it is sent from.

mod characters;
mod element;
mod error;
mod escape;
mod read;
mod special;
mod write;
mod written;
pub mod xpath;

pub use characters::is_character;
pub use element::{ElementExt, element};
pub use error::{XmlError, XmlErrorKind};
pub use escape::cut_escaped;
pub use read::{Giving, Limits, read, read_giving};
pub use write::{Checkpoint, Namespaces, Writer};
pub use written::Written;
pub use xmltree::{Element, XMLNode};

/// The namespace of `xml:lang` and its like, bound to the prefix `xml` everywhere.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

#[cfg(test)]
mod tests;
