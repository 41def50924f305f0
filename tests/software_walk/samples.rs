//! The packages of the walks: the same for both families, and built once for all walks that are under way.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use crate::host::Family;
use crate::support::packages::{Deb, Rpm};

/// Name, version and what it needs.
type Sample = (&'static str, &'static str, &'static [&'static str]);

const SAMPLES: [Sample; 9] = [
    ("alpha", "1.0-1", &[]),
    ("alpha", "2.0-1", &[]),
    ("alpha", "3.0-1", &[]),
    ("alpha", "4.0-1", &[]),
    ("beta", "1.0-1", &["gamma"]),
    ("broken", "1.0-1", &["nowhere-to-be-found"]),
    ("delta", "1:1.0-2", &[]),
    ("extra", "1.0-1", &[]),
    ("gamma", "1.0-1", &[]),
];

/// What the repository `standard` offers at first.
pub(crate) const STANDARD: [(&str, &str); 7] = [
    ("alpha", "1.0-1"),
    ("alpha", "2.0-1"),
    ("alpha", "3.0-1"),
    ("beta", "1.0-1"),
    ("broken", "1.0-1"),
    ("delta", "1:1.0-2"),
    ("gamma", "1.0-1"),
];

/// What the repository `extras` offers, which is disabled at first.
pub(crate) const EXTRAS: [(&str, &str); 1] = [("extra", "1.0-1")];

/// The package files of one family; they go with the last walk that uses them.
#[derive(Debug)]
pub(crate) struct Samples {
    _dir: TempDir,
    files: HashMap<(&'static str, &'static str), PathBuf>,
}

impl Samples {
    /// Those of a family.
    pub(crate) fn of(family: Family) -> Arc<Self> {
        static BUILT: [Mutex<Weak<Samples>>; 2] = [const { Mutex::new(Weak::new()) }; 2];
        let mut built = BUILT[family as usize].lock().unwrap_or_else(PoisonError::into_inner);
        built.upgrade().unwrap_or_else(|| {
            let samples = Arc::new(Self::build(family));
            *built = Arc::downgrade(&samples);
            samples
        })
    }

    fn build(family: Family) -> Self {
        let dir = TempDir::new().unwrap();
        let build =
            |&(name, version, needs): &Sample| ((name, version), build(family, name, version, needs, dir.path()));
        let files = SAMPLES.iter().map(build).collect();
        Self { _dir: dir, files }
    }

    /// The file of a build.
    pub(crate) fn file(&self, name: &str, version: &str) -> &Path {
        let (_, file) = self.files.iter().find(|(of, _)| **of == (name, version)).expect("there is such a sample");
        file
    }

    /// The files of builds.
    pub(crate) fn files(&self, builds: &[(&str, &str)]) -> Vec<PathBuf> {
        builds.iter().map(|(name, version)| self.file(name, version).to_owned()).collect()
    }
}

/// A package with a file, a link to it, their folder, and a configuration file.
fn build(family: Family, name: &str, version: &str, needs: &[&str], dir: &Path) -> PathBuf {
    let (data, content) = (format!("usr/share/{name}/data"), format!("{name} {version}\n"));
    let (link, configuration) = (format!("usr/share/{name}/link"), format!("etc/{name}.conf"));
    match family {
        Family::Deb => {
            let deb = Deb::new(name, version).file(&data, &content).link(&link, "data");
            let deb = deb.conffile(&configuration, "kept = yes\n");
            needs.iter().fold(deb, |deb, needed| deb.field("Depends", needed)).build(dir)
        }
        Family::Rpm => {
            let (epoch, build) = version.split_once(':').unwrap_or(("0", version));
            let (version, release) = build.split_once('-').unwrap();
            let rpm = Rpm::new(name, version, release).tag("Epoch", epoch).file(&data, &content);
            let rpm = rpm.config(&configuration, "kept = yes\n");
            let rpm = rpm.entry(&format!("ln -s data %{{buildroot}}/{link}"), &format!("/{link}"));
            let rpm = rpm.entry(":", &format!("%dir /usr/share/{name}"));
            needs.iter().fold(rpm, |rpm, needed| rpm.tag("Requires", needed)).build(dir)
        }
    }
}
