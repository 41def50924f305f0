//! Software that is meant to be installed together (DSP1023 7.7): groups, tasks, metapackages and advisories, and the
//! packages that they consist of.
//!
//! They are found by enumeration and from their packages. They are no members of the collection of what is available and
//! not linked with the system as installed: both are about packages, which the service installs one by one.

use std::sync::Arc;

use super::links::{Link, Links, Pair, Pairs, each, if_there, none};
use super::managed::ManagedSystem;
use super::model::{Model, unreadable};
use super::names::strip_prefix_ignoring_case;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, DateTime, Instance, ObjectPath, PropertyError, Value};
use crate::software::{AdvisoryKind, Bundle, BundleKind, BundleState, Bundles, Catalog, Inventory, Nevra, Severity};

const BUNDLE: &str = "QM_SoftwareBundle";
const PREFIX: &str = "Quartermaster:SoftwareBundle:";

/// Classifications: 13 Software Bundle.
const SOFTWARE_BUNDLE: u16 = 13;

/// Serves bundles.
#[derive(Debug)]
pub(super) struct BundleInstances(Arc<Model>);

impl BundleInstances {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self(model)
    }
}

impl Provider for BundleInstances {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![BUNDLE.into()]
    }

    /// How much is installed is told by what is offered, too.
    fn is_ready(&self, _: &Class, path: Option<&ObjectPath>) -> bool {
        let manager = &self.0.manager;
        let is_loaded = || manager.loaded_bundles().is_some() && manager.loaded_catalog().is_some();
        path.is_some_and(|path| named(path).is_none()) || is_loaded()
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let (kind, id) = named(path).ok_or_else(no_bundle)?;
        let known = Known::any(&self.0)?;
        let bundle = known.bundles.find(kind, id).ok_or_else(no_bundle)?;
        Ok(known.instance(&self.0, class, bundle)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (model, class, known) = (self.0.clone(), class.clone(), Known::any(&self.0)?);
        let count = known.bundles.all().len();
        Ok(Box::new((0..count).filter_map(move |place| {
            let bundle = known.bundles.all().get(place)?;
            Some(known.instance(&model, &class, bundle).map_err(CimError::from))
        })))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(self.0.manager.loaded_bundles()?.all().len()).ok()
    }
}

fn no_bundle() -> CimError {
    CimError::not_found(format!("No bundle is named so; enumerate {BUNDLE} to see all."))
}

/// The kind and the id in a bundle's InstanceID.
fn named(path: &ObjectPath) -> Option<(BundleKind, &str)> {
    let text = strip_prefix_ignoring_case(path.key_str("InstanceID")?, PREFIX)?;
    let (word, id) = text.split_once(':')?;
    let kind = BundleKind::ALL.into_iter().find(|kind| kind.to_string().eq_ignore_ascii_case(word))?;
    Some((kind, id))
}

fn bundle_id(bundle: &Bundle) -> String {
    format!("{PREFIX}{}:{}", bundle.kind, bundle.id)
}

fn bundle_path(model: &Model, bundle: &Bundle) -> Arc<ObjectPath> {
    model.path_by_id(BUNDLE, bundle_id(bundle).into())
}

/// The paths of all bundles. Blocks unless they are in memory.
pub(super) fn paths(model: &Arc<Model>) -> Result<impl Iterator<Item = Arc<ObjectPath>> + Send + use<>, CimError> {
    let (model, bundles) = (model.clone(), any_bundles(model)?);
    Ok((0..bundles.all().len()).filter_map(move |place| Some(bundle_path(&model, bundles.all().get(place)?))))
}

/// The path of the bundle that a path names, if there is one. Blocks unless bundles are in memory.
pub(super) fn path_of(model: &Model, path: &ObjectPath) -> Result<Option<Arc<ObjectPath>>, CimError> {
    let Some((kind, id)) = named(path) else { return Ok(None) };
    Ok(any_bundles(model)?.find(kind, id).map(|bundle| bundle_path(model, bundle)))
}

/// As they were a moment ago if they are in memory; else blocks.
fn any_bundles(model: &Model) -> Result<Arc<Bundles>, CimError> {
    model.manager.loaded_bundles().map_or_else(|| model.manager.bundles().map_err(unreadable), Ok)
}

/// Bundles, and what tells how much of them is installed.
#[derive(Clone, Debug)]
struct Known {
    bundles: Arc<Bundles>,
    inventory: Arc<Inventory>,
    catalog: Arc<Catalog>,
}

impl Known {
    /// As it was a moment ago if it is in memory; else blocks.
    fn any(model: &Model) -> Result<Self, CimError> {
        Ok(Self { bundles: any_bundles(model)?, inventory: model.manager.inventory(), catalog: model.any_catalog()? })
    }

    /// As it is now. Blocks.
    fn now(model: &Model) -> Result<Self, CimError> {
        let bundles = model.manager.bundles().map_err(unreadable)?;
        Ok(Self { bundles, inventory: model.manager.inventory(), catalog: model.catalog()? })
    }

