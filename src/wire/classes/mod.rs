//! Classes themselves: as CIM-XML (DSP0201) and as XML Schema (DSP0230), for class retrieval (DSP0227 clause 15) and for
//! files.

mod cim_xml;
mod common;
mod facets;
mod files;
mod reference;
mod types;
mod xsd;

pub use cim_xml::{ClassOptions, write_cim_xml};
pub use files::{SchemaFile, schema_files};
pub use reference::write_class_reference;
pub use xsd::write_schema;

/// How a class is shown; the resource URI says which (DSP0227 clause 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassFormat {
    /// The element `CLASS` of CIM-XML.
    CimXml,
    /// The XML Schema document of its instances.
    Schema,
}

impl ClassFormat {
    /// The resource URI of classes that are shown so.
    pub fn resource_uri(self) -> &'static str {
        match self {
            Self::CimXml => "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*",
            Self::Schema => "http://schemas.dmtf.org/wbem/ws-cim/1/cim-schema/2/*",
        }
    }
}

#[cfg(test)]
mod tests;
