//! Endpoint references of the default addressing model: a resource and its selectors (DSP0226 5.1.2).

use super::names::{WSE, WSMAN};
use super::{ResourceUri, SelectorSet};
use crate::soap::{EndpointReference, Fault};
use crate::xml::{ElementExt, element};

impl EndpointReference {
    /// An endpoint that is a resource of a service.
    pub fn to_resource(address: &str, resource_uri: &str, selectors: &SelectorSet) -> Self {
        let endpoint = Self::new(address).with_parameter(element(WSMAN, "ResourceURI").with_text(resource_uri));
        if selectors.is_empty() { endpoint } else { endpoint.with_parameter(selectors.to_element()) }
    }

    /// The endpoint by which a subscription is renewed and ended.
    pub fn to_subscription(address: &str, resource_uri: &str, identifier: &str) -> Self {
        Self::new(address)
            .with_parameter(element(WSMAN, "ResourceURI").with_text(resource_uri))
            .with_parameter(element(WSE, "Identifier").with_text(identifier))
    }

    /// The text of its `wsman:ResourceURI`.
    pub fn resource_uri_text(&self) -> Option<&str> {
        self.carried().find(|e| e.is(WSMAN, "ResourceURI")).map(ElementExt::text).filter(|uri| !uri.is_empty())
    }

    /// What its `wsman:ResourceURI` names.
    pub fn resource_uri(&self) -> Result<ResourceUri, Fault> {
        let missing = || ResourceUri::missing("the reference names no instance: it holds no wsman:ResourceURI");
        ResourceUri::parse(self.resource_uri_text().ok_or_else(missing)?)
    }

    /// Its selectors; none if it has no set.
    pub fn selectors(&self) -> Result<SelectorSet, Fault> {
        self.carried()
            .find(|e| e.is(WSMAN, "SelectorSet"))
            .map_or_else(|| Ok(SelectorSet::default()), SelectorSet::read)
    }

    /// The same of a reference that is not needed any more.
    pub fn into_selectors(self) -> Result<SelectorSet, Fault> {
        let mut carried = self.parameters.into_iter().chain(self.properties);
        let set = carried.find(|e| e.is(WSMAN, "SelectorSet"));
        set.map_or_else(|| Ok(SelectorSet::default()), SelectorSet::take)
    }

    /// The subscription it names.
    pub fn identifier(&self) -> Option<&str> {
        self.carried().find(|e| e.is(WSE, "Identifier")).map(ElementExt::text).filter(|id| !id.is_empty())
    }
}
