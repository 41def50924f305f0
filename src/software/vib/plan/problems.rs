//! Everything that speaks against a change, told at once.

use std::collections::HashSet;
use std::hash::Hash;

use super::super::descriptor::VibId;
use super::super::error::{ImageError, ImageErrorClass};

/// How many problems of a class an error tells of; more are counted.
const TOLD: usize = 30;

/// What speaks against a change, with what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    /// Its class.
    pub(super) class: ImageErrorClass,
    /// What is wrong: whole sentences.
    pub(super) text: String,
    /// What to do about it: a sentence. Those of several problems are told once if they are the same.
    pub(super) advice: &'static str,
    /// The VIBs that it is about.
    pub(super) vibs: Vec<VibId>,
}

/// The problems as one error, if there are any: of the class of the first, with those of the other classes behind, each
/// class after its name, and then what to do.
pub(super) fn all_told(problems: Vec<Problem>) -> Result<(), ImageError> {
    let Some(first) = problems.first() else { return Ok(()) };
    let class = first.class;
    let mut parts = Vec::new();
    for of_class in in_classes(&problems) {
        parts.push(class_told(&of_class, class));
    }
    for advice in distinct(problems.iter().map(|problem| problem.advice)) {
        parts.push(advice.to_owned());
    }
    let vibs = distinct(problems.into_iter().flat_map(|problem| problem.vibs));
    Err(ImageError::new(class, parts.join(" ")).of(vibs))
}

fn in_classes(problems: &[Problem]) -> Vec<Vec<&Problem>> {
    let classes = distinct(problems.iter().map(|problem| problem.class));
    classes.into_iter().map(|class| problems.iter().filter(|problem| problem.class == class).collect()).collect()
}

fn class_told(problems: &[&Problem], of_error: ImageErrorClass) -> String {
    let mut told: Vec<String> = problems.iter().take(TOLD).map(|problem| problem.text.clone()).collect();
    if problems.len() > TOLD {
        told.push(format!("And {} more.", problems.len() - TOLD));
    }
    let text = told.join(" ");
    match problems.first().map(|problem| problem.class) {
        Some(class) if class != of_error => format!("[{class}] {text}"),
        _ => text,
    }
}

/// Each once, in the order in which they come first.
fn distinct<T: Clone + Eq + Hash>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}
