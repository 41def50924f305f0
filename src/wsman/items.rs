//! Which instances an enumeration gives.

use std::collections::HashSet;
use std::sync::Arc;

use super::cursor::{Condition, Cursor};
use super::exchange::Exchange;
use super::path_filter::PathFilter;
use super::rest::Rest;
use super::selection;
use super::shown::{Projection, Shape, Terms};
use super::{Service, classes};
use crate::broker::{AssociationQuery, Candidates, Traversal, all_candidates};
use crate::cim::query::{self, Compiled, Language, Path, Select};
use crate::cim::{CimError, CimStatus, Class, Instance, Schema};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::enumeration::{Enumerate, Polymorphism, dialect_fault};
use crate::wire::names::dialect;
use crate::wire::{AssociationFilter, AssociationKind, Filter, ResourceUri, UriForm, cim_error, cim_fault};

const DIALECTS: [&str; 6] =
    [dialect::SELECTOR, dialect::ASSOCIATION, dialect::CQL, dialect::WQL, dialect::WQL_DMTF, dialect::XPATH];

/// What the request asks for.
pub(super) async fn select(
    service: &Service,
    exchange: &Exchange<'_>,
    request: &Enumerate,
) -> Result<Box<dyn Rest>, Fault> {
    let resource = exchange.control.resource()?;
    check_polymorphism(&resource, request)?;
    let namespace = exchange.namespace(&service.broker, &resource)?;
    if !matches!(resource, ResourceUri::Classes(_)) {
        check_selectors(exchange)?;
    }
    let asked = Asked { service, exchange, namespace, polymorphism: request.polymorphism };
    let Selected { instances, condition, seen_as, shape, total, is_ready } = match (&resource, &request.filter) {
        (ResourceUri::Classes(format), _) => return classes::select(service, exchange, request, *format),
        (resource, Some(Filter::Association(filter))) => asked.associations(resource.class(), filter).await?,
        (ResourceUri::Class { class, form }, Some(Filter::Query { dialect, text })) if is_path(dialect) => {
            asked.path(class, form, text)?
        }
        (ResourceUri::AllClasses { .. }, Some(Filter::Query { dialect, .. })) if is_path(dialect) => {
            return Err(refuse(
                "a path leads through the instances of one class; name it in the resource URI".to_owned(),
            ));
        }
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
    let searches = request.filter.is_some() || condition.is_some() || !is_ready;
    let terms = Terms {
        mode: request.mode,
        form: resource.form().clone(),
        look: exchange.look(),
        seen_as,
        shape,
        broker: service.broker.clone(),
        total,
        searches,
    };
    Ok(Box::new(Cursor::new(instances, condition, terms)))
}

/// DSP0227 R8.1-6: all classes have no class that instances could be shown as, nor has what an instance is linked with.
fn check_polymorphism(resource: &ResourceUri, request: &Enumerate) -> Result<(), Fault> {
    if matches!(request.polymorphism, None | Some(Polymorphism::IncludeSubClassProperties)) {
        return Ok(());
    }
    let what = match (resource, &request.filter) {
        (_, Some(Filter::Association(_))) => "an association filter",
        (ResourceUri::AllClasses { .. }, _) => "the all-classes URI",
        _ => return Ok(()),
    };
    let reason = format!("with {what} wsmb:PolymorphismMode can only be IncludeSubClassProperties; leave it out");
    Err(Fault::new(FaultKind::PolymorphismModeNotSupported, reason))
}

/// What is enumerated is a class, which no selector but the namespace tells from others (R5.1.2.2-3).
fn check_selectors(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let Some(selector) = exchange.control.selectors.keys().next() else { return Ok(()) };
    let name: String = selector.name.chars().take(100).collect();
    Err(Fault::detailed(
        FaultKind::InvalidSelectors,
        FaultDetail::UnexpectedSelectors,
        format!("the selector {name:?} selects nothing here; use a selector filter, or Get for one instance"),
    ))
}

/// The instances that come into question, and what of them is wanted.
struct Selected {
    instances: Candidates,
    condition: Option<Condition<Instance>>,
    seen_as: Option<Arc<Class>>,
    shape: Shape,
    total: Option<u64>,
    /// Whether the instances can be had without waiting.
    is_ready: bool,
}

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
        let selected = self.of_class(&class)?;
        Ok(match filter {
            Some(Filter::Selectors(selectors)) => {
                selected.also(selection::condition(broker.schema(), &class, selectors)?)
            }
            _ if selected.condition.is_some() => selected,
            _ => Selected { total: broker.estimate(&self.namespace, &class), ..selected },
        })
    }

    /// The instances of a class that a path selects, or the parts of them that it selects.
    fn path(&self, name: &str, form: &UriForm, text: &str) -> Result<Selected, Fault> {
        let broker = &self.service.broker;
        let class = broker.class(&self.namespace, name).map_err(cim_fault)?.clone();
        let filter = PathFilter::new(text, broker.schema(), &class, form, self.exchange.look())?;
        let filter = Arc::new(filter);
        let mut selected = self.of_class(&class)?;
        if !filter.is_condition() {
            selected.shape = Shape::Parts(filter.clone());
        }
        Ok(selected.also(move |i| filter.matches(i)))
    }

    /// The instances that a query selects.
    fn query(&self, class: Option<&str>, dialect: &str, text: &str) -> Result<Selected, Fault> {
        let language = language(dialect).ok_or_else(|| dialect_fault(dialect, &DIALECTS))?;
        let compiled = compile(self.service, language, text)?;
        let from = compiled.from_class().clone();
        if let Some(class) = class.filter(|class| !from.is_a(class)) {
            let from = from.name();
            let why = format!("the query is about {from}, which is no {class}; name {from} in the resource URI too");
            return Err(refuse(why));
        }
        let broker = &self.service.broker;
        broker.class(&self.namespace, from.name()).map_err(cim_fault)?;
        let compiled = Arc::new(compiled);
        let candidates =
            broker.candidates(self.exchange.caller, &self.namespace, compiled.clone()).map_err(cim_fault)?;
        let mut selected = self.shown_as(&from, candidates);
        if let Select::Properties(paths) = compiled.select() {
            let paths = paths.clone();
            selected.shape = Shape::Properties(match language {
                Language::Cql => Projection::new(paths),
                Language::Wql => Projection::as_windows(paths),
            });
        }
        Ok(selected.also(move |i| compiled.matches(i)))
    }

    /// What an instance is linked with. Clients that name a class in the URI mean the object's or any at all, so it need
    /// only exist.
    async fn associations(&self, class: Option<&str>, filter: &AssociationFilter) -> Result<Selected, Fault> {
        if let Some(class) = class {
            self.service.broker.class_anywhere(class).map_err(cim_fault)?;
        }
        // R8.2.1-4: the object must be exactly one valid instance.
        let source = self
            .exchange
            .mapping(&self.service.broker, &self.namespace)
            .path(&filter.object)
            .map_err(|fault| refuse_as(CimStatus::InvalidParameter, format!("wsmb:Object: {}", fault.reason())))?;
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
                association_class: filter.result_class.clone().or_else(|| filter.association_class.clone()),
                role: filter.role.clone(),
                result_class: None,
                result_role: None,
            },
        };
        let instances = self.walk(query).await?.map_err(|error| match error.status {
            CimStatus::NotFound | CimStatus::InvalidClass | CimStatus::InvalidNamespace => {
                refuse_as(error.status, error.message.into_owned())
            }
            _ => cim_fault(error),
        })?;
        let shape = match filter.include_properties.as_slice() {
            [] => Shape::Whole,
            names => Shape::Properties(Projection::new(properties(self.service.broker.schema(), names))),
        };
        let selected = Selected { instances, condition: None, seen_as: None, shape, total: None, is_ready: true };
        Ok(match filter.kind {
            AssociationKind::AssociatedInstances => selected,
            AssociationKind::AssociationInstances => selected.of_links(filter),
        })
    }

    /// Begins the walk beside the event loop if the object that it starts from must be read first.
    async fn walk(&self, query: AssociationQuery) -> Result<Result<Candidates, CimError>, Fault> {
        let (broker, caller) = (self.service.broker.clone(), self.exchange.caller.clone());
        if broker.is_ready(&query.source) {
            return Ok(broker.associations(&caller, query));
        }
        let begin = move || broker.associations(&caller, query);
        self.service.searches.look_until(&self.exchange.caller.name, self.exchange.deadline, begin).await
    }

    fn of_class(&self, class: &Arc<Class>) -> Result<Selected, Fault> {
        let broker = &self.service.broker;
        let (instances, is_ready) =
            broker.enumerate(self.exchange.caller, &self.namespace, class).map_err(cim_fault)?;
        Ok(Selected { is_ready, ..self.shown_as(class, all_candidates(instances)) })
    }

    /// Instances of a class and its subclasses, as far as the polymorphism mode lets them through.
    fn shown_as(&self, class: &Arc<Class>, instances: Candidates) -> Selected {
        let all =
            Selected { instances, condition: None, seen_as: None, shape: Shape::Whole, total: None, is_ready: true };
        match self.polymorphism.unwrap_or_default() {
            Polymorphism::IncludeSubClassProperties => all,
            Polymorphism::ExcludeSubClassProperties => Selected { seen_as: Some(class.clone()), ..all },
            Polymorphism::None => {
                let only = class.name().clone();
                all.also(move |i| *i.class().name() == only)
            }
        }
    }
}

