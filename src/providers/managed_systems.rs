//! The managed systems of one service: a host with packages, a hypervisor host with an image, or both.

use std::sync::Arc;

use super::image::ImageModel;
use super::managed::{ManagedSystem, Terms};
use super::model::Model;
use super::static_filters::{self, StaticFilter};

/// The managed systems of this service, one at least.
#[derive(Clone, Debug)]
pub struct ManagedSystems {
    pub(super) host: Option<Arc<Model>>,
    pub(super) image: Option<Arc<ImageModel>>,
    home: Arc<dyn ManagedSystem>,
}

impl ManagedSystems {
    /// These systems; `None` if there is neither.
    pub fn new(host: Option<Arc<Model>>, image: Option<Arc<ImageModel>>) -> Option<Self> {
        let home = host.as_ref().map(shared).or_else(|| image.as_ref().map(shared))?;
        Some(Self { host, image, home })
    }

    /// The system that has what there is once in all, such as the indication service: the host if it is managed.
    pub(super) fn home(&self) -> Arc<dyn ManagedSystem> {
        self.home.clone()
    }

    /// All systems.
    pub(super) fn all(&self) -> Vec<Arc<dyn ManagedSystem>> {
        self.host.as_ref().map(shared).into_iter().chain(self.image.as_ref().map(shared)).collect()
    }

    /// The filters that are always there.
    pub(super) fn static_filters(&self) -> impl Iterator<Item = StaticFilter> + Send + use<> {
        self.terms().into_iter().flat_map(static_filters::all)
    }

    /// The static filter of that name.
    pub(super) fn static_filter(&self, name: &str) -> Option<StaticFilter> {
        self.terms().into_iter().find_map(|terms| static_filters::find(terms, name))
    }

    fn terms(&self) -> Vec<&'static Terms> {
        self.all().iter().map(|system| system.terms()).collect()
    }
}

fn shared<S: ManagedSystem>(system: &Arc<S>) -> Arc<dyn ManagedSystem> {
    system.clone()
}

impl From<Arc<Model>> for ManagedSystems {
    fn from(host: Arc<Model>) -> Self {
        Self { home: host.clone(), host: Some(host), image: None }
    }
}

impl From<Arc<ImageModel>> for ManagedSystems {
    fn from(image: Arc<ImageModel>) -> Self {
        Self { home: image.clone(), host: None, image: Some(image) }
    }
}
