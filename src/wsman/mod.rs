//! The behaviour of DSP0226 and DSP0227: what a request asks for and what the reply is.
//!
//! This room knows nothing of HTTP and nothing of software.

mod beside;
mod classes;
mod contexts;
mod cursor;
mod document;
mod enumeration;
mod event_pull;
mod eventing;
mod exchange;
mod fragment;
mod identify;
mod invoke;
mod items;
mod operation;
mod path_filter;
mod representation;
mod rest;
mod selection;
mod service;
mod shown;
mod subscribing;
mod transfer;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::access::Caller;
use crate::broker::Upload;
use crate::xml::Written;

pub use beside::{Place, Places};
pub use contexts::ContextLimits;
pub use operation::Operation;
pub use service::Service;

/// How requests are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Octets of a reply to a request that sets no MaxEnvelopeSize.
    pub max_envelope_size: usize,
    /// Octets of a reply, whatever a request asks for.
    pub largest_envelope: usize,
    /// The HTTP status of faults.
    pub fault_status: FaultStatus,
    /// How long an operation may take whose request does not say OperationTimeout.
    pub operation_timeout: Duration,
    /// How many enumerations may be open and for how long.
    pub contexts: ContextLimits,
}

/// The HTTP status of faults (DSP0226 wants 400 for sender faults, and most clients lose the fault then).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultStatus {
    /// 500 for every fault, as Windows sends it.
    Always500,
    /// 400 for faults of the sender, 500 for others (DSP0226 RC.2-9).
    Dsp0226,
}

/// One request as the transport hands it over.
#[derive(Debug)]
pub struct Request {
    /// The body as it came, but for the package file that was cut out of it.
    pub body: Vec<u8>,
    /// The package file.
    pub upload: Option<Arc<Upload>>,
    /// The `charset` parameter of the Content-Type, if there was one.
    pub charset: Option<String>,
    /// The SOAPAction header, if there was one, without its quotes.
    pub soap_action: Option<String>,
    /// Who asks; `None` only where anonymous requests are let in, which is for Identify alone.
    pub caller: Option<Caller>,
    /// The scheme, host and port the client used (`https://host:5986/wsman`), for addresses in replies.
    pub address: Arc<str>,
}

/// What the transport sends back.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type; `None` when there is no body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Written,
    /// What was asked for.
    pub operation: Operation,
}
