//! The WS-CIM mapping (DSP0230) with the rulings of the project: CIM values, instances, paths and method calls as
//! elements, both ways.

mod error;
mod event;
mod fragment;
mod method;
mod octets;
mod path;
mod read;
mod tags;
mod value;
mod write;

pub use error::{cim_error, cim_fault};
pub use event::{DeliveryHeaders, Told, indication_xml, write_event, write_events, write_heartbeat};
pub use fragment::write_fragment;
pub use method::{Parameters, read_output, write_input, write_output};
pub use path::selectors_of;
pub use read::{GivenInstance, InstanceError, Mapping};
pub use write::{Style, write_instance, write_item, write_path, write_wrapped_path};

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
