//! `quartermaster subscribe`: prints what happens on hosts, until it is stopped.

use std::io::{self, Write};
use std::mem;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, interval_at};

use super::every::{all_at_once, tell};
use super::hosts::Hosts;
use super::listening::{Ear, Listening};
use super::outcome::{End, Failed, end_of};
use super::output::{harmless, say, words};
use super::typed;
use crate::cim::Schema;
use crate::console::{ConsoleError, Inlet, RENEWAL, Session, Subscription};
use crate::wire::{Delivered, Filter, PlainInstance, PlainValue};

/// Everything that is told at all.
const EVERYTHING: &str = "SELECT * FROM CIM_InstIndication";
/// How long a host may keep silent in one request.
const WAIT: Duration = Duration::from_secs(30);
/// The wait before a host is asked again that did not answer: at first, and at most.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

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
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { query, wql, max, json, listening, hosts } = arguments;
    let schema = if json { Some(Schema::builtin().map_err(io::Error::other)?) } else { None };
    let filter = if wql { Filter::wql(query) } else { Filter::cql(query) };
    let ear = listening.begin()?;
    let heard = all_at_once(&hosts, async |session| {
        let mut printer = Printer { host: session.endpoint().name(), schema: schema.as_ref(), left: max };
        Ok(match listen(session, &filter, &ear, &mut printer).await {
            Ok(()) => End::Well,
            Err(error) => {
                // The others may go on for long.
                tell(printer.host, &error);
                end_of(&error)
            }
        })
    });
    Ok(heard.await?.end_by(|end| *end))
}

/// Prints what a host tells until somebody stops it or has enough. Whatever ends it besides is waited out.
async fn listen(session: &Session, filter: &Filter, ear: &Ear, printer: &mut Printer<'_>) -> Result<(), ConsoleError> {
    let mut source = Source::begin(session, filter, ear).await?;
    printer.say("listening");
    let (mut wait, mut is_out) = (WAITS.0, false);
    let mut stop = pin!(tokio::signal::ctrl_c());
    while printer.wants_more() {
        let told = tokio::select! {
            told = source.next(session) => told,
            _ = &mut stop => break,
        };
        let error = match told.and_then(|told| told.iter().try_for_each(|told| printer.print(told))) {
            Ok(()) => {
                if mem::take(&mut is_out) {
                    printer.say("listening again");
                }
                wait = WAITS.0;
                continue;
            }
            Err(error) if !may_pass(&error) => return Err(error),
            Err(error) => error,
        };
        if !mem::replace(&mut is_out, true) {
            printer.say(&format!("{error}; trying again until it works"));
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = &mut stop => break,
        }
        wait = wait.saturating_mul(2).min(WAITS.1);
        // A host that was away knows its subscriptions when it is back, and what happened meanwhile. Others are asked anew.
        if !error.is_no_way_there() {
            match Source::begin(session, filter, ear).await {
                Ok(anew) => {
                    source = anew;
                    is_out = false;
                    printer.say("listening again");
                }
                Err(error) if !may_pass(&error) => return Err(error),
                Err(_) => {}
            }
        }
    }
    source.end(session).await;
    Ok(())
}

/// Whether waiting may help.
fn may_pass(error: &ConsoleError) -> bool {
    matches!(error, ConsoleError::Unreachable(_) | ConsoleError::Fault(_) | ConsoleError::Reply(_))
}

/// Where the events of a host come from.
enum Source {
    /// The host delivers them; the subscription is to be prolonged from time to time.
    Delivered(Subscription, Inlet, Interval),
    /// They are pulled.
    Pulled(Subscription),
}

impl Source {
    async fn begin(session: &Session, filter: &Filter, ear: &Ear) -> Result<Self, ConsoleError> {
        if let Some(listener) = &ear.listener {
            match session.subscribe_at(listener, filter.clone()).await {
                Ok((subscription, inlet)) => {
                    let renewal = interval_at(Instant::now() + RENEWAL, RENEWAL);
                    return Ok(Self::Delivered(subscription, inlet, renewal));
                }
                // Who asked for deliveries wants to know why there are none.
                Err(error) if ear.is_wanted => return Err(error),
                Err(error) => {
                    let why = format!("it does not tell what happens here, which is pulled: {error}");
                    ear.note(session.endpoint().name(), &why);
                }
            }
        }
        Ok(Self::Pulled(session.subscribe(filter.clone()).await?))
    }

    /// What happened; after some time that may be nothing.
    async fn next(&mut self, session: &Session) -> Result<Vec<Delivered>, ConsoleError> {
        match self {
            Self::Pulled(subscription) => session.events(subscription, WAIT).await,
            Self::Delivered(subscription, inlet, renewal) => tokio::select! {
                told = inlet.next() => Ok(told),
                _ = renewal.tick() => session.renew(subscription).await.map(|()| Vec::new()),
            },
        }
    }

    /// Ends the subscription, which would end by itself, too.
    async fn end(self, session: &Session) {
        let (Self::Delivered(subscription, ..) | Self::Pulled(subscription)) = self;
        let _ = session.unsubscribe(subscription).await;
    }
}

/// Prints what one host tells.
struct Printer<'a> {
    host: &'a str,
    schema: Option<&'a Schema>,
    /// How much more is wanted; without end if this is not there.
    left: Option<u64>,
}

impl Printer<'_> {
    fn say(&self, words: &str) {
        let _ = writeln!(io::stderr(), "quartermaster: {}: {}", self.host, harmless(words));
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
