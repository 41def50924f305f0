//! The page for people: the same objects, users and rights as over WS-Management, looked at with a browser.
//!
//! It asks the broker as whoever is logged in, so that roles and the audit log hold here as they do there. It is HTML made on
//! the server and needs no script; one small file of ours shows the progress of jobs while it happens.

mod advisories;
mod ask;
mod assets;
mod available;
mod bulletins;
mod change;
mod cookie;
mod door;
mod failure;
mod fields;
mod frame;
mod history;
mod images;
mod jobs;
mod live;
mod login;
mod multipart;
mod overview;
mod package;
mod paging;
mod reading;
mod reply;
mod repositories;
mod rows;
mod sessions;
mod software;
mod subscriptions;
mod systems;
mod updates;
mod upload;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};
use url::form_urlencoded::Serializer;

use self::sessions::Sessions;
use crate::access::Users;
use crate::broker::Broker;
use crate::clock::SharedClock;
use crate::events::Events;
use crate::server::Routes;
use crate::wsman::Places;

/// How many threads look things up for pages at a time, and how many of them for one user.
const LOOKS: (usize, usize) = (4, 2);
/// The same for what is changed, or asked of package tools.
const CHANGES: (usize, usize) = (3, 2);

/// How many browsers may watch jobs at a time, and how many of one user; each takes a connection and a look a second.
const WATCHERS: (usize, usize) = (64, 16);

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
    events: Arc<Events>,
    users: Arc<Users>,
    clock: SharedClock,
    sessions: Sessions,
    /// For everything that only looks.
    looks: Places,
    /// For what changes something, and for what has to ask package tools.
    changes: Places,
    /// For browsers that watch jobs.
    watchers: Places,
}

impl Page {
    /// A page that shows these objects to these users.
    pub fn new(
        broker: Arc<Broker>,
        events: Arc<Events>,
        users: Arc<Users>,
        clock: SharedClock,
        settings: Settings,
    ) -> Self {
        let sessions = Sessions::new(settings.idle, settings.longest);
        let (looks, changes) = (Places::new(LOOKS.0, LOOKS.1), Places::new(CHANGES.0, CHANGES.1));
        let watchers = Places::new(WATCHERS.0, WATCHERS.1);
        Self { broker, events, users, clock, sessions, looks, changes, watchers }
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
        .service(web::resource("/").get(overview::show))
        .service(web::resource("/login").get(login::form).post(login::log_in))
        .service(web::resource("/logout").post(login::log_out))
        .service(web::resource("/software").get(software::list))
        .service(web::resource("/available").get(available::list))
        .service(web::resource("/package").get(package::show))
        .service(web::resource("/plan").post(change::plan))
        .service(web::resource("/change").post(change::change))
        .service(web::resource("/verify").post(change::verify))
        .service(web::resource("/install-from").post(change::install_from))
        .service(web::resource("/install-file").post(upload::install))
        .service(web::resource("/jobs").get(jobs::list))
        .service(web::resource("/job").get(jobs::show))
        .service(web::resource("/job/cancel").post(jobs::cancel))
        .service(web::resource("/updates").get(updates::list).post(updates::update))
        .service(web::resource("/bulletins").get(bulletins::list))
        .service(web::resource("/bulletins/scan").post(bulletins::scan))
        .service(web::resource("/bulletins/assess").post(bulletins::assess))
        .service(web::resource("/bulletins/deploy").post(bulletins::deploy))
        .service(web::resource("/bulletin").get(bulletins::show))
        .service(web::resource("/roll-back").get(images::ask).post(images::roll_back))
        .service(web::resource("/repositories").get(repositories::list))
        .service(web::resource("/repositories/refresh").post(repositories::refresh))
        .service(web::resource("/repository").post(repositories::switch))
        .service(web::resource("/subscriptions").get(subscriptions::list))
        .service(web::resource("/subscription/end").post(subscriptions::end))
        .service(web::resource("/history").get(history::list))
        .service(web::resource("/live/jobs").get(live::jobs))
        .service(web::resource("/assets/{name}").get(assets::asset))
        .default_service(web::to(door::nothing_here));
}

/// An address of ours with fields; empty ones are left out.
fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
