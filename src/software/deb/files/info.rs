//! dpkg's own lists of a package's files and their MD5 sums (`dpkg(1)` FILES, `deb-md5sums(5)`).

use super::{Sums, read_database};
use crate::software::root::Root;
use crate::software::{ManagerError, Nevra};

/// A file of a package in `info`: its name has the architecture where several may be installed beside each other.
pub(super) fn read(root: &Root, nevra: &Nevra, kind: &str) -> Result<Option<Vec<u8>>, ManagerError> {
    let (name, architecture) = (&nevra.name, &nevra.architecture);
    match read_database(root, &format!("info/{name}:{architecture}.{kind}"))? {
        Some(contents) => Ok(Some(contents)),
        None => read_database(root, &format!("info/{name}.{kind}")),
    }
}

/// The paths in a package's list, without the root's own folder. A path that is no text is left out.
pub(super) fn paths(list: &[u8]) -> impl Iterator<Item = &str> {
    texts(list).filter(|path| path.starts_with('/') && !matches!(*path, "/" | "/."))
}

/// The lines `sum  path` of a list of sums, with absolute paths. What is written otherwise is left out.
pub(super) fn sums(list: &[u8]) -> Sums {
    texts(list).filter_map(sum).map(|(path, sum)| (path, sum.to_owned())).collect()
}

fn sum(line: &str) -> Option<(String, &str)> {
    let (sum, path) = line.split_once("  ")?;
    let path = path.strip_prefix("./").or_else(|| path.strip_prefix('/')).unwrap_or(path);
    is_md5(sum).then(|| (format!("/{path}"), sum))
}

/// Whether a text is an MD5 sum as dpkg writes it.
pub(super) fn is_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The lines that are text.
pub(super) fn texts(list: &[u8]) -> impl Iterator<Item = &str> {
    list.split(|b| *b == b'\n').filter(|line| !line.is_empty()).filter_map(|line| {
        let text = std::str::from_utf8(line);
        text.inspect_err(|_| tracing::warn!("left out a path of the package database that is no text")).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read() {
        let list = b"/.\n/usr\n/usr/a b\n\n/\xff\nrelative\n/last";
        assert_eq!(paths(list).collect::<Vec<_>>(), ["/usr", "/usr/a b", "/last"]);
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let sums = sums(format!("{md5}  usr/a  b\n{md5}  ./c\nshort  d\n{md5} e\n\\{md5}  f\n").as_bytes());
        let mut paths: Vec<&str> = sums.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/c", "/usr/a  b"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(paths(&bytes).all(|path| path.starts_with('/')));
            prop_assert!(sums(&bytes).keys().all(|path| path.starts_with('/')));
        }
    }
}
