//! `quartermaster repos`.

use clap::Args;

use super::every::every;
use super::following::{Following, show};
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::Managed;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Have packages taken from this repository; may be given several times.
    #[arg(long, value_name = "NAME", conflicts_with = "refresh")]
    enable: Vec<String>,
    /// Have no packages taken from this repository; may be given several times.
    #[arg(long, value_name = "NAME", conflicts_with = "refresh")]
    disable: Vec<String>,
    /// Have the host fetch what the repositories offer now.
    #[arg(long)]
    refresh: bool,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { enable, disable, refresh, listening, hosts, format } = arguments;
    if refresh {
        let following = Following::new(&listening)?;
        let answers = every(&hosts, Who::Known, async |session| {
            let service = session.service_for(Managed::Packages).await?;
            let job = session.refresh(&service).await?;
            Ok(vec![following.follow(session, "repositories", &job).await?])
        })
        .await?;
        return show(&answers, &format);
    }
    let answers = every(&hosts, Who::Known, async |session| {
        for (names, enabled) in [(&enable, true), (&disable, false)] {
            for name in names {
                session.enable(&session.repository_named(name).await?, enabled).await?;
            }
        }
        session.repositories().await
    })
    .await?;
    let columns = ["name", "state", "title", "address", "updated_at"].map(Column::new);
    let table = answers.table(&columns, |repositories| {
        repositories
            .iter()
            .map(|repository| {
                let state = if repository.is_enabled { "enabled" } else { "disabled" };
                let told = |text: &Option<String>| text.as_deref().into();
                let (name, address) = (repository.name.as_str(), repository.address.as_str());
                vec![name.into(), state.into(), told(&repository.title), address.into(), told(&repository.updated_at)]
            })
            .collect()
    });
    format.show(&table)?;
    Ok(answers.end())
}
