//! Where the packages of a host come from.

use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::enumeration::Mode;

/// The class of repositories (DSP1023 7.6.4.1).
const REPOSITORY: &str = "CIM_SoftwareIdentityResource";
/// The states of EnabledState and RequestStateChange.
const ENABLED: &str = "2";
const DISABLED: &str = "3";

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// What it is called in words, if that was told.
    pub title: Option<String>,
    /// Whether packages are taken from it.
    pub is_enabled: bool,
    /// Its address.
    pub address: String,
    /// When its contents changed last, if that was told.
    pub updated_at: Option<String>,
    /// Where it is found.
    pub reference: EndpointReference,
}

impl Session {
    /// The repositories that the host knows.
    pub async fn repositories(&self) -> Result<Vec<Repository>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(REPOSITORY), &wanted).await?;
        let repositories = found.items.into_iter().filter_map(|item| {
            let (instance, reference) = (item.instance?, item.reference?);
            let text = |name: &str| instance.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
            Some(Repository {
                name: text("Name").or_else(|| text("ElementName"))?,
                title: text("Caption"),
                is_enabled: instance.text("EnabledState") == Some(ENABLED),
                address: text("AccessInfo").unwrap_or_default(),
                updated_at: text("TimeOfLastUpdate"),
                reference,
            })
        });
        Ok(repositories.collect())
    }

    /// The repository that a person means by its name, or by the part of its name behind the last colon.
    pub async fn repository_named(&self, written: &str) -> Result<Repository, ConsoleError> {
        let is_meant = |repository: &Repository| {
            repository.name == written || repository.name.rsplit(':').next().is_some_and(|part| part == written)
        };
        let absent = || ConsoleError::Absent(format!("the host has no repository {written:?}"));
        self.repositories().await?.into_iter().find(is_meant).ok_or_else(absent)
    }

    /// Has packages taken from a repository, or not.
    pub async fn enable(&self, repository: &Repository, enabled: bool) -> Result<(), ConsoleError> {
        let resource = Resource::of(&repository.reference).map_err(|fault| ConsoleError::unreadable(&fault))?;
        let state = if enabled { ENABLED } else { DISABLED };
        let input = vec![("RequestedState".to_owned(), state.into())];
        let output = self.invoke(&resource, "RequestStateChange", input).await?;
        match output.returned() {
            Some(0) => Ok(()),
            _ => Err(ConsoleError::returned(&resource, "RequestStateChange", &output)),
        }
    }
}
