//! `quartermaster files`, and how files are shown.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, PackageFile, Which};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The installed package.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// The columns of files.
pub(super) const COLUMNS: [&str; 3] = ["path", "kind", "differs"];

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { name, hosts, format } = arguments;
    let answers = every(&hosts, Who::Known, async |session| {
        let service = session.service_for(Managed::Packages).await?;
        let mut files = Vec::new();
        for software in session.named(&service, &name, Which::Installed).await? {
            files.extend(session.files(software.place()?).await?);
        }
        Ok(files)
    })
    .await?;
    let table = answers.table(&COLUMNS.map(Column::new), |files| files.iter().map(row).collect());
    format.show(&table)?;
    Ok(answers.end())
}

/// A file as a row.
pub(super) fn row(file: &PackageFile) -> Vec<Value> {
    let flaws = file.flaws.iter().map(|flaw| Value::from(flaw.as_str()));
    vec![file.path.as_str().into(), file.kind.as_str().into(), flaws.collect()]
}
