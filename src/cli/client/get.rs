//! `quartermaster get`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::keys::Keys;
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class, or a whole resource URI.
    class: String,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let meant = arguments.keys.of(&arguments.class)?;
    let answers = every(&arguments.hosts, Who::Known, async |session| {
        session.get(&meant.at(session).await?).await.map(record::one)
    })
    .await?;
    record::show(&answers, &[], &arguments.format)?;
    Ok(answers.end())
}
