//! `quartermaster jobs` and `quartermaster watch`.

use clap::Args;
use futures_util::future::join_all;
use serde_json::Value;

use super::deeds::{Deed, show};
use super::every::{at_work, every};
use super::following::Following;
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::Job;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Have the host give this job up: its number, its name or its whole identifier.
    #[arg(long, value_name = "JOB")]
    cancel: Option<String>,
    /// Show the jobs that have not ended alone.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The jobs: their numbers, names or whole identifiers [default: all that have not ended].
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { cancel, open, hosts, format } = arguments;
    let answers = every(&hosts, Who::Known, async |session| match &cancel {
        Some(written) => {
            let job = session.job_named(written).await?;
            session.cancel(&job).await?;
            Ok(vec![session.job(&job.reference).await?])
        }
        None => {
            let mut jobs = session.jobs().await?;
            jobs.retain(|job| !open || !job.state.is_final());
            Ok(jobs)
        }
    })
    .await?;
    let columns = ["job", "name", "state", "percent", "status", "owner", "submitted_at"].map(Column::new);
    let table = answers.table(&columns, |jobs| jobs.iter().map(row).collect());
    format.show(&table)?;
    Ok(answers.end())
}

fn row(job: &Job) -> Vec<Value> {
    let told = |text: &Option<String>| text.as_deref().into();
    vec![
        job.number().unwrap_or(&job.id).into(),
        job.name.as_str().into(),
        job.state.word().into(),
        job.percent.into(),
        job.status.as_str().into(),
        told(&job.owner),
        told(&job.submitted_at),
    ]
}

/// Follows jobs that somebody else began, or that he left.
pub(super) async fn watch(arguments: Watch) -> Result<End, Failed> {
    let Watch { jobs: written, listening, hosts, format } = arguments;
    let following = Following::new(&listening)?;
    let answers = at_work(&hosts, following.interrupt(), async |session, deeds: &mut Vec<Deed>| {
        let mut jobs = Vec::new();
        if written.is_empty() {
            jobs.extend(session.jobs().await?.into_iter().filter(|job| !job.state.is_final()));
        }
        for one in &written {
            jobs.push(session.job_named(one).await?);
        }
        let followed = jobs.iter().map(|job| following.follow(session, &job.name, &job.reference));
        deeds.extend(join_all(followed).await);
        Ok(())
    });
    show(&answers.await?, &format)
}
