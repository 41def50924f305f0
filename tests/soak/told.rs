//! What an event tells of a job.

use xmltree::Element;

use crate::support::wsman::{child, property, text_of};

/// What happened to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Creation,
    Modification,
    Deletion,
}

/// What is compared of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) state: u16,
    pub(crate) percent: u8,
    pub(crate) status: String,
    pub(crate) changed: String,
}

/// What an event tells, the same for every subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    /// The job's number.
    pub(crate) job: u64,
    /// The job before a modification.
    pub(crate) before: Option<View>,
    /// The job after it; of a deleted one, as it was.
    pub(crate) view: View,
}

impl Told {
    /// Whether the job ended with this.
    pub(crate) fn is_end(&self) -> bool {
        self.kind == Kind::Modification && self.view.is_final() && !self.before.as_ref().unwrap().is_final()
    }
}

impl View {
    pub(crate) fn is_final(&self) -> bool {
        self.state >= 7
    }

    fn of(job: &Element) -> Self {
        let text = |name| property(job, name).unwrap_or_else(|| panic!("{name} is NULL: {job:?}"));
        Self {
            state: text("JobState").parse().unwrap(),
            percent: text("PercentComplete").parse().unwrap(),
            status: text("JobStatus"),
            changed: text("TimeOfLastStateChange"),
        }
    }
}

/// The number of the job with this InstanceID.
pub(crate) fn number_of(instance_id: &str) -> u64 {
    instance_id.rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("no number: {instance_id:?}"))
}

/// Reads an event: its MessageID, the place in the log that its bookmark names, and what it tells.
pub(crate) fn read(envelope: &[u8]) -> (String, u64, Told) {
    let envelope = Element::parse(envelope).unwrap();
    let header =
        |name| text_of(child(child(&envelope, "Header").unwrap(), name).unwrap_or_else(|| panic!("no {name}")));
    let (message_id, bookmark) = (header("MessageID"), header("Bookmark"));
    let place = bookmark.rsplit('/').next().and_then(|place| place.parse().ok()).expect("a place in the log");
    let body = child(&envelope, "Body").unwrap();
    let indication = body.children.iter().find_map(|node| node.as_element()).unwrap();
    let kind = match indication.name.as_str() {
        name if name.ends_with("Creation") => Kind::Creation,
        name if name.ends_with("Modification") => Kind::Modification,
        name if name.ends_with("Deletion") => Kind::Deletion,
        other => panic!("not asked for: {other}"),
    };
    let job = child(indication, "SourceInstance").unwrap();
    let before = (kind == Kind::Modification).then(|| View::of(child(indication, "PreviousInstance").unwrap()));
    let number = number_of(&property(job, "InstanceID").unwrap());
    (message_id, place, Told { kind, job: number, before, view: View::of(job) })
}
