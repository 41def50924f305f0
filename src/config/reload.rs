//! The settings as they were read, and read again while the service runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Auth, Config, ConfigError, DEFAULT_FILE, Limits, Overrides};

/// The keys, or sections, that take effect while the service runs; see [`Config::take_live`].
const LIVE: &[&str] = &[
    "log",
    "tls.",
    "limits.body_octets",
    "limits.body_seconds",
    "limits.requests",
    "limits.max_envelope_size",
    "limits.enumeration_contexts",
    "limits.enumeration_contexts_per_user",
    "limits.context_lifetime_seconds",
    "limits.operation_timeout_seconds",
    "events.",
    "auth.cache_seconds",
    "auth.hash_mebibytes",
    "auth.digest",
    "downloads.",
    "jobs.readable_folders",
    "jobs.max_package_octets",
    "jobs.worker_idle_seconds",
    "image.max_metadata_octets",
];

/// Where settings come from, and what they were at the start.
#[derive(Clone, Debug)]
pub struct Source {
    file: Option<PathBuf>,
    overrides: Overrides,
    /// What the file had at the start, by key.
    at_start: BTreeMap<String, toml::Value>,
}

/// Settings that were read again.
#[derive(Clone, Debug)]
pub struct Reread {
    /// What is to hold from now on: what was at the start, but for the keys that take effect at once.
    pub config: Config,
    /// The keys that were changed since the start and take effect at the next one.
    pub waiting: Vec<String>,
}

impl Source {
    /// Reads the settings, as [`Config::load`] does, and remembers where they came from.
    pub fn read(file: Option<&Path>, overrides: Overrides) -> Result<(Config, Self), ConfigError> {
        let config = Config::load(file, overrides.clone())?;
        let mut source = Self { file: file.map(Path::to_owned), overrides, at_start: BTreeMap::new() };
        source.at_start = source.keys()?;
        Ok((config, source))
    }

    /// Reads them again; `now` is what holds. Nothing of a file that is not right holds.
    pub fn read_again(&self, now: &Config) -> Result<Reread, ConfigError> {
        let new = Config::load(self.file.as_deref(), self.overrides.clone())?;
        let keys = self.keys()?;
        let is_other = |key: &&String| self.at_start.get(*key) != keys.get(*key);
        let is_live = |key: &str| LIVE.iter().any(|live| key == *live || live.ends_with('.') && key.starts_with(live));
        let mut waiting: Vec<String> =
            self.at_start.keys().chain(keys.keys()).filter(is_other).filter(|key| !is_live(key)).cloned().collect();
        waiting.sort();
        waiting.dedup();
        let mut config = now.clone();
        config.take_live(new);
        Ok(Reread { config, waiting })
    }

    /// What the file says, by key, such as `limits.body_octets`.
    fn keys(&self) -> Result<BTreeMap<String, toml::Value>, ConfigError> {
        let file = self.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(file) {
            Err(error) if self.file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|source| ConfigError::Read { file: file.to_owned(), source })?,
        };
        let table: toml::Table = toml::from_str(&text).map_err(|error| super::invalid(&error, &text, file))?;
        let mut keys = BTreeMap::new();
        for (name, value) in table {
            match value {
                toml::Value::Table(section) => {
                    keys.extend(section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
                }
                value => {
                    keys.insert(name, value);
                }
            }
        }
        Ok(keys)
    }
}

impl Config {
    /// Takes over what takes effect while the service runs, and nothing else.
    fn take_live(&mut self, new: Self) {
        self.log = new.log;
        self.tls = new.tls;
        // Tickets are taken, or not, from the start on.
        let Auth { cache, hash_mebibytes, digest, .. } = new.auth;
        self.auth = Auth { cache, hash_mebibytes, digest, ..self.auth.clone() };
        self.events = new.events;
        // Those of connections, and of what is shown of uploads, count at the start.
        let Limits { max_upload, head_time, keep_alive, connections, .. } = self.limits;
        self.limits = Limits { max_upload, head_time, keep_alive, connections, ..new.limits };
        self.downloads = new.downloads;
        self.jobs.readable_folders = new.jobs.readable_folders;
        self.jobs.max_package_octets = new.jobs.max_package_octets;
        self.jobs.worker_idle = new.jobs.worker_idle;
        self.image.max_metadata_octets = new.image.max_metadata_octets;
    }
}

#[cfg(test)]
mod tests {
    use super::super::SAMPLE;
    use super::*;

    #[test]
    fn what_takes_effect_at_once_is_taken_and_the_rest_is_told_by_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("q.toml");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write("root = \"/a\"\n[limits]\nconnections = 10\n");
        let (now, source) = Source::read(Some(&file), Overrides::default()).unwrap();
        assert_eq!(source.read_again(&now).unwrap().waiting, Vec::<String>::new());
        write(
            "root = \"/b\"\nlog = \"debug\"\n[jobs]\nreadable_folders = [\"/srv\"]\nhistory_records = 5\n\
             [downloads]\nsilence_seconds = 7\n[tls]\ncertificate = \"/c\"\nkey = \"/k\"\n\
             [limits]\nbody_octets = 8192\n[auth]\ncache_seconds = 3\n[events]\nsubscriptions = 4\n",
        );
        let read = source.read_again(&now).unwrap();
        assert_eq!(read.waiting, ["jobs.history_records", "limits.connections", "root"]);
        let config = read.config;
        assert_eq!((config.root.to_str(), config.limits.connections), (Some("/a"), 10));
        assert_eq!((config.limits.body_octets, config.auth.cache.as_secs(), config.events.subscriptions), (8192, 3, 4));
        assert_eq!(config.log, "debug");
        assert_eq!(config.downloads.longest_silence.as_secs(), 7);
        assert!(config.tls.key.is_some() && config.jobs.readable_folders == [PathBuf::from("/srv")]);
        assert_eq!(config.jobs.history_records, now.jobs.history_records);
        assert_eq!(source.read_again(&config).unwrap().waiting.len(), 3, "they go on waiting");
    }

    #[test]
    fn a_file_that_is_not_right_is_told_with_line_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("q.toml");
        std::fs::write(&file, "").unwrap();
        let (now, source) = Source::read(Some(&file), Overrides::default()).unwrap();
        std::fs::write(&file, "log = \"debug\"\n[downloads]\nsilence_seconds = 0\n").unwrap();
        let error = source.read_again(&now).unwrap_err().to_string();
        assert!(error.contains("q.toml, line 3: ") && error.contains("silence_seconds"), "{error}");
    }

    #[test]
    fn each_live_key_is_one_of_the_sample() {
        for live in LIVE {
            let (section, key) = live.split_once('.').unwrap_or(("", live));
            let part = SAMPLE.split(&format!("\n[{section}]\n")).nth(1).unwrap_or(SAMPLE);
            let is_there = part.contains(&format!("\n#{key} = ")) || part.contains(&format!("\n#e.g. {key} = "));
            assert!(is_there || key.is_empty(), "{live}");
        }
    }
}
