//! Fragment-level transfer: one part of an instance (DSP0226 7.7 to 7.11).
//!
//! A fragment is cut out of the representation that a Get would give, and a change of a fragment is a change of that
//! representation, read back as a Put of the whole would be.

use std::sync::Arc;

use super::Service;
use super::document::{document, write_selected};
use super::exchange::{Exchange, Target};
use super::representation::{changes, differences, refused};
use super::transfer::{self, change, created};
use crate::broker::Change;
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};
use crate::soap::{Fault, FaultDetail, FaultKind, Message};
use crate::wire::control::write_requested_epr;
use crate::wire::names::{TRANSFER_PREFIXES, WSMAN, action, dialect};
use crate::wire::transfer::Representation;
use crate::wire::{FragmentTransfer, ResourceUri, Style, cim_fault};
use crate::xml::Written;
use crate::xml::xpath::{FragmentError, Selected, XPath};
use crate::xml::{Element, ElementExt, XMLNode, element};

/// Answers a transfer request whose header says that it is about a part.
pub(super) async fn transfer(
    service: &Service,
    exchange: &Exchange<'_>,
    header: &FragmentTransfer,
    action: &str,
) -> Result<Written, Fault> {
    let expression = expression(header)?;
    if let ResourceUri::Classes(_) = exchange.control.resource()? {
        return Err(unsupported("a class is given as a whole"));
    }
    let part = Part::of(service, exchange, header, expression).await?;
    if action == action::GET {
        return part.get();
    }
    service.broker.check_change(exchange.caller, part.instance.class(), Change::Modify).map_err(cim_fault)?;
    match action {
        action::PUT => part.put().await,
        action::CREATE => part.create().await,
        _ => part.delete().await,
    }
}

/// A request about a part of an instance.
struct Part<'a> {
    service: &'a Service,
    exchange: &'a Exchange<'a>,
    header: &'a FragmentTransfer,
    target: Target<'a>,
    path: ObjectPath,
    instance: Instance,
    expression: XPath,
}

impl<'a> Part<'a> {
    async fn of(
        service: &'a Service,
        exchange: &'a Exchange<'a>,
        header: &'a FragmentTransfer,
        expression: XPath,
    ) -> Result<Self, Fault> {
        let target = exchange.target(&service.broker)?;
        let path = exchange.path(&service.broker, &target)?;
        let instance = transfer::instance(service, exchange, &path).await?;
        Ok(Self { service, exchange, header, target, path, instance, expression })
    }

    /// Get (7.8).
    fn get(&self) -> Result<Written, Fault> {
        let root = self.representation(&self.instance, false)?;
        self.property(&root)?;
        let selected = self.expression.get(&root).map_err(|error| not_changed(&error))?;
        self.exchange.finish(self.message(&self.instance, action::GET_RESPONSE, &selected))
    }

    /// Put (7.9): only the part is shown again.
    async fn put(self) -> Result<Written, Fault> {
        let mut root = self.representation(&self.instance, false)?;
        self.property(&root)?;
        let content = self.content(&root)?;
        self.expression.replace(&mut root, &content).map_err(|error| not_changed(&error))?;
        let changed = self.apply(&root).await?;
        let root = self.representation(&changed, false)?;
        let mut selected = self.expression.get(&root).unwrap_or_default();
        if selected.is_empty() {
            // A condition on what was changed holds no more, and it was done; what was put in is there.
            selected = content.iter().filter_map(Selected::of).collect();
        }
        self.exchange.finish_change(self.message(&changed, action::PUT_RESPONSE, &selected))
    }

    /// Create (7.11): something is put in where nothing was.
    async fn create(self) -> Result<Written, Fault> {
        let mut root = self.representation(&self.instance, true)?;
        self.property(&root)?;
        let content = self.content(&root)?;
        self.expression.insert(&mut root, &content).map_err(|error| not_changed(&error))?;
        let changed = self.apply(&root).await?;
        let path = self.service.broker.path_of(&changed);
        created(self.exchange, &self.target.form, &path, Some(self.header))
    }

    /// Delete (7.10).
    async fn delete(self) -> Result<Written, Fault> {
        let mut root = self.representation(&self.instance, true)?;
        self.property(&root)?;
        self.expression.remove(&mut root).map_err(|error| not_changed(&error))?;
        self.apply(&root).await?;
        let mut message = self.exchange.reply(action::DELETE_RESPONSE, TRANSFER_PREFIXES);
        self.header.write(message.header());
        self.exchange.finish_change(message)
    }

