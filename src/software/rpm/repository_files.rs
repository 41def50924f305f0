//! The repositories of a root: what configures them, what dnf has fetched of them, and switching them on and off.

mod edit;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::configuration::{Configuration, Configured, Switch, content};
use super::metadata;
use crate::software::login::without_logins;
use crate::software::{Repository, RepositoryError};

/// Where a host overrides options itself, under the root; what a distribution overrides is not changed.
const OWN_OVERRIDES: &str = "etc/dnf/repos.override.d";

/// The configured repositories, in the order of their ids.
pub(super) fn read(configuration: &Configuration) -> Vec<Repository> {
    configuration.repositories.iter().map(|configured| repository(configuration, configured)).collect()
}

fn repository(configuration: &Configuration, configured: &Configured) -> Repository {
    Repository {
        id: configured.id.clone(),
        name: configured.name.clone(),
        file: configured.file.clone(),
        enabled: configured.enabled,
        base_urls: configured.base_urls.iter().map(|url| without_logins(url).into_owned()).collect(),
        mirror_list: configured
            .mirror_list
            .as_ref()
            .or(configured.metalink.as_ref())
            .map(|url| without_logins(url).into_owned()),
        cost: Some(configured.cost),
        checks_packages: Some(configured.checks_packages),
        checks_metadata: Some(configured.checks_metadata),
        metadata: metadata::state(configuration, configured),
        changed_at: changed_at(&configured.file),
    }
}

fn changed_at(file: &Path) -> Option<DateTime<Utc>> {
    let metadata = fs::metadata(file).ok()?;
    DateTime::from_timestamp(metadata.mtime(), u32::try_from(metadata.mtime_nsec()).ok()?)
}

/// Enables or disables a repository in its file. Everything else in the file stays byte for byte as it is, and one that is
/// so already is not touched.
pub(super) fn set_enabled(configuration: &Configuration, id: &str, enabled: bool) -> Result<(), RepositoryError> {
    let configured = configuration.repositories.iter().find(|configured| *configured.id == *id);
    let configured = configured.ok_or_else(|| RepositoryError::NotFound(id.to_owned()))?;
    if configured.enabled == enabled {
        return Ok(());
    }
    let switch = &configured.switch;
    if switch.overrides && (switch.section != id || !switch.file.starts_with(configuration.root.join(OWN_OVERRIDES))) {
        return Err(overridden(switch, id));
    }
    let changed = file_of(configuration, &switch.file).and_then(|file| {
        let text = content(&file)?;
        let text = edit::with_enabled(&text, &switch.section, enabled)
            .ok_or_else(|| io::Error::other("it has changed meanwhile; try again"))?;
        edit::replace(&file, &text)
    });
    changed.map_err(|source| RepositoryError::Configuration { file: switch.file.clone(), source })
}

/// What a person has to know who wants to switch a repository that is switched for others too, or by the distribution.
fn overridden(switch: &Switch, id: &str) -> RepositoryError {
    let file = switch.file.file_name().unwrap_or_default().to_string_lossy();
    RepositoryError::Overridden(format!(
        "the section [{}] of dnf's override {file} says whether the repository {id} is enabled; override it for this one alone, \
         with dnf config-manager setopt {id}.enabled=1 or 0, and it can be changed here",
        switch.section
    ))
}

/// The file itself, where a link leads to it. A link must not lead out of the managed root.
fn file_of(configuration: &Configuration, file: &Path) -> io::Result<PathBuf> {
    let file = file.canonicalize()?;
    if file.starts_with(configuration.root.canonicalize()?) {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is a link that leads out of the managed root"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const TEXT: &str = "# ours\n\n[one]\nname = One\nenabled = 1   \ngpgcheck=0\n\n[two]\nname=Two";

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/yum.repos.d")).unwrap();
        fs::write(root.path().join("etc/yum.repos.d/a.repo"), TEXT).unwrap();
        root
    }

    fn set(root: &Path, id: &str, enabled: bool) -> Result<String, RepositoryError> {
        set_enabled(&Configuration::read(root, None).unwrap(), id, enabled)?;
        Ok(fs::read_to_string(root.join("etc/yum.repos.d/a.repo")).unwrap())
    }

    #[test]
    fn a_repository_is_switched_and_nothing_else_is_changed() {
        let root = root();
        let file = root.path().join("etc/yum.repos.d/a.repo");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(set(root.path(), "one", false).unwrap(), TEXT.replace("enabled = 1", "enabled = 0"));
        assert_eq!(set(root.path(), "one", true).unwrap(), TEXT);
        assert_eq!(set(root.path(), "two", false).unwrap(), format!("{TEXT}\nenabled=0\n"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        let repositories = read(&Configuration::read(root.path(), None).unwrap());
        assert!(matches!(&*repositories, [one, two] if one.enabled && !two.enabled && one.changed_at.is_some()));
    }

    #[test]
    fn what_is_so_already_is_not_touched() {
        let root = root();
        let file = root.path().join("etc/yum.repos.d/a.repo");
        let before = file.metadata().unwrap().ino();
        for id in ["one", "two"] {
            assert_eq!(set(root.path(), id, true).unwrap(), TEXT);
        }
        assert_eq!(file.metadata().unwrap().ino(), before);
        assert!(matches!(set(root.path(), "main", true), Err(RepositoryError::NotFound(id)) if id == "main"));
    }

    #[test]
    fn an_override_of_one_repository_is_changed_and_one_of_several_is_told_of() {
        let root = root();
        let folder = root.path().join(OWN_OVERRIDES);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("99-config_manager.repo");
        fs::write(&file, "[one]\ncost=3\nenabled=0\n").unwrap();
        fs::write(folder.join("50-all.repo"), "[t*]\nenabled=0\n").unwrap();
        let read = || Configuration::read_for_dnf5(root.path(), None).unwrap();
        set_enabled(&read(), "one", true).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "[one]\ncost=3\nenabled=1\n");
        assert!(read().repositories[0].enabled);
        let Err(RepositoryError::Overridden(why)) = set_enabled(&read(), "two", true) else { panic!("changed") };
        assert!(why.starts_with("the section [t*] of dnf's override 50-all.repo says"), "{why}");
        set_enabled(&read(), "two", false).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("etc/yum.repos.d/a.repo")).unwrap(), TEXT);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_changed() {
        let root = root();
        let (link, target) = (root.path().join("etc/yum.repos.d/a.repo"), root.path().join("etc/a.repo"));
        fs::rename(&link, &target).unwrap();
        symlink("../a.repo", &link).unwrap();
        set(root.path(), "one", false).unwrap();
        assert!(link.is_symlink());
        assert!(fs::read_to_string(&target).unwrap().contains("enabled = 0"));
    }

    #[test]
    fn a_link_out_of_the_root_is_not_followed() {
        let (root, outside) = (root(), tempfile::tempdir().unwrap());
        let link = root.path().join("etc/yum.repos.d/a.repo");
        fs::remove_file(&link).unwrap();
        fs::write(outside.path().join("a.repo"), TEXT).unwrap();
        symlink(outside.path().join("a.repo"), &link).unwrap();
        let Err(RepositoryError::Configuration { source, .. }) = set(root.path(), "one", false) else {
            panic!("changed")
        };
        assert_eq!(source.to_string(), "it is a link that leads out of the managed root");
        assert_eq!(fs::read_to_string(outside.path().join("a.repo")).unwrap(), TEXT);
    }
}
