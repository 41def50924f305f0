//! The messages of WS-Management (DSP0226), its CIM binding (DSP0227) and the WS-CIM mapping (DSP0230), both ways.
//!
//! Everything here turns elements into values or values into XML. Nothing is decided: what a request leads to is for
//! `wsman`, where bytes go is for `client` and `server`. Wrong input becomes the fault that the standards name, with a
//! sentence that names the offending thing.

mod association;
pub mod classes;
pub mod control;
pub mod delivery;
mod endpoint;
pub mod enumeration;
pub mod eventing;
mod fields;
mod filter;
pub mod identify;
mod mapping;
pub mod names;
mod options;
mod page;
mod plain;
mod resource;
mod selectors;
mod sink_security;
pub mod transfer;

pub use association::{AssociationFilter, AssociationKind};
pub use control::{ControlHeaders, FragmentTransfer};
pub use delivery::Delivered;
pub use fields::Expires;
pub use filter::{Filter, selectors_fault};
pub use mapping::{
    DeliveryHeaders, GivenInstance, InstanceError, Mapping, Parameters, Style, Told, cim_error, cim_fault,
    indication_xml, read_output, selectors_of, write_event, write_events, write_fragment, write_heartbeat, write_input,
    write_instance, write_item, write_output, write_path, write_wrapped_path,
};
pub use options::{OptionSet, RequestOption};
pub use page::Page;
pub use plain::{PlainInstance, PlainItem, PlainValue};
pub use resource::{ResourceUri, UriForm};
pub use selectors::{Selector, SelectorSet, SelectorValue};
pub use sink_security::{CertificateThumbprint, LoginScheme, OwnCertificate, SecurityProfile, SinkSecurity, SinkUser};

pub use crate::soap::EndpointReference;

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
