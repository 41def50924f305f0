//! How a subscriber wants its events (DSP0226 10.2.9).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::soap::Encoding;

/// How events are delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Who moves, and whether each message is acknowledged.
    pub mode: Mode,
    /// Whether messages are written in UTF-16, with a byte order mark, and not in UTF-8.
    #[serde(default)]
    pub utf16: bool,
    /// The language of texts.
    #[serde(default)]
    pub locale: Option<String>,
    /// A message is sent at least this often (10.2.5).
    #[serde(default)]
    pub heartbeat: Option<Duration>,
    /// When failed deliveries are tried again; `None` leaves that to the service.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Whether each message carries a bookmark (10.2.6).
    #[serde(default)]
    pub bookmarks: bool,
    /// The most events of one batch.
    #[serde(default)]
    pub max_elements: Option<usize>,
    /// The longest time that an event waits for others to make a batch.
    #[serde(default)]
    pub max_time: Option<Duration>,
    /// The largest message.
    #[serde(default)]
    pub envelope: Option<EnvelopeLimit>,
}

/// The four modes of DSP0226.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One event per message, answered by the status of HTTP alone.
    #[default]
    Push,
    /// One event per message, acknowledged.
    PushWithAck,
    /// Several events per message, acknowledged.
    Events,
    /// The subscriber asks for them.
    Pull,
}

impl Mode {
    /// Whether a message has arrived only when the sink acknowledged it.
    pub fn is_acknowledged(self) -> bool {
        matches!(self, Self::PushWithAck | Self::Events)
    }
}

/// When failed deliveries are tried again (10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The time between two attempts.
    pub interval: Duration,
    /// How many attempts follow the first one that failed; then the subscription ends.
    pub total: u32,
}

/// The largest message that a sink takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeLimit {
    /// Its size in octets.
    pub octets: usize,
    /// What becomes of an event that does not fit into one.
    pub policy: Oversize,
}

/// What becomes of an event that is too large for its subscriber (10.2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Oversize {
    /// The subscription ends.
    CancelSubscription,
    /// It is left out.
    Skip,
    /// It is left out, and a DroppedEvents event stands in its place.
    #[default]
    Notify,
}

impl Delivery {
    /// Delivery in this mode, everything else as DSP0226 has it by default.
    pub fn in_mode(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// How messages are written.
    pub(super) fn encoding(&self) -> Encoding {
        if self.utf16 { Encoding::Utf16Le } else { Encoding::Utf8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_version_stored_is_still_read() {
        let stored: Delivery = serde_json::from_str(r#"{"mode":"push"}"#).unwrap();
        assert_eq!(stored, Delivery::in_mode(Mode::Push));
    }

    #[test]
    fn it_is_stored_with_all_it_holds() {
        let delivery = Delivery {
            mode: Mode::Events,
            utf16: true,
            locale: Some("de".to_owned()),
            heartbeat: Some(Duration::from_millis(1500)),
            retry: Some(Retry { interval: Duration::from_secs(60), total: 5 }),
            bookmarks: true,
            max_elements: Some(20),
            max_time: Some(Duration::from_secs(30)),
            envelope: Some(EnvelopeLimit { octets: 153_600, policy: Oversize::Skip }),
        };
        let stored = serde_json::to_string(&delivery).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&stored).unwrap(), delivery);
    }
}
