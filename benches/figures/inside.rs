//! The service without a transport, in this process: what one request, one instance and one search cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use quartermaster::access::{self, Caller, Role, Users};
use quartermaster::broker::Broker;
use quartermaster::cim::{DateTime, Instance, Schema, Value};
use quartermaster::client::{self, AddressRules, Client};
use quartermaster::clock::SystemClock;
use quartermaster::events::{self, Events};
use quartermaster::jobs::{self, Jobs, WorkerProgram};
use quartermaster::providers::{Indications, ManagedSystems, Model, SystemName, all};
use quartermaster::software::{self, EngineChoice};
use quartermaster::store::Store;
use quartermaster::wire::{Style, write_instance};
use quartermaster::wsman::{ContextLimits, FaultStatus, Request, Service, Settings};
use quartermaster::xml::Writer;
use tokio::runtime::Runtime;

use super::figure::median;
use super::load::elapsed_ms;
use super::root;
use super::support::packages::DebRoot;
use super::support::wsman::{CIM, Message};

const WARM_UP: usize = 2_000;
const REQUESTS: usize = 20_000;
const SEARCHES: usize = 21;
const ROUNDS: usize = 21;
const INSTANCES: usize = 2_000;

/// A service over the packages of a private root.
pub(crate) struct Inside {
    service: Service,
    runtime: Runtime,
    identities: Vec<String>,
    _root: DebRoot,
}

impl Inside {
    pub(crate) fn new(packages: usize) -> Self {
        let root = DebRoot::new();
        root::fill(&root, packages);
        let clock = Arc::new(SystemClock);
        let schema = Arc::new(Schema::builtin().unwrap());
        let store = Arc::new(Store::in_memory().unwrap());
        let manager = software::open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
        let jobs = jobs::Settings::new(root.scratch(), WorkerProgram::default());
        let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), jobs).unwrap());
        let name = SystemName { class: "PG_ComputerSystem".into(), name: "host.example".into() };
        let systems = ManagedSystems::from(Arc::new(Model::new(schema.clone(), manager, jobs, clock.clone(), name)));
        let broker = Arc::new(Broker::of_systems(schema.clone(), all(&systems).unwrap()).unwrap());
        let client = Client::start(client::Settings::default(), AddressRules::new(true)).unwrap();
        let describe = Arc::new(Indications::new(systems));
        let users = access::Settings { cache: Duration::from_secs(60), hash_mebibytes: 1 };
        let users = Arc::new(Users::new(store.clone(), clock.clone(), users).unwrap());
        let settings = events::Settings::default();
        let events = Events::open(store, schema, describe, users, client, clock.clone(), settings).unwrap();
        let settings = Settings {
            max_envelope_size: 512_000,
            largest_envelope: 1 << 24,
            fault_status: FaultStatus::Always500,
            operation_timeout: Duration::from_secs(60),
            contexts: ContextLimits { total: 1000, per_user: 1000, idle: TimeDelta::minutes(10) },
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let identities = root::identities(64).collect();
        Self { service: Service::new(broker, events, clock, settings), runtime, identities, _root: root }
    }

    /// The time from the octets of a Get to the octets of its reply, in microseconds: decoded, dispatched, answered.
    pub(crate) fn request(&self) -> f64 {
        let class = format!("{CIM}/CIM_SoftwareIdentity");
        let requests: Vec<_> =
            self.identities.iter().map(|id| Message::get(&class).selector("InstanceID", id).envelope()).collect();
        let mut times = Vec::with_capacity(REQUESTS);
        for i in 0..WARM_UP + REQUESTS {
            let request = request(&requests[i % requests.len()]);
            let start = Instant::now();
            let reply = self.runtime.block_on(self.service.handle(request));
            if i >= WARM_UP {
                times.push(elapsed_ms(start) * 1000.0);
            }
            assert_eq!(reply.status, 200);
        }
        median(times)
    }

    /// The time of a CQL search that looks at all packages and finds one in a thousand, in milliseconds.
    pub(crate) fn search(&self) -> f64 {
        let options = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>\
            <w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">SELECT * FROM CIM_SoftwareIdentity \
            WHERE Name LIKE '.*77' AND VersionString &lt;&gt; '0' AND NOT Architecture = 'riscv64'</w:Filter>";
        let envelope = Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), options).envelope();
        let times = (0..SEARCHES).map(|_| {
            let request = request(&envelope);
            let start = Instant::now();
            let reply = self.runtime.block_on(self.service.handle(request));
            let time = elapsed_ms(start);
            assert!(String::from_utf8_lossy(&reply.body.join()).contains("EndOfSequence"));
            time
        });
        median(times.collect())
    }
}

fn request(envelope: &str) -> Request {
    Request {
        body: envelope.as_bytes().to_vec(),
        upload: None,
        charset: None,
        soap_action: None,
        caller: Some(Caller::new("bench", Role::Viewer)),
        address: "https://host/wsman".into(),
    }
}

/// How many instances of 40 properties one processor writes in a second.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn written() -> f64 {
    let instances = forty();
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let mut w = Writer::new(usize::MAX);
        for instance in &instances {
            write_instance(&mut w, instance, &Style::default());
        }
        assert!(w.len() > instances.len() * 1000);
        instances.len() as f64 / start.elapsed().as_secs_f64()
    });
    median(rounds.collect())
}

/// Instances with 20 strings, 8 numbers, 4 booleans, 2 datetimes, 2 arrays and 4 NULLs each.
fn forty() -> Vec<Instance> {
    let declare = |count: usize, kind: &str, name: &str, end: &str| -> String {
        (0..count).map(|n| format!("{kind} {name}{n:02}{end};\n")).collect()
    };
    let mof = format!(
        "class BEN_Forty {{ [Key] {} {} {} {} {} {} }};",
        declare(20, "string", "Text", ""),
        declare(8, "uint32", "Number", ""),
        declare(4, "boolean", "Truth", ""),
        declare(2, "datetime", "Time", ""),
        declare(2, "uint16", "List", "[]"),
        declare(4, "string", "Null", ""),
    );
    let schema = Schema::from_mof([("forty.mof", mof)].into_iter()).unwrap();
    let class = schema.class("BEN_Forty").unwrap();
    assert_eq!(class.properties().len(), 40);
    let time = DateTime::parse("2026-11-27T10:00:00Z").unwrap();
    (0..INSTANCES)
        .map(|i| {
            let mut instance = Instance::new(class.clone());
            for (n, property) in class.properties().iter().enumerate() {
                let value: Value = match &property.name[..4] {
                    "Text" => format!("the text {i} of property {n}").into(),
                    "Numb" => u32::try_from(i * n).unwrap().into(),
                    "Trut" => (n % 2 == 0).into(),
                    "Time" => time.into(),
                    "List" => Value::array([2u16, 17]),
                    _ => Value::Null,
                };
                instance.set(&property.name, value).unwrap();
            }
            instance
        })
        .collect()
}
