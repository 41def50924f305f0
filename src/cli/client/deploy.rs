//! `quartermaster deploy`: has hosts install what the last scan found missing.

use clap::Args;

use super::every::{Waves, in_waves};
use super::following::{Followed, Following, end_of, show};
use super::hosts::Hosts;
use super::listening::Listening;
use super::outcome::{End, Failed};
use super::output::Format;
use crate::console::software::{Managed, NOT_SUPPORTED, Operation, Service, Software};
use crate::console::{ConsoleError, Session};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bulletins [default: all that the last scan found missing].
    #[arg(value_name = "BULLETIN")]
    bulletins: Vec<String>,
    /// An offline bundle to take VIBs from, at a URI that the host can reach [default: where the metadata came from].
    #[arg(long, value_name = "URI")]
    bundle: Vec<String>,
    #[command(flatten)]
    waves: Waves,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { bulletins, bundle, waves, listening, hosts, format } = arguments;
    let following = Following::new(&listening)?;
    let is_bad = |followed: &Vec<Followed>| end_of(followed) == End::Job;
    let answers = in_waves(&hosts, waves, is_bad, async |session| {
        let missing = session.bulletins().await?.into_iter().filter(|bulletin| bulletin.is_missing);
        let named =
            if bulletins.is_empty() { missing.map(|bulletin| bulletin.id).collect() } else { bulletins.clone() };
        if named.is_empty() || following.was_left() {
            return Ok(Vec::new());
        }
        let services = session.patch_services().await?;
        let absent = || ConsoleError::Absent("the host has no service that deploys bulletins".to_owned());
        deploy(session, &following, services.first().ok_or_else(absent)?, &named, &bundle).await
    })
    .await?;
    show(&answers, &format)
}

/// An image takes bulletins as they are; a host of packages updates what it has of the packages that they are about.
async fn deploy(
    session: &Session,
    following: &Following,
    service: &Service,
    bulletins: &[String],
    bundles: &[String],
) -> Result<Vec<Followed>, ConsoleError> {
    let about = match bulletins {
        [one] => one.clone(),
        several => format!("{} bulletins", several.len()),
    };
    match session.deploy(service, bulletins, bundles).await {
        Ok(job) => Ok(vec![following.follow(session, &about, &job).await?]),
        Err(ConsoleError::Returned { code: Some(NOT_SUPPORTED), .. }) if !service.is_of_image() => {
            packages(session, following, bulletins).await
        }
        Err(error) => Err(error),
    }
}

async fn packages(
    session: &Session,
    following: &Following,
    bulletins: &[String],
) -> Result<Vec<Followed>, ConsoleError> {
    let service = session.service_for(Managed::Packages).await?;
    let (wanted, installed) = (session.packages_of(bulletins).await?, session.installed().await?);
    let wanted: Vec<Software> = wanted.into_iter().filter_map(Software::of_reference).collect();
    let is_meant = |software: &&Software| wanted.iter().any(|fixed| fixed.replaces(software));
    let mut followed = Vec::new();
    for software in installed.iter().filter(is_meant) {
        if following.was_left() {
            break;
        }
        let job = session.change(&service, software.place()?, Operation::Update, false).await?;
        followed.push(following.follow(session, &software.full_name(), &job).await?);
    }
    Ok(followed)
}
