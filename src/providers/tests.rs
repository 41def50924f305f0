//! The walk of the seeds' clients, over the broker: from the profile to the system, the software and the service.

use std::path::Path;
use std::sync::Arc;

use super::{Eventing, ImageModel, Indications, ManagedSystems, Model, SystemName, all};
use crate::access::testing::audit_lines;
use crate::access::{self, Caller, Role, Users};
use crate::broker::{Action, Arguments, AssociationQuery, Broker, Change, INTEROP_NAMESPACE, Traversal};
use crate::cim::query::{Language, parse};
use crate::cim::{CimError, CimStatus, Instance, ObjectPath, Schema, Value};
use crate::client::{self, AddressRules, Client};
use crate::clock::SystemClock;
use crate::events::{self, Destinations, Events, IndicationFilters};
use crate::jobs::{Jobs, Settings, WorkerProgram};
use crate::software::Abilities;
use crate::software::testing::{FixedPackages, package};
use crate::software::vib::ImageManager;
use crate::store::Store;

mod history;
mod images;
mod relations;
mod subscriptions;
mod unreadable;

struct Host {
    broker: Arc<Broker>,
    caller: Caller,
    store: Arc<Store>,
    jobs: Arc<Jobs>,
    image_jobs: Option<Arc<Jobs>>,
    events: Arc<Events>,
    indications: Indications,
    systems: ManagedSystems,
    _state: tempfile::TempDir,
}

fn host() -> Host {
    host_of(FixedPackages::new([package("alpha", "1:1.0-1", "first"), package("beta", "2.0", "second")]))
}

fn host_of(manager: FixedPackages) -> Host {
    host_of_systems(Some(manager), None)
}

/// An image and what opens its jobs.
type WithImage<'a> = (Arc<dyn ImageManager>, &'a dyn Fn(&Arc<Store>, &Path) -> Arc<Jobs>);

fn host_of_systems(manager: Option<FixedPackages>, image: Option<WithImage<'_>>) -> Host {
    let state = tempfile::tempdir().unwrap();
    let schema = Arc::new(Schema::builtin().unwrap());
    let worker = WorkerProgram { program: "/nonexistent".into(), ..WorkerProgram::default() };
    let settings = Settings::new(state.path().to_owned(), worker);
    let store = Arc::new(Store::in_memory().unwrap());
    let jobs = Arc::new(Jobs::open(store.clone(), Arc::new(SystemClock), settings).unwrap());
    let filters = Arc::new(IndicationFilters::open(store.clone(), schema.clone()).unwrap());
    let name = |class: &str| SystemName { class: class.into(), name: "host.example".into() };
    let model = manager.map(|manager| {
        let name = name("PG_ComputerSystem");
        Arc::new(Model::new(schema.clone(), Arc::new(manager), jobs.clone(), Arc::new(SystemClock), name))
    });
    let image_jobs = image.as_ref().map(|(_, open)| open(&store, state.path()));
    let image = image.zip(image_jobs.clone()).map(|((image, _), jobs)| {
        let name = name("OMC_UnitaryComputerSystem");
        Arc::new(ImageModel::new(schema.clone(), image, jobs, Arc::new(SystemClock), name))
    });
    let systems = ManagedSystems::new(model, image).unwrap();
    let destinations = Arc::new(Destinations::open(store.clone()).unwrap());
    let events = events_of(&store, &schema, &systems);
    let indications = Indications::new(systems.clone());
    let mut providers = all(&systems).unwrap();
    providers.push(super::indications(Eventing::new(systems.clone(), events.clone(), filters, destinations)));
    let broker = Arc::new(Broker::of_systems(schema, providers).unwrap());
    Host {
        broker,
        caller: Caller::new("ann", Role::Operator),
        store,
        jobs,
        image_jobs,
        events,
        indications,
        systems,
        _state: state,
    }
}

fn events_of(store: &Arc<Store>, schema: &Arc<Schema>, systems: &ManagedSystems) -> Arc<Events> {
    let clock = Arc::new(SystemClock);
    let client = Client::start(client::Settings::default(), AddressRules::new(true)).unwrap();
    let users = access::Settings { cache: std::time::Duration::from_secs(60), hash_mebibytes: 1 };
    let users = Arc::new(Users::new(store.clone(), clock.clone(), users).unwrap());
    let describe = Arc::new(Indications::new(systems.clone()));
    let settings = events::Settings::default();
    Events::open(store.clone(), schema.clone(), describe, users, client, clock, settings).unwrap()
}

