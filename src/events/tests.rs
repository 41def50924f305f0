mod audit;
mod bookmarks;
mod ends;
mod loss;
mod modes;
mod pull;
mod security;

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

#[test]
fn events_arrive_in_order_and_addressed_to_the_subscriber() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    world.publish(CREATION, 0);
    let mut new = to(&sink.url());
    let ticket = element("urn:test", "Ticket").with_text("t-5");
    new.notify_to = new.notify_to.map(|notify_to| notify_to.with_parameter(ticket));
    events.subscribe(new).unwrap();
    for n in 1..=40 {
        world.publish(CREATION, n);
    }
    let first = sink.next();
    assert_eq!(number(&first), 1, "what was before the subscription is not told");
    assert_eq!(first.header("content-type"), Some("application/soap+xml;charset=UTF-8"));
    for part in ["http://schemas.dmtf.org/wbem/wsman/1/wsman/Event<", &format!("To>{}<", sink.url()), "t-5"] {
        assert!(first.body.contains(part), "{part} in {}", first.body);
    }
    let second = sink.next();
    assert_ne!(message_id(&first), message_id(&second));
    assert_eq!(numbers(&sink, 38), (3..=40).collect::<Vec<_>>());
}

#[test]
fn only_what_matches_arrives() {
    let world = World::new();
    let events = world.open();
    let (by_class, by_filter, everything) = (Sink::http(ok), Sink::http(ok), Sink::http(ok));
    events.subscribe(to(&by_class.url())).unwrap();
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    events.subscribe(filtered(&by_filter.url(), query)).unwrap();
    events.subscribe(NewSubscription { class: Some("cim_instindication".into()), ..to(&everything.url()) }).unwrap();
    for n in 0..6 {
        world.publish([CREATION, MODIFICATION, "LMI_SoftwareInstModification"][n % 3], u32::try_from(n).unwrap());
    }
    assert_eq!(numbers(&by_class, 2), [0, 3]);
    assert_eq!(numbers(&by_filter, 4), [1, 2, 4, 5]);
    assert_eq!(numbers(&everything, 6), [0, 1, 2, 3, 4, 5]);
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ComputerSystem";
    events.subscribe(filtered(&by_filter.url(), query)).unwrap();
    world.publish(MODIFICATION, 6);
    assert_eq!(numbers(&everything, 1), [6]);
    assert_eq!(numbers(&by_filter, 1), [6]);
    events.stop();
    assert!(by_filter.rest().is_empty(), "the second filter lets nothing through");
}

#[test]
fn a_change_that_cannot_be_described_holds_nothing_up() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    events.subscribe(to(&sink.url())).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, None)).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, Some("quiet"))).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, Some("broken"))).unwrap();
    world.publish(CREATION, 1);
    assert_eq!(numbers(&sink, 1), [1]);
}

#[test]
fn sinks_that_hang_or_are_gone_delay_nobody_else() {
    let world = World::new();
    let events = world.open();
    let (hanging, healthy) = (Sink::http(|_| Reply::Hang), Sink::http(ok));
    let dead = dead_url();
    for _ in 0..50 {
        events.subscribe(to(&hanging.url())).unwrap();
        events.subscribe(to(&dead)).unwrap();
    }
    events.subscribe(to(&healthy.url())).unwrap();
    for n in 0..20 {
        world.publish(CREATION, n);
    }
    assert_eq!(numbers(&healthy, 20), (0..20).collect::<Vec<_>>());
    assert_eq!(events.subscriptions().len(), 101);
    drop(hanging);
}

#[test]
fn who_falls_behind_what_is_kept_in_memory_gets_all_the_same() {
    let world = World::new();
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    let fast = Sink::http(ok);
    events.subscribe(to(&fast.url())).unwrap();
    for n in 0..600 {
        world.publish(CREATION, n);
    }
    assert_eq!(numbers(&fast, 600).len(), 600);
    for _ in 0..600 {
        decide.send(Reply::Answer(202, String::new())).unwrap();
    }
    assert_eq!(numbers(&sink, 600), (0..600).collect::<Vec<_>>());
}

