//! The image of a host: what the next boot changes, and going back to the image before.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::Reading;
use super::reply::Answer;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::Instance;

/// How a VIB stands on the host.
const STANDING: &str = "VMware_ComponentElementSoftwareIdentity";
/// Values of ElementSoftwareStatus: what runs now, and what runs after the next boot.
const CURRENT: u64 = 2;
const NEXT: u64 = 3;

/// What the next boot does to software.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// Nothing.
    Keeps,
    /// It is only effective from then on.
    Brings,
    /// It goes.
    Takes,
}

impl Boot {
    /// What it does to what stands so, where an image waits for it.
    pub(super) fn of(standing: &Instance) -> Self {
        let status = standing.numbers("ElementSoftwareStatus");
        match (status.contains(&CURRENT), status.contains(&NEXT)) {
            (false, true) => Self::Brings,
            (true, false) => Self::Takes,
            _ => Self::Keeps,
        }
    }
}

/// Whether an image waits for the next boot: only then anything stands in it.
pub(super) fn waits_for_boot(visit: &Visit) -> Result<bool, Failure> {
    for standing in visit.objects.walk(IMPLEMENTATION_NAMESPACE, STANDING)? {
        if standing?.numbers("ElementSoftwareStatus").contains(&NEXT) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Debug, Template)]
#[template(path = "roll_back.html")]
struct RollBackPage {
    frame: Frame,
    /// What the next boot would bring and take; `None` if nothing waits for it.
    waiting: Option<[Vec<String>; 2]>,
}

/// What going back would come to.
pub(super) async fn ask(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, asked).await
}

/// Goes back.
pub(super) async fn roll_back(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, rolled_back).await
}

fn asked(visit: &Visit) -> Result<RollBackPage, Failure> {
    System::one(&visit.objects, true)?;
    let (mut waits, mut brought, mut taken) = (false, Vec::new(), Vec::new());
    for standing in visit.objects.walk(IMPLEMENTATION_NAMESPACE, STANDING)? {
        let standing = standing?;
        waits |= standing.numbers("ElementSoftwareStatus").contains(&NEXT);
        let list = match Boot::of(&standing) {
            Boot::Keeps => continue,
            Boot::Brings => &mut brought,
            Boot::Takes => &mut taken,
        };
        let id = standing.reference("Antecedent").and_then(|path| path.key_str("InstanceID").map(str::to_owned));
        list.extend(id.map(|id| id.rsplit_once("Identity:").map_or(id.clone(), |(_, name)| name.to_owned())));
    }
    let waiting = waits.then_some([brought, taken]);
    Ok(RollBackPage { frame: visit.frame("Go back", "/bulletins")?, waiting })
}

fn rolled_back(visit: &Visit) -> Result<Answer, Failure> {
    let system = System::one(&visit.objects, true)?;
    let service =
        system.patches(&visit.objects)?.ok_or_else(|| Failure::not_found("The image cannot be gone back."))?;
    let reply = visit.objects.call(&service, "RollBack", &[("Target", system.reference(&visit.objects))])?;
    systems::begun(&service, "RollBack", &reply).map(Answer::Go)
}
