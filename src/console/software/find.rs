//! Software by name: what a host has and what its repositories offer.

use std::collections::HashSet;

use super::{Managed, Service, Software};
use crate::console::{ConsoleError, Resource, Session};
use crate::wire::{PlainInstance, PlainValue};

/// How many names a written name may be cut down to while it is looked for.
const MOST_CUTS: usize = 6;
/// What FindIdentity returns where there is nothing.
const NOT_FOUND: u32 = 1;

/// Which of several builds a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are installed.
    Installed,
    /// All, the newest last.
    Any,
}

impl Session {
    /// Software that has the words in its name, in order, and beside each whether it is installed.
    pub async fn search(&self, words: &[String]) -> Result<Vec<(Software, bool)>, ConsoleError> {
        let service = self.service_for(Managed::Packages).await?;
        let installed: HashSet<String> = self.installed().await?.into_iter().map(|software| software.id).collect();
        let mut found: Vec<Software> = Vec::new();
        for word in words {
            found.extend(self.find(&service, word, false).await?);
        }
        found.sort_by(|a, b| (&a.name, &a.architecture).cmp(&(&b.name, &b.architecture)));
        found.dedup_by(|a, b| a.id == b.id);
        let found = found.into_iter().map(|software| {
            let is_installed = installed.contains(&software.id);
            (software, is_installed)
        });
        Ok(found.collect())
    }

    /// The builds that a person means by `NAME`, `NAME.ARCH`, `NAME-VERSION`, `NAME-VERSION.ARCH` or `NAME=VERSION`; an
    /// error if there is none.
    pub async fn named(&self, service: &Service, written: &str, which: Which) -> Result<Vec<Software>, ConsoleError> {
        let builds = match which {
            Which::Installed => {
                self.installed().await?.into_iter().filter(|software| software.is_called(written)).collect()
            }
            Which::Any => self.builds(service, written).await?,
        };
        if builds.is_empty() {
            let what = if which == Which::Installed { "has not installed" } else { "knows no" };
            return Err(ConsoleError::Absent(format!("the host {what} {written:?}")));
        }
        Ok(builds)
    }

    /// What the host tells of a piece of software.
    pub async fn details(&self, software: &Software) -> Result<PlainInstance, ConsoleError> {
        self.get(&Resource::of(software.place()?).map_err(|fault| ConsoleError::unreadable(&fault))?).await
    }

    async fn builds(&self, service: &Service, written: &str) -> Result<Vec<Software>, ConsoleError> {
        for name in names(written).into_iter().take(MOST_CUTS) {
            let found = self.find(service, name, true).await?;
            let builds: Vec<_> = found.into_iter().filter(|software| software.is_called(written)).collect();
            if !builds.is_empty() {
                return Ok(builds);
            }
        }
        Ok(Vec::new())
    }

    /// Asks the service; where it has no FindIdentity, what is installed is looked through.
    async fn find(&self, service: &Service, name: &str, exact: bool) -> Result<Vec<Software>, ConsoleError> {
        if service.managed == Managed::Image {
            let installed = self.installed().await?.into_iter();
            return Ok(installed
                .filter(|software| if exact { software.name == name } else { software.name.contains(name) })
                .collect());
        }
        self.find_identity(service, name, exact, exact).await
    }

    /// All builds that there are of the name and architecture of these, which are of one; the newest last. Of one build alone only
    /// the newest is asked for.
    pub(super) async fn builds_like(
        &self,
        service: &Service,
        installed: &[Software],
    ) -> Result<Vec<Software>, ConsoleError> {
        let Some(first) = installed.first() else { return Ok(Vec::new()) };
        let mut found = self.find_identity(service, &first.name, true, installed.len() > 1).await?;
        found.retain(|software| software.architecture == first.architecture);
        Ok(found)
    }

    /// The newest build that there is of what is installed; it may be the installed one.
    pub async fn newest(&self, service: &Service, installed: &Software) -> Result<Option<Software>, ConsoleError> {
        Ok(self.builds_like(service, std::slice::from_ref(installed)).await?.pop())
    }

    async fn find_identity(
        &self,
        service: &Service,
        name: &str,
        exact: bool,
        all: bool,
    ) -> Result<Vec<Software>, ConsoleError> {
        let truth = |truth: bool| PlainValue::from(if truth { "true" } else { "false" });
        let input = vec![
            ("Name".to_owned(), name.into()),
            ("AllowDuplicates".to_owned(), truth(all)),
            ("ExactMatch".to_owned(), truth(exact)),
        ];
        let output = self.invoke(&service.resource, "FindIdentity", input).await?;
        match output.returned() {
            Some(0) => {}
            Some(NOT_FOUND) => return Ok(Vec::new()),
            _ => return Err(ConsoleError::returned(&service.resource, "FindIdentity", &output)),
        }
        let references = output.0.get("Matches").into_iter().flat_map(PlainValue::references);
        Ok(references.cloned().filter_map(Software::of_reference).collect())
    }
}

impl Software {
    /// Whether a person means it by what he wrote.
    pub fn is_called(&self, written: &str) -> bool {
        let bare = self.version.split_once(':').map_or(self.version.as_str(), |(_, version)| version);
        let (name, architecture) = (&self.name, &self.architecture);
        let mut forms = vec![name.clone(), format!("{name}.{architecture}"), self.full_name(), self.id.clone()];
        for version in [&self.version, bare] {
            forms.push(format!("{name}-{version}"));
            forms.push(format!("{name}={version}"));
            forms.push(format!("{name}-{version}.{architecture}"));
        }
        forms.iter().any(|form| form == written)
    }
}

/// The names that may be meant: all of it, and what is left when versions and architectures are cut off.
fn names(written: &str) -> Vec<&str> {
    let mut names = vec![written];
    let mut rest = written;
    if let Some((name, _)) = written.split_once('=') {
        names = vec![name];
        rest = name;
    }
    while let Some(cut) = rest.rfind(['-', '.']).filter(|cut| *cut > 0) {
        rest = rest.get(..cut).unwrap_or_default();
        names.push(rest);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn software() -> Software {
        Software {
            name: "perl-Net".to_owned(),
            version: "2:1.0-3".to_owned(),
            architecture: "noarch".to_owned(),
            id: "LMI:LMI_SoftwareIdentity:perl-Net-2:1.0-3.noarch".to_owned(),
            ..Software::default()
        }
    }

    #[test]
    fn software_is_called_in_many_ways() {
        for written in ["perl-Net", "perl-Net.noarch", "perl-Net-1.0-3", "perl-Net=2:1.0-3", "perl-Net-2:1.0-3.noarch"]
        {
            assert!(software().is_called(written), "{written}");
            assert!(names(written).contains(&"perl-Net"), "{written} {:?}", names(written));
        }
        for other in ["perl", "perl-Net-1.0", "perl-Net.x86_64", ""] {
            assert!(!software().is_called(other), "{other}");
        }
    }
}
