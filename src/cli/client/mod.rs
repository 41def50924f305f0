//! The commands of the client: what a console asks hosts and tells them, over WS-Management alone.
//!
//! A command is a file here: its arguments, what it asks of one host, and which columns it shows. [`hosts`] says which hosts
//! are meant and who we are to them, [`every`] asks them all, [`output`] shows what they say, and [`outcome`] with which
//! exit code it ends. What changes hosts is made of [`tasks`], whose jobs are followed by [`following`], and what became of
//! them are [`deeds`].

mod ask;
mod change;
mod create;
mod deeds;
mod delete;
mod deploy;
mod enumerate;
mod every;
mod files;
mod fitted;
mod following;
mod get;
mod hidden_line;
mod history;
mod hosts;
mod identify;
mod interrupt;
mod invoke;
mod jobs;
mod keys;
mod list;
mod listening;
mod meant;
mod outcome;
mod output;
mod password;
mod plans;
mod put;
mod record;
mod repos;
mod scan;
mod search;
mod show;
mod subscribe;
mod tasks;
mod typed;
mod values;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::console::software::Operation;
use outcome::{EXIT_CODES, End, Failed};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Ask hosts who they are: the protocol, the product and its version.
    #[command(after_help = EXIT_CODES)]
    Identify(identify::Arguments),
    /// List what is installed on hosts.
    #[command(after_help = EXIT_CODES)]
    List(list::Arguments),
    /// Search the software that hosts have and that their repositories offer, by parts of names.
    #[command(after_help = EXIT_CODES)]
    Search(search::Arguments),
    /// Show all that a host tells of software.
    #[command(after_help = EXIT_CODES)]
    Show(show::Arguments),
    /// List the files of an installed package, and what differs.
    #[command(after_help = EXIT_CODES)]
    Files(files::Arguments),
    /// List, enable, disable and refresh repositories.
    #[command(after_help = EXIT_CODES)]
    Repos(repos::Arguments),
    /// Install software, from repositories, a URI or a package file.
    #[command(after_help = EXIT_CODES)]
    Install(change::Arguments),
    /// Update software to the newest version.
    #[command(after_help = EXIT_CODES)]
    Update(change::Arguments),
    /// Remove software.
    #[command(after_help = EXIT_CODES)]
    Remove(change::Arguments),
    /// Compare the files of packages with how they were installed.
    #[command(after_help = EXIT_CODES)]
    Verify(verify::Arguments),
    /// List and cancel jobs.
    #[command(after_help = EXIT_CODES)]
    Jobs(jobs::Arguments),
    /// Follow jobs to their ends.
    #[command(after_help = EXIT_CODES)]
    Watch(jobs::Watch),
    /// List what was done on hosts.
    #[command(after_help = EXIT_CODES)]
    History(history::Arguments),
    /// Compare hosts with the bulletins that there are, and show how many they lack.
    #[command(after_help = EXIT_CODES)]
    Scan(scan::Arguments),
    /// Have hosts install the bulletins that the last scan found missing.
    #[command(after_help = EXIT_CODES)]
    Deploy(deploy::Arguments),
    /// Print what happens on hosts as it happens, until stopped.
    #[command(after_help = EXIT_CODES)]
    Subscribe(subscribe::Arguments),
    /// Read an instance of any class.
    #[command(after_help = EXIT_CODES)]
    Get(get::Arguments),
    /// Read the instances of any class.
    #[command(after_help = EXIT_CODES)]
    Enumerate(enumerate::Arguments),
    /// Call a method of an instance.
    #[command(after_help = EXIT_CODES)]
    Invoke(invoke::Arguments),
    /// Change properties of an instance.
    #[command(after_help = EXIT_CODES)]
    Put(put::Arguments),
    /// Make an instance of a class.
    #[command(after_help = EXIT_CODES)]
    Create(create::Arguments),
    /// Remove an instance.
    #[command(after_help = EXIT_CODES)]
    Delete(delete::Arguments),
}

/// Does it; the exit code tells how it ended.
pub(super) fn run(action: Action) -> ExitCode {
    let ended = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::from);
    let ended = ended.and_then(|runtime| {
        let ended = runtime.block_on(perform(action));
        // A look-up of a name that hangs must not hold the end back.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(end) => end.into(),
        Err(failed) => {
            super::report(&failed);
            failed.end().into()
        }
    }
}

async fn perform(action: Action) -> Result<End, Failed> {
    match action {
        Action::Identify(arguments) => identify::run(arguments).await,
        Action::List(arguments) => list::run(arguments).await,
        Action::Search(arguments) => search::run(arguments).await,
        Action::Show(arguments) => show::run(arguments).await,
        Action::Files(arguments) => files::run(arguments).await,
        Action::Repos(arguments) => repos::run(arguments).await,
        Action::Install(arguments) => change::run(Operation::Install, arguments).await,
        Action::Update(arguments) => change::run(Operation::Update, arguments).await,
        Action::Remove(arguments) => change::run(Operation::Remove, arguments).await,
        Action::Verify(arguments) => verify::run(arguments).await,
        Action::Jobs(arguments) => jobs::run(arguments).await,
        Action::Watch(arguments) => jobs::watch(arguments).await,
        Action::History(arguments) => history::run(arguments).await,
        Action::Scan(arguments) => scan::run(arguments).await,
        Action::Deploy(arguments) => deploy::run(arguments).await,
        Action::Subscribe(arguments) => subscribe::run(arguments).await,
        Action::Get(arguments) => get::run(arguments).await,
        Action::Enumerate(arguments) => enumerate::run(arguments).await,
        Action::Invoke(arguments) => invoke::run(arguments).await,
        Action::Put(arguments) => put::run(arguments).await,
        Action::Create(arguments) => create::run(arguments).await,
        Action::Delete(arguments) => delete::run(arguments).await,
    }
}
