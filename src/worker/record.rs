//! The worker's own record of who asked for what, beside the journals: lines as those of the audit log, in a file of the worker's
//! that the process that faces the network can neither write nor read.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use super::listening::failed;
use super::protocol::{Request, Work};
use super::settings::WorkerError;
use crate::access::{Audit, Change};
use crate::audit::{self, Log, without_secrets};
use crate::clock::SharedClock;
use crate::software::vib::ImageOperation;
use crate::software::{Nevra, Operation, patch::PatchOperation};

/// What the file is called that is written; the names of its lock and of those that were rotated begin with this.
pub const RECORD_FILE: &str = "record.jsonl";

/// How large a file gets, in octets, and how many are kept beside the one that is written.
const ROTATE: u64 = 10 * 1024 * 1024;
const KEPT: usize = 4;

/// Opens the record of the worker of this folder, which nobody else writes.
pub(super) fn open(worker_dir: &Path, clock: SharedClock) -> Result<Audit, WorkerError> {
    let folder = worker_dir.join("jobs");
    let file = folder.join(RECORD_FILE);
    let settings = audit::Settings { file: file.clone(), rotate_octets: ROTATE, kept_files: KEPT };
    let made = DirBuilder::new().recursive(true).mode(0o750).create(&folder);
    let log = made.and_then(|()| Log::open(settings, clock)).map_err(|source| failed("write", &file, source))?;
    Ok(Audit::to(Arc::new(log)))
}

/// Whether the record tells of a request before it is carried out: it changes something that is not the service's own, or
/// gives up numbers of jobs for good. Of jobs it tells by themselves.
pub(super) fn is_change(request: &Request) -> bool {
    match request {
        Request::SetRepository { .. } | Request::Cancel { .. } | Request::Forget { .. } => true,
        Request::Watch
        | Request::Stage { .. }
        | Request::StageUpload { .. }
        | Request::CheckBundle { .. }
        | Request::Run { .. }
        | Request::Plan { .. }
        | Request::Discard { .. }
        | Request::Sweep { .. }
        | Request::Retire => false,
    }
}

/// What a request asks for.
pub(super) fn told(request: &Request) -> Change {
    match request {
        Request::Watch => Change::by("Watch"),
        Request::Stage { path, .. } => Change::new("Stage", path.display()),
        Request::StageUpload { .. } => Change::by("StageUpload"),
        Request::CheckBundle { path, .. } => Change::new("CheckBundle", path.display()),
        Request::Run { operation, .. } => work_told(operation),
        Request::Plan { .. } => Change::by("Plan"),
        Request::SetRepository { id, enabled, .. } => {
            Change::new("SetRepository", id).with(if *enabled { "enabled" } else { "disabled" })
        }
        Request::Cancel { job, .. } => Change::new("Cancel", format_args!("job {job}")),
        Request::Discard { staged, .. } => Change::new("Discard", staged),
        Request::Sweep { .. } => Change::by("Sweep"),
        Request::Forget { jobs, lowest, .. } => {
            Change::new("Forget", format_args!("jobs below {lowest}")).with(format!("{} to delete", jobs.len()))
        }
        Request::Retire => Change::by("Retire"),
    }
}

/// What a job is to do.
pub(super) fn work_told(work: &Work) -> Change {
    match work {
        Work::InstallStaged { staged, force } => {
            let file = format!("{}, SHA-256 {}", staged.file_name, staged.sha256);
            Change::new("InstallStaged", &staged.nevra).with(file + if *force { ", forced" } else { "" })
        }
        Work::InstallRemote { url, force } => Change::new("InstallRemote", without_secrets(url)).with(forced(*force)),
        Work::Change(operation) => operation_told(operation),
        Work::Patch(operation) => match operation {
            PatchOperation::Scan { metadata } => Change::new(operation.word(), addresses(metadata)),
            PatchOperation::Assess { .. } | PatchOperation::RollBack { .. } => Change::by(operation.word()),
            PatchOperation::Deploy { bulletins, bundles, .. } => {
                Change::new(operation.word(), bulletins.join(", ")).with(addresses(bundles))
            }
            PatchOperation::Remove { vibs, .. } => Change::new(operation.word(), vibs.join(", ")),
        },
        Work::Image { operation, .. } => match operation {
            ImageOperation::Install { bundles, bulletins } => {
                let bundles: Vec<_> = bundles.iter().map(|bundle| bundle.display().to_string()).collect();
                Change::new("UpdateImage", bundles.join(", "))
                    .with(bulletins.iter().flatten().cloned().collect::<Vec<_>>().join(", "))
            }
            ImageOperation::Remove { vibs } => Change::new("RemoveVibs", vibs.join(", ")),
            ImageOperation::RollBack => Change::by("RollBack"),
        },
    }
}

fn operation_told(operation: &Operation) -> Change {
    let of = |method: &str, nevra: &Nevra, force: bool| Change::new(method, nevra).with(forced(force));
    match operation {
        Operation::InstallFile { nevra, force, .. } => of("InstallFile", nevra, *force),
        Operation::Install { nevra, force } => of("Install", nevra, *force),
        Operation::Update { nevra } => of("Update", nevra, false),
        Operation::Repair { nevra } => of("Repair", nevra, false),
        Operation::Remove { nevra, force } => of("Remove", nevra, *force),
        Operation::Verify { nevra } => of("Verify", nevra, false),
        Operation::RefreshRepositories => Change::by("RefreshRepositories"),
    }
}

fn forced(force: bool) -> &'static str {
    if force { "forced" } else { "" }
}

fn addresses(addresses: &[String]) -> String {
    addresses.iter().map(|address| without_secrets(address)).collect::<Vec<_>>().join(", ")
}
