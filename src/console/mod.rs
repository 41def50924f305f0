//! What a management console does with the endpoints that it talks to.
//!
//! An [`Endpoint`] is where one is and a [`Session`] the way there: who we are, whom we trust (`trust`), and one request
//! at a time as a typed call. On it stand the operations of WS-Management (`operations`), for every class of every
//! implementation, and what the software of a host is made of (`software`), by whichever classes the host has.
//!
//! Nothing here prints, asks or reads a command line; whoever uses it brings what a person says.

mod endpoint;
mod error;
mod events;
mod known_hosts;
mod listener;
mod meaning;
mod operations;
mod path_text;
mod resource;
mod session;
pub mod software;
mod trust;

pub use endpoint::{Endpoint, EndpointError};
pub use error::ConsoleError;
pub use events::{RENEWAL, Subscription};
pub use known_hosts::{KnownHost, KnownHosts, KnownHostsError};
pub use listener::{Encryption, Inlet, Listener, ListenerError};
pub use meaning::meaning;
pub use operations::{Enumeration, Found, Output};
pub use path_text::path_text;
pub use resource::{Resource, ResourceError};
pub use session::{Session, SessionSettings};
pub use trust::{Decision, FirstMeeting, Trust, Unmet, fingerprint};

#[cfg(test)]
mod tests;
