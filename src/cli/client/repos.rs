//! `quartermaster repos`.

use clap::Args;
use serde_json::Value;

use super::deeds::{Deed, show};
use super::every::{at_work, every};
use super::following::Following;
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use crate::console::software::{Managed, Repository};

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
    /// Do not wait until it is done.
    #[arg(long, requires = "refresh")]
    no_wait: bool,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { enable, disable, refresh, no_wait, listening, hosts, format } = arguments;
    if refresh {
        let following = Following::unless(no_wait, &listening)?;
        return refreshed(&following, &hosts, &format).await;
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
    let table = answers.table(&columns, |repositories| repositories.iter().map(row).collect());
    format.show(&table)?;
    Ok(answers.end())
}

async fn refreshed(following: &Following, hosts: &Hosts, format: &Format) -> Result<End, Failed> {
    let answers = at_work(hosts, following.interrupt(), async |session, deeds: &mut Vec<Deed>| {
        let service = session.service_for(Managed::Packages).await?;
        let job = session.refresh(&service).await?;
        deeds.push(following.follow(session, "repositories", &job).await);
        Ok(())
    });
    show(&answers.await?, format)
}

fn row(repository: &Repository) -> Vec<Value> {
    let state = if repository.is_enabled { "enabled" } else { "disabled" };
    let told = |text: &Option<String>| text.as_deref().into();
    let (name, address) = (repository.name.as_str(), repository.address.as_str());
    vec![name.into(), state.into(), told(&repository.title), address.into(), told(&repository.updated_at)]
}
