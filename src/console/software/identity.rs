//! What a software identity is to a person: a name and a version.

use crate::console::ConsoleError;
use crate::soap::EndpointReference;
use crate::wire::{PlainInstance, PlainItem};

/// OpenLMI's identifiers begin so, and then name a package.
const LMI: &str = "LMI:LMI_SoftwareIdentity:";
/// VMware's identifiers begin so, and then name a VIB.
const VIB: &str = "VMware:VMware_ComponentSoftwareIdentity:";
/// VMware's identifiers of hypervisors begin so, and then tell version and build.
const HYPERVISOR: &str = "VMware:VMware_HypervisorSoftwareIdentity:";

/// A piece of software: a package, a VIB, or what else a host shows as a `CIM_SoftwareIdentity`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version as its kind writes it: `[epoch:]version[-release]`, an epoch of 0 left out; empty if it has none.
    pub version: String,
    /// Its architecture; empty if its kind has none.
    pub architecture: String,
    /// Who made it, if that was told.
    pub vendor: Option<String>,
    /// What it is, in a few words, if that was told.
    pub summary: Option<String>,
    /// When it was installed (in CIM's form or that of XML Schema), if that was told.
    pub installed_at: Option<String>,
    /// Its `InstanceID`.
    pub id: String,
    /// Where it is found.
    pub reference: Option<EndpointReference>,
}

impl Software {
    /// What a reference alone tells: identifiers of the known kinds hold all that names a piece of software.
    pub fn of_reference(reference: EndpointReference) -> Option<Self> {
        let selectors = reference.selectors().ok()?;
        let id = selectors.text("InstanceID")?.to_owned();
        let named = Self::of_id(&id)?;
        Some(Self { id, reference: Some(reference), ..named })
    }

    /// What an identifier alone tells.
    pub fn called(id: &str) -> Self {
        let named = Self::of_id(id).unwrap_or_else(|| Self { name: id.to_owned(), ..Self::default() });
        Self { id: id.to_owned(), ..named }
    }

    /// What an instance tells, and the reference to it if that came along.
    pub fn of_item(item: PlainItem) -> Option<Self> {
        let instance = item.instance?;
        let id = instance.text("InstanceID").unwrap_or_default().to_owned();
        let named = Self::of_id(&id).unwrap_or_else(|| Self::of_properties(&instance));
        let text = |name: &str| instance.text(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            vendor: text("Manufacturer"),
            summary: text("Caption").or_else(|| text("Description")),
            installed_at: text("InstallDate"),
            id,
            reference: item.reference,
            ..named
        })
    }

    /// Where it is found; an error if that was not told.
    pub fn place(&self) -> Result<&EndpointReference, ConsoleError> {
        let untold = || ConsoleError::Absent(format!("the host does not tell where {} is found", self.full_name()));
        self.reference.as_ref().ok_or_else(untold)
    }

    /// Whether it is another build of what that is.
    pub fn replaces(&self, other: &Self) -> bool {
        (&self.name, &self.architecture) == (&other.name, &other.architecture) && self.version != other.version
    }

    /// Its name, version and architecture as its kind writes them in one word.
    pub fn full_name(&self) -> String {
        let mut full = self.name.clone();
        for (mark, part) in [('-', &self.version), ('.', &self.architecture)] {
            if !part.is_empty() {
                full.push(mark);
                full.push_str(part);
            }
        }
        full
    }

    fn of_id(id: &str) -> Option<Self> {
        if let Some(package) = strip(id, LMI) {
            return Self::of_package(package);
        }
        match strip(id, HYPERVISOR).filter(|version| !version.is_empty()) {
            Some(version) => Some(Self::of_hypervisor(version)),
            None => strip(id, VIB).and_then(Self::of_vib),
        }
    }

    fn of_hypervisor(version: &str) -> Self {
        Self { name: "VMware ESXi".to_owned(), version: version.to_owned(), ..Self::default() }
    }

    /// `name-epoch:version-release.architecture`; native Debian packages have no release.
    fn of_package(package: &str) -> Option<Self> {
        let (rest, architecture) = package.rsplit_once('.')?;
        // The epoch stands between the last dash before a colon and that colon.
        let colon =
            rest.match_indices(':').map(|(place, _)| place).find(|place| epoch_before(rest, *place).is_some())?;
        let (name, epoch) = epoch_before(rest, colon)?;
        let version = rest.get(colon + 1..)?;
        let version = if epoch == "0" { version.to_owned() } else { format!("{epoch}:{version}") };
        Some(Self { name: name.to_owned(), version, architecture: architecture.to_owned(), ..Self::default() })
    }

    /// `vendor_type_name_version`.
    fn of_vib(vib: &str) -> Option<Self> {
        let (rest, version) = vib.rsplit_once('_')?;
        let mut parts = rest.splitn(3, '_');
        let (vendor, _, name) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            vendor: Some(vendor.to_owned()),
            ..Self::default()
        })
    }

    fn of_properties(instance: &PlainInstance) -> Self {
        let first = |names: &[&str]| {
            let texts = names.iter().filter_map(|name| instance.text(name));
            texts.map(str::trim).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        Self {
            name: first(&["Name", "ElementName", "Caption", "InstanceID"]),
            version: first(&["VersionString", "Version"]),
            architecture: first(&["Architecture"]),
            ..Self::default()
        }
    }
}

