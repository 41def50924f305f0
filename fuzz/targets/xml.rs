//! The XML reader: what it accepts is written and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::xml::{Limits, Writer, XmlErrorKind, read};

fuzz_target!(|text: &str| {
    let Ok(element) = read(text, &Limits::default()) else { return };
    let mut w = Writer::new(usize::MAX);
    w.element(&element);
    let written = String::from_utf8(w.finish()).expect("what is written is UTF-8");
    match read(&written, &Limits::default()) {
        // The writer declares all namespaces on one element; what is read may declare each where it is used.
        Err(error) if matches!(error.kind, XmlErrorKind::TooManyAttributes | XmlErrorKind::TooManyNamespaces) => {}
        again => assert_eq!(again, Ok(element), "{written}"),
    }
});
