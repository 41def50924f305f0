//! What was done on a host: its log of changes (DSP1010).

use serde_json::Value;

use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::wire::PlainInstance;

/// The class of records.
const ENTRY: &str = "CIM_LogEntry";

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of the record in its log.
    pub number: u64,
    /// When it ended (in CIM's form or that of XML Schema).
    pub at: String,
    /// What was asked for.
    pub what: String,
    /// What came of it, in a sentence.
    pub message: String,
    /// The same for programs, if it is told in JSON.
    pub data: Option<Value>,
}

impl Record {
    fn of(instance: &PlainInstance) -> Self {
        let text = |name: &str| instance.text(name).unwrap_or_default().to_owned();
        let data = instance.text("RecordData").filter(|_| instance.text("RecordFormat") == Some("application/json"));
        Self {
            number: text("RecordID").trim().parse().unwrap_or(0),
            at: text("CreationTimeStamp"),
            what: text("Caption"),
            message: text("Message"),
            data: data.and_then(|data| serde_json::from_str(data).ok()),
        }
    }
}

impl Session {
    /// What was done, the latest last.
    pub async fn history(&self) -> Result<Vec<Record>, ConsoleError> {
        let found = self.enumerate(&Resource::known(ENTRY), &Enumeration::default()).await?;
        let mut records: Vec<Record> =
            found.items.iter().filter_map(|item| Some(Record::of(item.instance.as_ref()?))).collect();
        records.sort_by(|a, b| (a.number, &a.at).cmp(&(b.number, &b.at)));
        Ok(records)
    }
}
