//! What joins software identities with the system, with the collection of what is available, and with the service.

use std::sync::Arc;

use super::identities::offered_only;
use super::links::{FixedLink, Link, Links, Pairs, each, if_there, none, one};
use super::managed::ManagedSystem;
use super::model::Model;
use crate::broker::Provider;
use crate::cim::{CimError, Instance, ObjectPath, PropertyError, Value};
use crate::software::Package;

/// What joins identities, collection, system and service.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(Runs(model.clone())),
        Links::provider(Available { model: model.clone(), end: End::Collection }),
        Links::provider(Available { model: model.clone(), end: End::Service }),
        Links::provider(FixedLink {
            class: "LMI_HostedSoftwareCollection",
            ends: ["Dependent", "Antecedent"],
            pair: [model.collection_path(), model.system_path()],
            properties: Vec::new(),
        }),
    ]
}

/// The installed packages, each with the system.
pub(super) fn installed(model: &Arc<Model>) -> Pairs {
    let (model, system, inventory) = (model.clone(), model.system_path(), model.manager.inventory());
    let count = inventory.packages().len();
    each((0..count).filter_map(move |index| {
        let package = inventory.packages().get(index)?;
        Some([model.identity_path(&package.nevra), system.clone()])
    }))
}

/// The installed packages that an object at one end of such a link is joined with.
pub(super) fn installed_of(model: &Arc<Model>, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
    if end == 0 {
        let package = if_there(model.installed(source))?;
        return Ok(each(package.map(|package| [model.identity_path(&package.nevra), model.system_path()])));
    }
    Ok(if model.is_system(source) { installed(model) } else { none() })
}

/// What is installed runs the system (DSP1023 7.4): one link for each installed package.
#[derive(Debug)]
struct Runs(Arc<Model>);

impl Link for Runs {
    fn class(&self) -> &'static str {
        "CIM_ElementSoftwareIdentity"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        Ok(installed(&self.0))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        installed_of(&self.0, end, source)
    }

    fn count(&self) -> Option<u64> {
        u64::try_from(self.0.manager.inventory().packages().len()).ok()
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        // 6 Installed, 3 Owner Upgradeable
        link.set("ElementSoftwareStatus", Value::array([6u16]))?.set("UpgradeCondition", 3u16)?;
        Ok(())
    }
}

/// What is offered and not installed: a member of the collection (DSP1023 7.6.3), and what the service can install.
#[derive(Debug)]
struct Available {
    model: Arc<Model>,
    end: End,
}

/// The one object at the other end of all of these links.
#[derive(Clone, Copy, Debug)]
enum End {
    Collection,
    Service,
}

impl Available {
    fn end(&self) -> Arc<ObjectPath> {
        match self.end {
            End::Collection => self.model.collection_path(),
            End::Service => self.model.service_path(),
        }
    }

    fn is_end(&self, source: &ObjectPath) -> bool {
        match self.end {
            End::Collection => self.model.is_collection(source),
            End::Service => source.same_keys(&self.model.service_path()),
        }
    }

    /// The service works on the system beside what it can install.
    fn system(&self) -> Pairs {
        match self.end {
            End::Collection => none(),
            End::Service => one([self.model.system_path(), self.end()]),
        }
    }
}

impl Link for Available {
    fn class(&self) -> &'static str {
        match self.end {
            End::Collection => "LMI_MemberOfSoftwareCollection",
            End::Service => "LMI_SoftwareInstallationServiceAffectsElement",
        }
    }

    fn ends(&self) -> [&'static str; 2] {
        match self.end {
            End::Collection => ["Member", "Collection"],
            End::Service => ["AffectedElement", "AffectingElement"],
        }
    }

    fn is_ready(&self) -> bool {
        self.model.manager.loaded_catalog().is_some()
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, end) = (self.model.clone(), self.end());
        let offered = offered_only(&self.model, self.model.any_catalog()?);
        let pairs =
            offered.map(move |(_, package): (usize, Package)| [model.identity_path(&package.nevra), end.clone()]);
        Ok(Box::new(self.system().chain(each(pairs))))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            return if self.is_end(source) { self.all() } else { Ok(none()) };
        }
        if self.model.is_system(source) {
            return Ok(self.system());
        }
        let package = if_there(self.model.package(source))?.filter(|package| !package.state.has_files());
        Ok(each(package.map(|package| [self.model.identity_path(&package.nevra), self.end()])))
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let End::Service = self.end else { return Ok(()) };
        let affected = link.get("AffectedElement").and_then(Value::as_reference);
        let (effects, descriptions): (&[u16], &[&str]) = if affected.is_some_and(|path| self.model.is_system(path)) {
            // 7 Enhances Integrity, 8 Degrades Integrity, 1 Other
            let texts =
                &["Enhances Integrity", "Degrades Integrity", "Enhances Functionality", "Degrades Functionality"];
            (&[7, 8, 1, 1], texts)
        } else {
            (&[1], &["Allows to install"])
        };
        link.set("ElementEffects", Value::array(effects.iter().copied()))?
            .set("OtherElementEffectsDescriptions", Value::array(descriptions.iter().copied()))?;
        Ok(())
    }
}
