//! The variables in dnf's configuration: `$releasever`, `$basearch`, `$arch` and those of the folders for them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::software::rpm::architecture::Architecture;

/// Where variables have files of their names, under the root; those of the later folder count.
pub(in crate::software::rpm) const FOLDERS: [&str; 2] = ["etc/yum/vars", "etc/dnf/vars"];

/// The longest value that is accepted.
const LONGEST_VALUE: u64 = 4096;

/// The variables whose values are known.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of a root; the files that they were read from are added to `files`.
    pub(super) fn read(root: &Path, release: Option<&str>, files: &mut Vec<PathBuf>) -> Self {
        let machine = Architecture::of_host();
        let mut known = BTreeMap::from([("arch".to_owned(), machine.name().to_owned())]);
        known.extend(machine.base().map(|base| ("basearch".to_owned(), base.to_owned())));
        known.extend(release.map(|release| ("releasever".to_owned(), release.to_owned())));
        for folder in FOLDERS {
            let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
                if let Some(name) = path.file_name().and_then(|name| name.to_str())
                    && let Ok(value) = first_line(&path)
                {
                    known.insert(name.to_owned(), value);
                }
                files.push(path);
            }
        }
        // The folders are read in the order in which they happen to lie on the disk.
        files.sort();
        Self(known)
    }

    /// The text with `$name` and `${name}` replaced where the value is known.
    pub(super) fn substitute(&self, text: &str) -> String {
        let mut substituted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            substituted.push_str(before);
            match self.leading(behind) {
                Some((value, length)) => {
                    substituted.push_str(value);
                    rest = behind.get(length..).unwrap_or_default();
                }
                None => {
                    substituted.push('$');
                    rest = behind;
                }
            }
        }
        substituted.push_str(rest);
        substituted
    }

    /// The value of the variable that a text begins with behind its dollar sign, and how much of the text names it.
    fn leading(&self, text: &str) -> Option<(&str, usize)> {
        let braced = text.strip_prefix('{');
        let name = braced.unwrap_or(text);
        let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let (name, behind) = name.split_at(length);
        let value = self.value(name)?;
        match braced {
            Some(_) => behind.starts_with('}').then_some((value, length + 2)),
            None => Some((value, length)),
        }
    }

    /// The value of a variable; newer releases of dnf also know the parts of the release version.
    fn value(&self, name: &str) -> Option<&str> {
        let known = |name: &str| self.0.get(name).map(String::as_str);
        known(name).or_else(|| match name {
            "releasever_major" => known("releasever").map(|release| release.split('.').next().unwrap_or_default()),
            "releasever_minor" => known("releasever").and_then(|release| Some(release.split_once('.')?.1)),
            _ => None,
        })
    }
}

fn first_line(path: &Path) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(File::open(path)?.take(LONGEST_VALUE)).read_line(&mut line)?;
    Ok(line.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables() -> Variables {
        let known = [("releasever", "9.3"), ("basearch", "x86_64"), ("x", "$basearch")];
        Variables(known.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn known_variables_are_replaced() {
        for (text, substituted) in [
            ("http://a/$releasever/$basearch/os", "http://a/9.3/x86_64/os"),
            ("${releasever}s-$releasever_major-${releasever_minor}", "9.3s-9-3"),
            ("$releasevers $unknown ${basearch $ $$x", "$releasevers $unknown ${basearch $ $$basearch"),
            ("", ""),
        ] {
            assert_eq!(variables().substitute(text), substituted);
        }
    }

    #[test]
    fn a_file_gives_a_variable_its_value() {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in
            [("etc/yum/vars/infra", "old\n"), ("etc/dnf/vars/infra", "stock\nx\n"), ("etc/dnf/vars/e", "")]
        {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let mut files = Vec::new();
        let variables = Variables::read(root.path(), Some("9"), &mut files);
        assert_eq!(variables.substitute("$infra-$releasever-$e-$arch"), {
            format!("stock-9--{}", Architecture::of_host().name())
        });
        assert_eq!(files.len(), 3);
    }

    proptest! {
        #[test]
        fn any_text_is_substituted(text in "[$x{}_a\u{e4}]{0,20}") {
            prop_assert_eq!(Variables::default().substitute(&text), text.clone());
            variables().substitute(&text);
        }
    }
}
