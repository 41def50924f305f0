//! WS-Transfer: one instance (DSP0226 clause 7, DSP0227 clause 7).

use tokio::time::Instant;

use super::exchange::{Exchange, Target, after};
use super::representation::{self, refused};
use super::{Service, classes};
use crate::broker::{Broker, Change};
use crate::cim::{CimError, Instance, ObjectPath};
use crate::soap::{Fault, FaultDetail, FaultKind, Message};
use crate::wire::control::write_requested_epr;
use crate::wire::names::{TRANSFER_PREFIXES, action};
use crate::wire::transfer::{Representation, write_created};
use crate::wire::{FragmentTransfer, ResourceUri, Style, UriForm, cim_fault, write_instance};
use crate::xml::Element;
use crate::xml::Written;

/// Get: the whole instance.
pub(super) async fn get(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    if let ResourceUri::Classes(format) = exchange.control.resource()? {
        return classes::get(service, exchange, format);
    }
    let target = exchange.target(&service.broker)?;
    let path = exchange.path(&service.broker, &target)?;
    let instance = instance(service, exchange, &path).await?;
    let message = show(service, exchange, &target, &instance, action::GET_RESPONSE);
    exchange.finish(message)
}

/// Put: the instance gets new values; the reply shows it as it is then (R7.4-8).
pub(super) async fn put(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let target = exchange.target(&service.broker)?;
    let path = exchange.path(&service.broker, &target)?;
    let current = instance(service, exchange, &path).await?;
    service.broker.check_change(exchange.caller, current.class(), Change::Modify).map_err(cim_fault)?;
    let element = whole(exchange)?;
    let given = exchange.mapping(&service.broker, &target.namespace).instance(element, current.class())?;
    let changes = representation::changes(&given, &current, &exchange.control.options)?;
    let caller = exchange.caller.clone();
    let changed = change(service, exchange, move |broker| broker.modify(&caller, &path, changes)).await?;
    let message = show(service, exchange, &target, &changed.map_err(refused)?, action::PUT_RESPONSE);
    exchange.finish_change(message)
}

/// Create: a new instance; the reply says how it is named (R7.6-5).
pub(super) async fn create(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let target = exchange.target(&service.broker)?;
    service.broker.check_role(exchange.caller, target.class, Change::Create).map_err(cim_fault)?;
    let element = whole(exchange)?;
    let class = representation::class_of(&service.broker, &target, element)?;
    service.broker.check_change(exchange.caller, class, Change::Create).map_err(cim_fault)?;
    let mapping = exchange.mapping(&service.broker, &target.namespace);
    let mut given = mapping.instance(element, class)?;
    representation::take_keys(&mut given, &mapping, &exchange.control.selectors)?;
    representation::check_new(&given)?;
    let (caller, wanted) = (exchange.caller.clone(), given.instance);
    let made = wait(service, exchange, move |broker, until| broker.create(&caller, &wanted, until)).await?;
    let path = service.broker.path_of(&made.map_err(refused)?);
    created(exchange, &target.form, &path, None)
}

/// Delete: the instance goes.
pub(super) async fn delete(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let target = exchange.target(&service.broker)?;
    let path = exchange.path(&service.broker, &target)?;
    let current = instance(service, exchange, &path).await?;
    service.broker.check_change(exchange.caller, current.class(), Change::Delete).map_err(cim_fault)?;
    let caller = exchange.caller.clone();
    wait(service, exchange, move |broker, until| broker.delete(&caller, &path, until)).await?.map_err(cim_fault)?;
    exchange.finish_change(exchange.reply(action::DELETE_RESPONSE, TRANSFER_PREFIXES))
}

/// The instance that a path names; looked at beside the event loop if it must be read first.
pub(super) async fn instance(service: &Service, exchange: &Exchange<'_>, path: &ObjectPath) -> Result<Instance, Fault> {
    if service.broker.is_ready(path) {
        return service.broker.get(exchange.caller, path).map_err(cim_fault);
    }
    let (broker, caller, path) = (service.broker.clone(), exchange.caller.clone(), path.clone());
    let look = move || broker.get(&caller, &path);
    service.searches.look_until(&exchange.caller.name, exchange.deadline, look).await?.map_err(cim_fault)
}

/// The reply to a Create: the name of what was made, or of what a part was put into.
pub(super) fn created(
    exchange: &Exchange<'_>,
    form: &UriForm,
    path: &ObjectPath,
    fragment: Option<&FragmentTransfer>,
) -> Result<Written, Fault> {
    let style = Style { address: exchange.address, ..exchange.style(form) };
    let mut message = exchange.reply_about(action::CREATE_RESPONSE, TRANSFER_PREFIXES);
    if let Some(header) = fragment {
        header.write(message.header());
    }
    if exchange.control.request_epr {
        write_requested_epr(message.header(), path, &style);
    }
    write_created(message.body(), path, &style);
    exchange.finish_change(message)
}

/// Changes may block, so they are made beside the event loop.
pub(super) async fn change<T: Send + 'static>(
    service: &Service,
    exchange: &Exchange<'_>,
    work: impl FnOnce(&Broker) -> Result<T, CimError> + Send + 'static,
) -> Result<Result<T, CimError>, Fault> {
    let broker = service.broker.clone();
    service.changes.run_until(&exchange.caller.name, exchange.deadline, move || work(&broker)).await
}

/// Making or deleting an instance may wait for a job; until when it waits goes with the work.
async fn wait<T: Send + 'static>(
    service: &Service,
    exchange: &Exchange<'_>,
    work: impl FnOnce(&Broker, std::time::Instant) -> Result<T, CimError> + Send + 'static,
) -> Result<Result<T, CimError>, Fault> {
    let (broker, until) = (service.broker.clone(), waits_until(service, exchange));
    service.waits.run_until(&exchange.caller.name, exchange.deadline, move || work(&broker, until)).await
}

/// Until when work waits for what takes long: the last tenth of the time is for the reply that says what became of it.
pub(super) fn waits_until(service: &Service, exchange: &Exchange<'_>) -> std::time::Instant {
    let longest = after(exchange.begun, service.settings().operation_timeout).min(exchange.deadline);
    let left = longest.saturating_duration_since(Instant::now());
    (longest - left / 10).into_std()
}

/// A reply that holds an instance.
fn show(service: &Service, exchange: &Exchange<'_>, target: &Target<'_>, instance: &Instance, action: &str) -> Message {
    let mut message = exchange.reply_about(action, TRANSFER_PREFIXES);
    let style = exchange.style(&target.form);
    if exchange.control.request_epr {
        write_requested_epr(message.header(), &service.broker.path_of(instance), &style);
    }
    write_instance(message.body(), instance, &style);
    message
}

/// The representation of a whole instance.
fn whole<'e>(exchange: &Exchange<'e>) -> Result<&'e Element, Fault> {
    match Representation::read(exchange.envelope, false)? {
        Representation::Whole(element) => Ok(element),
        Representation::Fragment(_) => Err(Fault::detailed(
            FaultKind::InvalidRepresentation,
            FaultDetail::InvalidFragment,
            "wsman:XmlFragment needs the header wsman:FragmentTransfer",
        )),
    }
}
