//! What an entry says, in whichever style it is written.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::super::lists::Release;

/// The longest entry that is accepted, as it is told in one line.
const LONGEST: usize = 4096;

/// How many combinations of URI, suite and component are accepted.
const MOST_COMBINATIONS: usize = 10_000;

/// URIs, suites and components, each with each, and the options that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software::deb) struct Source {
    /// Where the archives are; at least one.
    pub uris: Vec<Uri>,
    /// The archives' distributions, at least one; those that end with a slash are folders of their own without components.
    pub suites: Vec<String>,
    /// The parts of the distributions; none for folders.
    pub components: Vec<String>,
    /// The architectures whose packages are wanted.
    pub architectures: Architectures,
    /// Whether apt insists on a good signature of the metadata.
    pub is_checked: bool,
}

impl Source {
    /// A source without options, or why apt would refuse it.
    pub(super) fn new(uris: Vec<String>, suites: Vec<String>, components: Vec<String>) -> Result<Self, &'static str> {
        if uris.is_empty() {
            return Err("it has no URI");
        }
        if suites.is_empty() {
            return Err("it has no suite");
        }
        let uris: Option<Vec<Uri>> = uris.into_iter().map(Uri::new).collect();
        let uris = uris.ok_or("its URI has no scheme")?;
        if suites.iter().any(|suite| is_folder(suite) != components.is_empty()) {
            return Err("a suite needs components, and one that ends with a slash has none");
        }
        let source = Self { uris, suites, components, architectures: Architectures::default(), is_checked: true };
        let text = source.to_string();
        let combinations = source.uris.len() * source.suites.len() * source.components.len().max(1);
        if text.len() > LONGEST || combinations > MOST_COMBINATIONS {
            return Err("it is too long");
        }
        if text.contains(char::is_control) {
            return Err("it has control characters");
        }
        Ok(source)
    }

    /// Takes an option, called as in the one-line style. Others than these do not matter here.
    pub(super) fn take_option(&mut self, name: &str, value: &str) {
        let values = || value.split([',', ' ', '\t', '\n']).filter(|v| !v.is_empty()).map(str::to_owned).collect();
        match name {
            "arch" => self.architectures.only = Some(values()),
            "arch+" => self.architectures.more = values(),
            "arch-" => self.architectures.less = values(),
            "trusted" | "allow-insecure" => self.is_checked &= truth(value) != Some(true),
            _ => {}
        }
    }

    /// Every archive and suite of it.
    pub(in crate::software::deb) fn places(&self) -> impl Iterator<Item = (&Uri, &str)> {
        self.uris.iter().flat_map(|uri| self.suites.iter().map(move |suite| (uri, suite.as_str())))
    }

    /// A name for a person: as the repositories' makers call them, or else by place and suite.
    pub(super) fn name(&self, releases: &[Release]) -> String {
        let mut names: Vec<String> = Vec::new();
        for title in releases.iter().filter_map(Release::title) {
            if !names.contains(&title) {
                names.push(title);
            }
        }
        if names.is_empty() {
            names = self.places().map(|(uri, suite)| format!("{uri} {suite}")).collect();
        }
        let names = names.join(", ");
        if self.components.is_empty() { names } else { format!("{names} ({})", self.components.join(" ")) }
    }
}

impl fmt::Display for Source {
    /// In one line, without options and logins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deb")?;
        self.uris.iter().try_for_each(|uri| write!(f, " {uri}"))?;
        self.suites.iter().chain(&self.components).try_for_each(|word| write!(f, " {word}"))
    }
}

/// Whether a suite names a folder that is an archive by itself.
fn is_folder(suite: &str) -> bool {
    suite.ends_with('/')
}

/// The architectures whose packages an entry is used for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::software::deb) struct Architectures {
    only: Option<Vec<String>>,
    more: Vec<String>,
    less: Vec<String>,
}

impl Architectures {
    /// Those of them that are used on a host with these; `all` is used unless it is taken away.
    pub(in crate::software::deb) fn of(&self, host: &[String]) -> Vec<String> {
        let mut all = self.only.as_deref().unwrap_or(host).to_vec();
        all.extend(self.more.iter().cloned());
        all.push("all".to_owned());
        all.sort();
        all.dedup();
        all.retain(|architecture| !self.less.contains(architecture));
        all
    }
}

/// Where an archive is. It is told without the login that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software::deb) struct Uri {
    text: String,
    /// The length of the scheme with its colon and slashes.
    scheme: usize,
    /// The length of what comes before the host.
    head: usize,
    /// The length of all before the path.
    authority: usize,
}

impl Uri {
    /// Takes a URI apart as apt does; `None` for a text without scheme.
    pub(in crate::software::deb) fn new(text: String) -> Option<Self> {
        let colon = text.find(':').filter(|colon| *colon > 0)?;
        let rest = text.get(colon + 1..)?;
        let scheme = colon + if rest.starts_with("//") { 3 } else { 1 };
        let mut is_bracketed = false;
        let end = text.get(scheme..)?.find(|c| {
            is_bracketed = (is_bracketed || c == '[') && c != ']';
            c == '/' && !is_bracketed
        });
        let authority = end.map_or(text.len(), |end| scheme + end);
        let login = text.get(scheme..authority)?.rfind('@').filter(|_| scheme > colon + 1);
        let head = login.map_or(scheme, |at| scheme + at + 1);
        Some(Self { text, scheme, head, authority })
    }

