//! `quartermaster scan`: the patch state of hosts, as a patch console shows it.

use clap::Args;
use serde_json::Value;

use super::every::every;
use super::following::{Followed, Following, end_of};
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::{Column, Format};
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
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// What is known of one host.
#[derive(Default)]
struct Scanned {
    followed: Vec<Followed>,
    assessments: Vec<Assessment>,
    bulletins: Vec<Bulletin>,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { metadata, last, bulletins, listening, hosts, format } = arguments;
    let following = Following::new(&listening)?;
    let answers = every(&hosts, Who::Known, async |session| {
        let services = session.patch_services().await?;
        if services.is_empty() && metadata.is_empty() {
            return by_updates(session).await;
        }
        let mut scanned = Scanned::default();
        if !last {
            scanned.followed = scan(session, &following, &services, &metadata).await?;
        }
        scanned.assessments = session.assessments().await?;
        if bulletins {
            scanned.bulletins = session.bulletins().await?;
            scanned.bulletins.retain(|bulletin| bulletin.is_missing);
        }
        Ok(scanned)
    })
    .await?;
    let table = if bulletins {
        let columns = ["bulletin", "severity", "category", "reboot", "title"].map(Column::new);
        answers.table(&columns, |scanned| scanned.bulletins.iter().map(of_bulletin).collect())
    } else {
        let counts = SEVERITIES.into_iter().chain(["missing", "reboot_pending", "installed", "assessed_at"]);
        let columns: Vec<Column> = ["system"].into_iter().chain(counts).map(Column::new).collect();
        answers.table(&columns, |scanned| scanned.assessments.iter().map(of_system).collect())
    };
    format.show(&table)?;
    Ok(answers.end_by(|scanned| end_of(&scanned.followed)))
}

/// A host of packages whose repositories have no advisories: each update that there is counts as one of no known severity.
async fn by_updates(session: &Session) -> Result<Scanned, ConsoleError> {
    let service = session.service_for(Managed::Packages).await?;
    let updates = session.updates(&service).await?;
    let bulletins = updates.iter().map(Bulletin::of_update).collect();
    Ok(Scanned { followed: Vec::new(), assessments: vec![Assessment::of_updates(&service, &updates)], bulletins })
}

/// Scans every system of a host that can be.
async fn scan(
    session: &Session,
    following: &Following,
    services: &[Service],
    metadata: &[String],
) -> Result<Vec<Followed>, ConsoleError> {
    let mut followed = Vec::new();
    // Images are compared with metadata, packages with what their repositories say.
    let is_meant = |is_of_image: bool| is_of_image != metadata.is_empty();
    for service in services.iter().filter(|service| is_meant(service.is_of_image())) {
        let job = session.scan(service, metadata).await?;
        followed.push(following.follow(session, "scan", &job).await?);
    }
    if followed.is_empty() {
        let why = if metadata.is_empty() {
            "the host has an image alone: name the metadata to compare it with (--metadata URI)"
        } else {
            "the host has no image that metadata could be compared with"
        };
        return Err(ConsoleError::Absent(why.to_owned()));
    }
    Ok(followed)
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
    row.push(assessment.at.as_str().into());
    row
}
