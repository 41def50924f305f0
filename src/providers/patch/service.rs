//! The service itself: what is judged at once, and what becomes a job.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::installation::{does_not_fit, not_submitted};
use super::super::single::Single;
use super::paths::{SERVICE, SERVICE_NAME};
use super::system::PatchSystem;
use crate::access::Caller;
use crate::broker::{Arguments, Invocation, MethodReply};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::client::Place;
use crate::jobs::{Assessed, JobRequest, StageError};
use crate::software::patch::{MetadataSource, PartChange, PatchOperation};
use crate::software::vib::SeenBundles;

const NOT_SUPPORTED: u32 = 1;
const JOB_STARTED: u32 = 4096;
const URI_NOT_ACCESSIBLE: u32 = 4107;
const NOT_SCANNED: u32 = 32768;
const NOT_IN_LAST_SCAN: u32 = 32769;

/// How many URIs, bulletins and VIBs one call may name.
const MOST_URIS: usize = 64;
const MOST_NAMES: usize = 5_000;
/// The longest name, in octets.
const LONGEST_NAME: usize = 256;

/// How bulletins are released that change what the host has; removing is for extensions, as with esxupdate(8).
const PATCHES: [&str; 4] = ["patch", "rollup", "update", "upgrade"];

/// Serves the patch service.
#[derive(Debug)]
pub(super) struct PatchServices(Arc<PatchSystem>);

/// An answer other than a job.
enum Answer {
    /// The arguments do not fit, for this reason.
    DoesNotFit(&'static str),
    /// Another return value.
    Code(u32),
    /// A URI of a file that cannot be taken, for this reason.
    NotAccessible(String),
    /// No answer to the call at all.
    Fault(CimError),
}

impl From<CimError> for Answer {
    fn from(error: CimError) -> Self {
        Self::Fault(error)
    }
}

impl PatchServices {
    pub(super) fn new(system: Arc<PatchSystem>) -> Self {
        Self(system)
    }

    fn operation(&self, method: &str, caller: &Caller, arguments: &Arguments) -> Result<PatchOperation, Answer> {
        if !arguments.get("Target").as_reference().is_some_and(|path| self.0.system.is_system(path)) {
            return Err(Answer::DoesNotFit("Target is not this system"));
        }
        let is_image = self.0.is_image();
        match method {
            "Scan" if is_image => {
                Ok(PatchOperation::Scan { metadata: self.some_uris(caller, arguments, "MetadataURIs")? })
            }
            "Scan" if uris(arguments, "MetadataURIs")?.is_empty() => Ok(PatchOperation::Scan { metadata: Vec::new() }),
            "Scan" => {
                Err(Answer::DoesNotFit("MetadataURIs are given, but this host's repositories have its advisories"))
            }
            "Assess" => Ok(PatchOperation::Assess { metadata: self.scanned()?.assessment.metadata.clone() }),
            _ if !is_image => Err(Answer::Code(NOT_SUPPORTED)),
            "Deploy" => self.deploy(caller, arguments),
            "Uninstall" => self.uninstall(arguments),
            _ => Ok(PatchOperation::RollBack { metadata: self.metadata() }),
        }
    }

    fn deploy(&self, caller: &Caller, arguments: &Arguments) -> Result<PatchOperation, Answer> {
        let bulletins = names(arguments, "BulletinIDs")?;
        if bulletins.is_empty() {
            return Err(Answer::DoesNotFit("BulletinIDs are missing"));
        }
        let scanned = self.scanned()?;
        let bulletins = in_last_scan(&scanned, &bulletins)?;
        let bundles = uris(arguments, "BundleURIs")?;
        let seen = self.check(caller, &bundles)?;
        Ok(PatchOperation::Deploy { bulletins, bundles, seen, metadata: scanned.assessment.metadata.clone() })
    }

    fn uninstall(&self, arguments: &Arguments) -> Result<PatchOperation, Answer> {
        let (mut vibs, bulletins) = (names(arguments, "VIBs")?, names(arguments, "BulletinIDs")?);
        if vibs.is_empty() && bulletins.is_empty() {
            return Err(Answer::DoesNotFit("VIBs and BulletinIDs are missing"));
        }
        if !bulletins.is_empty() {
            let scanned = self.scanned()?;
            for id in in_last_scan(&scanned, &bulletins)? {
                let Some(status) = scanned.bulletin(&id) else { continue };
                if PATCHES.contains(&&*status.release_type.to_lowercase()) {
                    return Err(Answer::DoesNotFit("a patch of BulletinIDs would take the patched VIBs with it"));
                }
                let installed = status.parts.iter().filter(|part| part.change == PartChange::Installed);
                vibs.extend(installed.map(|part| part.id.clone()));
            }
            vibs.sort();
            vibs.dedup();
        }
        if vibs.is_empty() {
            return Err(Answer::DoesNotFit("nothing of BulletinIDs was installed at the last scan"));
        }
        Ok(PatchOperation::Remove { vibs, metadata: self.metadata() })
    }

    fn scanned(&self) -> Result<Arc<Assessed>, Answer> {
        self.0.assessed().ok_or(Answer::Code(NOT_SCANNED))
    }

    /// The metadata of the last scan; none if there was none.
    fn metadata(&self) -> Vec<MetadataSource> {
        self.0.assessed().map(|assessed| assessed.assessment.metadata.clone()).unwrap_or_default()
    }

