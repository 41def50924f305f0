//! Values of CIM (DSP0004 5.2).

use std::sync::Arc;

use super::{CimType, DateTime, DateTimeError, Instance, ObjectPath};

/// A CIM value. Cloning one never copies text: strings, arrays, paths and instances are shared.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// NULL: no value, whatever the type.
    #[default]
    Null,
    /// `boolean`
    Boolean(bool),
    /// `string`
    String(Arc<str>),
    /// `char16`
    Char16(u16),
    /// `uint8`
    Uint8(u8),
    /// `uint16`
    Uint16(u16),
    /// `uint32`
    Uint32(u32),
    /// `uint64`
    Uint64(u64),
    /// `sint8`
    Sint8(i8),
    /// `sint16`
    Sint16(i16),
    /// `sint32`
    Sint32(i32),
    /// `sint64`
    Sint64(i64),
    /// `real32`
    Real32(f32),
    /// `real64`
    Real64(f64),
    /// `datetime`
    Datetime(DateTime),
    /// A reference to an instance.
    Reference(Arc<ObjectPath>),
    /// An embedded instance.
    Instance(Arc<Instance>),
    /// An array, in order. Its elements are of one type; an element may be NULL.
    Array(Arc<[Self]>),
}

/// A text that is no value of its CIM type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text is not written as the type is.
    #[error("{text:?} is not a {expected}")]
    Malformed {
        /// The type that was expected.
        expected: CimType,
        /// The text, cut to a length that can be shown.
        text: String,
    },
    /// The number is outside the type's range.
    #[error("{text:?} is outside the range of {expected}")]
    OutOfRange {
        /// The type that was expected.
        expected: CimType,
        /// The text, cut to a length that can be shown.
        text: String,
    },
    /// The text is not a date and time.
    #[error(transparent)]
    Datetime(#[from] DateTimeError),
    /// The type has no form as plain text.
    #[error("a value of type {expected} is not written as plain text")]
    NotText {
        /// The type that was expected.
        expected: CimType,
    },
}

impl Value {
    /// Reads a scalar from its XML Schema or MOF text. Numbers may be hexadecimal (`0x1F`), as MOF has them;
    /// booleans are true/false/1/0 in any case (WS-Management clients send all of these).
    pub fn parse(expected: CimType, text: &str) -> Result<Self, ValueError> {
        let malformed = || ValueError::Malformed { expected, text: shown(text) };
        Ok(match expected {
            CimType::String => Self::String(text.into()),
            CimType::Boolean => Self::Boolean(parse_boolean(text.trim()).ok_or_else(malformed)?),
            CimType::Char16 => Self::Char16(parse_char16(text).ok_or_else(malformed)?),
            CimType::Uint8 => Self::Uint8(integer(expected, text)?),
            CimType::Uint16 => Self::Uint16(integer(expected, text)?),
            CimType::Uint32 => Self::Uint32(integer(expected, text)?),
            CimType::Uint64 => Self::Uint64(integer(expected, text)?),
            CimType::Sint8 => Self::Sint8(integer(expected, text)?),
            CimType::Sint16 => Self::Sint16(integer(expected, text)?),
            CimType::Sint32 => Self::Sint32(integer(expected, text)?),
            CimType::Sint64 => Self::Sint64(integer(expected, text)?),
            CimType::Real32 => Self::Real32(real(expected, text)? as f32),
            CimType::Real64 => Self::Real64(real(expected, text)?),
            CimType::Datetime => Self::Datetime(DateTime::parse(text.trim())?),
            CimType::Reference | CimType::Instance => return Err(ValueError::NotText { expected }),
        })
    }

    /// The type of a scalar; `None` for NULL and for arrays.
    pub fn scalar_type(&self) -> Option<CimType> {
        Some(match self {
            Self::Null | Self::Array(_) => return None,
            Self::Boolean(_) => CimType::Boolean,
            Self::String(_) => CimType::String,
            Self::Char16(_) => CimType::Char16,
            Self::Uint8(_) => CimType::Uint8,
            Self::Uint16(_) => CimType::Uint16,
            Self::Uint32(_) => CimType::Uint32,
            Self::Uint64(_) => CimType::Uint64,
            Self::Sint8(_) => CimType::Sint8,
            Self::Sint16(_) => CimType::Sint16,
            Self::Sint32(_) => CimType::Sint32,
            Self::Sint64(_) => CimType::Sint64,
            Self::Real32(_) => CimType::Real32,
            Self::Real64(_) => CimType::Real64,
            Self::Datetime(_) => CimType::Datetime,
            Self::Reference(_) => CimType::Reference,
            Self::Instance(_) => CimType::Instance,
        })
    }

