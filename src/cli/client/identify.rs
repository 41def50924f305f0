//! `quartermaster identify`.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{Column, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let answers = every(&arguments.hosts, Who::Anybody, async |session| session.identify().await).await?;
    let columns = ["vendor", "version", "protocol", "security"].map(Column::new);
    let table = answers.table(&columns, |identity| {
        let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| text.as_str().into()).collect());
        let told = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        vec![vec![
            told(&identity.vendor),
            told(&identity.version),
            texts(&identity.protocols),
            texts(&identity.security_profiles),
        ]]
    });
    arguments.format.show(&table)?;
    Ok(answers.end())
}
