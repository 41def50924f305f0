//! The page for people: the same objects, users and rights as over WS-Management, looked at with a browser.
//!
//! It asks the broker as whoever is logged in, so that roles and the audit log hold here as they do there. It is HTML made on
//! the server and needs no script; one small file of ours shows the progress of jobs while it happens.

mod ask;
mod assets;
mod cookie;
mod door;
mod failure;
mod fields;
mod frame;
mod login;
mod origin;
mod paging;
mod reading;
mod reply;
mod sessions;
mod software;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};

use self::sessions::Sessions;
use crate::access::Users;
use crate::broker::Broker;
use crate::clock::SharedClock;
use crate::server::Routes;
use crate::wsman::Places;

/// How many threads look things up for pages at a time, and how many of them for one user.
const LOOKS: (usize, usize) = (4, 2);
/// The same for what is changed, or asked of package tools.
const CHANGES: (usize, usize) = (3, 2);

/// How the page is served.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long somebody stays logged in without asking for anything.
    pub idle: Duration,
    /// How long somebody stays logged in at most.
    pub longest: Duration,
}

/// The page.
#[derive(Debug)]
pub struct Page {
    broker: Arc<Broker>,
    users: Arc<Users>,
    clock: SharedClock,
    sessions: Sessions,
    /// For everything that only looks.
    looks: Places,
    /// For what changes something, and for what has to ask package tools.
    changes: Places,
}

impl Page {
    /// A page that shows these objects to these users.
    pub fn new(broker: Arc<Broker>, users: Arc<Users>, clock: SharedClock, settings: Settings) -> Self {
        let sessions = Sessions::new(settings.idle, settings.longest);
        let (looks, changes) = (Places::new(LOOKS.0, LOOKS.1), Places::new(CHANGES.0, CHANGES.1));
        Self { broker, users, clock, sessions, looks, changes }
    }

    /// Its resources.
    pub fn routes(self) -> Routes {
        let page = Data::new(self);
        Arc::new(move |config| configure(&page, config))
    }
}

fn configure(page: &Data<Page>, config: &mut ServiceConfig) {
    config
        .app_data(page.clone())
        .service(web::resource("/").get(software::installed))
        .service(web::resource("/login").get(login::form).post(login::log_in))
        .service(web::resource("/logout").post(login::log_out))
        .service(web::resource("/software").get(software::installed))
        .service(web::resource("/assets/{name}").get(assets::asset));
}
