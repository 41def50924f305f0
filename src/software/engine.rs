//! Chooses and opens the package engine of a managed root.

use std::fmt;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Family, Manager, ManagerError, deb, rpm};

/// Which engine an operator asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The one whose database lies under the root; Debian's first.
    #[default]
    Auto,
    /// dpkg and apt.
    Deb,
    /// rpm and dnf.
    Rpm,
    /// None: the root's packages are not managed.
    None,
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::None => "none",
        })
    }
}

/// A word that names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine is auto, deb, rpm or none")]
pub struct EngineChoiceError;

impl FromStr for EngineChoice {
    type Err = EngineChoiceError;

    fn from_str(text: &str) -> Result<Self, EngineChoiceError> {
        [Self::Auto, Self::Deb, Self::Rpm, Self::None]
            .into_iter()
            .find(|choice| choice.to_string() == text)
            .ok_or(EngineChoiceError)
    }
}

/// How an engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// How long an operation waits for another package tool to finish before it fails as busy.
    pub lock_timeout: Duration,
    /// Debian, roots other than `/`: maintainer scripts run on the host with `DPKG_ROOT` set, instead of inside the
    /// root. Only for packages whose scripts honour it.
    pub chrootless: bool,
    /// Where an operation keeps its files in a folder of its own (`quartermaster-…`), which stays there if the process
    /// is killed meanwhile; `None` is the system's place for temporary files.
    pub scratch: Option<PathBuf>,
}

impl EngineSettings {
    /// A new folder for the files of one operation. What maintainer scripts say may be secret, and whoever could write
    /// there would choose the package: it is for its owner alone, whatever the umask.
    pub(super) fn scratch_folder(&self) -> io::Result<TempDir> {
        let mut folder = tempfile::Builder::new();
        folder.prefix("quartermaster-").permissions(Permissions::from_mode(0o700));
        match &self.scratch {
            Some(place) => folder.tempdir_in(place),
            None => folder.tempdir(),
        }
    }
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(120), chrootless: false, scratch: None }
    }
}

