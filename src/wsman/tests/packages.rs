//! Page by page over a few hundred packages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;

use super::*;
use crate::jobs::{Jobs, WorkerProgram};
use crate::providers::{Indications, ManagedSystems, Model, SystemName, all};
use crate::soap::{Message, Outgoing};
use crate::software::testing::{FixedPackages, package};
use crate::wire::enumeration::{Enumerate, Mode, Pull, ReceivedPage};
use crate::wire::names::{REQUEST_PREFIXES, action, dialect};
use crate::wire::{ControlHeaders, EndpointReference, Filter};
use crate::xml::{ElementExt, Writer};

pub(super) const PACKAGES: usize = 150;

pub(super) struct Fixture {
    service: Service,
    runtime: tokio::runtime::Runtime,
    _state: tempfile::TempDir,
}

/// A host with packages, as the real providers show it.
pub(super) fn fixture() -> Fixture {
    let state = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let schema = Arc::new(Schema::builtin().unwrap());
    let store = Arc::new(Store::in_memory().unwrap());
    let worker = WorkerProgram { program: "/nonexistent".into(), ..WorkerProgram::default() };
    let settings = crate::jobs::Settings::new(state.path().to_owned(), worker);
    let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), settings).unwrap());
    // Descriptions of very different lengths, so that pages end everywhere.
    let packages = (0..PACKAGES).map(|n| package(&format!("package-{n}"), "1.0-1", &"äöü <&> ".repeat(n % 37)));
    let manager = Arc::new(FixedPackages::new(packages));
    let name = SystemName { class: "PG_ComputerSystem".into(), name: "host.example".into() };
    let systems = ManagedSystems::from(Arc::new(Model::new(schema.clone(), manager, jobs, clock, name)));
    let broker = Broker::of_systems(schema.clone(), all(&systems).unwrap()).unwrap();
    let service = service(broker, schema, store, Arc::new(Indications::new(systems)));
    Fixture { service, runtime: runtime(), _state: state }
}

/// What a client asks beside the body.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) action: &'a str,
    pub(super) class: &'a str,
    pub(super) octets: Option<u64>,
    pub(super) encoding: Encoding,
}

impl Fixture {
    fn request(&self, asked: Asked<'_>, body: impl FnOnce(&mut Writer)) -> Request {
        let to = EndpointReference::new("https://host/wsman");
        let mut message = Message::new(REQUEST_PREFIXES, &Outgoing::request(asked.action, &to), usize::MAX);
        let control = ControlHeaders {
            resource_uri: Some(format!("{CIM}{}", asked.class)),
            max_envelope_size: asked.octets,
            ..ControlHeaders::default()
        };
        control.write(message.header());
        body(message.body());
        Request {
            body: asked.encoding.encode(message.finish()),
            upload: None,
            charset: None,
            soap_action: None,
            caller: Some(Caller::new("ann", Role::Viewer)),
            address: "https://host/wsman".into(),
        }
    }

    pub(super) fn send(&self, asked: Asked<'_>, body: impl FnOnce(&mut Writer)) -> Reply {
        self.runtime.block_on(self.service.handle(self.request(asked, body)))
    }

    fn page(&self, asked: Asked<'_>, body: impl FnOnce(&mut Writer)) -> ReceivedPage {
        let reply = self.send(asked, body);
        let room = asked.octets.unwrap_or(512_000);
        assert!(reply.body.len() as u64 <= room, "{} octets for {room}", reply.body.len());
        ReceivedPage::read(envelope(&reply, asked.encoding)).unwrap()
    }

    /// Everything an enumeration gives, page by page.
    fn all(
        &self,
        class: &str,
        start: &Enumerate,
        most: Option<u64>,
        octets: Option<u64>,
        encoding: Encoding,
    ) -> Vec<String> {
        let asked = |action| Asked { action, class, octets, encoding };
        let mut page = self.page(asked(action::ENUMERATE), |w| start.write(w));
        let mut items = Vec::new();
        loop {
            let limit = if items.is_empty() && start.optimize { start.max_elements } else { most };
            assert!(page.items.len() as u64 <= limit.unwrap_or(1), "{} items for {limit:?}", page.items.len());
            items.extend(page.items.iter().map(id_in));
            let Some(context) = page.context else {
                assert!(page.end_of_sequence);
                return items;
            };
            let pull = Pull { context, max_elements: most, ..Pull::default() };
            page = self.page(asked(action::PULL), |w| pull.write(w));
        }
    }
}

