//! The filters that are always there: those of OpenLMI-Software, with its names and queries, so that its clients find them.

use super::names::{INSTALLATION_JOB, VERIFICATION_JOB};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, PropertyError, Value};

/// Their language.
pub(super) const LANGUAGE: &str = "CIM:CQL";

/// Which changes of jobs there are filters for.
const CHANGES: [JobChange; 6] = [
    JobChange { word: "Created", event: "Creation", condition: "", says: "is made" },
    JobChange {
        word: "PercentUpdated",
        event: "Modification",
        condition: " AND SourceInstance.CIM_ConcreteJob::PercentComplete <> PreviousInstance.CIM_ConcreteJob::PercentComplete",
        says: "gets on",
    },
    JobChange {
        word: "Changed",
        event: "Modification",
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState <> PreviousInstance.CIM_ConcreteJob::JobState",
        says: "changes its state",
    },
    JobChange {
        word: "Succeeded",
        event: "Modification",
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState = 7",
        says: "succeeds",
    },
    JobChange {
        word: "Failed",
        event: "Modification",
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState = 10",
        says: "fails",
    },
    JobChange { word: "Deleted", event: "Deletion", condition: "", says: "is removed" },
];

#[derive(Clone, Copy, Debug)]
struct JobChange {
    /// What the names of its filters end with.
    word: &'static str,
    /// What the name of the indication class ends with.
    event: &'static str,
    /// What a change must fulfil beside.
    condition: &'static str,
    /// What becomes of a job, for people.
    says: &'static str,
}

/// One of the service's own filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StaticFilter {
    /// Its name; no other filter has it.
    pub(super) name: String,
    /// What it lets through.
    pub(super) query: String,
    description: String,
}

impl StaticFilter {
    /// Sets everything but the keys that all filters have in common.
    pub(super) fn describe(&self, instance: &mut Instance) -> Result<(), PropertyError> {
        instance
            .set("Name", self.name.as_str())?
            .set("ElementName", self.name.as_str())?
            .set("Description", self.description.as_str())?
            .set("Query", self.query.as_str())?
            .set("QueryLanguage", LANGUAGE)?
            .set("SourceNamespace", IMPLEMENTATION_NAMESPACE)?
            .set("SourceNamespaces", Value::array([IMPLEMENTATION_NAMESPACE]))?;
        Ok(())
    }
}

/// All static filters.
pub(super) fn all() -> impl Iterator<Item = StaticFilter> + Send {
    let classes = [INSTALLATION_JOB, VERIFICATION_JOB];
    classes.into_iter().flat_map(|class| CHANGES.into_iter().map(move |change| filter(class, change)))
}

/// The static filter of that name.
pub(super) fn find(name: &str) -> Option<StaticFilter> {
    // Names are only put together for what may be one.
    name.starts_with("LMI:").then(|| all().find(|filter| filter.name == name))?
}

fn filter(class: &str, change: JobChange) -> StaticFilter {
    let JobChange { word, event, condition, says } = change;
    StaticFilter {
        name: format!("LMI:{class}:{word}"),
        query: format!("SELECT * FROM LMI_SoftwareInst{event} WHERE SourceInstance ISA {class}{condition}"),
        description: format!("Whenever a job of the class {class} {says}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::Schema;
    use crate::cim::query::{Language, parse};

    #[test]
    fn they_have_openlmis_names_and_queries_that_compile() {
        let schema = Schema::builtin().unwrap();
        let language = Language::named(LANGUAGE).unwrap();
        for filter in all() {
            parse(&filter.query, language).unwrap().compile(&schema).unwrap();
            assert_eq!(find(&filter.name), Some(filter));
        }
        assert_eq!(all().count(), 12);
        let succeeded = find("LMI:LMI_SoftwareInstallationJob:Succeeded").unwrap();
        assert_eq!(
            succeeded.query,
            "SELECT * FROM LMI_SoftwareInstModification WHERE SourceInstance ISA LMI_SoftwareInstallationJob AND \
             SourceInstance.CIM_ConcreteJob::JobState = 7"
        );
        assert_eq!(find("LMI:LMI_SoftwareInstallationJob:succeeded"), None);
        assert_eq!(find("Succeeded"), None);
    }
}
