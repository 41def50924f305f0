//! Software Inventory (DSP1023) of a host with an image: its VIBs and the hypervisor that they make, and how each stands.

use std::sync::Arc;

use super::super::links::{Link, Links, Pairs, each, none};
use super::super::managed::ManagedSystem;
use super::model::{HYPERVISOR, IDENTITY, ImageModel, hypervisor_id, identity_id, named};
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, DateTime, Instance, ObjectPath, PropertyError, Value};
use crate::software::vib::{Descriptor, ImageSnapshot, Standing};

/// ExtendedResourceType: VMware vSphere Installation Bundle.
const VIB: u16 = 9;
/// TargetOSTypes: VMware ESXi.
const ESXI: u16 = 104;
const ESXI_NAME: &str = "VMware ESXi";
/// Classifications: Driver, and Unknown of what has no tag.
const DRIVER: u16 = 2;
const UNKNOWN: u16 = 0;
/// The VIB that the hypervisor's own version is of.
const BASE: &str = "esx-base";

/// Serves the identities of VIBs and of the hypervisor.
#[derive(Debug)]
pub(super) struct Identities(Arc<ImageModel>);

impl Identities {
    pub(super) fn new(model: Arc<ImageModel>) -> Self {
        Self(model)
    }
}

impl Provider for Identities {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![IDENTITY.into(), HYPERVISOR.into()]
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let snapshot = self.0.snapshot();
        if class.is_a(HYPERVISOR) {
            let is_it = path.same_keys(&self.0.hypervisor_path(&snapshot.host));
            return if is_it { hypervisor(class, &snapshot) } else { Err(not_there(path)) };
        }
        let (vib, _) = named(&snapshot, path).ok_or_else(|| not_there(path))?;
        identity(class, &snapshot, &vib)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (snapshot, class) = (self.0.snapshot(), class.clone());
        if class.is_a(HYPERVISOR) {
            return Ok(Box::new(std::iter::once(hypervisor(&class, &snapshot))));
        }
        let all: Vec<Arc<Descriptor>> = snapshot.standing().map(|(vib, _)| vib.clone()).collect();
        Ok(Box::new(all.into_iter().map(move |vib| identity(&class, &snapshot, &vib))))
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        let count = if class.is_a(HYPERVISOR) { 1 } else { self.0.snapshot().standing().count() };
        u64::try_from(count).ok()
    }
}

fn not_there(path: &ObjectPath) -> CimError {
    let id = path.key_str("InstanceID").unwrap_or_default();
    CimError::not_found(format!("{id:?} is no software of the image that runs, nor of one that waits for a boot."))
}

fn identity(class: &Arc<Class>, snapshot: &ImageSnapshot, vib: &Descriptor) -> Result<Instance, CimError> {
    let id = vib.id();
    let kind = if vib.tags.iter().any(|tag| &**tag == "driver") { DRIVER } else { UNKNOWN };
    let mut identity = Instance::new(class.clone());
    identity
        .set("InstanceID", identity_id(&id))?
        .set("Name", &*vib.name)?
        .set("ElementName", id.as_str())?
        .set("Caption", &*vib.summary)?
        .set("Description", Some(&*vib.description).filter(|text| !text.is_empty()))?
        .set("VersionString", vib.version.as_str())?
        .set("Manufacturer", &*vib.vendor)?
        .set("InstallDate", vib.installed_at.map(DateTime::utc))?
        .set("ReleaseDate", vib.release_date.map(DateTime::utc))?
        .set("IsEntity", true)?
        .set("IsLargeBuildNumber", false)?
        .set("ExtendedResourceType", VIB)?
        .set("Classifications", Value::array([kind]))?
        .set("TargetTypes", Value::array([&*snapshot.host.product_line]))?
        .set("TargetOperatingSystems", Value::array(targets(vib)))?
        .set("TargetOSTypes", Value::array([ESXI]))?
        .set("IdentityInfoType", Value::array(["VMware:VIBID", "VMware:AcceptanceLevel"]))?
        .set("IdentityInfoValue", Value::array([id.as_str(), vib.acceptance_level.name()]))?;
    Ok(identity)
}

/// What the VIB says that it is for, such as `VMware ESXi 8.*`; most say nothing.
fn targets(vib: &Descriptor) -> Vec<String> {
    if vib.platforms.is_empty() {
        return vec![ESXI_NAME.to_owned()];
    }
    vib.platforms.iter().map(|platform| format!("{ESXI_NAME} {}", platform.version)).collect()
}

