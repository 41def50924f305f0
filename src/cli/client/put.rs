//! `quartermaster put`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::keys::Keys;
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;
use super::values::{at, references, values};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class of the instance, or a whole resource URI.
    class: String,
    #[command(flatten)]
    keys: Keys,
    /// A property to set; the same name again makes an array, a name alone sets NULL.
    #[arg(long, short = 's', value_name = "NAME=VALUE", required_unless_present = "reference")]
    set: Vec<String>,
    /// A property to set that is a reference: CLASS.KEY="VALUE",KEY="VALUE", or CLASS alone for its only instance.
    #[arg(long, short = 'r', value_name = "NAME=PATH")]
    reference: Vec<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// The instance is read, changed and written as a whole, which every implementation takes.
pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let meant = arguments.keys.of(&arguments.class)?;
    let (given, referred) = (values(&arguments.set)?, references(&arguments.reference)?);
    let answers = every(&arguments.hosts, Who::Known, async |session| {
        let resource = meant.at(session).await?;
        let mut instance = session.get(&resource).await?;
        for (name, value) in at(session, given.clone(), &referred).await? {
            instance.set(&name, value);
        }
        Ok(record::one(session.put(&resource, &instance).await?.unwrap_or(instance)))
    })
    .await?;
    record::show(&answers, &[], &arguments.format)?;
    Ok(answers.end())
}
