//! Input of method calls: what is read for a method of the builtin schema is written and read back as the same.
//! An input is the element `Method_INPUT`; the prefixes it needs are declared around it.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::{Class, Method, Schema, Value};
use quartermaster::wire::names::{CIM, REQUEST_PREFIXES};
use quartermaster::wire::{Mapping, Style, write_input};
use quartermaster::xml::{Element, ElementExt, Limits, Writer, read};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::builtin().expect("the builtin schema loads"));
static NAMESPACE: LazyLock<Arc<str>> = LazyLock::new(|| "root/cimv2".into());

fuzz_target!(|text: &str| {
    let Some(element) = element(text) else { return };
    let Some((class, method)) = element.name.strip_suffix("_INPUT").and_then(method) else { return };
    for precise_arrays in [false, true] {
        let mapping = Mapping { schema: &SCHEMA, namespace: &NAMESPACE, precise_arrays };
        let Ok(parameters) = mapping.input(Some(&element), method) else { continue };
        let mut w = Writer::new(usize::MAX);
        write_input(&mut w, class.name(), method, &parameters, &Style { precise_arrays, ..Style::default() });
        let written = String::from_utf8(w.finish()).expect("what is written is UTF-8");
        let again = self::element(&written).expect("what is written is XML");
        let again = mapping.input(Some(&again), method).map_err(|fault| fault.to_string());
        // A list without items is written as nothing, which is read as a parameter that was not given.
        let has_items = |value: &Value| value.as_array().is_none_or(|items| !items.is_empty());
        let told: Vec<_> = parameters.into_iter().filter(|(_, value)| has_items(value)).collect();
        assert_eq!(again, Ok(told), "{written}");
    }
});

/// The last class that has a method of that name: one that implements it, if any does.
fn method(name: &str) -> Option<(&'static Arc<Class>, &'static Method)> {
    SCHEMA.classes().filter_map(|class| Some((class, class.method(name)?))).last()
}

fn element(inner: &str) -> Option<Element> {
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let root = read(&format!("<x{declared} xmlns:p='{CIM}/x'>{inner}</x>"), &Limits::default()).ok()?;
    root.elements().next().cloned()
}
