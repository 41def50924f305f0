//! Repositories as software identity resources (DSP1023 7.6.4), and what joins them with the system and with what they
//! offer.

use std::sync::Arc;

use super::jobs::sets_time_limit;
use super::links::{Link, Links, Pair, Pairs, each, if_there, none};
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::RESOURCE;
use crate::access::Caller;
use crate::broker::{Change, Instances, Invocation, MethodReply, Modification, Provider};
use crate::cim::{CimError, CimStatus, Class, DateTime, Instance, ObjectPath, Value};
use crate::jobs::SetRepositoryError;
use crate::software::{Catalog, Family, Repository, without_password};

/// EnabledState, RequestedState and what RequestStateChange takes.
const ENABLED: u16 = 2;
const DISABLED: u16 = 3;

/// Return values of RequestStateChange.
const COMPLETED: u32 = 0;
const FAILED: u32 = 4;
const INVALID_STATE_TRANSITION: u32 = 4097;
const TIMEOUT_NOT_SUPPORTED: u32 = 4098;

/// Serves the configured repositories, enabled or not.
#[derive(Debug)]
pub(super) struct Repositories(Arc<Model>);

impl Repositories {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self(model)
    }

    /// What is said of a repository by whether it is used and whether its contents are known: HealthState,
    /// OperationalStatus, PrimaryStatus and StatusDescriptions, as OpenLMI has them.
    fn status(repository: &Repository) -> (u16, u16, u16, &'static str) {
        match (repository.enabled, &repository.metadata) {
            (false, _) => (0, 10, 0, "Disabled"),
            (true, Some(_)) => (5, 2, 1, "Ready"),
            (true, None) => (20, 6, 3, "Not Ready"),
        }
    }

    fn instance(&self, class: &Arc<Class>, repository: &Repository) -> Result<Instance, CimError> {
        let model = &self.0;
        let (kind, resource) = match model.manager.family() {
            Family::Deb => ("Debian package repository", "Debian Software Package"),
            Family::Rpm => ("YUM package repository", "RPM Software Package"),
        };
        let state = if repository.enabled { ENABLED } else { DISABLED };
        let (health, operational, primary, status) = Self::status(repository);
        let mirrors = repository.mirror_list.as_deref().map(without_password);
        let address = repository.base_urls.last().map(|address| without_password(address));
        let metadata = repository.metadata.as_ref();
        let mut instance = Instance::new(class.clone());
        instance
            .set("CreationClassName", RESOURCE)?
            .set("Name", repository.id.clone())?
            .set("SystemCreationClassName", model.name().class.clone())?
            .set("SystemName", model.name().name.clone())?
            .set("InstanceID", format!("LMI:{RESOURCE}:{}", repository.id))?
            .set("ElementName", repository.id.clone())?
            .set("Caption", repository.name.as_str())?
            .set("Description", description(repository))?
            // 1 Other, 200 URL, 1 Other
            .set("AccessContext", 1u16)?
            .set("OtherAccessContext", kind)?
            .set("InfoFormat", 200u16)?
            .set("ResourceType", 1u16)?
            .set("OtherResourceType", resource)?
            .set("ExtendedResourceType", model.resource_type())?
            .set("AccessInfo", mirrors.clone().or(address))?
            .set("MirrorList", mirrors)?
            .set("Cost", repository.cost)?
            .set("GPGCheck", repository.checks_packages)?
            .set("RepoGPGCheck", repository.checks_metadata)?
            .set("Generation", metadata.and_then(|m| m.revision))?
            .set("TimeOfLastUpdate", metadata.and_then(|m| m.updated_at).map(DateTime::utc))?
            .set("TimeOfLastStateChange", repository.changed_at.map(DateTime::utc))?
            .set("AvailableRequestedStates", Value::array([ENABLED, DISABLED]))?
            // 5 Not Applicable, 12 Not Applicable
            .set("EnabledDefault", 5u16)?
            .set("TransitioningToState", 12u16)?
            .set("EnabledState", state)?
            .set("RequestedState", state)?
            .set("HealthState", health)?
            .set("OperationalStatus", Value::array([operational]))?
            .set("PrimaryStatus", primary)?
            .set("StatusDescriptions", Value::array([status]))?;
        Ok(instance)
    }

    fn request_state_change(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        let repository = self.0.repository(invocation.path)?;
        if sets_time_limit(invocation.arguments.get("TimeoutPeriod")) {
            return Ok(MethodReply::code(TIMEOUT_NOT_SUPPORTED));
        }
        let enabled = match invocation.arguments.get("RequestedState").as_u64().map(u16::try_from) {
            Some(Ok(ENABLED)) => true,
            Some(Ok(DISABLED)) => false,
            _ => return Ok(MethodReply::code(INVALID_STATE_TRANSITION)),
        };
        match self.set(&repository, enabled, invocation.caller) {
            Ok(()) => Ok(MethodReply::code(COMPLETED)),
            Err(error) if error.status == CimStatus::NotFound => Err(error),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a repository's state cannot be changed");
                Ok(MethodReply::code(FAILED))
            }
        }
    }

    fn set(&self, repository: &Repository, enabled: bool, caller: &Caller) -> Result<(), CimError> {
        if repository.enabled == enabled {
            return Ok(());
        }
        self.0.jobs().set_repository(&repository.id, enabled, caller).map_err(|error| match error {
            SetRepositoryError::NotFound => CimError::not_found("The repository is no longer configured."),
            SetRepositoryError::Overridden(why) => {
                CimError::new(CimStatus::Failed, format!("The repository was not changed: {why}."))
            }
            error => CimError::internal("The repository could not be changed; the operator's log says why.", error),
        })?;
        // What it offers is looked at anew.
        self.0.manager.doubt();
        Ok(())
    }
}

