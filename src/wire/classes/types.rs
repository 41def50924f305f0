//! The types of DSP0230: what the value of a CIM type is in XML Schema.

use crate::cim::{CimType, Shape};

/// A type of the namespace `http://schemas.dmtf.org/wbem/wscim/1/common` that holds text: the simple type that XML Schema
/// has, with room for attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextType {
    /// Its name.
    pub(super) name: &'static str,
    /// The simple type.
    pub(super) base: &'static str,
}

/// What stands in the element of a property or parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum XmlType {
    /// Text.
    Text(TextType),
    /// Elements, in a type of that name in the same namespace.
    Elements(&'static str),
    /// Anything: an instance says in `xsi:type` which class it is of (DSP0230 7.2.5.2).
    Any,
}

const fn text(name: &'static str, base: &'static str) -> TextType {
    TextType { name, base }
}

/// Every simple type, and so what a list of alternatives restricts (DSP0230: value maps).
pub(super) const ANY_SIMPLE: TextType = text("cimAnySimpleType", "anySimpleType");

/// The types that hold text, in the order of the common schema; `cimChar16` restricts one of them.
pub(super) const TEXT_TYPES: [TextType; 14] = [
    text("cimBoolean", "boolean"),
    text("cimString", "string"),
    text("cimUnsignedByte", "unsignedByte"),
    text("cimUnsignedShort", "unsignedShort"),
    text("cimUnsignedInt", "unsignedInt"),
    text("cimUnsignedLong", "unsignedLong"),
    text("cimByte", "byte"),
    text("cimShort", "short"),
    text("cimInt", "int"),
    text("cimLong", "long"),
    text("cimFloat", "float"),
    text("cimDouble", "double"),
    BASE64,
    ANY_SIMPLE,
];

const BASE64: TextType = text("cimBase64Binary", "base64Binary");

impl XmlType {
    /// The type of one value of that shape, and whether there may be several: a string of octets is one value.
    pub(super) fn of(shape: &Shape) -> (Self, bool) {
        if shape.octets { (Self::Text(BASE64), false) } else { (Self::of_scalar(shape.cim_type), shape.array) }
    }

    fn of_scalar(cim_type: CimType) -> Self {
        let (name, base) = match cim_type {
            CimType::Boolean => ("cimBoolean", "boolean"),
            CimType::String => ("cimString", "string"),
            CimType::Char16 => ("cimChar16", "string"),
            CimType::Uint8 => ("cimUnsignedByte", "unsignedByte"),
            CimType::Uint16 => ("cimUnsignedShort", "unsignedShort"),
            CimType::Uint32 => ("cimUnsignedInt", "unsignedInt"),
            CimType::Uint64 => ("cimUnsignedLong", "unsignedLong"),
            CimType::Sint8 => ("cimByte", "byte"),
            CimType::Sint16 => ("cimShort", "short"),
            CimType::Sint32 => ("cimInt", "int"),
            CimType::Sint64 => ("cimLong", "long"),
            CimType::Real32 => ("cimFloat", "float"),
            CimType::Real64 => ("cimDouble", "double"),
            CimType::Datetime => return Self::Elements("cimDateTime"),
            CimType::Reference => return Self::Elements("cimReference"),
            CimType::Instance => return Self::Any,
        };
        Self::Text(text(name, base))
    }

    /// Its name with its prefix, in pieces.
    pub(super) fn qualified(self) -> [&'static str; 2] {
        match self {
            Self::Text(TextType { name, .. }) | Self::Elements(name) => ["cim:", name],
            Self::Any => ["xs:", "anyType"],
        }
    }
}
