//! Name, epoch, version, release and architecture, and the text that carries them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Family;
use super::version::{debian_order, rpm_order};

/// Name, epoch, version, release and architecture: what tells one package build from all others.
///
/// A Debian version `[epoch:]upstream[-revision]` maps to the same parts; a native Debian package has no release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Nevra {
    /// The package's name.
    pub name: Arc<str>,
    /// The epoch; 0 where the package has none.
    pub epoch: u32,
    /// rpm's version, Debian's upstream version.
    pub version: Arc<str>,
    /// rpm's release, Debian's revision; `None` for native Debian packages.
    pub release: Option<Arc<str>>,
    /// The architecture (`noarch` or `all` for any).
    pub architecture: Arc<str>,
}

impl fmt::Display for Nevra {
    /// As [`Nevra::push_to`] writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

/// Most packages' versions are shorter.
const LIKELY_EVRA: usize = 48;

/// The longest text that is looked at: names and versions of real packages are far shorter.
const LONGEST_TEXT: usize = 1024;

/// A text that is no `name-epoch:version[-release].arch`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a package is named as name-epoch:version-release.arch; {0}")]
pub struct NevraError(&'static str);

impl FromStr for Nevra {
    type Err = NevraError;

    /// Reads the text with its epoch; it has one meaning, for neither a name nor an epoch holds a colon, and
    /// neither a release, a revision nor a native version holds a dash.
    fn from_str(text: &str) -> Result<Self, NevraError> {
        if text.len() > LONGEST_TEXT {
            return Err(NevraError("this text is too long"));
        }
        let (head, tail) = text.split_once(':').ok_or(NevraError("the epoch is missing"))?;
        let (name, epoch) = head.rsplit_once('-').ok_or(NevraError("the name is missing"))?;
        let epoch = parse_epoch(epoch).ok_or(NevraError("the epoch is no number"))?;
        let (evr, architecture) = tail.rsplit_once('.').ok_or(NevraError("the architecture is missing"))?;
        Self::from_parts(name, epoch, evr, architecture).ok_or(NevraError("a part is empty"))
    }
}

impl Nevra {
    /// Whether all parts are such as packages have: not empty, short, without blanks, slashes and the like, and no name that a tool
    /// could take for an option.
    pub fn is_plain(&self) -> bool {
        let is_plain = |text: &str| {
            (1..=LONGEST_TEXT).contains(&text.len())
                && !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '"' | '\''))
        };
        let parts = [&self.name, &self.version, &self.architecture];
        parts.into_iter().chain(&self.release).all(|part| is_plain(part))
            && self.name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
    }

    /// Appends `name-epoch:version[-release].arch`, the epoch always written, as OpenLMI's InstanceID has it.
    pub fn push_to(&self, text: &mut String) {
        text.push_str(&self.name);
        text.push('-');
        self.push_evra_to(text);
    }

    /// `epoch:version[-release].arch`, the epoch always written.
    pub fn evra(&self) -> String {
        let mut text = String::with_capacity(LIKELY_EVRA);
        self.push_evra_to(&mut text);
        text
    }

    fn push_evra_to(&self, text: &mut String) {
        if self.epoch == 0 {
            text.push('0');
        } else {
            text.push_str(&self.epoch.to_string());
        }
        text.push(':');
        text.push_str(&self.version);
        if let Some(release) = &self.release {
            text.push('-');
            text.push_str(release);
        }
        text.push('.');
        text.push_str(&self.architecture);
    }

    /// Name parts of a Debian package; `version` is `[epoch:]upstream[-revision]` as dpkg writes it.
    /// `None` if a part is missing or the epoch is no number.
    pub fn from_debian(name: &str, version: &str, architecture: &str) -> Option<Self> {
        let (epoch, rest) = match version.split_once(':') {
            Some((epoch, rest)) => (parse_epoch(epoch)?, rest),
            None => (0, version),
        };
        Self::from_parts(name, epoch, rest, architecture)
    }

    /// The version as Debian writes it: `[epoch:]upstream[-revision]`, an epoch of 0 left out.
    pub fn debian_version(&self) -> String {
        let mut text = if self.epoch == 0 { String::new() } else { format!("{}:", self.epoch) };
        text.push_str(&self.version);
        if let Some(release) = &self.release {
            text.push('-');
            text.push_str(release);
        }
        text
    }

    /// `[epoch:]version[-release]`, as both families' people write it.
    pub fn evr(&self) -> String {
        self.debian_version()
    }

    /// What a text may mean: its one reading where the epoch is written, else every reading with epoch 0.
    ///
    /// Without the epoch several dashes leave several readings; only an inventory can tell which is meant.
    pub fn readings(text: &str) -> Vec<Self> {
        if let Ok(nevra) = text.parse() {
            return vec![nevra];
        }
        if text.len() > LONGEST_TEXT {
            return Vec::new();
        }
        let Some((nevr, architecture)) = text.rsplit_once('.') else { return Vec::new() };
        nevr.match_indices('-')
            .filter_map(|(at, _)| {
                let (name, evr) = (nevr.get(..at)?, nevr.get(at + 1..)?);
                Self::from_parts(name, 0, evr, architecture)
            })
            .collect()
    }

