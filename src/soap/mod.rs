//! SOAP 1.2 and WS-Addressing 2004/08: envelopes in and out, faults, and the encodings they travel in.
//!
//! This room knows the headers that every message has, and the table of all faults. What the other headers and the
//! bodies mean is for `wire`.

mod addressing;
mod encoding;
mod envelope;
mod fault;
mod fault_table;
mod message;
pub mod names;
mod received;

pub use addressing::{Addressing, EndpointReference};
pub use encoding::{Encoding, EncodingError};
pub use envelope::{Envelope, EnvelopeError, HeaderBlock};
pub use fault::{Fault, sent};
pub use fault_table::{FaultDetail, FaultKind};
pub use message::{Message, MessageId, Outgoing};
pub use received::ReceivedFault;

#[cfg(test)]
mod tests;
