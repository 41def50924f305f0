//! Authentication at the sink.

use super::*;
use crate::access::sealing::SealingKey;
use crate::wire::{SecurityProfile, SinkUser};

const PASSWORD: &str = "the sink's own secret";

fn as_user(url: &str) -> NewSubscription {
    let user = SinkUser { name: "collector".to_owned(), password: PASSWORD.to_owned().into() };
    let security =
        SinkSecurity { profile: Some(SecurityProfile::HttpBasic), user: Some(user), ..SinkSecurity::default() };
    NewSubscription { security, ..to(url) }
}

/// Lets in who has the right password.
fn guarded(message: &Received) -> Reply {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("collector:{PASSWORD}"));
    let is_right = message.header("authorization").is_some_and(|given| given == format!("Basic {expected}"));
    Reply::Answer(if is_right { 200 } else { 401 }, String::new())
}

#[test]
fn credentials_are_kept_sealed_and_used_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let sink = Sink::http(guarded);
    let world = |key: &Path| {
        let mut world = World::at(&file);
        world.settings.sealing_key = Some(Arc::new(SealingKey::load_or_create(key).unwrap()));
        world
    };
    {
        let world = world(folder.path());
        let events = world.open();
        events.subscribe(as_user(&sink.url())).unwrap();
        world.publish(CREATION, 1);
        assert_eq!(numbers(&sink, 1), [1]);
        let row = world.store.read(rows::all).unwrap().remove(0);
        assert!(!format!("{row:?}").contains(PASSWORD), "{row:?}");
        events.stop();
    }
    for name in ["state.db", "state.db-wal"] {
        let octets = std::fs::read(folder.path().join(name)).unwrap_or_default();
        let shows = octets.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!shows, "{name} shows the password");
    }
    let again = world(folder.path());
    let events = again.open();
    again.publish(CREATION, 2);
    let mut told = number(&sink.next());
    while told == 1 {
        // The first may be repeated: how far the subscription got is written behind the delivery.
        told = number(&sink.next());
    }
    assert_eq!(told, 2);
    events.stop();
    drop(events);

    // With another key nobody can open them, and the subscription cannot go on.
    let other = tempfile::tempdir().unwrap();
    let stranger = world(other.path());
    assert!(stranger.open().subscriptions().is_empty());
}

#[test]
fn without_a_key_no_credentials_are_taken() {
    let world = World::new();
    let events = world.open();
    let refused = events.subscribe(as_user("http://127.0.0.1:9/"));
    assert!(matches!(refused, Err(SubscribeError::Security(_))), "{refused:?}");
    assert!(world.store.read(rows::all).unwrap().is_empty());
}

#[test]
fn a_certificate_that_the_service_does_not_have_is_refused() {
    let world = World::new();
    let events = world.open();
    let security = SinkSecurity { profile: Some(SecurityProfile::HttpsMutual), ..SinkSecurity::default() };
    let refused = events.subscribe(NewSubscription { security, ..to("https://127.0.0.1:9/") });
    assert!(matches!(refused, Err(SubscribeError::NotifyTo(_))), "{refused:?}");
}
