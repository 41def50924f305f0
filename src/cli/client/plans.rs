//! What hosts would change, before anything does.

use std::io::Write;

use serde_json::Value;

use super::every::Answers;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use super::tasks::Task;
use crate::console::software::{PlannedChange, Software};
use crate::console::{ConsoleError, Session};

/// What one host would change.
#[derive(Debug, Default)]
pub(super) struct Plans {
    rows: Vec<Vec<Value>>,
    /// Where nothing is to be done, and why.
    needless: Vec<String>,
    /// What cannot be done, and why.
    failures: Vec<String>,
}

const COLUMNS: [&str; 5] = ["change", "name", "architecture", "from", "to"];

impl Plans {
    /// What some tasks would change. One that cannot be done is named, and keeps none of the others back.
    pub(super) async fn of(session: &Session, tasks: &[Task]) -> Result<Self, ConsoleError> {
        let (mut plans, installed) = (Self::default(), session.installed().await?);
        for task in tasks {
            if let Some(why) = task.is_so(&installed) {
                plans.needless.push(format!("{} {why}", task.about()));
                continue;
            }
            match task.plan(session).await {
                Ok(plan) => plan.changes.iter().for_each(|change| plans.add(row(change))),
                Err(error) if error.is_no_way_there() => return Err(error),
                Err(error) => plans.failures.push(format!("{}, as the host is now: {error}", task.about())),
            }
        }
        Ok(plans)
    }

    /// Adds a bulletin, of which it is known only that it would be installed.
    pub(super) fn add_bulletin(&mut self, id: &str) {
        self.add(vec!["installed".into(), id.into(), Value::Null, Value::Null, Value::Null]);
    }

    /// Adds what somebody should know besides.
    pub(super) fn note(&mut self, note: String) {
        self.needless.push(note);
    }

    /// Adds all of another.
    pub(super) fn join(&mut self, other: Self) {
        other.rows.into_iter().for_each(|row| self.add(row));
        self.needless.extend(other.needless);
        self.failures.extend(other.failures);
    }

    /// What several things need is changed once.
    fn add(&mut self, row: Vec<Value>) {
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
    }
}

/// Shows what hosts would change; says how it ended.
pub(super) fn show(answers: &Answers<Plans>, format: &Format) -> Result<End, Failed> {
    let table = answers.table(&COLUMNS.map(Column::new), |plans| plans.rows.clone());
    format.show(&table)?;
    for (host, plans) in answers.good() {
        for text in plans.needless.iter().chain(&plans.failures) {
            let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {text}");
        }
    }
    Ok(answers.end_by(|plans| if plans.failures.is_empty() { End::Well } else { End::Failed }))
}

fn row(change: &PlannedChange) -> Vec<Value> {
    let version = |software: &Option<Software>| software.as_ref().map(|software| software.version.as_str()).into();
    let software = change.after.as_ref().or(change.before.as_ref());
    let (name, architecture) = software.map_or(("", ""), |software| (&software.name, &software.architecture));
    vec![change.kind.as_str().into(), name.into(), architecture.into(), version(&change.before), version(&change.after)]
}
