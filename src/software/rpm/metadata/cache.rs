//! Where dnf keeps the metadata that it fetched.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use openssl::hash::{Hasher, MessageDigest};
use openssl::sha::sha256;
use tracing::warn;

use super::primary::{self, Extent, Told, Use};
use super::repomd::{Checksum, List, Repomd};
use super::{compression, elements};
use crate::hexadecimal;
use crate::software::rpm::configuration::{Configuration, Configured};

/// The caches of dnf and of dnf 5, under the root.
const PLACES: [&str; 2] = ["var/cache/dnf", "var/cache/libdnf5"];

/// The index of all metadata, in a repository's folder.
const INDEX: &str = "repodata/repomd.xml";

/// The largest list of modules that is read, in octets once it is decompressed; that of a distribution of many years has some
/// ten million.
const LARGEST_MODULES: u64 = 128 * 1024 * 1024;

/// How many hexadecimal digits tell folders of one repository apart.
const DIGITS: usize = 16;

/// The metadata of one repository on this host.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The index.
    pub index: PathBuf,
    /// What the index says.
    pub repomd: Repomd,
    folder: PathBuf,
}

impl Fetched {
    /// What was fetched of a repository; `None` if there is no index, or none that can be read.
    pub(super) fn find(configuration: &Configuration, repository: &Configured) -> Option<Self> {
        let folder = folder(configuration, repository)?;
        let index = folder.join(INDEX);
        match File::open(&index).and_then(|file| Repomd::read(BufReader::new(file))) {
            Ok(repomd) => Some(Self { index, repomd, folder }),
            Err(error) => {
                warn!(file = %index.display(), %error, "the index of a repository cannot be read");
                None
            }
        }
    }

    /// The list of the packages.
    pub(super) fn primary(&self) -> Option<PathBuf> {
        Some(self.folder.join(&self.repomd.primary.as_ref()?.location))
    }

    /// The lists of groups and of advisories that dnf has fetched: only where they are there, for it fetches what it needs.
    pub(super) fn bundles(&self) -> impl Iterator<Item = PathBuf> {
        let lists = self.repomd.groups.iter().chain(&self.repomd.advisories);
        lists.map(|list| self.folder.join(&list.location))
    }

    /// The list of the modules.
    pub(super) fn modules_file(&self) -> Option<PathBuf> {
        self.repomd.modules.as_ref().map(|list| self.folder.join(&list.location))
    }

    /// The text of the list of the modules; `None` if the repository has none.
    pub(super) fn modules(&self) -> Option<io::Result<String>> {
        let list = self.repomd.modules.as_ref()?;
        Some(self.open(list).and_then(|list| {
            let mut bytes = Vec::new();
            list.take(LARGEST_MODULES + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > LARGEST_MODULES {
                return Err(damaged("its list of modules is too large"));
            }
            Ok(text(bytes))
        }))
    }

    /// Reads the list of the packages, which must be the one that the index means.
    pub(super) fn read(&self, extent: Extent, take: &mut dyn FnMut(&Told) -> Use) -> io::Result<()> {
        let list = self.repomd.primary.as_ref().ok_or_else(|| damaged("its index names no list of packages"))?;
        primary::read(elements::Elements::new(self.open(list)?, primary::LARGEST), extent, take)
    }

    /// The list of the groups; `None` if the repository has none, or dnf has not fetched it.
    pub(super) fn groups(&self) -> Option<io::Result<Box<dyn BufRead>>> {
        let list = self.repomd.groups.iter().find(|list| self.folder.join(&list.location).is_file())?;
        Some(self.open(list))
    }

    /// The list of the advisories; `None` if the repository has none, or dnf has not fetched it.
    pub(super) fn advisories(&self) -> Option<io::Result<Box<dyn BufRead>>> {
        let list = self.repomd.advisories.as_ref().filter(|list| self.folder.join(&list.location).is_file())?;
        Some(self.open(list))
    }

    /// Opens a list, which must be the one that the index means.
    fn open(&self, list: &List) -> io::Result<Box<dyn BufRead>> {
        let mut file = File::open(self.folder.join(&list.location))?;
        if list.checksum.as_ref().is_some_and(|checksum| !is_sum_of(checksum, &mut file).unwrap_or(false)) {
            return Err(damaged("a list is not the one that its index means"));
        }
        file.rewind()?;
        compression::open(file)
    }
}

/// The text of these bytes, which are not copied where they are one.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Whether a file has this checksum. A kind of checksum that is not known here is not looked at.
fn is_sum_of(checksum: &Checksum, file: &mut File) -> io::Result<bool> {
    let kind = match &*checksum.kind {
        "sha" | "sha1" => MessageDigest::sha1(),
        "sha224" => MessageDigest::sha224(),
        "sha256" => MessageDigest::sha256(),
        "sha384" => MessageDigest::sha384(),
        "sha512" => MessageDigest::sha512(),
        _ => return Ok(true),
    };
    let mut hasher = Hasher::new(kind)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hexadecimal::written(&hasher.finish()?).eq_ignore_ascii_case(&checksum.sum));
        }
        hasher.update(buffer.get(..n).unwrap_or_default())?;
    }
}

