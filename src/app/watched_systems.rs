//! The managed systems as those who watch the service see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::jobs::{Jobs, System};
use crate::metrics::{Ailment, Exposition, Kind};
use crate::software::Manager;
use crate::software::vib::ImageManager;

/// What is looked at of the managed systems.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchedSystems {
    pub(super) host: Option<Watched<dyn Manager>>,
    pub(super) image: Option<Watched<dyn ImageManager>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Watched<M: ?Sized> {
    pub(super) manager: Arc<M>,
    pub(super) jobs: Arc<Jobs>,
    /// Whether the last look at its software failed.
    pub(super) is_unreadable: Arc<AtomicBool>,
}

impl<M: ?Sized> Clone for Watched<M> {
    fn clone(&self) -> Self {
        let Self { manager, jobs, is_unreadable } = self;
        Self { manager: manager.clone(), jobs: jobs.clone(), is_unreadable: is_unreadable.clone() }
    }
}

impl WatchedSystems {
    pub(super) fn jobs(&self) -> impl Iterator<Item = (System, &Arc<Jobs>)> {
        let host = self.host.iter().map(|host| (System::Host, &host.jobs));
        host.chain(self.image.iter().map(|image| (System::Image, &image.jobs)))
    }

    pub(super) fn write_inventories(&self, exposition: &mut Exposition) {
        if let Some(Watched { manager, .. }) = &self.host {
            let installed = manager.inventory().packages().len();
            exposition
                .family(
                    "quartermaster_packages",
                    Kind::Gauge,
                    "Packages, as far as they are known without reading anything.",
                )
                .sample(&[("are", "installed")], installed);
            if let Some(offered) = manager.offered_count() {
                exposition.sample(&[("are", "offered")], offered);
            }
        }
        if let Some(Watched { manager, .. }) = &self.image {
            let snapshot = manager.snapshot();
            exposition
                .family("quartermaster_vibs", Kind::Gauge, "VIBs of the image.")
                .sample(&[("of", "running")], snapshot.running.vibs.len())
                .sample(&[("of", "next")], snapshot.next().vibs.len());
        }
    }

    pub(super) fn ailments(&self) -> Vec<Ailment> {
        let mut ailments = Vec::new();
        if self.host.as_ref().is_some_and(|host| host.is_unreadable.load(Ordering::Relaxed)) {
            let words = "the package database cannot be read, so what is shown is as it was last; see the log for why";
            ailments.push(Ailment::new("packages", words));
        }
        if self.image.as_ref().is_some_and(|image| image.is_unreadable.load(Ordering::Relaxed)) {
            let words = "the image store cannot be read, so what is shown is as it was last; see the log for why";
            ailments.push(Ailment::new("image", words));
        }
        ailments
    }
}
