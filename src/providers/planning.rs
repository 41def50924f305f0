//! What a change would do, before it is made: CheckSoftwareIdentity (DSP1025 8.1) and our own PlanChanges.

use std::time::Instant;

use super::installation::{asked_of_identity, does_not_fit};
use super::job_instance::error_code;
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::identity_id;
use crate::access::Caller;
use crate::broker::{Arguments, MethodReply};
use crate::cim::{CimError, Instance, Value};
use crate::jobs::{JobRequest, PackageRequest, PlanError};
use crate::software::{ChangeKind, Nevra, Plan, PlannedChange};

/// InstallCharacteristics.
const MANUAL_REBOOT_REQUIRED: u16 = 6;
const NO_REBOOT_REQUIRED: u16 = 7;
const MAY_BE_ADDED_TO_COLLECTION: u16 = 9;

/// `CheckSoftwareIdentity`: whether an installation would work and what it would entail.
pub(super) fn check(
    model: &Model,
    caller: &Caller,
    arguments: &Arguments,
    until: Instant,
) -> Result<MethodReply, CimError> {
    let (nevra, options, asked) = match asked_of_identity(model, arguments) {
        Ok(asked) => asked,
        Err(why) => return Ok(does_not_fit("CheckSoftwareIdentity", caller, why)),
    };
    let plan = match plan(model, caller, &PackageRequest::ChangeIdentity { nevra, options, asked }.into(), until)? {
        Ok(plan) => plan,
        Err(refusal) => return Ok(refusal),
    };
    // Neither of them: no information can be determined (DSP1025 9.3).
    let reboot = plan.needs_reboot.map(|is_needed| if is_needed { MANUAL_REBOOT_REQUIRED } else { NO_REBOOT_REQUIRED });
    let mut characteristics: Vec<u16> = reboot.into_iter().collect();
    if !arguments.get("Collection").is_null() {
        characteristics.push(MAY_BE_ADDED_TO_COLLECTION);
    }
    Ok(MethodReply::code(0).with("InstallCharacteristics", Value::array(characteristics)))
}

/// `PlanChanges`: every package that would not stay as it is, and how much would be fetched and written; or why it is not
/// possible, which no method of DSP1025's has a parameter for.
pub(super) fn changes(
    model: &Model,
    caller: &Caller,
    arguments: &Arguments,
    until: Instant,
) -> Result<MethodReply, CimError> {
    let (nevra, options, asked) = match asked_of_identity(model, arguments) {
        Ok(asked) => asked,
        Err(why) => return Ok(with_reason(does_not_fit("PlanChanges", caller, why))),
    };
    let plan = match plan(model, caller, &PackageRequest::ChangeIdentity { nevra, options, asked }.into(), until)? {
        Ok(plan) => plan,
        Err(refusal) => return Ok(with_reason(refusal)),
    };
    let changes: Result<Vec<Instance>, CimError> = plan.changes.iter().map(|change| shown(model, change)).collect();
    Ok(MethodReply::code(0)
        .with("Changes", Value::array(changes?))
        .with("DownloadSize", plan.download_octets)
        .with("DiskUsage", plan.disk_octets))
}

fn with_reason(refusal: MethodReply) -> MethodReply {
    match refusal.why.clone() {
        Some(why) => refusal.with("Reason", why),
        None => refusal,
    }
}

/// The plan of a job; or what to answer where the job would fail.
fn plan(
    model: &Model,
    caller: &Caller,
    request: &JobRequest,
    until: Instant,
) -> Result<Result<Plan, MethodReply>, CimError> {
    match model.jobs().plan(request, caller, until) {
        Ok(plan) => Ok(Ok(plan)),
        Err(PlanError::NotPossible(error)) => {
            tracing::info!("a plan shows that it is not possible: {}", error.message);
            Ok(Err(MethodReply::refusal(u32::from(error_code(error.cause)), error.message)))
        }
        Err(PlanError::TimedOut) => Err(CimError::timed_out(
            "The plan was not made within the OperationTimeout and was given up; nothing was changed. Ask again with a longer one.",
        )),
        Err(error @ PlanError::WorkerUnavailable(_)) => {
            let text = "The worker that changes software cannot be reached; the operator's log says why.";
            Err(CimError::internal(text, error))
        }
    }
}

fn shown(model: &Model, planned: &PlannedChange) -> Result<Instance, CimError> {
    let change = &planned.change;
    let kind: u16 = match change.kind {
        ChangeKind::Installed => 2,
        ChangeKind::Updated => 3,
        ChangeKind::Downgraded => 4,
        ChangeKind::Reinstalled => 5,
        ChangeKind::Removed => 6,
    };
    let identity = |nevra: &Option<Nevra>| nevra.as_ref().map(identity_id);
    let mut instance = Instance::new(model.class("QM_PlannedChange")?);
    instance
        .set("Kind", kind)?
        .set("Before", identity(&change.before))?
        .set("After", identity(&change.after))?
        .set("DownloadSize", planned.download_octets)?;
    Ok(instance)
}
