//! How answers are shown: a table that fits the terminal, lines with tabs where no person looks, JSON, or CSV.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::Args;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::fitted::fitted;

/// What a terminal has that does not tell its width.
const USUAL_WIDTH: usize = 80;

/// In which form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Format {
    /// Write JSON: an array of objects.
    #[arg(long)]
    json: bool,
    /// Write CSV (RFC 4180) with a line of names first.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// A column. Its key names it in JSON and CSV, in capitals on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) key: Cow<'static, str>,
}

/// Rows of values, as many in each as there are columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Column {
    pub(super) fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self { key: key.into() }
    }

    pub(super) fn is_time(&self) -> bool {
        self.key == "at" || self.key.ends_with("_at")
    }

    /// Whether half of a value would be another value, or tell nothing.
    pub(super) fn is_whole(&self) -> bool {
        self.is_time() || ["host", "result", "job"].contains(&&*self.key)
    }

    /// Whether it holds sentences, which go on in the next line.
    pub(super) fn is_of_sentences(&self) -> bool {
        ["message", "error"].contains(&&*self.key)
    }
}

impl Table {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Leaves out those of these columns of numbers in which there is nothing but zeros.
    pub(super) fn leave_out_zeros(&mut self, keys: &[&str]) {
        self.retain(|column, values| {
            !keys.contains(&&*column.key) || values.iter().any(|value| value.as_u64() > Some(0))
        });
    }

    /// Keeps some of the columns alone.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Column, &[&Value]) -> bool) {
        let values = |place| self.rows.iter().filter_map(|row| row.get(place)).collect::<Vec<_>>();
        let kept: Vec<bool> =
            self.columns.iter().enumerate().map(|(place, column)| is_kept(column, &values(place))).collect();
        let mut places = kept.iter();
        self.columns.retain(|_| *places.next().unwrap_or(&true));
        for row in &mut self.rows {
            let mut places = kept.iter();
            row.retain(|_| *places.next().unwrap_or(&true));
        }
    }
}

impl Format {
    /// Whether a program reads it that wants every value as it is.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether it is to be a table in any case.
    pub(super) fn is_csv(&self) -> bool {
        self.csv
    }

    /// Whether a person looks at a table of it.
    pub(super) fn is_for_a_person(&self) -> bool {
        !self.json && !self.csv && width().is_some()
    }

    /// Writes a table to the standard output.
    pub(super) fn show(&self, table: &Table) -> io::Result<()> {
        let text = match width() {
            _ if self.json => json(table)?,
            _ if self.csv => csv(table),
            Some(width) => fitted(table, width),
            None => with_tabs(table),
        };
        say(&text).map(drop)
    }
}

/// Writes to the standard output; whether anybody reads it. Who looks at the first lines only (`| head`) has got what he wants.
pub(super) fn say(text: &str) -> io::Result<bool> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}

/// The width of the terminal that the standard output is; `None` if it is none.
pub(super) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let told = rustix::termios::tcgetwinsize(io::stdout()).map(|size| usize::from(size.ws_col));
    Some(told.ok().filter(|width| *width > 0).unwrap_or(USUAL_WIDTH))
}

/// A value as a person reads it, in one line and without what a terminal would obey.
pub(super) fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    harmless(&text)
}

/// A text in one line and without what a terminal would obey: hosts may be hostile.
pub(super) fn harmless(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn with_tabs(table: &Table) -> String {
    let mut text = String::new();
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(words).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

fn csv(table: &Table) -> String {
    let names = table.columns.iter().map(|column| column.key.to_string()).collect::<Vec<_>>();
    let rows = table.rows.iter().map(|row| row.iter().map(exact).collect::<Vec<_>>());
    let mut text = String::new();
    for line in std::iter::once(names).chain(rows) {
        let cells: Vec<String> = line.into_iter().map(field).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A value as a program reads it, its line ends included.
fn exact(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(exact).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn field(text: String) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn json(table: &Table) -> io::Result<String> {
    let rows: Vec<Row<'_>> = table.rows.iter().map(|row| Row { columns: &table.columns, row }).collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}

/// A row as an object whose keys stand in the order of the columns.
struct Row<'a> {
    columns: &'a [Column],
    row: &'a [Value],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, value) in self.columns.iter().zip(self.row) {
            map.serialize_entry(&*column.key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["name", "installed_at", "sizes"].map(Column::new));
        table.rows.push(vec!["alpha".into(), "2026-11-29T07:04:21.2Z".into(), json!([1, 2])]);
        table.rows.push(vec!["größe 日本語".into(), Value::Null, 12.into()]);
        table.rows.push(vec!["a\u{1b}[31m\"red\"\ttab,\nline".into(), "".into(), json!({"a": true})]);
        table
    }

    #[test]
    fn programs_get_every_value() {
        insta::assert_snapshot!("tabs", with_tabs(&table()));
        insta::assert_snapshot!("csv", csv(&table()));
        insta::assert_snapshot!("json", json(&table()).unwrap());
    }

    #[test]
    fn nothing_is_an_empty_table() {
        let table = Table::new(&[Column::new("name")]);
        assert_eq!([with_tabs(&table), csv(&table), json(&table).unwrap()], ["", "name\r\n", "[]\n"]);
    }
}