impl Selected {
    /// Those links that wsmancli's and OpenPegasus' clients ask for, who say of links what the standard has for their ends.
    fn of_links(self, filter: &AssociationFilter) -> Self {
        let of_class = match (filter.result_class.as_ref(), filter.association_class.clone()) {
            (Some(_), Some(class)) => self.also(move |link| link.class().is_a(&class)),
            _ => self,
        };
        match filter.result_role.clone() {
            Some(role) => {
                of_class.also(move |link| link.class().references().any(|end| end.name.eq_ignore_ascii_case(&role)))
            }
            None => of_class,
        }
    }

    /// Those of them that are this too.
    fn also(self, wants: impl Fn(&Instance) -> bool + Send + 'static) -> Self {
        let condition: Condition<Instance> = match self.condition {
            Some(before) => Box::new(move |i| before(i) && wants(i)),
            None => Box::new(wants),
        };
        Self { condition: Some(condition), ..self }
    }
}

/// Those of the names that are properties of any class, each once: a client may name as many as fit a request, and each is
/// looked for in every instance.
fn properties(schema: &Schema, names: &[String]) -> Vec<Path> {
    let of_all = schema.classes().flat_map(|class| class.properties());
    let mut known: HashSet<String> = of_all.map(|property| property.name.to_ascii_lowercase()).collect();
    names.iter().filter(|name| known.remove(&name.to_ascii_lowercase())).map(|name| Path::to_property(name)).collect()
}

/// The language of a filter dialect.
pub(super) fn language(dialect: &str) -> Option<Language> {
    match dialect {
        dialect::CQL => Some(Language::Cql),
        dialect::WQL | dialect::WQL_DMTF => Some(Language::Wql),
        _ => None,
    }
}

fn is_path(dialect: &str) -> bool {
    dialect == dialect::XPATH
}

fn compile(service: &Service, language: Language, text: &str) -> Result<Compiled, Fault> {
    query::parse(text, language)
        .and_then(|query| query.compile(service.broker.schema()))
        .map_err(|error| refuse_as(CimStatus::InvalidQuery, error.to_string()))
}

/// The same as [`refuse`], for what is an error of a CIM operation too.
fn refuse_as(status: CimStatus, why: String) -> Fault {
    let shown = cim_error(status, &why);
    refuse(why).with_element(shown)
}

fn refuse(why: String) -> Fault {
    Fault::new(FaultKind::EnumerationCannotProcessFilter, why)
}
