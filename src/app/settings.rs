//! What each room needs to know of the configuration.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;

use super::proxy::ProxySettingError;
use crate::access;
use crate::access::sealing::SealingKey;
use crate::audit;
use crate::client::{self, AddressRuleError, AddressRules, IdentityFiles};
use crate::config::{Allowed, ChannelBindings, Config, DigestAlgorithm, Engine, FaultStatus, Overflow};
use crate::events;
use crate::page;
use crate::server::{self, ClientCertificates, Kerberos, UploadSettings};
use crate::software::{EngineChoice, EngineSettings};
use crate::wsman::{self, ContextLimits};

/// Replies are never larger, whatever a request asks for: they are held in memory.
const LARGEST_ENVELOPE: usize = 16 * 1024 * 1024;
/// Records that everybody has dealt with are kept this long, to be read again.
const DONE_WITH: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A setting that a room cannot use.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// What may be connected to is not told right.
    #[error("[{section}] allow: {source}")]
    Allow {
        /// The section of the settings.
        section: &'static str,
        /// What is wrong.
        source: AddressRuleError,
    },
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxySettingError),
}

pub(super) fn users(config: &Config) -> access::Settings {
    access::Settings { cache: config.auth.cache, hash_mebibytes: config.auth.hash_mebibytes }
}

pub(super) fn audit(config: &Config) -> audit::Settings {
    audit::Settings {
        file: config.audit_file(),
        rotate_octets: config.audit.rotate_mebibytes << 20,
        kept_files: config.audit.kept_files,
    }
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
        digest: config
            .auth
            .digest
            .iter()
            .map(|algorithm| match algorithm {
                DigestAlgorithm::Sha256 => access::DigestAlgorithm::Sha256,
                DigestAlgorithm::Md5 => access::DigestAlgorithm::Md5,
            })
            .collect(),
        kerberos: kerberos(config),
        requests: limits.requests,
        client_certificates: client_certificates(config),
        uploads: takes_byte_streams(config)
            .then(|| UploadSettings { folder: config.state_dir.join("uploads"), max_characters: limits.max_upload }),
    }
}

/// How the page is served; `None` if the settings want none.
pub(super) fn page(config: &Config) -> Option<page::Settings> {
    let own = &config.page;
    own.enabled.then_some(page::Settings { idle: own.idle, longest: own.longest })
}

/// How clients are asked for certificates, if they are.
fn client_certificates(config: &Config) -> Option<ClientCertificates> {
    config.tls.client_certificates.then(|| ClientCertificates {
        authorities: config.tls.client_ca_file.clone(),
        revocations: config.tls.client_revocation_file.clone(),
    })
}

/// How Kerberos tickets are taken, if they are.
fn kerberos(config: &Config) -> Option<Kerberos> {
    let auth = &config.auth;
    let must_be_bound = auth.kerberos_channel_bindings == ChannelBindings::Required;
    auth.kerberos_keytab.clone().map(|keytab| Kerberos { keytab, realms: auth.kerberos_realms.clone(), must_be_bound })
}

/// Whether packages may come inside of requests.
pub(super) fn takes_byte_streams(config: &Config) -> bool {
    config.limits.max_upload > 0
}

/// How callers may authenticate, as DSP0226 calls it.
pub(super) fn security_profiles(config: &Config) -> Vec<&'static str> {
    let digest = (!config.auth.digest.is_empty()).then_some("https/digest");
    let kerberos = config.auth.kerberos_keytab.is_some().then_some("https/spnego-kerberos");
    let mutual = config.tls.client_certificates.then_some("https/mutual");
    ["https/basic"].into_iter().chain(digest).chain(kerberos).chain(mutual).collect()
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
        identity: identity(config),
        // Each subscription has one request under way.
        max_in_flight: client::Settings::default().max_in_flight.max(config.events.subscriptions.saturating_add(64)),
        ..client::Settings::default()
    }
}

/// What is shown to sinks that ask for a certificate.
fn identity(config: &Config) -> Option<IdentityFiles> {
    let (certificate, key) = (config.events.certificate.clone()?, config.events.key.clone()?);
    Some(IdentityFiles { certificate, key })
}

/// Which sinks may be connected to.
pub(super) fn sink_rules(config: &Config) -> Result<AddressRules, SettingError> {
    let rules = address_rules(allows_loopback(config), &entries(&config.events.allow));
    rules.map_err(|source| SettingError::Allow { section: "events", source })
}

/// What the worker is told of which servers files may be fetched from, if it can be used.
pub(super) fn download_entries(config: &Config) -> Result<Vec<String>, SettingError> {
    let entries = entries(&config.downloads.allow);
    match address_rules(allows_loopback(config), &entries) {
        Ok(_) => Ok(entries),
        Err(source) => Err(SettingError::Allow { section: "downloads", source }),
    }
}

/// Others on loopback are allowed while the service itself listens there only.
pub(super) fn allows_loopback(config: &Config) -> bool {
    config.listen.ip().is_loopback()
}

/// The default rules, widened.
pub(super) fn address_rules(loopback: bool, entries: &[String]) -> Result<AddressRules, AddressRuleError> {
    entries.iter().try_fold(AddressRules::new(loopback), |rules, entry| rules.allow(entry))
}

fn entries(allowed: &[Allowed]) -> Vec<String> {
    let entry = |allowed: &Allowed| match allowed {
        Allowed::Network { address, prefix } => format!("{address}/{prefix}"),
        Allowed::Host(name) => name.clone(),
    };
    allowed.iter().map(entry).collect()
}

pub(super) fn events(config: &Config, sealing_key: Option<Arc<SealingKey>>) -> events::Settings {
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
        max_octets: own.retention_mebibytes.saturating_mul(1 << 20),
        overflow: match own.overflow {
            Overflow::End => events::Overflow::End,
            Overflow::Drop => events::Overflow::Drop,
        },
        sealing_key,
        ..defaults
    }
}

/// How the engine works for the process that has this folder.
pub(super) fn at_work(folder: &Path) -> EngineSettings {
    EngineSettings { scratch: Some(folder.join("work")), ..EngineSettings::default() }
}

pub(super) fn engine(engine: Engine) -> EngineChoice {
    match engine {
        Engine::Auto => EngineChoice::Auto,
        Engine::Deb => EngineChoice::Deb,
        Engine::Rpm => EngineChoice::Rpm,
        Engine::None => EngineChoice::None,
    }
}
