//! Expressions written as text.

use std::fmt::{Display, Formatter, Result, Write};

use super::{Anchor, Condition, End, Operand, Path, Predicate, Step, XPath};

impl Display for XPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.anchor {
            Anchor::Document if self.path.steps.is_empty() => f.write_char('/'),
            Anchor::Document => write!(f, "/{}", self.path),
            Anchor::Root => self.path.fmt(f),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, step) in self.steps.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "/" })?;
            step.fmt(f)?;
        }
        let slash = if self.steps.is_empty() { "" } else { "/" };
        match &self.end {
            End::Element => f.write_str(if self.steps.is_empty() { "." } else { "" }),
            End::Text => write!(f, "{slash}text()"),
            End::Attribute(name) => write!(f, "{slash}@{name}"),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.name)?;
        for predicate in &self.predicates {
            match predicate {
                Predicate::Index(index) => write!(f, "[{index}]")?,
                Predicate::Condition(condition) => write!(f, "[{condition}]")?,
            }
        }
        Ok(())
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::And(all) => joined(f, all, " and ", |one| matches!(one, Self::And(_) | Self::Or(_))),
            Self::Or(all) => joined(f, all, " or ", |one| matches!(one, Self::Or(_))),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::Exists(path) => path.fmt(f),
            Self::Compare { left, comparison, right } => write!(f, "{left}{}{right}", comparison.sign()),
        }
    }
}

/// Parts that would be read otherwise stand in parentheses, no others: they count as nesting.
fn joined(f: &mut Formatter<'_>, all: &[Condition], word: &str, apart: fn(&Condition) -> bool) -> Result {
    for (i, one) in all.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        if apart(one) { write!(f, "({one})") } else { one.fmt(f) }?;
    }
    Ok(())
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Path(path) => path.fmt(f),
            // It was read from within quotes of one kind, so it does not hold both.
            Self::Text(text) if text.contains('"') => write!(f, "'{text}'"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => number.fmt(f),
        }
    }
}
