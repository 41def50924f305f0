//! What a host lacks: scanned, deployed and assessed by its patch service, a class of Quartermaster's own.

use super::service::target;
use super::{Managed, Service, Update};
use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::enumeration::Mode;
use crate::wire::{PlainInstance, PlainValue};

const SERVICE: &str = "QM_HostPatchService";
const ASSESSMENT: &str = "QM_PatchAssessment";
const STATUS: &str = "QM_BulletinStatus";
const BULLETIN: &str = "QM_Bulletin";
const COMPONENT: &str = "QM_BulletinComponent";
/// What Deploy returns where the installation service is the way (a host of packages).
pub const NOT_SUPPORTED: u32 = 1;

/// How severe bulletins are, the worst first.
pub const SEVERITIES: [&str; 5] = ["critical", "important", "moderate", "low", "other"];

/// How a host stands to all bulletins, in short.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Assessment {
    /// The system.
    pub system: String,
    /// When it was assessed.
    pub at: String,
    /// How many are missing of each of the [`SEVERITIES`].
    pub missing: [u64; SEVERITIES.len()],
    /// How many wait for a reboot.
    pub reboot_pending: u64,
    /// How many are installed.
    pub installed: u64,
}

/// How a host stands to one bulletin.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bulletin {
    /// Its id.
    pub id: String,
    /// The identifier of what is told of it and the host; it holds the system's name.
    pub instance_id: String,
    /// What it is about.
    pub title: String,
    /// How severe it is, in a word.
    pub severity: String,
    /// What kind it is, in a word.
    pub category: String,
    /// Whether the host lacks it.
    pub is_missing: bool,
    /// Whether installing it takes a reboot.
    pub needs_reboot: bool,
}

impl Assessment {
    fn of(instance: &PlainInstance) -> Self {
        let text = |name: &str| instance.text(name).unwrap_or_default().to_owned();
        let count = |name: &str| text(name).trim().parse().unwrap_or(0);
        Self {
            system: text("SystemName"),
            at: text("AssessmentTime"),
            missing: [
                "MissingCriticalCount",
                "MissingImportantCount",
                "MissingModerateCount",
                "MissingLowCount",
                "MissingOtherCount",
            ]
            .map(count),
            reboot_pending: count("RebootPendingCount"),
            installed: count("InstalledCount"),
        }
    }

    /// How a host stands that has no patch service: each update counts as one of no known severity.
    pub fn of_updates(service: &Service, updates: &[Update]) -> Self {
        let mut assessment = Self { system: service.system_name().to_owned(), ..Self::default() };
        if let Some(other) = assessment.missing.last_mut() {
            *other = u64::try_from(updates.len()).unwrap_or(u64::MAX);
        }
        assessment
    }

    /// Whether it is that of the system of a service.
    pub fn is_of(&self, service: &Service) -> bool {
        self.system == service.system_name()
    }

    /// How many are missing in all.
    pub fn total(&self) -> u64 {
        self.missing.iter().sum()
    }
}

impl Bulletin {
    fn of(instance: &PlainInstance) -> Self {
        let text = |name: &str| instance.text(name).unwrap_or_default().to_owned();
        let truth = |name: &str| text(name).eq_ignore_ascii_case("true");
        Self {
            id: text("BulletinID"),
            instance_id: text("InstanceID"),
            title: text("ElementName"),
            severity: text("Severity"),
            category: text("Category"),
            is_missing: truth("Missing"),
            needs_reboot: truth("RestartRequired"),
        }
    }

    /// An update where nothing says how severe it is.
    pub fn of_update(update: &Update) -> Self {
        Self {
            id: update.newest.full_name(),
            instance_id: String::new(),
            title: format!("in place of {}", update.installed.full_name()),
            severity: "other".to_owned(),
            category: "update".to_owned(),
            is_missing: true,
            needs_reboot: false,
        }
    }

