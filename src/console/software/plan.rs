//! What an operation would change, before anything does. A method of Quartermaster's own.

use super::service::{options, target};
use super::{Operation, Service, Software};
use crate::console::{ConsoleError, Session};
use crate::soap::EndpointReference;
use crate::wire::{PlainInstance, PlainValue};

/// The words of QM_PlannedChange.Kind; its numbers begin with 2.
const KINDS: [&str; 7] = ["", "", "installed", "updated", "downgraded", "reinstalled", "removed"];

/// What an operation would do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// Everything that would change.
    pub changes: Vec<PlannedChange>,
    /// How many octets would be fetched, if that was told.
    pub download: Option<u64>,
    /// How many octets more would be taken on the disk, if that was told.
    pub disk: Option<i64>,
}

/// A package that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// How, in a word.
    pub kind: String,
    /// The package as it is, if it is installed.
    pub before: Option<Software>,
    /// The package as it would be, if it would be there.
    pub after: Option<Software>,
}

impl PlannedChange {
    fn of(instance: &PlainInstance) -> Self {
        let software = |name: &str| instance.text(name).filter(|id| !id.is_empty()).map(Software::called);
        let number = instance.text("Kind").unwrap_or_default();
        let word = number.trim().parse::<usize>().ok().and_then(|number| KINDS.get(number));
        let kind = word.copied().filter(|word| !word.is_empty()).unwrap_or(number).to_owned();
        Self { kind, before: software("Before"), after: software("After") }
    }
}

impl Session {
    /// What an operation on a piece of software would do.
    pub async fn plan(
        &self,
        service: &Service,
        software: &EndpointReference,
        operation: Operation,
        force: bool,
    ) -> Result<Plan, ConsoleError> {
        let input = vec![("Source".to_owned(), software.clone().into()), target(service), options(operation, force)];
        let output = self.invoke(&service.resource, "PlanChanges", input).await?;
        if output.returned() != Some(0) {
            return Err(ConsoleError::returned(&service.resource, "PlanChanges", &output));
        }
        let changes = output.0.get("Changes").into_iter().flat_map(PlainValue::instances).map(PlannedChange::of);
        let number = |name: &str| output.0.text(name).map(str::trim);
        Ok(Plan {
            changes: changes.collect(),
            download: number("DownloadSize").and_then(|size| size.parse().ok()),
            disk: number("DiskUsage").and_then(|size| size.parse().ok()),
        })
    }
}