    /// Whether this may stand where a value of `expected` (an array of it, if `array`) is asked for. NULL always may.
    pub fn fits(&self, expected: CimType, array: bool) -> bool {
        match self {
            Self::Null => true,
            Self::Array(items) => {
                array && items.iter().all(|v| matches!(v, Self::Null) || v.scalar_type() == Some(expected))
            }
            scalar => !array && scalar.scalar_type() == Some(expected),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// An unsigned integer of any width.
    pub fn as_u64(&self) -> Option<u64> {
        Some(match self {
            Self::Uint8(n) => (*n).into(),
            Self::Uint16(n) => (*n).into(),
            Self::Uint32(n) => (*n).into(),
            Self::Uint64(n) => *n,
            _ => return None,
        })
    }

    /// An integer of any type.
    pub fn as_integer(&self) -> Option<i128> {
        Some(match self {
            Self::Sint8(n) => (*n).into(),
            Self::Sint16(n) => (*n).into(),
            Self::Sint32(n) => (*n).into(),
            Self::Sint64(n) => (*n).into(),
            unsigned => unsigned.as_u64()?.into(),
        })
    }

    /// The truth value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(b) => Some(*b),
            _ => None,
        }
    }

    /// The path of a reference.
    pub fn as_reference(&self) -> Option<&Arc<ObjectPath>> {
        match self {
            Self::Reference(path) => Some(path),
            _ => None,
        }
    }

    /// The embedded instance.
    pub fn as_instance(&self) -> Option<&Arc<Instance>> {
        match self {
            Self::Instance(instance) => Some(instance),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// An array of whatever turns into values.
    pub fn array<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }

    /// The text of a scalar, datetimes as DSP0004 writes them; `None` for what is no text.
    pub fn plain_text(&self) -> Option<String> {
        Some(match self {
            Self::Null | Self::Array(_) | Self::Instance(_) | Self::Reference(_) => return None,
            Self::String(text) => text.to_string(),
            Self::Datetime(time) => time.to_string(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Char16(unit) => char::from_u32((*unit).into()).unwrap_or('\u{FFFD}').to_string(),
            Self::Uint8(n) => n.to_string(),
            Self::Uint16(n) => n.to_string(),
            Self::Uint32(n) => n.to_string(),
            Self::Uint64(n) => n.to_string(),
            Self::Sint8(n) => n.to_string(),
            Self::Sint16(n) => n.to_string(),
            Self::Sint32(n) => n.to_string(),
            Self::Sint64(n) => n.to_string(),
            Self::Real32(x) => x.to_string(),
            Self::Real64(x) => x.to_string(),
        })
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from! {
    bool => Boolean, &str => String, String => String, Arc<str> => String,
    u8 => Uint8, u16 => Uint16, u32 => Uint32, u64 => Uint64,
    i8 => Sint8, i16 => Sint16, i32 => Sint32, i64 => Sint64,
    f32 => Real32, f64 => Real64, DateTime => Datetime,
    ObjectPath => Reference, Arc<ObjectPath> => Reference,
    Instance => Instance, Arc<Instance> => Instance,
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn parse_char16(text: &str) -> Option<u16> {
    let mut units = text.encode_utf16();
    match (units.next(), units.next()) {
        (Some(unit), None) => Some(unit),
        _ => None,
    }
}

/// A number in digits must be in the type's range; only `INF` says infinity.
fn real(expected: CimType, text: &str) -> Result<f64, ValueError> {
    let number = match text.trim() {
        "INF" | "+INF" => return Ok(f64::INFINITY),
        "-INF" => return Ok(f64::NEG_INFINITY),
        "NaN" => return Ok(f64::NAN),
        // Rust also reads "inf" and "infinity", which XML Schema does not.
        digits if digits.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => digits.parse::<f64>().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| ValueError::Malformed { expected, text: shown(text) })?;
    let too_large = number.is_infinite() || (expected == CimType::Real32 && (number as f32).is_infinite());
    if too_large { Err(ValueError::OutOfRange { expected, text: shown(text) }) } else { Ok(number) }
}

fn integer<T: TryFrom<i128>>(expected: CimType, text: &str) -> Result<T, ValueError> {
    let digits = text.trim();
    let (negative, magnitude) = match digits.as_bytes().first() {
        Some(b'-') => (true, digits.get(1..).unwrap_or_default()),
        Some(b'+') => (false, digits.get(1..).unwrap_or_default()),
        _ => (false, digits),
    };
    let hexadecimal = magnitude.strip_prefix("0x").or_else(|| magnitude.strip_prefix("0X"));
    let (radix, body) = hexadecimal.map_or((10, magnitude), |rest| (16, rest));
    if body.is_empty() || !body.chars().all(|c| c.is_digit(radix)) {
        return Err(ValueError::Malformed { expected, text: shown(text) });
    }
    // More digits than i128 holds are out of every CIM type's range.
    i128::from_str_radix(body, radix)
        .ok()
        .map(|n| if negative { -n } else { n })
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| ValueError::OutOfRange { expected, text: shown(text) })
}

/// What of a peer's text can be shown in a message.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
