//! `quartermaster search`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the names have in them.
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { words, hosts, format } = arguments;
    let answers = every(&hosts, Who::Known, async |session| session.search(&words).await).await?;
    let columns = ["name", "version", "architecture", "state"].map(Column::new);
    let table = answers.table(&columns, |found| {
        let row = |(software, is_installed): &(crate::console::software::Software, bool)| {
            let state = if *is_installed { "installed" } else { "available" };
            [&software.name, &software.version, &software.architecture, state].map(|text| text.into()).to_vec()
        };
        found.iter().map(row).collect()
    });
    format.show(&table)?;
    Ok(answers.end_if_any(|found| !found.is_empty()))
}