    fn some_uris(&self, caller: &Caller, arguments: &Arguments, name: &str) -> Result<Vec<String>, Answer> {
        let uris = uris(arguments, name)?;
        if uris.is_empty() {
            return Err(Answer::DoesNotFit("MetadataURIs are missing"));
        }
        self.check(caller, &uris)?;
        Ok(uris)
    }

    /// Lets the worker see whether files of this host can be read, and which bundles they are.
    fn check(&self, caller: &Caller, uris: &[String]) -> Result<SeenBundles, Answer> {
        let mut seen = SeenBundles::new();
        for uri in uris {
            let Some(Place::Local(file)) = Place::of(uri) else { continue };
            match self.0.jobs().check_bundle(&file, caller) {
                Ok(identity) => drop(seen.insert(file, identity)),
                // What is in it is judged by the job.
                Err(StageError::NotAPackage(_)) => {}
                Err(error @ StageError::OtherOrders) => {
                    return Err(CimError::in_use(error.to_string()).into());
                }
                Err(error @ StageError::WorkerUnavailable(_)) => {
                    let text = "The worker that changes software cannot be reached; the operator's log says why.";
                    return Err(CimError::internal(text, error).into());
                }
                Err(error) => {
                    tracing::info!(error = &error as &dyn std::error::Error, uri, "a URI is refused");
                    return Err(Answer::NotAccessible(format!("{uri}: {error}")));
                }
            }
        }
        Ok(seen)
    }

    fn submit(&self, caller: &Caller, operation: PatchOperation) -> Result<MethodReply, CimError> {
        let job = self.0.jobs().submit(JobRequest::Patch(operation), caller).map_err(not_submitted)?;
        Ok(MethodReply::code(JOB_STARTED).with("Job", self.0.system.job_path(&job)))
    }
}

impl Single for PatchServices {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![SERVICE.into()]
    }

    fn path(&self, _: &Class) -> Arc<ObjectPath> {
        self.0.service_path()
    }

    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let how = if self.0.is_image() {
            "Compares the image with the metadata of bulletins and installs what it lacks."
        } else {
            "Compares the host with the advisories of its repositories. What it lacks is installed by the installation service."
        };
        let mut service = Instance::new(class.clone());
        service
            .set("CreationClassName", SERVICE)?
            .set("Name", SERVICE_NAME)?
            .set("SystemCreationClassName", self.0.system.name().class.clone())?
            .set("SystemName", self.0.name().clone())?
            .set("ElementName", "Host Patch Service")?
            .set("Caption", "Host patch service for this system.")?
            .set("Description", how)?
            .set("EnabledDefault", 5u16)?
            .set("EnabledState", 5u16)?
            .set("HealthState", 5u16)?
            .set("OperationalStatus", Value::array([2u16]))?
            .set("RequestedState", 12u16)?
            .set("Started", true)?;
        Ok(service)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        let (caller, method) = (invocation.caller, &*invocation.method.name);
        match method {
            "Scan" | "Assess" | "Deploy" | "Uninstall" | "RollBack" => {
                match self.operation(method, caller, &invocation.arguments) {
                    Ok(operation) => self.submit(caller, operation),
                    Err(Answer::DoesNotFit(why)) => Ok(does_not_fit(method, caller, why)),
                    Err(Answer::Code(code)) => Ok(MethodReply::code(code)),
                    Err(Answer::NotAccessible(why)) => Ok(MethodReply::refusal(URI_NOT_ACCESSIBLE, why)),
                    Err(Answer::Fault(error)) => Err(error),
                }
            }
            "RequestStateChange" | "StartService" | "StopService" => Ok(MethodReply::code(NOT_SUPPORTED)),
            name => Err(CimError::new(CimStatus::MethodNotAvailable, format!("Method {name} is not served."))),
        }
    }
}

/// The texts of an argument, each once.
fn texts(arguments: &Arguments, name: &str, most: usize) -> Result<Vec<String>, Answer> {
    let items = arguments.get(name).as_array().unwrap_or_default();
    if items.len() > most {
        return Err(Answer::DoesNotFit("there are too many URIs, bulletins or VIBs"));
    }
    let (mut texts, mut known) = (Vec::new(), HashSet::new());
    for item in items {
        let text = item.as_str().map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or(Answer::DoesNotFit("a URI, bulletin or VIB is empty"))?;
        if known.insert(text) {
            texts.push(text.to_owned());
        }
    }
    Ok(texts)
}

/// Names of bulletins or VIBs.
fn names(arguments: &Arguments, name: &str) -> Result<Vec<String>, Answer> {
    let names = texts(arguments, name, MOST_NAMES)?;
    let fits = |name: &String| name.len() <= LONGEST_NAME && !name.contains(char::is_control);
    if names.iter().all(fits) {
        Ok(names)
    } else {
        Err(Answer::DoesNotFit("a bulletin or VIB is named by what is no name"))
    }
}

/// URIs of files of this host and of HTTP servers.
fn uris(arguments: &Arguments, name: &str) -> Result<Vec<String>, Answer> {
    let uris = texts(arguments, name, MOST_URIS)?;
    if uris.iter().all(|uri| Place::of(uri).is_some()) {
        return Ok(uris);
    }
    Err(Answer::DoesNotFit("a URI is neither of a file of this host nor one of http or https without a password"))
}

/// Bulletins by the ids that the last scan has.
fn in_last_scan(scanned: &Assessed, ids: &[String]) -> Result<Vec<String>, Answer> {
    let known = |id: &String| scanned.bulletin(id).map(|status| status.id.clone());
    ids.iter().map(known).collect::<Option<Vec<_>>>().ok_or(Answer::Code(NOT_IN_LAST_SCAN))
}
