//! How answers are shown: a table that fits the terminal, lines with tabs where no person looks, JSON, or CSV.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::Args;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a terminal has that does not tell its width.
const USUAL_WIDTH: usize = 80;
/// No column is made narrower than this.
const NARROWEST: usize = 8;
/// What stands between columns.
const GAP: &str = "  ";

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

    fn is_time(&self) -> bool {
        self.key == "at" || self.key.ends_with("_at")
    }
}

impl Table {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
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

fn fitted(table: &Table, width: usize) -> String {
    let titles = table.columns.iter().map(|column| column.key.replace('_', " ").to_uppercase()).collect::<Vec<_>>();
    let mut lines = vec![titles];
    lines.extend(table.rows.iter().map(|row| row.iter().zip(&table.columns).map(looked_at).collect::<Vec<_>>()));
    let widths = widths(&lines, width);
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let cell = cut(cell, *width);
            shown.push_str(&cell);
            shown.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
            shown.push_str(GAP);
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}

/// A value as it is looked at: a time to the minute.
fn looked_at((value, column): (&Value, &Column)) -> String {
    const MINUTE: usize = 16;
    let text = words(value);
    match text.get(..MINUTE) {
        Some(time) if column.is_time() && text.contains('T') => time.replace('T', " "),
        _ => text,
    }
}

/// How wide each column is: as wide as it wants, and the widest ones less where there is no room.
fn widths(lines: &[Vec<String>], width: usize) -> Vec<usize> {
    let columns = lines.first().map_or(0, Vec::len);
    let mut widths = vec![0; columns];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let room = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > NARROWEST) else { break };
        *widest -= 1;
    }
    widths
}

fn cut(cell: &str, width: usize) -> Cow<'_, str> {
    if cell.width() <= width {
        return cell.into();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    let mut shown: String = cell.chars().take_while(fits).collect();
    shown.push('…');
    shown.into()
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
    fn a_table_fits_the_terminal() {
        insta::assert_snapshot!("wide", fitted(&table(), 80));
        insta::assert_snapshot!("narrow", fitted(&table(), 36));
        for width in 0..80 {
            let longest = fitted(&table(), width).lines().map(UnicodeWidthStr::width).max();
            assert!(longest <= Some(width.max(3 * NARROWEST + 2 * GAP.len())), "{width} {longest:?}");
        }
    }

    #[test]
    fn programs_get_every_value() {
        insta::assert_snapshot!("tabs", with_tabs(&table()));
        insta::assert_snapshot!("csv", csv(&table()));
        insta::assert_snapshot!("json", json(&table()).unwrap());
    }

    #[test]
    fn nothing_is_an_empty_table_in_every_form() {
        let table = Table::new(&[Column::new("name")]);
        assert_eq!(
            [fitted(&table, 80), with_tabs(&table), csv(&table), json(&table).unwrap()],
            ["NAME\n", "", "name\r\n", "[]\n"]
        );
    }
}
