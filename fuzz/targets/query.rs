//! Queries of both languages: what is read is printed and read back as the same, and is checked against the schema.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::query::{Language, MAX_LENGTH, parse};
use quartermaster::cim::{Instance, Schema};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::builtin().expect("the builtin schema loads"));

fuzz_target!(|text: &str| {
    for language in [Language::Cql, Language::Wql] {
        let Ok(query) = parse(text, language) else { continue };
        let printed = query.to_string();
        if let Ok(compiled) = query.compile(&SCHEMA) {
            compiled.matches(&Instance::new(compiled.from_class().clone()));
        }
        // Escapes may make it longer than a query may be.
        if printed.len() <= MAX_LENGTH {
            assert_eq!(parse(&printed, language), Ok(query), "{printed}");
        }
    }
});
