//! The history of changes, longer than jobs are kept. OpenLMI has none.

use crate::table::{Entry, fixed, none, not_supported, served};

pub(crate) const CLASSES: &[Entry] = &[
    Entry {
        class: "CIM_RecordLog",
        says: "The one log of a system: what was asked for and what came of it.",
        by: &[],
        rows: &[
            served(
                "InstanceID",
                "`Quartermaster:SoftwareHistory`; on a host with an image `Quartermaster:ImageHistory`",
            ),
            served("Name ElementName", "`Software History`, `Image History`"),
            served("Caption Description", "what it has"),
            served("CurrentNumberOfRecords MaxNumberOfRecords", "counted; the limit of the settings"),
            fixed("LogState", "2", "Normal"),
            fixed("OverwritePolicy", "2", "Wraps When Full"),
            fixed("OperationalStatus", "2", "OK"),
            fixed("HealthState", "5", "OK"),
            fixed("EnabledState", "2", "Enabled"),
            fixed("EnabledDefault", "2", "Enabled"),
            fixed("RequestedState", "12", "Not Applicable"),
        ],
        methods: &[
            not_supported("ClearLog", "who could clear it could hide what was done"),
            not_supported("RequestStateChange", "it is always written"),
        ],
    },
    Entry {
        class: "CIM_LogEntry",
        says: "One job that has ended. Who asked for it, and from where, is told to administrators and to whoever asked; for others \
               the user is Somebody in Message, empty in MessageArguments and null in RecordData, and so are address and role. What \
               `quartermaster image` does on the host itself is no job and leaves no record; indications tell what became of VIBs.",
        by: &["src/providers/tests/history.rs::nobody_else_is_told_who_asked_and_everybody_what_was_done"],
        rows: &[
            served("InstanceID LogInstanceID RecordID", "the log's InstanceID and a number"),
            served("LogName ElementName Caption", "the log's name, with the number; what was asked for"),
            served("CreationTimeStamp", "when the job ended"),
            fixed("OwningEntity", "Quartermaster", "whose MessageIDs they are"),
            served("MessageID Message MessageArguments", "who asked for what from where, and what came of it"),
            served("PerceivedSeverity", "2 (Information) or 4 (Minor)"),
            fixed("RecordFormat", "application/json", "the form of RecordData"),
            served("RecordData", "the same for programs, with every package or VIB that changed"),
            fixed("Locale", "en", "messages are in English"),
            none("Description", "Message is the description"),
        ],
        methods: &[],
    },
    Entry {
        class: "CIM_LogManagesRecord",
        says: "The log has the record.",
        by: &[],
        rows: &[served("Log", "the log"), served("Record", "the record")],
        methods: &[],
    },
    Entry {
        class: "CIM_UseOfLog",
        says: "The log is about the system.",
        by: &[],
        rows: &[
            served("Antecedent", "the log"),
            served("Dependent", "the system"),
            served("RecordedData", "what the log's Description says"),
        ],
        methods: &[],
    },
];
