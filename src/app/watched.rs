//! What the service tells of itself to those who watch it: figures, and what is not as it should be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::watched_systems::WatchedSystems;
use crate::access::Users;
use crate::events::{EventFigures, Events};
use crate::jobs::{JobState, System};
use crate::metrics::{Ailment, Exposition, Kind, Watched, write_process};
use crate::store::Store;
use crate::wsman;

/// Less room than this on the disk of the state directory is too little, in octets.
const LEAST_ROOM: u64 = 64 << 20;

/// Everything that is looked at.
pub(super) struct Service {
    pub(super) state_dir: PathBuf,
    pub(super) store: Arc<Store>,
    pub(super) users: Arc<Users>,
    pub(super) events: Arc<Events>,
    pub(super) wsman: Arc<wsman::Service>,
    pub(super) systems: WatchedSystems,
}

impl Watched for Service {
    fn write(&self, exposition: &mut Exposition) {
        let help = "What serves here.";
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        exposition.family("quartermaster_build", Kind::Info, help).sample(&version, true);
        self.write_access(exposition);
        write_events(&self.events.figures(), exposition);
        self.write_jobs(exposition);
        self.systems.write_inventories(exposition);
        self.write_state(exposition);
        write_process(exposition);
    }

    fn ailments(&self) -> Vec<Ailment> {
        let mut ailments = Vec::new();
        if let Err(error) = self.store.check() {
            ailments.push(Ailment::new("store", format!("it cannot be written: {}", with_causes(&error))));
        }
        if self.users.audit().log().is_some_and(crate::audit::Log::is_failing) {
            ailments
                .push(Ailment::new("audit", "its file cannot be written, so nothing is changed; see the log for why"));
        }
        for (system, jobs) in self.systems.jobs() {
            if let Some(why) = jobs.worker_failure() {
                let words = format!("the worker of the {} cannot be reached or started: {why}", named(system));
                ailments.push(Ailment::new("worker", words));
            }
        }
        ailments.extend(self.systems.ailments());
        match room(&self.state_dir) {
            Some(room) if room < LEAST_ROOM => {
                let (left, least, folder) = (room >> 20, LEAST_ROOM >> 20, self.state_dir.display());
                let words = format!("{left} MiB are left for {folder}, and {least} are to be: make room there");
                ailments.push(Ailment::new("disk", words));
            }
            _ => {}
        }
        ailments
    }
}

impl Service {
    fn write_access(&self, exposition: &mut Exposition) {
        let help = "Names and passwords, or other proofs of who asks, that were wrong.";
        let wrong = self.users.audit().wrong_logins();
        exposition.family("quartermaster_wrong_logins", Kind::Counter, help).sample(&[], wrong);
        let help = "Passwords that were hashed to be checked.";
        let hashes = self.users.hashes_done();
        exposition.family("quartermaster_password_hashes", Kind::Counter, help).sample(&[], hashes);
        let help = "Enumerations that are open.";
        let contexts = self.wsman.open_enumerations();
        exposition.family("quartermaster_enumerations", Kind::Gauge, help).sample(&[], contexts);
        let Some(log) = self.users.audit().log() else { return };
        let (written, lost) = log.counts();
        let help = "Lines of the audit log that this process wrote.";
        exposition.family("quartermaster_audit_lines", Kind::Counter, help).sample(&[], written);
        let help = "Lines of the audit log that could not be written and are still to be told of.";
        exposition.family("quartermaster_audit_lines_lost", Kind::Gauge, help).sample(&[], lost);
    }

    fn write_jobs(&self, exposition: &mut Exposition) {
        exposition.family("quartermaster_jobs", Kind::Gauge, "Jobs that are there, by their states.");
        for (system, jobs) in self.systems.jobs() {
            let all = jobs.jobs();
            for (state, word) in [
                (JobState::Queued, "queued"),
                (JobState::Running, "running"),
                (JobState::Completed, "completed"),
                (JobState::Failed, "failed"),
                (JobState::Cancelled, "cancelled"),
            ] {
                let count = all.iter().filter(|job| job.state == state).count();
                exposition.sample(&[("system", named(system)), ("state", word)], count);
            }
        }
        let help = "Whether a worker process is connected; without work it ends after some time.";
        exposition.family("quartermaster_worker_connected", Kind::Gauge, help);
        for (system, jobs) in self.systems.jobs() {
            exposition.sample(&[("system", named(system))], jobs.has_worker());
        }
    }

    fn write_state(&self, exposition: &mut Exposition) {
        let octets = |name: &str| std::fs::metadata(self.state_dir.join(name)).map_or(0, |file| file.len());
        exposition
            .family("quartermaster_store_bytes", Kind::Gauge, "The store's files.")
            .sample(&[("file", "database")], octets("quartermaster.db"))
            .sample(&[("file", "log")], octets("quartermaster.db-wal"));
        if let Some(room) = room(&self.state_dir) {
            let help = "What is free on the disk of the state directory.";
            exposition.family("quartermaster_disk_free_bytes", Kind::Gauge, help).sample(&[], room);
        }
    }
}

fn write_events(figures: &EventFigures, exposition: &mut Exposition) {
    exposition
        .family("quartermaster_subscriptions", Kind::Gauge, "Subscriptions, by how their events get to them.")
        .sample(&[("delivery", "push")], figures.pushing)
        .sample(&[("delivery", "pull")], figures.fetching);
    let help = "Subscriptions whose last message did not arrive.";
    exposition.family("quartermaster_subscriptions_failing", Kind::Gauge, help).sample(&[], figures.failing);
    let help = "Change records that were written since there is a store.";
    exposition.family("quartermaster_events_written", Kind::Counter, help).sample(&[], figures.written);
    let help = "Change records that a subscription has not dealt with.";
    exposition
        .family("quartermaster_events_waiting", Kind::Gauge, help)
        .sample(&[("of", "all")], figures.waiting)
        .sample(&[("of", "slowest")], figures.most_waiting);
    exposition
        .family("quartermaster_events_delivered", Kind::Counter, "Events that got to a subscriber.")
        .sample(&[("delivery", "push")], figures.delivered)
        .sample(&[("delivery", "pull")], figures.fetched);
    let help = "Messages with events that did not arrive.";
    exposition.family("quartermaster_deliveries_failed", Kind::Counter, help).sample(&[], figures.failed);
    let help = "Events that were lost to the subscriptions which are there.";
    exposition.family("quartermaster_events_dropped", Kind::Gauge, help).sample(&[], figures.dropped);
}

fn named(system: System) -> &'static str {
    match system {
        System::Host => "host",
        System::Image => "image",
    }
}

/// What is free on the disk of the folder, for who is not root, in octets.
fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