/// An engine that cannot be opened. For the operator: it names paths.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The root is no folder that can be entered.
    #[error("the managed root {root} cannot be entered")]
    Root {
        /// The root.
        root: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No database of the wanted kind lies under the root.
    #[error("there is no {wanted} database under {root}: give another root, or the engine \"none\"")]
    NoDatabase {
        /// The root.
        root: PathBuf,
        /// The kind.
        wanted: &'static str,
    },
    /// rpm and dnf would not find what is below this path.
    #[error("{setting} is {path:?}, in which rpm and dnf read {what} as something else: choose a path without")]
    Path {
        /// The setting that says so.
        setting: &'static str,
        /// The path.
        path: PathBuf,
        /// What is wrong in it.
        what: String,
    },
    /// The database is there and cannot be read.
    #[error("the package database cannot be read")]
    Read(#[from] ManagerError),
}

/// Opens the engine of `root` with the default settings and reads its database; `None` for [`EngineChoice::None`].
pub fn open(choice: EngineChoice, root: &Path) -> Result<Option<Arc<dyn Manager>>, OpenError> {
    open_with(choice, root, EngineSettings::default())
}

/// Opens the engine of `root` and reads its database; `None` for [`EngineChoice::None`].
pub fn open_with(
    choice: EngineChoice,
    root: &Path,
    settings: EngineSettings,
) -> Result<Option<Arc<dyn Manager>>, OpenError> {
    if choice == EngineChoice::None {
        return Ok(None);
    }
    let root = root.canonicalize().map_err(|source| OpenError::Root { root: root.to_owned(), source })?;
    let none = |wanted| OpenError::NoDatabase { root: root.clone(), wanted };
    let family = match choice {
        EngineChoice::Deb if deb::has_database(&root) => Family::Deb,
        EngineChoice::Deb => return Err(none("dpkg")),
        EngineChoice::Rpm if rpm::database_folder(&root).is_some() => Family::Rpm,
        EngineChoice::Rpm => return Err(none("rpm")),
        EngineChoice::None | EngineChoice::Auto => found(&root).ok_or_else(|| none("dpkg or rpm"))?,
    };
    if family == Family::Rpm {
        check_path("root", &root)?;
        check_path("state_dir", settings.scratch.as_deref().unwrap_or(Path::new("/")))?;
    }
    Ok(Some(match family {
        Family::Deb => Arc::new(deb::Deb::open(root, settings)?),
        Family::Rpm => Arc::new(rpm::Rpm::open(root, settings)?),
    }))
}

/// Refuses a path that rpm or dnf would take apart, or for a pattern: they have no way to write it so that they do not.
fn check_path(setting: &'static str, path: &Path) -> Result<(), OpenError> {
    let refuse = |what| Err(OpenError::Path { setting, path: path.to_owned(), what });
    let Some(text) = path.to_str() else { return refuse("letters that are not UTF-8".to_owned()) };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || ",*?[]{}$%\"'\\".contains(c);
    match text.chars().find(|c| is_odd(*c)) {
        Some(odd) => refuse(format!("{odd:?}")),
        None => Ok(()),
    }
}

/// The family whose database lies under the root. An empty dpkg database counts only where there is no other.
fn found(root: &Path) -> Option<Family> {
    if deb::has_packages(root) {
        Some(Family::Deb)
    } else if rpm::database_folder(root).is_some() {
        Some(Family::Rpm)
    } else {
        deb::has_database(root).then_some(Family::Deb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_say_is_for_their_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        for scratch in [None, Some(place.path().to_owned())] {
            let folder = EngineSettings { scratch, ..EngineSettings::default() }.scratch_folder().unwrap();
            assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn words_name_engines() {
        assert_eq!("rpm".parse(), Ok(EngineChoice::Rpm));
        assert_eq!("vib".parse::<EngineChoice>(), Err(EngineChoiceError));
        assert_eq!(serde_json::to_string(&EngineChoice::Auto).unwrap(), "\"auto\"");
    }

    #[test]
    fn paths_that_rpm_and_dnf_take_apart_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let with_database = |name: &str| {
            let root = dir.path().join(name);
            std::fs::create_dir_all(root.join("var/lib/rpm")).unwrap();
            std::fs::write(root.join("var/lib/rpm/Packages"), "").unwrap();
            root
        };
        for (name, what) in [("a,b", "','"), ("a b", "' '"), ("a\nb", "'\\n'"), ("[a]", "'['"), ("a$b", "'$'")] {
            let root = with_database(name);
            let error = open(EngineChoice::Auto, &root).unwrap_err();
            let said =
                format!("root is {root:?}, in which rpm and dnf read {what} as something else: choose a path without");
            assert_eq!(error.to_string(), said);
            let settings = EngineSettings { scratch: Some(root), ..EngineSettings::default() };
            let error = open_with(EngineChoice::Rpm, &with_database("plain"), settings).unwrap_err();
            assert!(error.to_string().starts_with("state_dir is "), "{error}");
        }
        std::fs::create_dir_all(dir.path().join("d, e/var/lib/dpkg")).unwrap();
        std::fs::write(dir.path().join("d, e/var/lib/dpkg/status"), "").unwrap();
        open(EngineChoice::Auto, &dir.path().join("d, e")).unwrap().unwrap();
    }

    #[test]
    fn the_database_decides() {
        let dir = tempfile::tempdir().unwrap();
        let error = open(EngineChoice::Auto, dir.path()).unwrap_err();
        assert!(error.to_string().starts_with("there is no dpkg or rpm database under /"), "{error}");
        assert!(open(EngineChoice::Deb, dir.path()).is_err());
        assert!(open(EngineChoice::Rpm, dir.path()).is_err());
        assert!(matches!(open(EngineChoice::Auto, &dir.path().join("no")), Err(OpenError::Root { .. })));
        assert!(open(EngineChoice::None, dir.path()).unwrap().is_none());

        std::fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        std::fs::write(dir.path().join("var/lib/dpkg/status"), "").unwrap();
        let manager = open(EngineChoice::Auto, dir.path()).unwrap().unwrap();
        assert_eq!(manager.family(), Family::Deb);
        assert!(manager.inventory().packages().is_empty());
    }
}