/// The InstanceID somewhere in an item, as property or as selector.
fn id_in(item: &Element) -> String {
    let is_id = |e: &Element| e.name == "InstanceID" || e.attribute("", "Name") == Some("InstanceID");
    if is_id(item) {
        return item.text().to_owned();
    }
    item.elements().map(id_in).find(|id| !id.is_empty()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_item_is_lost_whatever_the_pages_are(
        optimize: bool,
        first in proptest::option::of(1u64..200),
        most in proptest::option::of(1u64..200),
        octets in proptest::option::of(8192u64..40_000),
        mode in prop_oneof![Just(Mode::Objects), Just(Mode::Endpoints), Just(Mode::ObjectsAndEndpoints)],
        encoding in prop_oneof![Just(Encoding::Utf8), Just(Encoding::Utf16Le)],
    ) {
        // In UTF-16 an item takes twice the room; none of these is larger than half of the smallest envelope.
        let octets = octets.map(|n| if encoding == Encoding::Utf8 { n } else { n * 2 });
        let fixture = fixture();
        let start = Enumerate { optimize, max_elements: first, mode, ..Enumerate::default() };
        let items = fixture.all("CIM_SoftwareIdentity", &start, most, octets, encoding);
        prop_assert_eq!(items.len(), PACKAGES);
        let distinct: BTreeSet<_> = items.iter().collect();
        prop_assert_eq!(distinct.len(), PACKAGES);
        prop_assert!(distinct.contains(&"LMI:LMI_SoftwareIdentity:package-7-0:1.0-1.all".to_owned()));
    }
}

#[test]
fn a_search_goes_page_by_page_too_and_a_pull_that_is_given_up_leaves_the_rest() {
    let fixture = fixture();
    let text = "SELECT * FROM CIM_SoftwareIdentity WHERE Name LIKE 'package-1%'".to_owned();
    let filter = Some(Filter::Query { dialect: dialect::WQL.to_owned(), text });
    let start = Enumerate { filter, ..Enumerate::default() };
    let asked = |action| Asked { action, class: "CIM_SoftwareIdentity", octets: None, encoding: Encoding::Utf8 };
    let page = fixture.page(asked(action::ENUMERATE), |w| start.write(w));
    let pull = Pull { context: page.context.clone().unwrap(), max_elements: Some(7), ..Pull::default() };
    let request = fixture.request(asked(action::PULL), |w| pull.write(w));
    fixture.runtime.block_on(async {
        // Polled once, the search is on its way; then its client is gone.
        let mut given_up = std::pin::pin!(fixture.service.handle(request));
        let polled = std::future::poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context))).await;
        assert!(polled.is_pending());
    });
    let mut found = BTreeSet::new();
    let mut next = page.context;
    while let Some(context) = next {
        let pull = Pull { context, max_elements: Some(7), ..Pull::default() };
        let reply = fixture.send(asked(action::PULL), |w| pull.write(w));
        if reply.status == 500 {
            // The search that was given up still holds the context.
            assert_eq!(fault(&reply).kind, Some(FaultKind::Concurrency));
            next = Some(pull.context);
            continue;
        }
        let page = ReceivedPage::read(envelope(&reply, Encoding::Utf8)).unwrap();
        found.extend(page.items.iter().map(id_in));
        next = page.context;
    }
    // 1, 10 to 19 and 100 to 149, less the page that nobody read.
    assert_eq!(found.len(), 61 - 7);
}

#[test]
fn a_context_is_of_no_use_after_the_end_nor_for_another_class() {
    let fixture = fixture();
    let asked = |action, class| Asked { action, class, octets: None, encoding: Encoding::Utf8 };
    let start = Enumerate::default();
    let page = fixture.page(asked(action::ENUMERATE, "CIM_SoftwareIdentity"), |w| start.write(w));
    let pull = Pull { context: page.context.unwrap(), max_elements: Some(1000), ..Pull::default() };
    let reply = fixture.send(asked(action::PULL, "CIM_ComputerSystem"), |w| pull.write(w));
    assert_eq!(fault(&reply).kind, Some(FaultKind::MessageInformationHeaderRequired));
    let last = fixture.page(asked(action::PULL, "CIM_SoftwareIdentity"), |w| pull.write(w));
    assert!(last.end_of_sequence && last.items.len() == PACKAGES);
    let reply = fixture.send(asked(action::PULL, "CIM_SoftwareIdentity"), |w| pull.write(w));
    assert_eq!(fault(&reply).kind, Some(FaultKind::InvalidEnumerationContext));
}

#[test]
fn what_is_not_served_is_a_fault_and_no_reply() {
    let fixture = fixture();
    for action in [action::ENUMERATION_RENEW, action::ENUMERATION_GET_STATUS, "urn:x", "http://h/x"] {
        let asked = Asked { action, class: "CIM_ComputerSystem", octets: None, encoding: Encoding::Utf8 };
        let reply = fixture.send(asked, |_| {});
        assert_eq!((reply.status, fault(&reply).kind), (500, Some(FaultKind::ActionNotSupported)), "{action}");
    }
}