/// The hypervisor in the version that runs.
fn hypervisor(class: &Arc<Class>, snapshot: &ImageSnapshot) -> Result<Instance, CimError> {
    let host = &snapshot.host;
    let mut numbers = host.version.split('.').map(|number| number.parse::<u16>().ok());
    let mut next = || numbers.next().flatten();
    let base = snapshot.running.named(BASE);
    let build = host.build.map(|build| format!(" build-{build}")).unwrap_or_default();
    let name = format!("{ESXI_NAME} {}{build}", host.version);
    let version = host.build.map_or_else(|| host.version.to_string(), |build| format!("{}.{build}", host.version));
    let mut identity = Instance::new(class.clone());
    identity
        .set("InstanceID", hypervisor_id(host))?
        .set("Name", ESXI_NAME)?
        .set("ElementName", name.as_str())?
        .set("Caption", name.as_str())?
        .set("Description", format!("The hypervisor of the image profile {}.", snapshot.running.profile.name))?
        .set("VersionString", version)?
        .set("MajorVersion", next())?
        .set("MinorVersion", next())?
        .set("RevisionNumber", next())?
        .set("LargeBuildNumber", host.build)?
        .set("IsLargeBuildNumber", host.build.is_some())?
        .set("Manufacturer", base.map(|vib| &*vib.vendor))?
        .set("ReleaseDate", base.and_then(|vib| vib.release_date).map(DateTime::utc))?
        .set("IsEntity", true)?
        .set("Classifications", Value::array([UNKNOWN]))?
        // 2 Not Applicable: it is no file.
        .set("ExtendedResourceType", 2u16)?
        .set("TargetTypes", Value::array([&*host.product_line]))?
        .set("LastStartTime", host.booted_at.map(DateTime::utc))?;
    Ok(identity)
}

/// What joins identities with the system.
pub(super) fn links(model: &Arc<ImageModel>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Stands(model.clone())), Links::provider(Installed(model.clone()))]
}

const STANDS: &str = "VMware_ComponentElementSoftwareIdentity";

/// The link of a VIB with the host that says how it stands.
pub(in super::super) fn standing_link(model: &ImageModel, standing: &Standing) -> Result<Instance, CimError> {
    let mut link = Instance::new(model.class(STANDS)?);
    link.set("Antecedent", model.identity_path(&standing.id))?.set("Dependent", model.system_path())?;
    describe_standing(&mut link, standing)?;
    Ok(link)
}

/// `ElementSoftwareStatus`: 2 Current, 3 Next, 6 Installed.
fn describe_standing(link: &mut Instance, standing: &Standing) -> Result<(), PropertyError> {
    let (current, next) = (standing.is_running.then_some(2u16), standing.is_next.then_some(3));
    let status = current.into_iter().chain(next).chain([6]);
    // 3 Owner Upgradeable
    link.set("ElementSoftwareStatus", Value::array(status))?.set("UpgradeCondition", 3u16)?;
    Ok(())
}

/// Each VIB stands somewhere: in the image that runs, in the one that waits for a boot, or in both.
#[derive(Debug)]
struct Stands(Arc<ImageModel>);

impl Stands {
    fn standing(&self, path: &ObjectPath) -> Option<Standing> {
        named(&self.0.snapshot(), path).map(|(_, standing)| standing)
    }
}

impl Link for Stands {
    fn class(&self) -> &'static str {
        STANDS
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, system) = (&self.0, self.0.system_path());
        let snapshot = model.snapshot();
        let pairs = snapshot.standing().map(|(_, standing)| [model.identity_path(&standing.id), system.clone()]);
        Ok(each(pairs.collect::<Vec<_>>()))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            return if self.0.is_system(source) { self.all() } else { Ok(none()) };
        }
        let found = self.standing(source);
        Ok(each(found.map(|found| [self.0.identity_path(&found.id), self.0.system_path()])))
    }

    fn count(&self) -> Option<u64> {
        u64::try_from(self.0.snapshot().standing().count()).ok()
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let found = link.get("Antecedent").and_then(Value::as_reference).and_then(|path| self.standing(path));
        // It may have gone since the link was found.
        found.map_or(Ok(()), |standing| describe_standing(link, &standing))
    }
}

/// The hypervisor is what is installed (VMware links nothing else so but firmware).
#[derive(Debug)]
struct Installed(Arc<ImageModel>);

impl Link for Installed {
    fn class(&self) -> &'static str {
        "VMware_InstalledSoftwareIdentity"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["InstalledSoftware", "System"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let hypervisor = self.0.hypervisor_path(&self.0.snapshot().host);
        Ok(each([[hypervisor, self.0.system_path()]]))
    }

    fn count(&self) -> Option<u64> {
        Some(1)
    }
}
