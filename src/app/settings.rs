//! What each room needs to know of the configuration.

use chrono::TimeDelta;

use crate::access;
use crate::client::{self, AddressRuleError, AddressRules};
use crate::config::{Allowed, Config, Engine, FaultStatus};
use crate::events;
use crate::server;
use crate::software::EngineChoice;
use crate::wsman::{self, ContextLimits};

/// Replies are never larger, whatever a request asks for: they are held in memory.
const LARGEST_ENVELOPE: usize = 16 * 1024 * 1024;
/// Records that everybody has dealt with are kept this long, to be read again.
const DONE_WITH: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A setting that a room cannot use.
#[derive(Debug, thiserror::Error)]
#[error("[events] allow: {0}")]
pub struct SettingError(#[from] AddressRuleError);

pub(super) fn users(config: &Config) -> access::Settings {
    access::Settings { cache: config.auth.cache, bcrypt_cost: config.auth.bcrypt_cost }
}

pub(super) fn server(config: &Config) -> server::Settings {
    let limits = &config.limits;
    server::Settings {
        listen: config.listen,
        body_octets: limits.body_octets,
        body_time: limits.body_time,
        head_time: limits.head_time,
        keep_alive: limits.keep_alive,
        connections: limits.connections,
    }
}

pub(super) fn wsman(config: &Config) -> wsman::Settings {
    let limits = &config.limits;
    wsman::Settings {
        max_envelope_size: limits.max_envelope_size,
        largest_envelope: LARGEST_ENVELOPE.max(limits.max_envelope_size),
        fault_status: match config.fault_status {
            FaultStatus::Always500 => wsman::FaultStatus::Always500,
            FaultStatus::Dsp0226 => wsman::FaultStatus::Dsp0226,
        },
        operation_timeout: limits.operation_timeout,
        contexts: ContextLimits {
            total: limits.enumeration_contexts,
            per_user: limits.enumeration_contexts_per_user,
            idle: TimeDelta::from_std(limits.context_lifetime).unwrap_or(TimeDelta::MAX),
        },
    }
}

pub(super) fn client(config: &Config) -> client::Settings {
    client::Settings {
        request_timeout: config.events.delivery_timeout,
        trust_file: config.events.trust_file.clone(),
        ..client::Settings::default()
    }
}

/// Decision 13e: sinks on loopback are allowed while the service itself listens there only.
pub(super) fn address_rules(config: &Config) -> Result<AddressRules, SettingError> {
    let allowed = config.events.allow.iter().map(|entry| match entry {
        Allowed::Network { address, prefix } => format!("{address}/{prefix}"),
        Allowed::Host(name) => name.clone(),
    });
    let mut rules = AddressRules::new(config.listen.ip().is_loopback());
    for entry in allowed {
        rules = rules.allow(&entry)?;
    }
    Ok(rules)
}

pub(super) fn events(config: &Config) -> events::Settings {
    let own = &config.events;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let retained = u32::try_from(own.retention_events).unwrap_or(u32::MAX);
    let defaults = events::Settings::default();
    events::Settings {
        max_per_owner: count(own.subscriptions_per_user),
        max_subscriptions: count(own.subscriptions),
        first_retry: own.first_retry,
        longest_retry: own.longest_retry,
        give_up_after: own.give_up,
        keep_age: DONE_WITH.min(own.retention),
        keep_count: retained,
        hard_age: own.retention,
        hard_count: retained,
        ..defaults
    }
}

pub(super) fn engine(engine: Engine) -> EngineChoice {
    match engine {
        Engine::Auto => EngineChoice::Auto,
        Engine::Deb => EngineChoice::Deb,
        Engine::Rpm => EngineChoice::Rpm,
        Engine::None => EngineChoice::None,
    }
}
