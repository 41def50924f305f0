//! The walk of the seeds' clients on a host with an image, alone and beside a host with packages.

use super::super::job_instance::error_instance;
use super::super::managed::ManagedSystem;
use super::*;
use crate::events::Describe;
use crate::jobs::{ImageRequest, Job, JobError, JobFailure, JobRequest, JobState, PackageRequest, System, VIB_SUBJECT};
use crate::software::Outcome;
use crate::software::patch::PatchOperation;
use crate::software::testing::{FixedImage, image_snapshot};
use crate::software::vib::{
    ImageErrorClass, ImageHost, ImageOperation, ImageOutcome, ImageSnapshot, SeenBundles, Standing, VibId,
};
use crate::store::changes::ChangeRecord;

/// U1 runs, and where something waits for a boot it is U1a, which has the same driver.
fn snapshot(is_pending: bool) -> ImageSnapshot {
    let driver = ("net-e1000", "8.0.3.1-5vmw.550.0.0.1331820");
    let pending = [("esx-base", "5.5.0-1.16.1746018"), driver];
    image_snapshot(&[("esx-base", "5.5.0-1.15.1623387"), driver], is_pending.then_some(&pending))
}

/// A host with an image, and one with packages beside it where there are some.
fn host_with(snapshot: ImageSnapshot, packages: Option<FixedPackages>) -> Host {
    let jobs = |store: &Arc<Store>, state: &Path| {
        let worker = WorkerProgram { program: "/nonexistent".into(), ..WorkerProgram::default() };
        let folder = state.join("image");
        std::fs::create_dir(&folder).unwrap();
        let settings = Settings { system: System::Image, ..Settings::new(folder, worker) };
        Arc::new(Jobs::open(store.clone(), Arc::new(SystemClock), settings).unwrap())
    };
    host_of_systems(packages, Some((Arc::new(FixedImage::new(snapshot)), &jobs)))
}

impl Host {
    fn image_jobs(&self) -> &Arc<Jobs> {
        self.image_jobs.as_ref().unwrap()
    }

    /// What a method of an instance answers.
    fn call(&self, instance: &Instance, method: &str, arguments: Vec<(&str, Value)>) -> Result<Value, CimError> {
        let path = self.broker.path_of(instance);
        let method = instance.class().method(method).unwrap();
        let arguments = Arguments(arguments.into_iter().map(|(name, value)| (name.into(), value)).collect());
        self.broker.invoke(&self.caller, &path, method, arguments).map(|reply| reply.return_value)
    }

    /// A job of the image, as it waits.
    fn image_job(&self) -> Arc<Job> {
        let uri = "file:///vmfs/volumes/a/ESXi550-201404001.zip".to_owned();
        let operation = ImageOperation::Install { bundles: vec!["/vmfs".into()], bulletins: None };
        let request = JobRequest::Image(ImageRequest::Update { uri, operation, seen: SeenBundles::new(), given: None });
        self.image_jobs().submit(request, &self.caller).unwrap()
    }

    /// What GetError says of a failure of a job of the image.
    fn error_of(&self, job: &Job, error: &JobError) -> Instance {
        let image = self.systems.image.as_deref().unwrap();
        error_instance(image, &image.job_path(job), error).unwrap()
    }

    fn service(&self) -> Instance {
        self.enumerate("root/cimv2", "VMware_SoftwareInstallationService").remove(0)
    }
}

fn statuses(host: &Host) -> Vec<(String, Value)> {
    let links = host.enumerate("root/cimv2", "CIM_ElementSoftwareIdentity");
    let of = |link: &Instance| {
        let vib = link.get("Antecedent").and_then(Value::as_reference).unwrap();
        (vib.key_str("InstanceID").unwrap().to_owned(), link.get("ElementSoftwareStatus").unwrap().clone())
    };
    links.iter().map(of).collect()
}

