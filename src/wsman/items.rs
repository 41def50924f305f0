//! Which instances an enumeration gives, and what is written of each.

use std::sync::Arc;

use super::Service;
use super::contexts::Cursor;
use super::exchange::{Exchange, mapping};
use crate::broker::{AssociationQuery, Instances, Traversal};
use crate::cim::query::{self, Compiled, Language, Select};
use crate::cim::{CimStatus, Class, Instance, Value};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::enumeration::{Enumerate, Mode, Polymorphism, dialect_fault};
use crate::wire::names::dialect;
use crate::wire::{
    AssociationFilter, AssociationKind, Filter, ResourceUri, SelectorSet, SelectorValue, Style, UriForm, cim_fault,
    write_fragment, write_instance, write_item, write_wrapped_path,
};
use crate::xml::Writer;

const DIALECTS: [&str; 5] = [dialect::SELECTOR, dialect::ASSOCIATION, dialect::CQL, dialect::WQL, dialect::WQL_DMTF];

/// What is written of each instance.
#[derive(Debug)]
pub(super) struct Terms {
    mode: Mode,
    form: UriForm,
    exclude_nil: bool,
    shape: Shape,
    broker: Arc<crate::broker::Broker>,
    /// How many instances there are in all, if that is known without counting.
    pub(super) total: Option<u64>,
    /// Whether the instances are searched for with a filter.
    pub(super) searches: bool,
}

/// How much of an instance is shown.
#[derive(Debug)]
enum Shape {
    Whole,
    /// As an instance of this superclass.
    As(Arc<Class>),
    /// These properties alone, as a fragment (DSP0226 R8.6-1).
    Properties(Vec<String>),
}

impl Terms {
    /// Writes one item.
    pub(super) fn write(&self, w: &mut Writer, instance: &Instance) {
        let style = Style { form: &self.form, exclude_nil: self.exclude_nil, ..Style::default() };
        if self.mode == Mode::Endpoints {
            return write_wrapped_path(w, &self.broker.path_of(instance), &style);
        }
        let shown;
        let shown = match &self.shape {
            Shape::Properties(names) => return write_fragment(w, instance, names.iter().map(String::as_str), &style),
            Shape::As(class) => {
                shown = instance.as_class(class);
                &shown
            }
            Shape::Whole => instance,
        };
        if self.mode == Mode::ObjectsAndEndpoints {
            write_item(w, shown, &self.broker.path_of(instance), &style);
        } else {
            write_instance(w, shown, &style);
        }
    }
}

/// What the request asks for.
pub(super) fn select(service: &Service, exchange: &Exchange<'_>, request: &Enumerate) -> Result<Cursor<Terms>, Fault> {
    let resource = exchange.control.resource()?;
    check_polymorphism(&resource, request.polymorphism)?;
    let namespace = exchange.namespace(&service.broker, &resource)?;
    let asked = Asked { service, exchange, namespace, polymorphism: request.polymorphism };
    let (instances, shape, total) = match (&resource, &request.filter) {
        (ResourceUri::ClassesAsCimXml | ResourceUri::ClassesAsSchema, _) => return Err(classes_not_served()),
        (_, Some(Filter::Association(filter))) => asked.associations(filter)?,
        (resource, Some(Filter::Query { dialect, text })) => asked.query(resource.class(), dialect, text)?,
        (ResourceUri::Class { class, .. }, filter) => asked.class(class, filter.as_ref())?,
        (ResourceUri::AllClasses { .. }, _) => {
            return Err(Fault::detailed(
                FaultKind::UnsupportedFeature,
                FaultDetail::FilteringRequired,
                "the all-classes URI needs a query or an association filter; to list instances name their class",
            ));
        }
    };
    let terms = Terms {
        mode: request.mode,
        form: resource.form().clone(),
        exclude_nil: exchange.excludes_nil(),
        shape,
        broker: service.broker.clone(),
        total,
        searches: request.filter.is_some(),
    };
    Ok(Cursor::new(instances, terms))
}

/// DSP0227 R8.1-6: all classes have no class that instances could be shown as.
fn check_polymorphism(resource: &ResourceUri, mode: Option<Polymorphism>) -> Result<(), Fault> {
    let of_one_class = matches!(mode, Some(Polymorphism::ExcludeSubClassProperties | Polymorphism::None));
    if of_one_class && matches!(resource, ResourceUri::AllClasses { .. }) {
        return Err(Fault::new(
            FaultKind::PolymorphismModeNotSupported,
            "with the all-classes URI wsmb:PolymorphismMode can only be IncludeSubClassProperties; leave it out",
        ));
    }
    Ok(())
}

type Selected = (Instances, Shape, Option<u64>);

/// An Enumerate request with its namespace known.
struct Asked<'a> {
    service: &'a Service,
    exchange: &'a Exchange<'a>,
    namespace: Arc<str>,
    polymorphism: Option<Polymorphism>,
}

