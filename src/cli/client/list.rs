//! `quartermaster list`.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, Software, Update};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only what has one of these words in its name.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Tell when it was installed, who made it and what it is, too. This takes longer.
    #[arg(long, short = 'l')]
    long: bool,
    /// List what can be updated, with the version that it would have then.
    #[arg(long, conflicts_with = "long")]
    updates: bool,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    if arguments.updates {
        return updates(arguments).await;
    }
    let Arguments { words, long, hosts, format, .. } = arguments;
    let answers =
        every(
            &hosts,
            Who::Known,
            async |session| {
                if long { session.installed_in_detail().await } else { session.installed().await }
            },
        )
        .await?;
    let short = ["name", "version", "architecture"];
    let details = ["installed_at", "vendor", "summary"].into_iter().filter(|_| long);
    let columns: Vec<Column> = short.into_iter().chain(details).map(Column::new).collect();
    let table = answers.table(&columns, |installed| {
        installed.iter().filter(|software| is_meant(&words, software)).map(|software| row(software, long)).collect()
    });
    format.show(&table)?;
    Ok(answers.end_if_any(|installed| words.is_empty() || installed.iter().any(|software| is_meant(&words, software))))
}

async fn updates(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { words, hosts, format, .. } = arguments;
    let answers = every(&hosts, Who::Known, async |session| {
        session.updates(&session.service_for(Managed::Packages).await?).await
    })
    .await?;
    let columns = ["name", "version", "architecture", "newest"].map(Column::new);
    let table = answers.table(&columns, |updates| {
        let meant = updates.iter().filter(|update| is_meant(&words, &update.installed));
        let rows = meant.map(|update| {
            let mut row = row(&update.installed, false);
            row.push(update.newest.version.as_str().into());
            row
        });
        rows.collect()
    });
    format.show(&table)?;
    let is_any = |updates: &Vec<Update>| updates.iter().any(|update| is_meant(&words, &update.installed));
    Ok(answers.end_if_any(|updates| words.is_empty() || is_any(updates)))
}

fn is_meant(words: &[String], software: &Software) -> bool {
    words.is_empty() || words.iter().any(|word| software.name.contains(word.as_str()))
}

fn row(software: &Software, long: bool) -> Vec<Value> {
    let told = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let mut row = vec![told(&software.name), told(&software.version), told(&software.architecture)];
    if long {
        let details = [&software.installed_at, &software.vendor, &software.summary];
        row.extend(details.map(|detail| detail.as_deref().map_or(Value::Null, told)));
    }
    row
}
