//! The data types of CIM (DSP0004 5.2).

use std::fmt;

/// A CIM data type (DSP0004 table 2). Arrays are told by [`super::Shape`], not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CimType {
    /// `boolean`
    Boolean,
    /// `string`
    String,
    /// `char16`, one UCS-2 character
    Char16,
    /// `uint8`
    Uint8,
    /// `uint16`
    Uint16,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `sint8`
    Sint8,
    /// `sint16`
    Sint16,
    /// `sint32`
    Sint32,
    /// `sint64`
    Sint64,
    /// `real32`
    Real32,
    /// `real64`
    Real64,
    /// `datetime`, a timestamp or an interval
    Datetime,
    /// `CIM_Class REF`
    Reference,
    /// A string that holds an instance (qualifiers EmbeddedInstance and EmbeddedObject).
    Instance,
}

impl CimType {
    /// The name MOF gives the type; references and embedded instances have none of their own.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::String | Self::Instance => "string",
            Self::Char16 => "char16",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint8 => "sint8",
            Self::Sint16 => "sint16",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Real32 => "real32",
            Self::Real64 => "real64",
            Self::Datetime => "datetime",
            Self::Reference => "ref",
        }
    }

    /// The type MOF names so, in any case; references and embedded instances are not found by name.
    pub fn from_name(name: &str) -> Option<Self> {
        const NAMED: [CimType; 14] = [
            CimType::Boolean,
            CimType::String,
            CimType::Char16,
            CimType::Uint8,
            CimType::Uint16,
            CimType::Uint32,
            CimType::Uint64,
            CimType::Sint8,
            CimType::Sint16,
            CimType::Sint32,
            CimType::Sint64,
            CimType::Real32,
            CimType::Real64,
            CimType::Datetime,
        ];
        NAMED.into_iter().find(|t| t.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for CimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
