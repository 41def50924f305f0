//! `docs/model.md`: what the tables say, as a page.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use quartermaster::cim::Class;

use crate::coverage::{row_of, rows_of, schema};
use crate::table::{Answer, Entry, Is, Method, Row};
use crate::unserved::{BASES, LEFT_OUT, UNSERVED};
use crate::{entries, subjects};

const HEAD: &str = "\
# The model

Every class that this service shows of a Linux host or of a hypervisor host with an image of VIBs, with each property and method
and where its value comes from. The classes are those of OpenLMI-Software (`LMI_`, with what CIM defines for them) and of VMware
(`VMware_`, `OMC_`), some of CIM itself, and our own (`QM_`); what they are for is told by DSP1023 (Software Inventory), DSP1025 (Software Update), DSP1103 (Job Control) and DSP1033 (Profile
Registration).

This page is made by the suite in `tests/model`. The classes, properties and methods come from the schema that the program is
built with, and a test fails when one of them is missing here. Others run the service on a Debian and on an RPM root
and on an image store, do there everything that the classes tell of, and hold each statement against all instances that they see:

- **served**: instances have values, from the source that is named. Where a value stands here, every instance has it. Of what is
  served on one family of hosts only, instances on the other have no value.
- *not applicable*: no instance has a value, and why.

`tests/model/claims.rs::every_property_is_as_the_page_says` shows all properties, and
`tests/model/claims.rs::every_method_answers_as_the_page_says` all methods; tests that look closer are named beside them.
Where OpenLMI's own provider is known to differ, it is told how (*OpenLMI:*); a test compares what it fills and its fixed
values. A page that is not up to date fails a test, too; `UPDATE_DOCS=1 cargo test --test model page` writes it anew.

";

#[test]
fn the_page_in_docs_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/model.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let difference = found.lines().zip(page.lines()).find(|(found, expected)| found != expected);
    assert!(found == page, "{} is not current: {difference:?}", file.display());
}

/// The whole page.
fn page() -> String {
    let mut page = HEAD.to_owned();
    let (mut served, mut others, mut methods) = (0, 0, 0);
    for entry in entries() {
        for property in schema().class(entry.class).unwrap().properties() {
            if row_of(entry, &property.name).unwrap().is_served() { served += 1 } else { others += 1 }
        }
        methods += entry.methods.len();
    }
    let count = entries().count();
    writeln!(page, "{count} classes: {served} properties are served, {others} are not applicable; {methods} methods.")
        .unwrap();
    for (subject, entries) in subjects() {
        write!(page, "\n## {subject}\n").unwrap();
        entries.iter().for_each(|entry| write_class(&mut page, entry));
    }
    write_rest(&mut page);
    page
}

fn write_class(page: &mut String, entry: &Entry) {
    let class = schema().class(entry.class).unwrap();
    let superclass = class.superclass().map(|name| format!(" : {name}")).unwrap_or_default();
    write!(page, "\n### {}{superclass}\n\n{}", entry.class, entry.says).unwrap();
    if !entry.by.is_empty() {
        let tests: Vec<String> = entry.by.iter().map(|test| format!("`{test}`")).collect();
        write!(page, " Also shown by {}.", tests.join(", ")).unwrap();
    }
    page.push_str("\n\n| Property | Here |\n|---|---|\n");
    let mut told: Vec<&str> = Vec::new();
    for row in rows_of(entry) {
        let is_told = |name: &&str| class.property(name).is_some() && !told.contains(name);
        let tells: Vec<&str> = row.names().filter(is_told).collect();
        let names: Vec<String> = tells.iter().map(|name| shown(class, name)).collect();
        told.extend(tells);
        if !names.is_empty() {
            writeln!(page, "| {} | {} |", names.join(", "), words(&row)).unwrap();
        }
    }
    if !entry.methods.is_empty() {
        page.push_str("\n| Method | Here |\n|---|---|\n");
        for method in entry.methods {
            writeln!(page, "| `{}` | {} |", method.name, answer(method)).unwrap();
        }
    }
}

fn shown(class: &Class, name: &str) -> String {
    let key = class.property(name).is_some_and(|property| property.key);
    format!("`{name}`{}", if key { " (key)" } else { "" })
}

fn words(row: &Row) -> String {
    let mut words = match row.is {
        Is::Fixed(value, meaning) => format!("**served**: `{value}` ({meaning})"),
        Is::PerFamily([deb, rpm], meaning) => {
            format!("**served**: `{deb}` on Debian, `{rpm}` on RPM hosts ({meaning})")
        }
        Is::Served(source) => format!("**served**: {source}"),
        Is::NotApplicable(why) => format!("*not applicable*: {why}"),
    };
    if let Some((family, why)) = row.only {
        write!(words, "; on {} hosts only, {why}", family.name()).unwrap();
    }
    finish(words, row.by, row.unlike)
}

fn answer(method: &Method) -> String {
    match method.answer {
        Answer::Works { does, by, .. } => finish(format!("**served**: {does}"), Some(by), method.unlike),
        Answer::NotSupported(why) => finish(format!("*not applicable*, returns 1: {why}"), None, method.unlike),
        Answer::Fault(fault, why) => finish(format!("*not applicable*, fault `{fault}`: {why}"), None, method.unlike),
    }
}

fn finish(mut words: String, by: Option<&str>, unlike: Option<&str>) -> String {
    if let Some(unlike) = unlike {
        write!(words, ". *OpenLMI:* {unlike}").unwrap();
    }
    if let Some(test) = by {
        write!(words, " (`{test}`)").unwrap();
    }
    words
}

fn write_rest(page: &mut String) {
    page.push_str("\n## Classes without instances\n\n| Class | Why |\n|---|---|\n");
    for (class, why) in BASES {
        writeln!(page, "| {class} | *not applicable*: a superclass, {why} |").unwrap();
    }
    for (names, why) in UNSERVED {
        writeln!(page, "| {} | *not applicable*: {why} |", names.replace(' ', ", ")).unwrap();
    }
    page.push_str("\n## Not in the schema\n\n| Class or member | Why |\n|---|---|\n");
    for (class, member, why) in LEFT_OUT {
        let member = member.map(|member| format!(".{member}")).unwrap_or_default();
        writeln!(page, "| {class}{member} | *not applicable*: {why} |").unwrap();
    }
}
