//! The files of installed packages, each with how it is and how it was installed, and what joins them with their packages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::links::{Link, Links, Pairs, each, if_there, none, or_why};
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::{AD_HOC, EXECUTABLE, FILE_CHECK};
use crate::broker::{Action, Instances, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, Method, ObjectPath, PropertyError, Value};
use crate::jobs::{Job, JobRequest, PackageRequest};
use crate::software::{
    ChecksumKind, FailedCheck, FileKind, FileRecord, FileState, Finding, Inventory, ManagerError, Nevra, compare,
};

/// TargetOperatingSystem: LINUX, which is accepted for any distribution.
const LINUX: u16 = 36;

/// Return values of Invoke.
const SATISFIED: u32 = 0;
const NOT_SATISFIED: u32 = 2;

/// How many packages' files are remembered.
const REMEMBERED: usize = 8;

/// The files of one package, by path too.
#[derive(Debug)]
struct Listed {
    /// The snapshot of the installed packages by which they were told.
    inventory: Weak<Inventory>,
    nevra: Nevra,
    records: Vec<FileRecord>,
    by_path: HashMap<String, usize>,
}

impl Listed {
    fn new(inventory: Weak<Inventory>, nevra: Nevra, records: Vec<FileRecord>) -> Self {
        let by_path = records.iter().enumerate().map(|(at, record)| (record.path.clone(), at)).collect();
        Self { inventory, nevra, records, by_path }
    }

    fn find(&self, path: &str) -> Option<&FileRecord> {
        self.records.get(*self.by_path.get(path)?)
    }
}

/// Knows the files of the packages that were asked for last: whoever walks from a package to its files asks for each of them.
#[derive(Debug)]
struct Files {
    model: Arc<Model>,
    /// The latest first.
    remembered: Mutex<Vec<Arc<Listed>>>,
}

impl Files {
    /// The files of an installed package; none of one that is not installed. Blocks.
    fn of(&self, nevra: &Nevra) -> Result<Arc<Listed>, CimError> {
        let inventory = self.model.manager.inventory();
        let is_it = |listed: &Arc<Listed>| {
            listed.nevra == *nevra && std::ptr::eq(listed.inventory.as_ptr(), Arc::as_ptr(&inventory))
        };
        if let Some(listed) = self.lock().iter().find(|listed| is_it(listed)) {
            return Ok(listed.clone());
        }
        let records = self.model.manager.files(nevra).map_err(unknown)?;
        let listed = Arc::new(Listed::new(Arc::downgrade(&inventory), nevra.clone(), records));
        let mut remembered = self.lock();
        remembered.retain(|other| other.nevra != *nevra);
        remembered.insert(0, listed.clone());
        remembered.truncate(REMEMBERED);
        Ok(listed)
    }

    /// Their paths alone, for those who ask for no more of all packages. Blocks.
    fn paths(&self, nevra: &Nevra) -> Result<Vec<String>, CimError> {
        self.model.manager.paths(nevra).map_err(unknown)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Listed>>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(error: ManagerError) -> CimError {
    CimError::internal("The files of the package cannot be told; the operator's log says why.", error)
}

/// One file of a package, and the verification that found it if it is seen by one.
struct Check {
    nevra: Nevra,
    record: FileRecord,
    job: Option<Arc<Job>>,
}

impl Check {
    /// In what the file differs: by the verification, which was then, or else now.
    fn failed(&self, state: Option<&FileState>) -> Vec<FailedCheck> {
        let found = self.job.as_ref().and_then(|job| finding(job, &self.record.path));
        found.map_or_else(|| compare(&self.record, state), |finding| finding.failed.clone())
    }
}

/// Serves file checks.
#[derive(Debug)]
pub(super) struct FileChecks {
    model: Arc<Model>,
    files: Arc<Files>,
}

/// The checks, and what joins them with their packages.
pub(super) fn providers(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    let files = Arc::new(Files { model: model.clone(), remembered: Mutex::default() });
    let checks = FileChecks { model: model.clone(), files: files.clone() };
    vec![Arc::new(checks), Links::provider(OfPackage { model: model.clone(), files })]
}

impl FileChecks {
    fn find(&self, path: &ObjectPath) -> Result<Check, CimError> {
        find(&self.model, &self.files, path)?.ok_or_else(|| {
            CimError::not_found("No installed package has such a file with these keys; walk to it from its package.")
        })
    }

    fn state(&self, check: &Check) -> Result<Option<FileState>, CimError> {
        FileState::read(self.model.manager.root(), &check.record)
            .map_err(|error| CimError::internal("The file cannot be looked at; the operator's log says why.", error))
    }

    fn instance(&self, class: &Arc<Class>, check: &Check) -> Result<Instance, CimError> {
        let state = self.state(check)?;
        let path = self.model.file_check_path(&check.nevra, &check.record.path, check.job.as_deref());
        let mut instance = Instance::new(class.clone());
        for (name, value) in path.keys() {
            instance.set(name, value.clone())?;
        }
        let failed = check.failed(state.as_ref());
        instance
            .set("Caption", format!("File of {}", check.nevra))?
            .set("FileName", check.record.path.as_str())?
            .set("CheckMode", true)?
            .set("ConfigurationFile", check.record.is_configuration)?
            .set("FileExists", state.is_some())?
            .set("FailedFlags", Value::array(failed.into_iter().map(flag)))?
            .set("ChecksumType", check.record.checksum.as_ref().map_or(0, |(kind, _)| kind.number()))?;
        set_originals(&mut instance, &check.record)?;
        if let Some(state) = &state {
            set_found(&mut instance, state)?;
        }
        Ok(instance)
    }
}

impl Provider for FileChecks {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![FILE_CHECK.into()]
    }

    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        false
    }

