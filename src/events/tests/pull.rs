//! Subscribers that fetch their events.

use tokio::time::Instant;

use super::*;

fn fetching() -> NewSubscription {
    NewSubscription { notify_to: None, ..in_mode(Mode::Pull, "") }
}

fn pull(events: &Events, context: PullContext, most: usize, wait: Duration) -> Result<Pulled, PullError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { events.pull(context, &ada(), most, Instant::now() + wait).await })
}

fn told(pulled: &Pulled) -> Vec<u32> {
    let number =
        |event: &Arc<Event>| event.xml().split_once("job:").unwrap().1.split_once(';').unwrap().0.parse().unwrap();
    pulled.events.iter().map(number).collect()
}

/// The context after everything that was fetched.
fn next(pulled: &Pulled) -> PullContext {
    pulled.context_after(pulled.events.len(), pulled.lost.unwrap_or(pulled.context.dropped))
}

#[test]
fn events_are_fetched_in_order_and_once() {
    let world = World::new();
    let events = world.open();
    let subscription = events.subscribe(fetching()).unwrap();
    let first = events.first_context(subscription.id).unwrap();
    for n in 1..=7 {
        world.publish([CREATION, MODIFICATION][usize::from(n == 2)], n);
    }
    let pulled = pull(&events, first, 3, PATIENCE).unwrap();
    assert_eq!(told(&pulled), [1, 3, 4]);
    let second = next(&pulled);
    assert_eq!(told(&pull(&events, second, 100, PATIENCE).unwrap()), [5, 6, 7]);
    // A reply that got lost is asked for again.
    let pulled = pull(&events, second, 100, PATIENCE).unwrap();
    assert_eq!(told(&pulled), [5, 6, 7]);
    let third = next(&pulled);
    assert!(told(&pull(&events, third, 100, Duration::ZERO).unwrap()).is_empty());
    let stale = pull(&events, first, 3, Duration::ZERO);
    assert!(matches!(stale, Err(PullError::Stale)), "{stale:?}");
    let future = PullContext { sequence: 99, ..third };
    assert!(matches!(pull(&events, future, 3, Duration::ZERO), Err(PullError::NotFound)));
}

#[test]
fn only_what_was_taken_is_acknowledged() {
    let world = World::new();
    let events = world.open();
    let subscription = events.subscribe(fetching()).unwrap();
    for n in 1..=3 {
        world.publish(CREATION, n);
    }
    let pulled = pull(&events, events.first_context(subscription.id).unwrap(), 3, PATIENCE).unwrap();
    // Only one fitted into the reply.
    let pulled = pull(&events, pulled.context_after(1, 0), 3, PATIENCE).unwrap();
    assert_eq!(told(&pulled), [2, 3]);
    let pulled = pull(&events, pulled.context_after(0, 0), 3, PATIENCE).unwrap();
    assert_eq!(told(&pulled), [2, 3]);
}

#[test]
fn whoever_waits_gets_the_next_event() {
    let world = World::new();
    let events = world.open();
    let subscription = events.subscribe(fetching()).unwrap();
    let context = events.first_context(subscription.id).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pull(&events, context, 10, PATIENCE));
        world.publish(MODIFICATION, 1);
        world.publish(CREATION, 2);
        let pulled = waiting.join().unwrap().unwrap();
        assert_eq!(told(&pulled), [2]);
    });
}

#[test]
fn a_heartbeat_ends_the_wait() {
    let world = World::new();
    let events = world.open();
    let mut new = fetching();
    new.delivery.heartbeat = Some(Duration::from_millis(1));
    let subscription = events.subscribe(new).unwrap();
    let context = events.first_context(subscription.id).unwrap();
    let pulled = pull(&events, context, 10, PATIENCE * 100).unwrap();
    assert!(pulled.events.is_empty());
    assert_eq!(next(&pulled), context);
}

#[test]
fn a_context_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let context = {
        let world = World::at(&file);
        let events = world.open();
        let subscription = events.subscribe(fetching()).unwrap();
        world.publish(CREATION, 1);
        world.publish(CREATION, 2);
        next(&pull(&events, events.first_context(subscription.id).unwrap(), 1, PATIENCE).unwrap())
    };
    let world = World::at(&file);
    let events = world.open();
    world.publish(CREATION, 3);
    let pulled = pull(&events, context.to_string().parse().unwrap(), 10, PATIENCE).unwrap();
    assert_eq!(told(&pulled), [2, 3]);
}

#[test]
fn what_is_not_fetched_in_time_is_lost_and_told() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (2, 2);
    world.settings.overflow = Overflow::Drop;
    let events = world.open();
    let subscription = events.subscribe(fetching()).unwrap();
    let context = events.first_context(subscription.id).unwrap();
    for n in 1..=6 {
        world.publish(CREATION, n);
    }
    events.sweep().unwrap();
    let pulled = pull(&events, context, 10, PATIENCE).unwrap();
    assert_eq!((pulled.lost, told(&pulled)), (Some(4), vec![5, 6]));
    let context = next(&pulled);
    assert_eq!(context.dropped, 4);
    world.publish(CREATION, 7);
    let pulled = pull(&events, context, 10, PATIENCE).unwrap();
    assert_eq!((pulled.lost, told(&pulled)), (None, vec![7]));
}

#[test]
fn another_or_an_ended_subscription_gives_nothing() {
    let world = World::new();
    let events = world.open();
    let (pushed, fetched) =
        (events.subscribe(to("http://127.0.0.1:9/")).unwrap(), events.subscribe(fetching()).unwrap());
    assert_eq!(events.first_context(pushed.id), None);
    let context = events.first_context(fetched.id).unwrap();
    let of_pushed = PullContext { subscription: pushed.id, ..context };
    assert!(matches!(pull(&events, of_pushed, 1, Duration::ZERO), Err(PullError::NotFound)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bob = Caller::new("bob", Role::Operator);
    let theirs = runtime.block_on(events.pull(context, &bob, 1, Instant::now()));
    assert!(matches!(theirs, Err(PullError::NotYours)), "{theirs:?}");
    world.users.remove("ada").unwrap();
    assert!(matches!(pull(&events, context, 1, Duration::ZERO), Err(PullError::NotFound)));
    assert!(world.store.read(rows::all).unwrap().iter().all(|row| row.id != fetched.id));
}
