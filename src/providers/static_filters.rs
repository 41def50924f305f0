//! The filters that are always there: for the jobs of each system those that OpenLMI-Software has, so that its clients find them
//! by their names.

use super::managed::Terms;
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{Instance, PropertyError, Value};

/// Their language.
pub(super) const LANGUAGE: &str = "CIM:CQL";

/// Which changes of jobs there are filters for.
const CHANGES: [JobChange; 6] = [
    JobChange { word: "Created", event: Event::Creation, condition: "", says: "is made" },
    JobChange {
        word: "PercentUpdated",
        event: Event::Modification,
        condition: " AND SourceInstance.CIM_ConcreteJob::PercentComplete <> PreviousInstance.CIM_ConcreteJob::PercentComplete",
        says: "gets on",
    },
    JobChange {
        word: "Changed",
        event: Event::Modification,
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState <> PreviousInstance.CIM_ConcreteJob::JobState",
        says: "changes its state",
    },
    JobChange {
        word: "Succeeded",
        event: Event::Modification,
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState = 7",
        says: "succeeds",
    },
    JobChange {
        word: "Failed",
        event: Event::Modification,
        condition: " AND SourceInstance.CIM_ConcreteJob::JobState = 10",
        says: "fails",
    },
    JobChange { word: "Deleted", event: Event::Deletion, condition: "", says: "is removed" },
];

/// What happens to a job, by the place of its class in [`Terms::indications`].
#[derive(Clone, Copy, Debug)]
enum Event {
    Creation,
    Modification,
    Deletion,
}

#[derive(Clone, Copy, Debug)]
struct JobChange {
    /// What the names of its filters end with.
    word: &'static str,
    /// Which of a system's indications tells of it.
    event: Event,
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

/// All static filters of a system.
pub(super) fn all(terms: &'static Terms) -> impl Iterator<Item = StaticFilter> + Send {
    terms.jobs.iter().flat_map(move |class| CHANGES.into_iter().map(move |change| filter(terms, class, change)))
}

/// The static filter of that name.
pub(super) fn find(terms: &'static Terms, name: &str) -> Option<StaticFilter> {
    // Names are only put together for what may be one.
    let is_likely = name.strip_prefix(terms.organization).is_some_and(|rest| rest.starts_with(':'));
    is_likely.then(|| all(terms).find(|filter| filter.name == name))?
}

fn filter(terms: &Terms, class: &str, change: JobChange) -> StaticFilter {
    let JobChange { word, event, condition, says } = change;
    let [creation, modification, deletion] = terms.indications;
    let indication = match event {
        Event::Creation => creation,
        Event::Modification => modification,
        Event::Deletion => deletion,
    };
    StaticFilter {
        name: format!("{}:{class}:{word}", terms.organization),
        query: format!("SELECT * FROM {indication} WHERE SourceInstance ISA {class}{condition}"),
        description: format!("Whenever a job of the class {class} {says}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::Schema;
    use crate::cim::query::{Language, parse};
    use crate::providers::{image, model};

    #[test]
    fn they_have_openlmis_names_and_queries_that_compile() {
        let schema = Schema::builtin().unwrap();
        let language = Language::named(LANGUAGE).unwrap();
        for terms in [&model::TERMS, &image::TERMS] {
            for filter in all(terms) {
                parse(&filter.query, language).unwrap().compile(&schema).unwrap();
                assert_eq!(find(terms, &filter.name), Some(filter));
            }
        }
        assert_eq!([all(&model::TERMS).count(), all(&image::TERMS).count()], [12, 6]);
        let find = |name| find(&model::TERMS, name);
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
