//! Queries written as text.

use std::fmt::{self, Formatter, Write};

use super::{Condition, Elements, Literal, Operand, Path, Query, Select};

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
            condition(f, whole, "")
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

/// A condition, or with `"NOT "` its negation: no deeper than it was read, or it might be too deep to be read again.
fn condition(f: &mut Formatter<'_>, whole: &Condition, not: &str) -> fmt::Result {
    match whole {
        Condition::And(all) if not.is_empty() => {
            joined(f, all, " AND ", |one| matches!(one, Condition::And(_) | Condition::Or(_)))
        }
        Condition::Or(all) if not.is_empty() => joined(f, all, " OR ", |one| matches!(one, Condition::Or(_))),
        Condition::And(_) | Condition::Or(_) => {
            f.write_str(not)?;
            parenthesised(f, whole)
        }
        Condition::Not(inner) => {
            f.write_str(not)?;
            condition(f, inner, "NOT ")
        }
        Condition::Compare { left, comparison, right } => {
            f.write_str(not)?;
            operand(f, left)?;
            write!(f, " {} ", comparison.sign())?;
            operand(f, right)
        }
        Condition::Like { operand: one, pattern, .. } => {
            operand(f, one)?;
            write!(f, " {not}LIKE ")?;
            quoted(f, pattern)
        }
        Condition::Isa { path: one, class, .. } => {
            path(f, one)?;
            write!(f, " {not}ISA ")?;
            // A class's name that is no name of the grammar was given in quotes.
            let bare = super::parser::is_name(class) && class.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
            if bare && !class.is_empty() { f.write_str(class) } else { quoted(f, class) }
        }
        Condition::IsNull(one) => {
            operand(f, one)?;
            write!(f, " IS {not}NULL")
        }
    }
}

/// Parts of a condition, in parentheses where the grammar would read them otherwise.
fn joined(f: &mut Formatter<'_>, all: &[Condition], word: &str, apart: fn(&Condition) -> bool) -> fmt::Result {
    for (i, one) in all.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        if apart(one) { parenthesised(f, one) } else { condition(f, one, "") }?;
    }
    Ok(())
}

fn parenthesised(f: &mut Formatter<'_>, whole: &Condition) -> fmt::Result {
    f.write_char('(')?;
    condition(f, whole, "")?;
    f.write_char(')')
}

fn operand(f: &mut Formatter<'_>, operand: &Operand) -> fmt::Result {
    match operand {
        Operand::Path(one) => path(f, one),
        Operand::Elements(elements, one) => {
            f.write_str(match elements {
                Elements::Any => "ANY ",
                Elements::Every => "EVERY ",
                Elements::Whole => "",
            })?;
            path(f, one)?;
            f.write_str("[*]")
        }
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
