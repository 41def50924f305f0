//! What Put and Create bring, judged: which of it counts, and what is missing (DSP0226 7.4 and 7.6).

use std::sync::Arc;

use super::exchange::Target;
use crate::broker::Broker;
use crate::cim::{CimError, CimStatus, Class, Instance, Property, Value};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::names::option;
use crate::wire::{GivenInstance, Mapping, OptionSet, SelectorSet, cim_error, cim_fault};
use crate::xml::Element;

/// What a Put asks to change. PowerShell sends whole instances with every NULL as nil, so with
/// `__MIInstanceModifiedPropertiesList` the listed properties count alone; what is NULL already or read-only is passed
/// over (R7.4-3); a key or a required property cannot become NULL, and a key cannot change.
pub(super) fn changes(
    given: &GivenInstance,
    current: &Instance,
    options: &OptionSet,
) -> Result<Vec<(Arc<str>, Value)>, Fault> {
    let listed: Vec<&str> = options.values(option::MODIFIED).collect();
    let counts = |name: &str| listed.is_empty() || listed.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    let mut changes = Vec::new();
    for (property, value) in given.given().filter(|(property, _)| counts(&property.name)) {
        if current.get(&property.name) == Some(value) {
            continue;
        }
        if value.is_null() && property.required {
            return Err(invalid_value(property, "it must have a value, so it cannot be nil"));
        }
        if property.key {
            return Err(invalid_value(property, "it is a key of the instance and does not change"));
        }
        if property.writable {
            changes.push((property.name.clone(), value.clone()));
        }
    }
    Ok(changes)
}

/// What a change of a part comes to: how one property of the representation, read back, differs from the instance's. What
/// is not there any more is NULL. A read-only property is not changed, and that is told (R7.9-2).
pub(super) fn differences(
    given: &GivenInstance,
    current: &Instance,
    name: &str,
) -> Result<Vec<(Arc<str>, Value)>, Fault> {
    let class = given.instance.class();
    let Some((property, value)) = class.properties().iter().zip(given.values()).find(|(p, _)| *p.name == *name) else {
        return Ok(Vec::new());
    };
    if current.get(name) == Some(value) {
        return Ok(Vec::new());
    }
    if property.key || !property.writable {
        let reason = format!("Property {name} of {} is read-only.", class.name());
        return Err(cim_fault(CimError::not_supported(reason)));
    }
    if value.is_null() && property.required {
        return Err(invalid_value(property, "it must have a value, so it cannot be nil"));
    }
    Ok(vec![(property.name.clone(), value.clone())])
}

/// The class of a new instance: the one that the request names, or one of its subclasses that the body names.
pub(super) fn class_of<'b>(
    broker: &'b Broker,
    target: &Target<'b>,
    element: &Element,
) -> Result<&'b Arc<Class>, Fault> {
    let named = broker.class(&target.namespace, &element.name).ok();
    let class = named.filter(|class| class.is_a(target.class.name())).unwrap_or(target.class);
    if class.is_abstract() {
        let reason = format!("{} is abstract; create an instance of one of its subclasses", class.name());
        return Err(cim_fault(CimError::not_supported(reason)));
    }
    Ok(class)
}

/// Takes keys that Windows' clients give as selectors into a new instance that leaves them out.
pub(super) fn take_keys(
    given: &mut GivenInstance,
    mapping: &Mapping<'_>,
    selectors: &SelectorSet,
) -> Result<(), Fault> {
    let class = given.instance.class().clone();
    for (name, value) in mapping.some_keys(&class, selectors)? {
        let Some(index) = class.property_index(&name) else { continue };
        match given.given.get_mut(index) {
            Some(given) if !*given => *given = true,
            _ if given.instance.get(&name) == Some(&value) => continue,
            _ => {
                return Err(Fault::detailed(
                    FaultKind::InvalidSelectors,
                    FaultDetail::InvalidValue,
                    format!("the selector {name} and the representation give different values"),
                ));
            }
        }
        given.instance.set_at(index, value).map_err(|error| cim_fault(error.into()))?;
    }
    Ok(())
}

/// Whether a new instance has what it must have and can have what it has. Keys may be missing: the service names things.
pub(super) fn check_new(given: &GivenInstance) -> Result<(), Fault> {
    let properties = given.instance.class().properties();
    for ((property, value), given) in properties.iter().zip(given.instance.values()).zip(&given.given) {
        if *given {
            property.check(value).map_err(|why| invalid_value(property, &why))?;
        } else if value.is_null() && property.required && !property.key {
            return Err(Fault::detailed(
                FaultKind::InvalidRepresentation,
                FaultDetail::MissingValues,
                format!("property {} is required and is missing", property.name),
            ));
        }
    }
    Ok(())
}

/// The fault for a change that was refused: what is wrong with the values is wrong with the representation (R7.4-5, R7.6-3).
pub(super) fn refused(error: CimError) -> Fault {
    if error.status != CimStatus::InvalidParameter {
        return cim_fault(error);
    }
    Fault::detailed(FaultKind::InvalidRepresentation, FaultDetail::InvalidValues, error.message.clone())
        .with_element(cim_error(error.status, &error.message))
        .with_source(error)
}

fn invalid_value(property: &Property, why: &str) -> Fault {
    refused(CimError::invalid_parameter(format!("property {}: {why}", property.name)))
}
