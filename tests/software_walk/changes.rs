//! Changes that are followed from their plan to what the history tells of them.

use serde_json::Value;
use xmltree::Element;

use crate::host::sorted;
use crate::support::installation::job_of;
use crate::support::wsman::{Message, child, descendants};
use crate::walk::{
    Follow, Walk, collection_reference, identity_reference, job_reference, nevra_of, of, selected, uri, values,
};

/// InstallOptions.
pub(crate) const FORCE: u16 = 3;
pub(crate) const INSTALL: u16 = 4;
pub(crate) const UPDATE: u16 = 5;
pub(crate) const REPAIR: u16 = 6;
pub(crate) const REMOVE: u16 = 9;

/// What happens to one package: how, from which build, to which.
pub(crate) type Change = (String, Option<String>, Option<String>);

/// What is given to the service as the receiver of a change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Receiver {
    Target,
    Collection,
}

impl Walk {
    /// The arguments of a change of a build.
    pub(crate) fn arguments(&self, nevra: &str, options: &[u16], receiver: Receiver) -> Vec<(&'static str, String)> {
        let mut arguments: Vec<_> = options.iter().map(|option| ("InstallOptions", option.to_string())).collect();
        arguments.push(("Source", identity_reference(nevra)));
        arguments.push(match receiver {
            Receiver::Target => ("Target", self.system()),
            Receiver::Collection => ("Collection", collection_reference()),
        });
        arguments
    }

    /// Asks for a change and gives the job's InstanceID.
    pub(crate) fn start(&mut self, nevra: &str, options: &[u16]) -> String {
        let arguments = self.arguments(nevra, options, Receiver::Collection);
        job_of(&self.call("InstallFromSoftwareIdentity", &borrowed(&arguments)))
    }

    /// Makes a change as OpenLMI's client does, and gives the job as it ended: it did what was planned, or failed as was
    /// foretold and changed nothing.
    pub(crate) fn change(&mut self, nevra: &str, options: &[u16]) -> Element {
        self.change_of(nevra, options, Receiver::Collection)
    }

    /// The same with either receiver.
    pub(crate) fn change_of(&mut self, nevra: &str, options: &[u16], receiver: Receiver) -> Element {
        let arguments = self.arguments(nevra, options, receiver);
        let before = self.installed();
        let planned = self.call("PlanChanges", &borrowed(&arguments));
        assert_eq!(self.installed(), before, "a plan changes nothing");
        let job = job_of(&self.call("InstallFromSoftwareIdentity", &borrowed(&arguments)));
        let job = self.ended(&job);
        let done = self.recorded(&job);
        if of(&job, "JobState") == "7" {
            assert_eq!(of(&planned, "ReturnValue"), "0", "{job:?}");
        } else {
            assert_eq!(of(&planned, "ReturnValue"), of(&job, "ErrorCode"), "{job:?}");
            assert!(!of(&planned, "Reason").is_empty(), "{planned:?}");
            assert_eq!(done, []);
        }
        assert_eq!(changes_in(&planned), done, "{job:?}");
        let after = applied(&before, &done);
        assert_eq!(self.installed(), after, "{job:?}");
        assert_eq!(self.root.installed(), after);
        self.check_affected(&job, nevra, options, &done);
        job
    }

