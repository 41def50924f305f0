//! `quartermaster subscribe`: prints what happens on hosts, until it is stopped.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, interval_at};

use super::every::all_at_once;
use super::hosts::Hosts;
use super::outcome::{End, Failed};
use super::output::{harmless, say, words};
use super::typed;
use crate::cim::Schema;
use crate::console::{ConsoleError, Listener, RENEWAL, Session};
use crate::wire::{Delivered, Filter, PlainInstance, PlainValue};

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
    /// Have the events delivered here, where the hosts can reach this machine; port 0 takes a free one [default: pull them].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    hosts: Hosts,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { query, wql, max, json, listen, hosts } = arguments;
    let schema = if json { Some(Schema::builtin().map_err(io::Error::other)?) } else { None };
    let filter = if wql { Filter::wql(query) } else { Filter::cql(query) };
    let (listener, serving) = listen.map(Listener::bind).transpose()?.unzip();
    let heard = all_at_once(&hosts, async |session| {
        let mut printer = Printer { host: session.endpoint().name(), schema: schema.as_ref(), left: max };
        let filter = filter.clone();
        match &listener {
            Some(listener) => delivered(session, filter, listener, &mut printer).await,
            None => pulled(session, filter, &mut printer).await,
        }
    });
    let Some(serving) = serving else { return Ok(heard.await?.end()) };
    tokio::select! {
        heard = heard => Ok(heard?.end()),
        ended = serving => Err(ended.err().unwrap_or_else(|| io::Error::other("the listener has ended")).into()),
    }
}

async fn pulled(session: &Session, filter: Filter, printer: &mut Printer<'_>) -> Result<(), ConsoleError> {
    let mut subscription = session.subscribe(filter).await?;
    printer.begin();
    let mut stop = pin!(tokio::signal::ctrl_c());
    while printer.wants_more() {
        tokio::select! {
            told = session.events(&mut subscription, WAIT) => told?.iter().try_for_each(|told| printer.print(told))?,
            _ = &mut stop => break,
        }
    }
    session.unsubscribe(subscription).await
}

async fn delivered(
    session: &Session,
    filter: Filter,
    listener: &Listener,
    printer: &mut Printer<'_>,
) -> Result<(), ConsoleError> {
    let mut inlet = listener.inlet();
    let mut address = listener.address();
    // Who listens everywhere is called by the address that the host sees.
    if address.ip().is_unspecified() {
        address.set_ip(session.own_address().await?);
    }
    let mut subscription = session.subscribe_to(filter, &format!("http://{address}{}", inlet.path())).await?;
    printer.begin();
    let mut stop = pin!(tokio::signal::ctrl_c());
    let mut renewal = interval_at(Instant::now() + RENEWAL, RENEWAL);
    while printer.wants_more() {
        tokio::select! {
            delivery = inlet.next() => delivery.iter().try_for_each(|told| printer.print(told))?,
            _ = renewal.tick() => session.renew(&mut subscription).await?,
            _ = &mut stop => break,
        }
    }
    session.unsubscribe(subscription).await
}

/// Prints what one host tells.
struct Printer<'a> {
    host: &'a str,
    schema: Option<&'a Schema>,
    /// How much more is wanted; without end if this is not there.
    left: Option<u64>,
}

impl Printer<'_> {
    fn begin(&self) {
        let _ = writeln!(io::stderr(), "quartermaster: {}: listening", self.host);
    }

    fn wants_more(&self) -> bool {
        self.left != Some(0)
    }

    fn print(&mut self, told: &Delivered) -> Result<(), ConsoleError> {
        if let Delivered::Ended(why) = told {
            return Err(ConsoleError::Reply(format!("the host has ended the subscription: {}", harmless(why))));
        }
        if !self.wants_more() {
            return Ok(());
        }
        let line = match self.schema {
            Some(schema) => in_json(self.host, told, schema).to_string(),
            None => in_words(self.host, told),
        };
        self.left = self.left.map(|left| left.saturating_sub(1));
        // Who reads no more wants no more.
        if !say(&(line + "\n"))? {
            self.left = Some(0);
        }
        Ok(())
    }
}

fn in_json(host: &str, told: &Delivered, schema: &Schema) -> Value {
    match told {
        Delivered::Event(event) => json!({ "host": host, "event": typed::object(event, schema) }),
        Delivered::Dropped(total) => json!({ "host": host, "dropped": total }),
        Delivered::Ended(why) => json!({ "host": host, "ended": why }),
    }
}

/// When, where, what kind of thing, which one, and how it stands.
fn in_words(host: &str, told: &Delivered) -> String {
    let event = match told {
        Delivered::Event(event) => event,
        Delivered::Dropped(total) => return format!("\t{host}\tdropped\t{total}"),
        Delivered::Ended(why) => return format!("\t{host}\tended\t{}", harmless(why)),
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