    /// What the body wraps. A whole instance may go by the name of any of its classes, as in a Put without fragments.
    fn content(&self, root: &Element) -> Result<Vec<XMLNode>, Fault> {
        let (Representation::Fragment(content) | Representation::Whole(content)) =
            Representation::read(self.exchange.envelope, true)?;
        let mut nodes = content.children.clone();
        if self.expression.is_whole(root) {
            let elements = nodes.iter_mut().filter_map(XMLNode::as_mut_element);
            elements
                .filter(|element| self.instance.class().is_a(&element.name))
                .for_each(|element| element.name.clone_from(&root.name));
        }
        Ok(nodes)
    }

    /// Changes the instance into what its representation says now.
    async fn apply(&self, root: &Element) -> Result<Instance, Fault> {
        let mapping = self.exchange.mapping(&self.service.broker, &self.target.namespace);
        let given = mapping.instance(root, self.instance.class())?;
        let changes: Vec<(Arc<str>, Value)> = match self.expression.child_of_root(root) {
            Some(property) => differences(&given, &self.instance, property)?,
            None => changes(&given, &self.instance, &self.exchange.control.options)?,
        };
        let (caller, path) = (self.exchange.caller.clone(), self.path.clone());
        change(self.service, self.exchange, move |broker| broker.modify(&caller, &path, changes))
            .await?
            .map_err(refused)
    }

    /// A reply that shows the part of an instance.
    fn message(&self, instance: &Instance, action: &str, selected: &[Selected<'_>]) -> Message {
        let mut message = self.exchange.reply_about(action, TRANSFER_PREFIXES);
        self.header.write(message.header());
        if self.exchange.control.request_epr {
            let style = self.exchange.style(&self.target.form);
            write_requested_epr(message.header(), &self.service.broker.path_of(instance), &style);
        }
        write_selected(message.body(), selected, &self.target.form);
        message
    }

    fn representation(&self, instance: &Instance, exclude_nil: bool) -> Result<Element, Fault> {
        let style = Style { exclude_nil, precise_arrays: false, ..self.exchange.style(&self.target.form) };
        document(instance, &style, &self.expression, self.target.class.name())
    }

    /// Whether the class has the property that the expression is about.
    fn property(&self, root: &Element) -> Result<(), Fault> {
        let class: &Class = self.instance.class();
        match self.expression.child_of_root(root) {
            Some(name) if class.property(name).is_none_or(|property| *property.name != *name) => {
                Err(unusable(format!("class {} has no property {name}", class.name())))
            }
            _ => Ok(()),
        }
    }
}

fn expression(header: &FragmentTransfer) -> Result<XPath, Fault> {
    let named = header.dialect.as_deref().unwrap_or(dialect::XPATH);
    if named != dialect::XPATH {
        let reason = format!("the fragment dialect {:?} is not supported", named.chars().take(100).collect::<String>());
        return Err(Fault::new(FaultKind::FragmentDialectNotSupported, reason)
            .with_element(element(WSMAN, "FragmentDialect").with_text(dialect::XPATH)));
    }
    XPath::parse(&header.expression).map_err(|error| unusable(error.to_string()))
}

/// Parts are not served there (R7.7-1).
pub(super) fn unsupported(why: &str) -> Fault {
    let reason = format!("{why}; leave the header wsman:FragmentTransfer out");
    Fault::detailed(FaultKind::UnsupportedFeature, FaultDetail::FragmentLevelAccess, reason)
}

fn unusable(why: String) -> Fault {
    Fault::new(FaultKind::CannotProcessFilter, format!("wsman:FragmentTransfer: {why}"))
}

fn not_changed(error: &FragmentError) -> Fault {
    match error {
        FragmentError::Ambiguous(_) | FragmentError::Place(_) => unusable(error.to_string()),
        FragmentError::Exists(_) => cim_fault(CimError::new(crate::cim::CimStatus::AlreadyExists, error.to_string())),
        FragmentError::Missing(_) | FragmentError::Content(_) => {
            Fault::detailed(FaultKind::InvalidRepresentation, FaultDetail::InvalidFragment, error.to_string())
        }
    }
}
