//! `quartermaster install`, `update` and `remove`.

use clap::Args;

use super::deeds::{Became, Deed, have_failed, show};
use super::every::{Waves, every, in_waves};
use super::following::Following;
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::meant::{Meant, tasks};
use super::outcome::{End, Failed};
use super::output::Format;
use super::plans::{self, Plans};
use super::tasks::carry_out;
use crate::console::software::Operation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What: NAME, NAME.ARCHITECTURE, NAME-VERSION or NAME=VERSION. To install also a URI that the host can reach, or a
    /// package file of this machine (with a / in its name), which is sent along. To update, nothing means all that can be.
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// Show what would change, and change nothing.
    #[arg(long, conflicts_with = "no_wait")]
    plan: bool,
    /// Do it even where it is there already, or where that means an older version.
    #[arg(long)]
    force: bool,
    /// Do not wait for the end of the jobs.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    waves: Waves,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(operation: Operation, arguments: Arguments) -> Result<End, Failed> {
    let Arguments { what, plan, force, no_wait, waves, listening, hosts, format } = arguments;
    let meant = Meant::all(what, operation)?;
    if plan {
        let answers = every(&hosts, Who::Known, async |session| {
            Plans::of(session, &tasks(session, &meant, operation, force).await?).await
        });
        return plans::show(&answers.await?, &format);
    }
    let following = Following::unless(no_wait, &listening)?;
    let is_bad = |deeds: &Vec<Deed>| have_failed(deeds);
    let answers = in_waves(&hosts, waves, following.interrupt(), is_bad, async |session, deeds: &mut Vec<Deed>| {
        let tasks = tasks(session, &meant, operation, force).await?;
        if tasks.is_empty() {
            deeds.push(Deed::new("updates", Became::Unchanged("there are none".to_owned())));
        }
        carry_out(session, &following, &tasks, deeds).await
    });
    show(&answers.await?, &format)
}