#[test]
fn profiles_lead_to_the_system_its_vibs_and_its_service() {
    let host = host_with(snapshot(false), None);
    let conforms = "CIM_ElementConformsToProfile";
    let profiles = host.enumerate(INTEROP_NAMESPACE, "CIM_RegisteredProfile");
    let mut names: Vec<_> = profiles.iter().map(|profile| text(profile, "RegisteredName")).collect();
    names.sort_unstable();
    let expected =
        ["Base Server", "Indications", "Job Control", "Profile Registration", "Software Inventory", "Software Update"];
    assert_eq!(names, expected);
    let systems = host.walk(&host.profile("Base Server"), conforms, Some("CIM_ComputerSystem"));
    assert_eq!(systems, host.enumerate("root/cimv2", "OMC_UnitaryComputerSystem"));
    let services = host.walk(&systems[0], "CIM_HostedService", Some("CIM_SoftwareInstallationService"));
    assert_eq!(services, [host.service()]);
    assert_eq!(services, host.walk(&host.profile("Software Update"), conforms, None));
    let software = host.walk(&host.profile("Software Inventory"), conforms, None);
    let kinds: Vec<_> = software.iter().map(|one| text(one, "Name")).collect();
    assert_eq!(kinds, ["VMware ESXi", "esx-base", "net-e1000"]);
    for one in &software {
        assert_eq!(text(&host.walk(one, conforms, None)[0], "RegisteredName"), "Software Inventory");
    }
    for link in host.enumerate(INTEROP_NAMESPACE, "CIM_ServiceAffectsElement") {
        let affecting = link.get("AffectingElement").and_then(Value::as_reference).unwrap();
        assert_eq!(&**affecting.class(), "CIM_IndicationService", "the installation service affects nothing");
    }
    let capabilities = host.walk(&services[0], "CIM_ElementCapabilities", None);
    assert_eq!(capabilities[0].get("SupportedURISchemes"), Some(&Value::array([3u16])));
}

#[test]
fn vibs_stand_where_they_run_or_will_run() {
    let host = host_with(snapshot(false), None);
    let id = |vib: &str| format!("VMware:VMware_ComponentSoftwareIdentity:VMware_bootbank_{vib}");
    let driver = id("net-e1000_8.0.3.1-5vmw.550.0.0.1331820");
    let installed = Value::array([2u16, 6]);
    let base = id("esx-base_5.5.0-1.15.1623387");
    assert_eq!(statuses(&host), [(base.clone(), installed.clone()), (driver.clone(), installed.clone())]);

    let host = host_with(snapshot(true), None);
    let coming = (id("esx-base_5.5.0-1.16.1746018"), Value::array([3u16, 6]));
    assert_eq!(statuses(&host), [(base, installed), (driver, Value::array([2u16, 3, 6])), coming]);
    let system = host.enumerate("root/cimv2", "CIM_ComputerSystem").remove(0);
    assert!(format!("{:?}", system.get("StatusDescriptions")).contains("rebooted"));
    assert_eq!(host.walk(&system, "CIM_ElementSoftwareIdentity", None).len(), 3);
    let hypervisor = host.walk(&system, "CIM_InstalledSoftwareIdentity", None);
    assert_eq!(text(&hypervisor[0], "VersionString"), "5.5.0.1623387");
    assert_eq!(hypervisor[0].get("LargeBuildNumber"), Some(&Value::Uint64(1_623_387)));
}

#[test]
fn a_host_in_maintenance_mode_is_in_service() {
    let still = snapshot(false);
    let maintained = ImageHost { maintenance_mode: true, ..still.host.clone() };
    let host = host_with(ImageSnapshot { host: maintained, ..still }, None);
    let system = host.enumerate("root/cimv2", "CIM_ComputerSystem").remove(0);
    assert_eq!(system.get("OperationalStatus"), Some(&Value::array([11u16])));
}

