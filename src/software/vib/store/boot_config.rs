//! `boot.cfg`: what of a bank is booted, and which of two banks is the newer one.

use std::fmt;
use std::str::FromStr;

/// The longest `boot.cfg` that is read, in octets.
pub(super) const LONGEST: u64 = 1024 * 1024;

/// What stands between two modules.
const BETWEEN: &str = " --- ";

/// How long the boot loader waits for somebody to press a key, unless told otherwise.
const TIMEOUT: &str = "5";

/// A bank's `boot.cfg`: lines of `key=value`, as ESXi writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BootConfig {
    /// Whether the bank is to be booted for the first time.
    pub state: BootState,
    /// What the boot loader shows.
    pub title: String,
    /// The file that is booted; empty if there is none.
    pub kernel: String,
    /// The options that it is booted with.
    pub kernel_options: String,
    /// The files that are loaded with it, in their order.
    pub modules: Vec<String>,
    /// The version of the image's base.
    pub build: String,
    /// Which bank is the newer one: the one with the greater number.
    pub updated: u64,
    /// Of a bank that waits for a boot: which boot it was that the host ran from when it was staged.
    pub staged_under: Option<String>,
    /// What else stands in it: keys and values.
    pub others: Vec<(String, String)>,
}

/// How far a bank is, in the numbers that ESXi has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BootState {
    /// It was booted, or needs no boot.
    #[default]
    Booted,
    /// It waits for the next boot.
    Waiting,
    /// Its first boot is under way; after another boot, it failed.
    Booting,
    /// There is nothing in it.
    Empty,
}

impl BootState {
    fn number(self) -> u8 {
        match self {
            Self::Booted => 0,
            Self::Waiting => 1,
            Self::Booting => 2,
            Self::Empty => 3,
        }
    }

    /// Whether the bank has its first boot before it, or has begun it.
    pub(super) fn is_first_boot(self) -> bool {
        matches!(self, Self::Waiting | Self::Booting)
    }
}

impl BootConfig {
    fn other(&self, key: &str) -> Option<&str> {
        self.others.iter().find(|(other, _)| other == key).map(|(_, value)| &**value)
    }
}

impl fmt::Display for BootConfig {
    /// The state comes first: the boot loader of ESXi changes it in the first 512 octets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bootstate={}\ntitle={}", self.state.number(), self.title)?;
        writeln!(
            f,
            "timeout={}\nprefix={}",
            self.other("timeout").unwrap_or(TIMEOUT),
            self.other("prefix").unwrap_or("")
        )?;
        writeln!(f, "kernel={}\nkernelopt={}", self.kernel, self.kernel_options)?;
        writeln!(f, "modules={}\nbuild={}\nupdated={}", self.modules.join(BETWEEN), self.build, self.updated)?;
        for (key, value) in self.others.iter().filter(|(key, _)| key != "timeout" && key != "prefix") {
            writeln!(f, "{key}={value}")?;
        }
        match &self.staged_under {
            Some(marker) => writeln!(f, "stagedunder={marker}"),
            None => Ok(()),
        }
    }
}

impl FromStr for BootConfig {
    /// The number of the line that is wrong, and what is wrong in it.
    type Err = (usize, &'static str);

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut config = Self::default();
        let mut has_serial = false;
        for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').ok_or((number, "it is not written key=value"))?;
            match key.trim() {
                "bootstate" => config.state = state(value).ok_or((number, "bootstate is 0, 1, 2 or 3"))?,
                "title" => value.clone_into(&mut config.title),
                "kernel" => value.clone_into(&mut config.kernel),
                "kernelopt" => value.clone_into(&mut config.kernel_options),
                "modules" => {
                    let modules = value.split(BETWEEN).map(str::trim).filter(|module| !module.is_empty());
                    config.modules = modules.map(str::to_owned).collect();
                }
                "build" => value.clone_into(&mut config.build),
                "updated" => {
                    config.updated = value.trim().parse().map_err(|_| (number, "updated is a number"))?;
                    has_serial = true;
                }
                "stagedunder" => config.staged_under = Some(value.trim().to_owned()),
                other => config.others.push((other.to_owned(), value.to_owned())),
            }
        }
        match has_serial {
            true => Ok(config),
            false => Err((text.lines().count().max(1), "the line that begins with updated= is missing")),
        }
    }
}

fn state(value: &str) -> Option<BootState> {
    match value.trim() {
        "0" => Some(BootState::Booted),
        "1" => Some(BootState::Waiting),
        "2" => Some(BootState::Booting),
        "3" => Some(BootState::Empty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let config = BootConfig {
            state: BootState::Waiting,
            title: "Loading VMware ESXi".to_owned(),
            kernel: "b.b00".to_owned(),
            kernel_options: "no-auto-partition a=b".to_owned(),
            modules: vec!["k.b00".to_owned(), "a---b.v00".to_owned(), "s.v00".to_owned()],
            build: "5.5.0-1.16.1746018".to_owned(),
            updated: 7,
            staged_under: Some("ab12".to_owned()),
            others: [("timeout", "0"), ("prefix", ""), ("nobootif", "1")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
        };
        assert_eq!(config.to_string().parse(), Ok(config.clone()));
        assert!(config.to_string().contains("\nmodules=k.b00 --- a---b.v00 --- s.v00\n"), "{config}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| text.parse::<BootConfig>().unwrap_err();
        assert_eq!(wrong("updated=1\nkernel"), (2, "it is not written key=value"));
        assert_eq!(wrong("updated=x"), (1, "updated is a number"));
        assert_eq!(wrong("# of ESXi\n\nbootstate=9"), (3, "bootstate is 0, 1, 2 or 3"));
        assert_eq!(wrong("bootstate=0\n"), (1, "the line that begins with updated= is missing"));
    }
}
