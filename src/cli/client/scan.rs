//! `quartermaster scan`: the patch state of hosts, as a patch console shows it.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::deeds::{self, Became, Deed, end_of_deeds};
use super::every::{Answers, at_work};
use super::following::Following;
use super::hosts::Hosts;
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format, Table};
use crate::console::software::{Assessment, Bulletin, Managed, SEVERITIES, Service};
use crate::console::{ConsoleError, Session};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Metadata that images are compared with: a URI that the host can reach; may be given several times.
    #[arg(long, value_name = "URI")]
    metadata: Vec<String>,
    /// Show how the hosts stood when they were assessed last, and scan nothing.
    #[arg(long, conflicts_with = "metadata")]
    last: bool,
    /// Show each bulletin that is missing, and not how many they are.
    #[arg(long, short = 'b')]
    bulletins: bool,
    /// Do not wait for the end of the jobs, and show them.
    #[arg(long, conflicts_with_all = ["last", "bulletins"])]
    no_wait: bool,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// What is said of an image that cannot be scanned.
const NO_METADATA: &str = "has an image: name the metadata to compare it with (--metadata URI)";

/// What is known of one host.
#[derive(Debug, Default)]
struct Scanned {
    deeds: Vec<Deed>,
    assessments: Vec<Assessment>,
    bulletins: Vec<Bulletin>,
    /// The systems that were never scanned.
    unknown: Vec<String>,
    /// What was asked for and is not known.
    missed: Vec<String>,
    /// What somebody should know besides.
    notes: Vec<String>,
}

/// What a host has that can be compared with something.
struct Systems {
    patched: Vec<Service>,
    /// A host of packages whose repositories have no advisories.
    updated: Option<Service>,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { metadata, last, bulletins, no_wait, listening, hosts, format } = arguments;
    let following = Following::unless(no_wait, &listening)?;
    let answers = at_work(&hosts, following.interrupt(), async |session, scanned: &mut Scanned| {
        let systems = Systems::of(session).await?;
        if !last {
            systems.scan(session, &following, &metadata, scanned).await?;
        }
        if no_wait || following.was_left() {
            return Ok(());
        }
        systems.look(session, metadata.is_empty(), scanned).await?;
        if last {
            let unknown = scanned.unknown.iter().map(|system| format!("{system} was never scanned"));
            scanned.missed.extend(unknown);
        }
        Ok(())
    });
    let answers = answers.await?;
    if no_wait {
        return deeds::show(&answers.map(|scanned| scanned.deeds), &format);
    }
    let mut table = if bulletins { of_bulletins(&answers) } else { of_systems(&answers) };
    if format.is_for_a_person() {
        table.leave_out_zeros(&SEVERITIES.into_iter().chain(["reboot_pending"]).collect::<Vec<_>>());
    }
    format.show(&table)?;
    answers.good().for_each(|(host, scanned)| scanned.tell(host));
    Ok(answers.end_by(Scanned::end))
}

impl Systems {
    async fn of(session: &Session) -> Result<Self, ConsoleError> {
        let patched = session.patch_services().await?;
        let is_patched = patched.iter().any(|service| service.managed == Managed::Packages);
        let mut services = session.services().await?;
        services.retain(|service| service.managed == Managed::Packages && !is_patched);
        Ok(Self { patched, updated: services.into_iter().next() })
    }

    /// Scans every system that can be: images are compared with metadata, packages with what their repositories say.
    async fn scan(
        &self,
        session: &Session,
        following: &Following,
        metadata: &[String],
        scanned: &mut Scanned,
    ) -> Result<(), ConsoleError> {
        let is_meant = |service: &&Service| service.is_of_image() != metadata.is_empty();
        for service in self.patched.iter().filter(is_meant) {
            if following.was_left() {
                scanned.deeds.push(Deed::new("scan", Became::NotBegun));
                continue;
            }
            let job = session.scan(service, metadata).await?;
            scanned.deeds.push(following.follow(session, "scan", &job).await);
        }
        if scanned.deeds.is_empty() {
            let is_enough = metadata.is_empty() && self.updated.is_some();
            let why =
                if metadata.is_empty() { NO_METADATA } else { "has no image that metadata could be compared with" };
            if !is_enough {
                return Err(ConsoleError::Absent(format!("the host {why}")));
            }
            if following.leaves() {
                let why = "packages are compared with their repositories whenever somebody asks";
                scanned.deeds.push(Deed::new("scan", Became::Unchanged(why.to_owned())));
            }
        }
        if metadata.is_empty() && self.patched.iter().any(Service::is_of_image) {
            scanned.notes.push(NO_METADATA.to_owned());
        }
        Ok(())
    }

