//! What is said of properties and methods is held against what was seen on the hosts.

use crate::coverage::{row_of, schema};
use crate::entries;
use crate::evidence::{Evidence, Seen, hosts};
use crate::table::{Answer, Entry, Family, Is, Row};
use crate::unserved::BASES;

/// All that is wrong at once, so that nobody has to look for it piece by piece.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} statements are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_property_is_as_the_page_says() {
    let mut wrong = Vec::new();
    for host in hosts() {
        for entry in entries().filter(|entry| host.family.has(entry.class)) {
            let instances = host.instances(entry.class);
            if instances.is_empty() {
                wrong.push(format!("{}: there is no instance of {}", host.family.name(), entry.class));
                continue;
            }
            for property in schema().class(entry.class).unwrap().properties() {
                let Some(row) = row_of(entry, &property.name) else { continue };
                wrong.extend(mistake(host, entry, &row, &property.name, instances));
            }
        }
    }
    assert_none(&wrong);
}

/// What is wrong about what is said of one property.
fn mistake(host: &Evidence, entry: &Entry, row: &Row, name: &str, instances: &[Seen]) -> Option<String> {
    let values: Vec<Option<&str>> = instances.iter().map(|seen| seen.get(name).map(String::as_str)).collect();
    let is_elsewhere = row.only.is_some_and(|(family, _)| family != host.family);
    let all_are = |value: &str| values.iter().all(|seen| *seen == Some(value));
    let holds = match row.is {
        _ if is_elsewhere => values.iter().all(Option::is_none),
        Is::NotApplicable(_) => values.iter().all(Option::is_none),
        Is::Served(_) => values.iter().any(Option::is_some),
        Is::Fixed(value, _) => all_are(value),
        Is::PerFamily([deb, rpm], _) => all_are(match host.family {
            Family::Deb => deb,
            Family::Rpm | Family::Image => rpm,
        }),
    };
    let mut seen = values.clone();
    seen.dedup();
    (!holds).then(|| format!("{}: {}.{name} is {seen:?}, against {:?}", host.family.name(), entry.class, row.is))
}

#[test]
fn every_method_answers_as_the_page_says() {
    let mut wrong = Vec::new();
    for host in hosts() {
        for entry in entries().filter(|entry| host.family.has(entry.class)) {
            for method in entry.methods {
                let answers = host.answers(entry.class, method.name);
                let holds = match method.answer {
                    Answer::Works { returns, .. } => answers.contains(&returns) && !answers.contains(&"1"),
                    Answer::NotSupported(_) => answers == ["1"],
                    Answer::Fault(fault, _) => answers == [fault],
                };
                if !holds {
                    let name = host.family.name();
                    wrong.push(format!("{name}: {}.{} answered {answers:?}", entry.class, method.name));
                }
            }
        }
    }
    assert_none(&wrong);
}

/// A class that has instances is told of, and a superclass has none of its own.
#[test]
fn whatever_has_instances_is_on_the_page() {
    for host in hosts() {
        let unknown: Vec<&str> = host.classes().filter(|class| !entries().any(|entry| entry.class == *class)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", host.family.name());
        for (base, _) in BASES {
            assert!(host.instances(base).is_empty(), "{base}");
        }
    }
}