#[test]
fn a_restart_goes_on_at_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let (sink, decide) = on_demand();
    let (cut_off, subscription) = {
        let world = World {
            settings: Settings { stop_grace: Duration::ZERO, ..World::at(&file).settings },
            ..World::at(&file)
        };
        let events = world.open();
        let subscription = events
            .subscribe(NewSubscription { expires: Some(Expiry::After(Interval::from_seconds(60))), ..to(&sink.url()) })
            .unwrap();
        for n in 1..=4 {
            world.publish(CREATION, n);
        }
        decide.send(Reply::Answer(200, String::new())).unwrap();
        decide.send(Reply::Answer(200, String::new())).unwrap();
        assert_eq!(numbers(&sink, 2), [1, 2]);
        // The message is received, but its answer is cut off.
        decide.send(Reply::Hang).unwrap();
        let cut_off = sink.next();
        world.publish(MODIFICATION, 5);
        (cut_off, subscription)
    };
    let world = World::at(&file);
    world.publish(CREATION, 6);
    let events = world.open();
    let resumed = events.status(subscription.id, &ada()).unwrap();
    assert_eq!((resumed.expires, resumed.created), (subscription.expires, subscription.created));
    assert_eq!(resumed.notify_to, subscription.notify_to);
    for _ in 0..3 {
        decide.send(Reply::Answer(200, String::new())).unwrap();
    }
    let again = sink.next();
    assert_eq!((number(&cut_off), number(&again)), (3, 3));
    assert_eq!(message_id(&cut_off), message_id(&again), "a sink can tell that it has the event");
    assert_eq!(numbers(&sink, 2), [4, 6]);
}

#[test]
fn failed_attempts_are_repeated_and_redirects_are_failures() {
    let world = World::new();
    let events = world.open();
    let elsewhere = Sink::http(ok);
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    world.publish(CREATION, 2);
    let replies = [
        Reply::Answer(500, "later".to_owned()),
        Reply::Redirect(elsewhere.url()),
        Reply::Close,
        Reply::Answer(404, String::new()),
        Reply::Answer(204, String::new()),
        Reply::Answer(200, String::new()),
    ];
    for reply in replies {
        decide.send(reply).unwrap();
    }
    let messages: Vec<Received> = (0..6).map(|_| sink.next()).collect();
    assert_eq!(messages.iter().map(number).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2]);
    assert_eq!(message_id(&messages[0]), message_id(&messages[4]));
    assert!(elsewhere.rest().is_empty());
}

#[test]
fn the_wait_for_the_next_attempt_survives_a_restart() {
    let mut world = World::new();
    world.settings.first_retry = Duration::from_secs(600);
    world.settings.longest_retry = Duration::from_secs(600);
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    decide.send(Reply::Answer(503, String::new())).unwrap();
    sink.next();
    events.stop();
    let row = world.store.read(rows::all).unwrap().remove(0);
    assert_eq!(row.progress.failures, 1);
    assert_eq!(row.progress.next_attempt, Some(world.clock.now() + TimeDelta::seconds(600)));

    let events = world.open();
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    world.publish(CREATION, 2);
    other.next();
    events.sweep().unwrap();
    assert!(sink.rest().is_empty(), "it is too early for the next attempt");
    world.clock.advance(TimeDelta::seconds(600));
    decide.send(Reply::Answer(200, String::new())).unwrap();
    decide.send(Reply::Answer(200, String::new())).unwrap();
    events.sweep().unwrap();
    assert_eq!(numbers(&sink, 2), [1, 2]);
}

#[test]
fn a_sink_that_fails_too_often_or_too_long_loses_its_subscription() {
    let mut world = World::new();
    world.settings.give_up_attempts = Some(3);
    let events = world.open();
    events.subscribe(to(&dead_url())).unwrap();
    world.publish(CREATION, 1);
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());

    world.settings.give_up_attempts = None;
    world.settings.give_up_after = Duration::from_secs(60);
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 2);
    decide.send(Reply::Answer(500, String::new())).unwrap();
    sink.next();
    sink_waits_again(&sink, &decide);
    world.clock.advance(TimeDelta::seconds(61));
    decide.send(Reply::Answer(500, String::new())).unwrap();
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
}

/// The sink has got the next attempt, so the failure before it was counted.
fn sink_waits_again(sink: &Sink, decide: &Sender<Reply>) {
    decide.send(Reply::Answer(500, String::new())).unwrap();
    sink.next();
}

