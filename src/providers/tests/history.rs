//! What is told of the history, and to whom.

use super::*;
use crate::jobs::PackageRequest;

const ADDRESS: &str = "192.0.2.7";

/// A host with one record: a job that `ann` asked for and cancelled.
fn with_record() -> Host {
    let host = host();
    let ann = Caller { address: Some(ADDRESS.parse().unwrap()), ..host.caller.clone() };
    let job = host.jobs.submit(PackageRequest::RefreshRepositories.into(), &ann).unwrap();
    host.jobs.cancel(job.id, &job.owner).unwrap();
    host
}

impl Host {
    /// The record as a caller sees it in every way that there is to look at it.
    fn records(&self, caller: &Caller) -> Vec<Instance> {
        let class = self.broker.class("root/cimv2", "CIM_LogEntry").unwrap().clone();
        let query = parse("SELECT * FROM CIM_LogEntry", Language::Cql).unwrap();
        let query = Arc::new(query.compile(self.broker.schema()).unwrap());
        let searched = self.broker.candidates(caller, "root/cimv2", query).unwrap().filter_map(Result::unwrap);
        let mut seen: Vec<Instance> = searched.collect();
        seen.extend(self.broker.enumerate(caller, "root/cimv2", &class).unwrap().0.map(Result::unwrap));
        seen.push(self.broker.get(caller, &self.broker.path_of(&seen[0])).unwrap());
        let walk = AssociationQuery {
            traversal: Traversal::AssociatedInstances,
            source: self.broker.path_of(&self.enumerate("root/cimv2", "CIM_RecordLog")[0]),
            association_class: Some("CIM_LogManagesRecord".to_owned()),
            role: None,
            result_class: None,
            result_role: None,
        };
        seen.extend(self.broker.associations(caller, walk).unwrap().filter_map(Result::unwrap));
        assert_eq!(seen.len(), 4);
        seen
    }
}

#[test]
fn who_asked_is_told_to_administrators_and_to_whoever_asked() {
    let host = with_record();
    for caller in [host.caller.clone(), Caller::new("root", Role::Admin)] {
        for record in host.records(&caller) {
            let asked = "RefreshRepositories (job 1): cancelled";
            assert_eq!(text(&record, "Message"), format!("ann at {ADDRESS} asked for {asked}"));
            let data: serde_json::Value = serde_json::from_str(text(&record, "RecordData")).unwrap();
            assert_eq!((data["user"].as_str(), data["address"].as_str()), (Some("ann"), Some(ADDRESS)));
        }
    }
}

#[test]
fn nobody_else_is_told_who_asked_and_everybody_what_was_done() {
    let host = with_record();
    for caller in [Caller::new("vic", Role::Viewer), Caller::new("bob", Role::Operator)] {
        for record in host.records(&caller) {
            let values: Vec<String> = record.values().iter().map(|value| format!("{value:?}")).collect();
            assert!(!values.iter().any(|value| value.contains("ann") || value.contains(ADDRESS)), "{values:?}");
            assert_eq!(text(&record, "Message"), "Somebody asked for RefreshRepositories (job 1): cancelled");
            let data: serde_json::Value = serde_json::from_str(text(&record, "RecordData")).unwrap();
            assert_eq!((data["user"].is_null(), data["method"].as_str()), (true, Some("RefreshRepositories")));
        }
    }
}