    /// Whether this build is older or newer than `other`, by the rules of `family`; the name and the architecture
    /// do not matter.
    pub fn version_order(&self, other: &Self, family: Family) -> Ordering {
        let order = match family {
            Family::Deb => debian_order,
            Family::Rpm => rpm_order,
        };
        let release = |nevra: &Self| nevra.release.clone().unwrap_or_default();
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| order(&self.version, &other.version))
            .then_with(|| order(&release(self), &release(other)))
    }

    fn from_parts(name: &str, epoch: u32, evr: &str, architecture: &str) -> Option<Self> {
        let (version, release) = match evr.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (evr, None),
        };
        let complete = !name.is_empty()
            && !version.is_empty()
            && release.is_none_or(|r| !r.is_empty())
            && !architecture.is_empty()
            && !name.contains(':')
            && !architecture.contains([':', '.']);
        complete.then(|| Self {
            name: name.into(),
            epoch,
            version: version.into(),
            release: release.map(Arc::from),
            architecture: architecture.into(),
        })
    }
}

/// A number without sign, as `u32::from_str` alone would not insist on.
fn parse_epoch(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (name, version, architecture, text) in [
            ("bash", "5.2.15-2+b8", "amd64", "bash-0:5.2.15-2+b8.amd64"),
            ("adduser", "3.134", "all", "adduser-0:3.134.all"),
            ("zlib1g-dev", "1:1.2.13.dfsg-1", "amd64", "zlib1g-dev-1:1.2.13.dfsg-1.amd64"),
            ("g++-12", "12.2.0-14+deb12u1", "amd64", "g++-12-0:12.2.0-14+deb12u1.amd64"),
            ("libx", "2:1-2-3", "all", "libx-2:1-2-3.all"),
            ("y", "0:1:2-3", "all", "y-0:1:2-3.all"),
            ("hurd", "1:0.9-1", "hurd-i386", "hurd-1:0.9-1.hurd-i386"),
        ] {
            let nevra = Nevra::from_debian(name, version, architecture).unwrap();
            assert_eq!(nevra.to_string(), text);
            assert_eq!(text.parse(), Ok(nevra));
        }
    }

    #[test]
    fn refuses_what_is_no_nevra() {
        for text in
            ["", "bash", "bash-5.2-2.amd64", "-0:1.all", "a-0:.all", "a-0:1-.all", "a-0:1.", "a-x:1.all", "a-+1:1.all"]
        {
            assert!(text.parse::<Nevra>().is_err(), "{text}");
        }
        let error = "a-99999999999:1.all".parse::<Nevra>().unwrap_err();
        assert_eq!(error.to_string(), "a package is named as name-epoch:version-release.arch; the epoch is no number");
    }

    #[test]
    fn a_text_without_epoch_has_every_reading() {
        let readings = Nevra::readings("a-b-1.0-2.all");
        let texts: Vec<String> = readings.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a-0:b-1.0-2.all", "a-b-0:1.0-2.all", "a-b-1.0-0:2.all"]);
        assert_eq!(Nevra::readings(&"-".repeat(2000)), []);
    }

    proptest! {
        #[test]
        fn every_debian_package_is_reversible(
            name in "[a-z0-9][a-z0-9+.-]{1,12}",
            epoch in proptest::option::of(0u32..3),
            upstream in "[0-9][A-Za-z0-9.+~]{0,8}",
            middle in "(-[A-Za-z0-9.+~]{1,3}){0,2}",
            revision in proptest::option::of("[A-Za-z0-9+.~]{1,6}"),
            architecture in "(amd64|all|hurd-i386)",
        ) {
            // A dash in the upstream version is legal only where a revision follows.
            let middle = if revision.is_some() { middle } else { String::new() };
            let version = format!(
                "{}{upstream}{middle}{}",
                epoch.map(|e| format!("{e}:")).unwrap_or_default(),
                revision.as_ref().map(|r| format!("-{r}")).unwrap_or_default()
            );
            let nevra = Nevra::from_debian(&name, &version, &architecture).unwrap();
            prop_assert_eq!(nevra.to_string().parse::<Nevra>().unwrap(), nevra.clone());
            let written = version.strip_prefix("0:").unwrap_or(&version);
            prop_assert_eq!(nevra.debian_version(), written);
            if nevra.epoch == 0 {
                let bare = nevra.to_string().replacen("-0:", "-", 1);
                prop_assert!(Nevra::readings(&bare).contains(&nevra));
            }
        }

        #[test]
        fn every_rpm_package_is_reversible(
            name in "[A-Za-z0-9_][A-Za-z0-9+._-]{0,12}",
            epoch in prop_oneof![Just(0), 1u32..4, any::<u32>()],
            version in "[A-Za-z0-9._+~^]{1,9}",
            release in "[A-Za-z0-9._+~^]{1,9}",
            architecture in "(x86_64|noarch|i686|src)",
        ) {
            let nevra = Nevra {
                name: name.as_str().into(),
                epoch,
                version: version.as_str().into(),
                release: Some(release.as_str().into()),
                architecture: architecture.as_str().into(),
            };
            let text = nevra.to_string();
            prop_assert_eq!(&text, &format!("{name}-{epoch}:{version}-{release}.{architecture}"));
            prop_assert_eq!(text.parse::<Nevra>().unwrap(), nevra.clone());
            prop_assert_eq!(Nevra::readings(&text), std::slice::from_ref(&nevra));
            prop_assert_eq!(Nevra::from_debian(&name, &nevra.evr(), &architecture), Some(nevra.clone()));
            // rpm leaves out what no epoch is.
            if epoch == 0 {
                let bare = format!("{name}-{version}-{release}.{architecture}");
                prop_assert!(Nevra::readings(&bare).contains(&nevra));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(nevra) = text.parse::<Nevra>() {
                prop_assert_eq!(nevra.to_string().parse::<Nevra>().unwrap(), nevra);
            }
            Nevra::readings(&text);
        }
    }
}