#[test]
fn what_does_not_fit_makes_no_job_and_other_methods_are_not_supported() {
    let host = host_with(snapshot(false), None);
    let service = host.service();
    let system = host.broker.path_of(&host.enumerate("root/cimv2", "OMC_UnitaryComputerSystem")[0]);
    let target = || ("Target", Value::from(system.clone()));
    let uri = |uri: &str| ("URI", Value::from(uri));
    let fits = "file:///vmfs/a.zip";
    let options = |options: &[u16]| ("InstallOptions", Value::array(options.iter().copied()));
    let values = |values: Vec<Value>| ("InstallOptionsValues", Value::Array(values.into()));
    let refused = [
        vec![uri(fits)],
        vec![target()],
        vec![target(), uri("vmfs/a.zip")],
        vec![target(), uri("https://hostupdate.vmware.com/software/VUM/PRODUCTION/main/vmw-depot-index.xml")],
        vec![target(), uri("http://h/a.zip")],
        vec![target(), uri("file://elsewhere/a.zip")],
        vec![target(), uri(&format!("file:///{}", "a".repeat(4096)))],
        vec![("Target", Value::from(host.broker.path_of(&service))), uri(fits)],
        vec![target(), uri(fits), options(&[3]), values(vec![Value::Null, Value::Null])],
        vec![target(), uri(fits), values(vec!["x".into()])],
        vec![target(), uri(fits), options(&[3]), values(vec!["x".into()])],
        vec![target(), uri(fits), options(&[8])],
        vec![target(), uri(fits), options(&[4, 13]), values(vec![Value::Null, Value::Null])],
    ];
    for arguments in refused {
        let shown = format!("{arguments:?}");
        assert_eq!(host.call(&service, "InstallFromURI", arguments).unwrap(), Value::Uint32(2), "{shown}");
    }
    // What fits goes on to the worker, of which there is none here.
    let ignored = [
        vec![target(), uri(fits)],
        vec![target(), uri(fits), options(&[])],
        vec![target(), uri(fits), options(&[]), values(vec!["".into()])],
        vec![target(), uri(fits), options(&[3, 13, 99]), values(vec![Value::Null, "x".into(), Value::Null])],
        vec![target(), uri("file:///vmfs/Storage1/")],
    ];
    for arguments in ignored {
        let shown = format!("{arguments:?}");
        let error = host.call(&service, "InstallFromURI", arguments).unwrap_err();
        assert_eq!(error.status, CimStatus::Failed, "{shown}");
    }
    for method in ["CheckSoftwareIdentity", "InstallFromSoftwareIdentity", "InstallFromByteStream", "StopService"] {
        assert_eq!(host.call(&service, method, Vec::new()).unwrap(), Value::Uint32(1), "{method}");
    }
    assert!(host.image_jobs().jobs().is_empty());
}

#[test]
fn a_job_is_shown_with_its_call_and_can_be_cancelled() {
    let host = host_with(snapshot(false), None);
    host.image_job();
    let job = host.enumerate("root/cimv2", "CIM_ConcreteJob").remove(0);
    assert_eq!(text(&job, "InstanceID"), "VMware:VMware_ConcreteJob:1");
    assert_eq!(job.get("HealthState"), Some(&Value::Uint16(5)));
    assert_eq!(host.walk(&host.service(), "CIM_OwningJobElement", None), std::slice::from_ref(&job));
    let results = host.walk(&job, "CIM_AssociatedJobMethodResult", Some("CIM_MethodResult"));
    assert_eq!(text(&results[0], "InstanceID"), "VMware:VMware_MethodResult:1");
    let before = format!("{:?}", results[0].get("PreCallIndication"));
    assert!(before.contains("file:///vmfs/volumes/a/ESXi550-201404001.zip"), "{before}");
    let cancelled = host.call(&job, "RequestStateChange", vec![("RequestedState", Value::Uint16(4))]);
    assert_eq!(cancelled.unwrap(), Value::Uint32(0));
    let job = host.enumerate("root/cimv2", "CIM_ConcreteJob").remove(0);
    assert_eq!((job.get("JobState"), job.get("PercentComplete")), (Some(&Value::Uint16(8)), Some(&Value::Uint16(100))));
    let record = host.enumerate("root/cimv2", "CIM_LogEntry").remove(0);
    assert!(text(&record, "Message").contains("InstallFromURI of file:///vmfs/volumes/a/ESXi550-201404001.zip"));
    assert_eq!(text(&record, "LogInstanceID"), "Quartermaster:ImageHistory");
}