    /// The name of the method of fetching, such as `http`.
    pub(in crate::software::deb) fn scheme(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// The host, with its port and square brackets; of a disc its name; empty for files.
    pub(in crate::software::deb) fn host(&self) -> &str {
        self.text.get(self.head..self.authority).unwrap_or_default()
    }

    /// The path, which may be empty.
    pub(in crate::software::deb) fn path(&self) -> &str {
        self.text.get(self.authority..).unwrap_or_default()
    }

    /// The folder of this host that it names; `None` for archives elsewhere. apt takes no host in such a URI, and reads
    /// `%xx` in its path as the octet.
    pub(in crate::software::deb) fn folder(&self) -> Option<PathBuf> {
        let is_here = matches!(self.scheme(), "file" | "copy") && self.host().is_empty();
        (is_here && self.path().starts_with('/')).then(|| OsString::from_vec(octets(self.path())).into())
    }

    /// Whether it leads to a list of the URIs of archives (`apt-transport-mirror(1)`).
    pub(super) fn is_mirror_list(&self) -> bool {
        self.scheme() == "mirror" || self.scheme().starts_with("mirror+")
    }

    /// Whether it is another on hosts of other architectures.
    pub(in crate::software::deb) fn has_variable(&self) -> bool {
        self.text.contains(ARCHITECTURE)
    }

    /// The same with the host's architecture in the place of the variable.
    pub(in crate::software::deb) fn with_architecture(&self, architecture: &str) -> Option<Self> {
        Self::new(self.text.replace(ARCHITECTURE, architecture))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.get(..self.scheme).unwrap_or_default())?;
        f.write_str(self.text.get(self.head..).unwrap_or_default())
    }
}

/// The octets of a path with `%xx`.
fn octets(path: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((octet, others)) = rest.split_first() {
        let code = others.get(..2).filter(|_| *octet == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit())).map(|code| u8::from_str_radix(code, 16)) {
            Some(Ok(code)) => {
                octets.push(code);
                rest = others.get(2..).unwrap_or_default();
            }
            _ => {
                octets.push(*octet);
                rest = others;
            }
        }
    }
    octets
}

/// What stands for the host's architecture in URIs and suites.
pub(in crate::software::deb) const ARCHITECTURE: &str = "$(ARCH)";

/// What a word says, as apt reads it; `None` if it is neither yes nor no.
pub(super) fn truth(word: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word.trim()));
    if is(&["yes", "true", "with", "on", "enable", "1"]) {
        Some(true)
    } else if is(&["no", "false", "without", "off", "disable", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_not_told() {
        for (uri, told, host, path) in [
            ("http://user:p%40ss@example.org:80/a@b", "http://example.org:80/a@b", "example.org:80", "/a@b"),
            ("https://example.org", "https://example.org", "example.org", ""),
            ("file:/srv/user@host/x", "file:/srv/user@host/x", "", "/srv/user@host/x"),
            ("http://[fe80::1]:80/x", "http://[fe80::1]:80/x", "[fe80::1]:80", "/x"),
            ("cdrom:[Debian GNU/Linux 12]/", "cdrom:[Debian GNU/Linux 12]/", "[Debian GNU/Linux 12]", "/"),
        ] {
            let uri = Uri::new(uri.to_owned()).unwrap();
            assert_eq!((uri.to_string().as_str(), uri.host(), uri.path()), (told, host, path));
        }
        assert_eq!(Uri::new("example.org/x".to_owned()), None);
    }

    #[test]
    fn archives_of_this_host_are_folders() {
        for (uri, folder) in [
            ("file:/srv/a%20b%2x", Some("/srv/a b%2x")),
            ("copy:///srv/r", Some("/srv/r")),
            ("file://host/srv/r", None),
            ("http:/srv/r", None),
        ] {
            assert_eq!(Uri::new(uri.to_owned()).unwrap().folder(), folder.map(PathBuf::from), "{uri}");
        }
    }

    #[test]
    fn architectures_are_chosen_added_and_taken_away() {
        let host = ["amd64".to_owned(), "i386".to_owned()];
        let of = |options: &[(&str, &str)]| {
            let words = |text: &str| vec![text.to_owned()];
            let mut source = Source::new(words("http://x"), words("y"), words("z")).unwrap();
            options.iter().for_each(|(name, value)| source.take_option(name, value));
            source.architectures.of(&host).join(" ")
        };
        assert_eq!(of(&[]), "all amd64 i386");
        assert_eq!(of(&[("arch", "arm64,amd64")]), "all amd64 arm64");
        assert_eq!(of(&[("arch+", "arm64"), ("arch-", "i386")]), "all amd64 arm64");
        assert_eq!(of(&[("arch-", "i386 all")]), "amd64");
    }
}
