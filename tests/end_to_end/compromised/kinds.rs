//! The kinds of requests, each as somebody would ask who means ill.

use std::collections::BTreeMap;
use std::iter::successors;
use std::path::PathBuf;

use quartermaster::access::Caller;
use quartermaster::software::patch::PatchOperation;
use quartermaster::software::vib::ImageOperation;
use quartermaster::software::{Nevra, Operation};
use quartermaster::worker::protocol::Request;
use quartermaster::worker::{Staged, Work};

/// What a hostile process is after, on a host that has it.
pub(super) struct Aim {
    /// A package that nobody may install.
    pub(super) package: PathBuf,
    /// A copy of it in the spool.
    pub(super) staged: Staged,
    /// A folder that is no bundle.
    pub(super) bundle: PathBuf,
    /// A job that is over.
    pub(super) job: u64,
}

/// A request of each kind, and of each kind of work. Whoever adds a kind says here what a hostile process would ask with it.
pub(super) fn of_each_kind<'a>(aim: &'a Aim, caller: &'a Caller) -> impl Iterator<Item = Request> + 'a {
    successors(Some(Request::Watch), |request| after(request, aim, caller.clone()))
}

fn after(request: &Request, aim: &Aim, caller: Caller) -> Option<Request> {
    let nevra = || aim.staged.nevra.clone();
    Some(match request {
        Request::Watch => Request::Stage { path: aim.package.clone(), caller },
        Request::Stage { .. } => Request::StageUpload { caller },
        Request::StageUpload { .. } => Request::CheckBundle { path: aim.bundle.clone(), caller },
        Request::CheckBundle { .. } => Request::SetRepository { id: "main".to_owned(), enabled: true, caller },
        Request::SetRepository { .. } => Request::Cancel { job: aim.job, caller },
        Request::Cancel { .. } => Request::Discard { staged: aim.staged.id, caller },
        Request::Discard { .. } => Request::Sweep { keep: Vec::new(), older_than_seconds: 0, caller },
        Request::Sweep { .. } => Request::Forget { jobs: vec![aim.job], lowest: aim.job + 1, caller },
        Request::Forget { .. } => Request::Plan { work: Work::Change(Operation::Update { nevra: nevra() }), caller },
        Request::Plan { .. } => Request::Run {
            job: 900,
            operation: Work::InstallStaged { staged: aim.staged.clone(), force: true },
            caller,
        },
        Request::Run { operation, .. } => match work_after(operation, aim) {
            Some(operation) => Request::Run { job: 900, operation, caller },
            None => Request::Retire,
        },
        Request::Retire => return None,
    })
}

fn work_after(work: &Work, aim: &Aim) -> Option<Work> {
    let nevra = aim.staged.nevra.clone();
    let (file, force) = (aim.package.clone(), true);
    let patch = || PatchOperation::Scan { metadata: vec![format!("file://{}", aim.package.display())] };
    let install = || ImageOperation::Install { bundles: vec![aim.bundle.clone()], bulletins: None };
    let on_image = |operation| Work::Image { operation, seen: BTreeMap::new() };
    Some(match work {
        Work::InstallStaged { .. } => Work::InstallRemote { url: "http://127.0.0.1:1/a.deb".to_owned(), force },
        Work::InstallRemote { .. } => Work::Change(Operation::InstallFile { file, nevra, force }),
        Work::Change(operation) => operation_after(operation, nevra).map_or_else(|| Work::Patch(patch()), Work::Change),
        Work::Patch(operation) => patch_after(operation, aim).map_or_else(|| on_image(install()), Work::Patch),
        Work::Image { operation, .. } => on_image(match operation {
            ImageOperation::Install { .. } => ImageOperation::Remove { vibs: vec!["esx-base".to_owned()] },
            ImageOperation::Remove { .. } => ImageOperation::RollBack,
            ImageOperation::RollBack => return None,
        }),
    })
}

fn operation_after(operation: &Operation, nevra: Nevra) -> Option<Operation> {
    Some(match operation {
        Operation::InstallFile { .. } => Operation::Install { nevra, force: true },
        Operation::Install { .. } => Operation::Update { nevra },
        Operation::Update { .. } => Operation::Repair { nevra },
        Operation::Repair { .. } => Operation::Remove { nevra, force: true },
        Operation::Remove { .. } => Operation::Verify { nevra },
        Operation::Verify { .. } => Operation::RefreshRepositories,
        Operation::RefreshRepositories => return None,
    })
}

fn patch_after(operation: &PatchOperation, aim: &Aim) -> Option<PatchOperation> {
    let metadata = Vec::new();
    Some(match operation {
        PatchOperation::Scan { .. } => PatchOperation::Assess { metadata },
        PatchOperation::Assess { .. } => PatchOperation::Deploy {
            bulletins: vec!["x".to_owned()],
            bundles: vec![format!("file://{}", aim.bundle.display())],
            seen: BTreeMap::new(),
            metadata,
        },
        PatchOperation::Deploy { .. } => PatchOperation::Remove { vibs: vec!["esx-base".to_owned()], metadata },
        PatchOperation::Remove { .. } => PatchOperation::RollBack { metadata },
        PatchOperation::RollBack { .. } => return None,
    })
}

/// Which worker a request that only one of them serves is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Packages,
    Image,
    Both,
}

pub(super) fn served_by(request: &Request) -> Of {
    match request {
        Request::Stage { .. } | Request::StageUpload { .. } | Request::Plan { .. } | Request::SetRepository { .. } => {
            Of::Packages
        }
        Request::CheckBundle { .. } => Of::Image,
        Request::Run { operation, .. } => match operation {
            Work::InstallStaged { .. } | Work::InstallRemote { .. } | Work::Change(_) => Of::Packages,
            Work::Image { .. } => Of::Image,
            Work::Patch(_) => Of::Both,
        },
        Request::Watch
        | Request::Cancel { .. }
        | Request::Discard { .. }
        | Request::Sweep { .. }
        | Request::Forget { .. }
        | Request::Retire => Of::Both,
    }
}
