//! `quartermaster verify`.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::files;
use super::following::{Followed, Following, end_of};
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, PackageFile, Which};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The installed packages.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// What a verification found.
struct Verified {
    followed: Vec<Followed>,
    files: Vec<(String, PackageFile)>,
}

/// The files that differ; the exit code is 1 if any does.
pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { names, listening, hosts, format } = arguments;
    let following = Following::new(&listening)?;
    let answers = every(&hosts, Who::Known, async |session| {
        let service = session.service_for(Managed::Packages).await?;
        let mut verified = Verified { followed: Vec::new(), files: Vec::new() };
        for name in &names {
            for software in session.named(&service, name, Which::Installed).await? {
                if following.was_left() {
                    return Ok(verified);
                }
                let job = session.verify(&service, software.place()?).await?;
                verified.followed.push(following.follow(session, &software.full_name(), &job).await?);
                let differing = session.differing(&job).await?;
                verified.files.extend(differing.into_iter().map(|file| (software.name.clone(), file)));
            }
        }
        Ok(verified)
    })
    .await?;
    let columns: Vec<Column> = ["name"].into_iter().chain(files::COLUMNS).map(Column::new).collect();
    let table = answers.table(&columns, |verified| verified.files.iter().map(row).collect());
    format.show(&table)?;
    Ok(answers.end_by(|verified| match end_of(&verified.followed) {
        End::Well if !verified.files.is_empty() => End::Failed,
        end => end,
    }))
}

fn row((name, file): &(String, PackageFile)) -> Vec<Value> {
    let mut row = vec![name.as_str().into()];
    row.extend(files::row(file));
    row
}
