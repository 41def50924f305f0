//! `quartermaster deploy`: has hosts install what the last scan found missing.

use clap::Args;

use super::deeds::{Became, Deed, have_failed, show};
use super::every::{Waves, every, in_waves};
use super::following::Following;
use super::hosts::{Hosts, Who};
use super::listening::Listening;
use super::meant::newest;
use super::outcome::{End, Failed};
use super::output::Format;
use super::plans::{self, Plans};
use super::tasks::{Task, Wanted, carry_out};
use crate::console::software::{Bulletin, Managed, Operation, Service, Software};
use crate::console::{ConsoleError, Session};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bulletins [default: all that the last scan found missing].
    #[arg(value_name = "BULLETIN")]
    bulletins: Vec<String>,
    /// An offline bundle to take VIBs from, at a URI that the host can reach [default: where the metadata came from].
    #[arg(long, value_name = "URI")]
    bundle: Vec<String>,
    /// Show what would change, and change nothing; of an image the bulletins alone.
    #[arg(long, conflicts_with = "no_wait")]
    plan: bool,
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

/// What one system of a host is to get.
struct Due {
    service: Service,
    /// The bulletins that it lacks.
    missing: Vec<String>,
    /// Those that were named although it does not.
    others: Vec<String>,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let Arguments { bulletins, bundle, plan, no_wait, waves, listening, hosts, format } = arguments;
    if plan {
        let answers = every(&hosts, Who::Known, async |session| {
            let mut plans = Plans::default();
            for due in due(session, &bulletins, &bundle).await? {
                plans.join(due.plan(session).await?);
            }
            Ok(plans)
        });
        return plans::show(&answers.await?, &format);
    }
    let following = Following::unless(no_wait, &listening)?;
    let is_bad = |deeds: &Vec<Deed>| have_failed(deeds);
    let answers = in_waves(&hosts, waves, following.interrupt(), is_bad, async |session, deeds: &mut Vec<Deed>| {
        for due in due(session, &bulletins, &bundle).await? {
            due.deploy(session, &following, &bundle, deeds).await?;
        }
        Ok(())
    });
    show(&answers.await?, &format)
}

/// What each system of a host is to get; an error if nothing is known of what was asked for.
async fn due(session: &Session, named: &[String], bundles: &[String]) -> Result<Vec<Due>, ConsoleError> {
    let absent = |why: &str| Err(ConsoleError::Absent(why.to_owned()));
    let mut services = session.patch_services().await?;
    if services.is_empty() {
        return absent("the host has no service that deploys bulletins; `quartermaster update` updates its packages");
    }
    if !bundles.is_empty() && !services.iter().any(Service::is_of_image) {
        return absent("the host has no image, which alone takes bundles");
    }
    let assessments = session.assessments().await?;
    services.retain(|service| assessments.iter().any(|assessment| assessment.is_of(service)));
    if services.is_empty() {
        return absent("the host was never scanned: run `quartermaster scan` first");
    }
    let known = session.bulletins().await?;
    if let Some(unknown) = named.iter().find(|id| !known.iter().any(|bulletin| bulletin.id == **id)) {
        return Err(ConsoleError::Absent(format!("the last scan knows no bulletin {unknown:?}")));
    }
    let due = services.into_iter().map(|service| Due::of(service, &known, named));
    // Who is named bulletins of one system has nothing to do with the others.
    Ok(due.filter(|due| named.is_empty() || !due.is_empty()).collect())
}

impl Due {
    fn of(service: Service, known: &[Bulletin], named: &[String]) -> Self {
        let mut due = Self { service, missing: Vec::new(), others: Vec::new() };
        for bulletin in known.iter().filter(|bulletin| bulletin.is_of(&due.service)) {
            let is_named = named.contains(&bulletin.id);
            if bulletin.is_missing && (named.is_empty() || is_named) {
                due.missing.push(bulletin.id.clone());
            } else if is_named {
                due.others.push(bulletin.id.clone());
            }
        }
        due
    }

    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.others.is_empty()
    }

    /// The bulletins in a word or two.
    fn about(&self) -> String {
        match &*self.missing {
            [one] => one.clone(),
            several => format!("{} bulletins", several.len()),
        }
    }

    async fn plan(&self, session: &Session) -> Result<Plans, ConsoleError> {
        if !self.service.is_of_image() {
            return Plans::of(session, &self.packages(session).await?).await;
        }
        let mut plans = Plans::default();
        self.missing.iter().for_each(|id| plans.add_bulletin(id));
        self.others.iter().for_each(|id| plans.note(format!("{id} is not missing")));
        Ok(plans)
    }

    async fn deploy(
        &self,
        session: &Session,
        following: &Following,
        bundles: &[String],
        deeds: &mut Vec<Deed>,
    ) -> Result<(), ConsoleError> {
        deeds.extend(self.others.iter().map(|id| unchanged(id, "is not missing")));
        if self.is_empty() {
            deeds.push(unchanged("bulletins", "none is missing"));
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        if !self.service.is_of_image() {
            return self.update(session, following, deeds).await;
        }
        if following.was_left() {
            deeds.push(Deed::new(self.about(), Became::NotBegun));
            return Ok(());
        }
        let job = session.deploy(&self.service, &self.missing, bundles).await?;
        deeds.push(following.follow(session, &self.about(), &job).await);
        Ok(())
    }

    /// A host of packages updates what it has of the packages that the bulletins are about, and is scanned anew.
    async fn update(
        &self,
        session: &Session,
        following: &Following,
        deeds: &mut Vec<Deed>,
    ) -> Result<(), ConsoleError> {
        let tasks = self.packages(session).await?;
        if tasks.is_empty() {
            deeds.push(unchanged(&self.about(), "what is installed is as it should be"));
        }
        carry_out(session, following, &tasks, deeds).await?;
        if !following.leaves() && !following.was_left() {
            let job = session.scan(&self.service, &[]).await?;
            deeds.push(following.follow(session, "scan", &job).await);
        }
        Ok(())
    }

    /// The packages that are to be updated.
    async fn packages(&self, session: &Session) -> Result<Vec<Task>, ConsoleError> {
        let service = session.service_for(Managed::Packages).await?;
        let fixed = session.packages_of(&self.missing).await?;
        let fixed: Vec<Software> = fixed.into_iter().filter_map(Software::of_reference).collect();
        let mut tasks = Vec::new();
        for software in session.installed().await? {
            if fixed.iter().any(|fixed| fixed.replaces(&software)) {
                let newest = newest(session, &service, &software).await?;
                let wanted = Wanted::of(software, newest);
                tasks.push(Task { service: service.clone(), wanted, operation: Operation::Update, force: false });
            }
        }
        Ok(tasks)
    }
}

fn unchanged(about: &str, why: &str) -> Deed {
    Deed::new(about, Became::Unchanged(why.to_owned()))
}
