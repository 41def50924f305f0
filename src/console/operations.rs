//! The operations of WS-Management on any class of any implementation.

use super::session::Asked;
use super::{ConsoleError, Resource, Session};
use crate::soap::{EndpointReference, Envelope, Fault};
use crate::wire::enumeration::{Enumerate, Mode, Pull, ReceivedPage, write_release};
use crate::wire::identify::{self, Identity};
use crate::wire::names::{action, option};
use crate::wire::transfer::read_created;
use crate::wire::{Filter, OptionSet, PlainInstance, PlainItem, PlainValue};
use crate::xml::{Element, ElementExt};

/// How many items a host is asked for at once: more make it and us hold much in memory, fewer make it answer often.
const PAGE: u64 = 2_000;
/// More than any host has of anything: whoever sends more does not come to an end.
const MOST_ITEMS: usize = 1_000_000;

/// What is to be enumerated, and how.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Enumeration {
    /// Which of the class's instances, or what of other classes.
    pub filter: Option<Filter>,
    /// Instances, references, or both.
    pub mode: Mode,
    /// No more than so many.
    pub most: Option<usize>,
}

/// What an enumeration found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    /// The items.
    pub items: Vec<PlainItem>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
}

/// What a method gave back: its OUT parameters, and what it returned among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output(pub PlainInstance);

impl Output {
    /// What the method returned, if that is a number.
    pub fn returned(&self) -> Option<u32> {
        self.0.text("ReturnValue")?.trim().parse().ok()
    }
}

