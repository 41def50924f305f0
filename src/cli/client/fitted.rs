//! A table on a terminal: no wider than that, and without the loss of what counts.

use std::borrow::Cow;

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::output::{Column, Table, words};

/// No column is made narrower than this, and none that holds sentences narrower than that.
const NARROWEST: usize = 8;
const NARROWEST_SENTENCE: usize = 24;
/// What stands between columns.
const GAP: &str = "  ";

/// A table that is no wider than the terminal: without columns that hold nothing if they take the room of others, and with a
/// block of lines for each row if even that does not fit.
pub(super) fn fitted(table: &Table, width: usize) -> String {
    let whole = wanted(table);
    if table.rows.is_empty() || needed(&whole) <= width {
        return in_columns(table, &whole);
    }
    let mut short = table.clone();
    short.retain(|_, values| values.iter().any(|value| !words(value).is_empty()));
    widths(&short, width).map_or_else(|| in_blocks(&short, width), |widths| in_columns(&short, &widths))
}

fn in_columns(table: &Table, widths: &[usize]) -> String {
    lines(table).map(|line| shown(&line, widths, &table.columns)).collect()
}

/// The titles and the rows as they are looked at.
fn lines(table: &Table) -> impl Iterator<Item = Vec<String>> {
    let rows = table.rows.iter().map(|row| row.iter().zip(&table.columns).map(looked_at).collect());
    std::iter::once(titles(table)).chain(rows)
}

fn titles(table: &Table) -> Vec<String> {
    table.columns.iter().map(|column| column.key.replace('_', " ").to_uppercase()).collect()
}

/// A row as lines: more than one if it holds a long sentence.
fn shown(line: &[String], widths: &[usize], columns: &[Column]) -> String {
    let cells: Vec<Vec<String>> = line
        .iter()
        .zip(widths.iter().zip(columns))
        .map(|(cell, (width, column))| match column.is_of_sentences() {
            true => wrapped(cell, *width),
            false => vec![cut(cell, *width).into_owned()],
        })
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for place in 0..height {
        let mut shown = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let cell = cell.get(place).map_or("", String::as_str);
            shown.push_str(cell);
            shown.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
            shown.push_str(GAP);
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}

/// A block of lines for each row, one or more for each value that is there.
fn in_blocks(table: &Table, width: usize) -> String {
    let titles = titles(table);
    let widest = titles.iter().map(|title| title.width()).max().unwrap_or(0);
    let room = width.saturating_sub(widest + GAP.len());
    let block = |row: &Vec<Value>| {
        let cells = row.iter().zip(&table.columns).map(looked_at).zip(&titles).filter(|(cell, _)| !cell.is_empty());
        let lines = cells.flat_map(|(cell, title)| {
            let title = format!("{title}{}", " ".repeat(widest.saturating_sub(title.width())));
            let before = std::iter::once(title).chain(std::iter::repeat(" ".repeat(widest)));
            before.zip(wrapped(&cell, room)).map(|(before, part)| format!("{before}{GAP}{part}\n")).collect::<Vec<_>>()
        });
        lines.collect::<String>()
    };
    table.rows.iter().map(block).collect::<Vec<_>>().join("\n")
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

/// How wide each column wants to be.
fn wanted(table: &Table) -> Vec<usize> {
    let mut widths = vec![0; table.columns.len()];
    for line in lines(table) {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    widths
}

/// What columns of these widths need together.
fn needed(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

/// How wide each column is: as wide as it wants, and the widest ones less where there is no room; nothing if that is not enough.
fn widths(table: &Table, width: usize) -> Option<Vec<usize>> {
    let mut widths = wanted(table);
    let is_number = |row: &Vec<Value>, place: usize| row.get(place).is_some_and(Value::is_number);
    let least = |(place, column): (usize, &Column)| match () {
        () if column.is_whole() || table.rows.iter().any(|row| is_number(row, place)) => usize::MAX,
        () if column.is_of_sentences() => NARROWEST_SENTENCE,
        () => NARROWEST,
    };
    let least: Vec<usize> = table.columns.iter().enumerate().map(least).collect();
    while needed(&widths) > width {
        let (widest, _) = widths.iter_mut().zip(&least).filter(|(width, least)| **width > **least).max()?;
        *widest -= 1;
    }
    Some(widths)
}

/// A text in lines that are not wider than that, broken between words where that can be.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let Some(line) = lines.last_mut() else { return lines };
            let gap = usize::from(!line.is_empty());
            if line.width() + gap + word.width() <= width {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                let (head, rest) = word.split_at(fitting(word, width.max(2)));
                line.push_str(head);
                word = rest;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// How many octets of a text fit into a width.
fn fitting(text: &str, width: usize) -> usize {
    let mut left = width;
    let too_many = |c: char| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    text.find(too_many).unwrap_or(text.len())
}

fn cut(cell: &str, width: usize) -> Cow<'_, str> {
    if cell.width() <= width {
        return cell.into();
    }
    let (head, _) = cell.split_at(fitting(cell, width.saturating_sub(1)));
    format!("{head}…").into()
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

    /// What became of jobs on two hosts, one of which failed.
    fn deeds() -> Table {
        let mut table = Table::new(&["host", "what", "result", "job", "message"].map(Column::new));
        let why = "epsilon needs packages that are neither installed nor in any repository: nowhere-to-be-found";
        table
            .rows
            .push(["127.0.0.1:7001", "alpha-1.0-1.all", "completed", "12", "Completed."].map(Value::from).to_vec());
        table.rows.push(["127.0.0.1:7002", "epsilon-1.0-1.all", "failed", "7", why].map(Value::from).to_vec());
        table
    }

    /// Patch states with more columns than a terminal has room for.
    fn states(rows: usize) -> Table {
        let keys =
            ["host", "system", "critical", "important", "moderate", "low", "other", "missing", "assessed_at", "error"];
        let mut table = Table::new(&keys.map(Column::new));
        for _ in 0..rows {
            let mut row: Vec<Value> = vec!["web1.example.com:5986".into(), "web1.example.com".into()];
            row.extend([12, 0, 3, 4, 5, 24].map(Value::from));
            row.extend(["2026-11-29T07:04:21.2Z".into(), Value::Null]);
            table.rows.push(row);
        }
        table
    }

    #[test]
    fn a_table_fits_the_terminal() {
        insta::assert_snapshot!("wide", fitted(&table(), 80));
        insta::assert_snapshot!("narrow", fitted(&table(), 42));
        assert_eq!(fitted(&Table::new(&[Column::new("name")]), 80), "NAME\n");
        for table in [table(), deeds(), states(2)] {
            for width in 60..120 {
                let longest = fitted(&table, width).lines().map(UnicodeWidthStr::width).max();
                assert!(longest <= Some(width), "{width} {longest:?}");
            }
        }
    }

    #[test]
    fn hosts_results_and_sentences_are_whole() {
        insta::assert_snapshot!("deeds", fitted(&deeds(), 80));
        insta::assert_snapshot!("states", fitted(&states(2), 120));
        insta::assert_snapshot!("blocks", fitted(&states(2), 80));
    }

    #[test]
    fn long_words_are_broken() {
        assert_eq!(wrapped("ab cde 日本語 f", 4), ["ab", "cde", "日本", "語 f"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