/// The folders that repositories' folders lie in.
pub(super) fn places(configuration: &Configuration) -> Vec<PathBuf> {
    let root = &configuration.root;
    match &configuration.main.cache {
        Some(cache) => vec![root.join(cache.trim_start_matches('/'))],
        None => PLACES.map(|place| root.join(place)).to_vec(),
    }
}

/// The indexes that a repository has as soon as it is fetched.
pub(super) fn expected(configuration: &Configuration, repository: &Configured) -> Vec<PathBuf> {
    let digest = hexadecimal::written(&sha256(repository.location().as_bytes()));
    let name = format!("{}-{}", repository.id, digest.get(..DIGITS).unwrap_or_default());
    places(configuration).into_iter().map(|place| place.join(&name).join(INDEX)).collect()
}

/// The folder of a repository: named by what it is fetched by. Where that is written with variables, of which dnf may
/// know more, any folder of the repository will do. Of several the one that was fetched last.
fn folder(configuration: &Configuration, repository: &Configured) -> Option<PathBuf> {
    let named = newest(expected(configuration, repository));
    let index = match named {
        None if repository.has_variables => newest(any(configuration, &repository.id)),
        named => named,
    };
    Some(index?.parent()?.parent()?.to_owned())
}

fn newest(indexes: Vec<PathBuf>) -> Option<PathBuf> {
    let time = |index: &PathBuf| fs::metadata(index).and_then(|metadata| metadata.modified()).ok();
    indexes.into_iter().filter_map(|index| Some((time(&index)?, index))).max().map(|(_, index)| index)
}

/// The indexes in all folders of a repository.
fn any(configuration: &Configuration, id: &str) -> Vec<PathBuf> {
    let of_id = |path: &Path| {
        let digits = path.file_name()?.to_str()?.strip_prefix(id)?.strip_prefix('-')?;
        Some(digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let entries = places(configuration).into_iter().filter_map(|place| fs::read_dir(place).ok());
    let folders = entries.flat_map(|entries| entries.flatten().map(|entry| entry.path()));
    folders.filter(|path| of_id(path) == Some(true)).map(|path| path.join(INDEX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOMD: &str = "<repomd><revision>7</revision><data type=\"primary\"><checksum type=\"sha256\">\
        42e78c32e7d5fa6b33d2afb087ebef4524ceae599952001ae7d04f8f32c68741</checksum><location href=\"primary.xml\"/>\
        </data></repomd>";

    fn root(file: &str) -> (tempfile::TempDir, Configuration) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/yum.repos.d")).unwrap();
        fs::write(root.path().join("etc/yum.repos.d/a.repo"), file).unwrap();
        let configuration = Configuration::read(root.path(), None).unwrap();
        (root, configuration)
    }

    fn fetch(root: &Path, folder: &str) {
        fs::create_dir_all(root.join(folder).join("repodata")).unwrap();
        fs::write(root.join(folder).join(INDEX), REPOMD).unwrap();
    }

    #[test]
    fn the_folder_is_named_by_the_location() {
        let (root, configuration) = root("[a]\nbaseurl=file:///srv/repo\n");
        let repository = &configuration.repositories[0];
        fetch(root.path(), "var/cache/dnf/a-0123456789abcdef");
        assert!(Fetched::find(&configuration, repository).is_none());
        let folder = "var/cache/dnf/a-93ef0015ed0ae167";
        fetch(root.path(), folder);
        let fetched = Fetched::find(&configuration, repository).unwrap();
        assert_eq!(fetched.primary().unwrap(), root.path().join(folder).join("primary.xml"));
        assert_eq!(fetched.repomd.revision, Some(7));
    }

    #[test]
    fn with_variables_any_folder_will_do() {
        let (root, configuration) = root("[a]\nbaseurl=http://a/$unknown\n");
        let repository = &configuration.repositories[0];
        for other in ["a-b-0123456789abcdef", "a-0123456789abcde", "a-0123456789abcdeg"] {
            fetch(root.path(), &format!("var/cache/dnf/{other}"));
            assert!(Fetched::find(&configuration, repository).is_none());
        }
        fetch(root.path(), "var/cache/libdnf5/a-0123456789abcdef");
        assert!(Fetched::find(&configuration, repository).is_some());
    }

    #[test]
    fn another_list_than_the_index_means_is_not_read() {
        let (root, configuration) = root("[main]\n[a]\nbaseurl=$x\n");
        fetch(root.path(), "var/cache/dnf/a-0123456789abcdef");
        let fetched = Fetched::find(&configuration, &configuration.repositories[0]).unwrap();
        let read = || fetched.read(Extent::Packages, &mut |_| Use::GoOn);
        assert_eq!(read().unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(fetched.primary().unwrap(), "<metadata/>").unwrap();
        read().unwrap();
        fs::write(fetched.primary().unwrap(), "<metadata />").unwrap();
        assert_eq!(read().unwrap_err().to_string(), "a list is not the one that its index means");
    }
}
