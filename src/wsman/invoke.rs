//! Method calls: custom actions on an instance (DSP0226 clause 9, DSP0227 clause 11).

use std::sync::Arc;

use super::Service;
use super::exchange::{Exchange, Target};
use super::transfer::{instance, waits_until};
use crate::broker::{Action, Arguments, MethodReply};
use crate::cim::{CimError, CimStatus, Class, ObjectPath};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::names::{TRANSFER_PREFIXES, action as actions};
use crate::wire::{ResourceUri, cim_error, cim_fault, write_output};
use crate::xml::Written;

/// Calls the method that the action names.
pub(super) async fn invoke(service: &Service, exchange: &Exchange<'_>, action: &str) -> Result<Written, Fault> {
    let unsupported = || Fault::action_not_supported(action, format!("the action {action:?} is not served"));
    let (resource, name) = actions::method(action).ok_or_else(unsupported)?;
    let target = exchange.target(&service.broker)?;
    if !is_related(service, &target, resource) {
        return Err(unsupported());
    }
    let no_method = || {
        let why = format!("{} has no method {name}", target.class.name());
        unsupported().with_element(cim_error(CimStatus::MethodNotFound, &why))
    };
    if !is_offered(service, &target, name) {
        return Err(no_method());
    }
    let (class, path) = callee(service, exchange, &target, name).await?;
    let method = class.method(name).ok_or_else(no_method)?;
    let effect = service.broker.check_call(exchange.caller, &class, method).map_err(cim_fault)?;
    let arguments =
        exchange.mapping(&service.broker, &target.namespace).input(exchange.envelope.body.as_ref(), method)?;
    if let Some(Err(why)) = exchange.upload.map(|upload| upload.file()) {
        let why = format!("parameter Image of method {name}: {why}");
        return Err(Fault::detailed(FaultKind::InvalidParameter, FaultDetail::TypeMismatch, why));
    }
    let reply = call(service, exchange, effect, (&class, name), path, Arguments(arguments)).await?;
    let mut message = exchange.reply(&format!("{action}Response"), TRANSFER_PREFIXES);
    let style = exchange.style(&target.form);
    write_output(message.body(), target.class.name(), method, &reply.outputs, &reply.return_value, &style);
    if effect.changes() { exchange.finish_change(message) } else { exchange.finish(message) }
}

/// What the method is called on: the instance that the selectors name, or the class if the method is static.
async fn callee(
    service: &Service,
    exchange: &Exchange<'_>,
    target: &Target<'_>,
    method: &str,
) -> Result<(Arc<Class>, ObjectPath), Fault> {
    if target.class.method(method).is_some_and(|method| method.is_static) {
        let path = ObjectPath::new(target.namespace.clone(), target.class.name().clone(), Vec::new());
        return Ok((target.class.clone(), path));
    }
    let path = exchange.path(&service.broker, target)?;
    let instance = instance(service, exchange, &path).await?;
    Ok((instance.class().clone(), path))
}

/// Whether what stands before the method's name is the class, or one that it is derived from or that is derived from it.
fn is_related(service: &Service, target: &Target<'_>, resource: &str) -> bool {
    let named = ResourceUri::parse(resource).ok();
    let class = named.as_ref().and_then(ResourceUri::class).and_then(|name| service.broker.schema().class(name));
    class.is_some_and(|class| target.class.is_a(class.name()) || class.is_a(target.class.name()))
}

/// Whether the class or one of its subclasses has the method.
fn is_offered(service: &Service, target: &Target<'_>, method: &str) -> bool {
    let classes = service.broker.schema().with_subclasses(target.class.name());
    classes.iter().any(|class| class.method(method).is_some())
}

/// Methods may block, so they run beside the event loop; those that only look not where changes are made.
async fn call(
    service: &Service,
    exchange: &Exchange<'_>,
    effect: Action,
    (class, method): (&Arc<Class>, &str),
    path: ObjectPath,
    arguments: Arguments,
) -> Result<MethodReply, Fault> {
    let (broker, caller, class, method) =
        (service.broker.clone(), exchange.caller.clone(), class.clone(), method.to_owned());
    let (upload, until) = (exchange.upload.cloned(), waits_until(service, exchange));
    let work = move || match class.method(&method) {
        Some(method) => broker.invoke_with(&caller, &path, method, arguments, upload.as_deref(), until),
        None => Err(CimError::new(CimStatus::MethodNotFound, "the method is gone")),
    };
    let (user, deadline) = (&exchange.caller.name, exchange.deadline);
    let called = if effect.changes() {
        service.changes.run_until(user, deadline, work).await?
    } else {
        service.searches.look_until(user, deadline, work).await?
    };
    called.map_err(cim_fault)
}
