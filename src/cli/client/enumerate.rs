//! `quartermaster enumerate`.

use std::io::Write;

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;
use crate::console::{Enumeration, Resource};
use crate::wire::Filter;
use crate::wire::enumeration::Mode;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class, or a whole resource URI.
    class: String,
    /// The CIM namespace [default: the host's own].
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Only what this is true of: the condition behind WHERE, or a whole sentence that begins with SELECT.
    #[arg(long, value_name = "QUERY")]
    filter: Option<String>,
    /// The filter is in CIM's query language (CQL), which some hosts know instead of Windows' (WQL).
    #[arg(long, requires = "filter")]
    cql: bool,
    /// Show where the instances are found, and not the instances.
    #[arg(long)]
    references: bool,
    /// Stop after so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max: Option<u32>,
    /// Show a table of these properties.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let resource = Resource::class(&arguments.class, arguments.namespace.as_deref())?;
    let wanted = Enumeration {
        filter: arguments.filter.as_deref().map(|text| filter(&resource, text, arguments.cql)),
        mode: if arguments.references { Mode::Endpoints } else { Mode::Objects },
        most: arguments.max.and_then(|most| usize::try_from(most).ok()),
    };
    let answers =
        every(&arguments.hosts, Who::Known, async |session| session.enumerate(&resource, &wanted).await).await?;
    record::show(&answers, &arguments.columns, &arguments.format)?;
    for (host, _) in answers.good().filter(|(_, found)| found.has_more) {
        let _ = writeln!(std::io::stderr(), "quartermaster: {host}: there are more");
    }
    Ok(answers.end())
}

fn filter(resource: &Resource, text: &str, cql: bool) -> Filter {
    let text = text.trim();
    let is_whole = text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("select"));
    let sentence =
        if is_whole { text.to_owned() } else { format!("SELECT * FROM {} WHERE {text}", resource.class_name()) };
    if cql { Filter::cql(sentence) } else { Filter::wql(sentence) }
}
