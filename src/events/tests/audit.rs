//! What the audit log tells of subscriptions.

use super::*;
use crate::access::testing::audit_lines;

#[test]
fn who_subscribes_renews_and_unsubscribes_is_audited() {
    let world = World::new();
    let events = world.open();
    let (bob, sink) = (Caller::new("bob", Role::Operator), "http://127.0.0.1:9/token/of/the/sink");
    let mut id = Uuid::nil();
    let lines = audit_lines(|| {
        events.subscribe(filtered(sink, "SELECT * FROM CIM_Job")).unwrap_err();
        id = events.subscribe(to(sink)).unwrap().id;
        events.renew(id, &ada(), Some(Expiry::After(Interval::from_seconds(60)))).unwrap();
        events.status(id, &ada()).unwrap();
        events.unsubscribe(id, &bob).unwrap_err();
        events.unsubscribe(id, &ada()).unwrap();
    });
    let (ada, bob) = ("user=ada role=operator", "user=bob role=operator");
    assert_eq!(
        lines,
        [
            format!("subscribes {ada}"),
            format!("refused: subscribes: CIM_Job is no indication class of this service {ada}"),
            format!("subscribes {ada}"),
            format!("made subscription {id}, its events go to 127.0.0.1, port 9 {ada}"),
            format!("renews subscription {id} {ada}"),
            format!("ends subscription {id} {bob}"),
            format!("refused: ends subscription {id}: the subscription belongs to another user {bob}"),
            format!("ends subscription {id} {ada}"),
        ]
    );
}