impl Host {
    fn enumerate(&self, namespace: &str, class: &str) -> Vec<Instance> {
        let class = self.broker.class(namespace, class).unwrap().clone();
        self.broker.enumerate(&self.caller, namespace, &class).unwrap().0.map(Result::unwrap).collect()
    }

    fn walk(&self, source: &Instance, association: &str, result_class: Option<&str>) -> Vec<Instance> {
        self.associations(Traversal::AssociatedInstances, source, association, result_class)
    }

    fn associations(
        &self,
        traversal: Traversal,
        source: &Instance,
        association: &str,
        result_class: Option<&str>,
    ) -> Vec<Instance> {
        let query = AssociationQuery {
            traversal,
            source: self.broker.path_of(source),
            association_class: Some(association.to_owned()),
            role: None,
            result_class: result_class.map(str::to_owned),
            result_role: None,
        };
        self.broker.associations(&self.caller, query).unwrap().filter_map(Result::unwrap).collect()
    }

    fn profile(&self, name: &str) -> Instance {
        let mut profiles = self.enumerate(INTEROP_NAMESPACE, "CIM_RegisteredProfile");
        profiles.retain(|p| p.get("RegisteredName").and_then(Value::as_str) == Some(name));
        profiles.pop().unwrap()
    }
}

/// Until when a test waits for what is done at once.
fn soon() -> std::time::Instant {
    std::time::Instant::now() + std::time::Duration::from_secs(60)
}

fn text<'a>(instance: &'a Instance, property: &str) -> &'a str {
    instance.get(property).and_then(Value::as_str).unwrap()
}

#[test]
fn profiles_lead_to_system_software_and_service() {
    let host = host();
    let conforms = "CIM_ElementConformsToProfile";
    let systems = host.walk(&host.profile("Base Server"), conforms, None);
    assert_eq!(systems, host.enumerate("root/cimv2", "CIM_ComputerSystem"));
    let software = host.walk(&host.profile("Software Inventory"), conforms, None);
    assert_eq!(software.iter().map(|s| text(s, "Name")).collect::<Vec<_>>(), ["alpha", "beta"]);
    let services = host.walk(&host.profile("Software Update"), conforms, None);
    assert_eq!(services, host.walk(&systems[0], "CIM_HostedService", Some("CIM_SoftwareInstallationService")));
    assert_eq!(services.len(), 1);
    let back = host.walk(&services[0], conforms, Some("CIM_RegisteredProfile"));
    assert_eq!(text(&back[0], "RegisteredName"), "Software Update");
    assert_eq!(host.walk(&services[0], "CIM_ElementCapabilities", None).len(), 1);
}

#[test]
fn only_what_there_is_conforms_to_a_profile() {
    let host = host();
    let inventory = host.broker.path_of(&host.profile("Software Inventory"));
    let get = |class: &str, id: &str| {
        let identity = ObjectPath::new("root/cimv2", class, vec![("InstanceID".into(), id.into())]);
        let keys =
            vec![("ConformantStandard".into(), inventory.clone().into()), ("ManagedElement".into(), identity.into())];
        host.broker.get(&host.caller, &ObjectPath::new(INTEROP_NAMESPACE, "CIM_ElementConformsToProfile", keys))
    };
    let beta = "LMI:LMI_SoftwareIdentity:beta-0:2.0.all";
    let link = get("LMI_SoftwareIdentity", beta).unwrap();
    assert_eq!(get("CIM_SoftwareIdentity", beta).unwrap(), link);
    let ghost = get("LMI_SoftwareIdentity", "LMI:LMI_SoftwareIdentity:ghost-0:1-1.all");
    assert_eq!(ghost.unwrap_err().status, CimStatus::NotFound);
}

