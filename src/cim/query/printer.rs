//! Queries written as text.

use std::fmt::{self, Formatter, Write};

use super::{Condition, Literal, Operand, Path, Query, Select};

pub(super) fn query(f: &mut Formatter<'_>, query: &Query) -> fmt::Result {
    f.write_str("SELECT ")?;
    match &query.select {
        Select::All => f.write_char('*')?,
        Select::Properties(paths) => {
            for (i, one) in paths.iter().enumerate() {
                f.write_str(if i == 0 { "" } else { ", " })?;
                path(f, one)?;
            }
        }
    }
    write!(f, " FROM {}", query.from)?;
    match &query.condition {
        Some(whole) => {
            f.write_str(" WHERE ")?;
            condition(f, whole)
        }
        None => Ok(()),
    }
}

pub(super) fn path(f: &mut Formatter<'_>, path: &Path) -> fmt::Result {
    for (i, step) in path.steps.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { "." })?;
        if let Some(class) = &step.class {
            write!(f, "{class}::")?;
        }
        f.write_str(&step.name)?;
        if let Some(index) = step.index {
            write!(f, "[{index}]")?;
        }
    }
    Ok(())
}

fn condition(f: &mut Formatter<'_>, whole: &Condition) -> fmt::Result {
    match whole {
        Condition::And(all) => joined(f, all, " AND "),
        Condition::Or(all) => joined(f, all, " OR "),
        Condition::Not(inner) => {
            f.write_str("NOT ")?;
            part(f, inner)
        }
        Condition::Compare { left, comparison, right } => {
            operand(f, left)?;
            write!(f, " {} ", comparison.sign())?;
            operand(f, right)
        }
        Condition::Like { operand: one, pattern, .. } => {
            operand(f, one)?;
            f.write_str(" LIKE ")?;
            quoted(f, pattern)
        }
        Condition::Isa { path: one, class, .. } => {
            path(f, one)?;
            f.write_str(" ISA ")?;
            // A class's name that is no name of the grammar was given in quotes.
            let bare = super::parser::is_name(class) && class.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
            if bare && !class.is_empty() { f.write_str(class) } else { quoted(f, class) }
        }
        Condition::IsNull(one) => {
            operand(f, one)?;
            f.write_str(" IS NULL")
        }
    }
}

fn joined(f: &mut Formatter<'_>, all: &[Condition], word: &str) -> fmt::Result {
    for (i, one) in all.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        part(f, one)?;
    }
    Ok(())
}

/// A part of a condition, in parentheses where the grammar would read it otherwise.
fn part(f: &mut Formatter<'_>, one: &Condition) -> fmt::Result {
    if matches!(one, Condition::And(_) | Condition::Or(_)) {
        f.write_char('(')?;
        condition(f, one)?;
        f.write_char(')')
    } else {
        condition(f, one)
    }
}

fn operand(f: &mut Formatter<'_>, operand: &Operand) -> fmt::Result {
    match operand {
        Operand::Path(one) => path(f, one),
        Operand::Literal(Literal::Null, _) => f.write_str("NULL"),
        Operand::Literal(Literal::Boolean(truth), _) => f.write_str(if *truth { "TRUE" } else { "FALSE" }),
        Operand::Literal(Literal::Integer(n), _) => write!(f, "{n}"),
        Operand::Literal(Literal::Real(n), _) => write!(f, "{n:?}"),
        Operand::Literal(Literal::Text(text), _) => quoted(f, text),
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}
