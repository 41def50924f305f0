//! Which packages of a host are older than what its repositories offer.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::{Service, Software};
use crate::console::{ConsoleError, Output, Session};
use crate::wire::PlainValue;

/// How many names are asked for at once.
const AT_ONCE: usize = 8;

/// A package that can be updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// As it is installed.
    pub installed: Software,
    /// The newest that is offered.
    pub newest: Software,
}

impl Session {
    /// The packages that can be updated, by name. The service knows which of two versions is newer: ours tells all of them in one
    /// answer, others are asked for each name.
    pub async fn updates(&self, service: &Service) -> Result<Vec<Update>, ConsoleError> {
        match self.invoke(&service.resource, "FindUpdates", Vec::new()).await {
            Ok(output) if output.returned() == Some(0) => Ok(all_of(&output)),
            Ok(output) => Err(ConsoleError::returned(&service.resource, "FindUpdates", &output)),
            Err(ConsoleError::Fault(_)) => self.updates_one_by_one(service).await,
            Err(error) => Err(error),
        }
    }

    async fn updates_one_by_one(&self, service: &Service) -> Result<Vec<Update>, ConsoleError> {
        let mut installed: BTreeMap<(String, String), Vec<Software>> = BTreeMap::new();
        for software in self.installed().await? {
            let builds = installed.entry((software.name.clone(), software.architecture.clone())).or_default();
            builds.push(software);
        }
        let asked = stream::iter(installed.into_values())
            .map(async |builds| Ok(update(self.builds_like(service, &builds).await?, builds)));
        let found: Vec<Result<Option<Update>, ConsoleError>> = asked.buffered(AT_ONCE).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }
}

/// What FindUpdates gave back.
fn all_of(output: &Output) -> Vec<Update> {
    let references = |name: &str| output.0.get(name).into_iter().flat_map(PlainValue::references).cloned();
    let pairs = references("Installed").zip(references("Newest"));
    let software = |reference| Software::of_reference(reference);
    pairs
        .filter_map(|(installed, newest)| Some(Update { installed: software(installed)?, newest: software(newest)? }))
        .collect()
}

/// What is newer than all installed builds of one name and architecture, among all builds of them from the oldest to the newest.
fn update(mut known: Vec<Software>, installed: Vec<Software>) -> Option<Update> {
    let newest = known.pop()?;
    let is_installed = |software: &Software| installed.iter().any(|build| build.version == software.version);
    if is_installed(&newest) {
        return None;
    }
    let latest = known.iter().rposition(is_installed).and_then(|place| known.get(place).cloned());
    let installed = latest.or_else(|| installed.into_iter().next())?;
    Some(Update { installed, newest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_newer_than_every_installed_build_is_an_update() {
        let builds = |versions: &[&str]| -> Vec<Software> {
            let build = |version: &&str| Software { version: (*version).to_owned(), ..Software::default() };
            versions.iter().map(build).collect()
        };
        for (known, installed, found) in [
            (&["1", "2"][..], &["1"][..], Some(("1", "2"))),
            (&["1", "2"], &["2"], None),
            (&["1", "2"], &["2", "1"], None),
            (&["1", "2", "3"], &["1", "2"], Some(("2", "3"))),
            (&["3"], &["1"], Some(("1", "3"))),
            (&[], &["1"], None),
        ] {
            let update = update(builds(known), builds(installed));
            let versions = update.as_ref().map(|u| (u.installed.version.as_str(), u.newest.version.as_str()));
            assert_eq!(versions, found, "{known:?} {installed:?}");
        }
    }
}
