//! The Common Information Model: values, classes, instances, object paths, MOF and queries.
//!
//! This room knows the model of DSP0004 and nothing of XML, of protocols or of software.

mod cim_type;
mod class;
mod constraint;
mod datetime;
mod error;
mod instance;
pub mod mof;
mod path;
mod qualifier;
pub mod query;
mod schema;
mod value;
mod value_map;

pub use cim_type::CimType;
pub use class::{Class, ClassKind, Direction, Method, Parameter, Property, Qualifiers, Shape};
pub use datetime::{DateTime, DateTimeError, Interval, Timestamp};
pub use error::{CimError, CimStatus, Circumstance};
pub use instance::{Instance, PropertyError};
pub use path::ObjectPath;
pub use qualifier::QualifierType;
pub use schema::{Schema, SchemaError};
pub use value::{Value, ValueError};
pub use value_map::ValueMapEntry;
