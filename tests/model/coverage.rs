//! Nothing of the schema is forgotten, and nothing is said twice or of what there is not.

use std::fs;
use std::path::Path;

use quartermaster::cim::{Class, Schema};

use crate::table::{Answer, Entry, Is, Row};
use crate::unserved::{BASES, LEFT_OUT, UNSERVED};
use crate::{entries, inherited, jobs, openlmi};

/// All that is said of a class's properties, what counts first: by the class, of all jobs, and of what is inherited.
pub(crate) fn rows_of(entry: &Entry) -> Vec<Row> {
    let is_job = schema().class(entry.class).is_some_and(|class| class.is_a("CIM_ConcreteJob"));
    let of_jobs = if is_job { jobs::SHARED } else { &[] };
    [entry.rows, of_jobs, inherited::ROWS].concat()
}

/// What is said of one property.
pub(crate) fn row_of(entry: &Entry, property: &str) -> Option<Row> {
    rows_of(entry).into_iter().find(|row| row.names().any(|name| name == property))
}

fn entry(class: &str) -> &'static Entry {
    entries().find(|entry| entry.class == class).unwrap_or_else(|| panic!("{class} is in no table"))
}

pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: std::sync::OnceLock<Schema> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(|| Schema::builtin().unwrap())
}

fn unserved() -> impl Iterator<Item = &'static str> {
    UNSERVED.iter().flat_map(|(names, _)| names.split(' '))
}

/// A class counts if it can have instances; other superclasses are seen in their subclasses.
fn counts(class: &Class) -> bool {
    let is_superclass = schema().with_subclasses(class.name()).len() > 1;
    !(class.is_abstract() || is_superclass && class.name().starts_with("CIM_"))
}

#[test]
fn every_class_of_the_schema_is_in_one_table() {
    let mut told: Vec<&str> = entries().map(|entry| entry.class).collect();
    told.extend(BASES.iter().map(|(class, _)| *class));
    told.extend(unserved());
    let count = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), count, "a class is told of twice");
    for class in &told {
        assert!(schema().class(class).is_some_and(|known| **known.name() == **class), "there is no class {class}");
    }
    let missing: Vec<&str> = schema()
        .classes()
        .filter(|class| counts(class))
        .map(|class| &**class.name())
        .filter(|name| !told.contains(name))
        .collect();
    assert!(missing.is_empty(), "in no table: {missing:?}");
}

#[test]
fn every_property_and_method_is_told_of_once() {
    for entry in entries() {
        let class = schema().class(entry.class).unwrap();
        let known: Vec<&str> = class.properties().iter().map(|property| &*property.name).collect();
        let own: Vec<&str> = entry.rows.iter().flat_map(Row::names).collect();
        for (place, name) in own.iter().enumerate() {
            assert!(known.contains(name), "{} has no property {name}", entry.class);
            assert!(!own[..place].contains(name), "{}.{name} is told of twice", entry.class);
        }
        let missing: Vec<&&str> = known.iter().filter(|name| row_of(entry, name).is_none()).collect();
        assert!(missing.is_empty(), "{}: nothing is said of {missing:?}", entry.class);
        let mut methods: Vec<&str> = class.methods().iter().map(|method| &*method.name).collect();
        let mut told: Vec<&str> = entry.methods.iter().map(|method| method.name).collect();
        methods.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, methods, "methods of {}", entry.class);
    }
}

#[test]
fn superclasses_and_what_is_left_out_are_what_they_are_said_to_be() {
    for (base, _) in BASES {
        assert!(schema().with_subclasses(base).len() > 1, "{base} has no subclasses");
    }
    for (class, member, _) in LEFT_OUT {
        let class_known = schema().class(class);
        match member {
            None => assert!(class_known.is_none(), "{class} is there"),
            Some(member) => {
                let class_known = class_known.unwrap();
                assert!(
                    class_known.property(member).is_none() && class_known.method(member).is_none(),
                    "{class}.{member}"
                );
            }
        }
    }
}

/// What OpenLMI fills is filled, and its values are ours unless the table says how they differ.
#[test]
fn nothing_of_openlmi_is_lacking_or_differs_without_a_word() {
    for (class, names) in openlmi::FILLED {
        for name in names.split(' ') {
            let row = row_of(entry(class), name).unwrap_or_else(|| panic!("{class}.{name} is not told of"));
            assert!(row.is_served(), "OpenLMI fills {class}.{name}");
        }
    }
    for (class, names) in openlmi::METHODS {
        for name in names.split(' ') {
            let method = entry(class).methods.iter().find(|method| method.name == name).unwrap();
            assert!(matches!(method.answer, Answer::Works { .. }), "OpenLMI serves {class}.{name}");
        }
    }
    for (class, name, value) in openlmi::VALUES {
        let row = row_of(entry(class), name).unwrap_or_else(|| panic!("{class}.{name} is not told of"));
        let ours = match row.is {
            Is::Fixed(ours, _) | Is::PerFamily([_, ours], _) => ours,
            Is::Served(_) | Is::NotApplicable(_) => "",
        };
        assert_eq!(
            ours != *value || matches!(row.is, Is::Served(_)),
            row.unlike.is_some(),
            "{class}.{name}: {ours:?}, {value:?}"
        );
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let mut named: Vec<&str> = entries().flat_map(|entry| entry.by).copied().collect();
    let rows = entries().flat_map(|entry| entry.rows).chain(jobs::SHARED).chain(inherited::ROWS);
    named.extend(rows.filter_map(|row| row.by));
    let answers = entries().flat_map(|entry| entry.methods).map(|method| method.answer);
    named.extend(answers.filter_map(|answer| if let Answer::Works { by, .. } = answer { Some(by) } else { None }));
    for test in named {
        let (file, function) = test.split_once("::").unwrap();
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        let text = text.unwrap_or_else(|error| panic!("{test}: {error}"));
        assert!(
            text.contains(&format!("#[test]\nfn {function}("))
                || text.contains(&format!("#[test]\n    fn {function}(")),
            "{test}"
        );
    }
}