impl Provider for Repositories {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![RESOURCE.into()]
    }

    /// They are configured in files, which are read whenever somebody asks.
    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        false
    }

    fn allows(&self, _: &Class, change: Change) -> bool {
        change == Change::Modify
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        self.instance(class, &self.0.repository(path)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (this, class) = (Self(self.0.clone()), class.clone());
        Ok(Box::new(self.0.repositories()?.into_iter().map(move |repository| this.instance(&class, &repository))))
    }

    /// Enables or disables: by either of the two properties that tell the state.
    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        let repository = self.0.repository(modification.path)?;
        let mut wanted: Vec<bool> = Vec::new();
        for (name, value) in &modification.changes {
            wanted.push(match value {
                Value::Uint16(ENABLED) => true,
                Value::Uint16(DISABLED) => false,
                _ => {
                    return Err(CimError::invalid_parameter(format!(
                        "{name} of a repository is {ENABLED} or {DISABLED}."
                    )));
                }
            });
        }
        match wanted.as_slice() {
            [enabled] => self.set(&repository, *enabled, modification.caller),
            [one, other] if one == other => self.set(&repository, *one, modification.caller),
            _ => Err(CimError::invalid_parameter("EnabledState and RequestedState contradict each other.")),
        }
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        match &*invocation.method.name {
            "RequestStateChange" => self.request_state_change(invocation),
            name => Err(CimError::new(CimStatus::MethodNotAvailable, format!("Method {name} is not served."))),
        }
    }
}

fn description(repository: &Repository) -> String {
    let text = format!("[{}] - {}", repository.id, repository.name);
    match repository.cost {
        Some(cost) => format!("{text} with cost {cost}"),
        None => text,
    }
}

/// What joins repositories with the system and with the packages that they offer.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Hosted(model.clone())), Links::provider(Offers(model.clone()))]
}

/// Every repository is configured on the system.
#[derive(Debug)]
struct Hosted(Arc<Model>);

impl Link for Hosted {
    fn class(&self) -> &'static str {
        "LMI_HostedSoftwareIdentityResource"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Dependent", "Antecedent"]
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, system) = (self.0.clone(), self.0.system_path());
        let repositories = self.0.repositories()?;
        Ok(each(repositories.into_iter().map(move |r| [model.repository_path(&r.id), system.clone()])))
    }
}

/// What each enabled repository offers (DSP1023 7.6.4.2), installed or not.
#[derive(Debug)]
struct Offers(Arc<Model>);

impl Link for Offers {
    fn class(&self) -> &'static str {
        "LMI_ResourceForSoftwareIdentity"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["ManagedElement", "AvailableSAP"]
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, catalog) = (self.0.clone(), self.0.catalog()?);
        Ok(each((0..catalog.len()).flat_map(move |number| offers_of(&model, &catalog, number))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let model = self.0.clone();
        if end == 0 {
            let Some(nevra) = if_there(model.nevra(source))? else { return Ok(none()) };
            let catalog = model.catalog()?;
            let offers = catalog.find(&nevra).map(|number| offers_of(&model, &catalog, number));
            return Ok(each(offers.unwrap_or_default()));
        }
        let Some(repository) = if_there(model.repository(source))? else { return Ok(none()) };
        let catalog = model.catalog()?;
        let path = model.repository_path(&repository.id);
        let numbers: Vec<usize> = catalog.offered_by(&repository.id).collect();
        let nevras = numbers.into_iter().filter_map(move |number| catalog.nevra(number));
        Ok(each(nevras.map(move |nevra| [model.identity_path(&nevra), path.clone()])))
    }
}

fn offers_of(model: &Model, catalog: &Catalog, number: usize) -> Vec<Pair> {
    let Some(nevra) = catalog.nevra(number) else { return Vec::new() };
    let identity = model.identity_path(&nevra);
    catalog.repositories_of(number).map(|id| [identity.clone(), model.repository_path(id)]).collect()
}
