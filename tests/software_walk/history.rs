//! What was done stays known when the jobs are gone.

use crate::changes::{INSTALL, UPDATE};
use crate::host::Family;
use crate::walk::{Follow, Walk, all_properties, of, reference, selected};

on_both_families!(history);

const LOG: &str = "Quartermaster:SoftwareHistory";

fn history(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    let [old, new] = ["1.0-1", "3.0-1"].map(|version| walk.nevra("alpha", version));
    let updated = of(&walk.change(&old, &[UPDATE]), "InstanceID");
    let refused = of(&walk.change(&new, &[INSTALL]), "InstanceID");
    for job in walk.enumerate("CIM_ConcreteJob", 20) {
        let deleted = walk.delete("CIM_ConcreteJob", &[("InstanceID", &of(&job, "InstanceID"))]);
        assert_eq!(deleted.status, 200, "{}", deleted.body);
    }
    for gone in ["CIM_ConcreteJob", "LMI_SoftwareMethodResult", "LMI_AffectedSoftwareJobElement"] {
        assert!(walk.enumerate(gone, 20).is_empty(), "{gone}");
    }
    let before = walk.enumerate("CIM_LogEntry", 20);
    walk.restart_after(|_| {});
    assert_eq!(all_properties(&walk.enumerate("CIM_LogEntry", 20)), all_properties(&before));

    let (entry, data) = walk.record(&updated);
    let message = of(&entry, "Message");
    let expected = format!(
        "walker at 127.0.0.1 asked for InstallFromSoftwareIdentity of {old} (job {}): completed: updated {old} to {new}",
        updated.rsplit(':').next().unwrap()
    );
    assert_eq!(message, expected);
    assert_eq!((data["user"].as_str(), data["address"].as_str()), (Some("walker"), Some("127.0.0.1")));
    assert_eq!(data["result"].as_str(), Some("completed"));
    let (entry, data) = walk.record(&refused);
    assert!(of(&entry, "Message").contains("failed: "), "{entry:?}");
    assert!(of(&entry, "Message").contains("is already installed"), "{entry:?}");
    assert_eq!(data["result"].as_str(), Some("failed"));
    assert_eq!(of(&entry, "PerceivedSeverity"), "4");

    let log = reference("CIM_RecordLog", &[("InstanceID", LOG)]);
    let records = walk.associated(Follow {
        object: &log,
        association: "CIM_LogManagesRecord",
        role: "Log",
        result_role: "Record",
        result: "CIM_LogEntry",
    });
    assert_eq!(all_properties(&records), all_properties(&before));
    assert_eq!(before.len(), 3);
    let record = reference("CIM_LogEntry", &[("InstanceID", &of(&entry, "InstanceID"))]);
    let logs = walk.names(Follow {
        object: &record,
        association: "CIM_LogManagesRecord",
        role: "Record",
        ..Follow::default()
    });
    assert_eq!(logs.iter().map(|log| selected(log, "InstanceID").unwrap()).collect::<Vec<_>>(), [LOG]);
    let log = walk.get("CIM_RecordLog", &[("InstanceID", LOG)]);
    assert_eq!(of(&log, "CurrentNumberOfRecords"), "3");
}
