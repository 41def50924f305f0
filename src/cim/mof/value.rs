//! Literals, and the values they are for a type.

use super::super::{CimType, DateTime, Value};

/// A literal before its type is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Integer(i128),
    Real(f64),
    Character(u16),
    Text(String),
    Array(Vec<Self>),
}

impl Literal {
    /// The value of a property of that type, or what is wrong.
    pub(super) fn typed(self, cim_type: CimType, array: bool) -> Result<Value, String> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Array(items) if array => {
                items.into_iter().map(|item| item.scalar(cim_type)).collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Array(_) => Err("this property is no array".to_owned()),
            _ if array => Err("an array's value stands between { and }".to_owned()),
            scalar => scalar.scalar(cim_type),
        }
    }

    fn scalar(self, cim_type: CimType) -> Result<Value, String> {
        Ok(match (cim_type, self) {
            (_, Self::Null) => Value::Null,
            (CimType::Boolean, Self::Boolean(truth)) => Value::Boolean(truth),
            (CimType::String, Self::Text(text)) => Value::String(text.into()),
            (CimType::Char16, Self::Character(unit)) => Value::Char16(unit),
            (CimType::Datetime, Self::Text(text)) => {
                Value::Datetime(DateTime::parse(&text).map_err(|error| error.to_string())?)
            }
            (CimType::Real32, Self::Real(n)) if (n as f32).is_infinite() => {
                return Err(format!("{n:e} is not in the range of real32"));
            }
            (CimType::Real32, Self::Real(n)) => Value::Real32(n as f32),
            (CimType::Real64, Self::Real(n)) => Value::Real64(n),
            (CimType::Real32, Self::Integer(n)) => Value::Real32(n as f32),
            (CimType::Real64, Self::Integer(n)) => Value::Real64(n as f64),
            (CimType::Reference | CimType::Instance, _) => {
                return Err("a reference or an embedded instance has no default but NULL".to_owned());
            }
            (integer, Self::Integer(n)) => {
                Value::parse(integer, &n.to_string()).map_err(|_| format!("{n} is not in the range of {integer}"))?
            }
            (other, _) => return Err(format!("this is not a {other}")),
        })
    }

    /// The value of a qualifier, whose type the literal tells: integers are uint64, or sint64 if one is negative.
    pub(super) fn untyped(self) -> Result<Value, String> {
        let cim_type = match &self {
            Self::Array(items) => {
                let first = items.iter().find(|item| **item != Self::Null).unwrap_or(&Self::Null);
                let negative = items.iter().any(|item| matches!(item, Self::Integer(n) if *n < 0));
                if negative { CimType::Sint64 } else { first.own_type() }
            }
            scalar => scalar.own_type(),
        };
        let array = matches!(self, Self::Array(_));
        self.typed(cim_type, array)
    }

    fn own_type(&self) -> CimType {
        match self {
            Self::Boolean(_) => CimType::Boolean,
            Self::Integer(n) if *n < 0 => CimType::Sint64,
            Self::Integer(_) => CimType::Uint64,
            Self::Real(_) => CimType::Real64,
            Self::Character(_) => CimType::Char16,
            Self::Null | Self::Text(_) | Self::Array(_) => CimType::String,
        }
    }
}