#[test]
fn a_sink_that_refuses_ends_its_subscription_at_once() {
    let world = World::new();
    let events = world.open();
    let fault = crate::soap::Fault::new(crate::soap::FaultKind::DeliveryRefused, "no more, please");
    let fault = String::from_utf8(fault.to_message(&crate::soap::Addressing::default())).unwrap();
    let sink = Sink::http(move |_| Reply::Answer(500, fault.clone()));
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());
    assert_eq!(numbers(&sink, 1), [1]);
    assert!(sink.rest().is_empty());
}

#[test]
fn events_go_over_tls_to_a_trusted_sink_only() {
    let identity = Identity::new();
    let mut world = World::new();
    let sink = Sink::https(&identity, ok);
    let events = world.open();
    let subscription = events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    // The failed attempts are seen in the store; the sink itself gets nothing.
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    world.publish(CREATION, 2);
    other.next();
    events.stop();
    let row = world.store.read(rows::all).unwrap().into_iter().find(|r| r.id == subscription.id).unwrap();
    assert!(row.progress.failures > 0);
    assert!(sink.rest().is_empty());

    let trusting = ClientSettings { trust_file: Some(identity.trust_file.clone()), ..ClientSettings::default() };
    world.client = Client::start(trusting, AddressRules::new(true)).unwrap();
    let _events = world.open();
    assert_eq!(numbers(&sink, 2), [1, 2]);
}

#[test]
fn unusable_sinks_are_refused_at_once() {
    let mut world = World::new();
    world.client = Client::start(ClientSettings::default(), AddressRules::new(false)).unwrap();
    let events = world.open();
    let unusable = [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://169.254.169.254/latest",
        "http://nowhere.invalid/",
        "ftp://10.0.0.1/",
        "http://me:secret@10.0.0.1/",
        "",
    ];
    for url in unusable {
        let refused = events.subscribe(to(url));
        assert!(matches!(refused, Err(SubscribeError::NotifyTo(_))), "{url}: {refused:?}");
        let end_to = Some(EndpointReference::new(url));
        let refused = events.subscribe(NewSubscription { end_to, ..to("http://10.0.0.1/") });
        assert!(matches!(refused, Err(SubscribeError::EndTo(_))), "{url}: {refused:?}");
    }
    assert!(events.subscribe(to("http://10.0.0.1/")).is_ok());
    assert_eq!(world.store.read(rows::all).unwrap().len(), 1);
}

#[test]
fn unusable_classes_and_filters_are_told_apart() {
    let world = World::new();
    let events = world.open();
    let url = "http://127.0.0.1:9/";
    let subscribe = |class: Option<&str>, filter: Option<&str>| {
        let filter = filter.map(|text| (Language::Cql, text.to_owned()));
        events.subscribe(NewSubscription { class: class.map(Into::into), filter, ..to(url) })
    };
    let good = "SELECT * FROM CIM_InstCreation";
    let missing = subscribe(None, None);
    assert!(matches!(missing, Err(SubscribeError::FilterMissing)), "{missing:?}");
    for class in ["CIM_ConcreteJob", "CIM_Nothing"] {
        let refused = subscribe(Some(class), None);
        assert!(matches!(refused, Err(SubscribeError::NoIndication(_))), "{refused:?}");
    }
    let refused = subscribe(None, Some("SELECT * FROM CIM_ConcreteJob"));
    assert!(matches!(refused, Err(SubscribeError::NoIndication(_))), "{refused:?}");
    let refused = subscribe(Some(MODIFICATION), Some(good));
    assert!(matches!(refused, Err(SubscribeError::ClassesDiffer { .. })), "{refused:?}");
    for filter in
        ["nonsense", "SELECT * FROM CIM_InstCreation WHERE", "SELECT * FROM CIM_InstCreation WHERE Nothing = 1"]
    {
        let refused = subscribe(None, Some(filter));
        assert!(matches!(refused, Err(SubscribeError::Filter { .. })), "{filter}: {refused:?}");
    }
    let long = format!("{good} WHERE {}", "(".repeat(20_000));
    assert!(matches!(subscribe(None, Some(&long)), Err(SubscribeError::Filter { .. })));
    assert!(subscribe(Some("cim_instcreation"), Some(good)).is_ok());
    assert!(subscribe(None, Some(good)).is_ok());
}