    /// How the systems stand.
    async fn look(&self, session: &Session, with_packages: bool, scanned: &mut Scanned) -> Result<(), ConsoleError> {
        if !self.patched.is_empty() {
            scanned.assessments = session.assessments().await?;
            scanned.bulletins = session.bulletins().await?;
            scanned.bulletins.retain(|bulletin| bulletin.is_missing);
        }
        let is_unknown = |service: &&Service| !scanned.assessments.iter().any(|known| known.is_of(service));
        scanned.unknown =
            self.patched.iter().filter(is_unknown).map(|service| service.system_name().to_owned()).collect();
        // Each update that there is counts as a bulletin of no known severity.
        if let Some(service) = self.updated.as_ref().filter(|_| with_packages) {
            let updates = session.updates(service).await?;
            scanned.bulletins.extend(updates.iter().map(Bulletin::of_update));
            scanned.assessments.push(Assessment::of_updates(service, &updates));
        }
        Ok(())
    }
}

impl Scanned {
    fn end(&self) -> End {
        match end_of_deeds(&self.deeds) {
            End::Well if !self.missed.is_empty() => End::Failed,
            end => end,
        }
    }

    fn tell(&self, host: &str) {
        deeds::tell(host, &self.deeds);
        for note in self.missed.iter().chain(&self.notes) {
            let _ = writeln!(std::io::stderr(), "quartermaster: {host}: {note}");
        }
    }
}

fn of_bulletins(answers: &Answers<Scanned>) -> Table {
    with_errors(answers, vec!["bulletin", "severity", "category", "reboot", "title"], |scanned| {
        scanned.bulletins.iter().map(of_bulletin).collect()
    })
}

fn of_systems(answers: &Answers<Scanned>) -> Table {
    let counts = SEVERITIES.into_iter().chain(["missing", "reboot_pending", "installed", "assessed_at"]);
    let columns: Vec<&'static str> = ["system"].into_iter().chain(counts).collect();
    let nothing = vec![Value::Null; columns.len() - 1];
    with_errors(answers, columns, |scanned| {
        let unknown = scanned.unknown.iter().map(|system| [vec![system.as_str().into()], nothing.clone()].concat());
        scanned.assessments.iter().map(of_system).chain(unknown).collect()
    })
}

/// A table in which hosts that failed are, too, with the reason in a column of its own.
fn with_errors(
    answers: &Answers<Scanned>,
    mut columns: Vec<&'static str>,
    rows: impl Fn(&Scanned) -> Vec<Vec<Value>>,
) -> Table {
    let values = columns.len();
    columns.extend(answers.are_several().then_some("error"));
    let columns: Vec<Column> = columns.into_iter().map(Column::new).collect();
    let filled = |scanned: &Scanned| {
        let mut rows = rows(scanned);
        rows.iter_mut().for_each(|row| row.resize(columns.len(), Value::Null));
        rows
    };
    answers.whole_table(&columns, filled, |error| [vec![Value::Null; values], vec![error.to_string().into()]].concat())
}

fn of_bulletin(bulletin: &Bulletin) -> Vec<Value> {
    let Bulletin { id, title, severity, category, needs_reboot, .. } = bulletin;
    let reboot = if *needs_reboot { "yes" } else { "no" };
    [id, severity, category, reboot, title].map(|text| text.into()).to_vec()
}

fn of_system(assessment: &Assessment) -> Vec<Value> {
    let mut row: Vec<Value> = vec![assessment.system.as_str().into()];
    row.extend(assessment.missing.map(Value::from));
    row.extend([assessment.total(), assessment.reboot_pending, assessment.installed].map(Value::from));
    row.push(Some(assessment.at.as_str()).filter(|at| !at.is_empty()).into());
    row
}
