//! What requests ask for, in few classes.

use crate::wire::names::action;

/// What a request asks for, as far as figures of the service tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Identify.
    Identify,
    /// WS-Transfer Get.
    Get,
    /// WS-Transfer Put.
    Put,
    /// WS-Transfer Create.
    Create,
    /// WS-Transfer Delete.
    Delete,
    /// WS-Enumeration Enumerate.
    Enumerate,
    /// WS-Enumeration Pull, also of events.
    Pull,
    /// WS-Enumeration Release.
    Release,
    /// WS-Eventing Subscribe.
    Subscribe,
    /// WS-Eventing Renew.
    Renew,
    /// WS-Eventing GetStatus.
    GetStatus,
    /// WS-Eventing Unsubscribe.
    Unsubscribe,
    /// A method of a class.
    Invoke,
    /// Nothing that could be read.
    None,
}

impl Operation {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Identify,
        Self::Get,
        Self::Put,
        Self::Create,
        Self::Delete,
        Self::Enumerate,
        Self::Pull,
        Self::Release,
        Self::Subscribe,
        Self::Renew,
        Self::GetStatus,
        Self::Unsubscribe,
        Self::Invoke,
        Self::None,
    ];

    /// What an action URI asks for.
    pub(super) fn of(action: &str) -> Self {
        match action {
            action::GET => Self::Get,
            action::PUT => Self::Put,
            action::CREATE => Self::Create,
            action::DELETE => Self::Delete,
            action::ENUMERATE => Self::Enumerate,
            action::PULL => Self::Pull,
            action::RELEASE => Self::Release,
            action::SUBSCRIBE => Self::Subscribe,
            action::RENEW => Self::Renew,
            action::GET_STATUS => Self::GetStatus,
            action::UNSUBSCRIBE => Self::Unsubscribe,
            _ => Self::Invoke,
        }
    }

    /// Its name, in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Get => "get",
            Self::Put => "put",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Enumerate => "enumerate",
            Self::Pull => "pull",
            Self::Release => "release",
            Self::Subscribe => "subscribe",
            Self::Renew => "renew",
            Self::GetStatus => "get_status",
            Self::Unsubscribe => "unsubscribe",
            Self::Invoke => "invoke",
            Self::None => "none",
        }
    }
}