    fn action_of(&self, _: &Class, _: &Method) -> Action {
        Action::Read
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        self.instance(class, &self.find(path)?)
    }

    /// Those that verifications found. Every other file is reached from its package: there are too many to enumerate them.
    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (class, this) = (class.clone(), Self { model: self.model.clone(), files: self.files.clone() });
        let found = self.model.jobs().jobs().into_iter().flat_map(|job| {
            let findings = job.outcome.iter().flat_map(|outcome| &outcome.findings);
            let paths: Vec<String> = findings.map(|finding| finding.path.clone()).collect();
            paths.into_iter().map(move |path| (job.clone(), path))
        });
        Ok(Box::new(found.filter_map(move |(job, file)| {
            let path = this.model.file_check_path(job.request.nevra()?, &file, Some(&job));
            match find(&this.model, &this.files, &path) {
                Ok(check) => Some(this.instance(&class, &check?)),
                Err(error) => Some(Err(error)),
            }
        })))
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        match &*invocation.method.name {
            "Invoke" => {}
            "InvokeOnSystem" => {
                let system = invocation.arguments.get("TargetSystem").as_reference();
                if !system.is_some_and(|path| self.model.is_system(path)) {
                    return Err(CimError::invalid_parameter("TargetSystem is not this system."));
                }
            }
            name => {
                return Err(CimError::new(CimStatus::MethodNotAvailable, format!("Method {name} is not served.")));
            }
        }
        let check = self.find(invocation.path)?;
        let failed = compare(&check.record, self.state(&check)?.as_ref());
        Ok(MethodReply::code(if failed.is_empty() { SATISFIED } else { NOT_SATISFIED }))
    }
}

/// The file that the keys name; none if any of them does not fit.
fn find(model: &Model, files: &Files, path: &ObjectPath) -> Result<Option<Check>, CimError> {
    let (Some(nevra), Some(file)) = (element(model, path), path.key_str("Name")) else { return Ok(None) };
    let check = path.key_str("CheckID").unwrap_or_default();
    let job = if check.eq_ignore_ascii_case(AD_HOC) {
        None
    } else {
        let job = model.named_job(&model.job_reference(check)).filter(|job| found(job, &nevra, file));
        if job.is_none() {
            return Ok(None);
        }
        job
    };
    // The verification may have known more than is known now.
    let known = job.as_ref().and_then(|job| finding(job, file)?.original.clone());
    let record = match known {
        Some(record) => Some(record),
        None => files.of(&nevra)?.find(file).cloned(),
    };
    Ok(record.map(|record| Check { nevra, record, job }))
}

/// The package that the keys name, if they fit together.
fn element(model: &Model, path: &ObjectPath) -> Option<Nevra> {
    let nevra: Nevra = path.key_str("SoftwareElementID")?.parse().ok()?;
    let number = |name: &str| path.key(name).and_then(Value::as_u64);
    let is_system = number("TargetOperatingSystem")
        .is_some_and(|os| os == u64::from(LINUX) || os == u64::from(model.operating_system()));
    let fits = path.key_str("Version")? == nevra.evra()
        && number("SoftwareElementState")? == u64::from(EXECUTABLE)
        && is_system;
    fits.then_some(nevra)
}

/// Whether the job is a verification of the package that found this file.
fn found(job: &Job, nevra: &Nevra, file: &str) -> bool {
    matches!(&job.request, JobRequest::Packages(PackageRequest::Verify { nevra: of }) if of == nevra)
        && finding(job, file).is_some()
}

/// What a verification found of a file.
fn finding<'j>(job: &'j Job, file: &str) -> Option<&'j Finding> {
    job.outcome.as_ref()?.findings.iter().find(|finding| finding.path == file)
}