    fn packages(&self, bundle: &Bundle) -> Vec<Nevra> {
        self.bundles.packages(bundle, &self.inventory, &self.catalog)
    }

    fn instance(&self, model: &Model, class: &Arc<Class>, bundle: &Bundle) -> Result<Instance, PropertyError> {
        let texts = |texts: &[String]| match texts {
            [] => Value::Null,
            texts => Value::array(texts.iter().map(String::as_str)),
        };
        let name = if bundle.name.is_empty() { &*bundle.id } else { &bundle.name };
        let mut instance = Instance::new(class.clone());
        instance
            .set("InstanceID", bundle_id(bundle))?
            .set("Name", bundle.id.clone())?
            .set("ElementName", name)?
            .set("Caption", name)?
            .set("Description", bundle.description.as_str())?
            .set("VersionString", bundle.version.as_deref())?
            .set("ReleaseDate", bundle.released_at.map(DateTime::utc))?
            .set("Classifications", Value::array([SOFTWARE_BUNDLE]))?
            // 2 Not Applicable: it is no file.
            .set("ExtendedResourceType", 2u16)?
            .set("TargetOSTypes", Value::array([model.operating_system()]))?
            .set("IsEntity", true)?
            .set("BundleType", kind_number(bundle.kind))?
            .set("InstallState", state_number(self.bundles.state(bundle, &self.inventory, &self.catalog)))?
            .set("AdvisoryType", bundle.advisory.map(advisory_number))?
            .set("Severity", bundle.severity.map(severity_number))?
            .set("CVEs", texts(&bundle.cves))?
            .set("References", texts(&bundle.references))?;
        Ok(instance)
    }
}

fn kind_number(kind: BundleKind) -> u16 {
    match kind {
        BundleKind::Group => 2,
        BundleKind::Task => 3,
        BundleKind::Metapackage => 4,
        BundleKind::Advisory => 5,
    }
}

fn state_number(state: BundleState) -> u16 {
    match state {
        BundleState::Installed => 2,
        BundleState::InPart => 3,
        BundleState::NotInstalled => 4,
        BundleState::NotApplicable => 5,
    }
}

fn advisory_number(kind: AdvisoryKind) -> u16 {
    match kind {
        AdvisoryKind::Other => 1,
        AdvisoryKind::Security => 2,
        AdvisoryKind::BugFix => 3,
        AdvisoryKind::Enhancement => 4,
        AdvisoryKind::NewPackage => 5,
    }
}

fn severity_number(severity: Severity) -> u16 {
    match severity {
        Severity::Low => 2,
        Severity::Moderate => 3,
        Severity::Important => 4,
        Severity::Critical => 5,
    }
}

/// What joins bundles with the packages that they consist of.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Components(model.clone()))]
}

/// A package that is installed or offered is a part of a bundle.
#[derive(Debug)]
struct Components(Arc<Model>);

impl Components {
    fn of_bundle(&self, known: &Known, bundle: &Bundle) -> impl Iterator<Item = Pair> + use<> {
        let (model, group) = (self.0.clone(), bundle_path(&self.0, bundle));
        known.packages(bundle).into_iter().map(move |nevra| [model.identity_path(&nevra), group.clone()])
    }

    fn of_package(&self, known: Known, nevra: Nevra) -> Pairs {
        let (model, part) = (self.0.clone(), self.0.identity_path(&nevra));
        let count = known.bundles.all().len();
        each((0..count).filter_map(move |place| {
            let bundle = known.bundles.all().get(place)?;
            let has_it = known.bundles.contains(bundle, &nevra, &known.inventory, &known.catalog);
            has_it.then(|| [part.clone(), bundle_path(&model, bundle)])
        }))
    }
}

impl Link for Components {
    fn class(&self) -> &'static str {
        "CIM_OrderedComponent"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["PartComponent", "GroupComponent"]
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (this, known) = (Self(self.0.clone()), Known::now(&self.0)?);
        let count = known.bundles.all().len();
        let of_place = move |place| known.bundles.all().get(place).map(|bundle| this.of_bundle(&known, bundle));
        Ok(each((0..count).filter_map(of_place).flatten()))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            let Some((kind, id)) = named(source) else { return Ok(none()) };
            let known = Known::now(&self.0)?;
            let bundle = known.bundles.find(kind, id);
            return Ok(each(bundle.map(|bundle| self.of_bundle(&known, bundle)).into_iter().flatten()));
        }
        match if_there(self.0.nevra(source))? {
            Some(nevra) => Ok(self.of_package(Known::now(&self.0)?, nevra)),
            None => Ok(none()),
        }
    }

    /// In no order (DSP1023 7.7.3): the tool that installs them finds one.
    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        link.set("AssignedSequence", 0u64)?;
        Ok(())
    }
}
