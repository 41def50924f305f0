//! Endpoint references and selectors into object paths, and back.

use std::borrow::Cow;
use std::sync::Arc;

use super::write::Style;
use super::{Mapping, Parameters};
use crate::cim::{CimType, Class, ObjectPath, Property, Value};
use crate::soap::{EndpointReference, Fault, FaultDetail, FaultKind};
use crate::wire::names::CIM_NAMESPACE_SELECTOR;
use crate::wire::resource::shown;
use crate::wire::{ResourceUri, SelectorSet, SelectorValue};

/// How deeply references may hold references. Real ones are one deep: associations hold their ends.
const DEEPEST: usize = 4;

impl Mapping<'_> {
    /// The instance that an endpoint reference names.
    pub fn path(&self, endpoint: &EndpointReference) -> Result<ObjectPath, Fault> {
        self.path_at(endpoint, 0)
    }

    /// The instance of a class that selectors name. All keys must be there and nothing else (DSP0226 R5.1.2.2-3);
    /// names have no case; the CIM namespace is taken out of them.
    pub fn selected(&self, class: &Class, selectors: &SelectorSet) -> Result<ObjectPath, Fault> {
        let namespace = selectors.namespace().map_or_else(|| self.namespace.clone(), Arc::from);
        self.selected_at(class, selectors, namespace, 0)
    }

    /// The keys of a class that selectors give, some or all; a selector that is no key is refused.
    pub fn some_keys(&self, class: &Class, selectors: &SelectorSet) -> Result<Parameters, Fault> {
        self.keys(class, selectors, 0)
    }

    fn path_at(&self, endpoint: &EndpointReference, depth: usize) -> Result<ObjectPath, Fault> {
        if depth >= DEEPEST {
            return Err(invalid(FaultDetail::InvalidValue, "references are nested too deeply".to_owned()));
        }
        let resource = endpoint.resource_uri()?;
        let class = resource.class().ok_or_else(|| {
            invalid(FaultDetail::InvalidValue, "an endpoint reference must name one class".to_owned())
        })?;
        let class = self.schema.class(class).ok_or_else(|| {
            Fault::detailed(
                FaultKind::DestinationUnreachable,
                FaultDetail::InvalidResourceURI,
                format!("there is no class {:?}", shown(class)),
            )
        })?;
        let selectors = endpoint.selectors()?;
        let namespace = namespace_of(&resource, &selectors).map_or_else(|| self.namespace.clone(), Arc::from);
        self.selected_at(class, &selectors, namespace, depth)
    }

    fn selected_at(
        &self,
        class: &Class,
        selectors: &SelectorSet,
        namespace: Arc<str>,
        depth: usize,
    ) -> Result<ObjectPath, Fault> {
        let keys = self.keys(class, selectors, depth)?;
        let is_missing = |key: &&Property| !keys.iter().any(|(name, _)| *name == key.name);
        if let Some(missing) = class.keys().find(is_missing) {
            return Err(invalid(
                FaultDetail::InsufficientSelectors,
                format!("the selector {} is missing; class {} has it as a key", missing.name, class.name()),
            ));
        }
        Ok(ObjectPath::new(namespace, class.name().clone(), keys))
    }

    /// The keys of a class that selectors give, in the class's order; a selector that is no key is refused.
    fn keys(&self, class: &Class, selectors: &SelectorSet, depth: usize) -> Result<Parameters, Fault> {
        for selector in selectors.keys() {
            if !class.property(&selector.name).is_some_and(|p| p.key) {
                return Err(invalid(
                    FaultDetail::UnexpectedSelectors,
                    format!("class {} has no key {:?}", class.name(), shown(&selector.name)),
                ));
            }
        }
        let given = class.keys().filter_map(|key| Some((key, selectors.get(&key.name)?)));
        given
            .map(|(key, value)| Ok((key.name.clone(), self.key(&key.name, key.shape.cim_type, value, depth)?)))
            .collect()
    }

    fn key(&self, name: &str, cim_type: CimType, value: &SelectorValue, depth: usize) -> Result<Value, Fault> {
        let mismatch = |why: String| invalid(FaultDetail::TypeMismatch, format!("the selector {name}: {why}"));
        match (value, cim_type) {
            (SelectorValue::Endpoint(endpoint), CimType::Reference) => {
                self.path_at(endpoint, depth + 1).map(Value::from).map_err(|fault| {
                    if fault.kind() == FaultKind::InvalidSelectors {
                        fault
                    } else {
                        mismatch(fault.reason().to_owned())
                    }
                })
            }
            (SelectorValue::Text(_), CimType::Reference) => {
                Err(mismatch("a reference is given as wsa:EndpointReference".to_owned()))
            }
            (SelectorValue::Text(text), cim_type) => {
                Value::parse(cim_type, text).map_err(|error| mismatch(error.to_string()))
            }
            (SelectorValue::Endpoint(_), _) => Err(mismatch(format!("a {cim_type} is given as text"))),
        }
    }
}

fn namespace_of<'a>(resource: &'a ResourceUri, selectors: &'a SelectorSet) -> Option<Cow<'a, str>> {
    selectors.namespace().or_else(|| resource.namespace().map(|n| Cow::Borrowed(&**n)))
}

fn invalid(detail: FaultDetail, reason: String) -> Fault {
    Fault::detailed(FaultKind::InvalidSelectors, detail, reason)
}

/// The selectors that name an instance, for a request of ours.
pub fn selectors_of(path: &ObjectPath, style: &Style<'_>) -> SelectorSet {
    let mut set = SelectorSet::default().with(CIM_NAMESPACE_SELECTOR, path.namespace().to_string());
    for (name, value) in path.keys() {
        if let Some(value) = selector_value(value, style) {
            set.set(name.to_string(), value);
        }
    }
    set
}

/// A path as the endpoint reference that an element or a selector holds.
fn endpoint(path: &ObjectPath, style: &Style<'_>) -> EndpointReference {
    let uri = style.form.class_uri_parts_in(path.namespace(), path.class()).concat();
    EndpointReference::to_resource(style.address, &uri, &selectors_of(path, style))
}

fn selector_value(value: &Value, style: &Style<'_>) -> Option<SelectorValue> {
    match value {
        Value::Reference(path) => Some(SelectorValue::Endpoint(Box::new(endpoint(path, style)))),
        Value::Datetime(time) => Some(SelectorValue::Text(time.to_xml())),
        plain => plain.plain_text().map(SelectorValue::Text),
    }
}
