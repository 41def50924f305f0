//! Instances of the builtin schema's classes: what is read is written and read back as the same, in every form.
//! An input is the element of an instance; the prefixes it needs are declared around it.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::Schema;
use quartermaster::wire::names::{CIM, REQUEST_PREFIXES};
use quartermaster::wire::{Mapping, Style, UriForm, write_instance};
use quartermaster::xml::{Element, ElementExt, Limits, Writer, read};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::builtin().expect("the builtin schema loads"));
static NAMESPACE: LazyLock<Arc<str>> = LazyLock::new(|| "root/cimv2".into());

fuzz_target!(|text: &str| {
    let Some(element) = element(text, &Limits::default()) else { return };
    let Some(class) = SCHEMA.class(&element.name) else { return };
    let mapping = Mapping { schema: &SCHEMA, namespace: &NAMESPACE, precise_arrays: false };
    let _ = Mapping { precise_arrays: true, ..mapping }.instance(&element, class);
    let Ok(given) = mapping.instance(&element, class) else { return };
    for form in [UriForm::Vendor, UriForm::Dmtf, UriForm::Wmi { namespace: NAMESPACE.clone() }] {
        let mut w = Writer::new(usize::MAX);
        write_instance(&mut w, &given.instance, &Style { form: &form, ..Style::default() });
        let written = String::from_utf8(w.finish()).expect("what is written is UTF-8");
        let limits = Limits { elements: usize::MAX, ..Limits::default() };
        let again = self::element(&written, &limits).expect("what is written is XML");
        let again = mapping.instance(&again, class).expect("what is written is an instance").instance;
        // NaN is not equal to itself, but its text is; an offset of more than 14 hours goes out as UTC.
        let same = again == given.instance || format!("{again:?}") == format!("{:?}", given.instance);
        assert!(same, "{again:?}\nis not {:?}\n{written}", given.instance);
    }
});

fn element(inner: &str, limits: &Limits) -> Option<Element> {
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let root = read(&format!("<x{declared} xmlns:p='{CIM}/x'>{inner}</x>"), limits).ok()?;
    root.elements().next().cloned()
}
