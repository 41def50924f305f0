//! What host an image store belongs to: `host.toml` and the boot marker.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::failure::{malformed, unreadable};
use super::layout::Layout;
use super::plain_file;
use crate::hexadecimal;
use crate::software::vib::{Descriptor, HardwarePlatform, ImageError, ImageErrorClass, ImageHost};

/// The product line of ESXi.
const EMBEDDED: &str = "embeddedEsx";

/// The VIB whose version is the host's.
pub(super) const BASE: &str = "esx-base";

/// The key that a program changes.
const MAINTENANCE_MODE: &str = "maintenance_mode";

/// The longest `host.toml` and the longest boot marker that are read, in octets.
const LONGEST: u64 = 64 * 1024;

/// What an operator tells of a host; nothing of it need be told. It is kept in the store's `host.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// The product line; `embeddedEsx` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_line: Option<Box<str>>,
    /// The version, such as `5.5.0`; that of the VIB `esx-base` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Box<str>>,
    /// The locale; none unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Box<str>>,
    /// Whether it is in maintenance mode.
    #[serde(default)]
    pub maintenance_mode: bool,
    /// The hardware; no VIB is refused for it unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwarePlatform>,
}

impl HostSettings {
    /// Reads them; a store without the file tells nothing.
    pub(super) fn read(file: &Path) -> Result<Self, ImageError> {
        match read_text(file) {
            Ok(text) => Self::parse(&text).map_err(|what| wrongly_edited(file, &what)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unreadable(file, &error)),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })
    }

    /// As they are written.
    pub(super) fn to_toml(&self) -> io::Result<String> {
        toml::to_string(self).map_err(io::Error::other)
    }

    /// The file's text with another maintenance mode; all else in it stays as the operator wrote it.
    pub(super) fn with_maintenance_mode(file: &Path, is_on: bool) -> Result<String, ImageError> {
        let wanted = Self { maintenance_mode: is_on, ..Self::read(file)? };
        let text = read_text(file).unwrap_or_default();
        let is_key = |line: &&str| line.split('=').next().is_some_and(|key| key.trim() == MAINTENANCE_MODE);
        // Keys of the file itself stand before its first table.
        let top = text.lines().take_while(|line| !line.trim_start().starts_with('['));
        let old = top.enumerate().find(|(_, line)| is_key(line)).map(|(at, _)| at);
        let new = format!("{MAINTENANCE_MODE} = {is_on}");
        let mut lines: Vec<&str> = text.lines().collect();
        match old.and_then(|at| lines.get_mut(at)) {
            Some(line) => *line = &new,
            None => lines.insert(0, &new),
        }
        let edited = lines.join("\n") + "\n";
        match Self::parse(&edited) == Ok(wanted.clone()) {
            true => Ok(edited),
            false => wanted.to_toml().map_err(|error| malformed(file, error)),
        }
    }

    /// The host, with the base that runs on it.
    pub(super) fn host(self, base: Option<&Descriptor>, booted_at: Option<DateTime<Utc>>) -> ImageHost {
        let base = base.map(|vib| vib.version.as_str()).unwrap_or_default();
        let (base_version, release) = base.split_once('-').unwrap_or((base, ""));
        let version = self.version.unwrap_or_else(|| base_version.into());
        ImageHost {
            product_line: self.product_line.unwrap_or_else(|| EMBEDDED.into()),
            build: release.rsplit('.').next().and_then(|build| build.parse().ok()),
            version,
            locale: self.locale.unwrap_or_default(),
            hardware: self.hardware,
            maintenance_mode: self.maintenance_mode,
            changes_live: true,
            booted_at,
        }
    }
}

/// Operators edit this file: what is wrong in it is theirs to correct, and no damage.
fn wrongly_edited(file: &Path, what: &str) -> ImageError {
    let text =
        format!("{}: {}. Correct the file; the rest of the image is as it was.", file.display(), what.trim_end());
    ImageError::new(ImageErrorClass::DatabaseFormatError, text)
}

/// Which boot it is that the host runs from, and when that was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Boot {
    /// A digest of the boot marker in hexadecimal; `None` if there is none, or an empty one.
    pub marker: Option<String>,
    /// When it was.
    pub at: Option<DateTime<Utc>>,
}

impl Boot {
    /// Reads the boot marker. That it is gone is no boot: whoever writes a new one may have removed the old one first.
    pub(super) fn read(layout: &Layout) -> Result<Self, ImageError> {
        let file = layout.boot_marker();
        let content = match read_text(&file) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unreadable(&file, &error)),
        };
        let marker = Some(content.trim()).filter(|content| !content.is_empty()).map(mark_of);
        let at = match layout.is_own_host() {
            true => own_boot(),
            false => file.metadata().and_then(|metadata| metadata.modified()).ok().map(DateTime::from),
        };
        Ok(Self { marker, at })
    }

    /// What a bank is marked with that waits for the boot after this one: any marker is another than none.
    pub(super) fn mark(&self) -> String {
        self.marker.clone().unwrap_or_else(|| mark_of(""))
    }
}

/// A digest of a boot marker.
fn mark_of(content: &str) -> String {
    hexadecimal::written(&openssl::sha::sha256(content.as_bytes()))
}

/// When this host was booted, as the kernel tells (`proc(5)`).
fn own_boot() -> Option<DateTime<Utc>> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    DateTime::from_timestamp(line.trim().parse().ok()?, 0)
}

/// A small text file; what is not UTF-8 is taken as it can be.
fn read_text(file: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&plain_file::read(file, LONGEST)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_and_read_and_errors_name_their_line() {
        let facts = HostSettings {
            version: Some("5.5.0".into()),
            hardware: Some(HardwarePlatform { vendor: "Dell".into(), model: Some("R720".into()) }),
            maintenance_mode: true,
            ..HostSettings::default()
        };
        assert_eq!(HostSettings::parse(&facts.to_toml().unwrap()), Ok(facts));
        assert_eq!(HostSettings::parse(""), Ok(HostSettings::default()));
        let error = HostSettings::parse("version = \"5\"\nmaintenance = true\n").unwrap_err();
        assert!(error.starts_with("line 2: unknown field `maintenance`"), "{error}");
    }

    #[test]
    fn the_maintenance_mode_changes_and_the_operators_text_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("host.toml");
        let edit = |text: &str, is_on| {
            fs::write(&file, text).unwrap();
            HostSettings::with_maintenance_mode(&file, is_on).unwrap()
        };
        assert_eq!(edit("# lab\nmaintenance_mode=false # now\n", true), "# lab\nmaintenance_mode = true\n");
        let hardware = "# lab\n[hardware]\nvendor = \"Dell\"\n";
        assert_eq!(edit(hardware, true), format!("maintenance_mode = true\n{hardware}"));
        fs::remove_file(&file).unwrap();
        assert_eq!(HostSettings::with_maintenance_mode(&file, true).unwrap(), "maintenance_mode = true\n");
    }
}