fn strip<'i>(id: &'i str, prefix: &str) -> Option<&'i str> {
    let (head, rest) = id.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The name and the epoch, if the colon stands behind an epoch.
fn epoch_before(text: &str, colon: usize) -> Option<(&str, &str)> {
    let (name, epoch) = text.get(..colon)?.rsplit_once('-')?;
    let is_epoch = !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty();
    is_epoch.then_some((name, epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_hold_name_and_version() {
        for (id, name, version, architecture) in [
            ("LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all", "alpha", "1.0-1", "all"),
            ("LMI:LMI_SoftwareIdentity:perl-Net-4-2:1.0~rc1-3.el9.x86_64", "perl-Net-4", "2:1.0~rc1-3.el9", "x86_64"),
            ("LMI:LMI_SoftwareIdentity:native-0:2024.amd64", "native", "2024", "amd64"),
            ("LMI:LMI_SoftwareIdentity:odd-0:1:2-3:4-5.amd64", "odd", "1:2-3:4-5", "amd64"),
            ("VMware:VMware_ComponentSoftwareIdentity:VMware_bootbank_esx-base_5.5.0-0.1", "esx-base", "5.5.0-0.1", ""),
            ("VMware:VMware_ComponentSoftwareIdentity:Acme_locker_a_b_1.0-1", "a_b", "1.0-1", ""),
            ("VMware:VMware_HypervisorSoftwareIdentity:5.5.0.1623387", "VMware ESXi", "5.5.0.1623387", ""),
        ] {
            let software = Software::of_id(id).unwrap();
            let found = (software.name.as_str(), software.version.as_str(), software.architecture.as_str());
            assert_eq!(found, (name, version, architecture), "{id}");
        }
        for other in [
            "",
            "LMI:LMI_SoftwareIdentity:",
            "LMI:LMI_SoftwareIdentity:alpha",
            "Acme:1",
            "VMware:VMware_ComponentSoftwareIdentity:a_b",
        ] {
            assert_eq!(Software::of_id(other), None, "{other}");
        }
    }

    #[test]
    fn other_implementations_are_shown_by_their_properties() {
        let instance = PlainInstance::default()
            .with("InstanceID", "Acme:17")
            .with("ElementName", "BIOS")
            .with("VersionString", "2.1")
            .with("Manufacturer", " ");
        let software = Software::of_item(PlainItem { instance: Some(instance), reference: None }).unwrap();
        assert_eq!((software.full_name().as_str(), software.vendor), ("BIOS-2.1", None));
    }
}