#[test]
fn a_job_of_the_patch_service_is_owned_by_it_alone() {
    let host = host_with(snapshot(false), None);
    let scan = PatchOperation::Scan { metadata: vec!["https://depot.example.com/esx-5.5.0.zip".to_owned()] };
    host.image_jobs().submit(JobRequest::Patch(scan), &host.caller).unwrap();
    let job = host.enumerate("root/cimv2", "CIM_ConcreteJob").remove(0);
    let owners = host.walk(&job, "CIM_OwningJobElement", None);
    assert_eq!(owners.iter().map(|owner| &**owner.class().name()).collect::<Vec<_>>(), ["QM_HostPatchService"]);
    assert_eq!(host.walk(&owners[0], "CIM_OwningJobElement", None), std::slice::from_ref(&job));
    assert!(host.walk(&host.service(), "CIM_OwningJobElement", None).is_empty());
    assert_eq!(host.enumerate("root/cimv2", "CIM_OwningJobElement").len(), 1);
}

#[test]
fn the_history_of_patches_tells_the_method_and_what_it_was_for() {
    let host = host_with(snapshot(false), None);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let operations = [
        PatchOperation::Scan { metadata: names(&["https://depot.example.com/esx-5.5.0.zip"]) },
        PatchOperation::Deploy {
            bulletins: names(&["SG", "BG"]),
            bundles: Vec::new(),
            metadata: Vec::new(),
            seen: SeenBundles::default(),
        },
        PatchOperation::Remove { vibs: names(&["net-e1000"]), metadata: Vec::new() },
        PatchOperation::Assess { metadata: Vec::new() },
        PatchOperation::RollBack { metadata: Vec::new() },
    ];
    let told = [
        "Scan of https://depot.example.com/esx-5.5.0.zip",
        "Deploy of SG, BG",
        "Uninstall of net-e1000",
        "Assess",
        "RollBack",
    ];
    for operation in operations {
        let job = host.image_jobs().submit(JobRequest::Patch(operation), &host.caller).unwrap();
        host.image_jobs().cancel(job.id, &job.owner).unwrap();
    }
    let records = host.enumerate("root/cimv2", "CIM_LogEntry");
    assert_eq!(records.iter().map(|record| text(record, "Caption")).collect::<Vec<_>>(), told);
}

#[test]
fn changes_of_jobs_are_told_in_the_words_of_their_system() {
    let host = host_with(snapshot(true), Some(FixedPackages::new([package("alpha", "1.0", "")])));
    let waiting = host.image_job();
    let installed = vec![VibId::new("VMware_bootbank_esx-base_5.5.0-1.16.1746018")];
    let image = ImageOutcome { installed, needs_reboot: true, ..ImageOutcome::default() };
    let outcome = Outcome { image: Some(image), needs_reboot: true, ..Outcome::default() };
    let done = Job { state: JobState::Completed, percent: 100, outcome: Some(outcome), ..(*waiting).clone() };
    let json = |job: &Job| Some(serde_json::to_string(job).unwrap());
    let tell = |subject: &str, before: Option<&Job>, after: Option<&Job>| {
        let (before, after) = (before.and_then(json), after.and_then(json));
        let record = ChangeRecord {
            sequence: 1,
            time: chrono::DateTime::UNIX_EPOCH,
            subject: subject.to_owned(),
            before,
            after,
        };
        host.indications.describe(&record).unwrap().unwrap()
    };
    let subject = System::Image.subject();
    let changed = tell(subject, Some(&waiting), Some(&done));
    assert_eq!(&**changed.class().name(), "VMware_ConcreteJobModification");
    let source = format!("{:?}", changed.get("SourceInstance"));
    assert!(source.contains("the system needs to be rebooted for the changes to be effective"), "{source}");
    assert_eq!(&**tell(subject, None, Some(&waiting)).class().name(), "VMware_ConcreteJobCreation");
    assert_eq!(&**tell(subject, Some(&done), None).class().name(), "VMware_ConcreteJobDeletion");
    let message = "[InstallationError] [Errno 28] No space left on device".to_owned();
    let causes = [
        (JobFailure::WorkerDied, "", 99, "Quartermaster:WorkerDied"),
        (JobFailure::Image(ImageErrorClass::DependencyError), "", 14, "Quartermaster:DependencyError"),
        (JobFailure::Image(ImageErrorClass::InstallationError), &*message, 15, "Quartermaster:InstallationError"),
    ];
    for (cause, message, code, id) in causes {
        let error = JobError { cause, message: message.to_owned() };
        let failed = Job { state: JobState::Failed, error: Some(error.clone()), ..(*waiting).clone() };
        let told = tell(subject, Some(&waiting), Some(&failed));
        let Some(Value::Instance(source)) = told.get("SourceInstance") else { panic!("{told:?}") };
        assert_eq!(source.get("ErrorCode"), Some(&Value::Uint16(code)), "{cause:?}");
        let told = host.error_of(&failed, &error);
        assert_eq!(text(&told, "MessageID"), id);
        let advice = format!("{:?}", told.get("RecommendedActions"));
        assert!(!advice.contains("package"), "{advice}");
        // 50 Storage Capacity Problem
        assert_eq!(told.get("ProbableCause") == Some(&Value::Uint16(50)), !message.is_empty());
    }
    let standing = |is_running: bool| {
        let id = VibId::new("VMware_bootbank_esx-base_5.5.0-1.16.1746018");
        Some(serde_json::to_string(&Standing { id, is_running, is_next: !is_running }).unwrap())
    };
    let time = chrono::DateTime::UNIX_EPOCH;
    let subject = VIB_SUBJECT.to_owned();
    let booted = ChangeRecord { sequence: 2, time, subject, before: standing(false), after: standing(true) };
    let booted = host.indications.describe(&booted).unwrap().unwrap();
    assert_eq!(&**booted.class().name(), "CIM_InstModification");
    let shown = format!("{:?} {:?}", booted.get("PreviousInstance"), booted.get("SourceInstance"));
    assert!(shown.contains("VMware_ComponentElementSoftwareIdentity"), "{shown}");
    let refresh = host.jobs.submit(PackageRequest::RefreshRepositories.into(), &host.caller).unwrap();
    let made = tell(System::Host.subject(), None, Some(&refresh));
    assert_eq!(&**made.class().name(), "LMI_SoftwareInstCreation");
}

