//! `quartermaster create`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};
use super::values::{at, references, values};
use crate::console::{Resource, path_text};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class, or a whole resource URI.
    class: String,
    /// The properties; the same name again makes an array.
    #[arg(value_name = "NAME=VALUE")]
    properties: Vec<String>,
    /// A property that is a reference: CLASS.KEY="VALUE",KEY="VALUE", or CLASS alone for its only instance.
    #[arg(long, short = 'r', value_name = "NAME=PATH")]
    reference: Vec<String>,
    /// The CIM namespace [default: the host's own].
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let class = Resource::class(&arguments.class, arguments.namespace.as_deref())?;
    let (given, referred) = (values(&arguments.properties)?, references(&arguments.reference)?);
    let answers = every(&arguments.hosts, Who::Known, async |session| {
        let properties = at(session, given.clone(), &referred).await?;
        session.create(&class, properties).await
    })
    .await?;
    let table = answers.table(&[Column::new("reference")], |created| vec![vec![path_text(created).into()]]);
    arguments.format.show(&table)?;
    Ok(answers.end())
}
