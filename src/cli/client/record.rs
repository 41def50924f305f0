//! Instances of any class, shown as what they are: a line for each property, or a column for each that is asked for.

use std::io::{self, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::every::Answers;
use super::outcome::Failed;
use super::output::{Column, Format, harmless, say, width, words};
use super::typed;
use crate::cim::Schema;
use crate::console::{Found, path_text};
use crate::wire::{PlainInstance, PlainItem, PlainValue};

/// The column that holds a reference where there is no instance.
const REFERENCE: &str = "reference";

/// What a host found that has one instance to show.
pub(super) fn one(instance: PlainInstance) -> Found {
    Found { items: vec![PlainItem { instance: Some(instance), reference: None }], has_more: false }
}

/// Shows what the hosts found. With columns it is a table of these properties.
pub(super) fn show(answers: &Answers<Found>, columns: &[String], format: &Format) -> Result<(), Failed> {
    if format.is_json() {
        tell_unknown(answers, columns);
        return Ok(say(&json(answers, columns)?).map(drop)?);
    }
    if columns.is_empty() && !format.is_csv() {
        // A person is told what numbers mean.
        let schema = if width().is_some() { Some(Schema::builtin().map_err(io::Error::other)?) } else { None };
        return Ok(say(&records(answers, schema.as_ref())).map(drop)?);
    }
    tell_unknown(answers, columns);
    let named: Vec<String> = if columns.is_empty() { all_columns(answers) } else { columns.to_vec() };
    let columns: Vec<Column> = named.iter().map(|name| Column::new(name.clone())).collect();
    let row = |item: &PlainItem| named.iter().map(|name| cell(item, name)).collect();
    Ok(format.show(&answers.table(&columns, |found| found.items.iter().map(row).collect()))?)
}

fn cell(item: &PlainItem, name: &str) -> Value {
    if let Some(value) = item.instance.as_ref().and_then(|instance| instance.get(name)) {
        return typed::text(value);
    }
    let reference = item.reference.as_ref().filter(|_| name == REFERENCE);
    reference.map_or(Value::Null, |reference| path_text(reference).into())
}

/// The names of all properties in the order in which they were met.
fn all_columns(answers: &Answers<Found>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in answers.good().flat_map(|(_, found)| &found.items) {
        let properties = item.instance.iter().flat_map(|instance| &instance.properties).map(|(name, _)| name.as_str());
        let reference = item.reference.iter().map(|_| REFERENCE);
        for name in properties.chain(reference) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Says which columns nobody has: a name that was written wrong looks like a value that is not there.
fn tell_unknown(answers: &Answers<Found>, columns: &[String]) {
    let mut items = answers.good().flat_map(|(_, found)| &found.items).peekable();
    if items.peek().is_none() {
        return;
    }
    let has =
        |name: &str| answers.good().flat_map(|(_, found)| &found.items).any(|item| cell(item, name) != Value::Null);
    for name in columns.iter().filter(|name| !has(name)) {
        let _ = writeln!(io::stderr(), "quartermaster: no instance has a value of {name:?}");
    }
}

/// With columns an object has no others.
fn json(answers: &Answers<Found>, columns: &[String]) -> Result<String, Failed> {
    let schema = Schema::builtin().map_err(io::Error::other)?;
    let mut objects = Vec::new();
    for (host, found) in answers.good() {
        for item in &found.items {
            let mut object = item
                .instance
                .as_ref()
                .map_or(Value::Object(serde_json::Map::new()), |instance| typed::object(instance, &schema));
            if let Value::Object(object) = &mut object {
                object.retain(|key, _| columns.is_empty() || columns.iter().any(|name| name.eq_ignore_ascii_case(key)));
                if let Some(reference) = &item.reference {
                    object.insert("@reference".to_owned(), path_text(reference).into());
                }
                if answers.are_several() {
                    object.insert("@host".to_owned(), host.into());
                }
            }
            objects.push(object);
        }
    }
    Ok(serde_json::to_string_pretty(&objects).map_err(io::Error::from)? + "\n")
}

/// A block of lines for each instance, with an empty line between two.
fn records(answers: &Answers<Found>, schema: Option<&Schema>) -> String {
    let mut blocks = Vec::new();
    for (host, found) in answers.good() {
        for item in &found.items {
            let mut block = String::new();
            if answers.are_several() {
                block.push_str(&format!("# {host}\n"));
            }
            match (&item.instance, &item.reference) {
                (Some(instance), _) => block.push_str(&record(instance, schema)),
                (None, Some(reference)) => block.push_str(&format!("{}\n", harmless(&path_text(reference)))),
                (None, None) => {}
            }
            blocks.push(block);
        }
    }
    let only_references = answers.good().all(|(_, found)| found.items.iter().all(|item| item.instance.is_none()));
    blocks.join(if only_references && !answers.are_several() { "" } else { "\n" })
}

/// With a schema it is for a person: aligned, and with what numbers mean.
fn record(instance: &PlainInstance, schema: Option<&Schema>) -> String {
    let told = instance.properties.iter().filter(|(_, value)| *value != PlainValue::Null);
    let lines: Vec<(String, String)> = told
        .map(|(name, value)| {
            let words = schema
                .map_or_else(|| words(&typed::text(value)), |schema| typed::explained(instance, (name, value), schema));
            (harmless(name), words)
        })
        .collect();
    let widest = lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let mut text = String::new();
    if !instance.class.is_empty() {
        text.push_str(&format!("{}\n", harmless(&instance.class)));
    }
    for (name, words) in lines {
        let line = match schema {
            Some(_) => format!("  {name}{}  {words}\n", " ".repeat(widest.saturating_sub(name.width()))),
            None => format!("{name}\t{words}\n"),
        };
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_what_numbers_mean_and_a_program_gets_them_alone() {
        let instance = PlainInstance { class: "CIM_ConcreteJob".to_owned(), ..PlainInstance::default() }
            .with("Name", "Install")
            .with("OperationalStatus", ["17", "2"])
            .with("JobState", "7")
            .with("ErrorCode", PlainValue::Null)
            .with("Unheard", "a\u{1b}b\nc");
        insta::assert_snapshot!("person", record(&instance, Some(&Schema::builtin().unwrap())));
        insta::assert_snapshot!("program", record(&instance, None));
    }
}