#[test]
fn a_subscription_ends_when_its_time_is_over() {
    let world = World::new();
    let events = world.open();
    let (short, long) = (Sink::http(ok), Sink::http(ok));
    let minute = Some(Expiry::After(Interval::from_seconds(60)));
    let subscription = events.subscribe(NewSubscription { expires: minute, ..to(&short.url()) }).unwrap();
    assert_eq!(subscription.expires, Some(world.clock.now() + TimeDelta::seconds(60)));
    events.subscribe(to(&long.url())).unwrap();
    world.clock.advance(TimeDelta::seconds(60));
    assert!(matches!(events.status(subscription.id, &ada()), Err(ManageError::NotFound)));
    assert!(matches!(events.renew(subscription.id, &ada(), minute), Err(ManageError::NotFound)));
    world.publish(CREATION, 1);
    long.next();
    events.sweep().unwrap();
    wait_for_running(&events, 1);
    assert_eq!(world.store.read(rows::all).unwrap().len(), 1);
    assert!(short.rest().is_empty(), "nothing is delivered after the end");
}

#[test]
fn a_subscription_is_renewed_and_ended_by_its_owner_or_an_admin() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    let minutes = |n: u64| Some(Expiry::After(Interval::from_seconds(60 * n)));
    let subscription = events.subscribe(NewSubscription { expires: minutes(1), ..to(&sink.url()) }).unwrap();
    let (bob, admin) = (Caller::new("bob", Role::Operator), Caller::new("eve", Role::Admin));
    for result in [events.renew(subscription.id, &bob, None).map(|_| ()), events.unsubscribe(subscription.id, &bob)] {
        assert!(matches!(result, Err(ManageError::NotYours)), "{result:?}");
    }
    let past = Some(Expiry::At(world.clock.now()));
    assert!(matches!(events.renew(subscription.id, &ada(), past), Err(ManageError::InvalidExpirationTime)));
    let renewed = events.renew(subscription.id, &ada(), minutes(5)).unwrap();
    assert_eq!(renewed, Some(world.clock.now() + TimeDelta::seconds(300)));
    world.clock.advance(TimeDelta::seconds(120));
    events.sweep().unwrap();
    assert_eq!(events.status(subscription.id, &admin).unwrap().expires, renewed);
    assert_eq!(world.store.read(rows::all).unwrap()[0].expires, renewed);

    events.unsubscribe(subscription.id, &admin).unwrap();
    assert!(matches!(events.unsubscribe(subscription.id, &admin), Err(ManageError::NotFound)));
    wait_for_running(&events, 0);
    world.publish(CREATION, 1);
    events.stop();
    assert!(sink.rest().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());
}

#[test]
fn quotas_hold_for_a_user_and_for_all() {
    let mut world = World::new();
    (world.settings.max_per_owner, world.settings.max_subscriptions) = (2, 3);
    let events = world.open();
    let subscribe = |name: &str| {
        let owner = Caller::new(name, Role::Viewer);
        events.subscribe(NewSubscription { owner, ..to("http://127.0.0.1:9/") })
    };
    let first = subscribe("ada").unwrap();
    subscribe("ada").unwrap();
    let refused = subscribe("ada");
    assert!(matches!(refused, Err(SubscribeError::Quota { limit: 2, whose: QuotaOf::Owner })), "{refused:?}");
    subscribe("bob").unwrap();
    let refused = subscribe("bob");
    assert!(matches!(refused, Err(SubscribeError::Quota { limit: 3, whose: QuotaOf::All })), "{refused:?}");
    events.unsubscribe(first.id, &ada()).unwrap();
    subscribe("bob").unwrap();
}

#[test]
fn who_loses_records_to_the_hard_bound_loses_the_subscription() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (5, 5);
    let events = world.open();
    let (hanging, decide) = on_demand();
    let healthy = Sink::http(ok);
    let lost = events.subscribe(to(&hanging.url())).unwrap();
    let kept = events.subscribe(to(&healthy.url())).unwrap();
    for n in 0..20 {
        world.publish(CREATION, n);
        // The sweeper has runs of its own; who keeps up with the log is never behind the bound.
        assert_eq!(number(&healthy.next()), n);
    }
    // The last answer may not have been dealt with yet, so the one before it is what counts.
    events.sweep().unwrap();
    let left: Vec<Uuid> = events.subscriptions().iter().map(|s| s.id).collect();
    assert_eq!(left, [kept.id], "{} is gone", lost.id);
    assert_eq!(world.store.read(|c| changes::after(c, 0, 100)).unwrap().len(), 5);
    drop(decide);
}
