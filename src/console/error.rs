//! What goes wrong between a console and a host.

use super::known_hosts::KnownHostsError;
use super::trust::Unmet;
use super::{Output, Resource, meaning};
use crate::client::{ClientError, LoginError, StartError, UrlError};
use crate::soap::{Fault, ReceivedFault};
use crate::xml::ElementExt;

/// Why a host gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// It could not be reached, or the exchange broke off.
    #[error("the host cannot be reached: {0}")]
    Unreachable(#[source] ClientError),
    /// It is not known to be who it should be.
    #[error(transparent)]
    Untrusted(#[from] Unmet),
    /// It does not let us in.
    #[error("the host refuses the login: {0}")]
    Login(String),
    /// The credentials cannot be sent.
    #[error(transparent)]
    Credentials(#[from] LoginError),
    /// What we need to go on the network is not there.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What is known of hosts cannot be read or kept.
    #[error(transparent)]
    KnownHosts(#[from] KnownHostsError),
    /// It has no address to ask at.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// It answered with a fault.
    #[error("the host answers {}: {}", .0.subcode, reason(.0))]
    Fault(Box<ReceivedFault>),
    /// What it answered is not what WS-Management has for an answer.
    #[error("{0}")]
    Reply(String),
    /// A method returned that it did not do what it was called for.
    #[error("{method} returned {returned}")]
    Returned {
        /// The method.
        method: String,
        /// What it returned, and what that means if its class says so.
        returned: String,
        /// The number alone, if it was one.
        code: Option<u32>,
    },
    /// What it tells cannot be passed on.
    #[error("what the host tells cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// It has not what was asked for.
    #[error("{0}")]
    Absent(String),
}

impl ConsoleError {
    /// Whether there never was a way to the host, or none that may be used.
    pub fn is_no_way_there(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Untrusted(_)
                | Self::Login(_)
                | Self::Credentials(_)
                | Self::Start(_)
                | Self::KnownHosts(_)
                | Self::Url(_)
        )
    }

    /// What a method returned that did not do what it was called for.
    pub(super) fn returned(resource: &Resource, method: &str, output: &Output) -> Self {
        let code = output.returned();
        let number = output.0.text("ReturnValue").unwrap_or("nothing").to_owned();
        let meaning = code.and_then(|code| meaning(resource.class_name(), method, code));
        let mut returned = meaning.map_or(number.clone(), |meaning| format!("{number} ({meaning})"));
        // Quartermaster says why, too, where the number alone would not tell.
        if let Some(reason) = output.0.text("Reason").filter(|reason| !reason.is_empty()) {
            returned.push_str(": ");
            returned.push_str(reason);
        }
        Self::Returned { method: method.to_owned(), returned, code }
    }

    /// What the host sent does not hold together.
    pub(super) fn unreadable(fault: &Fault) -> Self {
        Self::Reply(format!("what the host answers cannot be read: {}", fault.reason()))
    }
}

impl From<ClientError> for ConsoleError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unauthorized(why) => Self::Login(why),
            other => Self::Unreachable(other),
        }
    }
}

/// The sentence of a fault. Some implementations give it in another place, or none.
fn reason(fault: &ReceivedFault) -> String {
    let said = || fault.elements.iter().flat_map(ElementExt::elements).find(|element| element.name == "Message");
    match (fault.reason.as_str(), said().map(ElementExt::text), fault.details.as_slice()) {
        ("", None | Some(""), []) => "it does not say why".to_owned(),
        ("", None | Some(""), details) => details.join(", "),
        ("", Some(message), _) => message.to_owned(),
        (reason, ..) => reason.to_owned(),
    }
}
