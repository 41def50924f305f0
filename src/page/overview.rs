//! Where one begins: each system in short, and what is at work.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::bulletins;
use super::failure::Failure;
use super::frame::Frame;
use super::jobs::{self, JobRow};
use super::reading::{Moment, Reading};
use super::systems::System;
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;

/// OperationalStatus: OK.
const OK: u64 = 2;

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    systems: Vec<Summary>,
    jobs: Vec<JobRow>,
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
    /// How many bulletins are missing, and when that was found out.
    missing: Option<(u64, Moment)>,
}

/// The page.
pub(super) async fn show(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

fn made(visit: &Visit) -> Result<OverviewPage, Failure> {
    let systems = System::all(&visit.objects)?;
    let systems = systems.iter().map(|system| Summary::of(visit, system)).collect::<Result<_, _>>()?;
    Ok(OverviewPage { frame: visit.frame("Overview", "/")?, systems, jobs: jobs::all(&visit.objects)? })
}

impl Summary {
    fn of(visit: &Visit, system: &System) -> Result<Self, Failure> {
        let status = system.instance.numbers("OperationalStatus");
        let class = if system.is_image { "VMware_ComponentSoftwareIdentity" } else { "LMI_InstalledSoftwareIdentity" };
        let hypervisors = visit.objects.all(IMPLEMENTATION_NAMESPACE, "VMware_HypervisorSoftwareIdentity")?;
        let product = hypervisors.first().filter(|_| system.is_image).map(|hypervisor| hypervisor.text("Caption"));
        let assessment = bulletins::assessment(visit, system)?;
        let missing = assessment
            .and_then(|assessment| Some((assessment.number("MissingCount")?, assessment.moment("AssessmentTime"))));
        Ok(Self {
            name: system.name.clone(),
            kind: system.kind(),
            key: system.key(),
            is_well: status.first() == Some(&OK),
            notes: system.instance.texts("StatusDescriptions"),
            installed: visit.objects.count(class),
            product: product.unwrap_or_default(),
            missing,
        })
    }
}
