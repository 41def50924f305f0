//! `quartermaster show`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;
use crate::console::Found;
use crate::console::software::{Managed, Which};
use crate::wire::PlainItem;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The software: NAME, NAME.ARCHITECTURE, NAME-VERSION or NAME=VERSION.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Show every version that the host knows and not the newest alone.
    #[arg(long, short = 'a')]
    all: bool,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { names, all, hosts, format } = arguments;
    let answers = every(&hosts, Who::Known, async |session| {
        let service = session.service_for(Managed::Packages).await?;
        let mut found = Found::default();
        for name in &names {
            let mut builds = session.named(&service, name, Which::Any).await?;
            let shown = if all { builds } else { builds.pop().into_iter().collect() };
            for software in shown {
                let instance = Some(session.details(&software).await?);
                found.items.push(PlainItem { instance, reference: None });
            }
        }
        Ok(found)
    })
    .await?;
    record::show(&answers, &[], &format)?;
    Ok(answers.end())
}
