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
            format!("asked: Subscribe (events go to 127.0.0.1, port 9) {ada}"),
            format!("refused: Subscribe: CIM_Job is no indication class of this service {ada}"),
            format!("asked: Subscribe (events go to 127.0.0.1, port 9) {ada}"),
            format!("done: Subscribe of subscription {id} {ada}"),
            format!("asked: Renew of subscription {id} {ada}"),
            format!("done: Renew of subscription {id} {ada}"),
            format!("asked: Unsubscribe of subscription {id} {bob}"),
            format!("refused: Unsubscribe of subscription {id}: the subscription belongs to another user {bob}"),
            format!("asked: Unsubscribe of subscription {id} {ada}"),
            format!("done: Unsubscribe of subscription {id} {ada}"),
        ]
    );
}