/// DSP1023: each software identity is a central instance of the profile, whether it is installed, offered or a bundle.
#[test]
fn all_software_conforms_to_the_inventory_and_leads_to_it() {
    let desk = crate::software::Bundle::new(crate::software::BundleKind::Task, "desk");
    let packages =
        FixedPackages::new([package("alpha", "1", "")]).offering(&[("alpha", "1", "all"), ("gamma", "2", "all")]);
    let host = host_of(packages.bundling([desk]));
    let (profile, conforms) = (host.profile("Software Inventory"), "CIM_ElementConformsToProfile");
    let software = host.walk(&profile, conforms, None);
    assert_eq!(software, host.enumerate("root/cimv2", "CIM_SoftwareIdentity"));
    assert_eq!(software.iter().map(|s| text(s, "Name")).collect::<Vec<_>>(), ["alpha", "gamma", "desk"]);
    for identity in &software {
        assert_eq!(host.walk(identity, conforms, None), std::slice::from_ref(&profile), "{}", text(identity, "Name"));
    }
}

#[test]
fn what_is_linked_to_itself_is_found_once() {
    let host = host();
    let (profile, conforms) = (host.profile("Profile Registration"), "CIM_ElementConformsToProfile");
    assert_eq!(host.walk(&profile, conforms, None), std::slice::from_ref(&profile));
    assert_eq!(host.associations(Traversal::AssociationInstances, &profile, conforms, None).len(), 1);
}

#[test]
fn installed_software_is_linked_both_ways() {
    let host = host();
    let system = host.enumerate("root/cimv2", "CIM_ComputerSystem").remove(0);
    let software = host.walk(&system, "CIM_InstalledSoftwareIdentity", None);
    assert_eq!(software, host.enumerate("root/cimv2", "CIM_SoftwareIdentity"));
    assert_eq!(host.walk(&software[0], "CIM_InstalledSoftwareIdentity", None), [system]);
    assert_eq!(text(&software[0], "InstanceID"), "LMI:LMI_SoftwareIdentity:alpha-1:1.0-1.all");
    let link = host.enumerate("root/cimv2", "CIM_InstalledSoftwareIdentity").remove(1);
    assert_eq!(host.broker.get(&host.caller, &host.broker.path_of(&link)).unwrap(), link);
}

#[test]
fn a_path_may_name_a_superclass_and_leave_out_a_zero_epoch() {
    let host = host();
    let get = |id: &str| {
        let path = ObjectPath::new("root\\cimv2", "CIM_SoftwareIdentity", vec![("InstanceID".into(), id.into())]);
        host.broker.get(&host.caller, &path)
    };
    assert_eq!(text(&get("lmi:lmi_softwareidentity:beta-2.0.all").unwrap(), "VersionString"), "0:2.0.all");
    assert_eq!(get("LMI:LMI_SoftwareIdentity:alpha-1.0-1.all").unwrap_err().status, CimStatus::NotFound);
    assert_eq!(get("").unwrap_err().status, CimStatus::NotFound);
}

#[test]
fn every_instance_is_found_again_by_its_own_path() {
    let host = host();
    for class in [
        "CIM_ManagedElement",
        "CIM_Dependency",
        "CIM_HostedDependency",
        "CIM_ElementConformsToProfile",
        "CIM_ElementCapabilities",
    ] {
        let instances = host.enumerate(INTEROP_NAMESPACE, class);
        assert!(!instances.is_empty(), "{class}");
        for instance in instances {
            assert_eq!(host.broker.get(&host.caller, &host.broker.path_of(&instance)).unwrap(), instance);
        }
    }
}

#[test]
fn a_class_without_keys_names_no_instance() {
    let host = host();
    let path = ObjectPath::new("root/cimv2", "CIM_ManagedElement", Vec::new());
    let error = host.broker.get(&host.caller, &path).unwrap_err();
    assert_eq!(error.status, CimStatus::NotFound);
    assert!(error.message.contains("has no keys"), "{error}");
}

#[test]
fn profiles_are_seen_from_interop_only() {
    let host = host();
    for class in ["CIM_RegisteredProfile", "CIM_ReferencedProfile"] {
        assert_eq!(host.broker.class("root/cimv2", class).unwrap_err().status, CimStatus::InvalidClass);
        assert!(!host.enumerate(INTEROP_NAMESPACE, class).is_empty());
    }
    assert_eq!(host.broker.namespace("root/other").unwrap_err().status, CimStatus::InvalidNamespace);
    assert_eq!(&*host.broker.namespace("Root\\Interop").unwrap(), "root/interop");
}

