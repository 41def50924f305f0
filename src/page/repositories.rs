//! Repositories: looked at, switched on and off, fetched anew.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::{Moment, Reading};
use super::reply::Answer;
use super::systems::{self, System};
use super::visit::{self, Visit};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::Instance;

const REPOSITORY: &str = "CIM_SoftwareIdentityResource";
/// EnabledState and RequestedState.
const ENABLED: u16 = 2;
const DISABLED: u16 = 3;
/// HealthState: what can be worked with.
const HEALTHY: u64 = 5;

#[derive(Debug, Template)]
#[template(path = "repositories.html")]
struct RepositoriesPage {
    frame: Frame,
    repositories: Vec<Repository>,
}

#[derive(Debug)]
struct Repository {
    name: String,
    caption: String,
    address: String,
    is_enabled: bool,
    /// Whether its metadata can be read.
    is_well: bool,
    updated: Moment,
    signed: &'static str,
}

/// All repositories.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    let made = |visit: &Visit| {
        let all = visit.objects.all(IMPLEMENTATION_NAMESPACE, REPOSITORY)?;
        let repositories = all.iter().map(Repository::of).collect();
        Ok(RepositoriesPage { frame: visit.frame("Repositories", "/repositories")?, repositories })
    };
    visit::show(page, request, made).await
}

/// Switches one on or off.
pub(super) async fn switch(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, switched).await
}

/// Has the metadata of all fetched.
pub(super) async fn refresh(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, refreshed).await
}

fn switched(visit: &Visit) -> Result<Answer, Failure> {
    let name = visit.fields.text("name");
    let all = visit.objects.all(IMPLEMENTATION_NAMESPACE, REPOSITORY)?;
    let repository = all.into_iter().find(|repository| repository.text("Name") == name);
    let repository = repository.ok_or_else(|| Failure::not_found("There is no such repository."))?;
    let wanted = if visit.fields.text("to") == "on" { ENABLED } else { DISABLED };
    let method = "RequestStateChange";
    let reply = visit.objects.call(&repository, method, &[("RequestedState", wanted.into())])?;
    match reply.return_value.as_u64() {
        Some(0) => Ok(Answer::Go("/repositories".to_owned())),
        _ => {
            let answer = systems::answer(&repository, method, &reply);
            Err(Failure::invalid(format!("The repository stays as it is: {answer}.")))
        }
    }
}

fn refreshed(visit: &Visit) -> Result<Answer, Failure> {
    let service = System::one(&visit.objects, false)?.installation(&visit.objects)?;
    let reply = visit.objects.call(&service, "RefreshRepositories", &[])?;
    systems::begun(&service, "RefreshRepositories", &reply).map(Answer::Go)
}

impl Repository {
    fn of(repository: &Instance) -> Self {
        let signed = match (repository.truth("GPGCheck"), repository.truth("RepoGPGCheck")) {
            (Some(true), Some(true)) => "packages and metadata",
            (Some(true), _) => "packages",
            (_, Some(true)) => "metadata",
            (Some(false), _) | (_, Some(false)) => "nothing",
            (None, None) => "not known",
        };
        let name = repository.text("Name");
        Self {
            caption: repository.text("Caption"),
            // apt's are named by their address.
            address: Some(repository.text("AccessInfo")).filter(|address| !name.contains(address)).unwrap_or_default(),
            name,
            is_enabled: repository.number("EnabledState") == Some(ENABLED.into()),
            is_well: repository.number("HealthState") == Some(HEALTHY),
            updated: repository.moment("TimeOfLastUpdate"),
            signed,
        }
    }
}
