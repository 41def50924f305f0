//! Where one begins: each system in short, and what is at work.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::bulletins;
use super::failure::Failure;
use super::frame::Frame;
use super::images;
use super::jobs::{self, JobRow};
use super::reading::{self, Moment, Reading};
use super::subscriptions;
use super::systems::System;
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::Instance;

/// OperationalStatus: OK.
const OK: u64 = 2;

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    systems: Vec<Summary>,
    jobs: Vec<JobRow>,
    /// How many subscriptions that the caller may see are not delivered now.
    undelivered: usize,
    /// The largest package file that may be sent along, for people; empty where none may.
    largest_file: String,
}

/// A system in short.
#[derive(Debug)]
struct Summary {
    name: String,
    kind: &'static str,
    key: &'static str,
    is_well: bool,
    notes: Vec<String>,
    /// How many packages or VIBs are installed.
    installed: Option<u64>,
    /// What runs there.
    product: String,
    /// What it lacks of what was published, where that was found out.
    missing: Option<Missing>,
    /// Whether an image waits for the next boot.
    waits: bool,
}

/// What a system lacks.
#[derive(Debug)]
struct Missing {
    count: u64,
    at: Moment,
    /// How many of each severity, the worst first, with the class of its mark; none that there is nothing of.
    severities: Vec<(u64, &'static str, &'static str)>,
}

/// The page.
pub(super) async fn show(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<OverviewPage, Failure> {
    let systems = System::all(&visit.objects)?;
    let systems = systems.iter().map(|system| Summary::of(visit, system)).collect::<Result<_, _>>()?;
    let undelivered = subscriptions::undelivered(visit);
    let (frame, jobs) = (visit.frame("Overview", "/")?, jobs::all(&visit.objects)?);
    let largest_file = visit.largest_file.filter(|_| frame.has_packages).map(reading::octets).unwrap_or_default();
    Ok(OverviewPage { frame, systems, jobs, undelivered, largest_file })
}

impl Summary {
    fn of(visit: &Visit, system: &System) -> Result<Self, Failure> {
        let status = system.instance.numbers("OperationalStatus");
        let class = if system.is_image { "VMware_ComponentSoftwareIdentity" } else { "LMI_InstalledSoftwareIdentity" };
        let hypervisors = visit.objects.all(IMPLEMENTATION_NAMESPACE, "VMware_HypervisorSoftwareIdentity")?;
        let product = hypervisors.first().filter(|_| system.is_image).map(|hypervisor| hypervisor.text("Caption"));
        let assessment = bulletins::assessment(visit, system)?;
        Ok(Self {
            name: system.name.clone(),
            kind: system.kind(),
            key: system.key(),
            is_well: status.first() == Some(&OK),
            notes: system.instance.texts("StatusDescriptions"),
            installed: visit.objects.count(class),
            product: product.unwrap_or_default(),
            missing: assessment.as_ref().and_then(Missing::of),
            waits: system.is_image && images::waits_for_boot(visit)?,
        })
    }
}

impl Missing {
    fn of(assessment: &Instance) -> Option<Self> {
        let severities = [
            ("MissingCriticalCount", "critical", "bad"),
            ("MissingImportantCount", "important", "warn"),
            ("MissingModerateCount", "moderate", ""),
            ("MissingLowCount", "low", ""),
            ("MissingOtherCount", "other", ""),
        ];
        let severities = severities.map(|(name, word, mark)| (assessment.number(name).unwrap_or_default(), word, mark));
        Some(Self {
            count: assessment.number("MissingCount")?,
            at: assessment.moment("AssessmentTime"),
            severities: severities.into_iter().filter(|(count, ..)| *count > 0).collect(),
        })
    }
}