/// What a search looks at is what is shown: no query may find more or less than it does among whole instances.
#[test]
fn a_search_finds_what_matches_among_all() {
    let host = host();
    let class = host.broker.class("root/cimv2", "LMI_SoftwareIdentity").unwrap().clone();
    let all = host.enumerate("root/cimv2", "CIM_SoftwareIdentity");
    let mut found = 0;
    for property in class.properties().iter().filter(|property| !property.shape.array) {
        for condition in [
            format!("{} IS NOT NULL", property.name),
            format!("{} IS NULL", property.name),
            match all[0].get(&property.name).unwrap() {
                Value::String(text) => format!("{} = '{text}'", property.name),
                Value::Uint32(number) => format!("{} = {number}", property.name),
                _ => format!("{} IS NULL AND NOT Name = 'beta'", property.name),
            },
        ] {
            let query = parse(&format!("SELECT * FROM CIM_SoftwareIdentity WHERE {condition}"), Language::Cql).unwrap();
            let query = Arc::new(query.compile(host.broker.schema()).unwrap());
            let candidates = host.broker.candidates(&host.caller, "root/cimv2", query.clone()).unwrap();
            let candidates: Vec<Instance> = candidates.filter_map(Result::unwrap).collect();
            let matching: Vec<Instance> = all.iter().filter(|instance| query.matches(*instance)).cloned().collect();
            assert_eq!(candidates, matching, "{condition}");
            found += matching.len();
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn what_does_not_fit_returns_2_at_once() {
    let host = host();
    let service = host.enumerate("root/cimv2", "CIM_SoftwareInstallationService").remove(0);
    let path = host.broker.path_of(&service);
    let method = service.class().method("InstallFromURI").unwrap().clone();
    let system = host.broker.path_of(&host.enumerate("root/cimv2", "CIM_ComputerSystem")[0]);
    let call = |caller: &Caller, arguments: Vec<(&str, Value)>| {
        let arguments = Arguments(arguments.into_iter().map(|(n, v)| (n.into(), v)).collect());
        host.broker.invoke(caller, &path, &method, arguments)
    };
    let uri: Value = "file:///srv/x.deb".into();
    for arguments in [
        vec![("URI", uri.clone())],
        vec![("URI", uri.clone()), ("Target", path.clone().into())],
        vec![("URI", "ftp://host/x.deb".into()), ("Target", system.clone().into())],
        vec![("URI", "http://name:word@host/x.deb".into()), ("Target", system.clone().into())],
        vec![("URI", Value::Null), ("Target", system.clone().into())],
        vec![("URI", uri.clone()), ("Target", system.clone().into()), ("InstallOptions", Value::array([9u16]))],
    ] {
        assert_eq!(call(&host.caller, arguments).unwrap().return_value, Value::Uint32(2));
    }
    let viewer = Caller::new("vic", Role::Viewer);
    assert_eq!(call(&viewer, Vec::new()).unwrap_err().status, CimStatus::AccessDenied);
    assert!(host.enumerate("root/cimv2", "CIM_ConcreteJob").is_empty());
}

/// What only asks is answered within its time or not at all, so nobody may be told that it goes on as a change does.
#[test]
fn what_only_asks_changes_nothing_but_plans_are_for_those_who_may_change() {
    let host = host();
    let service = host.enumerate("root/cimv2", "CIM_SoftwareInstallationService").remove(0);
    let class = service.class();
    let check = |role: Role, method: &str| {
        host.broker.check_call(&Caller::new("vic", role), class, class.method(method).unwrap())
    };
    for (method, action) in [
        ("FindIdentity", Action::Read),
        ("FindUpdates", Action::Read),
        ("CheckSoftwareIdentity", Action::Plan),
        ("PlanChanges", Action::Plan),
        ("InstallFromURI", Action::Change),
        ("VerifyInstalledIdentity", Action::Change),
    ] {
        assert_eq!(check(Role::Operator, method).unwrap(), action, "{method}");
        assert_eq!(check(Role::Viewer, method).is_ok(), action == Action::Read, "{method}");
    }
    assert!(!Action::Read.changes() && !Action::Plan.changes() && Action::Change.changes());
}

/// A filter's path, with these keys alone.
fn filter_path(keys: &[(&str, &str)]) -> ObjectPath {
    let keys = keys.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    ObjectPath::new(INTEROP_NAMESPACE, "CIM_IndicationFilter", keys)
}

impl Host {
    fn create_filter(&self, properties: &[(&str, Value)]) -> Result<Instance, CimError> {
        let class = self.broker.class(INTEROP_NAMESPACE, "CIM_IndicationFilter").unwrap();
        let mut wanted = Instance::new(class.clone());
        wanted.set("Query", "SELECT * FROM CIM_InstCreation").unwrap().set("QueryLanguage", "DMTF:CQL").unwrap();
        for (name, value) in properties {
            wanted.set(name, value.clone()).unwrap();
        }
        self.broker.create(&self.caller, &wanted, soon())
    }
}

#[test]
fn a_filter_is_known_by_its_name() {
    let host = host();
    let made = host.create_filter(&[("Name", "a".into())]).unwrap();
    assert_eq!(host.broker.get(&host.caller, &filter_path(&[("Name", "a")])).unwrap(), made);
    let elsewhere = filter_path(&[("Name", "a"), ("SystemName", "other.example")]);
    assert_eq!(host.broker.get(&host.caller, &elsewhere).unwrap_err().status, CimStatus::NotFound);
    let again = host.create_filter(&[("Name", "a".into())]).unwrap_err();
    assert_eq!(again.status, CimStatus::AlreadyExists);
    assert!(again.message.contains("named \"a\""), "{again}");
}

/// OpenLMI's clients find its filters by the keys that it gave them.
#[test]
fn static_filters_are_there_and_stay() {
    let host = host();
    let name = "LMI:LMI_SoftwareInstallationJob:Succeeded";
    let path = filter_path(&[("Name", name), ("SystemCreationClassName", "CIM_ComputerSystem")]);
    let filter = host.broker.get(&host.caller, &path).unwrap();
    assert!(text(&filter, "Query").ends_with("SourceInstance.CIM_ConcreteJob::JobState = 7"));
    assert_eq!(text(&filter, "QueryLanguage"), "CIM:CQL");
    let root = Caller::new("root", Role::Admin);
    let refusal = host.broker.delete(&root, &path, soon()).unwrap_err();
    assert_eq!(refusal.status, CimStatus::AccessDenied);
    assert!(refusal.message.contains("nobody can delete"), "{refusal}");
    assert_eq!(host.create_filter(&[("Name", name.into())]).unwrap_err().status, CimStatus::AlreadyExists);
    host.create_filter(&[("Name", "a".into())]).unwrap();
    let names: Vec<String> =
        host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationFilter").iter().map(|f| text(f, "Name").to_owned()).collect();
    assert_eq!((names.len(), names.contains(&name.to_owned())), (13, true));
}

/// All indications are about what lives in root/cimv2, so a filter for another namespace alone would never let one through.
#[test]
fn a_filter_that_nothing_could_pass_is_refused() {
    let host = host();
    let namespaces = |names: &[&str]| host.create_filter(&[("SourceNamespaces", Value::array(names.iter().copied()))]);
    let error = namespaces(&["root/interop"]).unwrap_err();
    assert_eq!(error.status, CimStatus::InvalidParameter);
    assert!(error.message.contains("No indication comes from root/interop"), "{error}");
    assert!(namespaces(&["root/other"]).unwrap_err().message.contains("\"root/other\""));
    let made = namespaces(&["root/interop", "ROOT/cimv2", "root/cimv2"]).unwrap();
    assert_eq!(made.get("SourceNamespaces"), Some(&Value::array(["root/interop", "root/cimv2"])));
}

#[test]
fn a_class_that_lives_in_interop_is_found_there() {
    let host = host();
    let error = host.broker.class("root/cimv2", "CIM_IndicationFilter").unwrap_err();
    assert!(error.message.contains("It is in root/interop"), "{error}");
    let error = host.broker.class("root/cimv2", "CIM_Unicorn").unwrap_err();
    assert!(!error.message.contains("root/interop"), "{error}");
}

/// A class may inherit properties that its superclass calls writable; what counts is whether they can be changed here.
#[test]
fn what_cannot_be_changed_is_refused_before_anything_else() {
    let host = host();
    let system = host.enumerate("root/cimv2", "CIM_ComputerSystem").remove(0);
    assert!(system.class().properties().iter().any(|property| property.writable));
    let (path, changes) = (host.broker.path_of(&system), vec![("ElementName".into(), Value::from("x"))]);
    for (caller, status) in [(Role::Operator, CimStatus::NotSupported), (Role::Viewer, CimStatus::AccessDenied)]
        .map(|(role, status)| (Caller::new("ann", role), status))
    {
        let class = system.class();
        let asked =
            [Change::Create, Change::Modify, Change::Delete].map(|c| host.broker.check_change(&caller, class, c));
        assert!(asked.into_iter().all(|asked| asked.unwrap_err().status == status));
        assert_eq!(host.broker.modify(&caller, &path, changes.clone()).unwrap_err().status, status);
        assert_eq!(host.broker.create(&caller, &system, soon()).unwrap_err().status, status);
        assert_eq!(host.broker.delete(&caller, &path, soon()).unwrap_err().status, status);
    }
}

#[test]
fn each_change_is_allowed_where_it_can_be_made() {
    let host = host();
    use Change::{Create, Delete, Modify};
    for (namespace, class, allowed) in [
        (INTEROP_NAMESPACE, "CIM_IndicationFilter", &[Create, Delete][..]),
        ("root/cimv2", "LMI_SoftwareInstallationJob", &[Modify, Delete]),
        ("root/cimv2", "LMI_SoftwareInstallationService", &[]),
    ] {
        let class = host.broker.class(namespace, class).unwrap();
        for change in [Create, Modify, Delete] {
            let is_allowed = host.broker.check_change(&host.caller, class, change).is_ok();
            assert_eq!(is_allowed, allowed.contains(&change), "{change:?} of {}", class.name());
        }
    }
}

#[test]
fn every_change_is_audited_with_what_came_of_it_and_nothing_that_only_looks() {
    let host = host();
    let service = host.enumerate("root/cimv2", "CIM_SoftwareInstallationService").remove(0);
    let path = host.broker.path_of(&service);
    let call = |method: &str| {
        let method = service.class().method(method).unwrap();
        host.broker.invoke(&host.caller, &path, method, Arguments::default())
    };
    let lines = audit_lines(|| {
        host.create_filter(&[("Name", "a\nb".into())]).unwrap_err();
        host.create_filter(&[("Name", "a".into())]).unwrap();
        call("FindIdentity").unwrap();
        call("InstallFromURI").unwrap();
        let (ann, filter) = (&host.caller, filter_path(&[("Name", "a")]));
        let vic = Caller::new("vic", Role::Viewer);
        host.broker
            .invoke(&vic, &path, service.class().method("InstallFromURI").unwrap(), Arguments::default())
            .unwrap_err();
        host.broker.delete(&vic, &filter, soon()).unwrap_err();
        host.broker.delete(ann, &filter, soon()).unwrap();
    });
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_capabilities_are_those_of_the_tools_that_are_there() {
    let of = |changes, repositories| {
        let host = host_of(FixedPackages::new([]).able(Abilities { changes, repositories }));
        let capabilities = host.enumerate("root/cimv2", "CIM_SoftwareInstallationServiceCapabilities").remove(0);
        let told = ["SupportedAsynchronousActions", "SupportedInstallOptions", "SupportedURISchemes"].map(|name| {
            let values = capabilities.get(name).unwrap().as_array().unwrap_or_default();
            values.iter().filter_map(Value::as_u64).collect::<Vec<_>>()
        });
        let service = host.enumerate("root/cimv2", "CIM_SoftwareInstallationService").remove(0);
        let path = host.broker.path_of(&service);
        let method = service.class().method("InstallFromURI").unwrap();
        let code = host.broker.invoke(&host.caller, &path, method, Arguments::default()).unwrap().return_value;
        (told, capabilities.get("Description").and_then(Value::as_str).unwrap_or_default().to_owned(), code)
    };
    let (told, description, code) = of(true, true);
    assert_eq!(told, [vec![3, 4, 5, 10000], vec![3, 4, 5, 6, 9], vec![3, 5, 6]]);
    assert_eq!(description, "What can be installed with dpkg and apt, and how.");
    assert_eq!(code, Value::from(2u32));
    let (alone, description, _) = of(true, false);
    assert_eq!(alone, told);
    assert!(description.contains("packages from files only"), "{description}");
    let (told, description, code) = of(false, false);
    assert_eq!(told, [vec![10000], vec![], vec![]]);
    assert!(description.contains("nothing is changed"), "{description}");
    assert_eq!(code, Value::from(1u32), "not supported");
}
