//! Instances of the builtin schema's classes: what is read is written and read back as the same, in every form.
//! An input is the element of an instance; the prefixes it needs are declared around it.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::{Instance, Schema};
use quartermaster::wire::names::REQUEST_PREFIXES;
use quartermaster::wire::{Mapping, Style, UriForm, write_instance};
use quartermaster::xml::{Element, ElementExt, Limits, Writer, read};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::builtin().expect("the builtin schema loads"));
static NAMESPACE: LazyLock<Arc<str>> = LazyLock::new(|| "root/cimv2".into());

/// What elements may be in: the namespace of a class.
const CLASS: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Job";

fuzz_target!(|text: &str| {
    let Some(element) = element(text, &Limits::default()) else { return };
    let Some(class) = SCHEMA.class(&element.name) else { return };
    for precise_arrays in [false, true] {
        let mapping = Mapping { schema: &SCHEMA, namespace: &NAMESPACE, precise_arrays };
        let Ok(given) = mapping.instance(&element, class) else { continue };
        for form in [UriForm::Vendor, UriForm::Dmtf, UriForm::Wmi { namespace: NAMESPACE.clone() }] {
            let style = Style { form: &form, precise_arrays, show_extensions: precise_arrays, ..Style::default() };
            survives(&given.instance, &mapping, &style);
        }
    }
});

fn survives(instance: &Instance, mapping: &Mapping<'_>, style: &Style<'_>) {
    let mut w = Writer::new(usize::MAX);
    write_instance(&mut w, instance, style);
    let written = String::from_utf8(w.finish()).expect("what is written is UTF-8");
    let again = element(&written, &Limits { elements: usize::MAX, ..Limits::default() });
    let again = mapping.instance(&again.expect("what is written is XML"), instance.class());
    let again = again.expect("what is written is an instance").instance;
    // NaN is not equal to itself, but its text is; an offset of more than 14 hours goes out as UTC.
    let same = again == *instance || format!("{again:?}") == format!("{instance:?}");
    assert!(same, "{again:?}\nis not {instance:?}\n{written}");
}

fn element(inner: &str, limits: &Limits) -> Option<Element> {
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let root = read(&format!("<x{declared} xmlns:p='{CLASS}'>{inner}</x>"), limits).ok()?;
    root.elements().next().cloned()
}