impl Asked<'_> {
    /// The instances of a class, some of them if there is a selector filter.
    fn class(&self, name: &str, filter: Option<&Filter>) -> Result<Selected, Fault> {
        let broker = &self.service.broker;
        let class = broker.class(&self.namespace, name).map_err(cim_fault)?.clone();
        let (instances, shape) = self.of_class(&class)?;
        match filter {
            Some(Filter::Selectors(selectors)) => {
                let conditions = conditions(&class, selectors)?;
                let fits = move |i: &Instance| conditions.iter().all(|(name, wanted)| has(i, name, wanted));
                Ok((keep(instances, fits), shape, None))
            }
            _ => {
                let total = broker.estimate(&self.namespace, &class);
                Ok((instances, shape, total.filter(|_| self.polymorphism != Some(Polymorphism::None))))
            }
        }
    }

    /// The instances that a query selects.
    fn query(&self, class: Option<&str>, dialect: &str, text: &str) -> Result<Selected, Fault> {
        let language = language(dialect).ok_or_else(|| dialect_fault(dialect, &DIALECTS))?;
        let compiled = compile(self.service, language, text)?;
        let from = compiled.from_class().clone();
        if class.is_some_and(|class| !from.is_a(class)) {
            return Err(refuse(format!("the query is about {}, the resource URI is not", from.name())));
        }
        let broker = &self.service.broker;
        broker.class(&self.namespace, from.name()).map_err(cim_fault)?;
        let (instances, shape) = self.of_class(&from)?;
        let shape = match compiled.select() {
            Select::All => shape,
            Select::Properties(paths) => Shape::Properties(paths.iter().map(ToString::to_string).collect()),
        };
        Ok((keep(instances, move |i| compiled.matches(i)), shape, None))
    }

    /// What an instance is linked with.
    fn associations(&self, filter: &AssociationFilter) -> Result<Selected, Fault> {
        // R8.2.1-4: the object must be exactly one valid instance.
        let source = mapping(&self.service.broker, &self.namespace)
            .path(&filter.object)
            .map_err(|fault| refuse(format!("wsmb:Object: {}", fault.reason())))?;
        let query = match filter.kind {
            AssociationKind::AssociatedInstances => AssociationQuery {
                traversal: Traversal::AssociatedInstances,
                source,
                association_class: filter.association_class.clone(),
                role: filter.role.clone(),
                result_class: filter.result_class.clone(),
                result_role: filter.result_role.clone(),
            },
            AssociationKind::AssociationInstances => AssociationQuery {
                traversal: Traversal::AssociationInstances,
                source,
                association_class: filter.result_class.clone(),
                role: filter.role.clone(),
                result_class: None,
                result_role: None,
            },
        };
        let instances =
            self.service.broker.associations(self.exchange.caller, query).map_err(|error| match error.status {
                CimStatus::NotFound | CimStatus::InvalidClass => refuse(error.message.into_owned()),
                _ => cim_fault(error),
            })?;
        let shape = match filter.include_properties.as_slice() {
            [] => Shape::Whole,
            names => Shape::Properties(names.to_vec()),
        };
        Ok((instances, shape, None))
    }

    fn of_class(&self, class: &Arc<Class>) -> Result<(Instances, Shape), Fault> {
        let broker = &self.service.broker;
        let instances = broker.enumerate(self.exchange.caller, &self.namespace, class).map_err(cim_fault)?;
        Ok(match self.polymorphism.unwrap_or_default() {
            Polymorphism::IncludeSubClassProperties => (instances, Shape::Whole),
            Polymorphism::ExcludeSubClassProperties => (instances, Shape::As(class.clone())),
            Polymorphism::None => {
                let only = class.name().clone();
                (keep(instances, move |i| *i.class().name() == only), Shape::Whole)
            }
        })
    }
}

/// The language of a filter dialect.
pub(super) fn language(dialect: &str) -> Option<Language> {
    match dialect {
        dialect::CQL => Some(Language::Cql),
        dialect::WQL | dialect::WQL_DMTF => Some(Language::Wql),
        _ => None,
    }
}

fn compile(service: &Service, language: Language, text: &str) -> Result<Compiled, Fault> {
    query::parse(text, language)
        .and_then(|query| query.compile(service.broker.schema()))
        .map_err(|error| refuse(error.to_string()))
}

fn keep(instances: Instances, fits: impl Fn(&Instance) -> bool + Send + 'static) -> Instances {
    Box::new(instances.filter(move |next| next.as_ref().map_or(true, &fits)))
}

/// The conditions of a selector filter, typed (DSP0226 RE-1 to RE-5).
fn conditions(class: &Class, selectors: &SelectorSet) -> Result<Vec<(Arc<str>, Value)>, Fault> {
    let typed = selectors.keys().map(|selector| {
        let property = class.property(&selector.name).ok_or_else(|| {
            refuse(format!("class {} has no property {:?} to select by", class.name(), selector.name))
        })?;
        let SelectorValue::Text(text) = &selector.value else {
            return Err(refuse("a selector filter compares properties with text".to_owned()));
        };
        let value = Value::parse(property.shape.cim_type, text).map_err(|error| refuse(error.to_string()))?;
        Ok((property.name.clone(), value))
    });
    typed.collect()
}

/// RE-4: an array has a value if one of its elements has it.
fn has(instance: &Instance, property: &str, wanted: &Value) -> bool {
    match instance.get(property) {
        Some(Value::Array(items)) => items.contains(wanted),
        Some(value) => value == wanted,
        None => false,
    }
}

fn refuse(why: String) -> Fault {
    Fault::new(FaultKind::EnumerationCannotProcessFilter, why)
}

fn classes_not_served() -> Fault {
    Fault::detailed(
        FaultKind::ActionNotSupported,
        FaultDetail::ActionMismatch,
        "classes themselves are not served; name a class in the resource URI to get its instances",
    )
}