    /// What the job did, by its record in the history.
    pub(crate) fn recorded(&mut self, job: &Element) -> Vec<Change> {
        let (_, record) = self.record(&of(job, "InstanceID"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let changes = record["changes"].as_array().unwrap().iter();
        changes.map(|c| (text(&c["kind"]).unwrap(), text(&c["before"]), text(&c["after"]))).collect()
    }

    /// The record of a job in the history: the instance, and the data in it.
    pub(crate) fn record(&mut self, job: &str) -> (Element, Value) {
        let number: u64 = job.rsplit(':').next().unwrap().parse().unwrap();
        let records = self.enumerate("CIM_LogEntry", 1000).into_iter().map(|entry| {
            let data: Value = serde_json::from_str(&of(&entry, "RecordData")).unwrap();
            (entry, data)
        });
        records.into_iter().find(|(_, data)| data["job"] == number).expect("a record of the job")
    }

    /// What the job is told to have worked on, in OpenLMI's words.
    fn check_affected(&mut self, job: &Element, nevra: &str, options: &[u16], done: &[Change]) {
        let (word, effect) = words(options);
        let mut expected: Vec<String> = Vec::new();
        for (kind, before, after) in done {
            let word = match kind.as_str() {
                "installed" => "Installing",
                "updated" | "downgraded" => "Updating",
                "reinstalled" => "Modifying",
                "removed" => "Removing",
                other => panic!("{other}"),
            };
            expected.extend(before.iter().chain(after).map(|nevra| format!("{nevra} 1 {word}")));
        }
        if done.is_empty() {
            expected.push(format!("{nevra} 1 {word}"));
        }
        expected.push("LMI_SystemSoftwareCollection 2 Package database is locked.".to_owned());
        expected.push(format!("PG_ComputerSystem 1 {effect}"));
        expected.sort();
        expected.dedup();
        assert_eq!(self.affected(&of(job, "InstanceID")), expected);
    }

    /// What a job is told to have worked on: a build or a class, with the effect and its description.
    pub(crate) fn affected(&mut self, job: &str) -> Vec<String> {
        let object = job_reference(job);
        let links = self.links(Follow {
            object: &object,
            result: "LMI_AffectedSoftwareJobElement",
            role: "AffectingElement",
            result_role: "AffectedElement",
            ..Follow::default()
        });
        let told = links.iter().map(|link| {
            let element = child(link, "AffectedElement").unwrap();
            let class = descendants(element, "ResourceURI")[0].get_text().unwrap();
            let class = class.rsplit('/').next().unwrap().to_owned();
            let name = match class.as_str() {
                "LMI_SoftwareIdentity" => nevra_of(&selected(element, "InstanceID").unwrap()),
                "LMI_SoftwareIdentityFileCheck" => selected(element, "Name").unwrap(),
                _ => class,
            };
            format!("{name} {} {}", of(link, "ElementEffects"), of(link, "OtherElementEffectsDescriptions"))
        });
        sorted(told.collect())
    }

    /// The error of a failed job: its `CIMStatusCode` and its message.
    pub(crate) fn error_of(&mut self, job: &Element) -> (String, String) {
        let id = of(job, "InstanceID");
        let get =
            |method: &str| Message::invoke(&uri("CIM_ConcreteJob"), method, &[]).selector("InstanceID", id.clone());
        let (one, all) = (self.client.ask(&get("GetError")), self.client.ask(&get("GetErrors")));
        assert_eq!((of(&one, "ReturnValue"), of(&all, "ReturnValue")), ("0".to_owned(), "0".to_owned()));
        let [one, all] = [one, all].map(|answer| {
            let text = |name: &str| crate::support::wsman::text_of(descendants(&answer, name)[0]);
            (text("CIMStatusCode"), text("Message"))
        });
        assert_eq!(one, all);
        assert_eq!(one.1, of(job, "ErrorDescription"));
        assert_eq!(of(job, "JobStatus"), format!("Failed: {}", one.1));
        assert_eq!(values(job, "OperationalStatus"), ["17", "6"]);
        one
    }
}

/// The changes that PlanChanges answers.
pub(crate) fn changes_in(planned: &Element) -> Vec<Change> {
    let changes = descendants(planned, "Kind").into_iter().map(crate::support::wsman::text_of);
    let kinds = changes.map(|kind| {
        let kind = match kind.as_str() {
            "2" => "installed",
            "3" => "updated",
            "4" => "downgraded",
            "5" => "reinstalled",
            "6" => "removed",
            other => panic!("{other}"),
        };
        kind.to_owned()
    });
    let builds = |name: &str| -> Vec<Option<String>> {
        let elements = descendants(planned, name).into_iter().map(crate::support::wsman::text_of);
        elements.map(|id| (!id.is_empty()).then(|| nevra_of(&id))).collect()
    };
    let changes = kinds.zip(builds("Before")).zip(builds("After"));
    changes.map(|((kind, before), after)| (kind, before, after)).collect()
}

/// What is installed after these changes.
fn applied(before: &[String], changes: &[Change]) -> Vec<String> {
    let mut after: Vec<String> = before.to_vec();
    after.retain(|nevra| !changes.iter().any(|(_, before, _)| before.as_ref() == Some(nevra)));
    after.extend(changes.iter().filter_map(|(_, _, after)| after.clone()));
    sorted(after)
}

/// OpenLMI's words for what is done to the package and to the host.
fn words(options: &[u16]) -> (&'static str, &'static str) {
    let has = |option| options.contains(&option);
    if has(REMOVE) {
        ("Removing", "Removing package from software collection.")
    } else if has(UPDATE) {
        ("Updating", "Updating software package.")
    } else if has(REPAIR) && !has(INSTALL) {
        ("Modifying", "Modifying software collection.")
    } else {
        ("Installing", "Installing software package to collection.")
    }
}

/// Arguments as a call takes them.
pub(crate) fn borrowed<'a>(arguments: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    arguments.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A change in one line.
pub(crate) fn change(kind: &str, before: Option<&String>, after: Option<&String>) -> Change {
    (kind.to_owned(), before.cloned(), after.cloned())
}