    /// Whether it is told of the system of a service: identifiers are `Quartermaster:BulletinStatus:SYSTEM:ID`.
    pub fn is_of(&self, service: &Service) -> bool {
        let head = self.instance_id.strip_suffix(&self.id).and_then(|head| head.strip_suffix(':'));
        head.is_some_and(|head| head.strip_suffix(service.system_name()).is_some_and(|kind| kind.ends_with(':')))
    }

    fn rank(&self) -> usize {
        SEVERITIES.iter().position(|severity| *severity == self.severity).unwrap_or(SEVERITIES.len())
    }
}

impl Session {
    /// The patch services of the host; none where no service tells what it lacks.
    pub async fn patch_services(&self) -> Result<Vec<Service>, ConsoleError> {
        self.services_of(SERVICE).await
    }

    /// Begins to compare the host with what there is; an image with metadata at these URIs. Gives the job.
    pub async fn scan(&self, service: &Service, metadata: &[String]) -> Result<EndpointReference, ConsoleError> {
        let input = list("MetadataURIs", metadata).into_iter().chain([target(service)]);
        self.started(service, "Scan", input.collect()).await
    }

    /// Begins to install bulletins that the last scan found. Gives the job.
    pub async fn deploy(
        &self,
        service: &Service,
        bulletins: &[String],
        bundles: &[String],
    ) -> Result<EndpointReference, ConsoleError> {
        let input =
            list("BulletinIDs", bulletins).into_iter().chain(list("BundleURIs", bundles)).chain([target(service)]);
        self.started(service, "Deploy", input.collect()).await
    }

    /// How the host stood when it was assessed last, once for each system.
    pub async fn assessments(&self) -> Result<Vec<Assessment>, ConsoleError> {
        let found = self.enumerate(&Resource::known(ASSESSMENT), &Enumeration::default()).await?;
        Ok(found.items.iter().filter_map(|item| Some(Assessment::of(item.instance.as_ref()?))).collect())
    }

    /// How it stood to each bulletin, what is missing and severe first.
    pub async fn bulletins(&self) -> Result<Vec<Bulletin>, ConsoleError> {
        let found = self.enumerate(&Resource::known(STATUS), &Enumeration::default()).await?;
        let mut bulletins: Vec<Bulletin> =
            found.items.iter().filter_map(|item| Some(Bulletin::of(item.instance.as_ref()?))).collect();
        bulletins.sort_by(|a, b| (!a.is_missing, a.rank(), &a.id).cmp(&(!b.is_missing, b.rank(), &b.id)));
        Ok(bulletins)
    }

    /// The packages that some bulletins of a host of packages are about.
    pub async fn packages_of(&self, bulletins: &[String]) -> Result<Vec<EndpointReference>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(BULLETIN), &wanted).await?;
        let mut packages: Vec<EndpointReference> = Vec::new();
        for item in found.items {
            let (Some(instance), Some(reference)) = (item.instance, item.reference) else { continue };
            let id = instance.text("InstanceID").unwrap_or_default();
            let is_meant = bulletins
                .iter()
                .any(|bulletin| id.strip_suffix(bulletin.as_str()).is_some_and(|head| head.ends_with(':')));
            if is_meant {
                let components = self.associated(&reference, Some(COMPONENT), "CIM_SoftwareIdentity").await?;
                packages.extend(components.into_iter().filter_map(|item| item.reference));
            }
        }
        packages.dedup();
        Ok(packages)
    }
}

impl Service {
    /// Whether it is for an image, whose bulletins it deploys itself.
    pub fn is_of_image(&self) -> bool {
        self.managed == Managed::Image
    }
}

fn list(name: &str, items: &[String]) -> Option<(String, PlainValue)> {
    let items: Vec<PlainValue> = items.iter().map(|item| item.as_str().into()).collect();
    (!items.is_empty()).then(|| (name.to_owned(), PlainValue::Array(items)))
}
