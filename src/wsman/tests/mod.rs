//! Requests and replies over a service, without a transport.

mod associations;
mod calls;
mod enumeration;
mod fragments;
mod packages;
mod projection;
mod things;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::{ContextLimits, FaultStatus, Reply, Request, Service, Settings};
use crate::access::{self, Caller, Role, Users};
use crate::broker::Broker;
use crate::cim::Schema;
use crate::client::{AddressRules, Client};
use crate::clock::SystemClock;
use crate::events::{Describe, Events};
use crate::soap::{Encoding, Envelope, FaultKind, ReceivedFault};
use crate::store::Store;
use crate::xml::{Element, Limits};

const CIM: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";

/// A service of these objects.
fn service(broker: Broker, schema: Arc<Schema>, store: Arc<Store>, describe: Arc<dyn Describe>) -> Service {
    let clock = Arc::new(SystemClock);
    let client = Client::start(crate::client::Settings::default(), AddressRules::new(true)).unwrap();
    let users = access::Settings { cache: Duration::from_secs(60), hash_mebibytes: 1 };
    let users = Arc::new(Users::new(store.clone(), clock.clone(), users).unwrap());
    let settings = crate::events::Settings::default();
    let events = Events::open(store, schema, describe, users, client, clock.clone(), settings);
    let settings = Settings {
        max_envelope_size: 512_000,
        largest_envelope: 1 << 24,
        fault_status: FaultStatus::Always500,
        operation_timeout: Duration::from_secs(60),
        contexts: ContextLimits { total: 10_000, per_user: 10_000, idle: TimeDelta::minutes(10) },
    };
    Service::new(Arc::new(broker), events.unwrap(), clock, settings)
}

/// One thread, on which a request is answered.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn envelope(reply: &Reply, encoding: Encoding) -> Envelope {
    let octets = reply.body.clone().join();
    let text = encoding.decode(&octets).unwrap();
    let envelope = Envelope::read(&text, &Limits { elements: 1_000_000, ..Limits::default() }).unwrap();
    assert_eq!(reply.status, 200, "{:?}", ReceivedFault::read(&envelope));
    envelope
}

fn fault(reply: &Reply) -> ReceivedFault {
    let octets = reply.body.clone().join();
    let text = Encoding::Utf8.decode(&octets).unwrap();
    ReceivedFault::read(&Envelope::read(&text, &Limits::default()).unwrap())
        .unwrap_or_else(|| panic!("no fault: {text}"))
}
