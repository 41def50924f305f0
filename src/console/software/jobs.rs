//! The jobs of a host: long work that it does on its own, whoever asked for it.

use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::enumeration::Mode;
use crate::wire::{AssociationFilter, Filter, PlainInstance, PlainItem};

/// The class of all jobs.
const JOB: &str = "CIM_ConcreteJob";
/// The links from a job to what it has to do with (DSP1103).
const AFFECTED: &str = "CIM_AffectedJobElement";
/// The state that ends a job, for RequestStateChange.
const TERMINATE: &str = "4";
/// RequestStateChange began what it was called for.
const STARTED: u32 = 4096;

/// How far a job is (CIM_ConcreteJob.JobState).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits.
    Waiting,
    /// It is done.
    Running,
    /// It is held up.
    Suspended,
    /// It ended well.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Failed,
    /// Something else, by its number.
    Other(u32),
}

/// A job as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its InstanceID.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How far it is.
    pub state: JobState,
    /// How far in words.
    pub status: String,
    /// How far in percent.
    pub percent: u8,
    /// Who asked for it, if that was told.
    pub owner: Option<String>,
    /// When it was asked for, if that was told.
    pub submitted_at: Option<String>,
    /// What went wrong, if something did.
    pub error: Option<String>,
    /// What a person should read besides.
    pub notes: Vec<String>,
    /// Where it is found.
    pub reference: EndpointReference,
}

impl JobState {
    fn of(number: &str) -> Self {
        match number.trim().parse().unwrap_or(0) {
            2 => Self::Waiting,
            3 | 4 | 6 => Self::Running,
            5 => Self::Suspended,
            7 => Self::Completed,
            8 | 9 => Self::Cancelled,
            10 => Self::Failed,
            other => Self::Other(other),
        }
    }

    /// Whether nothing comes behind it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }

    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Other(_) => "unknown",
        }
    }
}

impl Job {
    /// What an instance of a job tells.
    pub fn of(instance: &PlainInstance, reference: EndpointReference) -> Self {
        let text = |name: &str| instance.text(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            id: text("InstanceID").unwrap_or_default(),
            name: text("Name").or_else(|| text("ElementName")).or_else(|| text("Caption")).unwrap_or_default(),
            state: JobState::of(instance.text("JobState").unwrap_or_default()),
            status: text("JobStatus").unwrap_or_default(),
            percent: instance.text("PercentComplete").map_or(0, percent),
            owner: text("Owner"),
            submitted_at: text("TimeSubmitted"),
            error: text("ErrorDescription"),
            notes: instance.texts("StatusDescriptions").map(str::to_owned).collect(),
            reference,
        }
    }

    /// Whether a person means it by what he wrote: the whole identifier, its number, or its name.
    pub fn is_called(&self, written: &str) -> bool {
        self.id == written || self.name == written || self.number() == Some(written)
    }

    /// The number at the end of the identifier, by which a person knows it.
    pub fn number(&self) -> Option<&str> {
        self.id.rsplit_once(':').map(|(_, number)| number).filter(|number| !number.is_empty())
    }
}

impl Session {
    /// All jobs that the host remembers.
    pub async fn jobs(&self) -> Result<Vec<Job>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(JOB), &wanted).await?;
        Ok(found.items.into_iter().filter_map(|item| Some(Job::of(&item.instance?, item.reference?))).collect())
    }

    /// The job that a person means.
    pub async fn job_named(&self, written: &str) -> Result<Job, ConsoleError> {
        let jobs = self.jobs().await?;
        let absent = || ConsoleError::Absent(format!("the host has no job {written:?}"));
        jobs.into_iter().find(|job| job.is_called(written)).ok_or_else(absent)
    }

    /// A job as it is now.
    pub async fn job(&self, reference: &EndpointReference) -> Result<Job, ConsoleError> {
        let resource = Resource::of(reference).map_err(|fault| ConsoleError::unreadable(&fault))?;
        Ok(Job::of(&self.get(&resource).await?, reference.clone()))
    }

    /// Asks the host to give a job up, which may take it a while.
    pub async fn cancel(&self, job: &Job) -> Result<(), ConsoleError> {
        let resource = Resource::of(&job.reference).map_err(|fault| ConsoleError::unreadable(&fault))?;
        let input = vec![("RequestedState".to_owned(), TERMINATE.into())];
        let output = self.invoke(&resource, "RequestStateChange", input).await?;
        match output.returned() {
            Some(0 | STARTED) => Ok(()),
            _ => Err(ConsoleError::returned(&resource, "RequestStateChange", &output)),
        }
    }

    /// What a job has to do with: the software that it changed, or the files that it found.
    pub async fn affected(&self, job: &EndpointReference, class: &str) -> Result<Vec<PlainItem>, ConsoleError> {
        self.associated(job, Some(AFFECTED), class).await
    }

    /// What is associated with an instance.
    pub(super) async fn associated(
        &self,
        object: &EndpointReference,
        association: Option<&str>,
        class: &str,
    ) -> Result<Vec<PlainItem>, ConsoleError> {
        let filter = AssociationFilter {
            association_class: association.map(str::to_owned),
            result_class: Some(class.to_owned()),
            ..AssociationFilter::associated(object.clone())
        };
        let filter = Some(Filter::Association(Box::new(filter)));
        let wanted = Enumeration { filter, mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
        Ok(self.enumerate(&Resource::known(class), &wanted).await?.items)
    }
}

/// A job may tell 101 where it does not know (CIM_ConcreteJob.PercentComplete).
fn percent(told: &str) -> u8 {
    told.trim().parse().ok().filter(|percent| *percent <= 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: &str) -> Job {
        let instance = PlainInstance::default()
            .with("InstanceID", "LMI:LMI_SoftwareInstallationJob:12")
            .with("Name", "InstallPackage-12")
            .with("JobState", state)
            .with("PercentComplete", "101");
        Job::of(&instance, EndpointReference::default())
    }

    #[test]
    fn a_job_is_called_by_its_number_its_name_or_all_of_its_identifier() {
        for written in ["12", "InstallPackage-12", "LMI:LMI_SoftwareInstallationJob:12"] {
            assert!(job("4").is_called(written), "{written}");
        }
        assert!(!job("4").is_called("2") && !job("4").is_called(""));
    }

    #[test]
    fn states_are_read_by_their_numbers() {
        for (number, state, is_final) in [
            ("2", JobState::Waiting, false),
            ("4", JobState::Running, false),
            ("7", JobState::Completed, true),
            ("9", JobState::Cancelled, true),
            (" 10 ", JobState::Failed, true),
            ("x", JobState::Other(0), false),
        ] {
            let job = job(number);
            assert_eq!((job.state, job.state.is_final(), job.percent), (state, is_final, 0), "{number}");
        }
    }
}
