//! apt's cache: the package files that it fetched and keeps.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::software::Nevra;
use crate::software::root::Root;

/// The folder in a root.
const FOLDER: &str = "/var/cache/apt/archives";

/// Opens the package file of a build; `None` if it is not there. Whether it is of this build is to be seen.
pub(super) fn open(root: &Root, nevra: &Nevra) -> io::Result<Option<File>> {
    root.open_file(&path(nevra))
}

/// Where on the host the package file of a build is; `None` if it is not there.
pub(super) fn locate(root: &Root, nevra: &Nevra) -> io::Result<Option<PathBuf>> {
    root.locate(&path(nevra))
}

fn path(nevra: &Nevra) -> String {
    format!("{FOLDER}/{}", name(nevra))
}

/// What apt calls the package file of a build that it fetches: what would be no plain name, or part two names, is
/// written as `%xx`.
pub(super) fn name(nevra: &Nevra) -> String {
    let quoted = |text: &str, also: &str| {
        text.chars().fold(String::new(), |mut name, c| {
            if c.is_ascii_graphic() && c != '%' && c != '/' && !also.contains(c) {
                name.push(c);
            } else {
                let mut octets = [0; 4];
                name.extend(c.encode_utf8(&mut octets).bytes().map(|octet| format!("%{octet:02x}")));
            }
            name
        })
    };
    format!(
        "{}_{}_{}.deb",
        quoted(&nevra.name, "_:"),
        quoted(&nevra.debian_version(), "_:"),
        quoted(&nevra.architecture, "_:.")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apts() {
        for (package, version, architecture, file) in [
            ("bash", "5.2.15-2+b8", "amd64", "bash_5.2.15-2+b8_amd64.deb"),
            ("zlib1g", "1:1.2~rc1", "all", "zlib1g_1%3a1.2~rc1_all.deb"),
            ("a_b", "1%2", "x", "a%5fb_1%252_x.deb"),
            ("../a", "1", "x", "..%2fa_1_x.deb"),
        ] {
            assert_eq!(name(&Nevra::from_debian(package, version, architecture).unwrap()), file);
        }
    }
}