#[test]
fn two_systems_are_registered_and_told_apart() {
    let host = host_with(snapshot(true), Some(FixedPackages::new([package("alpha", "1.0", "")])));
    let conforms = "CIM_ElementConformsToProfile";
    let profiles = host.enumerate(INTEROP_NAMESPACE, "CIM_RegisteredProfile");
    assert_eq!(profiles.len(), 12);
    let of = |name: &str| {
        let named = profiles.iter().filter(|profile| text(profile, "RegisteredName") == name);
        named.map(|profile| host.walk(profile, conforms, None)).collect::<Vec<_>>()
    };
    let systems = host.enumerate("root/cimv2", "CIM_ComputerSystem");
    let classes: Vec<_> = systems.iter().map(|system| system.class().name().to_string()).collect();
    assert_eq!(classes, ["OMC_UnitaryComputerSystem", "PG_ComputerSystem"]);
    assert_eq!(of("Base Server"), [[systems[1].clone()], [systems[0].clone()]]);
    let indications = host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationService");
    assert_eq!(of("Indications"), [indications.clone(), indications.clone()], "there is one for both");
    assert_eq!(host.walk(&indications[0], conforms, None).len(), 2);
    for system in &systems {
        let services = host.walk(system, "CIM_HostedService", Some("CIM_SoftwareInstallationService"));
        assert_eq!(services.len(), 1);
        assert_eq!(host.walk(system, "CIM_UseOfLog", None).len(), 1);
    }
    let filters = host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationFilter");
    assert_eq!(filters.len(), 18, "twelve of the packages' jobs, six of the image's");
    host.image_job();
    host.jobs.submit(PackageRequest::RefreshRepositories.into(), &host.caller).unwrap();
    assert_eq!(host.enumerate("root/cimv2", "CIM_ConcreteJob").len(), 2);
    for class in ["CIM_ManagedElement", "CIM_Dependency", "CIM_ElementConformsToProfile", "CIM_OwningJobElement"] {
        for instance in host.enumerate(INTEROP_NAMESPACE, class) {
            let found = host.broker.get(&host.caller, &host.broker.path_of(&instance)).unwrap();
            assert_eq!(found.class(), instance.class());
        }
    }
}