impl Session {
    /// Asks the host who it is. Without a login it is asked as a stranger, who is told less.
    pub async fn identify(&self) -> Result<Identity, ConsoleError> {
        let own = self.endpoint().url().clone();
        let asked = if self.has_login() {
            self.send(own, identify::request(), true).await
        } else {
            match self.send(self.endpoint().anonymous_url()?, identify::request(), false).await {
                // Others than ours may answer strangers at their usual place.
                Err(ConsoleError::Reply(_)) => self.send(own, identify::request(), false).await,
                answer => answer,
            }
        };
        Identity::read(&asked?).map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Reads an instance.
    pub async fn get(&self, resource: &Resource) -> Result<PlainInstance, ConsoleError> {
        let reply = self.ask(Asked::about(resource, action::GET), |_| {}).await?;
        PlainInstance::of_body(&reply, "an instance").map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Writes an instance; gives it as it is then, if the host shows it.
    pub async fn put(
        &self,
        resource: &Resource,
        instance: &PlainInstance,
    ) -> Result<Option<PlainInstance>, ConsoleError> {
        let reply = self.ask(Asked::about(resource, action::PUT), |w| instance.write(w)).await?;
        let written = reply.body.as_ref().filter(|body| body.is(instance.resource_uri.as_str(), &instance.class));
        written.map(PlainInstance::read).transpose().map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Makes an instance of a class; gives where it is found.
    pub async fn create(
        &self,
        class: &Resource,
        properties: Vec<(String, PlainValue)>,
    ) -> Result<EndpointReference, ConsoleError> {
        let instance =
            PlainInstance { class: class.class_name().to_owned(), resource_uri: class.uri.clone(), properties };
        let reply = self.ask(Asked::about(class, action::CREATE), |w| instance.write(w)).await?;
        read_created(&reply).map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Removes an instance.
    pub async fn delete(&self, resource: &Resource) -> Result<(), ConsoleError> {
        self.ask(Asked::about(resource, action::DELETE), |_| {}).await.map(drop)
    }

    /// Calls a method of an instance; gives what it returned and its OUT parameters.
    pub async fn invoke(
        &self,
        resource: &Resource,
        method: &str,
        input: Vec<(String, PlainValue)>,
    ) -> Result<Output, ConsoleError> {
        let input =
            PlainInstance { class: [method, "_INPUT"].concat(), resource_uri: resource.uri.clone(), properties: input };
        let action = [&resource.uri, "/", method].concat();
        let reply = self.ask(Asked::about(resource, action), |w| input.write(w)).await?;
        let output = PlainInstance::of_body(&reply, "the output of the method");
        Ok(Output(output.map_err(|fault| ConsoleError::unreadable(&fault))?))
    }

    /// The reference to an instance of this host, as requests hold it; to the only one of a class without keys.
    pub async fn reference_to(&self, resource: &Resource) -> Result<EndpointReference, ConsoleError> {
        Ok(self.only(resource).await?.reference(self.address()))
    }

    /// Collects what an enumeration gives.
    pub async fn enumerate(&self, resource: &Resource, wanted: &Enumeration) -> Result<Found, ConsoleError> {
        let mut items = Vec::new();
        let has_more = self.enumerate_each(resource, wanted, &mut |item| items.push(item)).await?;
        Ok(Found { items, has_more })
    }

    /// Hands each thing that an enumeration gives to `take`, so that not all of them need be kept. Tells whether there are more
    /// than were asked for.
    pub async fn enumerate_each(
        &self,
        resource: &Resource,
        wanted: &Enumeration,
        take: &mut dyn FnMut(PlainItem),
    ) -> Result<bool, ConsoleError> {
        // Queries and associations lead to classes of any name (DSP0227 8.2).
        let is_of_any = matches!(wanted.filter, Some(Filter::Query { .. } | Filter::Association(_)));
        let resource = if is_of_any { &resource.all_classes() } else { resource };
        let mut taking = Taking { most: wanted.most.unwrap_or(MOST_ITEMS).max(1), taken: 0, take, unreadable: None };
        let body = Enumerate {
            filter: wanted.filter.clone(),
            mode: wanted.mode,
            optimize: true,
            max_elements: Some(taking.page()),
            ..Enumerate::default()
        };
        let asked_for = asked(resource, action::ENUMERATE);
        let reply = self.ask_for_page(asked_for, |w| body.write(w), &mut |item| taking.item(item)).await?;
        let mut context = taking.end_of_page(reply)?;
        while let Some(place) = context {
            if taking.taken >= taking.most {
                // What the host keeps of it ends by itself, too.
                let _ = self.ask(asked(resource, action::RELEASE), |w| write_release(w, &place)).await;
                return Ok(true);
            }
            let body = Pull { context: place, max_elements: Some(taking.page()), ..Pull::default() };
            let asked_for = asked(resource, action::PULL);
            let reply = self.ask_for_page(asked_for, |w| body.write(w), &mut |item| taking.item(item)).await?;
            context = taking.end_of_page(reply)?;
        }
        Ok(taking.taken > taking.most)
    }

    /// The instance that a resource names; the only one of the class if it names the class alone.
    pub async fn only(&self, resource: &Resource) -> Result<Resource, ConsoleError> {
        if resource.has_keys() {
            return Ok(resource.clone());
        }
        let wanted = Enumeration { mode: Mode::Endpoints, most: Some(2), ..Enumeration::default() };
        let found = self.enumerate(resource, &wanted).await?;
        let mut references = found.items.into_iter().filter_map(|item| item.reference);
        let class = resource.class_name();
        match (references.next(), references.next()) {
            (Some(one), None) => Resource::of(&one).map_err(|fault| ConsoleError::unreadable(&fault)),
            (None, _) => Err(ConsoleError::Absent(format!("the host has no instance of {class}"))),
            (Some(_), Some(_)) => {
                Err(ConsoleError::Absent(format!("the host has several instances of {class}: name the keys of one")))
            }
        }
    }
}

/// Somebody who takes what an enumeration gives.
struct Taking<'t> {
    most: usize,
    /// How many came, also such that were too many.
    taken: usize,
    take: &'t mut dyn FnMut(PlainItem),
    /// What is wrong with the first that cannot be read.
    unreadable: Option<Fault>,
}

impl Taking<'_> {
    /// How many items are asked for next.
    fn page(&self) -> u64 {
        u64::try_from(self.most.saturating_sub(self.taken)).map_or(PAGE, |left| left.min(PAGE))
    }

    fn item(&mut self, item: Element) {
        self.taken += 1;
        if self.taken > self.most || self.unreadable.is_some() {
            return;
        }
        match PlainItem::read(item) {
            Ok(item) => (self.take)(item),
            Err(fault) => self.unreadable = Some(fault),
        }
    }

    /// Where to go on behind a page.
    fn end_of_page(&mut self, reply: Envelope) -> Result<Option<String>, ConsoleError> {
        let page = self.unreadable.take().map_or_else(|| ReceivedPage::read(reply), Err);
        Ok(page.map_err(|fault| ConsoleError::unreadable(&fault))?.context)
    }
}

/// A request of an enumeration. NULL properties tell nothing that their absence does not.
fn asked(resource: &Resource, action: &str) -> Asked {
    Asked::about(resource, action).with_options(OptionSet::default().with(option::EXCLUDE_NIL, "true"))
}
