mod audit;
mod bookmarks;
mod delivery;
mod ends;
mod failures;
mod loss;
mod modes;
mod pull;
mod security;
mod subscribing;

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::access;
use crate::cim::query::Language;
use crate::cim::{Interval, Value};
use crate::client::sink::{Identity, PATIENCE, Received, Reply, Sink, dead_url};
use crate::client::{AddressRules, Settings as ClientSettings};
use crate::clock::{Clock as _, ManualClock};
use crate::soap::EndpointReference;
use crate::xml::{ElementExt, element};

/// Tells of changes whose text is `<indication class> <number>`, as jobs `job:<number>;`.
struct FakeDescribe(Arc<Schema>);

impl Describe for FakeDescribe {
    fn describe(&self, change: &ChangeRecord) -> Result<Option<Instance>, Box<dyn std::error::Error + Send + Sync>> {
        let text = change.after.as_deref().ok_or("nothing was written")?;
        assert_ne!(text, "broken");
        let Some((class, number)) = text.split_once(' ') else { return Ok(None) };
        let mut job = Instance::new(self.0.class("LMI_SoftwareInstallationJob").ok_or("no such class")?.clone());
        job.set("InstanceID", Value::String(format!("job:{number};").into()))?;
        let mut indication = Instance::new(self.0.class(class).ok_or("no such class")?.clone());
        indication.set("SourceInstance", Value::Instance(Arc::new(job)))?;
        Ok(Some(indication))
    }
}

struct World {
    store: Arc<Store>,
    users: Arc<Users>,
    clock: Arc<ManualClock>,
    schema: Arc<Schema>,
    settings: Settings,
    client: Client,
}

const CREATION: &str = "CIM_InstCreation";
const MODIFICATION: &str = "CIM_InstModification";

impl World {
    fn new() -> Self {
        Self::over(Store::in_memory().unwrap())
    }

    fn at(file: &Path) -> Self {
        Self::over(Store::open(file).unwrap())
    }

    fn over(store: Store) -> Self {
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let settings = Settings {
            // The manual clock stands still, so the longest wait in real time is what a retry takes.
            first_retry: Duration::from_millis(1),
            longest_retry: Duration::from_millis(1),
            stop_grace: PATIENCE,
            ..Settings::default()
        };
        let schema = Arc::new(Schema::builtin().unwrap());
        let client = Client::start(ClientSettings::default(), AddressRules::new(true)).unwrap();
        let store = Arc::new(store);
        let users = access::Settings { cache: Duration::from_secs(60), bcrypt_cost: 4 };
        let users = Arc::new(Users::new(store.clone(), clock.clone(), users).unwrap());
        for (name, role) in [("ada", Role::Operator), ("bob", Role::Operator), ("eve", Role::Admin)] {
            // A file that is opened again has them.
            let _ = users.add(name, role, b"secret");
        }
        Self { store, users, clock, schema, settings, client }
    }

    fn open(&self) -> Arc<Events> {
        Events::open(
            self.store.clone(),
            self.schema.clone(),
            Arc::new(FakeDescribe(self.schema.clone())),
            self.users.clone(),
            self.client.clone(),
            self.clock.clone(),
            self.settings.clone(),
        )
        .unwrap()
    }

    fn publish(&self, class: &str, number: u32) {
        let text = format!("{class} {number}");
        self.store.write(|t| changes::append(t, self.clock.now(), "job", None, Some(&text))).unwrap();
    }
}

fn ada() -> Caller {
    Caller::new("ada", Role::Operator)
}

fn to(url: &str) -> NewSubscription {
    NewSubscription {
        owner: ada(),
        class: Some(CREATION.into()),
        filter: None,
        delivery: Delivery::default(),
        notify_to: Some(EndpointReference::new(url)),
        security: SinkSecurity::default(),
        end_to: None,
        expires: None,
        bookmark: None,
        asked_at: ("https://host/wsman".to_owned(), "urn:all".to_owned()),
    }
}

fn in_mode(mode: Mode, url: &str) -> NewSubscription {
    NewSubscription { delivery: Delivery::in_mode(mode), ..to(url) }
}

fn filtered(url: &str, text: &str) -> NewSubscription {
    NewSubscription { class: None, filter: Some((Language::Cql, text.to_owned())), ..to(url) }
}

fn ok(_: &Received) -> Reply {
    Reply::Answer(200, String::new())
}

/// Answers each message as the test decides when it decides.
fn on_demand() -> (Sink, Sender<Reply>) {
    let (decide, decisions) = channel();
    let decisions: Mutex<Receiver<Reply>> = Mutex::new(decisions);
    (Sink::http(move |_| decisions.lock().unwrap().recv().unwrap_or(Reply::Close)), decide)
}

/// The number of the job that a message tells of.
fn number(message: &Received) -> u32 {
    let (_, rest) = message.body.split_once("job:").expect("a job");
    rest.split_once(';').unwrap().0.parse().unwrap()
}

fn message_id(message: &Received) -> &str {
    let (_, rest) = message.body.split_once("<wsa:MessageID>").expect("a MessageID");
    rest.split_once('<').unwrap().0
}

fn numbers(sink: &Sink, count: usize) -> Vec<u32> {
    (0..count).map(|_| number(&sink.next())).collect()
}

/// The acknowledgement of a message, as another kind of sink may spell its Action.
fn ack_of(message: &Received, action: &str) -> Reply {
    let ack = format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
         xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing'><s:Header><a:Action>{action}</a:Action>\
         <a:RelatesTo>{}</a:RelatesTo></s:Header><s:Body/></s:Envelope>",
        message_id(message)
    );
    Reply::Answer(200, ack)
}

fn acknowledge(message: &Received) -> Reply {
    ack_of(message, "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack")
}

/// The numbers of all jobs that a message tells of.
fn numbers_in(message: &Received) -> Vec<u32> {
    message.body.split("job:").skip(1).map(|rest| rest.split_once(';').unwrap().0.parse().unwrap()).collect()
}

/// What stands in the only element of that name.
fn text_of<'a>(message: &'a Received, tag: &str) -> Option<&'a str> {
    let (_, rest) = message.body.split_once(&format!("<{tag}"))?;
    rest.split_once('>')?.1.split_once('<').map(|(text, _)| text)
}

/// Waits until so many deliveries run.
fn wait_for_running(events: &Events, count: usize) {
    let mut running = events.hub.running.subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waited =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, running.wait_for(|&n| n == count)).await.is_ok() });
    assert!(waited, "{count} deliveries run");
}
