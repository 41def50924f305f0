//! `quartermaster history`.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// No more than the latest so many.
    #[arg(long, short = 'n', value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { last, hosts, format } = arguments;
    let answers = every(&hosts, Who::Known, async |session| session.history().await).await?;
    // Programs get what is told to them, too; a person has it all in the message.
    let keys = ["at", "what", "message", "data"];
    let shown = if format.is_json() { &keys[..] } else { keys.split_last().map_or(&keys[..], |(_, words)| words) };
    let columns: Vec<Column> = shown.iter().copied().map(Column::new).collect();
    let table = answers.table(&columns, |records| {
        let skipped = records.len().saturating_sub(last.unwrap_or(usize::MAX));
        let rows = records.iter().skip(skipped).map(|record| {
            let mut row: Vec<Value> =
                [&record.at, &record.what, &record.message].map(|text| text.as_str().into()).to_vec();
            if format.is_json() {
                row.push(record.data.clone().unwrap_or_default());
            }
            row
        });
        rows.collect()
    });
    format.show(&table)?;
    Ok(answers.end())
}
