//! The selector filter: instances whose properties have the values of selectors (DSP0226 annex E).

use std::sync::Arc;

use super::cursor::Condition;
use crate::cim::{Class, Instance, Property, Schema, Value};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::names::WSMAN;
use crate::wire::{Selector, SelectorSet, SelectorValue, selectors_fault};
use crate::xml::{ElementExt, element};

/// How many properties are listed to who names one that there is not; the fault must fit the smallest envelope.
const MOST_LISTED: usize = 64;

/// The condition that all selectors are met (RE-2). They may name what only subclasses have (RE-1).
pub(super) fn condition(schema: &Schema, class: &Class, selectors: &SelectorSet) -> Result<Condition<Instance>, Fault> {
    let typed: Result<Vec<_>, _> = selectors.keys().map(|selector| typed(schema, class, selector)).collect();
    let wanted = typed?;
    Ok(Box::new(move |instance| wanted.iter().all(|(name, value)| has(instance, name, value))))
}

fn typed(schema: &Schema, class: &Class, selector: &Selector) -> Result<(Arc<str>, Value), Fault> {
    let family = schema.with_subclasses(class.name());
    let property = family.iter().find_map(|c| c.property(&selector.name)).ok_or_else(|| unknown(class, selector))?;
    let mismatch = |why: String| {
        let reason = format!("the selector {}: {why}", property.name);
        selectors_fault(FaultKind::EnumerationCannotProcessFilter, FaultDetail::TypeMismatch, reason)
    };
    let SelectorValue::Text(text) = &selector.value else {
        return Err(mismatch("a selector filter compares properties with text".to_owned()));
    };
    let value = Value::parse(property.shape.cim_type, text).map_err(|error| mismatch(error.to_string()))?;
    Ok((property.name.clone(), value))
}

/// RE-1: who names a property that there is not is told which ones there are.
fn unknown(class: &Class, selector: &Selector) -> Fault {
    let reason = format!("class {} has no property {:?} to select by", class.name(), selector.name);
    let fault = selectors_fault(FaultKind::EnumerationCannotProcessFilter, FaultDetail::UnexpectedSelectors, reason);
    let supported = |property: &Property| element(WSMAN, "SupportedSelectorName").with_text(&*property.name);
    class.properties().iter().take(MOST_LISTED).map(supported).fold(fault, Fault::with_element)
}

/// RE-4: an array has a value if one of its elements has it.
fn has(instance: &Instance, property: &str, wanted: &Value) -> bool {
    match instance.get(property) {
        Some(Value::Array(items)) => items.contains(wanted),
        Some(value) => value == wanted,
        None => false,
    }
}
