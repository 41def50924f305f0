//! Classes themselves: one of them, or those below one (DSP0227 clause 15).

use std::sync::Arc;

use super::Service;
use super::cursor::{Cursor, Presentation};
use super::exchange::Exchange;
use super::rest::Rest;
use crate::broker::Broker;
use crate::cim::Class;
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::classes::{ClassFormat, ClassOptions, write_cim_xml, write_class_reference, write_schema};
use crate::wire::enumeration::{Enumerate, Mode, Polymorphism};
use crate::wire::names::{CLASS_NAME_SELECTOR, TRANSFER_PREFIXES, action, option};
use crate::wire::{OptionSet, ResourceUri, SelectorSet, SelectorValue, cim_fault};
use crate::xml::Writer;
use crate::xml::Written;

/// Get: one class.
pub(super) fn get(service: &Service, exchange: &Exchange<'_>, format: ClassFormat) -> Result<Written, Fault> {
    let namespace = exchange.namespace(&service.broker, &ResourceUri::Classes(format))?;
    let name = class_name(&exchange.control.selectors)?.ok_or_else(|| {
        invalid(FaultDetail::InsufficientSelectors, "the selector ClassName is missing; it says which class is wanted")
    })?;
    let class = service.broker.get_class(exchange.caller, &namespace, name).map_err(cim_fault)?;
    let terms = Terms::new(service, exchange, format, namespace);
    let mut message = exchange.reply_about(action::GET_RESPONSE, TRANSFER_PREFIXES);
    if exchange.control.request_epr {
        let w = message.header();
        w.start("wsman:RequestedEPR");
        terms.write_reference(w, &class);
        w.end("wsman:RequestedEPR");
    }
    terms.write_class(message.body(), &class);
    exchange.finish(message)
}

/// Enumerate: the classes below one, or those without a superclass.
pub(super) fn select(
    service: &Service,
    exchange: &Exchange<'_>,
    request: &Enumerate,
    format: ClassFormat,
) -> Result<Box<dyn Rest>, Fault> {
    refuse_unserved(request)?;
    let namespace = exchange.namespace(&service.broker, &ResourceUri::Classes(format))?;
    let above = class_name(&exchange.control.selectors)?;
    let options = &exchange.control.options;
    let classes = service.broker.subclasses(exchange.caller, &namespace, above, is_deep(options)).map_err(cim_fault)?;
    let total = u64::try_from(classes.len()).ok();
    let mode = mode(request.mode, options);
    let terms = Terms { mode, total, ..Terms::new(service, exchange, format, namespace) };
    Ok(Box::new(Cursor::new(Box::new(classes.into_iter().map(|class| Ok(Some(class)))), None, terms)))
}

fn refuse_unserved(request: &Enumerate) -> Result<(), Fault> {
    if request.filter.is_some() {
        return Err(Fault::new(
            FaultKind::EnumerationFilteringNotSupported,
            "classes are not filtered; leave the filter out and name a class in the selector ClassName",
        ));
    }
    if matches!(request.polymorphism, Some(Polymorphism::ExcludeSubClassProperties | Polymorphism::None)) {
        return Err(Fault::new(
            FaultKind::PolymorphismModeNotSupported,
            "wsmb:PolymorphismMode is about instances; leave it out where classes are asked for",
        ));
    }
    Ok(())
}

/// What the selectors say beside the namespace; an empty name is none.
fn class_name(selectors: &SelectorSet) -> Result<Option<&str>, Fault> {
    let mut name = None;
    for selector in selectors.keys() {
        if !selector.name.eq_ignore_ascii_case(CLASS_NAME_SELECTOR) {
            return Err(invalid(
                FaultDetail::UnexpectedSelectors,
                "classes are selected by __cimnamespace and ClassName, and by nothing else",
            ));
        }
        let SelectorValue::Text(text) = &selector.value else {
            return Err(invalid(FaultDetail::TypeMismatch, "the selector ClassName is the name of a class, as text"));
        };
        name = Some(text.as_str()).filter(|text| !text.is_empty());
    }
    Ok(name)
}

/// Whether the subclasses of subclasses are wanted too. Windows' clients never say so, and expect them all where they list
/// classes (`Get-CimClass *Job*`); they are told by the options of their own that every request of theirs has.
fn is_deep(options: &OptionSet) -> bool {
    match options.values(option::INCLUDE_SUBCLASSES).next() {
        Some(_) => options.is_set(option::INCLUDE_SUBCLASSES),
        None => options.iter().any(|option| option.local_name().starts_with("__MI_")),
    }
}

/// What the items are: DSP0227 15.8 has options for what DSP0226 has modes for.
fn mode(asked: Mode, options: &OptionSet) -> Mode {
    if options.is_set(option::EXCLUDE_CLASS_SPECIFICATION) {
        Mode::Endpoints
    } else if asked == Mode::Objects && options.is_set(option::INCLUDE_PATH) {
        Mode::ObjectsAndEndpoints
    } else {
        asked
    }
}

fn invalid(detail: FaultDetail, reason: &'static str) -> Fault {
    Fault::detailed(FaultKind::InvalidSelectors, detail, reason)
}

/// What is written of each class.
#[derive(Debug)]
struct Terms {
    format: ClassFormat,
    options: ClassOptions,
    namespace: Arc<str>,
    broker: Arc<Broker>,
    mode: Mode,
    total: Option<u64>,
}

impl Terms {
    fn new(service: &Service, exchange: &Exchange<'_>, format: ClassFormat, namespace: Arc<str>) -> Self {
        let options = ClassOptions::read(&exchange.control.options);
        Self { format, options, namespace, broker: service.broker.clone(), mode: Mode::Objects, total: None }
    }

    fn write_class(&self, w: &mut Writer, class: &Class) {
        match self.format {
            ClassFormat::CimXml => write_cim_xml(w, self.broker.schema(), class, self.options),
            ClassFormat::Schema => write_schema(w, class),
        }
    }

    fn write_reference(&self, w: &mut Writer, class: &Class) {
        write_class_reference(w, self.format, &self.namespace, class.name());
    }
}

impl Presentation<Arc<Class>> for Terms {
    fn write(&self, w: &mut Writer, class: &Arc<Class>) {
        match self.mode {
            Mode::Objects => self.write_class(w, class),
            Mode::Endpoints => self.write_reference(w, class),
            Mode::ObjectsAndEndpoints => {
                w.start("wsman:Item");
                self.write_class(w, class);
                self.write_reference(w, class);
                w.end("wsman:Item");
            }
        }
    }

    fn name(&self, class: &Arc<Class>) -> String {
        class.name().to_string()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn searches(&self) -> bool {
        false
    }
}
