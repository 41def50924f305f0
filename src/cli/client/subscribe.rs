//! `quartermaster subscribe`: prints what happens on hosts, until it is stopped.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::every::every;
use super::hosts::{Hosts, Who};
use super::outcome::{End, Failed};
use super::output::{harmless, say, words};
use super::typed;
use crate::cim::Schema;
use crate::console::{ConsoleError, Session, Told};
use crate::wire::{Filter, PlainInstance, PlainValue};

/// Everything that is told at all.
const EVERYTHING: &str = "SELECT * FROM CIM_InstIndication";
/// How long a host may keep silent in one request.
const WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which indications [default: all of instances that come, change and go]: a sentence that begins with SELECT.
    #[arg(value_name = "QUERY", default_value = EVERYTHING, hide_default_value = true)]
    query: String,
    /// The query is in Windows' query language (WQL) and not in CIM's.
    #[arg(long)]
    wql: bool,
    /// Stop after so many events of each host.
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// Write an object of JSON in each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    hosts: Hosts,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { query, wql, max, json, hosts } = arguments;
    let schema = if json { Some(Schema::builtin().map_err(io::Error::other)?) } else { None };
    let filter = if wql { Filter::wql(query) } else { Filter::cql(query) };
    let listened = every(&hosts, Who::Known, async |session| {
        tokio::select! {
            ended = listen(session, filter.clone(), schema.as_ref(), max) => ended,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    });
    Ok(listened.await?.end())
}

async fn listen(
    session: &Session,
    filter: Filter,
    schema: Option<&Schema>,
    max: Option<u64>,
) -> Result<(), ConsoleError> {
    let host = session.endpoint().name();
    let mut subscription = session.subscribe(filter).await?;
    let _ = writeln!(io::stderr(), "quartermaster: {host}: listening");
    let mut left = max;
    while left != Some(0) {
        for told in session.events(&mut subscription, WAIT).await? {
            if left == Some(0) {
                break;
            }
            left = left.map(|left| left - 1);
            let line = match schema {
                Some(schema) => in_json(host, &told, schema).to_string(),
                None => in_words(host, &told),
            };
            if say(&(line + "\n")).is_err() {
                return Ok(());
            }
        }
    }
    session.unsubscribe(subscription).await
}

fn in_json(host: &str, told: &Told, schema: &Schema) -> Value {
    match told {
        Told::Event(event) => json!({ "host": host, "event": typed::object(event, schema) }),
        Told::Dropped(total) => json!({ "host": host, "dropped": total }),
    }
}

/// When, where, what kind of thing, which one, and how it stands.
fn in_words(host: &str, told: &Told) -> String {
    let event = match told {
        Told::Event(event) => event,
        Told::Dropped(total) => return format!("\t{host}\tdropped\t{total}"),
    };
    let source = event.get("SourceInstance").into_iter().flat_map(PlainValue::instances).next();
    let of = |name: &str| source.and_then(|source| source.text(name)).unwrap_or_default();
    let at = event.text("IndicationTime").unwrap_or_default();
    let class = source.map_or("", |source| source.class.as_str());
    let which = source.map(which).unwrap_or_default();
    let stands = [of("JobStatus"), of("PercentComplete")].into_iter().filter(|text| !text.is_empty());
    let line = [at, host, &event.class, class, &which, &stands.collect::<Vec<_>>().join(" ")].map(harmless);
    line.join("\t").trim_end().to_owned()
}

/// What names an instance to a person.
fn which(instance: &PlainInstance) -> String {
    let named =
        ["ElementName", "Name", "InstanceID", "InstalledSoftware"].into_iter().find_map(|name| instance.get(name));
    named.map(|value| words(&typed::text(value))).unwrap_or_default()
}
