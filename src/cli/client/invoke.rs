//! `quartermaster invoke`.

use std::io::{self, Write};

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::keys::Keys;
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;
use super::values::{at, references, values};
use crate::console::{Output, meaning};

/// What a method returns that did what it was called for, or has begun to (DSP1025, DSP1103).
const GOOD: [u32; 2] = [0, 4096];

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class of the instance, or a whole resource URI.
    class: String,
    /// The method.
    method: String,
    #[command(flatten)]
    keys: Keys,
    /// A parameter; the same name again makes an array, a name alone is NULL.
    #[arg(long, short = 'a', value_name = "NAME=VALUE")]
    argument: Vec<String>,
    /// A parameter that is a reference: CLASS.KEY="VALUE",KEY="VALUE", or CLASS alone for its only instance.
    #[arg(long, short = 'r', value_name = "NAME=PATH")]
    reference: Vec<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { class, method, keys, argument, reference, hosts, format } = arguments;
    let meant = keys.of(&class)?;
    let (given, referred) = (values(&argument)?, references(&reference)?);
    let answers = every(&hosts, Who::Known, async |session| {
        let resource = meant.at(session).await?;
        let input = at(session, given.clone(), &referred).await?;
        session.invoke(&resource, &method, input).await
    })
    .await?;
    for (host, output) in answers.good() {
        let Some(returned) = bad(output) else { continue };
        let words = meaning(&class, &method, returned).map(|words| format!(" ({words})")).unwrap_or_default();
        let _ = writeln!(io::stderr(), "quartermaster: {host}: {method} returned {returned}{words}");
    }
    let end = answers.end_by(|output| if bad(output).is_some() { End::Failed } else { End::Well });
    record::show(&answers.map(|output| record::one(output.0)), &[], &format)?;
    Ok(end)
}

/// What a method returned that did not do what it was called for. Methods that return something else than a number have no
/// value that is bad.
fn bad(output: &Output) -> Option<u32> {
    output.returned().filter(|returned| !GOOD.contains(returned))
}