/// The file as it was installed, as far as that is known.
fn set_originals(instance: &mut Instance, record: &FileRecord) -> Result<(), PropertyError> {
    let mode = record.kind.zip(record.mode).map(|(kind, mode)| with_type(kind, mode));
    instance
        .set("FileTypeOriginal", record.kind.map(file_type))?
        .set("FileSizeOriginal", record.size)?
        .set("FileModeOriginal", mode)?
        .set("FileModeFlagsOriginal", record.mode.map(flags))?
        .set("UserIDOriginal", record.user)?
        .set("GroupIDOriginal", record.group)?
        .set("LinkTargetOriginal", record.link_target.as_deref())?
        .set("LastModificationTimeOriginal", record.modified)?
        .set("FileChecksumOriginal", record.checksum.as_ref().map(|(_, sum)| sum.as_str()))?;
    Ok(())
}

/// The file as it is.
fn set_found(instance: &mut Instance, state: &FileState) -> Result<(), PropertyError> {
    let checksum = state.checksum.as_ref();
    let md5 = checksum.filter(|(kind, _)| *kind == ChecksumKind::Md5);
    instance
        .set("FileType", file_type(state.kind))?
        .set("FileSize", state.size)?
        .set("FileMode", with_type(state.kind, state.mode))?
        .set("FileModeFlags", flags(state.mode))?
        .set("UserID", state.user)?
        .set("GroupID", state.group)?
        .set("LinkTarget", state.link_target.as_deref())?
        // A time before 1970 is none that the property can hold.
        .set("LastModificationTime", u64::try_from(state.modified).ok())?
        .set("FileChecksum", checksum.map(|(_, sum)| sum.as_str()))?
        .set("MD5Checksum", md5.map(|(_, sum)| sum.as_str()))?;
    Ok(())
}

/// FileType.
fn file_type(kind: FileKind) -> u16 {
    match kind {
        FileKind::Other => 0,
        FileKind::Regular => 1,
        FileKind::Directory => 2,
        FileKind::Link => 3,
        FileKind::Pipe => 4,
        FileKind::CharacterDevice => 5,
        FileKind::BlockDevice => 6,
    }
}

/// FileMode: the permission bits and the type, as stat(2) has them.
fn with_type(kind: FileKind, mode: u32) -> u32 {
    let bits = match kind {
        FileKind::Other => 0,
        FileKind::Regular => 0o100_000,
        FileKind::Directory => 0o040_000,
        FileKind::Link => 0o120_000,
        FileKind::Pipe => 0o010_000,
        FileKind::CharacterDevice => 0o020_000,
        FileKind::BlockDevice => 0o060_000,
    };
    bits | mode
}

/// FileModeFlags: the numbers of the permission bits that are set.
fn flags(mode: u32) -> Value {
    Value::array((0u8..12).filter(|bit| mode & (1 << bit) != 0))
}

/// FailedFlags.
fn flag(check: FailedCheck) -> u16 {
    match check {
        FailedCheck::Existence => 0,
        FailedCheck::Size => 1,
        FailedCheck::Mode => 2,
        FailedCheck::Checksum => 3,
        FailedCheck::Device => 4,
        FailedCheck::LinkTarget => 5,
        FailedCheck::User => 6,
        FailedCheck::Group => 7,
        FailedCheck::Modified => 8,
    }
}

/// An installed package and each of its files.
#[derive(Debug)]
struct OfPackage {
    model: Arc<Model>,
    files: Arc<Files>,
}

impl OfPackage {
    fn pairs(&self, nevra: &Nevra, paths: Vec<String>) -> Pairs {
        let (model, nevra, identity) = (self.model.clone(), nevra.clone(), self.model.identity_path(nevra));
        each(paths.into_iter().map(move |path| [model.file_check_path(&nevra, &path, None), identity.clone()]))
    }
}

impl Link for OfPackage {
    fn class(&self) -> &'static str {
        "LMI_SoftwareIdentityChecks"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Check", "Element"]
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let inventory = self.model.manager.inventory();
        let this = Self { model: self.model.clone(), files: self.files.clone() };
        let count = inventory.packages().len();
        let nevras = (0..count).filter_map(move |number| Some(inventory.packages().get(number)?.nevra.clone()));
        Ok(Box::new(
            nevras.flat_map(move |nevra| or_why(this.files.paths(&nevra).map(|paths| this.pairs(&nevra, paths)))),
        ))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 1 {
            return match if_there(self.model.installed(source))? {
                // Who walks to the files asks for each of them next: what is known of them is read and remembered.
                Some(package) => {
                    let paths = self.files.of(&package.nevra)?.records.iter().map(|file| file.path.clone()).collect();
                    Ok(self.pairs(&package.nevra, paths))
                }
                None => Ok(none()),
            };
        }
        let check = find(&self.model, &self.files, source)?;
        Ok(each(check.map(|check| {
            let path = self.model.file_check_path(&check.nevra, &check.record.path, check.job.as_deref());
            [path, self.model.identity_path(&check.nevra)]
        })))
    }
}
