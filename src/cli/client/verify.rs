//! `quartermaster verify`.

use clap::Args;
use serde_json::Value;

use super::deeds::{self, Became, Deed, end_of_deeds};
use super::every::at_work;
use super::files;
use super::following::Following;
use super::hosts::Hosts;
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, PackageFile, Software, Which};
use crate::console::{ConsoleError, Session};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The installed packages.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Do not wait for the end of the jobs, and show them.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// What a verification found.
#[derive(Debug, Default)]
struct Verified {
    deeds: Vec<Deed>,
    files: Vec<(String, PackageFile)>,
}

/// The files that differ; the exit code is 1 if any does.
pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { names, no_wait, listening, hosts, format } = arguments;
    let following = Following::unless(no_wait, &listening)?;
    let answers = at_work(&hosts, following.interrupt(), async |session, verified: &mut Verified| {
        verify(session, &following, &names, verified).await
    });
    let answers = answers.await?;
    if no_wait {
        return deeds::show(&answers.map(|verified| verified.deeds), &format);
    }
    let columns: Vec<Column> = ["name"].into_iter().chain(files::COLUMNS).map(Column::new).collect();
    let table = answers.table(&columns, |verified| verified.files.iter().map(row).collect());
    format.show(&table)?;
    answers.good().for_each(|(host, verified)| deeds::tell(host, &verified.deeds));
    Ok(answers.end_by(|verified| match end_of_deeds(&verified.deeds) {
        End::Well if !verified.files.is_empty() => End::Failed,
        end => end,
    }))
}

async fn verify(
    session: &Session,
    following: &Following,
    names: &[String],
    verified: &mut Verified,
) -> Result<(), ConsoleError> {
    let service = session.service_for(Managed::Packages).await?;
    let mut packages: Vec<Software> = Vec::new();
    for name in names {
        packages.extend(session.named(&service, name, Which::Installed).await?);
    }
    for software in packages {
        if following.was_left() {
            verified.deeds.push(Deed::new(software.full_name(), Became::NotBegun));
            continue;
        }
        let job = session.verify(&service, software.place()?).await?;
        let deed = following.follow(session, &software.full_name(), &job).await;
        if deed.is_completed() {
            let differing = session.differing(&job).await?;
            verified.files.extend(differing.into_iter().map(|file| (software.name.clone(), file)));
        }
        verified.deeds.push(deed);
    }
    Ok(())
}

fn row((name, file): &(String, PackageFile)) -> Vec<Value> {
    let mut row = vec![name.as_str().into()];
    row.extend(files::row(file));
    row
}
